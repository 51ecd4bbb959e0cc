//! Dockerfiles of many shapes, each with the proposal for it: a file in `shapes/` holds the Dockerfile,
//! what goes to standard output, and what goes to standard error.

use std::path::{Path, PathBuf};

use super::workspace;
use crate::support::cli::Lighter;

pub(super) const OUT: &str = "=== standard output\n";
const ERROR: &str = "=== standard error\n";

#[test]
fn every_shape_has_its_proposal() {
    let checkout = workspace();
    let mut wrong = Vec::new();
    let shapes = shapes();
    assert!(shapes.len() >= 25, "{shapes:?}");
    for shape in &shapes {
        let whole = fs_err::read_to_string(shape).expect("readable");
        let (dockerfile, rest) = whole.split_once(OUT).expect("has an output");
        let (stdout, stderr) = rest.split_once(ERROR).expect("has messages");
        checkout.write("Dockerfile", dockerfile);
        let run = Lighter::at(checkout.path())
            .args(["adopt", "Dockerfile", "--offline"])
            .run();
        if (run.code, run.stdout.as_str(), run.stderr.as_str()) != (0, stdout, stderr) {
            wrong.push(format!(
                "{} ({})\n{OUT}{}{ERROR}{}",
                shape.display(),
                run.code,
                run.stdout,
                run.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_proposal_can_be_written_and_read_again() {
    for shape in shapes() {
        let checkout = workspace();
        let whole = fs_err::read_to_string(&shape).expect("readable");
        let (dockerfile, rest) = whole.split_once(OUT).expect("has an output");
        let (table, _) = rest.split_once(ERROR).expect("has messages");
        checkout.write("Dockerfile", dockerfile);
        let adopt = || {
            Lighter::at(checkout.path())
                .args(["adopt", "Dockerfile", "--offline", "--write"])
                .run()
                .expect(0)
        };
        let manifest = adopt().stdout.trim().to_owned();
        let path = checkout.path().join(&manifest);
        let written = fs_err::read_to_string(&path).expect("readable");
        assert!(written.contains(table), "{}:\n{written}", shape.display());
        // The second time the configuration is read with it, and there is nothing to add.
        adopt();
        let again = fs_err::read_to_string(&path).expect("readable");
        assert_eq!(again, written, "{}", shape.display());
    }
}

pub(super) fn shapes() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/adopt/shapes");
    let files = cargo_lighter::fs::sorted_files(&directory).expect("readable");
    files.into_iter().map(|file| file.path).collect()
}
