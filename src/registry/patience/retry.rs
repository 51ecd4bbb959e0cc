//! Which outcome of a request is worth another attempt, and when.

use std::time::Duration;

use reqwest::StatusCode;

use crate::registry::errors::error::{ProxyTrouble, RegistryError};
use crate::registry::wire::reply::Reply;

/// Requests are repeated until they were sent so often.
const MAX_ATTEMPTS: u32 = 6;
/// A host that nobody answers at, or that says nothing for as long as a request may take, is given up
/// earlier: more patience would rarely help, and each attempt is long.
const FEW_ATTEMPTS: u32 = 3;
/// The longest pause that we choose ourselves.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// A registry that asks for more is told to the user instead.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// How a request ended, as far as repeating it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Ending {
    /// An answer that another attempt would not change, or an error of ours.
    Final,
    /// Nobody listens, the name is unknown, or the first answer ever is no HTTP.
    Unreachable,
    /// Time ran out.
    Silent,
    /// The connection broke.
    Broken,
    /// The server is busy or broken for the moment.
    Unavailable {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
}

impl Ending {
    /// What a result means for repeating the request.
    pub(in crate::registry) fn of(result: &Result<Reply, RegistryError>) -> Self {
        match result {
            Ok(reply) if is_unavailable(reply.status) => Self::Unavailable {
                retry_after: reply.retry_after(),
            },
            Err(RegistryError::Lost { .. }) => Self::Broken,
            Err(RegistryError::TimedOut { .. }) => Self::Silent,
            // The same login would be refused again, and accounts get locked.
            Err(RegistryError::ThroughProxy {
                trouble: ProxyTrouble::WantsLogin,
                ..
            }) => Self::Final,
            Err(
                RegistryError::Unreachable { .. }
                | RegistryError::ThroughProxy { .. }
                | RegistryError::NotPlain { .. },
            ) => Self::Unreachable,
            Ok(_) | Err(_) => Self::Final,
        }
    }

    /// Whether the server asks for more than anybody should wait without being told.
    pub(in crate::registry) fn is_too_long(self) -> bool {
        matches!(self, Self::Unavailable { retry_after: Some(wait) } if wait > LONGEST_WAIT)
    }

    /// How often a request that ends so is sent at most.
    fn attempts(self) -> u32 {
        match self {
            Self::Final => 1,
            Self::Unreachable | Self::Silent => FEW_ATTEMPTS,
            Self::Broken | Self::Unavailable { .. } => MAX_ATTEMPTS,
        }
    }
}

/// 408, 429, 499 and 5xx, but not 501, which says "never".
fn is_unavailable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 499 | 500 | 502..=599)
}

/// What follows an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Decision {
    /// The outcome stands.
    Stop,
    /// Another attempt after a pause of this request alone.
    Again(Duration),
    /// Another attempt when the host may be asked again, by this request and all others.
    AgainAfter(Duration),
}

/// Decides after attempt number `attempt`, counted from 0. A pause of our own choice is a random
/// `share` of [`backoff`]; a server may ask for more, never for less: some say "in 0 seconds".
pub(in crate::registry) fn next(
    attempt: u32,
    outcome: Ending,
    first_wait: Duration,
    share: f64,
) -> Decision {
    if attempt + 1 >= outcome.attempts() {
        return Decision::Stop;
    }
    let pause = backoff(attempt, first_wait).mul_f64(share);
    match outcome {
        _ if outcome.is_too_long() => Decision::Stop,
        Ending::Unavailable {
            retry_after: Some(wait),
        } => Decision::AgainAfter(wait.max(pause)),
        _ => Decision::Again(pause),
    }
}

/// The longest pause after attempt number `attempt`: `first_wait`, doubled with each, up to a limit.
pub(in crate::registry) fn backoff(attempt: u32, first_wait: Duration) -> Duration {
    first_wait
        .saturating_mul(1 << attempt.min(16))
        .min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST_WAIT: Duration = Duration::from_millis(500);

    fn all(outcome: Ending) -> Vec<Decision> {
        (0..8)
            .map(|attempt| next(attempt, outcome, FIRST_WAIT, 1.0))
            .take_while(|decision| *decision != Decision::Stop)
            .collect()
    }

    #[test]
    fn waits_double_and_end() {
        let again = |milliseconds| Decision::Again(Duration::from_millis(milliseconds));
        let five = [
            again(500),
            again(1000),
            again(2000),
            again(4000),
            again(8000),
        ];
        assert_eq!(all(Ending::Broken), five);
        let unavailable = Ending::Unavailable { retry_after: None };
        assert_eq!(all(unavailable), five);
        assert_eq!(all(Ending::Silent), five[..2]);
        assert_eq!(all(Ending::Unreachable), five[..2]);
        assert_eq!(all(Ending::Final), []);
        assert_eq!(backoff(40, FIRST_WAIT), LONGEST_BACKOFF);
    }

    #[test]
    fn the_server_says_how_long_up_to_a_limit() {
        let after = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            next(0, Ending::Unavailable { retry_after }, FIRST_WAIT, 0.3)
        };
        assert_eq!(after(0), Decision::AgainAfter(FIRST_WAIT.mul_f64(0.3)));
        assert_eq!(after(120), Decision::AgainAfter(Duration::from_mins(2)));
        assert_eq!(after(121), Decision::Stop);
    }

    #[test]
    fn only_passing_troubles_are_repeated() {
        for (status, repeated) in [
            (200, false),
            (400, false),
            (401, false),
            (404, false),
            (408, true),
            (429, true),
            (499, true),
            (500, true),
            (501, false),
            (503, true),
            (522, true),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(is_unavailable(status), repeated, "{status}");
        }
    }

    proptest! {
        #[test]
        fn a_pause_is_a_share_of_what_it_could_be(attempt in 0_u32..5, share in 0.0..1.0_f64) {
            let Decision::Again(pause) = next(attempt, Ending::Broken, FIRST_WAIT, share) else {
                panic!("another attempt expected");
            };
            prop_assert!(pause <= backoff(attempt, FIRST_WAIT));
        }
    }
}
