//! Commands and words that once were told falsely, or not at all.

use super::told::says;
use super::world::World;

const END: &str = "ENTRYPOINT [\"/app/orders\"]\n";

#[test]
fn what_is_copied_and_then_removed_is_where_it_was_copied_to() {
    let copy = "COPY orders/config /app/config\n";
    for run in [
        "cp -r config/. /c && rm -rf config",
        "cp -a /app/config/. /c/ && rm -rf /app/config",
        "mkdir /c && cp -r config/* /c/ && rm -rf config/*",
        "mkdir /c && mv config/* /c && rmdir config",
    ] {
        says(
            &format!("{copy}RUN {run}\n{END}"),
            &["{ from = \"config\", to = \"/c\" }"],
            &[],
            &["Lost", "/app/config"],
        );
    }
    // A part of it is not known, and nothing is said of where the rest is.
    says(
        &format!("{copy}RUN cp config/a.toml /c.toml && rm -rf config\n{END}"),
        &[],
        &[
            "`cp config/a.toml /c.toml` is not followed: what it makes of `/app/config` is not in the image",
        ],
        &["as it was copied", "assets ="],
    );
}

#[test]
fn a_shell_leaves_out_what_begins_with_a_dot() {
    let world = World::new();
    world.write("hidden/.x", "");
    world.write("hidden/y", "");
    let (found, told) = world.told(&format!(
        "COPY hidden /app/hidden\nRUN rm -rf hidden/*\n{END}"
    ));
    assert!(found.contains("/app/hidden"), "{found}");
    assert!(
        told.contains("`rm -rf hidden/*` is not followed: `/app/hidden` is in the image"),
        "{told}"
    );
}

#[test]
fn files_that_were_copied_one_by_one_go_where_their_directory_goes() {
    let copy = "COPY config/x /app/d/x\nCOPY orders/config/a.toml /app/d/e/a.toml\n";
    says(
        &format!("{copy}RUN cp -r d /c && rm -r d\n{END}"),
        &["to = \"/c/x\" }", "to = \"/c/e/a.toml\" }"],
        &[],
        &["Lost", "/app/d"],
    );
    says(
        &format!("{copy}RUN mv d/* /etc/\n{END}"),
        &[],
        &[
            "`mv d/* /etc/` is not followed: `/app/d/x` and `/app/d/e/a.toml` are in the image as they were copied",
        ],
        &[],
    );
}

#[test]
fn copies_of_copies_have_an_end() {
    let world = World::new();
    let runs: Vec<String> = (0..60)
        .map(|n| format!("RUN cp -r /app /app{n} && cp -r /app{n} /app/\n"))
        .collect();
    let (found, _) = world.told(&format!("COPY config /app/config\n{}{END}", runs.concat()));
    assert!(found.len() < 64 * 1024, "{}", found.len());
}

#[test]
fn a_directory_called_like_the_service_is_told() {
    says(
        &format!("RUN cp -r /etc/orders /x && mv /y/orders /z\n{END}"),
        &[],
        &[
            "`cp -r /etc/orders /x` is not followed: what it takes is no file that was copied",
            "`mv /y/orders /z` is not followed",
        ],
        &[],
    );
    says(
        &format!("COPY config /etc/orders\nRUN cp -r /etc/orders /x\n{END}"),
        &["to = \"/etc/orders\" }", "to = \"/x\" }"],
        &[],
        &["Lost"],
    );
    // An executable is followed elsewhere.
    let (_, told) = World::shared().whole(&format!(
        "FROM rust AS b\nRUN cargo build --release\nFROM debian\nUSER 1:1\n\
         COPY --from=b /target/release/ /rel/\nRUN mkdir -p /app && cp /rel/orders /app/orders\n{END}"
    ));
    assert!(!told.contains("not followed"), "{told}");
}

#[test]
fn cargo_run_names_the_service_by_its_package() {
    for command in [
        "cargo run --release -p orders",
        "[\"cargo\", \"run\", \"--release\", \"--package\", \"orders\", \"--\", \"-v\"]",
    ] {
        let (_, told) = World::shared().whole(&format!(
            "FROM rust\nWORKDIR /src\nCOPY . .\nCMD {command}\n"
        ));
        assert!(
            told.contains("`cargo run` compiles when a container starts"),
            "{told}"
        );
    }
}

#[test]
fn a_port_whose_variable_has_no_value_is_told() {
    says(
        &format!("ARG PORT\nEXPOSE $PORT 80\nVOLUME $NOPE\n{END}"),
        &["ports = [80]"],
        &[
            "`EXPOSE` needs `PORT`, which has no value [give it as `--build-arg PORT=",
            "`VOLUME` needs `NOPE`, which has no value",
        ],
        &["volumes ="],
    );
}

#[test]
fn a_volume_that_is_given_to_another_user_is_told() {
    says(
        &format!("VOLUME /data\nRUN chown -R 7:7 /data\n{END}"),
        &[],
        &["`/data` belongs to the user of the image, not to `7:7`"],
        &["Lost"],
    );
    says(
        &format!("VOLUME /data\nRUN chown -R 1:1 /data\n{END}"),
        &["volumes = [\"/data\"]"],
        &[],
        &["belongs to"],
    );
    says(
        &format!("RUN chown 1:1 /app\n{END}"),
        &[],
        &["files of the image belong to root"],
        &[],
    );
}

#[test]
fn a_packer_is_told_wherever_it_runs() {
    let (_, told) = World::shared().whole(&format!(
        "FROM rust AS b\nRUN cargo build --release && upx --best target/release/orders\n\
         FROM debian\nUSER 1:1\nCOPY --from=b /target/release/orders /app/orders\n{END}"
    ));
    assert!(
        told.contains("Changed 2: `upx` packs the old image's executable"),
        "{told}"
    );
}

#[test]
fn parents_of_copied_files_are_kept() {
    says(
        &format!(
            "COPY --parents orders/config/a.toml ./config /opt/\nCOPY --parents orders/./config /b\n{END}"
        ),
        &[
            "{ from = \"config/a.toml\", to = \"/opt/orders/config/a.toml\" }",
            "{ from = \"/config\", to = \"/opt/config\" }",
            "{ from = \"config\", to = \"/b/config\" }",
        ],
        &[],
        &["--parents"],
    );
    says(
        &format!("COPY --parents orders/conf* /app/\n{END}"),
        &[],
        &["`--parents` is not followed"],
        &[],
    );
}

#[test]
fn one_word_in_single_quotes_is_told_as_a_text_for_a_shell() {
    let (_, told) = World::shared().whole(
        "FROM debian\nCOPY target/release/orders /a\\ b/orders\nENTRYPOINT [ '/a b/orders' ]\n",
    );
    assert!(
        told.contains(
            "`ENTRYPOINT` begins with `[` and is no JSON: docker gives the text to a shell, as JSON knows only double quotes"
        ),
        "{told}"
    );
}

#[test]
fn what_assets_leave_out_of_a_directory_of_secrets_is_told() {
    let world = World::new();
    world.write("deep/secrets/a/b.yaml", "");
    world.write("deep/c.yaml", "");
    let (found, told) = world.told(&format!("COPY deep /app/deep\n{END}"));
    assert!(found.contains("/app/deep"), "{found}");
    assert!(
        told.contains("`deep/secrets/a/b.yaml` looks like a secret"),
        "{told}"
    );
}
