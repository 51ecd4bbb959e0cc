//! What can be typed and what cannot: one table. The lines are typed where there is no workspace, so that
//! one that is understood says just that, and does nothing.

use crate::support::cli::Lighter;

/// What an understood line says that wants a workspace.
const NO_WORKSPACE: &str = "no `Cargo.toml` in";

/// A line as typed, how it ends, and something that it says.
const LINES: &[(&str, i32, &str)] = &[
    // Nothing, and nonsense.
    ("", 2, "Usage: cargo lighter"),
    ("''", 2, "unrecognized subcommand ''"),
    ("lighter", 2, "Usage: cargo lighter"),
    ("lighter lighter", 2, "unrecognized subcommand 'lighter'"),
    ("--", 2, "Usage: cargo lighter"),
    ("biuld", 2, "a similar subcommand exists: 'build'"),
    (
        "build --taget x",
        2,
        "a similar argument exists: '--target'",
    ),
    // Help and versions are data.
    ("--help", 0, "Usage: cargo lighter"),
    ("lighter --help", 0, "Usage: cargo lighter"),
    ("-h", 0, "Examples:"),
    ("help push", 0, "Usage: cargo lighter push"),
    ("push --help", 0, "--repo <REPO>"),
    ("auth check --help", 0, "Usage: cargo lighter auth check"),
    ("--version", 0, "cargo lighter 0."),
    ("-V", 0, "cargo lighter 0."),
    // cargo's own flags, before and behind the command.
    ("list", 2, NO_WORKSPACE),
    ("lighter list", 2, NO_WORKSPACE),
    ("-v list", 2, NO_WORKSPACE),
    ("list -vv", 2, NO_WORKSPACE),
    ("--color never list -q", 2, NO_WORKSPACE),
    ("list --color=always", 2, NO_WORKSPACE),
    ("list --locked --offline --frozen", 2, NO_WORKSPACE),
    ("list --locked --locked", 2, "cannot be used multiple times"),
    ("list -q -v", 2, "cannot be used with"),
    (
        "build --color pink",
        2,
        "possible values: auto, always, never",
    ),
    ("list --manifest-path no/Cargo.toml", 2, "no/Cargo.toml"),
    ("list --manifest-path", 2, "a value is required"),
    (
        "build -F a,b --features 'c d' --no-default-features",
        2,
        NO_WORKSPACE,
    ),
    ("build --all-features", 2, NO_WORKSPACE),
    ("build -r", 2, NO_WORKSPACE),
    ("build --release --quiet", 2, NO_WORKSPACE),
    ("build --verbose", 2, NO_WORKSPACE),
    ("build --linkage static --builder zigbuild", 2, NO_WORKSPACE),
    ("build --profile dev", 2, NO_WORKSPACE),
    ("build -r --profile dev", 2, "cannot be used with"),
    ("build -j 3", 2, NO_WORKSPACE),
    ("build -j-1", 2, NO_WORKSPACE),
    ("build --jobs default", 2, NO_WORKSPACE),
    ("build -j 0", 2, "invalid value '0' for '--jobs <N>'"),
    ("build -j few", 2, "write a number, or `default`"),
    ("build --target-dir here --keep-going", 2, NO_WORKSPACE),
    // Selections.
    ("list orders 'bill*'", 2, NO_WORKSPACE),
    (
        "plan orders -p a --package b --exclude c --exclude d",
        2,
        NO_WORKSPACE,
    ),
    ("build -- orders", 2, NO_WORKSPACE),
    ("list -t x", 2, "unexpected argument '-t'"),
    // Plans.
    ("plan --format json", 2, NO_WORKSPACE),
    ("plan --format xml", 2, "possible values: text, json"),
    ("plan --keys --explain", 2, NO_WORKSPACE),
    ("plan --explain", 2, "--keys"),
    (
        "plan --keys --against f --format json",
        2,
        "cannot be used with",
    ),
    ("plan --since main --head topic", 2, NO_WORKSPACE),
    ("plan --head topic", 2, "--since <REF>"),
    // Builds and pushes.
    (
        "build --to oci:a --to docker://ghcr.io/acme",
        2,
        NO_WORKSPACE,
    ),
    (
        "build --to",
        2,
        "a value is required for '--to <DESTINATION>'",
    ),
    ("build -L", 2, NO_WORKSPACE),
    ("build --load --to oci:a", 2, NO_WORKSPACE),
    ("push -L", 2, "unexpected argument '-L'"),
    ("build --image-refs refs.txt", 2, NO_WORKSPACE),
    ("build -t v1 -t '{version}'", 2, NO_WORKSPACE),
    (
        "build --target t --platform linux/arm64",
        2,
        "cannot be used with",
    ),
    ("build --message-format json", 2, NO_WORKSPACE),
    (
        "build --message-format short",
        2,
        "possible values: text, json",
    ),
    (
        "build --metadata-file",
        2,
        "a value is required for '--metadata-file <PATH>'",
    ),
    ("build --metadata-file ''", 2, "a value is required"),
    ("build --compression zstd", 2, NO_WORKSPACE),
    ("build --compression-level -1", 2, NO_WORKSPACE),
    ("build --compression-level high", 2, "invalid value 'high'"),
    ("push --repo ghcr.io/acme --from-tag v1", 2, "--since <REF>"),
    ("push --since main --from-tag v1", 2, NO_WORKSPACE),
    ("push --timeout 10m --no-verify-push", 2, NO_WORKSPACE),
    ("push --timeout soon", 2, "invalid value 'soon'"),
    (
        "push --insecure-registry a --insecure-registry b:5000",
        2,
        NO_WORKSPACE,
    ),
    // Splits.
    (
        "split --out o --vendor --no-dev-deps --dockerfile --verify",
        2,
        NO_WORKSPACE,
    ),
    ("split", 2, "--out <DIR>"),
    ("deps orders --profile dev", 2, NO_WORKSPACE),
    // What is missing.
    (
        "doctor orders --platform linux/arm64 --format json",
        2,
        NO_WORKSPACE,
    ),
    (
        "doctor --repo ghcr.io/acme --insecure-registry a",
        2,
        NO_WORKSPACE,
    ),
    ("doctor --format yaml", 2, "possible values: text, json"),
    // Images, and Dockerfiles.
    ("inspect", 2, "<IMAGE>"),
    ("inspect oci:none --platform linux/amd64", 1, "none"),
    ("inspect nowhere:x", 2, "`nowhere:x`"),
    ("inspect oci:a oci:b --against oci:c", 2, "--against"),
    ("inspect oci:none --verify --strict", 1, "none"),
    ("inspect oci:none --strict", 2, "--verify"),
    (
        "inspect oci:none --verify --against oci:b",
        2,
        "cannot be used with",
    ),
    ("inspect oci:none --files 20", 1, "none"),
    ("inspect oci:none --files many", 2, "invalid value 'many'"),
    (
        "inspect oci:none --format yaml",
        2,
        "possible values: text, json",
    ),
    ("adopt", 2, "<DOCKERFILE>"),
    ("adopt none --service x", 2, "none"),
    ("adopt none --write --stage x --context .", 2, "none"),
    ("adopt none --build-arg VERSION=1", 2, "none"),
    ("adopt none --build-arg", 2, "a value is required"),
    ("adopt none --format yaml", 2, "possible values: text, json"),
    ("doctor -t v1", 2, "unexpected argument '-t'"),
    // Credentials.
    ("login ghcr.io", 2, "--username <USER>"),
    ("login ghcr.io -u me", 2, "no password"),
    ("login ghcr.io -u me --password pw", 2, "--password-stdin"),
    ("login ghcr.io -u me --password-stdin", 2, "no password"),
    ("logout", 2, "<HOST>"),
    ("logout ghcr.io", 0, "there were no credentials for ghcr.io"),
    ("auth", 2, "Usage: cargo lighter auth"),
    ("auth check", 2, "<REF>"),
    // The program about itself.
    ("completions bash", 0, "cargo-lighter"),
    ("completions pwsh", 0, "cargo-lighter"),
    ("completions", 2, "<SHELL>"),
    (
        "completions csh",
        2,
        "possible values: bash, zsh, fish, powershell",
    ),
    ("man", 0, ".TH"),
    ("man --out", 2, "a value is required for '--out <DIR>'"),
    ("man build", 2, "unexpected argument 'build'"),
];

