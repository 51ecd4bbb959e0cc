//! Time as images write it.

use super::ImageError;

const SECONDS_PER_DAY: u64 = 86_400;
/// The last second of the year 9999; RFC 3339 has four digits for the year.
const LAST_SECOND: u64 = 253_402_300_799;

/// `seconds` since 1970 as RFC 3339 in UTC: `1970-01-01T00:00:00Z`.
///
/// # Errors
/// [`ImageError::Time`] after the year 9999.
pub fn rfc3339(seconds: u64) -> Result<String, ImageError> {
    if seconds > LAST_SECOND {
        return Err(ImageError::Time { seconds });
    }
    let (days, second) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
    // Years begin in March and days are counted from the year 0, so that the leap day is a year's
    // last day and 400 years are one era (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Ok(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

/// Whether a text is a moment as RFC 3339 has it (section 5.6, `date-time`).
pub(super) fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0, |number: u32, digit| {
            let is_digit = digit.is_ascii_digit();
            is_digit.then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let is_in = |from: usize, range: std::ops::RangeInclusive<u32>| {
        number(from, from + 2).is_some_and(|number| range.contains(&number))
    };
    let is = |at: usize, letters: &[u8]| bytes.get(at).is_some_and(|byte| letters.contains(byte));
    let (Some(year), Some(month)) = (number(0, 4), number(5, 7)) else {
        return false;
    };
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    let is_date = is(4, b"-") && is(7, b"-") && is_in(8, 1..=days);
    // A leap second is the sixtieth.
    let is_time = is(10, b"Tt") && is_in(11, 0..=23) && is(13, b":") && is_in(14, 0..=59);
    let is_time = is_time && is(16, b":") && is_in(17, 0..=60);
    let mut zone = 19;
    if is(zone, b".") {
        let digits = bytes[zone + 1..].iter();
        let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return false;
        }
        zone += 1 + count;
    }
    let is_utc = is(zone, b"Zz") && bytes.len() == zone + 1;
    let is_offset = is(zone, b"+-")
        && is_in(zone + 1, 0..=23)
        && is(zone + 3, b":")
        && is_in(zone + 4, 0..=59)
        && bytes.len() == zone + 6;
    is_date && is_time && (is_utc || is_offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (8_589_934_591, "2242-03-16T12:56:31Z"),
            (LAST_SECOND, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds).expect("in range"), text);
        }
        assert!(rfc3339(LAST_SECOND + 1).is_err());
        assert!(rfc3339(u64::MAX).is_err());
    }

    #[test]
    fn moments_of_others_are_told_from_other_texts() {
        for text in [
            "2020-01-02T03:04:05Z",
            "0001-01-01T00:00:00Z",
            "2020-02-29t23:59:60.123456789+05:30",
            "2020-01-02T03:04:05.1-00:00",
        ] {
            assert!(is_rfc3339(text), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2020-01-02",
            "2020-01-02 03:04:05Z",
            "2020-01-02T03:04:05",
            "2021-02-29T03:04:05Z",
            "2020-13-01T03:04:05Z",
            "2020-01-02T24:04:05Z",
            "2020-01-02T03:04:05.Z",
            "2020-01-02T03:04:05+0530",
            "2020-01-02T03:04:05Zz",
            "\u{661}020-01-02T03:04:05Z",
        ] {
            assert!(!is_rfc3339(text), "{text}");
        }
    }

    fn is_leap(year: u64) -> bool {
        year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
    }

    /// Days before the date, counted the long way.
    fn days_before(year: u64, month: u64, day: u64) -> u64 {
        let whole_years: u64 = (1970..year)
            .map(|year| 365 + u64::from(is_leap(year)))
            .sum();
        let lengths = [
            31,
            28 + u64::from(is_leap(year)),
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        let months = usize::try_from(month - 1).expect("small");
        whole_years + lengths[..months].iter().sum::<u64>() + day - 1
    }

    proptest! {
        #[test]
        fn any_text_is_a_moment_or_none_without_a_panic(text in "[-0-9TZ:.+\u{e9}]{0,30}") {
            let _ = is_rfc3339(&text);
        }

        #[test]
        fn what_is_written_is_a_moment(seconds in 0..=LAST_SECOND) {
            prop_assert!(is_rfc3339(&rfc3339(seconds).expect("in range")));
        }

        #[test]
        fn the_calendar_leads_back(seconds in 0..=LAST_SECOND) {
            let text = rfc3339(seconds).expect("in range");
            prop_assert_eq!(text.len(), 20);
            let field = |from: usize, to: usize| text[from..to].parse::<u64>().expect("digits");
            let days = days_before(field(0, 4), field(5, 7), field(8, 10));
            let of_day = field(11, 13) * 3600 + field(14, 16) * 60 + field(17, 19);
            prop_assert_eq!(days * SECONDS_PER_DAY + of_day, seconds);
        }
    }
}
