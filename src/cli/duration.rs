//! A length of time as people type it: `90`, `90s`, `10m`, `2h`.

use std::str::FromStr;
use std::time::Duration;

/// Some whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Duration);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write a number of seconds, or for example `90s`, `10m` or `2h`";
        let (number, unit) = match text.char_indices().last() {
            Some((last, 's')) => (&text[..last], 1),
            Some((last, 'm')) => (&text[..last], 60),
            Some((last, 'h')) => (&text[..last], 60 * 60),
            _ => (text, 1),
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u64>().ok().filter(|_| is_number);
        match number.and_then(|number| number.checked_mul(unit)) {
            Some(0) => Err("there must be at least one second"),
            Some(seconds) => Ok(Self(Duration::from_secs(seconds))),
            None => Err(WRONG),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_seconds_minutes_and_hours() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200)] {
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
