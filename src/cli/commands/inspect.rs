//! `inspect`: what an image is made of, whether it keeps to the specification, and in what it differs from
//! another.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::arguments::InsecureArguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::hint::Hint;
use crate::inspect::{
    Difference, InspectError, Inspected, Inspector, Page, Report, Verified, compare,
    differences_text, share, verify,
};
use crate::oci::{Platform, UnknownPlatform};
use crate::reference::{names_a_path, refuse_login};
use crate::registry::Options;
use crate::report::{Event, Reporter as _};
use crate::source::{ImageSource, ImageSpec, SourceError, Sources, Stands, Wanted, parse_on_disk};

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  What orders runs, what makes it large, where its libraries come from:
    cargo lighter inspect oci:target/lighter/oci:orders:latest
  The same of two images, with the layers that they share:
    cargo lighter inspect ghcr.io/acme/orders ghcr.io/acme/billing
  All that violates the image specification (exit code 3 if anything does):
    cargo lighter inspect --verify ghcr.io/acme/orders
  In what the new image differs from the old one (exit code 3 if it does):
    cargo lighter inspect oci:out:orders --against docker-daemon:orders:old

Images are named as in the output of `build` and `push`:
  [docker://]HOST/REPOSITORY[:TAG]    in a registry
  oci:DIRECTORY[:NAME:TAG]            in an image layout, such as `build` makes
  oci-archive:FILE[:NAME:TAG]         in an image layout in a tar
  docker-archive:FILE[:NAME:TAG]      in a tar of `docker save` or `podman save`
  docker-daemon:NAME[:TAG]            in docker
  containers-storage:NAME[:TAG]       in podman

A public image is read without a login; your credentials are looked up only if
the registry refuses.";

/// Show what an image is made of, check it, or compare it with another
///
/// Prints what it runs and as whom, its layers with their largest files, the packages that its libraries
/// came from, and which layers it shares with the other images given. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// Images, such as oci:target/lighter/oci:orders:latest or ghcr.io/acme/orders
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// Look at the image for this platform, such as linux/arm64; an error where there is none
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Check against the image specification and name each violation; exit code 3 if there is one
    #[arg(long, conflicts_with = "against")]
    verify: bool,
    /// With --verify, also name what is allowed and images of this program never have; exit code 3 if there is
    /// any
    #[arg(long, requires = "verify")]
    strict: bool,
    /// Tell in what the image differs from this one; exit code 3 if it does
    #[arg(long, value_name = "IMAGE")]
    against: Option<String>,
    /// Files to show of each layer, the largest first
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    files: usize,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    insecure: InsecureArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Several images, and one to compare with.
#[derive(Debug, thiserror::Error)]
#[error("`--against` compares one image, and {0} are named")]
struct Several(usize);

impl Hint for Several {
    fn hint(&self) -> Option<String> {
        Some("name one image, and the other after `--against`".to_owned())
    }
}

#[derive(Serialize)]
struct Reports<'a> {
    version: u32,
    images: Vec<&'a Report>,
}

#[derive(Serialize)]
struct Checks<'a> {
    version: u32,
    images: &'a [Verified],
}

#[derive(Serialize)]
struct Comparison<'a> {
    version: u32,
    image: &'a str,
    against: &'a str,
    differences: &'a [Difference],
}

/// Paths may hold an `@`.
fn may_name_a_registry(text: &str) -> bool {
    let schemes = [
        "oci:",
        "oci-archive:",
        "docker-archive:",
        "docker-daemon:",
        "containers-storage:",
    ];
    !names_a_path(text) && !schemes.iter().any(|scheme| text.starts_with(scheme))
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let platform: Option<Platform> = arguments
        .platform
        .as_deref()
        .map(platform_of)
        .transpose()
        .map_err(Failure::usage)?;
    let stands = |path: &Path| Stands::at(&context.environment.resolve(path));
    let named = arguments.images.iter().chain(&arguments.against);
    for name in named.filter(|text| may_name_a_registry(text)) {
        refuse_login(name).map_err(Failure::usage)?;
    }
    let parse = |text: &String| parse_on_disk(text, stands);
    let named: Result<Vec<ImageSpec>, _> = arguments.images.iter().map(parse).collect();
    let images = named.map_err(Failure::usage)?;
    let options = Options {
        insecure: arguments.insecure.hosts()?,
        listener: context.listener(),
        ..Options::default()
    };
    let mut desk = Desk {
        context,
        sources: Sources::new(
            &context.environment,
            context.clock.clone(),
            &context.interrupt,
            options,
        ),
        wanted: Wanted { platform },
        format: arguments.format,
        warnings: BTreeSet::new(),
        failures: Vec::new(),
    };
    let result = match &arguments.against {
        Some(old) => {
            let old = parse(old).map_err(Failure::usage)?;
            let [new] = images.as_slice() else {
                return Err(Failure::usage(Several(images.len())));
            };
            desk.compare(new, &old)
        }
        None if arguments.verify => desk.verify(&images, arguments.strict),
        None => desk.describe(&images, arguments.files),
    };
    let warnings = desk.sources.warnings();
    for warning in warnings.into_iter().chain(desk.warnings) {
        context.console.report(Event::Warning(warning));
    }
    let result = result?;
    let Some(first) = desk.failures.first() else {
        return Ok(result);
    };
    let exit = first.exit;
    for failure in desk
        .failures
        .iter()
        .filter_map(|failure| failure.error.as_ref())
    {
        context.console.error(&**failure);
    }
    Err(Failure { error: None, exit })
}

