//! What to do about an error of a registry.

use super::vendor::{self, Missing};
use crate::hint::Hint;
use crate::reference::InvalidName;
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::credential::CredentialSource;
use crate::registry::errors::error::{Attempt, Cause, ProxyTrouble, RegistryError, User};
use crate::registry::errors::failure::ALERT;
use crate::registry::words::server_words::ServerWords;

impl Hint for RegistryError {
    fn hint(&self) -> Option<String> {
        self.hint_of_this_machine()
            .or_else(|| self.hint_of_the_way())
            .or_else(|| self.hint_of_rights())
            .or_else(|| self.hint_of_the_answer())
    }
}

impl RegistryError {
    /// About what was given here.
    fn hint_of_this_machine(&self) -> Option<String> {
        match self {
            Self::InvalidRegistry { name, .. } if name.contains('@') => {
                InvalidName::Login { name: name.clone() }.hint()
            }
            Self::InvalidRegistry { .. } => {
                Some("give a host such as `ghcr.io` or `localhost:5000`".to_owned())
            }
            Self::Setup { source } if source.0.to_ascii_lowercase().contains("certificate") => {
                Some(
                    "install `ca-certificates`, or name a file of certificates in SSL_CERT_FILE"
                        .to_owned(),
                )
            }
            Self::Certificates { variable, .. } | Self::Proxy { variable } => {
                Some(format!("correct {variable}, or unset it"))
            }
            Self::ProxyKind { variable, .. } => Some(format!(
                "name a proxy that speaks HTTP in {variable} (`http://HOST:PORT` or `https://HOST:PORT`), unset \
                 it, or name the host in NO_PROXY"
            )),
            Self::Credential(error) => error.hint(),
            Self::HostCertificates { .. } => Some(
                "a directory `certs.d/HOST` holds authorities as `*.crt`, and for a client \
                 `NAME.cert` with `NAME.key`, in PEM form"
                    .to_owned(),
            ),
            Self::OutOfTime { .. } => Some(
                "allow more with `--timeout`; what was stored by now stays, and is not sent again"
                    .to_owned(),
            ),
            Self::Disk { .. } => {
                Some("free some space, or let TMPDIR name a directory on another disk".to_owned())
            }
            _ => None,
        }
    }

    /// About reaching the registry, or the token service that it names.
    fn hint_of_the_way(&self) -> Option<String> {
        match self {
            Self::Unreachable { attempt, host, .. } | Self::TimedOut { attempt, host, .. }
                if attempt.token_service.is_some() =>
            {
                Some(silent_token_service_hint(attempt, host))
            }
            Self::NotFound { attempt, .. }
            | Self::Refused { attempt, .. }
            | Self::Lost { attempt, .. }
            | Self::Protocol { attempt, .. }
            | Self::SentAway { attempt, .. }
                if attempt.token_service.is_some() =>
            {
                Some(token_service_hint(attempt))
            }
            Self::Unreachable { attempt, .. } if is_this_machine(&attempt.registry) => {
                Some(format!(
                    "start a registry at `{}`, or correct the port",
                    attempt.registry
                ))
            }
            Self::Unreachable { attempt, .. } | Self::TimedOut { attempt, .. } => Some(format!(
                "check the host name in `{}`, and the network (proxies are taken from HTTPS_PROXY)",
                attempt.registry
            )),
            Self::ThroughProxy {
                variable,
                trouble,
                host,
                ..
            } => Some(proxy_hint(variable, *trouble, host)),
            Self::Lost { attempt, plain, .. } => Some(broken_hint(&attempt.registry, *plain)),
            Self::Tls {
                attempt,
                host,
                source,
            } => Some(tls_hint(source, attempt, host)),
            Self::NotPlain {
                attempt,
                serves_tls,
            } => Some(not_plain_hint(&attempt.registry, *serves_tls)),
            Self::BadTokenService { service, .. } => {
                Some(bad_token_service_hint(service.as_deref()))
            }
            _ => None,
        }
    }

    /// About what somebody may do, and what does not exist for everybody.
    fn hint_of_rights(&self) -> Option<String> {
        match self {
            Self::Unauthorized {
                attempt,
                user,
                words,
                ..
            } => Some(right_hint(attempt, user.as_deref(), words)),
            Self::NotGranted { attempt, user } => {
                let nothing = ServerWords::default();
                Some(right_hint(attempt, user.as_deref(), &nothing))
            }
            Self::LoginRefused { registry, user, .. } => {
                Some(refused_login_hint(registry, &user.source))
            }
            Self::NotFound { attempt, words } => {
                let known = vendor_hint(attempt, words, Missing::Repository);
                Some(known.unwrap_or_else(|| not_found_hint(attempt)))
            }
            _ => None,
        }
    }

