//! One pass from files to a blob with both its digests.

use std::num::NonZeroUsize;
use std::thread;

use super::archive::write_tree;
use super::block::Compressor;
use super::{Compression, LayerError};
use crate::digest::{Digest, HashingWriter};
use crate::fs::Tree;
use crate::oci::Descriptor;
use crate::process::Interrupt;
use crate::store::{Blob, Blobs};

/// A layer: its digests first, its bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Media type, digest and size as stored.
    pub descriptor: Descriptor,
    /// Digest of the tar before compression (image-spec, config.md, `rootfs`).
    pub diff_id: Digest,
    /// Bytes of the tar before compression.
    pub uncompressed_size: u64,
    /// Its bytes.
    pub blob: Blob,
    /// What it is for, in the image's history: `runtime`, `glibc`, …
    pub purpose: String,
}

/// Writes `tree` as one layer into `blobs`, on up to `threads` threads beside the calling one. Every
/// entry gets `modified` (seconds since 1970) as its time. Memory: about 4 MiB for each thread with gzip,
/// about 25 MiB with zstd at its default level, whatever the size of the tree.
///
/// # Errors
/// [`LayerError`] when a file cannot be read or changes meanwhile, the disk is full, or `interrupt`
/// was raised. Nothing is left in `blobs` then.
pub fn build(
    tree: &Tree,
    purpose: &str,
    compression: Compression,
    modified: u64,
    threads: NonZeroUsize,
    blobs: &Blobs,
    interrupt: &Interrupt,
) -> Result<Layer, LayerError> {
    let compression = compression.checked()?;
    let blob = HashingWriter::new(blobs.writer().map_err(LayerError::Write)?);
    let (blob, diff_id, uncompressed_size) = thread::scope(|scope| {
        let compressor = Compressor::start(scope, compression, threads, blob);
        let mut tar = HashingWriter::new(compressor.map_err(LayerError::Write)?);
        write_tree(tree, modified, interrupt, &mut tar)?;
        let (compressor, diff_id, size) = tar.finish();
        let blob = compressor.finish().map_err(LayerError::Write)?;
        Ok::<_, LayerError>((blob, diff_id, size))
    })?;
    let (writer, digest, size) = blob.finish();
    Ok(Layer {
        descriptor: Descriptor::new(compression.media_type(), digest, size),
        diff_id,
        uncompressed_size,
        blob: writer.finish(&digest).map_err(LayerError::Write)?,
        purpose: purpose.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::fs::{Content, ImagePath, Node};
    use crate::hint::Hint as _;
    use crate::process::Signal;

    const THREADS: NonZeroUsize = NonZeroUsize::MIN;

    struct Bench {
        directory: tempfile::TempDir,
        blobs: Blobs,
        interrupt: Interrupt,
    }

    impl Bench {
        fn new() -> Self {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let blobs = Blobs::create(&directory.path().join("blobs")).expect("created");
            Self {
                directory,
                blobs,
                interrupt: Interrupt::new(),
            }
        }

        fn build(&self, tree: &Tree, compression: Compression) -> Result<Layer, LayerError> {
            build(
                tree,
                "application",
                compression,
                0,
                THREADS,
                &self.blobs,
                &self.interrupt,
            )
        }

        /// Names of temporary and finished blobs.
        fn stored(&self) -> usize {
            fs_err::read_dir(self.blobs.directory())
                .expect("listed")
                .count()
                - 1
        }
    }

    fn tree(content: Content) -> Tree {
        let mut tree = Tree::new();
        let path = ImagePath::new("app/orders").expect("legal");
        tree.insert(
            path,
            Node::File {
                mode: 0o755,
                content,
            },
        )
        .expect("free");
        tree
    }

    #[test]
    fn digests_and_sizes_are_those_of_the_bytes() {
        let bench = Bench::new();
        let binary = bench.directory.path().join("orders");
        fs_err::write(&binary, vec![b'x'; 3_000_000]).expect("written");
        let tree = tree(Content::File(binary));
        let mut diff_ids = Vec::new();
        for compression in [Compression::GZIP, Compression::ZSTD, Compression::None] {
            let layer = bench.build(&tree, compression).expect("built");
            let stored = fs_err::read(layer.blob.path()).expect("stored");
            assert_eq!(layer.descriptor.digest, Digest::of(&stored));
            assert_eq!(layer.descriptor.size, stored.len() as u64);
            assert_eq!(layer.descriptor.media_type, compression.media_type());
            assert_eq!(layer.uncompressed_size, 512 * 2 + 3_000_320 + 1024);
            diff_ids.push(layer.diff_id);
            assert_eq!(bench.stored(), 1);
            if compression == Compression::None {
                assert_eq!(layer.diff_id, layer.descriptor.digest);
            }
        }
        diff_ids.dedup();
        assert_eq!(diff_ids.len(), 1);
        assert_eq!(bench.stored(), 0);
    }

    #[test]
    fn the_same_layer_twice_is_one_blob() {
        let bench = Bench::new();
        let tree = tree(Content::Bytes(b"x"[..].into()));
        let first = bench.build(&tree, Compression::GZIP).expect("built");
        let second = bench.build(&tree, Compression::GZIP).expect("built");
        assert_eq!(first, second);
        assert_eq!(bench.stored(), 1);
    }

    #[test]
    fn an_interrupted_or_failed_layer_leaves_nothing() {
        let bench = Bench::new();
        let missing = tree(Content::File("/nowhere/at/all".into()));
        let error = bench
            .build(&missing, Compression::GZIP)
            .expect_err("missing");
        assert!(matches!(error, LayerError::Read { .. }), "{error}");

        bench.interrupt.send(Signal::Terminate);
        let error = bench
            .build(&tree(Content::Bytes([].into())), Compression::GZIP)
            .expect_err("interrupted");
        assert!(matches!(error, LayerError::Interrupted), "{error}");
        assert_eq!(bench.stored(), 0);
    }

    #[test]
    fn a_level_out_of_range_is_an_error_with_a_hint() {
        let bench = Bench::new();
        let error = bench
            .build(&Tree::new(), Compression::Gzip { level: 77 })
            .expect_err("no such level");
        assert_eq!(error.to_string(), "`gzip` has no level 77");
        assert!(error.hint().is_some());
    }

    #[test]
    fn a_blob_that_cannot_be_stored_is_named() {
        let bench = Bench::new();
        fs_err::remove_dir_all(bench.blobs.directory()).expect("removed");
        let error = bench
            .build(&Tree::new(), Compression::None)
            .expect_err("no place");
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.contains(".lighter-tmp-"), "{cause}");
    }
}
