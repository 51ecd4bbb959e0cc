//! cargo and rustc themselves, without which nothing can be asked.

use super::finding::Finding;
use crate::cargo::{Cargo, CargoError, Configuration, RUSTC_VARIABLES, Toolchain};
use crate::hint::{Hint as _, Packages};
use crate::process::ProgramError;
use crate::report::with_causes;

const RUSTUP: Packages<'static> = Packages {
    debian: "rustup",
    alpine: "rustup",
    fedora: "rustup",
    homebrew: "rustup",
};

/// What keeps cargo or rustc from answering at all; `None` where they do, or where something else is wrong.
pub fn rust(cargo: &Cargo) -> Option<Finding> {
    let asked = Cargo::answer(cargo.command("version"))
        .and_then(|_| Configuration::read(cargo.environment()))
        .and_then(|configuration| Toolchain::ask(cargo, &configuration, None));
    let error = asked.err()?;
    let finding = Finding::new(with_causes(&error).join(": "));
    let finding = finding.because("nothing can be found out without it");
    match &error {
        CargoError::Program(ProgramError::Start { .. }) if named(cargo).is_some() => {
            let name = named(cargo).unwrap_or_default();
            let hint =
                format!("name a compiler that is there in {name}, or unset it to use rustup's");
            Some(finding.hint(Some(hint)))
        }
        CargoError::Program(ProgramError::Start { .. }) => {
            let hint = "then run `rustup default stable`; https://rustup.rs has other ways";
            Some(finding.packages(&RUSTUP).hint(Some(hint.to_owned())))
        }
        CargoError::Failed { .. } => {
            let hint = match cargo.environment().get("RUSTUP_TOOLCHAIN") {
                Some(name) => format!(
                    "where rustup has no toolchain `{name}`, run `rustup toolchain install {name}`, or unset \
                     RUSTUP_TOOLCHAIN"
                ),
                None => "where rustup has no toolchain, run `rustup default stable`, or `rustup toolchain install` \
                         for a `rust-toolchain.toml`"
                    .to_owned(),
            };
            Some(finding.hint(error.hint().or(Some(hint))))
        }
        _ => None,
    }
}

/// The variable that names a compiler which is not there.
fn named(cargo: &Cargo) -> Option<&'static str> {
    let environment = cargo.environment();
    let mut set = RUSTC_VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, environment.get(name)?)));
    let (name, value) = set.next()?;
    environment.find_program(value).is_none().then_some(name)
}
