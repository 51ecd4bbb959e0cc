//! Container engines: images are loaded into them, found there, and run.

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;

use cargo_lighter::process::{Interrupt, Signal};

use crate::support::check::{Described, read_json};
use crate::support::cli::{Lighter, Run};
use crate::support::engines::{Docker, NO_DAEMON, Podman, RUN, without_engines};
use crate::support::refusal::{Before, images, no_temporaries};
use crate::support::serving::Serving;
use crate::support::tools;
use crate::support::workspace::{Checkout, shop};

/// The command that a run says its image is run by, in words.
#[track_caller]
fn told(run: &Run, program: &str, image: &str) -> Vec<String> {
    let start = format!("         Run `{program} run ");
    let mut lines = run.stderr.lines().filter(|line| line.starts_with(&start));
    let line = lines.find(|line| line.ends_with(&format!("{image}`")));
    let line = line.unwrap_or_else(|| panic!("{}", run.stderr)).trim();
    let command = line.trim_start_matches("Run `").trim_end_matches('`');
    command.split(' ').map(str::to_owned).collect()
}

#[test]
fn podman_loads_images_with_their_digests_and_runs_them() {
    let Some(podman) = Podman::ready() else {
        return;
    };
    let scratch = Checkout::empty();
    let layout = format!("oci:{}/layout", scratch.path().display());
    // No daemon of docker's answers, whose client may be there: the next engine takes them.
    let programs = podman.program(&scratch);
    let build = |more: &[&str]| {
        let lighter = Lighter::at(shop()).args(["build", "-L", "shop-gateway", "shop-worker"]);
        let lighter = lighter.args(more).first_on_path(&programs);
        lighter.env(NO_DAEMON.0, NO_DAEMON.1).run().expect(0)
    };
    let loaded = build(&["--to", &layout]);
    let digests = images(&scratch.path().join("layout"));
    assert_eq!(digests.len(), 4);
    for (name, digest) in &digests {
        let reference = format!("containers-storage:localhost/{name}@{digest}");
        assert!(loaded.lines().contains(&&*reference), "{}", loaded.stdout);
        let mut inspect = podman.command("image");
        let format = ["inspect", "--format", "{{.Digest}}"];
        let found = tools::run(inspect.args(format).arg(format!("localhost/{name}")));
        assert_eq!(found.trim(), digest);
    }
    let words = told(&loaded, "podman", "localhost/shop-gateway:1.4.2");
    assert_eq!(words[1..5], ["run", "--rm", "-p", "8080:8080"]);
    let gateway = Serving::start(
        podman
            .command("run")
            .args(RUN)
            .args(["--name", "gateway"])
            .args(["--env", "HOST=127.0.0.1", "--env", "PORT=0"])
            .arg(&words[5]),
    );
    let answer = gateway.get("/livez");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let (printed, code) = gateway.stop_by(&mut podman.terminate("gateway"));
    assert_eq!(code, Some(0), "{printed}");
    // What it has is not new, and is told as the first time; a further name of the same is a name only.
    let again = build(&[]);
    let references = |run: &Run| -> BTreeSet<String> {
        let lines = run.lines().into_iter();
        let of_podman = lines.filter(|line| line.starts_with("containers-storage:"));
        of_podman.map(str::to_owned).collect()
    };
    assert_eq!(references(&again), references(&loaded));
    is_unchanged(&again, &["shop-gateway", "shop-worker"]);
    is_unchanged(
        &build(&["--tag", "latest", "--tag", "more"]),
        &["shop-gateway"],
    );
    let named = podman
        .command("image")
        .args(["exists", "localhost/shop-worker:more"])
        .status();
    assert!(named.expect("podman is there").success());
    // Under the name of another, an image is new.
    let worker = [
        "localhost/shop-worker:latest",
        "localhost/shop-gateway:latest",
    ];
    tools::run(podman.command("tag").args(worker));
    let moved = build(&["--tag", "latest"]);
    assert_eq!(references(&moved), {
        let mut latest = references(&loaded);
        latest.retain(|line| line.contains(":latest@"));
        latest
    });
    is_unchanged(&moved, &["shop-worker"]);
    let mut rows = moved.stderr.lines();
    let row = rows.find(|line| line.starts_with("  shop-gateway "));
    let is_new = |row: &str| !row.contains(" 0 B ") && !row.contains("unchanged");
    assert!(row.is_some_and(is_new), "{}", moved.stderr);
}