#[test]
fn every_line_ends_as_the_table_says() {
    let nowhere = tempfile::tempdir().expect("a directory");
    for (line, code, said) in LINES {
        let words = words(line);
        let run = Lighter::at(nowhere.path()).args(words).run();
        let all = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(run.code, *code, "{line}\n{all}");
        assert!(all.contains(said), "{line}: no `{said}` in\n{all}");
        if *code != 0 {
            assert_eq!(run.stdout, "", "{line}");
        }
    }
    let left = fs_err::read_dir(nowhere.path()).expect("readable").count();
    assert_eq!(left, 0, "something was written");
}

#[test]
fn every_flag_of_every_command_is_in_the_table() {
    let nowhere = tempfile::tempdir().expect("a directory");
    let commands = [
        "list",
        "plan",
        "build",
        "push",
        "split",
        "deps",
        "doctor",
        "inspect",
        "adopt",
        "login",
        "logout",
        "auth check",
        "completions",
        "man",
    ];
    let typed: Vec<Vec<String>> = LINES.iter().map(|(line, ..)| words(line)).collect();
    let is_typed = |flag: &str| {
        let is = |word: &String| word.split('=').next() == Some(flag);
        typed.iter().any(|words| words.iter().any(is))
    };
    let mut missing = Vec::new();
    for command in commands {
        let asked = words(command).into_iter().chain(["--help".to_owned()]);
        let help = Lighter::at(nowhere.path()).args(asked).run().expect(0);
        let lines = help.stdout.lines().map(str::trim_start);
        let flags = lines.filter(|line| line.starts_with('-') && !line.starts_with("- "));
        for line in flags {
            let names = line.split([' ', ',', '.']);
            let mut names = names.filter(|word| word.starts_with('-'));
            if !names.any(is_typed) {
                missing.push(format!("{command}: {line}"));
            }
        }
    }
    assert!(missing.is_empty(), "in no line: {missing:#?}");
}

/// Words as a shell gives them; single quotes keep what they hold together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
