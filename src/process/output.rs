//! A child's output, read beside it.
//!
//! The readers are threads of their own that nobody waits for: whatever a child started may keep its
//! pipes open long after the child ended.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

const CHUNK: usize = 64 * 1024;

/// How far a reader came.
#[derive(Debug, Default)]
enum Progress {
    #[default]
    Reading,
    Ended,
    TooMuch,
    Failed(io::Error),
}

#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    progress: Progress,
}

/// All output of one stream, as far as it came.
#[derive(Debug, Default, Clone)]
pub(super) struct Gathering(Arc<Mutex<Gathered>>);

impl Gathering {
    /// Begins to read `stream`, at most `limit` bytes. At its end the calling thread is unparked.
    pub(super) fn of(stream: Option<impl Read + Send + 'static>, limit: usize) -> Self {
        let gathering = Self::default();
        let Some(mut stream) = stream else {
            gathering.lock().progress = Progress::Ended;
            return gathering;
        };
        let shared = gathering.clone();
        let waiting = thread::current();
        thread::spawn(move || {
            let mut chunk = vec![0; CHUNK];
            while shared.take_chunk(&mut stream, &mut chunk, limit) {}
            waiting.unpark();
        });
        gathering
    }

    /// Reads a piece, and tells whether there may be more.
    fn take_chunk(&self, stream: &mut impl Read, chunk: &mut [u8], limit: usize) -> bool {
        let read = stream.read(chunk);
        let mut gathered = self.lock();
        match read {
            Ok(0) => gathered.progress = Progress::Ended,
            Ok(length) if gathered.bytes.len() + length > limit => {
                gathered.progress = Progress::TooMuch;
            }
            Ok(length) => {
                gathered.bytes.extend_from_slice(&chunk[..length]);
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(error) => gathered.progress = Progress::Failed(error),
        }
        false
    }

    /// Whether nothing more will come.
    pub(super) fn is_finished(&self) -> bool {
        !matches!(self.lock().progress, Progress::Reading)
    }

    /// What came; `None` if it was more than the limit.
    pub(super) fn take(&self) -> io::Result<Option<Vec<u8>>> {
        let mut gathered = self.lock();
        match std::mem::take(&mut gathered.progress) {
            Progress::TooMuch => Ok(None),
            Progress::Failed(error) => Err(error),
            Progress::Reading | Progress::Ended => Ok(Some(std::mem::take(&mut gathered.bytes))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line of a child's output, without its end.
#[derive(Debug)]
pub(super) enum Line {
    Stdout(String),
    Stderr(String),
}

/// Begins to read `stream` and sends each line; one longer than `limit` is cut.
pub(super) fn send_lines(
    stream: Option<impl Read + Send + 'static>,
    limit: usize,
    of_stream: fn(String) -> Line,
    lines: SyncSender<Line>,
) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        let cap = u64::try_from(limit).unwrap_or(u64::MAX);
        loop {
            line.clear();
            match reader.by_ref().take(cap).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            while line
                .last()
                .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
            {
                line.pop();
            }
            if lines
                .send(of_stream(String::from_utf8_lossy(&line).into_owned()))
                .is_err()
            {
                return;
            }
        }
    });
}
