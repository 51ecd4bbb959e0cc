//! A proxy on a free port of the loopback, which leads every name to this machine, or nowhere.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a proxy does with `CONNECT HOST:PORT`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// It leads to that port of the loopback.
    Lead,
    /// It answers with this status.
    Refuse(u16),
    /// It closes the connection.
    HangUp,
}

/// A running proxy. It takes connections until the test process ends.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One that treats all alike.
    pub(crate) fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&log);
                // Whoever goes away in the middle ends a tunnel.
                thread::spawn(move || drop(serve(stream, manner, &log)));
            }
        });
        Self { port, heads }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// First line and headers of every request so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no server panicked").clone()
    }
}

fn serve(mut client: TcpStream, manner: Manner, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    log.lock().expect("no server panicked").push(head.clone());
    match manner {
        Manner::HangUp => Ok(()),
        Manner::Refuse(status) => {
            let body = "<html>not for you</html>";
            let length = body.len();
            write!(
                client,
                "HTTP/1.1 {status} No\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        }
        Manner::Lead => {
            let port = head.split_whitespace().nth(1).unwrap_or_default();
            let port = port.rsplit_once(':').map_or("", |(_, port)| port);
            let port: u16 = port.parse().map_err(io::Error::other)?;
            let mut server = TcpStream::connect(("127.0.0.1", port))?;
            client.write_all(b"HTTP/1.1 200 Go\r\n\r\n")?;
            let (mut from, mut back) = (server.try_clone()?, client.try_clone()?);
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut back);
                let _ = back.shutdown(Shutdown::Both);
            });
            let result = io::copy(&mut reader, &mut server);
            server.shutdown(Shutdown::Both)?;
            result.map(drop)
        }
    }
}
