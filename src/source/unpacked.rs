//! A layer as a stream of its uncompressed bytes, hashed as they pass.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read, Write as _};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::digest::{Digest, HashingWriter};
use crate::oci::LayerCompression;
use crate::process::Interrupt;

/// What a layer may unpack to: decompressing ends there, so that a small blob cannot keep a reader busy
/// for days.
pub const MAX_UNPACKED: u64 = 64 << 30;

/// How something is compressed, by its first bytes: whoever reads what others wrote does better without
/// their word.
pub fn compression_of(begin: &[u8]) -> LayerCompression {
    match begin {
        [0x1f, 0x8b, ..] => LayerCompression::Gzip,
        // A frame, or one to be skipped before it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            LayerCompression::Zstd
        }
        _ => LayerCompression::None,
    }
}

/// Why the uncompressed bytes end before their end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
    /// More than [`MAX_UNPACKED`], which was not read.
    #[error("it is too large")]
    TooLarge,
    /// More than was allowed at once.
    #[error("the headers of one entry are too large")]
    Headers,
    /// The compressed bytes end early.
    #[error("it ends too early: its {} data is incomplete", program(*.0))]
    Cut(LayerCompression),
    /// The compressed bytes are something else.
    #[error("it is no sound {} data", program(*.0))]
    Damaged(LayerCompression),
    /// The system fails to read them, in its words.
    #[error("it cannot be read: {0}")]
    Failed(String),
}

fn program(compression: LayerCompression) -> &'static str {
    match compression {
        LayerCompression::None => "uncompressed",
        LayerCompression::Gzip => "gzip",
        LayerCompression::Zstd => "zstd",
    }
}

/// How far reading got. Shared with whoever reads, because a reader of tars hides what it reads from.
#[derive(Debug, Default)]
pub struct Gauge {
    allowance: Cell<Option<u64>>,
    position: Cell<u64>,
    is_at_end: Cell<bool>,
    stop: RefCell<Option<Stop>>,
}

impl Gauge {
    /// How many bytes may be read before it is set again; `None` is no limit. A reader of tars keeps long
    /// names and extended records in memory, however large a header says they are.
    pub fn allow(&self, bytes: Option<u64>) {
        self.allowance.set(bytes);
    }

    /// Bytes that were read until now.
    pub fn position(&self) -> u64 {
        self.position.get()
    }

    /// Whether the last byte was read.
    pub fn is_at_end(&self) -> bool {
        self.is_at_end.get()
    }

    /// Why there were no more, if that was not the end.
    pub fn stop(&self) -> Option<Stop> {
        self.stop.borrow().clone()
    }

    fn refuse(&self, stop: Stop) -> io::Error {
        let error = io::Error::other(stop.clone());
        self.stop.replace(Some(stop));
        error
    }
}

/// The uncompressed bytes of a layer.
pub struct Unpacked<'a> {
    inner: Box<dyn Read + 'a>,
    compression: LayerCompression,
    hash: HashingWriter<io::Sink>,
    trailing_zeros: u64,
    gauge: Rc<Gauge>,
    interrupt: Option<Interrupt>,
}

/// What is known of a layer once its last byte passed.
#[derive(Debug)]
pub struct UnpackedEnd {
    /// Why it ends early, if it does.
    pub stop: Option<Stop>,
    /// Bytes of zero before the end.
    pub trailing_zeros: u64,
    /// The digest of all bytes.
    pub diff_id: Digest,
    /// How many there are.
    pub size: u64,
}

impl<'a> Unpacked<'a> {
    /// Decompresses what `compressed` gives.
    ///
    /// # Errors
    /// When no decompressor can be made.
    pub fn new(compressed: impl BufRead + 'a, compression: LayerCompression) -> io::Result<Self> {
        let inner: Box<dyn Read + 'a> = match compression {
            LayerCompression::None => Box::new(compressed),
            LayerCompression::Gzip => Box::new(MultiGzDecoder::new(compressed)),
            LayerCompression::Zstd => Box::new(zstd::Decoder::with_buffer(compressed)?),
        };
        Ok(Self {
            inner,
            compression,
            hash: HashingWriter::new(io::sink()),
            trailing_zeros: 0,
            gauge: Rc::default(),
            interrupt: None,
        })
    }

    /// How far reading got, and how far it may go.
    pub fn gauge(&self) -> Rc<Gauge> {
        Rc::clone(&self.gauge)
    }

    /// Lets reading fail once `interrupt` is raised.
    pub fn stop_at(&mut self, interrupt: &Interrupt) {
        self.interrupt = Some(interrupt.clone());
    }

    /// What came of it, once all was read.
    pub fn end(self) -> UnpackedEnd {
        let (_, diff_id, size) = self.hash.finish();
        UnpackedEnd {
            stop: self.gauge.stop(),
            trailing_zeros: self.trailing_zeros,
            diff_id,
            size,
        }
    }

    /// What a decompressor means, or whoever it reads from. Each has words of its own for it.
    fn why(&self, error: &io::Error) -> Stop {
        match (self.compression, error.kind()) {
            (LayerCompression::None, _) => Stop::Failed(error.to_string()),
            (compression, io::ErrorKind::UnexpectedEof) => Stop::Cut(compression),
            (
                compression,
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other,
            ) => Stop::Damaged(compression),
            _ => Stop::Failed(error.to_string()),
        }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let interrupt = self.interrupt.as_ref();
        if interrupt.is_some_and(|interrupt| interrupt.received().is_some()) {
            return Err(self.gauge.refuse(Stop::Interrupted));
        }
        // A decoder may not say it twice.
        if let Some(stop) = self.gauge.stop().filter(|stop| *stop != Stop::Headers) {
            return Err(self.gauge.refuse(stop));
        }
        if self.hash.written() >= MAX_UNPACKED {
            return Err(self.gauge.refuse(Stop::TooLarge));
        }
        let length = match self.gauge.allowance.get() {
            Some(0) => return Err(self.gauge.refuse(Stop::Headers)),
            Some(allowed) => usize::try_from(allowed).map_or(buffer.len(), |n| n.min(buffer.len())),
            None => buffer.len(),
        };
        let count = match self.inner.read(&mut buffer[..length]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.gauge.refuse(self.why(&error))),
        };
        if count == 0 && length > 0 {
            self.gauge.is_at_end.set(true);
        }
        let bytes = &buffer[..count];
        self.hash.write_all(bytes)?;
        let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        if zeros < count {
            self.trailing_zeros = 0;
        }
        self.trailing_zeros += zeros as u64;
        self.gauge.position.set(self.hash.written());
        if let Some(allowed) = self.gauge.allowance.get() {
            let left = allowed.saturating_sub(count as u64);
            self.gauge.allow(Some(left));
        }
        Ok(count)
    }
}
