//! What a run that failed says, and what it leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_lighter::fs::{TEMPORARY_PREFIX, sorted_files};
use cargo_lighter::image::check_layout;
use cargo_lighter::medium::LayoutReader;

use super::cli::Run;

impl Run {
    /// A run that said nothing but where it looked and as whom, and one error: `message` (causes indented by two spaces), `hint`.
    #[track_caller]
    pub(crate) fn refuses(self, code: i32, message: &str, hint: &str) -> Self {
        let run = self.expect(code);
        let looks = |line: &str| {
            line.starts_with("    Checking `") || line.contains("` is shown the credential of `")
        };
        let said = run.stderr.lines().filter(|line| !looks(line));
        let said: String = said.flat_map(|line| [line, "\n"]).collect();
        assert_eq!(said, refusal(message, hint));
        assert_eq!(run.stdout, "");
        run
    }

    /// A run that ended with an error after it had begun to work, and put out no data.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, message: &str, hint: &str) -> Self {
        let run = self.expect(code);
        let refusal = refusal(message, hint);
        assert!(
            run.stderr.contains(&refusal),
            "no\n{refusal}in:\n{}",
            run.stderr
        );
        assert_eq!(run.stdout, "");
        run
    }
}

fn refusal(message: &str, hint: &str) -> String {
    if hint.is_empty() {
        format!("error: {message}\n")
    } else {
        format!("error: {message}\n\nhint: {hint}\n")
    }
}

/// The files of a directory as they were.
#[derive(Debug)]
pub(crate) struct Before {
    root: PathBuf,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Before {
    /// All files below `root`, but for what cargo makes.
    pub(crate) fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            files: contents(root),
        }
    }

    /// Asserts that every file is as it was, Cargo.lock and layouts included, that there are no new
    /// ones, and that no temporary file is left anywhere.
    #[track_caller]
    pub(crate) fn holds(&self) {
        let after = contents(&self.root);
        let names: Vec<_> = after.keys().collect();
        assert_eq!(self.files.keys().collect::<Vec<_>>(), names);
        for (name, bytes) in &self.files {
            assert!(after[name] == *bytes, "{} changed", name.display());
        }
        no_temporaries(&self.root);
    }
}

/// cargo's own directory and our locks say nothing; everything else counts, the layout too.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut contents = BTreeMap::new();
    for file in sorted_files(root).expect("readable") {
        // cargo's list of what a build read is its own, too.
        let foreign = ["target/lighter/build", "target/lighter/inputs"]
            .iter()
            .any(|place| file.relative.starts_with(place));
        let lock = file
            .relative
            .file_name()
            .is_some_and(|name| name.to_string_lossy().ends_with("lock"))
            && file.relative != Path::new("Cargo.lock");
        let regular = file.path.symlink_metadata().expect("there").is_file();
        if !foreign && !lock {
            let bytes = regular.then(|| fs_err::read(&file.path).expect("readable"));
            contents.insert(file.relative, bytes.unwrap_or_default());
        }
    }
    contents
}

/// Asserts that no temporary file or directory of ours is below `root`.
#[track_caller]
pub(crate) fn no_temporaries(root: &Path) {
    let left = temporaries(root);
    assert!(left.is_empty(), "{left:?}");
}

/// All temporary files and directories of ours below `root`.
pub(crate) fn temporaries(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry.expect("readable");
        let name = entry.file_name().to_string_lossy();
        if name.starts_with(TEMPORARY_PREFIX) {
            found.push(entry.path().to_owned());
        }
    }
    found
}

/// The names of a layout's images with their digests; the layout must be without any problem.
#[track_caller]
pub(crate) fn images(layout: &Path) -> BTreeMap<String, String> {
    let problems = check_layout(layout).expect("checkable");
    assert!(problems.is_empty(), "{problems:?}");
    let reader = LayoutReader::open(layout).expect("a layout");
    let names = reader.index().expect("an index").names();
    let digest = |name: &String| {
        let descriptor = reader.resolve(Some(name)).expect("there");
        descriptor.digest.to_string()
    };
    names
        .iter()
        .map(|name| (name.clone(), digest(name)))
        .collect()
}
