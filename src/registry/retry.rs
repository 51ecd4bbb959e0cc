//! Which outcome of a request is worth another attempt, and when.

use std::time::Duration;

use reqwest::StatusCode;

use super::error::RegistryError;
use super::reply::Reply;

const MAX_ATTEMPTS: u32 = 4;
/// A registry that asks for more is told to the user instead.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// How a request ended, as far as repeating it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer that another attempt would not change, or an error of ours.
    Final,
    /// No answer: the connection broke or time ran out.
    NoAnswer,
    /// The server is busy or broken for the moment.
    Unavailable {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// What a result means for repeating the request.
    pub(super) fn of(result: &Result<Reply, RegistryError>) -> Self {
        match result {
            Ok(reply) if is_unavailable(reply.status) => Self::Unavailable {
                retry_after: reply.retry_after(),
            },
            Err(RegistryError::Lost { .. } | RegistryError::TimedOut { .. }) => Self::NoAnswer,
            Ok(_) | Err(_) => Self::Final,
        }
    }
}

/// 408, 429 and 5xx, but not 501, which says "never".
fn is_unavailable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502..=599)
}

/// What follows an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The outcome stands.
    Stop,
    /// Another attempt after a pause.
    Again(Duration),
}

/// Decides after attempt number `attempt`, counted from 0. The first pause is `first_wait`, unless
/// the server asks for another; each further one is twice as long.
pub(super) fn next(attempt: u32, outcome: Outcome, first_wait: Duration) -> Decision {
    let backoff = first_wait.saturating_mul(1 << attempt.min(8));
    let wait = match outcome {
        Outcome::Final => return Decision::Stop,
        Outcome::NoAnswer => backoff,
        Outcome::Unavailable { retry_after } => retry_after.unwrap_or(backoff),
    };
    if attempt + 1 >= MAX_ATTEMPTS || wait > LONGEST_WAIT {
        Decision::Stop
    } else {
        Decision::Again(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_WAIT: Duration = Duration::from_millis(500);

    #[test]
    fn waits_double_and_end() {
        let waits: Vec<Decision> = (0..4)
            .map(|attempt| next(attempt, Outcome::NoAnswer, FIRST_WAIT))
            .collect();
        let again = |milliseconds| Decision::Again(Duration::from_millis(milliseconds));
        assert_eq!(
            waits,
            [again(500), again(1000), again(2000), Decision::Stop]
        );
    }

    #[test]
    fn the_server_says_how_long_up_to_a_limit() {
        let after = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            next(0, Outcome::Unavailable { retry_after }, FIRST_WAIT)
        };
        assert_eq!(after(0), Decision::Again(Duration::ZERO));
        assert_eq!(after(120), Decision::Again(Duration::from_mins(2)));
        assert_eq!(after(121), Decision::Stop);
    }

    #[test]
    fn a_final_outcome_is_never_repeated() {
        assert_eq!(next(0, Outcome::Final, FIRST_WAIT), Decision::Stop);
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
            (500, true),
            (501, false),
            (503, true),
            (522, true),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(is_unavailable(status), repeated, "{status}");
        }
    }
}
