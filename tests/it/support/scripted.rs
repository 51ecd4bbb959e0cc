//! A registry that answers as a test wants it to, on a free port of the loopback.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What to do with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status, headers and body.
    Reply(u16, &'static [(&'static str, &'static str)], String),
    /// Nothing, for as long as the client waits.
    Silence,
    /// The connection ends.
    HangUp,
}

/// An answer without headers.
pub(crate) fn reply(status: u16, body: &str) -> Answer {
    Answer::Reply(status, &[], body.to_owned())
}

/// A running server. It takes connections until the test process ends.
#[derive(Debug)]
pub(crate) struct Scripted {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    silences: Mutex<Receiver<()>>,
}

impl Scripted {
    /// One that answers to each `METHOD /path?query`.
    pub(crate) fn new(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (sender, silences) = channel();
        let script = Arc::new(script);
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                let sender: Sender<()> = sender.clone();
                thread::spawn(move || {
                    // A client that goes away in the middle is what some tests are about.
                    let _ = serve(&stream, &*script, &log, &sender);
                });
            }
        });
        Self {
            port,
            requests,
            silences: Mutex::new(silences),
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Every `METHOD /path?query` so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no server panicked").clone()
    }

    /// Waits until a request meets with silence.
    pub(crate) fn wait_for_silence(&self) {
        let silences = self.silences.lock().expect("no waiter panicked");
        let limit = Duration::from_mins(2);
        silences.recv_timeout(limit).expect("a silent answer");
    }
}

fn serve(
    mut stream: &TcpStream,
    script: &dyn Fn(&str) -> Answer,
    log: &Mutex<Vec<String>>,
    silent: &Sender<()>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let request = first.rsplit_once(' ').map_or("", |(request, _)| request);
    let headers = headers(&mut reader)?;
    log.lock()
        .expect("no server panicked")
        .push(request.to_owned());
    match script(request) {
        Answer::HangUp => Ok(()),
        Answer::Silence => {
            let _ = silent.send(());
            // Until the client closes the connection.
            io::copy(&mut reader, &mut io::sink()).map(drop)
        }
        Answer::Reply(status, more, body) => {
            let length = headers.get("content-length");
            let length = length.and_then(|text| text.parse().ok()).unwrap_or(0);
            io::copy(&mut reader.take(length), &mut io::sink())?;
            let more: String = more
                .iter()
                .flat_map(|(name, value)| [*name, ": ", *value, "\r\n"])
                .collect();
            let body = if request.starts_with("HEAD ") {
                ""
            } else {
                &body
            };
            write!(
                stream,
                "HTTP/1.1 {status} Scripted\r\nConnection: close\r\nContent-Length: {}\r\n{more}\r\n{body}",
                body.len()
            )
        }
    }
}

fn headers(reader: &mut BufReader<TcpStream>) -> io::Result<BTreeMap<String, String>> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None => return Ok(headers),
        };
    }
}
