//! What benches share: a workspace to ship, a registry to ship it to, and honest arithmetic.
#![allow(
    dead_code,
    reason = "each bench is a program of its own and uses a part"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A generated workspace, gone with the value.
pub(crate) struct Workspace {
    directory: TempDir,
}

impl Workspace {
    /// Services `service-0` and so on that say hello, all on a shared crate.
    pub(crate) fn of_services(count: usize) -> Self {
        Self::of_services_with(count, 0)
    }

    /// The same, with so many bytes in each executable that do not compress and that no other has.
    pub(crate) fn of_services_with(count: usize, bytes: usize) -> Self {
        let names: Vec<String> = (0..count).map(|index| format!("service-{index}")).collect();
        let workspace = Self {
            directory: TempDir::new().expect("a temporary directory"),
        };
        workspace.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\", \"services/*\"]\n",
        );
        workspace.write("crates/shared/Cargo.toml", &manifest("shared"));
        workspace.write(
            "crates/shared/src/lib.rs",
            "pub fn greet(name: &str) -> String {\n    format!(\"hello from {name}\")\n}\n",
        );
        for name in &names {
            let dependency = "[dependencies]\nshared = { path = \"../../crates/shared\" }\n";
            workspace.write(
                &format!("services/{name}/Cargo.toml"),
                &(manifest(name) + dependency),
            );
            let main = format!(
                "static DATA: &[u8] = include_bytes!(\"data\");\n\nfn main() {{\n    \
                 println!(\"{{}}\", shared::greet({name:?}));\n    \
                 std::hint::black_box(DATA);\n}}\n"
            );
            workspace.write(&format!("services/{name}/src/main.rs"), &main);
            let data = noise(name, bytes);
            workspace.write_bytes(&format!("services/{name}/src/data"), &data);
        }
        workspace.lock();
        workspace
    }

    /// One service that says hello and depends on nothing.
    pub(crate) fn hello_world() -> Self {
        let workspace = Self {
            directory: TempDir::new().expect("a temporary directory"),
        };
        workspace.write("Cargo.toml", &manifest("hello"));
        workspace.write(
            "src/main.rs",
            "fn main() {\n    println!(\"Hello, world!\");\n}\n",
        );
        workspace.lock();
        workspace
    }

    /// The shop of the fixtures, and as many further workers as make `count` services of it.
    pub(crate) fn of_the_shop(count: usize) -> Self {
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
        let workspace = Self {
            directory: TempDir::new().expect("a temporary directory"),
        };
        let mut copy = Command::new("sh");
        copy.args(["-c", "cp -r Cargo.* crates services xtask \"$0\""]);
        done(copy.arg(workspace.path()).current_dir(&shop));
        let worker = shop.join("services/worker");
        let read = |name: &str| fs::read_to_string(worker.join(name)).expect("readable");
        let (manifest, main) = (read("Cargo.toml"), read("src/main.rs"));
        for index in 5..count {
            let name = format!("shop-worker-{index}");
            let manifest = manifest.replace("\"shop-worker\"", &format!("\"{name}\""));
            workspace.write(&format!("services/{name}/Cargo.toml"), &manifest);
            workspace.write(&format!("services/{name}/src/main.rs"), &main);
        }
        workspace.write(".gitignore", "target\n");
        let mut cargo = Command::new("cargo");
        cargo.args(["update", "--workspace", "--offline", "--quiet"]);
        done(cargo.current_dir(workspace.path()));
        workspace
    }

    /// `crates` crates, each on up to three of those before it, and `services` services on three of them;
    /// each has a module beside its root.
    pub(crate) fn large(crates: usize, services: usize) -> Self {
        let workspace = Self {
            directory: TempDir::new().expect("a temporary directory"),
        };
        let root = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\", \"services/*\"]\n";
        let mut shared = String::from("\n[workspace.dependencies]\n");
        for index in 0..crates {
            let name = format!("crate-{index}");
            // Writing to a string cannot fail.
            let _ = writeln!(shared, "{name} = {{ path = \"crates/{name}\" }}");
            let needs = [index / 2, index / 3, index.saturating_sub(7)];
            workspace.package("crates", &name, &needs[..3.min(index)], index, "lib");
        }
        for index in 0..services {
            let needs = [index, index * 2 % crates, index * 3 % crates];
            workspace.package(
                "services",
                &format!("service-{index}"),
                &needs,
                crates,
                "main",
            );
        }
        workspace.write("Cargo.toml", &(root.to_owned() + &shared));
        workspace.write(".gitignore", "target\n");
        workspace.lock();
        workspace
    }

    fn package(&self, place: &str, name: &str, needs: &[usize], below: usize, kind: &str) {
        let needs: std::collections::BTreeSet<usize> = needs
            .iter()
            .copied()
            .filter(|index| *index < below)
            .collect();
        let needs: Vec<String> = needs
            .iter()
            .map(|index| format!("crate-{index} = {{ workspace = true }}\n"))
            .collect();
        let needs = needs.concat();
        let text = manifest(name) + "[dependencies]\n" + &needs;
        self.write(&format!("{place}/{name}/Cargo.toml"), &text);
        let source = if kind == "main" {
            "mod more;\n\nfn main() {\n    more::run();\n}\n"
        } else {
            "pub mod more;\n"
        };
        self.write(&format!("{place}/{name}/src/{kind}.rs"), source);
        self.write(&format!("{place}/{name}/src/more.rs"), "pub fn run() {}\n");
    }

    /// Commits everything to a repository of its own.
    pub(crate) fn commit(&self) {
        let script = "git init -q -b main && git add -A && \
             git -c user.name=Bench -c user.email=bench@example.com commit -q -m one";
        done(
            Command::new("sh")
                .args(["-c", script])
                .current_dir(self.path()),
        );
    }

    /// A run of cargo that must end well.
    pub(crate) fn cargo(&self, arguments: &[&str]) {
        let mut cargo = Command::new("cargo");
        done(cargo.args(arguments).current_dir(self.path()));
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, relative: &str, text: &str) {
        self.write_bytes(relative, text.as_bytes());
    }

    fn write_bytes(&self, relative: &str, content: &[u8]) {
        let path = self.path().join(relative);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("created");
        fs::write(path, content).expect("written");
    }

    /// The program of this package, to be run here.
    pub(crate) fn lighter(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-lighter"));
        command.args(arguments).current_dir(self.path());
        // The toolchain that runs the bench says nothing about how services are built.
        for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTFLAGS"] {
            command.env_remove(variable);
        }
        command
    }

    fn lock(&self) {
        let mut cargo = Command::new("cargo");
        cargo.args(["generate-lockfile", "--offline", "--quiet"]);
        done(cargo.current_dir(self.path()));
    }
}

