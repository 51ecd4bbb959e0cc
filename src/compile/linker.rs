//! Whether something here can link for a target.

use std::path::PathBuf;

use super::CompileError;
use crate::cargo::{Configuration, Toolchain, UserFlags, target_variable};
use crate::process::Environment;

/// Checks for a linker before anything is compiled: an hour of compiling must not end with it missing.
pub(super) fn check(
    environment: &Environment,
    configuration: &Configuration,
    toolchain: &Toolchain,
    flags: &UserFlags,
    target: &str,
) -> Result<(), CompileError> {
    let missing = |linker: String, chosen| CompileError::LinkerMissing {
        linker,
        target: target.to_owned(),
        chosen,
    };
    match configured(environment, configuration, toolchain, target) {
        Some(linker) if environment.find_program(&linker).is_some() => Ok(()),
        Some(linker) => Err(missing(linker.display().to_string(), true)),
        // Flags may name a linker too; rustc has the last word on those.
        None if flags.words.iter().any(|flag| flag.contains("linker=")) => Ok(()),
        None if !links_for_itself(&toolchain.host, target) => Err(CompileError::NoLinker {
            target: target.to_owned(),
            host: toolchain.host.clone(),
        }),
        None if environment.find_program("cc").is_none() => Err(missing("cc".to_owned(), false)),
        None => Ok(()),
    }
}

/// The linker the user chose for the target.
pub(super) fn configured(
    environment: &Environment,
    configuration: &Configuration,
    toolchain: &Toolchain,
    target: &str,
) -> Option<PathBuf> {
    let of_table = |name: &str| configuration.path(&["target", name, "linker"]);
    let from_environment = environment
        .os(&target_variable(target, "LINKER"))
        .map(PathBuf::from);
    from_environment.or_else(|| of_table(target)).or_else(|| {
        let tables = configuration.matching_tables(&toolchain.cfgs);
        tables.iter().find_map(|name| of_table(name))
    })
}

/// Whether the machine's own `cc` makes executables for the target: the same processor under Linux.
fn links_for_itself(host: &str, target: &str) -> bool {
    let processor = |triple: &str| triple.split('-').next().unwrap_or_default().to_owned();
    host.contains("-linux-") && processor(host) == processor(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::user_flags;

    fn check_here(
        host: &str,
        target: &str,
        variables: &[(&str, &str)],
    ) -> Result<(), CompileError> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = Environment::new("/", variables);
        let toolchain = Toolchain {
            host: host.to_owned(),
            ..Toolchain::default()
        };
        let configuration = Configuration::default();
        let flags = user_flags(&configuration, &environment, &toolchain, target);
        check(&environment, &configuration, &toolchain, &flags, target)
    }

    const X86: &str = "x86_64-unknown-linux-gnu";
    const ARM: &str = "aarch64-unknown-linux-gnu";

    #[test]
    fn another_processor_or_system_needs_a_linker_of_its_own() {
        assert!(matches!(
            check_here(X86, ARM, &[]),
            Err(CompileError::NoLinker { .. })
        ));
        assert!(matches!(
            check_here("aarch64-apple-darwin", ARM, &[]),
            Err(CompileError::NoLinker { .. })
        ));
        assert!(check_here(X86, X86, &[("PATH", "/usr/bin:/bin")]).is_ok());
    }

    #[test]
    fn a_configured_linker_must_exist() {
        let variable = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER";
        let missing = check_here(
            X86,
            ARM,
            &[(variable, "no-such-linker"), ("PATH", "/usr/bin")],
        );
        assert!(matches!(missing, Err(CompileError::LinkerMissing { .. })));
        assert!(check_here(X86, ARM, &[(variable, "sh"), ("PATH", "/usr/bin:/bin")]).is_ok());
    }
}