/// Whether the table says of services that nothing of them was new to the engine.
#[track_caller]
fn is_unchanged(run: &Run, services: &[&str]) {
    for service in services {
        let mut lines = run.stderr.lines();
        let row = lines.find(|line| line.starts_with(&format!("  {service} ")));
        let row = row.unwrap_or_else(|| panic!("{}", run.stderr));
        let words = [" 0 B ", " 3/3 ", " unchanged"];
        assert!(words.iter().all(|word| row.contains(word)), "{row}");
    }
}

#[test]
fn docker_loads_what_is_piped_and_what_is_in_files() {
    let Some(docker) = Docker::start() else {
        return;
    };
    let checkout = Checkout::of_services(&["first", "second"]);
    let to = [
        "docker-daemon:",
        "oci:layout",
        "oci-archive:o.tar",
        "docker-archive:d.tar",
    ];
    let loaded = Lighter::at(checkout.path())
        .args(["build", "--tag", "1", "--tag", "2"])
        .args(to.iter().flat_map(|to| ["--to", to]))
        .env("DOCKER_HOST", docker.host())
        .run()
        .expect(0);
    let again = Lighter::at(checkout.path())
        .args(["build", "--tag", "1", "--tag", "2", "--to", to[0]])
        .args(["--metadata-file", "again.json"])
        .env("DOCKER_HOST", docker.host())
        .run()
        .expect(0);
    is_unchanged(&again, &["first", "second"]);
    let summary = read_json(&checkout.path().join("again.json"));
    assert_eq!(summary["services"][0]["deliveries"][0]["status"], "exists");
    assert_eq!(summary["services"][0]["deliveries"][0]["existing_blobs"], 4);
    let layout = checkout.path().join("layout");
    for service in ["first", "second"] {
        let image = Described::of(&layout, &format!("{service}:1"));
        let config = image.manifest["config"]["digest"].as_str().expect("one");
        let run = docker
            .command("run")
            .args(RUN)
            .arg(format!("{service}:2"))
            .output();
        assert_eq!(run.expect("docker is there").stdout, b"hello\n");
        let names = ["1", "2"].map(|tag| format!("{service}:{tag}"));
        for name in &names {
            let reference = format!("docker-daemon:{name}@{config}");
            assert!(loaded.lines().contains(&&*reference), "{}", loaded.stdout);
            assert_eq!(docker.id(name), config);
        }
        let words = told(&loaded, "docker", &names[0]);
        assert_eq!(words.join(" "), format!("docker run --rm {}", names[0]));
        for file in ["o.tar", "d.tar"] {
            tools::run(docker.command("rmi").args(["--force"]).args(&names));
            let mut load = docker.command("load");
            tools::run(load.arg("--input").arg(checkout.path().join(file)));
            assert_eq!(docker.id(&names[1]), config, "{file}");
        }
    }
    no_temporaries(checkout.path());
}

