//! What once was proposed and refused by `build`.

use super::told::says;
use super::world::World;

#[test]
fn what_cannot_stand_in_an_image_is_told_and_not_proposed() {
    let end = "ENTRYPOINT [\"/app/orders\"]\n";
    for (rest, told) in [
        (
            "COPY config/x /lib/x",
            "the asset `/lib/x` is not proposed: `/lib` is a link",
        ),
        (
            "COPY config /lib64/config",
            "the asset `/lib64/config` is not proposed: `/lib64` is a link",
        ),
        (
            "VOLUME /app/orders",
            "volume `/app/orders` is not proposed: two different things",
        ),
        (
            "VOLUME /app/orders/x",
            "volume `/app/orders/x` is not proposed",
        ),
        (
            "COPY config/x /etc/passwd",
            "`config/x` is not copied: the image has its own",
        ),
    ] {
        says(
            &format!("{rest}\n{end}"),
            &[],
            &[told],
            &["volumes =", "assets ="],
        );
    }
    says(
        &format!("COPY config/x /y\nCOPY orders/config/a.toml /y\n{end}"),
        &["{ from = \"config/a.toml\", to = \"/y\" }"],
        &[],
        &["Lost", "/config/x"],
    );
    says(
        &format!("COPY config /app/config\nVOLUME /app/config /tmp /home/nonroot\n{end}"),
        &[
            "volumes = [\"/app/config\", \"/tmp\", \"/home/nonroot\"]",
            "assets =",
        ],
        &[],
        &["Lost"],
    );
}

#[test]
fn an_image_without_glibc_has_no_link_at_lib() {
    let end = "ENTRYPOINT [\"/orders\"]\n";
    let (found, told) = World::shared().whole(&format!(
        "FROM alpine:3\nUSER 1:1\nCOPY target/release/orders /orders\nCOPY config/x /lib/x\n{end}"
    ));
    assert!(
        found.contains("{ from = \"/config/x\", to = \"/lib/x\" }"),
        "{found}{told}"
    );
    assert!(!told.contains("/lib"), "{told}");
}

#[test]
fn a_directory_whose_files_stand_where_others_do_is_told() {
    let world = World::new();
    world.write("root/app/orders", "");
    world.write("root/app/b", "");
    world.write("plain/etc/b", "");
    let (found, told) =
        world.told("COPY root/app /app\nCOPY plain /\nENTRYPOINT [\"/app/orders\"]\n");
    assert!(
        told.contains(
            "the asset `/app` is not proposed: two different things would stand at `/app/orders`"
        ),
        "{told}"
    );
    assert!(
        found.contains("{ from = \"/plain/etc\", to = \"/etc\" }"),
        "{found}"
    );
    assert!(!found.contains("/root/app"), "{found}");
}