/// A platform that images are built for, or any other that somebody's image may be for: `OS/PROCESSOR`, and
/// a variant behind it.
fn platform_of(text: &str) -> Result<Platform, UnknownPlatform> {
    text.parse().or_else(|unknown| {
        let parts: Vec<&str> = text.split('/').collect();
        let is_word =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match parts.as_slice() {
            [os, architecture, variant @ ..] if variant.len() < 2 && parts.iter().all(is_word) => {
                Ok(Platform {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: variant.first().map(|variant| (*variant).to_owned()),
                })
            }
            _ => Err(unknown),
        }
    })
}

/// All that the three ways to look at images have in common.
struct Desk<'a> {
    context: &'a Context,
    sources: Sources,
    wanted: Wanted,
    format: Format,
    /// Told once, however many images share a layer.
    warnings: BTreeSet<String>,
    /// Why images could not be read, while others could.
    failures: Vec<Failure>,
}

impl Desk<'_> {
    fn describe(&mut self, images: &[ImageSpec], files: usize) -> Result<Exit, Failure> {
        let interrupt = self.context.interrupt.clone();
        let mut inspector = Inspector::new(&interrupt, files);
        let mut sources = Vec::new();
        let mut inspected = Vec::new();
        for image in images {
            let read = self.inspect(&mut inspector, image);
            if let Some((source, image)) = self.unless_failed(read)? {
                sources.push(source);
                inspected.push(image);
            }
        }
        if inspected.is_empty() {
            return Ok(Exit::Success);
        }
        share(&mut inspected, &sources);
        let text = match self.format {
            Format::Text => {
                let texts: Vec<String> = inspected
                    .iter()
                    .map(|image| image.report.to_text(self.page()))
                    .collect();
                texts.join("\n")
            }
            Format::Json => json(&Reports {
                version: 1,
                images: inspected.iter().map(|image| &image.report).collect(),
            })?,
        };
        self.print(&text)?;
        Ok(Exit::Success)
    }

    fn verify(&mut self, images: &[ImageSpec], strict: bool) -> Result<Exit, Failure> {
        let mut checks = Vec::new();
        for image in images {
            self.announce("Checking", image);
            let verified = verify(&mut self.sources, image, &self.wanted, strict);
            self.context.console.report(Event::Read);
            let verified = verified.map_err(Failure::of_inspection);
            checks.extend(self.unless_failed(verified)?);
        }
        if checks.is_empty() {
            return Ok(Exit::Success);
        }
        let text = match self.format {
            Format::Text => checks.iter().map(Verified::to_text).collect(),
            Format::Json => json(&Checks {
                version: 1,
                images: &checks,
            })?,
        };
        self.print(&text)?;
        let sound = checks.iter().all(Verified::is_sound);
        Ok(if sound {
            Exit::Success
        } else {
            Exit::Difference
        })
    }

    fn compare(&mut self, new: &ImageSpec, old: &ImageSpec) -> Result<Exit, Failure> {
        let interrupt = self.context.interrupt.clone();
        let mut inspector = Inspector::new(&interrupt, 0);
        let (_, new) = self.inspect(&mut inspector, new)?;
        let (_, old) = self.inspect(&mut inspector, old)?;
        let differences = compare(&new, &old);
        let (image, against) = (&new.report.reference, &old.report.reference);
        let text = match self.format {
            Format::Text => differences_text(image, against, &differences, self.page()),
            Format::Json => json(&Comparison {
                version: 1,
                image,
                against,
                differences: &differences,
            })?,
        };
        self.print(&text)?;
        Ok(if differences.is_empty() {
            Exit::Success
        } else {
            Exit::Difference
        })
    }

    fn inspect(
        &mut self,
        inspector: &mut Inspector<'_>,
        image: &ImageSpec,
    ) -> Result<(ImageSource, Inspected), Failure> {
        self.announce("Reading", image);
        let mut read = |sources: &mut Sources, wanted: &Wanted| {
            let source = sources.open(image, wanted)?;
            let inspected = inspector.inspect(&source)?;
            Ok((source, inspected))
        };
        let read = read(&mut self.sources, &self.wanted);
        self.context.console.report(Event::Read);
        let (source, inspected) = read.map_err(Failure::of_inspection)?;
        self.warnings.extend(inspected.warnings.iter().cloned());
        Ok((source, inspected))
    }

    /// What came of an image; where that is nothing, it is told after the others, unless someone said stop.
    fn unless_failed<T>(&mut self, read: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(failure) if self.context.interrupt.received().is_some() => Err(failure),
            Err(failure) => {
                self.failures.push(failure);
                Ok(None)
            }
        }
    }

    fn page(&self) -> Page {
        Page::new(self.context.columns)
    }

    fn announce(&mut self, verb: &'static str, image: &ImageSpec) {
        self.context.console.report(Event::Status {
            verb,
            subject: format!("`{image}`"),
        });
        self.context.console.report(Event::Reading {
            image: image.to_string(),
            meter: self.sources.count_anew(),
        });
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        let printed = self.context.console.data(text);
        printed.map_err(|error| Failure::failed(StreamError(error)))
    }
}

fn json(document: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(document).map_err(std::io::Error::other);
    Ok(text.map_err(|error| Failure::failed(StreamError(error)))? + "\n")
}

impl Failure {
    /// An image that cannot be looked into; a name without an image is a wrong name.
    fn of_inspection(error: InspectError) -> Self {
        match error {
            InspectError::Source(SourceError::Unknown(_)) => Self::usage(error),
            InspectError::Source(SourceError::Registry(error)) => Self::of_registry(error),
            other => Self::failed(other),
        }
    }
}
