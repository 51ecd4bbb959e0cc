//! A layer, decompressed as a stream: its uncompressed digest, and what its entries look like.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Write as _};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::entries;
use super::kinds::Compression;
use super::problem::{Findings, Problem};
use crate::digest::{Digest, HashingWriter};
use crate::report::printable;

/// What a layer may unpack to: decompressing ends there, so that a small blob cannot keep the
/// checker busy for days.
const MAX_UNPACKED: u64 = 64 << 30;
const BLOCK: u64 = 512;

/// Reports the layer's problems; its uncompressed digest, where it could be decompressed.
pub(super) fn check(
    path: &Path,
    layer: Digest,
    compression: Compression,
    findings: &mut Findings,
) -> io::Result<Option<Digest>> {
    let file = BufReader::new(fs_err::File::open(path)?);
    let decoder: Box<dyn Read> = match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(MultiGzDecoder::new(file)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(file)?),
    };
    let mut unpacked = Unpacked::new(decoder);
    let allowance = Rc::clone(&unpacked.allowance);
    let tar = entries::check(&mut unpacked, &allowance, layer, findings);
    let read = unpacked.hash.written();
    // The reader stops at the tar's end, or at a fault in it; the digest is of everything.
    allowance.set(None);
    let drained = io::copy(&mut unpacked, &mut io::sink());
    if unpacked.is_too_large {
        findings.add(Problem::Inflated {
            layer,
            limit: MAX_UNPACKED,
        });
        return Ok(None);
    }
    if let Some(error) = unpacked.failure.or(drained.err()) {
        findings.add(Problem::Compression {
            layer,
            error: printable(&error.to_string()),
        });
        return Ok(None);
    }
    let zeros = unpacked.trailing_zeros;
    let (_, diff_id, size) = unpacked.hash.finish();
    // The first empty block made the reader stop; a second one and nothing else follows.
    let rest = size - read;
    if let Err(error) = tar {
        findings.add(Problem::Tar {
            layer,
            error: printable(&error.to_string()),
        });
    } else if rest < BLOCK || zeros < rest + BLOCK || size % BLOCK != 0 {
        findings.add(Problem::TarEnd { layer });
    }
    Ok(Some(diff_id))
}

/// The uncompressed bytes, hashed as they pass.
pub(super) struct Unpacked<R> {
    inner: R,
    hash: HashingWriter<io::Sink>,
    trailing_zeros: u64,
    is_too_large: bool,
    /// Why the compressed bytes end early; a decoder may not say it twice.
    failure: Option<io::Error>,
    /// How many bytes may be read before it is set again; `None` is no limit. The tar reader keeps
    /// long names and extended records in memory, however large a header says they are.
    allowance: Rc<Cell<Option<u64>>>,
}

impl<R: Read> Unpacked<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            hash: HashingWriter::new(io::sink()),
            trailing_zeros: 0,
            is_too_large: false,
            failure: None,
            allowance: Rc::default(),
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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
