//! That the table of scenarios does not shrink unnoticed, and stays quick: it is played once more, by a process
//! that does nothing else and whose time the shell measures.

use std::process::Command;

/// What to run: all that plays scenarios, but for the floods, whose time is that of the bytes.
const MODULES: [&str; 6] = [
    "registry_faults::access::",
    "registry_faults::leaks::",
    "registry_faults::lies::",
    "registry_faults::manifests::",
    "registry_faults::retries::",
    "registry_faults::uploads::",
];
/// Has every scenario told.
pub(super) const VARIABLE: &str = "LIGHTER_TEST_TABLE";
pub(super) const PLAYED: &str = "played: ";

const LEAST_SCENARIOS: usize = 60;
const LEAST_LIES: usize = 8;
const LEAST_CREDENTIALS: usize = 40;
/// In seconds of processors, so that other work on the machine does not count.
const MOST_TIME: f64 = 60.0;

#[test]
#[expect(clippy::print_stdout, reason = "figures for whoever asks for them")]
fn the_table_keeps_its_size_and_takes_less_than_a_minute() {
    let output = Command::new("sh")
        .args(["-c", r#""$@" && times"#, "sh"])
        .arg(std::env::current_exe().expect("a program"))
        .args(MODULES)
        .args(["--nocapture", "--quiet"])
        .env(VARIABLE, "1")
        .env_remove("LIGHTER_PEERS")
        .output()
        .expect("starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let cause = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{cause}");
    let ids: Vec<&str> = told
        .lines()
        // The runner of tests writes its dots into the same lines.
        .filter_map(|line| Some(line.split_once(PLAYED)?.1))
        .collect();
    let count = |kind: &str| ids.iter().filter(|id| id.starts_with(kind)).count();
    let (lies, credentials) = (count("L"), count("C"));
    let scenarios = ids.len() - credentials;
    let seconds = seconds_of_children(&told);
    println!(
        "{scenarios} scenarios, {lies} of them lies, and {credentials} cases of credentials in {seconds} s"
    );
    assert!(scenarios >= LEAST_SCENARIOS, "{scenarios} scenarios");
    assert!(lies >= LEAST_LIES, "{lies} lies");
    assert!(credentials >= LEAST_CREDENTIALS, "{credentials} cases");
    assert!(seconds < MOST_TIME, "{seconds} s");
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len(), "two scenarios have one id");
}

/// The last line of `times` (POSIX): what children took of processors, as `0m1.5s 0m0.2s`.
fn seconds_of_children(told: &str) -> f64 {
    let last = told.lines().last().expect("a line");
    let seconds = |text: &str| -> Option<f64> {
        let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    last.split_whitespace()
        .map(|text| seconds(text).unwrap_or_else(|| panic!("`{last}` is no time")))
        .sum()
}
