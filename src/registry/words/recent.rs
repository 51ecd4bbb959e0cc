//! Secrets of a run that any server may repeat: the latest tokens, and what is secret in the addresses of the
//! latest uploads. What a request shows itself is known beside that.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::redaction::Secrets;

/// A run has a token for each repository, and each lives some minutes.
const MOST_TOKENS: usize = 128;
/// More uploads than are open at the same time.
const MOST_OF_ADDRESSES: usize = 64;

/// The latest secrets.
#[derive(Default)]
pub(in crate::registry) struct Recent {
    tokens: Mutex<VecDeque<String>>,
    of_addresses: Mutex<VecDeque<String>>,
}

impl Recent {
    /// Keeps the token of an `Authorization`.
    pub(in crate::registry) fn keep_token(&self, header: &HeaderValue) {
        let text = header.to_str().ok();
        if let Some((_, token)) = text.and_then(|text| text.split_once(' ')) {
            keep(&self.tokens, MOST_TOKENS, token);
        }
    }

    /// Keeps what is secret in an address.
    pub(in crate::registry) fn keep_address(&self, url: &Url) {
        for secret in Secrets::of_query(url) {
            keep(&self.of_addresses, MOST_OF_ADDRESSES, &secret);
        }
    }

    /// Adds all of them to what is not told.
    pub(in crate::registry) fn add_to(&self, secrets: &mut Secrets) {
        for kept in [&self.tokens, &self.of_addresses] {
            for secret in locked(kept).iter() {
                secrets.keep_of_run(secret);
            }
        }
    }
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} recent tokens", locked(&self.tokens).len())
    }
}

fn keep(kept: &Mutex<VecDeque<String>>, most: usize, secret: &str) {
    let mut kept = locked(kept);
    if secret.is_empty() || kept.iter().any(|known| known == secret) {
        return;
    }
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(secret.to_owned());
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut secrets = Secrets::default();
        recent.add_to(&mut secrets);
        let told = fit_to_print(
            "of token-number-0-, token-number-128-, a+b-of-upload, 5",
            &secrets,
        );
        assert_eq!(told, "of token-number-0-, …, …, 5");
        assert_eq!(format!("{recent:?}"), "128 recent tokens");
    }
}