    /// About what it says.
    fn hint_of_the_answer(&self) -> Option<String> {
        match self {
            Self::KindRefused { attempt, .. } => Some(format!(
                "update `{}`, or let its repository take OCI images; registries of before 2020 take only \
                 docker's own kind",
                attempt.registry
            )),
            Self::Refused {
                attempt, status, ..
            } => refused_hint(attempt, *status),
            Self::UploadLost { .. } => Some(
                "the registry forgets what it began: if it has several parts, these need one storage and one \
                 configuration, or what stands before them must lead all requests of an upload to the same one"
                    .to_owned(),
            ),
            Self::NotStored { .. } => Some(
                "try again; if that does not help, tell those who run the registry: its storage, or the \
                 agreement of its parts, is broken"
                    .to_owned(),
            ),
            Self::TagElsewhere { .. } => Some(
                "another push may have moved the tag at the same time: push again if this one is the newer"
                    .to_owned(),
            ),
            Self::TagTaken { .. } => Some(
                "choose another tag (`--tag`), or allow tags of the repository to be moved".to_owned(),
            ),
            Self::Elsewhere { attempt, .. } if !attempt.reads() => Some(wrong_name_hint(attempt)),
            Self::SentAway { attempt, .. } => Some(wrong_name_hint(attempt)),
            Self::Moved { attempt, host } => Some(format!(
                "if `{host}` is what `{}` is called by now, use that name: credentials of one name are not \
                 shown under another",
                attempt.registry
            )),
            Self::Busy { .. } => Some("try again later".to_owned()),
            Self::OtherContent { attempt, .. } => Some(format!(
                "try again; if that does not help, something between here and `{}` changes what it sends",
                attempt.registry
            )),
            _ => None,
        }
    }
}

fn right_hint(attempt: &Attempt, user: Option<&User>, words: &ServerWords) -> String {
    // Whoever is nobody logs in first.
    let known = user.and_then(|_| vendor_hint(attempt, words, Missing::Right));
    known.unwrap_or_else(|| unauthorized_hint(attempt, user))
}

fn vendor_hint(attempt: &Attempt, words: &ServerWords, missing: Missing) -> Option<String> {
    let path = attempt.repository.as_deref()?;
    vendor::hint(&attempt.registry, path, words.text(), missing)
}

/// A command that works as it is typed, given the user's name and a password to read.
fn login_hint(registry: &str) -> String {
    format!("log in with `cargo lighter login {registry} --username USER --password-stdin`")
}

fn refused_login_hint(registry: &str, source: &CredentialSource) -> String {
    match source {
        CredentialSource::Given => {
            "check the user name and the password; some registries take only a token".to_owned()
        }
        CredentialSource::Environment => {
            "correct LIGHTER_REGISTRY_USER and LIGHTER_REGISTRY_PASSWORD, or unset them to use what \
             `cargo lighter login` stored"
                .to_owned()
        }
        _ => login_hint(registry),
    }
}

fn is_this_machine(registry: &str) -> bool {
    Endpoint::of(registry).is_ok_and(|endpoint| endpoint.is_loopback())
}

/// What lets in nobody without a certificate says so in an alert, or breaks off before anybody hears it.
fn broken_hint(registry: &str, plain: bool) -> String {
    let again = "try again, or look into the log of the registry and of what stands before it";
    if plain {
        return again.to_owned();
    }
    format!(
        "{again}; if it lets in only those who show a certificate, put yours at \
         `~/.config/containers/certs.d/{registry}/client.cert`"
    )
}

fn tls_hint(source: &Cause, attempt: &Attempt, host: &str) -> String {
    // As the flag and the directory have to be called.
    let name = match attempt.token_service {
        Some(_) => host,
        None => &attempt.registry,
    };
    if source.0 == "received fatal alert: CertificateExpired" {
        return "the registry does not take the client certificate in `certs.d` any more: renew it"
            .to_owned();
    }
    if source.0.starts_with(ALERT) {
        return format!(
            "if `{name}` lets in only those who show a certificate, put yours at \
             `~/.config/containers/certs.d/{name}/client.cert`, and its key beside it in `client.key`"
        );
    }
    if source.0.starts_with("its certificate expired") {
        return "the registry's certificate must be renewed; if it is not that old, correct the clock of \
                this machine"
            .to_owned();
    }
    if source.0.starts_with("its certificate is not valid") {
        return "correct the clock of this machine, or wait".to_owned();
    }
    if source.0.starts_with("its certificate is for other names") {
        return "use a name that the registry's certificate has, or have one made for this name"
            .to_owned();
    }
    if source.0.contains("InvalidContentType") {
        format!(
            "the server speaks plain http, which is used on this machine's own addresses only, and where \
             `--insecure-registry {name}` says so"
        )
    } else {
        format!(
            "if the registry has a certificate of your own authority, name that authority's file in \
             SSL_CERT_FILE, or put it at `~/.config/containers/certs.d/{name}/ca.crt`"
        )
    }
}

