//! Cutting a stream into blocks of one size, whatever the sizes of the writes.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::thread::Scope;

use zstd::stream::raw::CParameter;
use zstd::stream::write::Encoder;

use super::Compression;
use super::gzip::Gzip;

/// Bytes in every block but the last.
pub(super) const BLOCK: usize = 1024 * 1024;
/// More than machines have cores to compress one layer with; bounds the memory.
const MAX_THREADS: usize = 64;

/// Compresses what is written to it. The output depends on the bytes alone, not on how they were cut
/// into writes.
pub(super) struct Compressor<W: Write> {
    block: Vec<u8>,
    method: Method<W>,
}

enum Method<W: Write> {
    Gzip(Gzip<W>),
    Zstd(Encoder<'static, W>),
    None(W),
}

impl<W: Write> Compressor<W> {
    /// Compresses into `output` on up to `threads` threads of `scope`. The level was checked.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        compression: Compression,
        threads: NonZeroUsize,
        output: W,
    ) -> io::Result<Self> {
        let threads = threads.get().min(MAX_THREADS);
        let method = match compression {
            Compression::Gzip { level } => {
                let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
                Method::Gzip(Gzip::start(scope, level, threads, output)?)
            }
            Compression::Zstd { level } => Method::Zstd(zstd_encoder(level, threads, output)?),
            Compression::None => Method::None(output),
        };
        Ok(Self {
            block: Vec::with_capacity(BLOCK),
            method,
        })
    }

    /// Writes what is left, and gives the output back.
    pub(super) fn finish(self) -> io::Result<W> {
        match self.method {
            Method::Gzip(gzip) => gzip.finish(self.block),
            Method::Zstd(mut encoder) => {
                encoder.write_all(&self.block)?;
                encoder.finish()
            }
            Method::None(mut output) => {
                output.write_all(&self.block)?;
                Ok(output)
            }
        }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        match &mut self.method {
            Method::Gzip(gzip) => {
                self.block = gzip.block(std::mem::take(&mut self.block))?;
                return Ok(());
            }
            Method::Zstd(encoder) => encoder.write_all(&self.block)?,
            Method::None(output) => output.write_all(&self.block)?,
        }
        self.block.clear();
        Ok(())
    }
}

impl<W: Write> Write for Compressor<W> {
    /// A full block is passed on only when more comes: the last one must be known as such.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.block.len() == BLOCK {
            self.pass_on()?;
        }
        let taken = buffer.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&buffer[..taken]);
        Ok(taken)
    }

    /// Does nothing: a flush in the middle would change the bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Never without a worker: the library compresses differently then, while one worker and many give
/// the same bytes. Each worker takes a block at a time: the library's own choice would hold eight
/// times as much, and give all of a small layer to one worker. Neither checksum nor size stand in the frame; the blob's digest covers both.
fn zstd_encoder<W: Write>(
    level: i32,
    threads: usize,
    output: W,
) -> io::Result<Encoder<'static, W>> {
    let mut encoder = Encoder::new(output, level)?;
    for parameter in zstd_bounds(level) {
        encoder.set_parameter(parameter)?;
    }
    encoder.multithread(u32::try_from(threads.max(1)).map_err(io::Error::other)?)?;
    let job = u32::try_from(BLOCK).map_err(io::Error::other)?;
    encoder.set_parameter(CParameter::JobSize(job))?;
    encoder.include_checksum(false)?;
    encoder.include_contentsize(false)?;
    Ok(encoder)
}

