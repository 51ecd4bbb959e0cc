//! Why a request got no answer, read from the error chains of the network libraries.

use std::error::Error;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::error::{Attempt, Cause, ProxyTrouble, RegistryError};
use crate::report::printable;

/// How the TLS library begins to tell what the other side ended a connection with.
pub(in crate::registry) const ALERT: &str = "received fatal alert: ";
/// Alerts by which a server says that it wants another certificate than it was shown, or any at all. What is about
/// its own certificate it does not tell in this way.
const OF_CERTIFICATES: [&str; 9] = [
    "AccessDenied",
    "BadCertificate",
    "CertificateExpired",
    "CertificateRequired",
    "CertificateRevoked",
    "CertificateUnknown",
    "HandshakeFailure",
    "UnknownCA",
    "UnsupportedCertificate",
];

/// The last second of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// A request without an answer.
#[derive(Debug)]
pub(in crate::registry) enum Failure {
    /// Nobody listens, or the name is unknown.
    Unreachable(Cause),
    /// The proxy that this variable names did not lead there.
    Proxy(&'static str, ProxyTrouble, Cause),
    /// TLS failed.
    Tls(Cause),
    /// Plain HTTP was answered by something else.
    NotHttp,
    /// The answer begins as HTTP does, and its head has no end.
    HeadTooLarge,
    /// No answer within this time.
    TimedOut(Duration),
    /// The connection broke.
    Lost(Cause),
    /// The answer is larger than its kind may be.
    TooMuch(usize),
    /// The answer announces another size than its content has to have.
    OtherSize {
        /// What is announced.
        announced: u64,
        /// What is needed.
        expected: u64,
    },
    /// The answer ends early, in order.
    Short {
        /// How much came.
        found: u64,
        /// How much should have.
        expected: u64,
    },
    /// The content cannot be read.
    Content(io::Error),
    /// What was read cannot be written.
    Disk(io::Error),
    /// The client cannot be made.
    Setup(RegistryError),
}

impl Failure {
    /// Reads what the client library reports. `known` is whether the host answered before: then a
    /// refused connection is a restart, not a wrong name, and garbage is a broken connection, not
    /// another protocol. `proxy` is the variable that names the proxy.
    pub(in crate::registry) fn of(
        error: &reqwest::Error,
        connect_limit: Duration,
        known: bool,
        proxy: Option<&'static str>,
    ) -> Self {
        let cause = Cause(printable(&last_cause(error)));
        if let (Some(variable), Some(trouble)) = (proxy, trouble_of_proxy(error)) {
            Self::Proxy(variable, trouble, cause)
        } else if let Some(trouble) = find::<rustls::Error>(error) {
            Self::Tls(words_of(trouble).map_or(cause, Cause))
        } else if let Some(alert) = alert_of(error) {
            Self::Tls(Cause(alert))
        } else if error.is_timeout() {
            Self::TimedOut(connect_limit)
        } else if find::<hyper::Error>(error).is_some_and(has_too_much_head) {
            Self::HeadTooLarge
        } else if !known && find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            Self::NotHttp
        } else if error.is_connect() && !known && !was_reset(error) {
            Self::Unreachable(cause)
        } else {
            Self::Lost(cause)
        }
    }

    /// The error for the user.
    pub(in crate::registry) fn explain(
        self,
        attempt: Attempt,
        host: String,
        plain: bool,
    ) -> RegistryError {
        let attempt = Box::new(attempt);
        match self {
            Self::Unreachable(source) => RegistryError::Unreachable {
                attempt,
                host,
                source,
            },
            Self::Proxy(variable, trouble, source) => RegistryError::ThroughProxy {
                attempt,
                host,
                variable,
                trouble,
                source,
            },
            Self::Tls(source) => RegistryError::Tls {
                attempt,
                host,
                source,
            },
            Self::NotHttp if plain => RegistryError::NotPlain {
                attempt,
                serves_tls: false,
            },
            Self::HeadTooLarge => RegistryError::Protocol {
                attempt,
                what: "the head of the answer is too large".to_owned(),
            },
            Self::NotHttp => RegistryError::Protocol {
                attempt,
                what: "the answer is no HTTP".to_owned(),
            },
            Self::TimedOut(limit) => RegistryError::TimedOut {
                attempt,
                host,
                seconds: limit.as_secs(),
            },
            Self::Lost(source) => RegistryError::Lost {
                attempt,
                host,
                plain,
                source,
            },
            Self::TooMuch(limit) => RegistryError::Protocol {
                attempt,
                what: format!("the answer has more than {limit} bytes"),
            },
            Self::OtherSize {
                announced,
                expected,
            } => RegistryError::Protocol {
                attempt,
                what: format!("the registry announces {announced} bytes instead of {expected}"),
            },
            Self::Short { found, expected } => RegistryError::Lost {
                attempt,
                host,
                plain,
                source: Cause(format!("it ended after {found} of {expected} bytes")),
            },
            Self::Content(source) => RegistryError::File { attempt, source },
            Self::Disk(source) => RegistryError::Disk { attempt, source },
            Self::Setup(error) => error,
        }
    }
}

/// What is wrong with a certificate, where the library says it in seconds since 1970 or in names of its own.
fn words_of(trouble: &rustls::Error) -> Option<String> {
    let rustls::Error::InvalidCertificate(trouble) = trouble else {
        return None;
    };
    Some(match trouble {
        CertificateError::Expired => "its certificate expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired on {}", date(*not_after)?)
        }
        CertificateError::NotValidYet => "its certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid before {}", date(*not_before)?)
        }
        CertificateError::UnknownIssuer => {
            "no authority that is trusted here issued its certificate".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for other names".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let names = printable(&names.join(", "));
            format!("its certificate is for other names: {names}")
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        _ => return None,
    })
}

