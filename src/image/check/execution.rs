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
    findings.take(at, "config.User", execution.user);
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
    findings.texts(at, "config.Entrypoint", execution.entrypoint);
    findings.texts(at, "config.Cmd", execution.cmd);
    findings.keys(at, "config.Labels", execution.labels);
    findings.take(at, "config.ArgsEscaped", execution.args_escaped);
    if let Some(check) = findings.take(at, "config.Healthcheck", execution.healthcheck) {
        findings.texts(at, "config.Healthcheck.Test", check.test);
    }
    let mut paths: Vec<(&str, String)> = findings
        .keys(at, "config.Volumes", execution.volumes)
        .into_iter()
        .map(|path| ("config.Volumes", path))
        .collect();
    let workdir = findings.take(at, "config.WorkingDir", execution.working_dir);
    let workdir = workdir.filter(|workdir| !workdir.is_empty());
    paths.extend(workdir.map(|workdir| ("config.WorkingDir", workdir)));
    let unusual = |field, found: &str, expected| Problem::Unusual {
        at: at.to_owned(),
        field,
        found: printable(found),
        expected,
    };
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

/// `SIGTERM`, `TERM`, `SIGRTMIN+3` or a number.
fn is_signal(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text
            .parse::<u8>()
            .is_ok_and(|number| (1..=64).contains(&number));
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    let legal =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"+-".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name.bytes().all(legal)
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
        for signal in ["SIGTERM", "TERM", "SIGRTMIN+3", "9", "SIGUSR1"] {
            assert!(is_signal(signal), "{signal}");
        }
        for signal in ["SIG", "0", "65", "sigterm", "15 ", "QUIT NOW"] {
            assert!(!is_signal(signal), "{signal}");
        }
    }
}