/// Smaller tables than the library's own where a worker's would take up to 80 MiB. What is lost in size
/// is little, because a block and the window before it are all that a worker sees. The output depends
/// on them, so that they depend on nothing but the level.
fn zstd_bounds(level: i32) -> Vec<CParameter> {
    let (window, tables) = match level {
        ..=8 => return Vec::new(),
        9..=12 => (21, 20),
        _ => (21, 19),
    };
    vec![
        CParameter::WindowLog(window),
        CParameter::ChainLog(tables),
        CParameter::HashLog(tables),
    ]
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::{Command, Stdio};
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digest;

    const METHODS: [Compression; 5] = [
        Compression::Gzip { level: 1 },
        Compression::GZIP,
        Compression::Gzip { level: 9 },
        Compression::ZSTD,
        Compression::None,
    ];

    fn compressed<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
        compression: Compression,
        threads: usize,
    ) -> Vec<u8> {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        thread::scope(|scope| {
            let mut compressor = Compressor::start(scope, compression, threads, Vec::new())?;
            for piece in pieces {
                compressor.write_all(piece)?;
            }
            compressor.finish()
        })
        .expect("a vector takes every byte")
    }

    /// `length` bytes of words from a small list in an order that never changes.
    fn words(length: usize) -> Vec<u8> {
        const LIST: [&str; 8] = [
            "orders ",
            "billing ",
            "lighter ",
            "dock\n",
            "0xdeadbeef ",
            "ship, ",
            "barge: ",
            "\0\0",
        ];
        let mut state = 42_u64;
        let mut bytes = Vec::with_capacity(length + 16);
        while bytes.len() < length {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let [high, low, ..] = state.to_be_bytes();
            bytes.extend_from_slice(LIST[usize::from(high >> 5)].as_bytes());
            bytes.push(low);
        }
        bytes.truncate(length);
        bytes
    }

    fn decompressed(bytes: &[u8], compression: Compression) -> Vec<u8> {
        let mut plain = Vec::new();
        match compression {
            // Reads one member only, and so shows that there is only one.
            Compression::Gzip { .. } => {
                let mut decoder = flate2::bufread::GzDecoder::new(bytes);
                decoder.read_to_end(&mut plain).expect("gzip");
                assert!(decoder.into_inner().is_empty(), "nothing behind the member");
            }
            Compression::Zstd { .. } => plain = zstd::decode_all(bytes).expect("zstd"),
            Compression::None => plain.extend_from_slice(bytes),
        }
        plain
    }

    /// If one of these changes, every image that users build gets a new digest: that needs a new
    /// format version and a word in the changelog.
    #[test]
    fn compressed_bytes_never_change() {
        let input = words(5 * BLOCK / 2);
        assert_eq!(
            Digest::of(&input).hex(),
            "95ec74e2a414c46da15840585f096f5ef608910a4403cc34b11599336d5c06a2"
        );
        let digests = METHODS.map(|method| Digest::of(&compressed([&input[..]], method, 2)).hex());
        assert_eq!(
            digests,
            [
                "ba4a177b43b57d303e0ad4a4fb1c82af8a07ec18a75199e874dcee56d9911477",
                "5f6f99bf44d5d7b293ca1ace47de3488061f2e510b9b85d6785211db01f5c22c",
                "0ae9e93c4c94b135520155b767b1df31ccbc4cda720281892318d777daceb739",
                "0a2506de87dc71bea929c6298d571c5b1daade744214f17e45e053e8fb42f211",
                "95ec74e2a414c46da15840585f096f5ef608910a4403cc34b11599336d5c06a2",
            ]
        );
    }

    #[test]
    fn the_number_of_threads_does_not_show() {
        let input = words(9 * BLOCK + 12345);
        for method in METHODS {
            let one = compressed([&input[..]], method, 1);
            for threads in [2, 4] {
                assert!(
                    compressed([&input[..]], method, threads) == one,
                    "{method} on {threads} threads"
                );
            }
        }
    }

    /// As [`compressed_bytes_never_change`], for levels whose tables are ours.
    #[test]
    fn bounded_levels_never_change_either() {
        let input = words(BLOCK + BLOCK / 4);
        let digests = [9, 12, 13, 19].map(|level| {
            let method = Compression::Zstd { level };
            let bytes = compressed([&input[..]], method, 2);
            assert!(bytes == compressed([&input[..]], method, 1), "{method}");
            assert!(decompressed(&bytes, method) == input, "{method}");
            Digest::of(&bytes).hex()
        });
        assert_eq!(
            digests,
            [
                "e7567d5a1df3b17092a8d2475717dc9282e26ee8f4c861a2290778d321226c84",
                "d2c334c58dc9e9c1add27d889b9d0fb3c76101744884c114eafd5a6a7cc19f7a",
                "a32862c43c901832f50d18a9a08dcb81d6add28a2eae716e5be74760bf0996f1",
                "37c9b5d6460bf72aa4f1f00f9fcadcb704a958e1f927c4c95f49b3b4a049800e",
            ]
        );
    }

    #[test]
    fn every_length_around_a_block_comes_back() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK] {
            let input = words(length);
            for method in METHODS {
                let bytes = compressed([&input[..]], method, 2);
                assert!(decompressed(&bytes, method) == input, "{method}, {length}");
            }
        }
    }

    #[test]
    fn the_dictionary_makes_blocks_refer_back() {
        let noise: Vec<u8> = compressed([&words(4 * BLOCK)[..]], Compression::GZIP, 2);
        let repeated = [&noise[..BLOCK], &noise[BLOCK - 20_000..BLOCK]].concat();
        let whole = compressed([&noise[..BLOCK]], Compression::GZIP, 2).len();
        let both = compressed([&repeated[..]], Compression::GZIP, 2).len();
        assert!(both - whole < 1000, "{both} - {whole}");
    }

    #[test]
    fn the_gzip_program_reads_it() {
        let input = words(2 * BLOCK + 7);
        let mut child = Command::new("gzip")
            .arg("-t")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gzip is there");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin
            .write_all(&compressed([&input[..]], Compression::GZIP, 2))
            .expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn how_writes_are_cut_does_not_show(
            length in BLOCK..3 * BLOCK,
            sizes in prop::collection::vec(1_usize..700_000, 1..6),
            method in prop::sample::select(&METHODS[..]),
        ) {
            let input = words(length);
            let mut pieces = Vec::new();
            let mut rest = &input[..];
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, behind) = rest.split_at(rest.len().min(*size));
                pieces.push(piece);
                rest = behind;
            }
            let cut = compressed(pieces, method, 2);
            prop_assert!(cut == compressed([&input[..]], method, 2));
            prop_assert!(decompressed(&cut, method) == input);
        }
    }
}
