//! Children that behave, and children that do not.

use super::*;

fn shell(script: &str) -> Program {
    let environment = Environment::new("/", [("PATH".into(), "/usr/bin:/bin".into())]);
    Program::new("sh", &environment).arg("-c").arg(script)
}

#[test]
fn sees_only_the_given_environment() {
    let captured = shell("cat; echo $HOME-$A")
        .env("A", "b")
        .capture(b"in ")
        .expect("ran");
    assert_eq!(captured.stdout, b"in -b\n");
}

#[test]
fn the_password_for_a_registry_is_not_for_children() {
    let captured = shell("echo ${LIGHTER_REGISTRY_USER-none} ${LIGHTER_REGISTRY_PASSWORD-none} $A")
        .env("A", "b")
        .env("LIGHTER_REGISTRY_USER", "me")
        .env("LIGHTER_REGISTRY_PASSWORD", "hunter2")
        .capture(b"")
        .expect("ran");
    assert_eq!(captured.stdout, b"none none b\n");
}

#[test]
fn stops_at_the_time_limit_with_all_that_it_started() {
    let error = shell("sleep 60 & sleep 60")
        .time_limit(Duration::from_millis(50))
        .capture(b"");
    assert!(matches!(error, Err(ProgramError::TimeLimit { .. })));
}

#[test]
fn refuses_a_flood() {
    let error = shell("yes | head -c 100000")
        .output_limit(1000)
        .capture(b"");
    assert!(matches!(error, Err(ProgramError::OutputLimit { .. })));
}

#[test]
fn an_interrupt_reaches_the_group() {
    let interrupt = Interrupt::new();
    let program = shell("echo up; sleep 60 & wait").interrupted_by(&interrupt);
    let result = program.stream(|_| interrupt.send(super::super::Signal::Interrupt), |_| {});
    assert!(matches!(result, Err(ProgramError::Interrupted)));
}

#[test]
fn a_printed_command_holds_what_was_set_and_can_be_typed() {
    let program = shell("echo it's").env("FLAGS", "x y");
    assert_eq!(program.command_line(), r"FLAGS='x y' sh -c 'echo it'\''s'");
}

#[test]
fn whoever_ignores_the_polite_signal_is_killed_though_its_parent_ended() {
    let interrupt = Interrupt::new();
    let deaf = "trap '' TERM; echo $$; exec sleep 600 >/dev/null 2>&1";
    let program =
        shell(&format!("sh -c \"{}\" & wait", deaf.replace('$', "\\$"))).interrupted_by(&interrupt);
    let mut number = String::new();
    let note = |line: &str| {
        number = line.to_owned();
        interrupt.send(super::super::Signal::Interrupt);
    };
    let result = program.stream(note, |_| {});
    assert!(matches!(result, Err(ProgramError::Interrupted)));
    let state = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
    assert!(!number.is_empty());
}

#[test]
fn whoever_left_the_group_and_holds_the_pipes_holds_nobody_up() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let fifo = directory.path().join("held");
    let made = Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let script = format!(
        "setsid sh -c 'read line < {}' & echo answer",
        fifo.display()
    );
    let captured = shell(&script).capture(b"").expect("it answered and ended");
    assert_eq!(captured.stdout, b"answer\n");
    let mut lines = Vec::new();
    let status = shell(&script).stream(|line| lines.push(line.to_owned()), |_| {});
    assert!(status.expect("it ended").success());
    assert_eq!(lines, ["answer"]);
    // Lets both readers of the fifo go.
    fs_err::write(&fifo, "\n\n").expect("written");
}

#[test]
fn only_who_asks_stays_in_our_process_group() {
    let script = "cut -d ' ' -f 5 /proc/$$/stat";
    let group = |program: Program| {
        let captured = program.capture(b"").expect("ran");
        let text = String::from_utf8(captured.stdout).expect("a number");
        text.trim().parse::<i32>().expect("a number")
    };
    let ours = rustix::process::getpgrp().as_raw_nonzero().get();
    assert_eq!(group(shell(script).asking()), ours);
    assert_ne!(group(shell(script)), ours);
}

#[test]
fn who_asks_and_gets_no_answer_is_stopped() {
    let error = shell("exec sleep 600")
        .asking()
        .time_limit(Duration::from_millis(50))
        .capture(b"");
    assert!(matches!(error, Err(ProgramError::TimeLimit { .. })));
}

#[test]
fn what_a_tidied_program_leaves_behind_ends_with_it() {
    for left in ["sleep 600", "sh -c \"trap '' TERM; exec sleep 600\""] {
        let script = format!("{left} >/dev/null 2>&1 </dev/null & echo $!");
        let captured = shell(&script).tidied().capture(b"").expect("ran");
        let number = String::from_utf8(captured.stdout).expect("a number");
        let path = format!("/proc/{}/stat", number.trim());
        // It may take the kernel a moment, and whoever asks for it another.
        let since = Instant::now();
        let gone = || {
            let state = std::fs::read_to_string(&path).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        };
        while !gone() && since.elapsed() < Duration::from_secs(20) {
            thread::yield_now();
        }
        assert!(gone(), "{left}");
    }
}

#[test]
fn a_missing_program_is_named() {
    let environment = Environment::new("/", []);
    let error = Program::new("no-such-program", &environment)
        .capture(b"")
        .expect_err("missing");
    assert_eq!(error.to_string(), "cannot run `no-such-program`");
    assert!(error.hint().is_some());
}