#[test]
fn no_engine_at_all_is_told_before_compiling() {
    let checkout = Checkout::of_services(&["alpha"]);
    let path = without_engines(&checkout);
    let build = |arguments: &[&str]| {
        let lighter = Lighter::at(checkout.path()).args(["build"]);
        lighter.args(arguments).env("PATH", &path).run()
    };
    let without = "write a file with `--to oci-archive:FILE`";
    for (to, program) in [
        ("docker-daemon:", "docker"),
        ("containers-storage:", "podman"),
    ] {
        let message = format!("cannot deliver to `{to}`\n  `{program}` is not on PATH");
        let hint = format!("install {program}, or {without}");
        build(&["--to", to]).refuses(1, &message, &hint);
    }
    let message = "cannot deliver to `--load`\n  no container engine answers\n  `docker` is not on PATH\n  \
                   `podman` is not on PATH\n  `nerdctl` is not on PATH";
    let hint = format!("start or install docker, podman or nerdctl, or {without}");
    build(&["--load"]).refuses(1, message, &hint);
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn a_daemon_that_does_not_run_is_told_before_compiling() {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    let run = Lighter::at(checkout.path())
        .args(["build", "--to", "docker-daemon:"])
        .env(NO_DAEMON.0, NO_DAEMON.1)
        .run()
        .expect(1);
    let start = "error: cannot deliver to `docker-daemon:`\n  `docker` does not answer: Cannot connect to \
                 the Docker daemon at unix:///nonexistent/docker.sock.";
    assert!(run.stderr.starts_with(start), "{}", run.stderr);
    let hint = "hint: see what `docker ps` says and mend that, or write a file with \
                `--to oci-archive:FILE`\n";
    assert!(run.stderr.ends_with(hint), "{}", run.stderr);
    before.holds();
}

/// A checkout with an engine that only a script is: `cases` are what it does for each of its commands.
struct Pretended {
    checkout: Checkout,
}

impl Pretended {
    fn new(program: &str, cases: &str) -> Self {
        let checkout = Checkout::of_services(&["alpha"]);
        let script = format!(
            "#!/bin/sh\necho \"$*\" >> \"{}/asked\"\ncase \"$1\" in\nps) ;;\n{cases}\nesac\n",
            checkout.path().display()
        );
        let engines = without_engines(&checkout);
        checkout.write_executable(&format!("programs/{program}"), &script);
        std::os::unix::fs::symlink(
            checkout.path().join("programs").join(program),
            engines.join(program),
        )
        .expect("linked");
        Self { checkout }
    }

    fn build(&self, arguments: &[&str]) -> Lighter {
        Lighter::at(self.checkout.path())
            .args(["build"])
            .args(arguments)
            .env("PATH", self.checkout.path().join("without-engines"))
    }

    fn asked(&self) -> String {
        fs_err::read_to_string(self.checkout.path().join("asked")).expect("asked")
    }
}

/// What `load` takes goes to a file, out of which `inspect` answers what docker with containerd's store
/// would: the manifest's digest is the ID.
const CONTAINERD_STORE: &str = r#"load) cat > "$HOME/loaded.tar";;
image)
    shift 2
    hex=$(tar -xOf "$HOME/loaded.tar" index.json | sed 's/.*"digest":"sha256:\([0-9a-f]*\)".*/\1/')
    between='['
    for name; do
        printf '%s{"Id":"sha256:%s","RepoDigests":["alpha@sha256:%s"]}' "$between" "$hex" "$hex"
        between=,
    done
    echo ']';;"#;

#[test]
fn an_engine_that_keeps_manifests_is_reported_with_them() {
    for (program, scheme, load) in [
        ("docker", "docker-daemon:", "load --quiet"),
        ("nerdctl", "nerdctl:", "load"),
    ] {
        let engine = Pretended::new(program, CONTAINERD_STORE);
        let home = engine.checkout.path().to_owned();
        let run = engine
            .build(&["--load", "--to", "oci:layout"])
            .env("HOME", &home)
            .run()
            .expect(0);
        let digest = &images(&home.join("layout"))["alpha:latest"];
        let expected = format!("{scheme}alpha:latest@{digest}");
        assert!(run.lines().contains(&&*expected), "{}", run.stdout);
        assert_eq!(
            engine.asked(),
            format!("ps --quiet\nimage inspect alpha:latest\n{load}\nimage inspect alpha:latest\n")
        );
        told(&run, program, "alpha:latest");
        // What was chosen is told, not how it was asked for.
        run.says(&[&format!("Delivered 1 image to `{program}`")]);
    }
}

