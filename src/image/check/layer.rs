//! A layer, decompressed as a stream: its uncompressed digest, and what its entries look like.

use std::io::{self, BufReader};
use std::path::Path;

use super::digest::ContentDigest;
use super::entries;
use super::findings::Findings;
use super::problem::Problem;
use crate::digest::Digest;
use crate::oci::LayerCompression;
use crate::report::printable;
use crate::source::{MAX_UNPACKED, Stop, Unpacked};

const BLOCK: u64 = 512;

/// Reports the layer's problems; its uncompressed digest, where it could be decompressed.
pub(super) fn check(
    path: &Path,
    layer: ContentDigest,
    compression: LayerCompression,
    findings: &mut Findings,
) -> io::Result<Option<Digest>> {
    let file = BufReader::new(fs_err::File::open(path)?);
    let mut unpacked = Unpacked::new(file, compression)?;
    let tar = entries::check(&mut unpacked, layer, findings);
    let read = unpacked.gauge().position();
    // The reader stops at the tar's end, or at a fault in it; the digest is of everything.
    let drained = io::copy(&mut unpacked, &mut io::sink());
    let end = unpacked.end();
    match (end.stop, drained) {
        (Some(Stop::TooLarge), _) => {
            findings.add(Problem::Inflated {
                layer,
                limit: MAX_UNPACKED,
            });
            return Ok(None);
        }
        (Some(stop), Err(_)) => {
            findings.add(Problem::Compression {
                layer,
                error: printable(&stop.to_string()),
            });
            return Ok(None);
        }
        _ => {}
    }
    let (zeros, diff_id, size) = (end.trailing_zeros, end.diff_id, end.size);
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

/// The uncompressed digest of a layer, which was read before without an error, by the algorithm of another one.
pub(super) fn digest_as(
    like: &ContentDigest,
    path: &Path,
    compression: LayerCompression,
) -> io::Result<ContentDigest> {
    let file = BufReader::new(fs_err::File::open(path)?);
    let mut unpacked = Unpacked::new(file, compression)?;
    like.same_of(&mut unpacked).map(|(digest, _)| digest)
}
