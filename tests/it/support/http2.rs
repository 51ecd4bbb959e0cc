//! A front that speaks HTTP/2 over TLS before a registry that does not, and breaks off as HTTP/2 allows.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use hyper::{Request, Response};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::authority::Authority;

type Broken = Box<dyn std::error::Error + Send + Sync>;

/// What befalls a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered, and its connection takes no further ones (GOAWAY).
    Last,
    /// Its connection ends at once, while its body is on the way (GOAWAY).
    CutOff,
    /// It is not looked at (`REFUSED_STREAM`).
    Refused,
    /// Its connection stays open, and nothing is heard on it again.
    Dead,
}

/// Which requests meet a fault: a method, a part of the path, and how many of them.
pub(crate) type Faults = Vec<(&'static str, &'static str, usize, Fault)>;

/// A running front. It takes connections until the test process ends.
#[derive(Debug)]
pub(crate) struct Front {
    port: u16,
    faults: Arc<Mutex<Faults>>,
}

impl Front {
    /// One before the registry at `host`, with a certificate of `authority`.
    pub(crate) fn new(host: &str, authority: &Authority, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let acceptor = TlsAcceptor::from(Arc::new(tls(authority)));
        let faults = Arc::new(Mutex::new(faults));
        let (left, host) = (Arc::clone(&faults), host.to_owned());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime");
            for stream in listener.incoming().map_while(Result::ok) {
                let (acceptor, host, left) = (acceptor.clone(), host.clone(), Arc::clone(&left));
                // A client that goes away in the middle is what some tests are about.
                runtime.spawn(async move { serve(stream, acceptor, host, &left).await.ok() });
            }
        });
        Self { port, faults }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many faults did not come about.
    pub(crate) fn left(&self) -> usize {
        let faults = self.faults.lock().expect("no server panicked");
        faults.iter().map(|(_, _, count, _)| count).sum()
    }
}

fn tls(authority: &Authority) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(authority.file("server.cert"));
    let key = PrivateKeyDer::from_pem_file(authority.file("server.key"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        )
        .expect("they fit");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    host: String,
    faults: &Mutex<Faults>,
) -> Result<(), Broken> {
    stream.set_nonblocking(true)?;
    let stream = tokio::net::TcpStream::from_std(stream)?;
    let stream = acceptor.accept(stream).await?;
    let mut connection: Connection<TlsStream<_>, Bytes> = h2::server::handshake(stream).await?;
    while let Some(next) = connection.accept().await {
        let (request, mut respond) = next?;
        let fault = take(faults, &request);
        match fault {
            Some(Fault::Refused) => {
                respond.send_reset(Reason::REFUSED_STREAM);
                continue;
            }
            Some(Fault::CutOff) => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                continue;
            }
            Some(Fault::Dead) => std::future::pending().await,
            Some(Fault::Last) => connection.graceful_shutdown(),
            None => {}
        }
        let host = host.clone();
        tokio::spawn(async move { answer(request, respond, host).await.ok() });
    }
    Ok(())
}

fn take(faults: &Mutex<Faults>, request: &Request<h2::RecvStream>) -> Option<Fault> {
    let mut faults = faults.lock().expect("no server panicked");
    let path = request.uri().path();
    let fits = |(method, part, count, _): &&mut (&str, &str, usize, Fault)| {
        *count > 0 && request.method() == *method && path.contains(*part)
    };
    let (_, _, count, fault) = faults.iter_mut().find(fits)?;
    *count -= 1;
    Some(*fault)
}

/// Hands a request on, and the answer back.
async fn answer(
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    host: String,
) -> Result<(), Broken> {
    let (head, mut body) = request.into_parts();
    let mut content = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        content.extend_from_slice(&chunk);
    }
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut bytes = Vec::new();
    write!(
        bytes,
        "{} {target} HTTP/1.1\r\nHost: {host}\r\n",
        head.method
    )?;
    for (name, value) in &head.headers {
        write!(bytes, "{name}: {}\r\n", value.to_str()?)?;
    }
    bytes.extend(b"\r\n");
    bytes.extend(content);
    let bodiless = head.method == "HEAD";
    let (status, headers, body) =
        tokio::task::spawn_blocking(move || ask(&host, &bytes, bodiless)).await??;
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let ends = body.is_empty();
    let mut sending = respond.send_response(response.body(())?, ends)?;
    if !ends {
        sending.send_data(body.into(), true)?;
    }
    Ok(())
}

type Answered = (u16, BTreeMap<String, String>, Vec<u8>);

fn ask(host: &str, request: &[u8], bodiless: bool) -> io::Result<Answered> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(request)?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length");
    let length = length.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    if !bodiless {
        reader.take(length).read_to_end(&mut body)?;
    }
    Ok((status, headers, body))
}
