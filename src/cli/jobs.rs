//! `--jobs`, as cargo reads it.

use std::num::NonZeroUsize;
use std::str::FromStr;

/// How many things may be done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jobs {
    /// `default`: as many as there are CPUs, whatever cargo's configuration says.
    Default,
    /// This many.
    Exactly(u32),
    /// All CPUs but this many.
    AllBut(u32),
}

impl Jobs {
    /// The number on a machine with `cpus`; at least one, whatever is subtracted.
    pub(super) fn count(self, cpus: NonZeroUsize) -> u32 {
        let cpus = u32::try_from(cpus.get()).unwrap_or(u32::MAX);
        match self {
            Self::Default => cpus,
            Self::Exactly(jobs) => jobs,
            Self::AllBut(spared) => cpus.saturating_sub(spared).max(1),
        }
    }
}

impl FromStr for Jobs {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "default" {
            return Ok(Self::Default);
        }
        // cargo's own range.
        match text.parse::<i32>() {
            Ok(0) => Err("there must be at least one job"),
            Ok(number) if number < 0 => Ok(Self::AllBut(number.unsigned_abs())),
            Ok(number) => Ok(Self::Exactly(number.unsigned_abs())),
            Err(_) => Err("write a number, or `default`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on_four(text: &str) -> Result<u32, &'static str> {
        let four = NonZeroUsize::new(4).expect("not zero");
        text.parse::<Jobs>().map(|jobs| jobs.count(four))
    }

    #[test]
    fn default_and_negative_numbers_are_what_they_are_for_cargo() {
        assert_eq!(on_four("default"), Ok(4));
        assert_eq!(on_four("9"), Ok(9));
        assert_eq!(on_four("-1"), Ok(3));
        assert_eq!(on_four("-4"), Ok(1));
        assert_eq!(on_four("-2147483648"), Ok(1));
        for wrong in ["0", "-0", "2147483648", "Default", "", "1.5", "all"] {
            assert!(on_four(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_gives_at_least_one_job_or_none(text in "-?[0-9]{1,12}|.*", cpus: usize) {
            let cpus = NonZeroUsize::new(cpus).unwrap_or(NonZeroUsize::MIN);
            if let Ok(jobs) = text.parse::<Jobs>() {
                prop_assert!(jobs.count(cpus) >= 1);
            }
        }
    }
}
