//! Platforms, and the Rust targets they stand for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::hint::Hint;

/// Operating system and processor in Go's spelling, as images name them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Platform {
    /// Processor architecture: `amd64`, `arm64`, …
    pub architecture: String,
    /// Always `linux` on what this program writes.
    pub os: String,
    /// `v7` of `arm` and such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A target or platform that no image can be made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` stands for no platform that images are built for")]
pub struct UnknownPlatform(String);

impl Hint for UnknownPlatform {
    fn hint(&self) -> Option<String> {
        Some(
            "name a platform such as linux/amd64 or linux/arm64, or a Linux target such as \
             x86_64-unknown-linux-gnu"
                .to_owned(),
        )
    }
}

/// Processor as it begins a Rust target, with Go's architecture and variant.
const ARCHITECTURES: &[(&str, &str, Option<&str>)] = &[
    ("x86_64", "amd64", None),
    ("aarch64", "arm64", None),
    ("armv7", "arm", Some("v7")),
    ("thumbv7neon", "arm", Some("v7")),
    ("armv5te", "arm", Some("v5")),
    ("arm", "arm", Some("v6")),
    ("i686", "386", None),
    ("i586", "386", None),
    ("riscv64gc", "riscv64", None),
    ("powerpc64le", "ppc64le", None),
    ("s390x", "s390x", None),
    ("loongarch64", "loong64", None),
];

impl Platform {
    /// Linux on `architecture` (Go's spelling).
    pub fn linux(architecture: &str) -> Self {
        Self {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            variant: None,
        }
    }

    /// The platform that a Rust target's executables run on. A glibc version that zigbuild accepts
    /// after the target (`x86_64-unknown-linux-gnu.2.17`) is ignored.
    ///
    /// # Errors
    /// [`UnknownPlatform`] for anything but Linux targets of known processors.
    pub fn of_target(target: &str) -> Result<Self, UnknownPlatform> {
        let unknown = || UnknownPlatform(target.to_owned());
        let mut parts = target.split('-');
        let processor = parts.next().unwrap_or_default();
        if !parts.any(|part| part == "linux") {
            return Err(unknown());
        }
        let (_, architecture, variant) = ARCHITECTURES
            .iter()
            .find(|(name, ..)| *name == processor)
            .ok_or_else(unknown)?;
        Ok(Self {
            variant: variant.map(str::to_owned),
            ..Self::linux(architecture)
        })
    }

    /// The Rust target for this platform with the GNU C library, or with musl.
    pub fn target(&self, libc: &str) -> Option<String> {
        let processor = match (self.architecture.as_str(), self.variant.as_deref()) {
            ("arm", Some("v7") | None) => "armv7",
            ("arm", Some("v6")) => "arm",
            (architecture, _) => {
                ARCHITECTURES
                    .iter()
                    .find(|(_, go, _)| *go == architecture)?
                    .0
            }
        };
        let suffix = if self.architecture == "arm" {
            "eabihf"
        } else {
            ""
        };
        Some(format!("{processor}-unknown-linux-{libc}{suffix}"))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        self.variant
            .as_ref()
            .map_or(Ok(()), |variant| write!(formatter, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    /// Reads `linux/ARCHITECTURE[/VARIANT]`, and gives the platform that its Rust target builds for:
    /// `linux/arm64/v8` is `linux/arm64`, and variants that no target stands for are refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownPlatform(text.to_owned());
        let parts: Vec<&str> = text.split('/').collect();
        let (architecture, variant) = match parts.as_slice() {
            ["linux", architecture] => (*architecture, None),
            ["linux", architecture, variant] => (*architecture, Some((*variant).to_owned())),
            _ => return Err(unknown()),
        };
        let asked = Self {
            variant: variant.clone(),
            ..Self::linux(architecture)
        };
        let built = Self::of_target(&asked.target("gnu").ok_or_else(unknown)?)?;
        let same = variant.is_none()
            || variant == built.variant
            || (architecture == "arm64" && variant.as_deref() == Some("v8"));
        if same { Ok(built) } else { Err(unknown()) }
    }
}

/// The GNU target that images for this machine's processor are built for.
pub fn host_target() -> String {
    let processor = match std::env::consts::ARCH {
        "x86" => "i686",
        "riscv64" => "riscv64gc",
        "powerpc64" => "powerpc64le",
        "arm" => return "armv7-unknown-linux-gnueabihf".to_owned(),
        same => same,
    };
    format!("{processor}-unknown-linux-gnu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_platforms() {
        let name = |target: &str| Platform::of_target(target).map(|platform| platform.to_string());
        assert_eq!(
            name("x86_64-unknown-linux-gnu").as_deref(),
            Ok("linux/amd64")
        );
        assert_eq!(
            name("aarch64-unknown-linux-musl").as_deref(),
            Ok("linux/arm64")
        );
        assert_eq!(
            name("armv7-unknown-linux-gnueabihf").as_deref(),
            Ok("linux/arm/v7")
        );
        assert_eq!(
            name("x86_64-unknown-linux-gnu.2.17").as_deref(),
            Ok("linux/amd64")
        );
        assert!(name("x86_64-apple-darwin").is_err());
    }

    #[test]
    fn platforms_name_targets() {
        let platform: Platform = "linux/arm/v7".parse().expect("known");
        assert_eq!(
            platform.target("gnu").as_deref(),
            Some("armv7-unknown-linux-gnueabihf")
        );
        for text in [
            "linux/arm/v5",
            "linux/amd64/v3",
            "linux/amd64/banana",
            "linux/amd64/v1/x",
        ] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
        for (text, built) in [
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
        ] {
            let platform: Platform = text.parse().expect("known");
            assert_eq!(platform.to_string(), built);
        }
        assert!(Platform::of_target(&host_target()).is_ok());
        assert!("windows/amd64".parse::<Platform>().is_err());
        assert!("linux/vax".parse::<Platform>().is_err());
    }
}
