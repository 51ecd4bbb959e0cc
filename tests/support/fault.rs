//! Faults as data: which requests, and what happens to them.

use std::time::Duration;

use super::answer::Answer;
use super::exchange::Origin;
use super::wire::Head;

/// What happens to requests of one kind, the `skip`ped first ones excepted, `count` times.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    origin: Origin,
    method: &'static str,
    /// A part of the path and query.
    part: String,
    skip: usize,
    count: usize,
    act: Act,
    used: bool,
}

/// What happens instead of, or besides, the ordinary answer. In texts of headers and bodies `{host}`
/// and `{other}` stand for the two servers, `{other port}` for the port of the second, `{path}` for the request's path, `{location}` for the ordinary answer's `Location`, and
/// `{id}` for that of its upload.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// This answer; nothing is done.
    Answer(Answer),
    /// This answer before the body is read, which then is drained or not.
    Early { answer: Answer, drain: bool },
    /// The connection is reset after so many bytes of the body.
    Reset { after: u64 },
    /// The connection ends in order, without an answer.
    HangUp,
    /// All is done, and the connection reset instead of an answer.
    LoseAnswer,
    /// The request is taken, and nothing is said.
    Silence,
    /// The answer's head begins, a byte at a time, and never ends.
    Drip,
    /// The answer, with only so many bytes of its body, and the end of the connection.
    Truncate(usize),
    /// An answer of this status without an end.
    Flood(u16, Flood),
    /// These bytes.
    Raw(&'static [u8]),
    /// The ordinary answer, changed.
    Alter(Vec<Change>),
    /// A lie: what success would look like; nothing is stored.
    Pretend,
    /// A lie: of the content, only so many bytes are stored.
    Keep(usize),
    /// The blobs of all repositories are lost, then the request is answered.
    LoseBlobs,
    /// The request is answered, then the blobs of all repositories are lost.
    DropBlobs,
    /// What was uploaded in open sessions is lost, then the request is answered.
    LoseSessions,
    /// All tokens end, then the request is answered.
    EndTokens,
    /// All is done, and answered only after this time.
    Late(Duration),
    /// The request is answered once so many came in that are like it but for the repository; if they do not
    /// come, the connection ends.
    Gather(usize),
}

/// What of an answer has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    /// Its body, whose length is told.
    Body,
    /// Its body, in pieces.
    Pieces,
    /// Its headers, each a short one.
    Headers,
    /// One of its headers.
    Header,
    /// The warnings before an end that comes, each another, as many as clients take headers.
    Warnings,
}

/// One change of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Status(u16),
    Header(&'static str, String),
    Without(&'static str),
    /// One text of the body in place of another.
    Replace(&'static str, &'static str),
}

/// The beginning of a fault: requests to the registry of this method whose path and query have this
/// part; an empty text fits all.
pub(crate) fn on(method: &'static str, part: impl Into<String>) -> Matching {
    Matching {
        origin: Origin::Registry,
        method,
        part: part.into(),
        skip: 0,
        count: 1,
    }
}

/// Which requests a fault is for.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    origin: Origin,
    method: &'static str,
    part: String,
    skip: usize,
    count: usize,
}

impl Matching {
    /// Requests to the other origin instead.
    pub(crate) fn at_other(mut self) -> Self {
        self.origin = Origin::Other;
        self
    }

    /// The first ones excepted.
    pub(crate) fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    pub(crate) fn times(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    pub(crate) fn act(self, act: Act) -> Fault {
        Fault {
            origin: self.origin,
            method: self.method,
            part: self.part,
            skip: self.skip,
            count: self.count,
            act,
            used: false,
        }
    }

    pub(crate) fn answer(self, answer: Answer) -> Fault {
        self.act(Act::Answer(answer))
    }

    pub(crate) fn status(self, status: u16) -> Fault {
        self.answer(Answer::status(status))
    }

    pub(crate) fn header(self, name: &'static str, value: &str) -> Fault {
        self.act(Act::Alter(vec![Change::Header(name, value.to_owned())]))
    }
}

/// The faults that are left. The first that fits a request is used up a little.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The numbers of those that never happened.
    pub(super) fn unused(&self) -> Vec<usize> {
        let numbered = self.0.iter().enumerate();
        let unused = numbered.filter(|(_, fault)| !fault.used);
        unused.map(|(number, _)| number).collect()
    }

    pub(super) fn take(&mut self, origin: Origin, head: &Head) -> Option<Act> {
        for fault in &mut self.0 {
            let fits = fault.origin == origin
                && (fault.method.is_empty() || fault.method == head.method)
                && head.target.contains(&fault.part);
            if !fits || fault.count == 0 {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.count -= 1;
            fault.used = true;
            return Some(fault.act.clone());
        }
        None
    }
}