#[test]
fn an_engine_that_fails_is_quoted_and_one_that_lies_is_not_believed() {
    let by_hand =
        "write a file with `--to oci-archive:FILE`, and load that by hand to see what happens";
    let other = r#"[{"Id":"sha256:0000"}]"#;
    for (cases, why) in [
        (
            "load) echo 'no space left' >&2; exit 1;;".to_owned(),
            "`docker` did not take the images: no space left",
        ),
        (
            "load) printf 'a\\033[31m bad\\nday\\n' >&2; cat >/dev/null; exit 3;;".to_owned(),
            "`docker` did not take the images: a [31m bad day",
        ),
        (
            "load) exit 4;;".to_owned(),
            "`docker` did not take the images: it ended with exit status: 4",
        ),
        (
            "load) ;;\nimage) echo 'Error: No such image: alpha:latest' >&2; exit 1;;".to_owned(),
            "`docker` did not take the images: Error: No such image: alpha:latest",
        ),
        (
            format!("load) cat > /dev/null;;\nimage) echo '{other}';;"),
            "`docker` took the images, and has no `alpha:latest` of this run",
        ),
        (
            "load) cat > /dev/null;;\nimage) echo words;;".to_owned(),
            "`docker` took the images, and has no `alpha:latest` of this run",
        ),
    ] {
        let engine = Pretended::new("docker", &cases);
        let arguments = ["--to", "docker-daemon:", "--metadata-file", "out.json"];
        let run = engine.build(&arguments).run();
        let message = format!("cannot deliver to `docker-daemon:`\n  {why}");
        let run = run.fails(1, &message, by_hand);
        assert!(!run.stderr.contains("Run `"), "{}", run.stderr);
        no_temporaries(engine.checkout.path());
    }
}

#[test]
fn an_interrupt_ends_an_engine_that_hangs_and_leaves_the_archive_behind_it() {
    let engine = Pretended::new("docker", "load) echo > \"$HOME/begun\"; exec sleep 600;;");
    let archive = ["--to", "oci-archive:images.tar"];
    engine
        .build(&[&archive[..], &["-t", "old"]].concat())
        .run()
        .expect(0);
    let home = engine.checkout.path().to_owned();
    let before = fs_err::read(home.join("images.tar")).expect("written");
    let begun = home.join("begun");
    tools::run(Command::new("mkfifo").arg(&begun));
    let interrupt = Interrupt::new();
    let run = thread::scope(|scope| {
        scope.spawn(|| {
            fs_err::read(&begun).expect("it began");
            interrupt.send(Signal::Interrupt);
        });
        engine
            .build(&["--to", "docker-daemon:", "--to", "oci-archive:images.tar"])
            .env("HOME", &home)
            .interrupted_by(&interrupt)
            .run()
            .expect(130)
    });
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.ends_with("error: interrupted\n"),
        "{}",
        run.stderr
    );
    assert!(fs_err::read(home.join("images.tar")).expect("readable") == before);
    no_temporaries(&home);
}

#[test]
fn ports_are_told_and_plan_names_the_engine() {
    let engine = Pretended::new("docker", CONTAINERD_STORE);
    let ports = "\n[package.metadata.lighter]\nports = [8080, \"53/udp\"]\n";
    engine.checkout.append("alpha/Cargo.toml", ports);
    let home = engine.checkout.path().to_owned();
    let arguments = ["-L", "--tag", "1", "--tag", "2"];
    let run = engine.build(&arguments).env("HOME", &home).run().expect(0);
    let words = told(&run, "docker", "alpha:1").join(" ");
    assert_eq!(words, "docker run --rm -p 53:53/udp -p 8080:8080 alpha:1");
    // Alone, it replaces the layout.
    assert!(!home.join("target/lighter/oci").exists());
    let plan = Lighter::at(&home)
        .args([
            "plan",
            "--to",
            "docker-daemon:",
            "--to",
            "oci-archive:x.tar",
        ])
        .run()
        .expect(0);
    for image in ["  docker-daemon:alpha\n", "  oci-archive:x.tar:alpha\n"] {
        assert!(plan.stdout.contains(image), "{}", plan.stdout);
    }
}
