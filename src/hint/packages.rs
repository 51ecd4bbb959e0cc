//! Package managers, and how each is told to install something.

/// A family of systems with one package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// Debian, Ubuntu and their kin.
    Debian,
    /// Alpine and its kin.
    Alpine,
    /// Fedora, Red Hat Enterprise Linux and their kin.
    Fedora,
    /// macOS with Homebrew.
    MacOs,
}

impl System {
    /// All that the program has words for, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Debian, Self::Alpine, Self::Fedora, Self::MacOs];

    /// By `ID` and `ID_LIKE` of os-release(5); `None` where it is none that is known.
    pub fn of_release(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim_matches(['"', '\'', ' ']))
        };
        let own = value("ID=").unwrap_or_default();
        let like = value("ID_LIKE=").unwrap_or_default();
        std::iter::once(own)
            .chain(like.split_whitespace())
            .find_map(|id| match id {
                "debian" | "ubuntu" => Some(Self::Debian),
                "alpine" => Some(Self::Alpine),
                "fedora" | "rhel" | "centos" => Some(Self::Fedora),
                _ => None,
            })
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debian => "Debian",
            Self::Alpine => "Alpine",
            Self::Fedora => "Fedora",
            Self::MacOs => "macOS",
        }
    }

    fn installer(self) -> &'static str {
        match self {
            Self::Debian => "apt-get install",
            Self::Alpine => "apk add",
            Self::Fedora => "dnf install",
            Self::MacOs => "brew install",
        }
    }
}

/// What to install on each system, separated by spaces; empty where it has no such package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Packages<'a> {
    /// For `apt-get`.
    pub debian: &'a str,
    /// For `apk`.
    pub alpine: &'a str,
    /// For `dnf`.
    pub fedora: &'a str,
    /// For `brew`.
    pub homebrew: &'a str,
}

impl Packages<'_> {
    /// What to type on each system that has the packages.
    pub fn commands(&self) -> Vec<(System, String)> {
        let of_system = |system| match system {
            System::Debian => self.debian,
            System::Alpine => self.alpine,
            System::Fedora => self.fedora,
            System::MacOs => self.homebrew,
        };
        let present = System::ALL
            .into_iter()
            .map(|system| (system, of_system(system)))
            .filter(|(_, packages)| !packages.is_empty());
        present
            .map(|(system, packages)| (system, format!("{} {packages}", system.installer())))
            .collect()
    }

    /// The same as a part of a sentence: `` `apt-get install gcc` on Debian, `apk add gcc` on Alpine ``.
    pub fn sentence(&self) -> String {
        let commands = self.commands();
        let words = commands
            .iter()
            .map(|(system, command)| format!("`{command}` on {}", system.name()));
        words.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_without_a_package_are_left_out() {
        let packages = Packages {
            debian: "gcc libc6-dev",
            fedora: "gcc",
            ..Packages::default()
        };
        assert_eq!(
            packages.sentence(),
            "`apt-get install gcc libc6-dev` on Debian, `dnf install gcc` on Fedora"
        );
    }
}
