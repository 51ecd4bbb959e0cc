//! Gzip on several threads, with the same bytes on any number of them.
//!
//! The method is that of pigz: the input is cut into blocks of one size, each block is deflated on
//! its own by a fresh compressor, and a sync flush ends each on a byte boundary, so that the blocks
//! joined are one deflate stream in one gzip member. One member, because some readers stop after the
//! first. The last 32 KiB of a block are the dictionary of the next: a block can then refer back as
//! far as deflate ever can, and cutting costs almost nothing in size.
//!
//! Blocks are needed for reproducibility too, not only for speed: what a deflate stream looks like
//! depends on how its input was cut into writes, and that would depend on how files happened to be
//! read. Here each block is compressed by exactly one call, so the bytes depend on the input, the
//! level and the version of the compressor, which the manifest pins.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, Scope};

use crc32fast::Hasher;
use flate2::{Compress, FlushCompress, Status};

use super::block::BLOCK;

/// How far back deflate can refer (RFC 1951, 2).
const WINDOW: usize = 32 * 1024;
/// More than a block of noise becomes at any level; a fixed size, because the compressor may look at
/// how much room it has.
const MAX_COMPRESSED: usize = BLOCK + BLOCK / 8 + 1024;
/// Blocks that wait for one thread.
const WAITING: usize = 2;
/// Blocks under way beyond one a thread: enough that no thread waits while a result is written. Each
/// takes about 2 MiB, so that this and the number of threads bound the memory.
const AHEAD: usize = 2;

/// Compresses blocks on threads of its own, and writes them in order.
#[derive(Debug)]
pub(super) struct Gzip<W> {
    output: W,
    workers: Vec<Worker>,
    /// Blocks given to workers, in turn.
    sent: usize,
    /// Blocks taken back from workers, in the same turn.
    received: usize,
    /// The end of the block before.
    dictionary: Vec<u8>,
    checksum: Hasher,
    length: u64,
    /// Buffers whose content is written. They are used again, because an allocator that serves many
    /// threads would keep several times as many.
    spare_blocks: Vec<Vec<u8>>,
    spare_rooms: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Worker {
    jobs: SyncSender<Job>,
    results: Receiver<io::Result<Deflated>>,
}

#[derive(Debug)]
struct Job {
    block: Vec<u8>,
    /// Room for what becomes of it.
    room: Vec<u8>,
    dictionary: Vec<u8>,
    last: bool,
}

#[derive(Debug)]
struct Deflated {
    bytes: Vec<u8>,
    /// The job's, to be filled again.
    block: Vec<u8>,
    /// Of the bytes before compression.
    checksum: Hasher,
}

impl<W: Write> Gzip<W> {
    /// Writes the header and starts `threads` threads, which end when this value is dropped.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        level: u32,
        threads: NonZeroUsize,
        mut output: W,
    ) -> io::Result<Self> {
        output.write_all(&header(level))?;
        let workers = (0..threads.get())
            .map(|_| Worker::start(scope, level))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            output,
            workers,
            sent: 0,
            received: 0,
            dictionary: Vec::new(),
            checksum: Hasher::new(),
            length: 0,
            spare_blocks: Vec::new(),
            spare_rooms: Vec::new(),
        })
    }

    /// Takes the next block, which is not the last one, and gives room for the one after it.
    pub(super) fn block(&mut self, block: Vec<u8>) -> io::Result<Vec<u8>> {
        self.send(block, false)?;
        let mut next = self.spare_blocks.pop().unwrap_or_default();
        next.clear();
        next.reserve_exact(BLOCK);
        Ok(next)
    }

    /// Takes the last block, writes what is left and the trailer, and gives the output back.
    pub(super) fn finish(mut self, last: Vec<u8>) -> io::Result<W> {
        self.send(last, true)?;
        while self.received < self.sent {
            self.receive()?;
        }
        let checksum = self.checksum.finalize();
        self.output.write_all(&checksum.to_le_bytes())?;
        // ISIZE is the length modulo 2^32 (RFC 1952, 2.3.1).
        self.output.write_all(&self.length.to_le_bytes()[..4])?;
        Ok(self.output)
    }

    fn send(&mut self, block: Vec<u8>, last: bool) -> io::Result<()> {
        let workers = self.workers.len();
        if self.sent - self.received == (workers + AHEAD).min(workers * WAITING) {
            self.receive()?;
        }
        let dictionary = block[block.len().saturating_sub(WINDOW)..].to_vec();
        self.length += block.len() as u64;
        let job = Job {
            block,
            room: self.spare_rooms.pop().unwrap_or_default(),
            dictionary: std::mem::replace(&mut self.dictionary, dictionary),
            last,
        };
        let worker = &self.workers[self.sent % self.workers.len()];
        worker.jobs.send(job).map_err(|_| lost_thread())?;
        self.sent += 1;
        Ok(())
    }

    fn receive(&mut self) -> io::Result<()> {
        let worker = &self.workers[self.received % self.workers.len()];
        let deflated = worker.results.recv().map_err(|_| lost_thread())??;
        self.received += 1;
        self.checksum.combine(&deflated.checksum);
        self.output.write_all(&deflated.bytes)?;
        self.spare_rooms.push(deflated.bytes);
        self.spare_blocks.push(deflated.block);
        Ok(())
    }
}

