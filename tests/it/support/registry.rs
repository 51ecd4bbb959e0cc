//! Debian's docker-registry, started for one test on a free port of the loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// User and password of registries that ask for one.
pub(crate) const USER: &str = "harbour";
/// See [`USER`]; it must never be seen in any output.
pub(crate) const PASSWORD: &str = "sesame-0pen-sentinel";

/// A running registry; it stops with the value.
#[derive(Debug)]
pub(crate) struct Registry {
    child: Child,
    directory: TempDir,
    port: u16,
    log: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Registry {
    /// One that lets everybody in.
    pub(crate) fn open() -> Self {
        Self::start(None, "")
    }

    /// One with these further lines in the `http` section of its configuration, which has one line.
    pub(crate) fn with_http(http: &str, with_password: bool) -> Self {
        Self::start(with_password.then(passwords), http)
    }

    /// The same, sending everybody to the token service at `realm`; `bundle` is a file of certificates.
    pub(crate) fn with_token_service(http: &str, realm: &str, bundle: &str) -> Self {
        let auth = format!(
            "auth: {{token: {{realm: '{realm}', service: s, issuer: i, rootcertbundle: '{bundle}'}}}}\n"
        );
        Self::start(Some(Box::new(|_| auth)), http)
    }

    /// One that asks for [`USER`] and [`PASSWORD`].
    pub(crate) fn with_password() -> Self {
        Self::start(Some(passwords()), "")
    }

    fn start(auth: Option<Auth>, http: &str) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let port = free_port();
        let data = directory.path().join("data");
        let mut yaml = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{}'}}, delete: {{enabled: true}}}}\nhttp: {{addr: '127.0.0.1:{port}'{http}}}\n",
            data.display()
        );
        yaml.extend(auth.map(|auth| auth(directory.path())));
        let file = directory.path().join("config.yml");
        fs_err::write(&file, yaml).expect("written");
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry is installed by tests/run");
        let log = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (stdout, stderr) = (
            child.stdout.take().expect("piped"),
            child.stderr.take().expect("piped"),
        );
        let requests = Arc::clone(&log);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                requests.0.lock().expect("no reader panicked").push(line);
                requests.1.notify_all();
            }
        });
        let mut messages = BufReader::new(stderr);
        let mut said = String::new();
        while !said.contains("listening on") {
            let read = messages.read_line(&mut said).expect("readable");
            assert!(read > 0, "docker-registry ended:\n{said}");
        }
        thread::spawn(move || messages.lines().for_each(drop));
        Self {
            child,
            directory,
            port,
            log,
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Lines of the access log so far, such as `… "PUT /v2/… HTTP/1.1" 201 …`.
    pub(crate) fn requests(&self) -> Vec<String> {
        const MARK: &str = "/v2/mark/";
        // The registry writes a line before it answers: once the line of our own request is here, so
        // are those of all requests that were answered before.
        let (lines, more) = &*self.log;
        let marks = |lines: &[String]| lines.iter().filter(|line| line.contains(MARK)).count();
        let before = marks(&lines.lock().expect("no reader panicked"));
        let mut stream = TcpStream::connect(self.host()).expect("it listens");
        write!(
            stream,
            "GET {MARK}tags/list HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.host()
        )
        .expect("sent");
        stream.read_to_end(&mut Vec::new()).expect("an answer");
        let (lines, wait) = more
            .wait_timeout_while(
                lines.lock().expect("no reader panicked"),
                Duration::from_mins(1),
                |lines| marks(lines) == before,
            )
            .expect("no reader panicked");
        assert!(!wait.timed_out(), "the registry's log stands still");
        let all = lines.iter().filter(|line| !line.contains(MARK));
        all.cloned().collect()
    }

    /// How many blobs were uploaded so far, as the registry saw it.
    pub(crate) fn uploads(&self) -> usize {
        let uploaded =
            |line: &&String| line.contains("\"PUT /v2/") && line.contains("/blobs/uploads/");
        self.requests().iter().filter(uploaded).count()
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line of the configuration about who may do what, given the registry's directory.
type Auth = Box<dyn FnOnce(&Path) -> String>;

/// Whoever shows [`USER`] and [`PASSWORD`] may do all.
fn passwords() -> Auth {
    let output = Command::new("htpasswd")
        .args(["-Bbn", USER, PASSWORD])
        .output()
        .expect("htpasswd is installed by tests/run");
    Box::new(move |directory| {
        let path = directory.join("htpasswd");
        fs_err::write(&path, output.stdout).expect("written");
        let path = path.display();
        format!("auth: {{htpasswd: {{realm: test, path: '{path}'}}}}\n")
    })
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
