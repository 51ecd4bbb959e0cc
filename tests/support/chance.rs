//! Faults by chance, the same for the same seed as long as requests come in the same order.

use super::answer::Answer;
use super::fault::Act;
use super::wire::Head;

/// Requests that a token is good for at least.
const TOKEN_AGE: u64 = 20;

/// What may happen to any request.
#[derive(Debug)]
pub(super) struct Chance {
    state: u64,
    /// Of a thousand requests.
    faults: u64,
    pub(super) happened: u64,
    /// Requests since tokens ended: they end of age, not twice in a row.
    age: u64,
}

impl Chance {
    pub(super) fn new(seed: u64, faults: u64) -> Self {
        Self {
            state: seed,
            faults,
            happened: 0,
            age: 0,
        }
    }

    pub(super) fn take(&mut self, head: &Head) -> Option<Act> {
        self.age += 1;
        if self.below(1000) >= self.faults {
            return None;
        }
        self.happened += 1;
        let answered = |status| Act::Answer(Answer::status(status));
        let uploads = head.path().contains("/blobs/uploads/");
        let puts = head.method == "PUT";
        Some(match self.below(14) {
            0 => Act::Reset { after: 0 },
            1 => Act::Reset { after: 5000 },
            2 => Act::HangUp,
            3 | 4 => Act::LoseAnswer,
            5 => answered(500),
            6 => Act::Answer(Answer::status(502).body("<html>bad gateway</html>")),
            7 => Act::Answer(Answer::status(503).with("Retry-After", "2")),
            8 => Act::Answer(Answer::status(429).with("Retry-After", "1")),
            9 => Act::Raw(b"no http\r\n\r\n"),
            10 if self.age > TOKEN_AGE => {
                self.age = 0;
                Act::EndTokens
            }
            11 if uploads => Act::LoseSessions,
            12 if uploads && puts => Act::Pretend,
            13 if uploads && puts => Act::Keep(100),
            _ => answered(504),
        })
    }

    /// A number below `limit`, by `SplitMix64`.
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
