//! Images of a layout, and two ways to bring them to a registry: the library's, and that of a client which
//! knows nothing but how to send bytes over connections that stay open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use cargo_lighter::digest::Digest;
use cargo_lighter::medium::LayoutReader;
use cargo_lighter::oci::{Descriptor, Document, ImageConfig, Manifest, media_type};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::reference::{Repository, Tag};
use cargo_lighter::registry::{ImagePush, ManifestReference, Registry};
use cargo_lighter::report::{Clock, Meter};

const CONNECTIONS: usize = 8;
const TAG: &str = "latest";

/// An image, ready to be sent.
pub(crate) struct Image {
    name: String,
    layers: Vec<(Descriptor, PathBuf)>,
    config: Document,
    manifest: Document,
}

/// All images of a layout.
pub(crate) fn read(directory: &Path) -> Vec<Image> {
    let layout = LayoutReader::open(directory).expect("a layout");
    let names = layout.index().expect("readable").names();
    let image = |name: &String| {
        let found = layout.resolve(Some(name)).expect("named");
        let manifest: Manifest = layout.read_json(&found).expect("a manifest");
        let config: ImageConfig = layout.read_json(&manifest.config).expect("a configuration");
        let path = |layer: &Descriptor| (layer.clone(), layout.blob_path(&layer.digest));
        let image = Image {
            name: name.split(':').next().unwrap_or_default().to_owned(),
            layers: manifest.layers.iter().map(path).collect(),
            config: Document::new(media_type::CONFIG, &config).expect("JSON"),
            manifest: Document::new(media_type::MANIFEST, &manifest).expect("JSON"),
        };
        assert_eq!(image.manifest.digest(), found.digest, "other bytes");
        image
    };
    names.iter().map(image).collect()
}

/// With the library, as many images at a time as a run of the program sends.
pub(crate) fn push(images: &[Image], host: &str) {
    let environment = Environment::new("/", Vec::new());
    let registry = Registry::new(&environment, Clock::monotonic(), &Interrupt::new());
    let registry = registry.expect("a client");
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let waiting = Mutex::new(images.iter());
    let work = || {
        while let Some(image) = next(&waiting) {
            let name = format!("{host}/bench/{}", image.name);
            let repository = Repository::parse(&name).expect("legal");
            let tag = Tag::parse(TAG).expect("legal");
            let push = ImagePush {
                layers: &image.layers,
                config: &image.config,
                manifest: &image.manifest,
                tag: Some(&tag),
                meter: &Meter::default(),
            };
            registry.push_image(&repository, &push).expect("pushed");
            let (reference, bytes) = (ManifestReference::Tag(tag), image.manifest.bytes());
            let pushed =
                registry.push_manifest(&repository, &reference, media_type::MANIFEST, bytes);
            pushed.expect("tagged");
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(CONNECTIONS) {
            scope.spawn(work);
        }
    });
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().expect("nobody panicked").next()
}

/// The same bytes over eight connections that stay open: every blob with POST and PUT to the first repository
/// that needs it, taken over into the others, then the manifests. Nothing is asked before or after.
pub(crate) fn push_raw(images: &[Image], host: &str) {
    let mut blobs: BTreeMap<Digest, (&str, Vec<u8>)> = BTreeMap::new();
    let mut mounts = BTreeSet::new();
    for image in images {
        let layers = image.layers.iter();
        let layers = layers.map(|(layer, path)| (layer.digest, fs::read(path).expect("readable")));
        let config = (image.config.digest(), image.config.bytes().to_vec());
        for (digest, bytes) in layers.chain([config]) {
            let (first, _) = blobs.entry(digest).or_insert((&image.name, bytes));
            if *first != image.name {
                mounts.insert((image.name.as_str(), digest, *first));
            }
        }
    }
    in_parallel(host, blobs, |connection, (digest, (name, bytes))| {
        let opened = connection.send("POST", &format!("/v2/bench/{name}/blobs/uploads/"), "", b"");
        let location = opened.expect("a location");
        let rest = location.split_once("://").map_or("", |(_, rest)| rest);
        let target = rest.find('/').map_or("", |start| &rest[start..]);
        let target = format!("{target}&digest={digest}");
        connection.send("PUT", &target, "application/octet-stream", &bytes);
    });
    in_parallel(host, mounts, |connection, (name, digest, from)| {
        let target = format!("/v2/bench/{name}/blobs/uploads/?mount={digest}&from=bench/{from}");
        connection.send("POST", &target, "", b"");
    });
    in_parallel(host, images, |connection, image| {
        let digest = image.manifest.digest().to_string();
        for reference in [digest.as_str(), TAG] {
            let target = format!("/v2/bench/{}/manifests/{reference}", image.name);
            connection.send("PUT", &target, media_type::MANIFEST, image.manifest.bytes());
        }
    });
}

fn in_parallel<T: Send>(
    host: &str,
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(&mut Connection, T) + Sync,
) {
    let waiting = Mutex::new(items.into_iter());
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = Connection::to(host);
                while let Some(item) = next(&waiting) {
                    work(&mut connection, item);
                }
            });
        }
    });
}

struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn to(host: &str) -> Self {
        let stream = TcpStream::connect(host).expect("connected");
        stream.set_nodelay(true).expect("set");
        Self {
            host: host.to_owned(),
            stream: BufReader::new(stream),
        }
    }

    /// Sends a request that must be answered with 201 or 202; gives the answer's `Location`.
    fn send(&mut self, method: &str, target: &str, kind: &str, body: &[u8]) -> Option<String> {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(body).expect("sent");
        let first = self.line();
        let taken = first.contains(" 201 ") || first.contains(" 202 ");
        assert!(taken, "{method} {target}: {first}");
        let (mut location, mut length) = (None, 0);
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "location" => location = Some(value.to_owned()),
                "content-length" => length = value.parse().expect("a number"),
                _ => {}
            }
        }
        let mut rest = vec![0; length];
        self.stream.read_exact(&mut rest).expect("a body");
        location
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }
}
