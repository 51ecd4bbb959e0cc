//! One run of the program, from arguments to exit code.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use console::Term;

use super::arguments::{Arguments, Color, Command, MessageFormat};
use super::commands;
use super::context::Context;
use super::{Exit, Failure, StreamError};
use crate::process::{Environment, Interrupt};
use crate::report::Clock;
use crate::ui::{Console, Format, Streams, Verbosity};

/// Runs with the process's own arguments, environment, clock and streams.
pub fn run_process() -> ExitCode {
    let mut streams = Streams::of_process();
    let world = Environment::of_process()
        .and_then(|environment| Ok((environment, Interrupt::of_process()?)));
    match world {
        Ok((environment, interrupt)) => {
            let exit = run(
                std::env::args_os(),
                environment,
                Clock::monotonic(),
                &interrupt,
                streams,
            );
            ExitCode::from(exit.code())
        }
        Err(error) => {
            // There is nobody else to tell.
            let _ = writeln!(streams.stderr, "error: cannot start: {error}");
            ExitCode::from(Exit::Failed.code())
        }
    }
}

/// Runs with everything passed in. `arguments` begin with the program's name; a first argument
/// `lighter`, which cargo adds for its subcommands, is dropped.
pub fn run(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
    environment: Environment,
    clock: Clock,
    interrupt: &Interrupt,
    streams: Streams,
) -> Exit {
    let mut arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    if arguments.get(1).is_some_and(|first| first == "lighter") {
        arguments.remove(1);
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(message) => return explain(&message, streams, &environment),
    };
    let columns = streams.stdout_is_terminal.then(columns);
    let console = console(&arguments, &environment, streams);
    let context = Context {
        columns,
        environment,
        clock,
        interrupt: interrupt.clone(),
        console: Arc::new(console),
    };
    let result = dispatch(&context, arguments.command);
    finish(&context, result)
}

/// Columns of the terminal that standard output is.
fn columns() -> usize {
    let size = Term::stdout().size_checked();
    let columns = size.map(|(_, columns)| usize::from(columns));
    // Some terminals do not know.
    columns.filter(|columns| *columns > 0).unwrap_or(80)
}

fn dispatch(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(arguments) => commands::list::run(context, &arguments),
        Command::Plan(arguments) => commands::plan::run(context, &arguments),
        Command::Split(arguments) => commands::split::run(context, &arguments),
        Command::Deps(arguments) => commands::deps::run(context, &arguments),
        Command::Build(arguments) => commands::build::run(context, &arguments),
        Command::Push(arguments) => commands::push::run(context, &arguments),
        Command::Inspect(arguments) => commands::inspect::run(context, &arguments),
        Command::Adopt(arguments) => commands::adopt::run(context, &arguments),
        Command::Doctor(arguments) => commands::doctor::run(context, &arguments),
        Command::Auth(arguments) => commands::auth::run(context, &arguments),
        Command::Login(arguments) => commands::login::run(context, &arguments),
        Command::Logout(arguments) => commands::logout::run(context, &arguments),
        Command::Completions(arguments) => commands::completions::run(context, &arguments),
        Command::Man(arguments) => commands::man::run(context, &arguments),
    }
}

/// Tells what went wrong. Once someone said stop, whatever failed failed because of that.
fn finish(context: &Context, result: Result<Exit, Failure>) -> Exit {
    if let Some(signal) = context.interrupt.received() {
        context.console.raw("error: interrupted");
        return signal.into();
    }
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            if let Some(error) = failure.error {
                context.console.error(&*error);
            }
            failure.exit
        }
    }
}

/// Shows what clap has to say: help and versions are data, mistakes are not.
fn explain(message: &clap::Error, streams: Streams, environment: &Environment) -> Exit {
    let is_terminal = if message.use_stderr() {
        streams.stderr_is_terminal
    } else {
        streams.stdout_is_terminal
    };
    let colors = colors(Color::Auto, is_terminal, environment);
    let console = Console::new(streams, Verbosity::Normal, colors, Format::Text);
    let text = message.render();
    let text = if colors {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    if message.use_stderr() {
        console.raw(&text);
        return Exit::Usage;
    }
    match console.data(&text) {
        Ok(()) => Exit::Success,
        Err(error) => {
            console.error(&StreamError(error));
            Exit::Failed
        }
    }
}

fn console(arguments: &Arguments, environment: &Environment, streams: Streams) -> Console {
    let global = &arguments.global;
    let verbosity = match (global.quiet, global.verbose > 0) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let colors = colors(global.color, streams.stderr_is_terminal, environment);
    let format = match &arguments.command {
        Command::Build(arguments) => arguments.run.message_format,
        Command::Push(arguments) => arguments.run.message_format,
        _ => MessageFormat::Text,
    };
    let format = match format {
        MessageFormat::Text => Format::Text,
        MessageFormat::Json => Format::Json,
    };
    let bars = has_bars(&streams, verbosity, environment);
    let console = Console::new(streams, verbosity, colors, format);
    if bars { console.with_bars() } else { console }
}

/// Whether to draw bars: on a terminal that can, where a person sits and did not say otherwise in cargo's
/// words.
fn has_bars(streams: &Streams, verbosity: Verbosity, environment: &Environment) -> bool {
    streams.stderr_is_terminal
        && verbosity >= Verbosity::Normal
        && environment.get("TERM") != Some("dumb")
        && environment.os("CI").is_none()
        && environment.get("CARGO_TERM_PROGRESS_WHEN") != Some("never")
}

/// Whether to colour what goes to a stream: a terminal that can, unless the user wants none.
fn colors(choice: Color, is_terminal: bool, environment: &Environment) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let able = environment.get("TERM") != Some("dumb");
            is_terminal && able && environment.os("NO_COLOR").is_none()
        }
    }
}
