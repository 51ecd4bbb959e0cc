//! One run: compile, assemble, store, tag, sum up.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::deliver::Work;
use super::ledger::Ledger;
use super::permits::Permits;
use super::shared_layers::SharedLayers;
use super::{Checked, Options, PipelineError, Reuse, Session};
use crate::compile::{self, Artifact, CompileError};
use crate::destination::Destination;
use crate::plan::Plan;
use crate::report::{Event, ServiceStatus, Step, Summary};
use crate::store::Blobs;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// All services, also those that failed.
    pub summary: Summary,
    /// Whether a compilation failed.
    pub compile_failed: bool,
}

impl Outcome {
    /// Whether every service is delivered everywhere.
    pub fn is_success(&self) -> bool {
        self.summary
            .services
            .iter()
            .all(|service| service.status != ServiceStatus::Failed)
    }
}

/// Carries out a checked plan. Failures of services are in the outcome, and were reported.
///
/// # Errors
/// [`PipelineError`] when the run cannot even begin.
pub fn run(
    session: &Session<'_>,
    plan: &Plan,
    checked: &Checked,
    destinations: &[Box<dyn Destination>],
    reuse: Option<&Reuse<'_>>,
    options: Options,
) -> Result<Outcome, PipelineError> {
    let names = destinations
        .iter()
        .map(|destination| destination.name().to_owned())
        .collect();
    let ledger = Ledger::new(plan, names);
    ledger.take_refusals(&checked.refusals, session.reporter);
    let mut commands = Vec::new();
    let hopeless = if options.keep_going {
        let mut services = ledger.indices();
        services.all(|index| ledger.is_refused_everywhere(index))
    } else {
        ledger.any_failed()
    };
    if !hopeless {
        commands = carry_out(
            session,
            plan,
            checked,
            destinations,
            reuse,
            options,
            &ledger,
        )?;
    }
    for destination in destinations {
        if let Err(error) = destination.finish() {
            let text = format!("cannot tidy up `{}`: {error}", destination.name());
            session.reporter.report(Event::Warning(text));
        }
        for text in destination.details() {
            session.reporter.report(Event::Verbose(text));
        }
        for text in destination.warnings() {
            session.reporter.report(Event::Warning(text));
        }
    }
    let outcome = Outcome {
        summary: ledger.summary(checked.revision.as_ref(), reuse),
        compile_failed: ledger.any_compile_failed(),
    };
    for service in &outcome.summary.services {
        session.reporter.report(Event::Service(service.clone()));
    }
    session
        .reporter
        .report(Event::Summary(outcome.summary.clone()));
    // The last word, since it is what is typed next.
    for subject in commands {
        let verb = "Run";
        session.reporter.report(Event::Status { verb, subject });
    }
    Ok(outcome)
}

/// Compiles, assembles and stores every service, then tags. Gives the commands that run the images.
fn carry_out(
    session: &Session<'_>,
    plan: &Plan,
    checked: &Checked,
    destinations: &[Box<dyn Destination>],
    reuse: Option<&Reuse<'_>>,
    options: Options,
    ledger: &Ledger<'_>,
) -> Result<Vec<String>, PipelineError> {
    let staging =
        Blobs::create(&plan.target_directory.join("lighter")).map_err(PipelineError::Staging)?;
    let executables = staging.directory().join("executables");
    fs_err::create_dir(&executables).map_err(PipelineError::Staging)?;
    let layers = SharedLayers::new(plan, &staging, session.interrupt, options.threads);
    let work = Work {
        session,
        plan,
        checked,
        destinations,
        options,
        reuse,
        layers,
        assembling: Permits::new(options.threads),
        ledger,
    };
    work.find_standing();
    session.reporter.report(Event::Begun {
        images: ledger.to_build() * destinations.len(),
    });
    let (sender, receiver) = sync_channel(options.threads.get());
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        for _ in 0..options.conversations().get().min(plan.services.len()) {
            scope.spawn(|| work.process(&receiver));
        }
        compile_all(&work, &executables, &sender);
        // The threads end when nobody can send any more.
        drop(sender);
    });
    Ok(work.tag_all())
}

/// Compiles one service after another and hands the executables over.
fn compile_all(work: &Work<'_>, directory: &Path, artifacts: &SyncSender<(usize, Artifact)>) {
    let Session {
        reporter,
        clock,
        interrupt,
        ..
    } = work.session;
    let preparation = &work.checked.preparation;
    let services = work.plan.services.iter().zip(preparation.builds());
    for (index, (planned, build)) in services.enumerate() {
        if work.must_stop() {
            return;
        }
        if work.ledger.is_refused_everywhere(index) || work.ledger.is_standing(index) {
            work.layers.settle(index);
            continue;
        }
        let service = &planned.service;
        let command = preparation.command_line(build);
        reporter.report(Event::Verbose(format!("running {command}")));
        let detail = format!(
            "(package {}, {}, {})",
            planned.package, planned.config.profile.value, planned.target
        );
        reporter.report(Event::Started {
            service: service.clone(),
            step: Step::Compile,
            detail,
        });
        let watch = clock.start();
        let result = compile::run(preparation, build, directory, *reporter);
        let seconds = watch.seconds();
        work.ledger.record(index).seconds.compile = seconds;
        match result {
            Ok(artifact) => {
                reporter.report(Event::Finished {
                    service: service.clone(),
                    step: Step::Compile,
                    detail: if artifact.fresh {
                        "(fresh)".to_owned()
                    } else {
                        String::new()
                    },
                    seconds,
                    bytes: Some(artifact.size),
                });
                if artifacts.send((index, artifact)).is_err() {
                    return;
                }
            }
            Err(_) if interrupt.received().is_some() => return,
            Err(error) => fail(work, index, error),
        }
    }
}

fn fail(work: &Work<'_>, index: usize, error: CompileError) {
    // What was compiled and cannot be kept is no fault of the sources.
    let step = match error {
        CompileError::SetAside { .. } => Step::Assemble,
        _ => Step::Compile,
    };
    work.ledger
        .fail(index, step, &error.into(), work.session.reporter);
    work.layers.settle(index);
}
