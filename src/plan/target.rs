//! Which target is meant. Never this machine's own triple as such: images run on Linux.

use super::PlanError;
use crate::oci::{Platform, host_target};

/// What the user says of targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetChoice {
    /// `--target`.
    pub target: Option<String>,
    /// `--platform`.
    pub platform: Option<Platform>,
    /// `CARGO_BUILD_TARGET`, or `build.target` of cargo's configuration.
    pub configured: Option<String>,
}

/// The target, and the platform it stands for: `--target`, then `--platform`, then
/// cargo's configured target where it is Linux, then Linux with the GNU C library on this machine's
/// processor.
///
/// # Errors
/// [`PlanError::Platform`] for a target that is not Linux.
pub(super) fn choose_target(choice: &TargetChoice) -> Result<(String, Platform), PlanError> {
    if let Some(target) = &choice.target {
        return Ok((target.clone(), Platform::of_target(target)?));
    }
    if let Some(platform) = &choice.platform
        && let Some(target) = platform.target("gnu")
    {
        return Ok((target, platform.clone()));
    }
    // A user who works on macOS may well have a target of that system configured; images are not for it.
    if let Some(target) = &choice.configured
        && let Ok(platform) = Platform::of_target(target)
    {
        return Ok((target.clone(), platform));
    }
    let target = host_target();
    let platform = Platform::of_target(&target)?;
    Ok((target, platform))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(choice: &TargetChoice) -> Result<String, PlanError> {
        choose_target(choice).map(|(target, _)| target)
    }

    #[test]
    fn the_default_is_linux_on_this_processor() {
        assert_eq!(
            chosen(&TargetChoice::default()).ok().as_deref(),
            Some(host_target().as_str())
        );
        let configured = Some("aarch64-apple-darwin".to_owned());
        let choice = TargetChoice {
            configured,
            ..TargetChoice::default()
        };
        assert_eq!(
            chosen(&choice).ok().as_deref(),
            Some(host_target().as_str())
        );
    }

    #[test]
    fn flags_win_over_configuration() {
        let choice = TargetChoice {
            platform: Some(Platform::linux("arm64")),
            configured: Some("x86_64-unknown-linux-musl".to_owned()),
            ..TargetChoice::default()
        };
        assert_eq!(
            chosen(&choice).ok().as_deref(),
            Some("aarch64-unknown-linux-gnu")
        );
        let choice = TargetChoice {
            platform: None,
            ..choice
        };
        assert_eq!(
            chosen(&choice).ok().as_deref(),
            Some("x86_64-unknown-linux-musl")
        );
        let choice = TargetChoice {
            target: Some("x86_64-pc-windows-msvc".to_owned()),
            ..TargetChoice::default()
        };
        assert!(chosen(&choice).is_err());
    }
}