impl Worker {
    fn start<'scope>(scope: &'scope Scope<'scope, '_>, level: u32) -> io::Result<Self> {
        let (jobs, assigned) = mpsc::sync_channel::<Job>(WAITING);
        let (done, results) = mpsc::sync_channel(WAITING);
        thread::Builder::new()
            .name("gzip".to_owned())
            .spawn_scoped(scope, move || {
                for job in assigned {
                    if done.send(deflate(job, level)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self { jobs, results })
    }
}

fn lost_thread() -> io::Error {
    io::Error::other("a compressing thread ended early")
}

/// RFC 1952, 2.3: no name, no time, unknown operating system; XFL as zlib sets it.
fn header(level: u32) -> [u8; 10] {
    let extra_flags = match level {
        9 => 2,
        1 => 4,
        _ => 0,
    };
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra_flags, 255]
}

fn deflate(job: Job, level: u32) -> io::Result<Deflated> {
    let mut compress = Compress::new(flate2::Compression::new(level), false);
    if !job.dictionary.is_empty() {
        compress
            .set_dictionary(&job.dictionary)
            .map_err(io::Error::other)?;
    }
    let (flush, expected) = if job.last {
        (FlushCompress::Finish, Status::StreamEnd)
    } else {
        (FlushCompress::Sync, Status::Ok)
    };
    let mut bytes = job.room;
    bytes.resize(MAX_COMPRESSED, 0);
    let status = compress
        .compress(&job.block, &mut bytes, flush)
        .map_err(io::Error::other)?;
    let length = usize::try_from(compress.total_out()).map_err(io::Error::other)?;
    // Room to spare is how zlib tells that a flush is complete.
    if status != expected || length >= MAX_COMPRESSED {
        return Err(io::Error::other("a block was not compressed in one step"));
    }
    bytes.truncate(length);
    let mut checksum = Hasher::new();
    checksum.update(&job.block);
    Ok(Deflated {
        bytes,
        block: job.block,
        checksum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_no_time_and_no_system() {
        assert_eq!(header(6), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!(header(9)[8], 2);
        assert_eq!(header(1)[8], 4);
    }

    #[test]
    fn noise_fits_at_every_level() {
        let mut state = 1_u64;
        let noise: Vec<u8> = (0..BLOCK)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                state.to_be_bytes()[0]
            })
            .collect();
        for level in 0..=9 {
            for last in [false, true] {
                let job = Job {
                    block: noise.clone(),
                    room: Vec::new(),
                    dictionary: noise[..WINDOW].to_vec(),
                    last,
                };
                let deflated = deflate(job, level).expect("it fits");
                assert!(deflated.bytes.len() >= BLOCK, "level {level}");
            }
        }
    }

    #[test]
    fn an_output_that_fails_ends_the_threads() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
                if buffer.len() == 10 {
                    Ok(10)
                } else {
                    Err(io::ErrorKind::StorageFull.into())
                }
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let two = NonZeroUsize::new(2).expect("not zero");
        let error = thread::scope(|scope| {
            let mut gzip = Gzip::start(scope, 6, two, Full)?;
            loop {
                drop(gzip.block(vec![0; BLOCK])?);
            }
            #[expect(unreachable_code, reason = "gives the closure its type")]
            Ok::<(), io::Error>(())
        })
        .expect_err("the output is full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
