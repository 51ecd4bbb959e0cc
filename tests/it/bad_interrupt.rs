//! Being stopped: the exit code of the signal, no child left, nothing half done.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use cargo_lighter::process::{Interrupt, Signal};
use rustix::process::{Pid, kill_process};

use crate::support::cli::Lighter;
use crate::support::refusal::{images, no_temporaries, temporaries};
use crate::support::scripted::{Answer, Scripted, reply};
use crate::support::tools;
use crate::support::workspace::Checkout;

/// A named pipe: whoever opens one end waits for the other, so that nobody needs to sleep.
fn pipe(path: PathBuf) -> PathBuf {
    tools::run(Command::new("mkfifo").arg(&path));
    path
}

/// A build of `alpha` that tells its process number through one pipe and then waits at another, after
/// a first build that ended well.
struct Blocked {
    checkout: Checkout,
    numbers: PathBuf,
}

impl Blocked {
    fn new() -> Self {
        let checkout = Checkout::of_services(&["alpha", "beta"]);
        Lighter::at(checkout.path()).args(["build"]).run().expect(0);
        let numbers = pipe(checkout.path().join("numbers"));
        let gate = pipe(checkout.path().join("gate"));
        let script = format!(
            "fn main() {{\n    std::fs::write(\"{}\", std::process::id().to_string()).unwrap();\n    \
             std::fs::read(\"{}\").unwrap();\n}}\n",
            numbers.display(),
            gate.display()
        );
        checkout.write("alpha/build.rs", &script);
        Self { checkout, numbers }
    }

    fn layout(&self) -> PathBuf {
        self.checkout.path().join("target/lighter/oci")
    }

    /// Starts the program and waits until the build script runs; gives the script's number too.
    fn start(&self) -> (Child, Pid) {
        self.start_after(":")
    }

    /// The same, after `setup` in the shell that starts it.
    fn start_after(&self, setup: &str) -> (Child, Pid) {
        let child = Lighter::at(self.checkout.path())
            .args(["build", "--metadata-file", "out.json"])
            .command(setup)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        (child, number(&self.numbers))
    }
}

/// What comes through a pipe; nothing comes from a program that ended early.
fn read(pipe: &Path) -> String {
    tools::run(Command::new("timeout").args(["120", "cat"]).arg(pipe))
}

fn number(pipe: &Path) -> Pid {
    let text = read(pipe);
    Pid::from_raw(text.trim().parse().expect("a number")).expect("a process")
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("a process")
}

/// Whether a process still does something; one that ended may wait for its parent to ask.
fn lives(pid: Pid) -> bool {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    std::fs::read_to_string(path).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" Z"))
    })
}

fn ended(mut child: Child) -> (ExitStatus, String, String) {
    let mut texts = [String::new(), String::new()];
    let [out, err] = &mut texts;
    let stdout = child.stdout.take().expect("piped").read_to_string(out);
    let stderr = child.stderr.take().expect("piped").read_to_string(err);
    stdout.and(stderr).expect("readable");
    let status = child.wait().expect("it ends");
    let [out, err] = texts;
    (status, out, err)
}

fn signalled(signal: rustix::process::Signal, code: i32) {
    let blocked = Blocked::new();
    let images_before = images(&blocked.layout());
    let index = blocked.layout().join("index.json");
    let index_before = fs_err::read(&index).expect("readable");
    let (child, script) = blocked.start();
    assert!(lives(script));
    kill_process(pid(&child), signal).expect("sent");
    let (status, stdout, stderr) = ended(child);
    assert_eq!(status.code(), Some(code), "{stderr}");
    assert_eq!(stdout, "");
    assert!(stderr.ends_with("error: interrupted\n"), "{stderr}");
    assert!(!lives(script), "the build script outlived the run");
    assert_eq!(fs_err::read(&index).expect("readable"), index_before);
    assert_eq!(images(&blocked.layout()), images_before);
    no_temporaries(blocked.checkout.path());
    let text = fs_err::read_to_string(blocked.checkout.path().join("out.json")).expect("written");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for service in summary["services"].as_array().expect("a list") {
        assert_eq!(service["status"], "failed");
    }
}

#[test]
fn an_interrupt_while_cargo_compiles_ends_with_130() {
    signalled(rustix::process::Signal::INT, 130);
}

#[test]
fn a_hangup_that_nohup_ignores_ends_nothing() {
    let blocked = Blocked::new();
    let (child, _) = blocked.start_after("trap '' HUP");
    kill_process(pid(&child), rustix::process::Signal::HUP).expect("sent");
    fs_err::write(blocked.checkout.path().join("gate"), "").expect("opened");
    let (status, _, stderr) = ended(child);
    assert_eq!(status.code(), Some(0), "{stderr}");
}

#[test]
fn a_polite_end_while_cargo_compiles_is_143() {
    signalled(rustix::process::Signal::TERM, 143);
}

