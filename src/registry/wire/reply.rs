//! An answer, with its body already read up to a limit.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url};

use crate::digest::Digest;
use crate::registry::words::redaction::Secrets;
use crate::report::printable;

const MAX_ENCODING: usize = 40;

/// What a server answered.
#[derive(Debug)]
pub(in crate::registry) struct Reply {
    /// The status.
    pub(in crate::registry) status: StatusCode,
    /// The headers.
    pub(in crate::registry) headers: HeaderMap,
    /// The body, as much of it as was wanted.
    pub(in crate::registry) body: Vec<u8>,
    /// Where the request went.
    pub(in crate::registry) url: Url,
    /// The `Authorization` the request had; no message may repeat it.
    pub(in crate::registry) sent: Option<HeaderValue>,
    /// The number of the upload that it opened, if that is ours to close.
    pub(in crate::registry) opened: Option<u64>,
}

impl Reply {
    /// Whether the status is any 2xx: servers differ in which one they use.
    pub(in crate::registry) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// A header's value where it is text.
    pub(in crate::registry) fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The digest that a registry says the content has. It may be anything, also a secret sent back.
    pub(in crate::registry) fn content_digest(&self) -> Option<String> {
        let value = self.headers.get("docker-content-digest")?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The same as a digest, where it is one, also in capitals.
    pub(in crate::registry) fn digest(&self) -> Option<Digest> {
        let text = self.content_digest()?;
        text.to_ascii_lowercase().parse().ok()
    }

    /// How the body is packed, where that is not as it is. Nobody asks for it.
    pub(in crate::registry) fn encoding(&self) -> Option<String> {
        let value = self.text(&CONTENT_ENCODING)?.trim();
        let packed = !value.is_empty() && !value.eq_ignore_ascii_case("identity");
        packed.then(|| printable(value).chars().take(MAX_ENCODING).collect())
    }

    /// What the request held that no message may repeat: its permit, and of its query all but what is
    /// known to be harmless, since upload sessions and stores of objects keep their signatures there.
    pub(in crate::registry) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(permit) = &self.sent {
            secrets.keep_permit(permit);
        }
        for secret in Secrets::of_query(&self.url) {
            secrets.keep(&secret);
        }
        secrets
    }

    /// How long the server asks to wait before the next attempt: seconds or a date (RFC 9110,
    /// 10.2.3). A date counts from the server's own `Date`, since clocks differ, and from our time
    /// where it has none.
    pub(in crate::registry) fn retry_after(&self) -> Option<Duration> {
        let value = self.text(&RETRY_AFTER)?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(value).ok()?;
        let theirs = self
            .text(&DATE)
            .and_then(|date| httpdate::parse_http_date(date).ok());
        let now = theirs.unwrap_or_else(SystemTime::now);
        Some(until.duration_since(now).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asking(retry_after: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(retry_after).expect("a header");
        headers.insert(RETRY_AFTER, value);
        let date = HeaderValue::from_static("Wed, 21 Oct 2015 07:28:00 GMT");
        headers.insert(DATE, date);
        let reply = Reply {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers,
            body: Vec::new(),
            url: Url::parse("http://localhost/").expect("an URL"),
            sent: None,
            opened: None,
        };
        reply.retry_after()
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(asking("7"), Some(Duration::from_secs(7)));
        let date = "Wed, 21 Oct 2015 07:28:30 GMT";
        assert_eq!(asking(date), Some(Duration::from_secs(30)));
        assert_eq!(asking("soon"), None);
        assert_eq!(asking("-1"), None);
    }

    /// What is left of a text that repeats an address to which a permit was shown.
    fn told(url: &str, text: &str) -> String {
        let reply = Reply {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Vec::new(),
            url: Url::parse(url).expect("an URL"),
            sent: Some(HeaderValue::from_static("Bearer abcd")),
            opened: None,
        };
        crate::registry::words::redaction::fit_to_print(text, &reply.secrets())
    }

    #[test]
    fn a_permit_and_the_state_of_an_upload_are_secret() {
        let url = "https://h/x?&_state=a%2Bb%3Dc1234&n=5&digest=sha256:1&short=1";
        for secret in [
            "abcd",
            "YWJjZA",
            "_state=a%2Bb%3Dc1234",
            "a%2Bb%3Dc1234",
            "a+b=c1234",
            "short=1",
        ] {
            assert_eq!(told(url, &format!("no {secret}!")), "no …!", "{secret}");
        }
        for harmless in ["n=5", "digest=sha256:1", "short 1"] {
            assert_eq!(told(url, harmless), harmless);
        }
        assert_eq!(told("https://h/x", "no abcd"), "no …");
    }

    proptest! {
        #[test]
        fn any_retry_after_is_read_without_a_panic(
            value in prop::collection::vec(any::<u8>(), 0..40),
            date in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let _ = crate::registry::foreign::retry_after(&value, &date);
        }

        #[test]
        fn seconds_are_taken_as_they_are(seconds in any::<u64>()) {
            prop_assert_eq!(asking(&seconds.to_string()), Some(Duration::from_secs(seconds)));
        }

        #[test]
        fn a_date_counts_from_the_date_of_the_server(at in 0_u64..4_000_000_000, wait in 0_u64..100_000) {
            let date = |seconds| {
                let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
                httpdate::fmt_http_date(moment).into_bytes()
            };
            let (now, then) = (date(at), date(at + wait));
            let asked = crate::registry::foreign::retry_after(&then, &now);
            prop_assert_eq!(asked, Some(Duration::from_secs(wait)));
            prop_assert_eq!(crate::registry::foreign::retry_after(&now, &then), Some(Duration::ZERO));
        }

        #[test]
        fn near_dates_are_read_without_a_panic(
            text in "(Mon|Wed|Sun)?,? ?[0-9]{0,3} (Jan|Feb|Dec)? ?[0-9]{0,5} [0-9]{0,2}:[0-9]{0,2}:[0-9]{0,2} ?(GMT)?",
        ) {
            let _ = asking(&text);
        }
    }
}
