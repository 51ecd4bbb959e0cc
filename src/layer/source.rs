//! A file that must not change while it is read.

use std::fs::Metadata;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::time::SystemTime;

use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::OFlags;

use super::LayerError;
use crate::fs::ImagePath;
use crate::process::Interrupt;

/// A regular file, opened, whose size is known before its bytes: a tar says the size first.
#[derive(Debug)]
pub(super) struct Source<'a> {
    file: fs_err::File,
    path: &'a ImagePath,
    before: Stamp,
}

/// What tells two states of a file apart.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl<'a> Source<'a> {
    /// Opens `file`, whose bytes will stand at `path` in the image; links are followed.
    pub(super) fn open(file: &Path, path: &'a ImagePath) -> Result<Self, LayerError> {
        let unreadable = |source| LayerError::Read {
            path: path.clone(),
            source,
        };
        // Opening a device can have effects, and opening a pipe waits for a writer: look first, and
        // do not wait if something else took the name since.
        must_be_regular(&fs_err::metadata(file).map_err(unreadable)?, file)?;
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let opened = fs_err::OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(file)
            .map_err(unreadable)?;
        let metadata = opened.metadata().map_err(unreadable)?;
        must_be_regular(&metadata, file)?;
        Ok(Self {
            file: opened,
            path,
            before: Stamp::of(&metadata),
        })
    }

    /// Bytes that [`Source::copy_to`] will write.
    pub(super) fn size(&self) -> u64 {
        self.before.size
    }

    /// Writes exactly [`Source::size`] bytes through `buffer`, and makes sure that nobody wrote to
    /// the file meanwhile.
    pub(super) fn copy_to(
        mut self,
        output: &mut impl Write,
        buffer: &mut [u8],
        interrupt: &Interrupt,
    ) -> Result<(), LayerError> {
        let mut left = self.before.size;
        while left > 0 {
            if interrupt.received().is_some() {
                return Err(LayerError::Interrupted);
            }
            let room = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let count = self.read(&mut buffer[..room])?;
            if count == 0 {
                return Err(self.changed());
            }
            output
                .write_all(&buffer[..count])
                .map_err(LayerError::Write)?;
            left -= count as u64;
        }
        let grown = self.read(&mut buffer[..1])? > 0;
        let after = self.file.metadata().map_err(|error| self.unreadable(error));
        if grown || Stamp::of(&after?) != self.before {
            return Err(self.changed());
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LayerError> {
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| self.unreadable(error)),
            }
        }
    }

    fn unreadable(&self, source: io::Error) -> LayerError {
        LayerError::Read {
            path: self.path.clone(),
            source,
        }
    }

    fn changed(&self) -> LayerError {
        LayerError::Changed {
            file: self.file.path().to_owned(),
        }
    }
}

fn must_be_regular(metadata: &Metadata, file: &Path) -> Result<(), LayerError> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err(LayerError::NotRegular {
            file: file.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::process::Signal;

    fn image_path() -> ImagePath {
        ImagePath::new("app/data").expect("legal")
    }

    /// Does something once, when the first bytes arrive: that is between two reads of the file.
    struct Meddler<F: FnMut()> {
        meddle: Option<F>,
    }

    impl<F: FnMut()> Write for Meddler<F> {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            if let Some(mut meddle) = self.meddle.take() {
                meddle();
            }
            Ok(buffer.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn copy_while(meddle: impl FnMut(), file: &Path) -> Result<(), LayerError> {
        let path = image_path();
        let mut meddler = Meddler {
            meddle: Some(meddle),
        };
        let mut buffer = [0; 1000];
        Source::open(file, &path)?.copy_to(&mut meddler, &mut buffer, &Interrupt::new())
    }

    /// A file of 3000 bytes, last written an hour after 1970 so that a clock that stands still
    /// between two writes cannot hide a change.
    fn old_file(directory: &tempfile::TempDir) -> PathBuf {
        let path = directory.path().join("data");
        fs_err::write(&path, [7; 3000]).expect("written");
        let file = fs_err::OpenOptions::new().write(true).open(&path);
        file.expect("opened")
            .set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(1))
            .expect("stamped");
        path
    }

    #[test]
    fn a_file_left_alone_is_copied() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = old_file(&directory);
        copy_while(|| (), &file).expect("nobody writes");
    }

    #[test]
    fn growing_shrinking_and_rewriting_are_noticed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for after in [vec![7; 3001], vec![7; 1500], vec![8; 3000]] {
            let file = old_file(&directory);
            let result = copy_while(|| fs_err::write(&file, &after).expect("written"), &file);
            let error = result.expect_err("the file changed");
            assert!(
                error
                    .to_string()
                    .ends_with("data` changed while it was read"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_not_a_file_is_refused_without_waiting() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let pipe = directory.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        for file in [&pipe, directory.path(), Path::new("/dev/null")] {
            let path = image_path();
            let error = Source::open(file, &path).expect_err("not a file");
            assert!(matches!(error, LayerError::NotRegular { .. }), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named_with_its_place_in_the_image() {
        let path = image_path();
        let error = Source::open(Path::new("/nowhere/at/all"), &path).expect_err("missing");
        assert!(error.to_string().contains("`/app/data`"), "{error}");
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.contains("/nowhere/at/all"), "{cause}");
    }

    #[test]
    fn an_interrupt_ends_the_copy() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = old_file(&directory);
        let path = image_path();
        let interrupt = Interrupt::new();
        let mut meddler = Meddler {
            meddle: Some(|| interrupt.send(Signal::Interrupt)),
        };
        let result = Source::open(&file, &path).expect("a file").copy_to(
            &mut meddler,
            &mut [0; 1000],
            &interrupt,
        );
        assert!(matches!(result, Err(LayerError::Interrupted)));
    }
}