fn manifest(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n")
}

/// So many bytes that look like chance and are always the same for a name.
fn noise(name: &str, bytes: usize) -> Vec<u8> {
    let blocks = (0_u64..).flat_map(|index| Sha256::digest(format!("{name} {index}")));
    blocks.take(bytes).collect()
}

/// An empty docker-registry on a free port of the loopback, which ends with the value.
pub(crate) struct Registry {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Registry {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let yaml = format!(
            "version: 0.1\nlog: {{accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            directory.path().join("data").display()
        );
        let config = directory.path().join("config.yml");
        fs::write(&config, yaml).expect("written");
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry starts");
        let mut messages = BufReader::new(child.stderr.take().expect("piped")).lines();
        let listening = messages
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("listening on"));
        assert!(listening, "docker-registry ended");
        thread::spawn(move || messages.for_each(drop));
        Self {
            child,
            port,
            _directory: directory,
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a bench can run; says so if it cannot.
pub(crate) fn has(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if !found {
        println!("skipped: `{program}` is not installed");
    }
    found
}

/// Runs a program that must end well.
pub(crate) fn done(command: &mut Command) -> Output {
    let output = command.output().expect("starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Seconds that `work` takes.
pub(crate) fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Measures each of `works` in turn, `rounds` times, and gives the median of each.
pub(crate) fn in_turns<const N: usize>(rounds: usize, works: [&dyn Fn(); N]) -> [f64; N] {
    let mut measured: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..rounds {
        for (work, measured) in works.iter().zip(&mut measured) {
            measured.push(seconds(work));
        }
    }
    measured.map(median)
}

/// The middle of what was measured.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// Runs a program that must end well, and gives the most memory that it, not its children, had
/// resident: the kernel's own mark (`VmHWM`, proc(5)), in bytes.
pub(crate) fn peak_memory(command: &mut Command) -> u64 {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    loop {
        peak = peak.max(high_water_mark(&status).unwrap_or(0));
        if let Some(ended) = child.try_wait().expect("ours") {
            assert!(ended.success(), "{command:?}");
            return peak;
        }
        // The mark only rises, so a sample now and then misses nothing but the last moment.
        thread::sleep(Duration::from_millis(2));
    }
}

fn high_water_mark(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
