//! What of this machine decides an executable, beside its sources.

use std::path::PathBuf;

use super::{CompileError, linker};
use crate::cargo::{Cargo, Configuration, Toolchain, user_flags};
use crate::plan::Plan;

/// Compiler, flags and linker for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `rustc -vV`, its lines joined.
    pub compiler: String,
    /// The user's flags, which stand in cargo's configuration or the environment; the workspace's root
    /// is written `{workspace}` in them, wherever the checkout is.
    pub flags: Vec<String>,
    /// The programs that link, where they can be found.
    pub linkers: Vec<PathBuf>,
}

/// Asks the compiler of the workspace about `target`, with or without the glibc version that zigbuild
/// understands. Nothing need be installed for it.
///
/// # Errors
/// [`CompileError`] when there is no compiler, or it does not know the target.
pub fn identify(cargo: &Cargo, plan: &Plan, target: &str) -> Result<Identity, CompileError> {
    let cargo = cargo.at(&plan.workspace_root);
    let environment = cargo.environment();
    let configuration = Configuration::read(environment)?;
    let target = target.split('.').next().unwrap_or(target);
    let toolchain = Toolchain::ask(&cargo, &configuration, Some(target))?;
    let flags = user_flags(&configuration, environment, &toolchain, target);
    let root = plan.workspace_root.to_string_lossy().into_owned();
    let configured = linker::configured(environment, &configuration, &toolchain, target);
    let names = match configured {
        Some(linker) => vec![linker],
        None => vec![PathBuf::from("cc"), PathBuf::from("ld")],
    };
    let linkers = names
        .iter()
        .filter_map(|name| environment.find_program(name))
        .map(|path| path.canonicalize().unwrap_or(path));
    Ok(Identity {
        compiler: toolchain.version.lines().collect::<Vec<_>>().join("; "),
        flags: flags
            .words
            .iter()
            .map(|word| word.replace(&root, "{workspace}"))
            .collect(),
        linkers: linkers.collect(),
    })
}
