//! What a configuration says of how its image runs (image-spec, config.md, "Properties").

use super::findings::Findings;
use super::loose::Execution;
use super::problem::Problem;
use crate::report::printable;

/// What is in the `config` of the configuration at `at`, of an image for Linux or another system.
pub(super) fn check(at: &str, execution: Execution, is_linux: bool, findings: &mut Findings) {
    let form = |field: &str, found: &str, expected| Problem::Form {
        at: at.to_owned(),
        field: field.to_owned(),
        found: printable(found),
        expected,
    };
    let unusual = |field, found: &str, expected| Problem::Unusual {
        at: at.to_owned(),
        field,
        found: printable(found),
        expected,
    };
    let user = findings.take(at, "config.User", execution.user);
    if let Some(user) = user.filter(|user| is_linux && !user.is_empty() && !is_user(user)) {
        findings.add(unusual("config.User", &user, "user or `USER:GROUP`"));
    }
    for port in findings.keys(at, "config.ExposedPorts", execution.exposed_ports) {
        if !is_port(&port) {
            findings.add(form("config.ExposedPorts", &port, "port"));
        }
    }
    for variable in findings.texts(at, "config.Env", execution.env) {
        if variable.find('=').is_none_or(|equals| equals == 0) || variable.contains('\0') {
            findings.add(form("config.Env", &variable, "`NAME=value`"));
        }
    }
    let entrypoint = findings.texts(at, "config.Entrypoint", execution.entrypoint);
    let cmd = findings.texts(at, "config.Cmd", execution.cmd);
    // The first word is what is started.
    let mut is_started = true;
    for (field, words) in [("config.Entrypoint", entrypoint), ("config.Cmd", cmd)] {
        for word in words {
            if is_started && word.is_empty() {
                findings.add(unusual(field, &word, "name of an executable"));
            } else if word.contains('\0') {
                findings.add(unusual(field, &word, "word that a process can be given"));
            }
            is_started = false;
        }
    }
    findings.keys(at, "config.Labels", execution.labels);
    findings.take(at, "config.ArgsEscaped", execution.args_escaped);
    if let Some(check) = findings.take(at, "config.Healthcheck", execution.healthcheck) {
        let test = findings.texts(at, "config.Healthcheck.Test", check.test);
        let kinds = ["NONE", "CMD", "CMD-SHELL"];
        if let Some(kind) = test.first().filter(|first| !kinds.contains(&&***first)) {
            let expected = "`NONE`, `CMD` or `CMD-SHELL`";
            findings.add(unusual("config.Healthcheck.Test", kind, expected));
        }
    }
    let mut paths: Vec<(&str, String)> = findings
        .keys(at, "config.Volumes", execution.volumes)
        .into_iter()
        .map(|path| ("config.Volumes", path))
        .collect();
    let workdir = findings.take(at, "config.WorkingDir", execution.working_dir);
    let workdir = workdir.filter(|workdir| !workdir.is_empty());
    paths.extend(workdir.map(|workdir| ("config.WorkingDir", workdir)));
    for (field, path) in paths {
        if is_linux && !path.starts_with('/') {
            findings.add(unusual(field, &path, "absolute path"));
        }
    }
    let signal = findings.take(at, "config.StopSignal", execution.stop_signal);
    if let Some(signal) = signal.filter(|signal| !signal.is_empty() && !is_signal(signal)) {
        findings.add(unusual("config.StopSignal", &signal, "signal"));
    }
}

/// `8080`, `53/udp`; also what docker adds to the specification: `sctp`, and ranges.
fn is_port(text: &str) -> bool {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| plain)
    };
    let is_range = number(first)
        .zip(number(last))
        .is_some_and(|(first, last)| first <= last);
    is_range && matches!(protocol, "tcp" | "udp" | "sctp")
}

/// A name or number, and perhaps one of a group: no system has a name with a space or a second colon in it.
fn is_user(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    text.matches(':').count() <= 1 && !text.contains(blank)
}

/// What docker and podman know by name, without `SIG` (moby, sys/signal, `SignalMap` of Linux).
const SIGNALS: [&str; 36] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS",
    "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
    "XFSZ",
];

/// `SIGTERM`, `TERM`, `SIGRTMIN+3` or a number.
fn is_signal(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text
            .parse::<u8>()
            .is_ok_and(|number| (1..=64).contains(&number));
    }
    // In capitals or not, as both read it.
    let text = text.to_ascii_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    let offset = |digits: &str, most: u8| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain
            && digits
                .parse()
                .is_ok_and(|offset| (1..=most).contains(&offset))
    };
    // Linux has 31 signals for real time, from 34 to 64, which are counted from the nearer end.
    let is_real_time = match (name.strip_prefix("RTMIN+"), name.strip_prefix("RTMAX-")) {
        (Some(digits), _) => offset(digits, 15),
        (_, Some(digits)) => offset(digits, 14),
        _ => false,
    };
    is_real_time || SIGNALS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_signals_are_those_of_runtimes() {
        for port in ["80", "53/udp", "9/sctp", "8000-8010/tcp", "0"] {
            assert!(is_port(port), "{port}");
        }
        for port in [
            "", "http", "80/", "80/icmp", "+80", "65536", "9-8", "80/tcp/x",
        ] {
            assert!(!is_port(port), "{port}");
        }
        for signal in [
            "SIGTERM",
            "sigterm",
            "TERM",
            "SIGRTMIN",
            "RTMIN+3",
            "SIGRTMAX-14",
            "9",
            "64",
            "SIGUSR1",
            "SIGIOT",
        ] {
            assert!(is_signal(signal), "{signal}");
        }
        for signal in [
            "SIG",
            "0",
            "65",
            "15 ",
            "QUIT NOW",
            "FOO",
            "SIGFOO",
            "SIGRTMIN+16",
            "RTMAX-+1",
            "SIGRTMIN+",
            "SIGTERM+1",
            "SIGSIGTERM",
        ] {
            assert!(!is_signal(signal), "{signal}");
        }
        for user in ["0", "65532:65532", "nobody", "app:", "a-b.c@d:_x", "app:1"] {
            assert!(is_user(user), "{user}");
        }
        for user in [" ", "a:b:c", "::", "a b", "app\n", "a\0"] {
            assert!(!is_user(user), "{user:?}");
        }
    }
}