fn not_plain_hint(registry: &str, serves_tls: bool) -> String {
    let place = format!("put its authority at `~/.config/containers/certs.d/{registry}/ca.crt`");
    if serves_tls {
        format!("`{registry}` is used over plain http, and serves TLS: {place}")
    } else {
        format!(
            "check the port of `{registry}`; if what listens there is a registry that serves TLS, {place}"
        )
    }
}

fn bad_token_service_hint(service: Option<&str>) -> String {
    match service {
        Some(service) => format!(
            "if `{service}` is where you want your credential to go, say so with \
             `LIGHTER_TOKEN_SERVICES={service}`"
        ),
        None => "the registry must name its token service (`realm`) by a whole https address; ask those who \
                 run it"
            .to_owned(),
    }
}

fn proxy_hint(variable: &str, trouble: ProxyTrouble, host: &str) -> String {
    match trouble {
        ProxyTrouble::Absent => format!(
            "correct {variable}, or unset it; what NO_PROXY names is reached without the proxy"
        ),
        ProxyTrouble::WantsLogin => format!(
            "put the proxy's user and password into {variable}: `http://USER:PASSWORD@HOST:PORT`"
        ),
        ProxyTrouble::Refuses => format!(
            "check the name `{host}`, ask those who run the proxy to let it through, or name the host in \
             NO_PROXY"
        ),
    }
}

fn unauthorized_hint(attempt: &Attempt, user: Option<&User>) -> String {
    match (user, &attempt.repository) {
        (Some(user), Some(path)) => format!(
            "check the name `{path}` and that `{}` may {} it, or log in as another user: \
             `cargo lighter login {} --username USER --password-stdin`",
            user.name,
            if attempt.reads() { "read" } else { "push to" },
            attempt.registry
        ),
        _ => login_hint(&attempt.registry),
    }
}

fn refused_hint(attempt: &Attempt, status: u16) -> Option<String> {
    let registry = &attempt.registry;
    match status {
        405 if !attempt.reads() && !attempt.looks() => Some(format!(
            "`{registry}` lets nobody write: it is likely read-only, for maintenance or as a mirror of another \
             registry"
        )),
        413 => Some(
            "raise the limit on request bodies of the registry, or of the proxy before it"
                .to_owned(),
        ),
        500.. => Some(format!(
            "the storage of `{registry}` may be full or broken: its log tells; ask those who run it"
        )),
        _ => None,
    }
}

fn wrong_name_hint(attempt: &Attempt) -> String {
    format!(
        "if that is `{}` under a wrong name, correct the external address of the registry or of \
         the proxy before it (docker-registry: `http.host` or `http.relativeurls`)",
        attempt.registry
    )
}

fn token_service_hint(attempt: &Attempt) -> String {
    let registry = &attempt.registry;
    format!(
        "check that `{registry}` is the registry's right name; if it is, ask those who run it, since it \
         names this token service (`realm`)"
    )
}

fn silent_token_service_hint(attempt: &Attempt, host: &str) -> String {
    let registry = &attempt.registry;
    format!(
        "check that `{host}` can be reached from here, since `{registry}` names it as its token service \
         (proxies are taken from HTTPS_PROXY)"
    )
}

fn not_found_hint(attempt: &Attempt) -> String {
    match &attempt.repository {
        Some(path) if attempt.reads() => format!("check the name `{path}` and what follows it"),
        Some(path) => format!("check the name `{path}`, or create the repository at the registry"),
        None => format!("check that `{}` is a registry", attempt.registry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_is_read_only_or_broken_says_where_to_look() {
        let hint = |action: &str, status| {
            let attempt = Box::new(Attempt {
                registry: "registry.example".to_owned(),
                repository: None,
                action: action.to_owned(),
                token_service: None,
            });
            let words = Box::new(ServerWords::default());
            let refused = RegistryError::Refused {
                attempt,
                status,
                words,
            };
            refused.hint().unwrap_or_default()
        };
        assert!(hint("push", 405).contains("read-only"));
        assert_eq!(hint("read a manifest", 405), "");
        for status in [500, 507] {
            assert!(hint("push", status).contains("storage"), "{status}");
        }
    }
}
