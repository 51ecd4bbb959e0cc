//! cargo and rustc themselves, without which nothing can be asked.

use super::finding::Finding;
use crate::cargo::{Cargo, CargoError, Configuration, Toolchain};
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
        CargoError::Program(ProgramError::Start { .. }) => {
            let hint = "then run `rustup default stable`; https://rustup.rs has other ways";
            Some(finding.packages(&RUSTUP).hint(Some(hint.to_owned())))
        }
        CargoError::Failed { .. } => {
            let hint = "where rustup has no toolchain, run `rustup default stable`, or `rustup toolchain install` for \
                        a `rust-toolchain.toml`";
            Some(finding.hint(error.hint().or(Some(hint.to_owned()))))
        }
        _ => None,
    }
}
