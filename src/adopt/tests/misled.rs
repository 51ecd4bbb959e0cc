//! Remarks that once misled, and checks that once were not recognized.

use super::told::says;
use super::world::World;

const END: &str = "ENTRYPOINT [\"/app/orders\"]\n";

#[test]
fn a_check_that_calls_the_service_by_its_path_is_one() {
    for rest in [
        "RUN cp orders /usr/bin/o\nHEALTHCHECK CMD [\"/app/orders\", \"health\"]\nENTRYPOINT [\"/usr/bin/o\"]\n",
        "ENV PATH=/app\nHEALTHCHECK CMD [\"/app/orders\", \"health\"]\nCMD [\"orders\"]\n",
        "ENV PATH=/app\nHEALTHCHECK CMD /app/orders health || exit 1\nENTRYPOINT [\"orders\"]\n",
        "ENV PATH=/app\nHEALTHCHECK CMD [\"./orders\", \"health\"]\nENTRYPOINT [\"orders\"]\n",
        "RUN ln -s /app/orders /hc\nHEALTHCHECK CMD [\"/hc\", \"health\"]\nENTRYPOINT [\"/app/orders\"]\n",
        "RUN ln -s /app/orders /usr/bin/hc\nHEALTHCHECK CMD hc health\nENTRYPOINT [\"/app/orders\"]\n",
    ] {
        says(
            rest,
            &["healthcheck = [\"health\"]"],
            &[],
            &["which the image has not"],
        );
    }
    // In another stage cargo builds it, and the start is a mere word.
    let (table, told) = World::shared().whole(
        "FROM rust AS b\nWORKDIR /s\nRUN cargo build --release\nFROM debian\n\
         COPY --from=b /s/target/release/orders /usr/local/bin/orders\n\
         HEALTHCHECK CMD [\"/usr/local/bin/orders\", \"health\"]\nCMD [\"orders\"]\n",
    );
    assert!(
        table.contains("healthcheck = [\"health\"]"),
        "{table}{told}"
    );
}

#[test]
fn a_check_by_a_name_that_is_not_there_any_more_is_none() {
    for run in ["ln -s /nowhere /hc", "cp orders /hc && rm /hc", "true"] {
        says(
            &format!("RUN {run}\nHEALTHCHECK CMD [\"/hc\", \"health\"]\n{END}"),
            &[],
            &["`HEALTHCHECK` calls `hc`, which the image has not"],
            &["healthcheck ="],
        );
    }
}

#[test]
fn a_value_that_stands_beside_another_in_one_line_is_told_as_such() {
    says(
        &format!("ENV A=1 C=$A\nENV D=$A E=$E\n{END}"),
        &["A = \"1\"", "D = \"1\""],
        &[
            "`ENV C` needs `A`, which has no value before that line [docker takes values of the lines before: give `A` its value in an `ENV` of its own]",
            "`ENV E` needs `E`, which has no value [give it as `--build-arg E=",
        ],
        &["--build-arg A="],
    );
}

#[test]
fn a_dollar_sign_before_a_digit_is_no_build_argument() {
    says(
        &format!("ENV A=a$1\nCOPY config /x$2\n{END}"),
        &[],
        &[
            "`ENV A` needs `1`, which has no value [docker takes a dollar sign before a digit for a variable, too",
            "`COPY` needs `2`, which has no value [docker takes a dollar sign",
        ],
        &["--build-arg"],
    );
}

#[test]
fn a_user_that_a_command_writes_into_its_file_is_no_lost_file() {
    says(
        &format!(
            "RUN echo \"app:x:777:888::/srv:/bin/false\" >> /etc/passwd && echo 'app:x:888:' >> /etc/group\nUSER app\n{END}"
        ),
        &["user = \"777:888\""],
        &["`echo` gives user `app` the home `/srv`: in the new image `HOME` is `/`"],
        &["Lost", "`echo` writes"],
    );
    says(
        &format!("RUN echo nonsense >> /etc/passwd && echo 'a:b:1:2' > /etc/other-passwd\n{END}"),
        &[],
        &["`echo` writes `/etc/passwd` and `/etc/other-passwd`"],
        &[],
    );
}

#[test]
fn a_volume_that_is_the_root_is_told_as_that() {
    says(
        &format!("VOLUME /\n{END}"),
        &[],
        &["it is the root directory"],
        &["it is empty", "volumes ="],
    );
}

#[test]
fn a_signal_without_a_value_is_told_once() {
    says(
        &format!("ARG S\nSTOPSIGNAL $S\n{END}"),
        &[],
        &["`STOPSIGNAL` needs `S`, which has no value"],
        &["is no signal"],
    );
    says(
        &format!("STOPSIGNAL 99\n{END}"),
        &[],
        &["`99` is no signal [use a name such as `SIGTERM`, or a number from 1 to 64]"],
        &["did you mean"],
    );
}

#[test]
fn a_path_where_no_executable_can_be_is_told_once() {
    let (table, told) = World::shared().whole(
        "FROM debian\nUSER 1:1\nCOPY target/release/orders /lib/orders\nENTRYPOINT [\"/lib/orders\"]\n",
    );
    assert!(
        told.contains("the path `/lib/orders` is not proposed"),
        "{told}"
    );
    assert!(!told.contains("the link"), "{told}");
    assert!(!table.contains("links"), "{table}");
}
