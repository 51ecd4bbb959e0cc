//! HTTP/1.1 by hand, so that it can be broken at any byte.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use super::fault::Flood;

/// Most bytes of a body that nobody asked for which are drained.
const MOST_DRAINED: u64 = 64 * 1024 * 1024;
/// What stands for no end.
const MOST_FLOODED: u64 = 400_000_000;

/// A request's first part.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The values of a parameter of the query, decoded.
    pub(crate) fn parameters(&self, name: &str) -> Vec<String> {
        url::form_urlencoded::parse(self.query().as_bytes())
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn length(&self) -> u64 {
        let length = self.header("content-length");
        length.and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// A connection.
pub(super) struct Wire {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        Ok(Self {
            writer: stream.try_clone()?,
            reader: BufReader::new(stream),
        })
    }

    /// The next request, unless the client is gone or speaks no HTTP.
    pub(super) fn head(&mut self) -> Option<Head> {
        let first = self.line()?;
        let mut words = first.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Some(Head {
            method,
            target,
            headers,
        })
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads so many bytes of the body.
    pub(super) fn body(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        let read = (&mut self.reader).take(length).read_to_end(&mut body)?;
        if read as u64 == length {
            Ok(body)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Writes an answer, of its body at most `most` bytes.
    pub(super) fn answer(&mut self, method: &str, answer: &Answer, most: usize) -> io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {} X\r\n", answer.status).into_bytes();
        for (name, value) in &answer.headers {
            write!(bytes, "{name}: {value}\r\n")?;
        }
        let bodiless = method == "HEAD" || answer.status == 204;
        if answer.header("content-length").is_none() && !bodiless {
            write!(bytes, "Content-Length: {}\r\n", answer.body.len())?;
        }
        bytes.extend(b"\r\n");
        if method != "HEAD" {
            bytes.extend(&answer.body[..answer.body.len().min(most)]);
        }
        self.writer.write_all(&bytes)
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// Sends without an end, as long as somebody takes it, and gives how much was taken.
    pub(super) fn flood(&mut self, status: u16, flood: Flood) -> u64 {
        let x = "x".repeat(65536);
        let (begin, again) = match flood {
            Flood::Body => (format!("Content-Length: {MOST_FLOODED}\r\n\r\n"), x),
            Flood::Pieces => (
                "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
                format!("10000\r\n{x}\r\n"),
            ),
            Flood::Headers => (String::new(), "X-Flood: x\r\n".repeat(4096)),
            Flood::Header => ("X-Flood: ".to_owned(), x),
            Flood::Warnings => {
                let text = "x".repeat(3000);
                let warning = |number| format!("Warning: 299 - \"{number}{text}\"\r\n");
                let warnings: String = (0..90).map(warning).collect();
                (
                    format!("{warnings}Content-Length: {MOST_FLOODED}\r\n\r\n"),
                    x,
                )
            }
        };
        let head = format!("HTTP/1.1 {status} X\r\n{begin}");
        let mut sent = 0;
        let mut result = self.writer.write_all(head.as_bytes());
        while result.is_ok() && sent < MOST_FLOODED {
            result = self.writer.write_all(again.as_bytes());
            sent += again.len() as u64;
        }
        sent
    }

    /// Begins an answer and goes on with it so slowly that it never ends.
    pub(super) fn drip(&mut self) {
        let begin = b"HTTP/1.1 200 OK\r\nX-Slow: ";
        let mut sent = self.writer.write_all(begin);
        while sent.is_ok() {
            thread::sleep(Duration::from_millis(20));
            sent = self.writer.write_all(b"x");
        }
    }

    /// Waits until the client closes.
    pub(super) fn wait_for_end(&mut self) {
        let _ = io::copy(&mut self.reader, &mut io::sink());
    }

    /// Says that no more comes, and takes what still arrives.
    pub(super) fn drain(&mut self) {
        let _ = self.writer.shutdown(Shutdown::Write);
        let _ = io::copy(&mut (&mut self.reader).take(MOST_DRAINED), &mut io::sink());
    }

    pub(super) fn hang_up(&mut self) {
        let _ = self.writer.shutdown(Shutdown::Both);
    }

    /// Ends the connection with a reset.
    pub(super) fn reset(self) {
        let _ = rustix::net::sockopt::set_socket_linger(&self.writer, Some(Duration::ZERO));
    }
}
