//! A scripted HTTP server on a free loopback port, which keeps what it received.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) method: String,
    /// Path and query as sent.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().expect("a path")
    }

    pub(super) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let matching = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(matching)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }
}

/// What to do about a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Reply {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Closes the connection without a word.
    Hangup,
    /// Says nothing until the client goes away.
    Silence,
    /// A status and a body without end.
    Flood(u16),
    /// These bytes and nothing else.
    Raw(Vec<u8>),
    /// These bytes, and nothing more while the connection stands.
    Holding(Vec<u8>),
    /// These bytes again and again.
    Endless(Vec<u8>),
}

impl Answer {
    pub(super) fn status(status: u16) -> Self {
        Self::Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Self::Reply { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    pub(super) fn body(mut self, text: impl Into<Vec<u8>>) -> Self {
        if let Self::Reply { body, .. } = &mut self {
            *body = text.into();
        }
        self
    }
}

type Handler = dyn Fn(&Received) -> Answer + Send + Sync;

/// Runs until dropped.
pub(super) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    flooded: Arc<Mutex<u64>>,
    stopped: Arc<Mutex<bool>>,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            received: Arc::default(),
            flooded: Arc::default(),
            stopped: Arc::default(),
        };
        let handler: Arc<Handler> = Arc::new(handler);
        let (received, flooded) = (Arc::clone(&server.received), Arc::clone(&server.flooded));
        let stopped = Arc::clone(&server.stopped);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if *stopped.lock().expect("a lock") {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let handler = Arc::clone(&handler);
                let (received, flooded) = (Arc::clone(&received), Arc::clone(&flooded));
                thread::spawn(move || serve(stream, &*handler, &received, &flooded));
            }
        });
        server
    }

    /// `HOST:PORT`.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("a lock").clone()
    }

    pub(super) fn count(&self, method: &str, part: &str) -> usize {
        let matching =
            |request: &&Received| request.method == method && request.path().contains(part);
        self.received().iter().filter(matching).count()
    }

    /// Bytes that floods could get rid of.
    pub(super) fn flooded(&self) -> u64 {
        *self.flooded.lock().expect("a lock")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        *self.stopped.lock().expect("a lock") = true;
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: TcpStream,
    handler: &Handler,
    received: &Mutex<Vec<Received>>,
    flooded: &Mutex<u64>,
) {
    let mut writer = stream.try_clone().expect("a handle");
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, &mut writer) {
        received.lock().expect("a lock").push(request.clone());
        match handler(&request) {
            Answer::Reply {
                status,
                headers,
                body,
            } => {
                let body = if request.method == "HEAD" {
                    &[]
                } else {
                    body.as_slice()
                };
                if write_reply(&mut writer, status, headers, body).is_err() {
                    return;
                }
            }
            Answer::Hangup => {
                let _ = writer.shutdown(Shutdown::Both);
                return;
            }
            Answer::Silence => {
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Answer::Raw(bytes) => {
                let _ = writer.write_all(&bytes);
                return;
            }
            Answer::Holding(bytes) => {
                let _ = writer.write_all(&bytes);
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Answer::Endless(bytes) => return repeat(&mut writer, &bytes, flooded),
            Answer::Flood(status) => return flood(&mut writer, status, flooded),
        }
    }
}

fn write_reply(
    writer: &mut TcpStream,
    status: u16,
    mut headers: Vec<(String, String)>,
    body: &[u8],
) -> io::Result<()> {
    let is_length = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-length");
    if status != 204 && !headers.iter().any(is_length) {
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
    }
    let mut bytes = format!("HTTP/1.1 {status} X\r\n").into_bytes();
    for (name, value) in headers {
        write!(bytes, "{name}: {value}\r\n")?;
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    writer.write_all(&bytes)
}

fn flood(writer: &mut TcpStream, status: u16, flooded: &Mutex<u64>) {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 400000000\r\n\r\n");
    if writer.write_all(head.as_bytes()).is_ok() {
        repeat(writer, b"x", flooded);
    }
}

/// Sends until the client goes away.
fn repeat(writer: &mut TcpStream, bytes: &[u8], flooded: &Mutex<u64>) {
    let chunk = bytes.repeat(65536 / bytes.len());
    while writer.write_all(&chunk).is_ok() {
        *flooded.lock().expect("a lock") += chunk.len() as u64;
    }
}

fn read(reader: &mut BufReader<TcpStream>, writer: &mut TcpStream) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Received {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    if request.header("expect").is_some() {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let length = request
        .header("content-length")
        .unwrap_or("0")
        .parse()
        .ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = body;
    Some(request)
}
