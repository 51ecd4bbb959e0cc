//! A blob of an archive, compared with its digest while it is read.

use std::io::{self, Read, Write as _};

use super::ArchiveError;
use super::entries::Region;
use crate::digest::HashingWriter;
use crate::oci::Descriptor;

/// Reads a blob. The end is given only where all that was read is what the descriptor says; else reading
/// fails there with an error that says what was found.
#[derive(Debug)]
pub struct BlobReader<'a> {
    region: Region<'a>,
    expected: Descriptor,
    seen: Option<HashingWriter<io::Sink>>,
}

impl<'a> BlobReader<'a> {
    pub(super) fn new(region: Region<'a>, expected: &Descriptor) -> Self {
        Self {
            region,
            expected: expected.clone(),
            seen: Some(HashingWriter::new(io::sink())),
        }
    }

    fn end(&mut self) -> io::Result<usize> {
        let Some(seen) = self.seen.take() else {
            return Ok(0);
        };
        let (_, found, found_size) = seen.finish();
        if (found, found_size) == (self.expected.digest, self.expected.size) {
            return Ok(0);
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            ArchiveError::Content {
                name: format!("blobs/sha256/{}", self.expected.digest.hex()),
                expected: self.expected.digest,
                expected_size: self.expected.size,
                found,
                found_size,
            },
        ))
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.region.read(buffer)?;
        if read == 0 {
            return self.end();
        }
        if let Some(seen) = &mut self.seen {
            seen.write_all(&buffer[..read])?;
        }
        Ok(read)
    }
}
