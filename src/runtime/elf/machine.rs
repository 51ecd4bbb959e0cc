//! Processors: how ELF files, loaders and Debian's directories name them.

use super::file::ElfFile;
use crate::oci::Platform;

/// A processor that images are built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// `e_machine`.
    number: u16,
    wide: bool,
    little_endian: bool,
    /// Debian's multiarch directory below `/lib` and `/usr/lib`.
    pub(crate) multiarch: &'static str,
    /// What `$PLATFORM` in a search path stands for on the oldest processor of the kind.
    pub(crate) baseline: &'static str,
}

/// Go's name with the processor; of two rows for one name, the variant decides.
const MACHINES: &[(&str, Machine)] = &[
    (
        "amd64",
        machine(62, true, true, "x86_64-linux-gnu", "x86_64"),
    ),
    ("386", machine(3, false, true, "i386-linux-gnu", "i686")),
    (
        "arm64",
        machine(183, true, true, "aarch64-linux-gnu", "aarch64"),
    ),
    (
        "arm/v5",
        machine(40, false, true, "arm-linux-gnueabi", "v5l"),
    ),
    (
        "arm/v6",
        machine(40, false, true, "arm-linux-gnueabihf", "v6l"),
    ),
    (
        "arm",
        machine(40, false, true, "arm-linux-gnueabihf", "v7l"),
    ),
    (
        "riscv64",
        machine(243, true, true, "riscv64-linux-gnu", "riscv64"),
    ),
    (
        "ppc64le",
        machine(21, true, true, "powerpc64le-linux-gnu", "power8"),
    ),
    ("s390x", machine(22, true, false, "s390x-linux-gnu", "z900")),
    (
        "loong64",
        machine(258, true, true, "loongarch64-linux-gnu", "loongarch64"),
    ),
];

const fn machine(
    number: u16,
    wide: bool,
    little_endian: bool,
    multiarch: &'static str,
    baseline: &'static str,
) -> Machine {
    Machine {
        number,
        wide,
        little_endian,
        multiarch,
        baseline,
    }
}

impl Machine {
    /// The processor of `platform`, where it is known and the system is Linux.
    pub(crate) fn of(platform: &Platform) -> Option<Self> {
        if platform.os != "linux" {
            return None;
        }
        let exact = platform
            .variant
            .as_ref()
            .map(|variant| format!("{}/{variant}", platform.architecture));
        [exact.as_deref(), Some(&*platform.architecture)]
            .into_iter()
            .flatten()
            .find_map(|wanted| MACHINES.iter().find(|(name, _)| *name == wanted))
            .map(|(_, machine)| machine.clone())
    }

    /// Whether `file` is for this processor.
    pub(crate) fn matches(&self, file: &ElfFile) -> bool {
        (file.machine, file.wide, file.little_endian)
            == (self.number, self.wide, self.little_endian)
    }

    /// The processor in words.
    pub(crate) fn description(&self) -> String {
        Self::describe(self.number, self.wide, self.little_endian)
    }

    /// A processor in words: `x86-64 (64-bit, little-endian)`.
    pub(crate) fn describe(number: u16, wide: bool, little_endian: bool) -> String {
        let name = match number {
            3 => "x86".to_owned(),
            8 => "MIPS".to_owned(),
            20 => "32-bit PowerPC".to_owned(),
            21 => "PowerPC".to_owned(),
            22 => "IBM Z".to_owned(),
            40 => "32-bit Arm".to_owned(),
            62 => "x86-64".to_owned(),
            183 => "64-bit Arm".to_owned(),
            243 => "RISC-V".to_owned(),
            247 => "BPF".to_owned(),
            258 => "LoongArch".to_owned(),
            other => format!("ELF machine {other}"),
        };
        let bits = if wide { "64-bit" } else { "32-bit" };
        let order = if little_endian { "little" } else { "big" };
        format!("{name} ({bits}, {order}-endian)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_that_images_are_built_for_has_a_machine() {
        for name in [
            "amd64", "386", "arm64", "arm", "arm/v6", "arm/v7", "riscv64", "ppc64le", "s390x",
            "loong64",
        ] {
            let platform: Platform = format!("linux/{name}").parse().expect("known");
            assert!(Machine::of(&platform).is_some(), "{name}");
        }
        let foreign = Platform {
            os: "freebsd".to_owned(),
            ..Platform::linux("amd64")
        };
        assert_eq!(Machine::of(&foreign), None);
    }

    #[test]
    fn the_variant_decides_between_arms() {
        let multiarch = |name: &str| {
            let platform: Platform = name.parse().expect("known");
            Machine::of(&platform).map(|machine| machine.multiarch)
        };
        let soft = Platform::of_target("armv5te-unknown-linux-gnueabi").expect("known");
        let multiarch_of_soft = Machine::of(&soft).map(|machine| machine.multiarch);
        assert_eq!(multiarch_of_soft, Some("arm-linux-gnueabi"));
        assert_eq!(multiarch("linux/arm/v7"), Some("arm-linux-gnueabihf"));
    }
}
