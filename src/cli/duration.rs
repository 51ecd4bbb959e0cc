//! A length of time as people type it: `90`, `90s`, `10m`, `2h`.

use std::str::FromStr;
use std::time::Duration;

/// Some whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Duration);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write a number of seconds, or for example `90s`, `10m` or `1h30m`";
        match seconds(text).ok_or(WRONG)? {
            0 => Err("there must be at least one second"),
            seconds => Ok(Self(Duration::from_secs(seconds))),
        }
    }
}

/// Hours, minutes and seconds, each at most once and the larger ones first; a number alone is one of seconds.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum: u64 = 0;
    for (unit, seconds) in [('h', 60 * 60), ('m', 60), ('s', 1)] {
        if let Some((count, after)) = rest.split_once(unit) {
            sum = sum.checked_add(number(count)?.checked_mul(seconds)?)?;
            rest = after;
        }
    }
    if rest.len() == text.len() {
        return number(rest);
    }
    rest.is_empty().then_some(sum)
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_seconds_minutes_and_hours() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("10m", 600),
            ("2h", 7200),
            ("1h30m", 5400),
            ("1h0m5s", 3605),
        ] {
            let parsed = text.parse::<Seconds>().expect("legal");
            assert_eq!(parsed.0, Duration::from_secs(seconds), "{text}");
        }
        for text in [
            "",
            "s",
            "0",
            "0m",
            "-1",
            "+1",
            "1d",
            "1.5m",
            "1 m",
            "30m1h",
            "1h30",
            "1m1m",
            "hm",
            "0h0s",
            "ä",
            "99999999999999999h",
        ] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(text in ".*") {
            let _ = text.parse::<Seconds>();
        }
    }
}
