//! Disks that are small, or that nobody may write to.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::tools::{output, run, skipped};

/// A file system of a few megabytes, which goes with the value.
pub(crate) struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this test may not mount anything; that is said.
    pub(crate) fn mount(size: &str) -> Option<Self> {
        let directory = TempDir::new().expect("a temporary directory");
        let mounted = output(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
                .arg(directory.path()),
        );
        if mounted.status.success() {
            return Some(Self(directory));
        }
        let why = String::from_utf8_lossy(&mounted.stderr).into_owned();
        // No test can know what a machine allows; its log shows that this one did not run.
        skipped(&format!("no tmpfs: {why}"));
        None
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// From now on nobody writes to it, root included.
    pub(crate) fn protect(&self) {
        run(Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path()));
    }

    /// Leaves so many bytes.
    pub(crate) fn fill(&self, free: usize) {
        let filler = self.path().join("filler");
        let mut size = 0;
        let mut chunk = 1 << 20;
        while chunk >= 4096 {
            size += chunk;
            if fs_err::write(&filler, vec![1; size]).is_err() {
                size -= chunk;
                chunk /= 2;
            }
        }
        fs_err::write(&filler, vec![1; size - free]).expect("fits");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}
