//! Where a blob that is read goes: a file that grows while its digest is computed, however often the
//! connection breaks meanwhile.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE};
use reqwest::{Response, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::digest::{Digest, HashingWriter};
use crate::registry::errors::failure::Failure;
use crate::report::{Attempt, Meter};

/// Whoever sends more slowly, on the whole, keeps a run waiting on purpose: bytes in a second.
const SLOWEST: u64 = 4 * 1024;

/// A file for one blob.
#[derive(Debug)]
pub(in crate::registry) struct Sink {
    path: PathBuf,
    size: u64,
    meter: Meter,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: Option<tokio::fs::File>,
    hash: HashingWriter<io::Sink>,
    /// Counts what is in the file; it is taken back unless the whole came.
    counted: Attempt,
    /// Whether parts of it came with several answers.
    is_pieced: bool,
}

impl Sink {
    /// The file at `path`, which is made or emptied when the first bytes come, for `size` bytes,
    /// which `meter` counts.
    pub(in crate::registry) fn new(path: PathBuf, size: u64, meter: &Meter) -> Self {
        Self {
            path,
            size,
            meter: meter.clone(),
            state: Mutex::new(State {
                file: None,
                hash: HashingWriter::new(io::sink()),
                counted: meter.attempt(),
                is_pieced: false,
            }),
        }
    }

    /// How many bytes came until now: where the next request may begin.
    pub(in crate::registry) async fn position(&self) -> u64 {
        self.state.lock().await.hash.written()
    }

    /// Whether parts came with several answers, which may have belonged to different contents.
    pub(in crate::registry) async fn is_pieced(&self) -> bool {
        self.state.lock().await.is_pieced
    }

    /// Begins again.
    pub(in crate::registry) async fn restart(&self) {
        let mut state = self.state.lock().await;
        state.file = None;
        state.hash = HashingWriter::new(io::sink());
        state.counted = self.meter.attempt();
        state.is_pieced = false;
    }

    /// Takes what a successful answer holds, without a pause longer than `idle`.
    pub(in crate::registry) async fn take(
        &self,
        response: &mut Response,
        idle: Duration,
        explain: impl Fn(&reqwest::Error) -> Failure,
    ) -> Result<(), Failure> {
        let continues = self.continues(response).await;
        if !continues {
            self.restart().await;
        }
        let mut state = self.state.lock().await;
        state.is_pieced |= continues;
        let left = self.size.saturating_sub(state.hash.written());
        if let Some(announced) = length_of(response).filter(|announced| *announced != left) {
            return Err(Failure::OtherSize {
                announced,
                expected: left,
            });
        }
        let deadline = Instant::now() + idle + Duration::from_secs(left / SLOWEST);
        loop {
            let until = deadline.min(Instant::now() + idle);
            let chunk = tokio::time::timeout_at(until, response.chunk()).await;
            let chunk = match chunk {
                Err(_) => return Err(Failure::TimedOut(idle)),
                Ok(Err(error)) => return Err(explain(&error)),
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
            };
            if chunk.len() as u64 > self.size - state.hash.written() {
                let most = usize::try_from(self.size).unwrap_or(usize::MAX);
                return Err(Failure::TooMuch(most));
            }
            let written = self.write(&mut state, &chunk).await;
            written.map_err(|error| Failure::Disk(self.naming(&error)))?;
        }
        let found = state.hash.written();
        if found < self.size {
            return Err(Failure::Short {
                found,
                expected: self.size,
            });
        }
        Ok(())
    }

    /// Flushes the file, and gives the digest of all that is in it. Its bytes remain counted if that is the
    /// `expected` one.
    pub(in crate::registry) async fn finish(&self, expected: &Digest) -> Result<Digest, Failure> {
        let mut state = self.state.lock().await;
        let flushed = match self.open(&mut state).await {
            Ok(file) => file.flush().await,
            Err(error) => Err(error),
        };
        flushed.map_err(|error| Failure::Disk(self.naming(&error)))?;
        state.file = None;
        let hash = std::mem::replace(&mut state.hash, HashingWriter::new(io::sink()));
        let (_, digest, _) = hash.finish();
        let counted = std::mem::replace(&mut state.counted, self.meter.attempt());
        if digest == *expected {
            counted.succeeded();
        }
        Ok(digest)
    }

    async fn write(&self, state: &mut State, chunk: &[u8]) -> io::Result<()> {
        self.open(state).await?.write_all(chunk).await?;
        state.counted.meter().advance(chunk.len() as u64);
        io::Write::write_all(&mut state.hash, chunk)
    }

    async fn open<'s>(&self, state: &'s mut State) -> io::Result<&'s mut tokio::fs::File> {
        let file = match state.file.take() {
            Some(file) => file,
            None => tokio::fs::File::create(&self.path).await?,
        };
        Ok(state.file.insert(file))
    }

    /// Whether an answer goes on where the file ends.
    async fn continues(&self, response: &Response) -> bool {
        let position = self.position().await;
        let range = response.headers().get(CONTENT_RANGE);
        let range = range.and_then(|value| value.to_str().ok());
        let begin = range.and_then(|text| text.strip_prefix("bytes ")?.split('-').next());
        response.status() == StatusCode::PARTIAL_CONTENT
            && position > 0
            && begin.and_then(|text| text.parse().ok()) == Some(position)
    }

    fn naming(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("`{}`: {error}", self.path.display()))
    }
}

fn length_of(response: &Response) -> Option<u64> {
    let value = response.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}
