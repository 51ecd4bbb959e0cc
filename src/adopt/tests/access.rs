//! Owners and modes that once got lost, or kept the service from its own files.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::told::says;
use super::world::World;

const END: &str = "ENTRYPOINT [\"/app/orders\"]\n";

#[test]
fn the_service_can_read_what_belonged_to_its_user() {
    for (copy, mode, told) in [
        (
            "COPY --chown=1:1 --chmod=0400 config/x /etc/x",
            "0444",
            "its mode becomes 0444 instead of 0400",
        ),
        (
            "COPY config/x /etc/x\nRUN chown 1:1 /etc/x && chmod 600 /etc/x",
            "0644",
            "its mode becomes 0644 instead of 0600",
        ),
        (
            "COPY config /etc/x\nRUN chmod -R 700 /etc/x; chown -R 1:1 /etc/x",
            "0755",
            "its mode becomes 0755 instead of 0700",
        ),
        (
            "COPY config/x /y\nRUN install -m 600 -o 1 /y /etc/x",
            "0644",
            "its mode becomes 0644 instead of 0600",
        ),
        // By its group.
        (
            "COPY --chmod=640 config/x /etc/x\nRUN chgrp 1 /etc/x",
            "0644",
            "its mode becomes 0644 instead of 0640",
        ),
        // By another name of the same user.
        (
            "RUN useradd -u 1 app\nCOPY --chown=app --chmod=500 config/x /etc/x",
            "0555",
            "its mode becomes 0555 instead of 0500",
        ),
    ] {
        says(
            &format!("{copy}\n{END}"),
            &[&format!("to = \"/etc/x\", mode = \"{mode}\" }}")],
            &[told],
            &["everyone may read them", "Lost"],
        );
    }
}

#[test]
fn what_a_user_without_a_group_read_by_group_0_stays_open() {
    let head = "FROM debian:12\nUSER 1001\nCOPY target/release/orders /app/\n";
    for copy in [
        "--chown=0:0 --chmod=0640",
        "--chown=root:root --chmod=640",
        "--chmod=640",
    ] {
        let (found, told) =
            World::shared().whole(&format!("{head}COPY {copy} config/x /etc/x\n{END}"));
        assert!(found.contains("mode = \"0644\""), "{copy}: {found}");
        let expected = "its mode becomes 0644 instead of 0640";
        assert!(told.contains(expected), "{copy}: {told}");
    }
    for (user, copy, mode) in [
        ("1001", "--chown=0:0 --chmod=0600", "0600"),
        ("1001", "--chown=0:5 --chmod=0640", "0640"),
        // It keeps that group.
        ("1001:0", "--chown=0:0 --chmod=0640", "0640"),
    ] {
        let head = head.replace("1001", user);
        let (found, told) =
            World::shared().whole(&format!("{head}COPY {copy} config/x /etc/x\n{END}"));
        assert!(
            found.contains(&format!("mode = \"{mode}\"")),
            "{copy}: {found}"
        );
        assert!(!told.contains("/etc/x"), "{copy}: {told}");
    }
}

#[test]
fn what_the_service_could_not_read_stays_closed() {
    for copy in [
        "COPY --chmod=600 config/x /etc/x",
        "COPY --chmod=600 --chown=2:2 config/x /etc/x",
        "COPY --chmod=600 --chown=2:1 config/x /etc/x",
    ] {
        says(
            &format!("{copy}\n{END}"),
            &["mode = \"0600\""],
            &[],
            &["becomes", "cannot read"],
        );
    }
    // Root reads all.
    let root = "FROM debian:12\nUSER 0:0\nCOPY target/release/orders /app/\nCOPY --chown=1:1 --chmod=600 config/x /etc/x\n";
    let (found, told) = World::shared().whole(&format!("{root}{END}"));
    assert!(found.contains("mode = \"0600\""), "{found}");
    assert!(!told.contains("/etc/x"), "{told}");
}

#[test]
fn what_only_root_could_read_is_told_where_the_service_is_root_no_longer() {
    let head = "FROM debian:12\nCOPY target/release/orders /app/\n";
    let (found, told) =
        World::shared().whole(&format!("{head}COPY --chmod=600 config/x /etc/x\n{END}"));
    assert!(found.contains("mode = \"0600\""), "{found}");
    assert!(
        told.contains("Lost 3: `/etc/x` belongs to root and has the mode 0600: the service, which is not root here, cannot read it"),
        "{told}"
    );
}

#[test]
fn rights_of_the_executable_are_told_whoever_gives_them() {
    for (copy, told) in [
        (
            "--chmod=4755",
            "Lost 3: `--chmod=4755` lets `/app/orders` run with the rights of its owner",
        ),
        (
            "--chmod=u+s",
            "Lost 3: `--chmod=u+s` lets `/app/orders` run with",
        ),
        (
            "--chmod=0500",
            "Changed 3: `--chmod=0500` keeps others from `/app/orders`",
        ),
        (
            "--chown=app:app",
            "Changed 3: files of the image belong to root",
        ),
    ] {
        let text =
            format!("FROM debian:12\nUSER 1:1\nCOPY {copy} target/release/orders /app/\n{END}");
        let (_, remarks) = World::shared().whole(&text);
        assert!(remarks.contains(told), "{text}{remarks}");
    }
    says(
        &format!("RUN chown root:app /app/orders && chmod 750 orders\n{END}"),
        &[],
        &[
            "files of the image belong to root",
            "`chmod 750` keeps others from `/app/orders`",
        ],
        &["Lost"],
    );
    let text = format!(
        "FROM debian:12\nUSER 1:1\nCOPY --chown=0:0 --chmod=755 target/release/orders /app/\n{END}"
    );
    let (_, remarks) = World::shared().whole(&text);
    assert!(!remarks.contains(" 3: "), "{remarks}");
}

#[test]
fn directories_of_install_and_links_to_devices_are_told() {
    says(
        &format!(
            "RUN install -d -o 1 -g 1 /var/log/app\nRUN ln -sf /dev/stdout /var/log/app/log\n{END}"
        ),
        &[],
        &[
            "Lost 5: `/var/log/app`: empty directories are not carried",
            "Lost 6: `ln -sf /dev/stdout /var/log/app/log` is not followed: the image has no links to devices",
        ],
        &[],
    );
    says(
        &format!("VOLUME /var/log/app\nRUN install -d /var/log/app\n{END}"),
        &[],
        &[],
        &["empty directories"],
    );
}

#[test]
fn empty_directories_and_narrow_modes_of_the_context_are_told() {
    let world = World::new();
    world.write("data/a", "");
    world.write("data/sub/b", "");
    world.write("data/open", "");
    for (path, mode) in [("data/a", 0o600), ("data/sub", 0o700)] {
        let path = world.path().join(path);
        fs_err::set_permissions(path, Permissions::from_mode(mode)).expect("set");
    }
    for empty in ["data/empty", "data/kept"] {
        fs_err::create_dir(world.path().join(empty)).expect("created");
    }
    let (found, told) = world.told(&format!("VOLUME /data/kept\nCOPY data /data\n{END}"));
    assert!(found.contains("to = \"/data\" }"), "{found}");
    for expected in [
        "Changed 6: not everyone may read `data/a` and `data/sub` in the repository, which docker keeps",
        "Lost 6: `/data/empty`: empty directories are not carried",
    ] {
        assert!(told.contains(expected), "no {expected} in\n{told}");
    }
    // A mode that is said counts for all.
    let (_, told) = world.told(&format!("COPY --chmod=644 data/a /a\n{END}"));
    assert!(!told.contains("not everyone"), "{told}");
}
