//! What a request carries: opened anew for every attempt, streamed, never held in memory whole.

use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use reqwest::Body;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::time::Instant;

use crate::report::Meter;

const CHUNK: usize = 256 * 1024;

/// The content of a request.
#[derive(Debug, Clone)]
pub(in crate::registry) enum Content {
    /// Nothing.
    None,
    /// Some bytes: a manifest, a configuration, a form.
    Bytes(Bytes),
    /// A part of a file of exactly this many bytes.
    File {
        /// The file.
        path: PathBuf,
        /// Its size, as its descriptor has it.
        size: u64,
        /// Where the part begins.
        start: u64,
        /// How long it is.
        length: u64,
    },
}

impl Content {
    /// A whole file.
    pub(in crate::registry) fn file(path: PathBuf, size: u64) -> Self {
        Self::File {
            path,
            size,
            start: 0,
            length: size,
        }
    }

    /// Bytes of the content.
    pub(in crate::registry) fn size(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// The part of whole content that begins at `start`, at most `most` bytes.
    pub(in crate::registry) fn piece(&self, start: u64, most: u64) -> Self {
        match self {
            Self::None => Self::None,
            Self::Bytes(bytes) => {
                let place =
                    |at: u64| usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
                Self::Bytes(bytes.slice(place(start)..place(start.saturating_add(most))))
            }
            Self::File { path, size, .. } => Self::File {
                path: path.clone(),
                size: *size,
                start,
                length: size.saturating_sub(start).min(most),
            },
        }
    }

    /// A body for one attempt, which tells `progress` how far it got.
    ///
    /// # Errors
    /// When the file cannot be opened, or has another size.
    pub(in crate::registry) async fn open(&self, progress: &Progress) -> io::Result<Body> {
        let (path, size, start, length) = match self {
            Self::File {
                path,
                size,
                start,
                length,
            } if *length > 0 => (path, *size, *start, *length),
            Self::Bytes(bytes) => {
                progress.advance(bytes.len() as u64, true);
                return Ok(Body::from(bytes.clone()));
            }
            Self::None | Self::File { .. } => {
                progress.finish();
                return Ok(Body::from(Bytes::new()));
            }
        };
        let naming = |error: io::Error| {
            io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
        };
        let mut file = tokio::fs::File::open(path).await.map_err(naming)?;
        let found = file.metadata().await.map_err(naming)?.len();
        if found != size {
            return Err(naming(io::Error::other(format!(
                "it has {found} bytes, and its descriptor says {size}"
            ))));
        }
        if start > 0 {
            file.seek(SeekFrom::Start(start)).await.map_err(naming)?;
        }
        Ok(Body::wrap_stream(stream(
            file,
            path.clone(),
            length,
            progress.clone(),
        )))
    }
}

fn stream(
    file: tokio::fs::File,
    path: PathBuf,
    length: u64,
    progress: Progress,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    try_unfold((file, length), move |(mut file, left)| {
        let progress = progress.clone();
        let path = path.clone();
        async move {
            if left == 0 {
                progress.finish();
                return Ok(None);
            }
            match read_chunk(&mut file, left).await {
                Ok(chunk) => {
                    let left = left.saturating_sub(chunk.len() as u64);
                    progress.advance(chunk.len() as u64, left == 0);
                    Ok(Some((chunk, (file, left))))
                }
                Err(error) => {
                    let message = format!("`{}`: {error}", path.display());
                    progress.fail(io::Error::new(error.kind(), message));
                    Err(error)
                }
            }
        }
    })
}

async fn read_chunk(file: &mut tokio::fs::File, left: u64) -> io::Result<Bytes> {
    let wanted = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
    let mut chunk = BytesMut::with_capacity(wanted);
    let read = file.take(wanted as u64).read_buf(&mut chunk).await?;
    if read == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it became shorter while it was sent",
        ));
    }
    Ok(chunk.freeze())
}

/// How far a body got; shared between the body and the watch over it.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    moved: Instant,
    finished: bool,
    failure: Option<io::Error>,
    meter: Option<Meter>,
}

impl Progress {
    /// Nothing sent yet. What is sent is counted by `meter`.
    pub(in crate::registry) fn new(meter: Option<Meter>) -> Self {
        Self(Arc::new(Mutex::new(State {
            moved: Instant::now(),
            finished: false,
            failure: None,
            meter,
        })))
    }

    /// The error of the file, if that was what went wrong.
    pub(in crate::registry) fn failure(&self) -> Option<io::Error> {
        self.with(|state| state.failure.take())
    }

    /// Waits until nothing moved for `idle` while sending, or `answer` went by since all was sent;
    /// returns the limit that was passed.
    pub(in crate::registry) async fn stalled(&self, idle: Duration, answer: Duration) -> Duration {
        loop {
            let (moved, limit) = self.with(|state| {
                let limit = if state.finished { answer } else { idle };
                (state.moved, limit)
            });
            let deadline = moved + limit;
            if Instant::now() >= deadline {
                return limit;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }

    fn advance(&self, bytes: u64, finished: bool) {
        self.with(|state| {
            state.moved = Instant::now();
            state.finished = finished;
            if let Some(meter) = &state.meter {
                meter.advance(bytes);
            }
        });
    }

    /// All is sent.
    pub(in crate::registry) fn finish(&self) {
        self.with(|state| {
            if !state.finished {
                state.moved = Instant::now();
                state.finished = true;
            }
        });
    }

    fn fail(&self, error: io::Error) {
        self.with(|state| state.failure = Some(error));
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use proptest::prelude::*;

    use super::*;

    async fn read(content: &Content) -> Vec<u8> {
        let Content::File {
            path,
            start,
            length,
            ..
        } = content
        else {
            let Content::Bytes(bytes) = content else {
                return Vec::new();
            };
            return bytes.to_vec();
        };
        content.open(&Progress::new(None)).await.expect("opened");
        let mut file = tokio::fs::File::open(path).await.expect("there");
        file.seek(SeekFrom::Start(*start))
            .await
            .expect("long enough");
        let chunks = stream(file, path.clone(), *length, Progress::new(None));
        let chunks: Vec<_> = chunks.collect().await;
        chunks
            .into_iter()
            .flat_map(|chunk| chunk.expect("readable"))
            .collect()
    }

    /// A few, since each writes a file, unless the environment says how many.
    fn cases() -> ProptestConfig {
        match std::env::var_os("PROPTEST_CASES") {
            Some(_) => ProptestConfig::default(),
            None => ProptestConfig::with_cases(32),
        }
    }

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn pieces_make_up_the_whole(size in 0_usize..700_000, most in 1_u64..300_000) {
            let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("blob");
            fs_err::write(&path, &bytes).expect("written");
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime");
            let file = Content::file(path, size as u64);
            for content in [file, Content::Bytes(Bytes::from(bytes.clone()))] {
                let mut whole = Vec::new();
                while whole.len() < size {
                    let piece = content.piece(whole.len() as u64, most);
                    prop_assert!(piece.size() > 0 && piece.size() <= most);
                    let read = runtime.block_on(read(&piece));
                    prop_assert_eq!(read.len() as u64, piece.size());
                    whole.extend(read);
                }
                prop_assert!(whole == bytes);
            }
        }
    }
}
