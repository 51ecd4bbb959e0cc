//! Secrets of a run that any server may repeat: credentials, the latest tokens, and what is secret in the addresses
//! of the latest uploads. What a request shows itself is known beside that.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::redaction::Secrets;

/// A run has a token for each repository, and each lives some minutes.
const MOST_TOKENS: usize = 128;
/// More than a run has uploads open: one for each service before the first compile, and some more.
const MOST_ADDRESSES: usize = 256;
/// An address with more secrets than that was made to push others out; those that come first are kept.
const MOST_IN_ADDRESS: usize = 64;

/// The secrets of a run.
#[derive(Default)]
pub(in crate::registry) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// As many as there are credentials.
    credentials: BTreeSet<String>,
    tokens: VecDeque<String>,
    addresses: VecDeque<Vec<String>>,
}

impl Recent {
    /// Keeps a name with its password, or an identity token.
    pub(in crate::registry) fn keep_credential(&self, user: &str, secret: &str) {
        if !secret.is_empty() {
            let both = [format!("{user}:{secret}"), secret.to_owned()];
            self.kept().credentials.extend(both);
        }
    }

    /// Keeps the token of an `Authorization`.
    pub(in crate::registry) fn keep_token(&self, header: &HeaderValue) {
        let text = header.to_str().ok();
        if let Some((_, token)) = text.and_then(|text| text.split_once(' ')) {
            keep(&mut self.kept().tokens, MOST_TOKENS, token.to_owned());
        }
    }

    /// Keeps what is secret in an address.
    pub(in crate::registry) fn keep_address(&self, url: &Url) {
        let mut secrets = Secrets::of_query(url);
        secrets.truncate(MOST_IN_ADDRESS);
        if !secrets.is_empty() {
            keep(&mut self.kept().addresses, MOST_ADDRESSES, secrets);
        }
    }

    /// Adds all of them to what is not told.
    pub(in crate::registry) fn add_to(&self, secrets: &mut Secrets) {
        let kept = self.kept();
        let of_addresses = kept.addresses.iter().flatten();
        for secret in kept
            .credentials
            .iter()
            .chain(&kept.tokens)
            .chain(of_addresses)
        {
            secrets.keep_of_run(secret);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} recent tokens", self.kept().tokens.len())
    }
}

fn keep<T: PartialEq>(kept: &mut VecDeque<T>, most: usize, secret: T) {
    if kept.contains(&secret) {
        return;
    }
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(secret);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::words::redaction::fit_to_print;

    #[test]
    fn the_latest_of_many_are_not_told() {
        let recent = Recent::default();
        for number in 0..=MOST_TOKENS {
            let header = HeaderValue::from_str(&format!("Bearer token-number-{number}-"));
            recent.keep_token(&header.expect("a header"));
        }
        let url = Url::parse("http://r/v2/x/blobs/uploads/1?_state=a%2Bb-of-upload&n=5");
        recent.keep_address(&url.expect("an URL"));
        recent.keep_credential("me", "hunter2");
        let mut secrets = Secrets::default();
        recent.add_to(&mut secrets);
        let told = fit_to_print(
            "of token-number-0-, token-number-128-, a+b-of-upload, 5, me:hunter2",
            &secrets,
        );
        assert_eq!(told, "of token-number-0-, …, …, 5, …");
        assert_eq!(format!("{recent:?}"), "128 recent tokens");
    }

    /// Each secret pushed one of another upload out.
    #[test]
    fn an_upload_with_many_secrets_pushes_out_no_other() {
        let recent = Recent::default();
        let address = |number: usize| {
            let pairs = (0..40).map(|pair| format!("p{pair}=secret-{number}-of-{pair}"));
            let query = pairs.collect::<Vec<_>>().join("&");
            Url::parse(&format!("http://r/v2/x/blobs/uploads/1?{query}")).expect("an URL")
        };
        for number in 0..MOST_ADDRESSES {
            recent.keep_address(&address(number));
        }
        let mut secrets = Secrets::default();
        recent.add_to(&mut secrets);
        assert_eq!(
            fit_to_print("secret-0-of-0 and more", &secrets),
            "… and more"
        );
    }

    /// It took minutes, in which nothing could be interrupted.
    #[test]
    fn a_text_that_is_made_to_keep_us_busy_is_not_told() {
        let recent = Recent::default();
        for number in 0..64 {
            let long = "A".repeat(400 + number);
            let url = Url::parse(&format!("http://r/u?a={long}&b=B{long}"));
            recent.keep_address(&url.expect("an URL"));
        }
        let mut secrets = Secrets::default();
        recent.add_to(&mut secrets);
        assert_eq!(fit_to_print(&"A".repeat(16_000), &secrets), "");
        assert_eq!(fit_to_print("denied: see A", &secrets), "denied: see A");
    }
}