/// A cargo that will not hear of ending, until the test lets it.
#[test]
fn a_second_interrupt_ends_at_once_and_the_next_run_tidies_up() {
    let checkout = Checkout::of_services(&["alpha"]);
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    let [numbers, told] = ["numbers", "told"].map(|name| pipe(checkout.path().join(name)));
    let gate = pipe(checkout.path().join("gate"));
    let cargo = tools::run(Command::new("sh").args(["-c", "command -v cargo"]));
    checkout.write(
        "deaf",
        &format!(
            "#!/bin/sh\nif [ \"$1\" != build ]; then exec '{}' \"$@\"; fi\ntrap 'echo > \"{}\"' TERM\n\
             echo $$ > '{}'\nwhile ! read line < '{}'; do :; done\n",
            cargo.trim(),
            told.display(),
            numbers.display(),
            gate.display()
        ),
    );
    let deaf = checkout.path().join("deaf");
    fs_err::set_permissions(&deaf, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let child = Lighter::at(checkout.path())
        .args(["build"])
        .env("CARGO", deaf)
        .command(":")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stubborn = number(&numbers);
    let program = pid(&child);
    kill_process(program, rustix::process::Signal::INT).expect("sent");
    // The child was told, thus the first signal was heard.
    read(&told);
    kill_process(program, rustix::process::Signal::INT).expect("sent");
    let mut child = child;
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(lives(stubborn), "the run waited for its child");
    kill_process(stubborn, rustix::process::Signal::KILL).expect("sent");
    let (_, stdout, stderr) = ended(child);
    assert_eq!(stdout, "");
    assert!(!stderr.contains("error: interrupted"), "{stderr}");
    assert_eq!(temporaries(checkout.path()).len(), 1);
    let layout = checkout.path().join("target/lighter/oci");
    assert_eq!(images(&layout).len(), 1);
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    no_temporaries(checkout.path());
    assert_eq!(images(&layout).len(), 1);
}

/// A registry that takes what is asked before the build and then says nothing any more.
#[test]
fn an_interrupt_ends_a_push_that_waits_for_an_answer() {
    const SESSION: &[(&str, &str)] = &[("Location", "/v2/shop/alpha/blobs/uploads/session")];
    for silent in ["GET /v2/", "POST", "HEAD", "PATCH", "PUT"] {
        let server = Scripted::new(move |request| match request.split_once(' ') {
            Some(_) if request.starts_with(silent) => Answer::Silence,
            Some(("GET", "/v2/")) => reply(200, "{}"),
            Some(("POST" | "PATCH", _)) => Answer::Reply(202, SESSION, String::new()),
            Some(("HEAD", _)) => reply(404, ""),
            Some(("DELETE", _)) => reply(204, ""),
            _ => Answer::Silence,
        });
        let checkout = Checkout::of_services(&["alpha"]);
        let interrupt = Interrupt::new();
        let repo = format!("{}/shop", server.host());
        let run = thread::scope(|scope| {
            scope.spawn(|| {
                server.wait_for_silence();
                interrupt.send(Signal::Interrupt);
            });
            Lighter::at(checkout.path())
                .args(["push", "--repo", &repo])
                .interrupted_by(&interrupt)
                .run()
        });
        let run = run.expect(130);
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr.ends_with("error: interrupted\n"),
            "{}",
            run.stderr
        );
        assert_eq!(run.stderr.matches("error").count(), 1, "{}", run.stderr);
        no_temporaries(checkout.path());
    }
}

/// A registry and a password that never ends: the program is told to stop once it reads.
fn login_stopped_by(signal: rustix::process::Signal, code: i32) {
    let server = Scripted::new(|_| reply(200, "{}"));
    let home = Checkout::empty();
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let capacity = rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("set");
    let lighter = Lighter::at("/").env("HOME", home.path());
    let mut command = lighter
        .args(["login", &server.host(), "-u", "me", "--password-stdin"])
        .command(":");
    let child = command
        .stdin(reader)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The command keeps the reading end open.
    drop(command);
    // More than the pipe holds: when it is written, the program reads.
    writer.write_all(&vec![b'x'; capacity + 1]).expect("read");
    kill_process(pid(&child), signal).expect("sent");
    let (status, stdout, stderr) = ended(child);
    assert_eq!(status.code(), Some(code), "{stderr}");
    assert_eq!(stdout, "");
    assert_eq!(stderr, "error: interrupted\n");
    assert_eq!(home.listing(), []);
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn a_login_that_waits_for_a_password_can_be_interrupted() {
    login_stopped_by(rustix::process::Signal::INT, 130);
    login_stopped_by(rustix::process::Signal::TERM, 143);
}

#[test]
fn a_run_that_was_stopped_before_it_began_does_nothing() {
    let checkout = Checkout::of_services(&["alpha"]);
    let interrupt = Interrupt::new();
    interrupt.send(Signal::Terminate);
    let run = Lighter::at(checkout.path())
        .args(["build"])
        .interrupted_by(&interrupt)
        .run();
    run.refuses(143, "interrupted", "");
    assert!(!checkout.path().join("target").exists());
}
