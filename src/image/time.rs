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
