//! Packages that a `RUN` installs.

use crate::adopt::paths::name;

/// Packages by what becomes of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::adopt) struct Packages {
    pub(in crate::adopt) time_zones: bool,
    /// Shared libraries, or what brings some.
    pub(in crate::adopt) libraries: Vec<String>,
    /// Everything else, but for certificates, which every image has.
    pub(in crate::adopt) others: Vec<String>,
}

impl Packages {
    pub(in crate::adopt) fn sort(names: impl IntoIterator<Item = String>) -> Self {
        const NEVER_NAMED: &[&str] = &[
            "ca-certificates",
            "ca-certificates-bundle",
            "tini",
            "dumb-init",
            "catatonit",
        ];
        const LIBRARIES: &[&str] = &[
            "openssl",
            "openssl-libs",
            "zlib",
            "zlib1g",
            "musl",
            "gcompat",
            "glibc",
            "sqlite-libs",
            "postgresql-libs",
            "mariadb-connector-c",
        ];
        let mut sorted = Self::default();
        for name in names {
            if name == "tzdata" {
                sorted.time_zones = true;
            } else if name.starts_with("lib") || LIBRARIES.contains(&name.as_str()) {
                sorted.libraries.push(name);
            } else if !NEVER_NAMED.contains(&name.as_str()) {
                sorted.others.push(name);
            }
        }
        sorted
    }
}

/// The packages that a command installs; `None` if it installs none.
pub(in crate::adopt) fn installed(words: &[String]) -> Option<Vec<String>> {
    let (program, rest) = words.split_first()?;
    let verb = match name(program) {
        "apt-get" | "apt" | "yum" | "dnf" | "microdnf" | "tdnf" | "zypper" | "aptitude" => {
            "install"
        }
        "apk" => "add",
        _ => return None,
    };
    let at = rest.iter().position(|word| word == verb)?;
    let mut names = Vec::new();
    let mut words = rest.get(at + 1..).unwrap_or_default().iter();
    while let Some(word) = words.next() {
        if matches!(
            word.as_str(),
            "-t" | "--virtual" | "-o" | "--option" | "-X" | "--repository"
        ) {
            words.next();
        } else if !word.starts_with('-') && !word.is_empty() {
            let plain = word.split(['=', '<', '>', '~']).next().unwrap_or_default();
            names.push(plain.to_owned());
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_without_versions() {
        let of = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            installed(&words)
        };
        let some = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        assert_eq!(
            of("apt-get install -y -t sid curl=7.* tzdata"),
            some(&["curl", "tzdata"])
        );
        assert_eq!(
            of("apk add --no-cache --virtual .deps gcc~=12 libgcc"),
            some(&["gcc", "libgcc"])
        );
        assert_eq!(of("apt-get update"), None);
        assert_eq!(of("pip install x"), None);
        let names = ["curl", "libssl3", "tzdata", "ca-certificates"];
        let sorted = Packages::sort(names.map(str::to_owned));
        assert!(sorted.time_zones);
        assert_eq!(
            (sorted.libraries, sorted.others),
            (vec!["libssl3".into()], vec!["curl".into()])
        );
    }
}