/// The alert about certificates that ended a connection. It may come behind the handshake, and HTTP/2 keeps only its
/// words.
fn alert_of(error: &(dyn Error + 'static)) -> Option<String> {
    let mut current = Some(error);
    while let Some(error) = current {
        let text = error.to_string();
        let alert = text.find(ALERT).map(|at| &text[at..]);
        if let Some(alert) = alert {
            let is_it = |kind: &&&str| alert[ALERT.len()..].starts_with(**kind);
            let kind = OF_CERTIFICATES.iter().find(is_it)?;
            return Some(format!("{ALERT}{kind}"));
        }
        current = error.source();
    }
    None
}

/// A name without its kind: the library writes `DnsName("ghcr.io")`.
fn bare(name: &str) -> &str {
    let inner = name.strip_suffix(')').and_then(|name| name.split_once('('));
    inner.map_or(name, |(_, name)| name.trim_matches('"'))
}

fn date(time: UnixTime) -> Option<String> {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()))?;
    // It can write no others.
    let writable = time < UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
    writable.then(|| httpdate::fmt_http_date(time))
}

/// The innermost text of an error chain. The outer ones name URLs or say nothing.
pub(in crate::registry) fn last_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// What a proxy did, where it is at fault. The connector's error has no name to ask for, only words.
fn trouble_of_proxy(error: &(dyn Error + 'static)) -> Option<ProxyTrouble> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(what) = error.to_string().strip_prefix("tunnel error: ") {
            return Some(match what {
                "proxy authorization required" => ProxyTrouble::WantsLogin,
                "unsuccessful" => ProxyTrouble::Refuses,
                _ => ProxyTrouble::Absent,
            });
        }
        current = error.source();
    }
    None
}

/// The library tells that apart for servers only, and else in words.
fn has_too_much_head(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string().contains("head is too large")
}

fn was_reset(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    find::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
        )
    })
}

/// The first error of a type in a chain. What an I/O error wraps is no `source` of it, and is looked
/// into too.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        current = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hint::Hint as _;

    fn said(trouble: CertificateError) -> Option<String> {
        words_of(&rustls::Error::InvalidCertificate(trouble))
    }

    #[test]
    fn certificates_are_told_in_words_and_dates() {
        let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = |seconds| {
            said(CertificateError::ExpiredContext {
                time: time(1_800_000_000),
                not_after: time(seconds),
            })
        };
        assert_eq!(
            expired(1_577_836_800).expect("words"),
            "its certificate expired on Wed, 01 Jan 2020 00:00:00 GMT"
        );
        for unwritable in [LAST_SECOND, u64::MAX] {
            assert_eq!(expired(unwritable), None);
        }
        let other = said(CertificateError::NotValidForNameContext {
            expected: "registry.example".try_into().expect("a name"),
            presented: vec![
                "DnsName(\"a\u{1b}.example\")".to_owned(),
                "IpAddress(10.0.0.1)".to_owned(),
                "b.example".to_owned(),
            ],
        });
        let other = other.expect("words");
        assert!(other.ends_with(".example, 10.0.0.1, b.example"), "{other}");
        assert!(
            !other.contains('\u{1b}') && !other.contains("DnsName"),
            "{other}"
        );
        assert_eq!(said(CertificateError::BadEncoding), None);
    }

    #[test]
    fn a_hint_names_host_and_port_as_the_flag_wants_them() {
        let attempt = Attempt {
            registry: "registry.example:5000".to_owned(),
            repository: None,
            action: "push".to_owned(),
            token_service: None,
        };
        let failure = Failure::Tls(Cause("InvalidContentType".to_owned()));
        let error = failure.explain(attempt, "registry.example:5000".to_owned(), false);
        let hint = error.hint().expect("a hint");
        assert!(
            hint.contains("`--insecure-registry registry.example:5000`"),
            "{hint}"
        );
    }

    #[test]
    fn an_alert_about_certificates_is_found_where_only_its_words_are_left() {
        let of = |words: &str| alert_of(&io::Error::other(words.to_owned()));
        let required = of("connection error: received fatal alert: CertificateRequired");
        assert_eq!(
            required.as_deref(),
            Some("received fatal alert: CertificateRequired")
        );
        assert_eq!(of("received fatal alert: InternalError"), None);
        assert_eq!(of("channel closed"), None);
    }

    #[test]
    fn what_is_wrong_with_a_certificate_says_what_to_do() {
        let attempt = Attempt {
            registry: "ghcr.io".to_owned(),
            repository: None,
            action: "push".to_owned(),
            token_service: None,
        };
        let hint = |words: &str| {
            let failure = Failure::Tls(Cause(words.to_owned()));
            let error = failure.explain(attempt.clone(), "ghcr.io".to_owned(), false);
            error.hint().expect("a hint")
        };
        let words = |trouble| said(trouble).expect("words");
        for (words, advice) in [
            (words(CertificateError::Expired), "must be renewed"),
            (words(CertificateError::NotValidYet), "correct the clock"),
            (words(CertificateError::NotValidForName), "use a name"),
            (words(CertificateError::UnknownIssuer), "SSL_CERT_FILE"),
            // A name is no state.
            (
                "its certificate is for other names: expired.example".to_owned(),
                "use a name",
            ),
            (format!("{ALERT}CertificateExpired"), "client certificate"),
            (
                format!("{ALERT}CertificateRequired"),
                "certs.d/ghcr.io/client.cert",
            ),
        ] {
            let found = hint(&words);
            assert!(found.contains(advice), "{words}: {found}");
        }
    }
}
