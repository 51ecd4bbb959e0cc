//! A layer as a stream of its uncompressed bytes, hashed as they pass.

use std::cell::Cell;
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

/// The uncompressed bytes of a layer.
pub struct Unpacked<'a> {
    inner: Box<dyn Read + 'a>,
    hash: HashingWriter<io::Sink>,
    trailing_zeros: u64,
    is_too_large: bool,
    /// Why the compressed bytes end early; a decoder may not say it twice.
    failure: Option<io::Error>,
    allowance: Rc<Cell<Option<u64>>>,
    interrupt: Option<Interrupt>,
}

/// What is known of a layer once its last byte passed.
#[derive(Debug)]
pub struct UnpackedEnd {
    /// Whether there is more than [`MAX_UNPACKED`], which was not read.
    pub is_too_large: bool,
    /// Why the compressed bytes end early, if they do.
    pub failure: Option<io::Error>,
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
            hash: HashingWriter::new(io::sink()),
            trailing_zeros: 0,
            is_too_large: false,
            failure: None,
            allowance: Rc::default(),
            interrupt: None,
        })
    }

    /// How many bytes may be read before it is set again; `None` is no limit. A reader of tars keeps long
    /// names and extended records in memory, however large a header says they are.
    pub fn allowance(&self) -> Rc<Cell<Option<u64>>> {
        Rc::clone(&self.allowance)
    }

    /// Lets reading fail once `interrupt` is raised.
    pub fn stop_at(&mut self, interrupt: &Interrupt) {
        self.interrupt = Some(interrupt.clone());
    }

    /// Bytes that were read until now.
    pub fn position(&self) -> u64 {
        self.hash.written()
    }

    /// What came of it, once all was read.
    pub fn end(self) -> UnpackedEnd {
        let (_, diff_id, size) = self.hash.finish();
        UnpackedEnd {
            is_too_large: self.is_too_large,
            failure: self.failure,
            trailing_zeros: self.trailing_zeros,
            diff_id,
            size,
        }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let interrupt = self.interrupt.as_ref();
        if interrupt.is_some_and(|interrupt| interrupt.received().is_some()) {
            return Err(io::Error::other("interrupted"));
        }
        if self.is_too_large || self.hash.written() >= MAX_UNPACKED {
            self.is_too_large = true;
            return Err(io::Error::other("it is too large"));
        }
        let length = match self.allowance.get() {
            Some(0) => return Err(io::Error::other("the headers of one entry are too large")),
            Some(allowed) => usize::try_from(allowed).map_or(buffer.len(), |n| n.min(buffer.len())),
            None => buffer.len(),
        };
        let count = match self.inner.read(&mut buffer[..length]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let copy = io::Error::new(error.kind(), error.to_string());
                self.failure = Some(error);
                return Err(copy);
            }
        };
        let bytes = &buffer[..count];
        self.hash.write_all(bytes)?;
        let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        if zeros < count {
            self.trailing_zeros = 0;
        }
        self.trailing_zeros += zeros as u64;
        if let Some(allowed) = self.allowance.get() {
            self.allowance
                .set(Some(allowed.saturating_sub(count as u64)));
        }
        Ok(count)
    }
}
