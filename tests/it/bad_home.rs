//! Homes that cannot be read or written: what stands in the way is named, and what needs no home works.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use fs_err as fs;
use tempfile::TempDir;

use crate::fault_registry::{FaultRegistry, Guard, Settings};
use crate::support::cli::{Lighter, Run};
use crate::support::disk::SmallDisk;
use crate::support::tools::{is_root, skipped};
use crate::support::workspace::Checkout;

const PASSWORD: &str = "secret";

fn registry() -> FaultRegistry {
    FaultRegistry::start(Settings {
        guard: Guard::Basic,
        ..Settings::default()
    })
}

fn named(file: &Path) -> String {
    format!(
        "cannot use the docker configuration `{}`\n  ",
        file.display()
    )
}

fn hint(file: &Path) -> String {
    format!(
        "\n\nhint: see that you may read and write `{}`, or name another directory in DOCKER_CONFIG",
        file.display()
    )
}

/// A push that ends before anything is asked or compiled.
#[track_caller]
fn push_is_refused(home: &Path, cause: &str) {
    let registry = registry();
    let host = registry.host();
    let checkout = Checkout::of_services(&["alpha"]);
    let run = Lighter::at(checkout.path())
        .args(["push", "-vv", "--repo", &format!("{host}/shop")])
        .env("HOME", home)
        .run_process(":");
    let file = home.join(".docker/config.json");
    let message = format!(
        "error: cannot deliver to `docker://{host}/shop`\n  {}",
        named(&file)
    );
    let run = run.expect(1).says(&[&message, cause, &hint(&file)]);
    assert_eq!(run.stdout, "");
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn a_docker_configuration_that_cannot_be_read_is_named() {
    let home = TempDir::new().expect("a temporary directory");
    let file = home.path().join(".docker/config.json");
    fs::create_dir_all(&file).expect("made");
    push_is_refused(home.path(), "Is a directory (os error 21)");
    fs::remove_dir(&file).expect("removed");
    symlink("config.json", &file).expect("made");
    push_is_refused(
        home.path(),
        "Too many levels of symbolic links (os error 40)",
    );
    if is_root() {
        return skipped("root reads every file");
    }
    fs::remove_file(&file).expect("removed");
    fs::write(&file, "{}").expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o000)).expect("set");
    push_is_refused(home.path(), "Permission denied (os error 13)");
}

fn log_in(home: &Path, host: &str) -> Run {
    Lighter::at("/")
        .args(["login", "-vv", host, "-u", "me", "--password-stdin"])
        .env("HOME", home)
        .stdin(PASSWORD)
        .run()
}

/// The password is right, and cannot be kept.
#[track_caller]
fn login_is_refused(home: &Path, cause: &str) {
    let registry = registry();
    let file = home.join(".docker/config.json");
    let message = format!("error: {}", named(&file));
    let run = log_in(home, &registry.host())
        .expect(1)
        .says(&[&message, cause, &hint(&file)]);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(PASSWORD));
}

#[test]
fn a_login_that_cannot_be_kept_is_told() {
    let home = TempDir::new().expect("a temporary directory");
    fs::write(home.path().join(".docker"), "").expect("written");
    login_is_refused(home.path(), "Not a directory (os error 20)");
    if is_root() {
        return skipped("root writes everywhere");
    }
    fs::remove_file(home.path().join(".docker")).expect("removed");
    fs::set_permissions(home.path(), Permissions::from_mode(0o555)).expect("set");
    login_is_refused(home.path(), "Permission denied (os error 13)");
}

#[test]
fn a_home_that_nobody_may_write_to_is_enough_to_push() {
    let Some(disk) = SmallDisk::mount("1m") else {
        return;
    };
    let registry = registry();
    let host = registry.host();
    log_in(disk.path(), &host).expect(0);
    disk.protect();
    let checkout = Checkout::of_services(&["alpha"]);
    Lighter::at(checkout.path())
        .args(["push", "--repo", &format!("{host}/shop")])
        .env("HOME", disk.path())
        .run_process(":")
        .expect(0);
    login_is_refused(disk.path(), "Read-only file system (os error 30)");
}

/// Runs as somebody who may not enter a directory of mode 0700 that is root's.
fn as_nobody(lighter: &Lighter) -> Run {
    if !is_root() {
        return lighter.run_process(":");
    }
    let drop = "exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" \"$@\"";
    lighter.run_process(drop)
}

/// As podman of root leaves `/run/containers`, and `su` the place of a session. A home is the user's own.
#[test]
fn a_place_that_nobody_named_and_that_is_out_of_reach_is_passed_over() {
    let world = TempDir::new().expect("a temporary directory");
    fs::set_permissions(world.path(), Permissions::from_mode(0o755)).expect("set");
    let closed = world.path().join("closed");
    fs::create_dir(&closed).expect("made");
    let closing = Permissions::from_mode(if is_root() { 0o700 } else { 0o000 });
    fs::set_permissions(&closed, closing).expect("set");
    let registry = FaultRegistry::start(Settings::default());
    let reference = format!("{}/shop/orders", registry.host());
    let lighter = Lighter::at("/").args(["auth", "check", "-v", &reference]);
    let lighter = lighter
        .env("HOME", world.path())
        .env("XDG_RUNTIME_DIR", &*closed);
    let file = closed.join("containers/auth.json");
    let note = format!("looked for in `{}`, which is out of reach", file.display());
    as_nobody(&lighter).expect(0).says(&[&note]);
    for name in ["HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"] {
        let run = as_nobody(&lighter.clone().env(name, closed.join("x")));
        // No credentials are not the same as those that nobody may read.
        let run = run.expect(1);
        run.says(&["cannot use the docker configuration", "Permission denied"]);
    }
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).expect("set");
}
