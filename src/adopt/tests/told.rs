//! What once was proposed wrongly, or got lost without a word.

use super::world::World;

/// Asserts what the table and the remarks for a Dockerfile have in them, and what neither has.
#[track_caller]
pub(super) fn says(rest: &str, table: &[&str], remarks: &[&str], never: &[&str]) {
    let (found, told) = World::shared().told(rest);
    for expected in table {
        assert!(
            found.contains(expected),
            "{rest}: no {expected} in\n{found}"
        );
    }
    for expected in remarks {
        assert!(told.contains(expected), "{rest}: no {expected} in\n{told}");
    }
    for other in never {
        assert!(!found.contains(other), "{rest}: {other} in\n{found}");
        assert!(!told.contains(other), "{rest}: {other} in\n{told}");
    }
}

#[test]
fn an_empty_list_is_none() {
    let none = &["`CMD` without `ENTRYPOINT`"];
    says(
        "ENTRYPOINT [\"/x\"]\nENTRYPOINT []\nCMD [\"/app/orders\", \"-x\"]\n",
        &["args = [\"-x\"]"],
        none,
        &["`/x`"],
    );
    says(
        "CMD [\"x\"]\nENTRYPOINT [\"/app/orders\"]\nCMD []\n",
        &[],
        &[],
        &["args"],
    );
    says(
        "ENTRYPOINT [ ]\nCMD /app/orders\n",
        &[],
        &["`/bin/sh -c` starts"],
        &[],
    );
}

#[test]
fn a_list_in_single_quotes_is_told_as_a_text_for_a_shell() {
    for list in [
        "[\"/app/orders\", '-x']",
        "['/app/orders']",
        "[\"/app/orders\" \"-x\"]",
        "[\"/app/orders\"] -x",
    ] {
        says(
            &format!("CMD {list}\n"),
            &[],
            &["Lost 5: `CMD` begins with `[` and is no JSON: docker gives the text to a shell"],
            &["args", "starts the executable"],
        );
    }
}

#[test]
fn what_a_command_says_is_printed_without_its_secrets() {
    for rest in [
        "CMD curl -H \"Authorization: Bearer h1dden\" http://x && exec ./orders\n",
        "CMD curl -u me:h1dden http://x; ./orders\n",
        "CMD mysql --pass h1dden && ./orders --pw=h1dden\n",
        "CMD login Authorization: Basic h1dden && ./orders\n",
        "ENTRYPOINT [\"/app/orders\", \"--pass\", \"h1dden\", \"-u\", \"me:h1dden\"]\n",
        "ENV PW=h1dden PGPASS=h1dden BASIC_AUTH=h1dden\nLABEL jwt=h1dden\n",
        "ARG PASS=h1dden\nENV A=$PASS\n",
        "ENV A=h1dden-\nCMD ./orders --pass $A\nENV A=x\n",
        "RUN curl -H 'Authorization: Bearer h1dden' http://x > /y\n",
    ] {
        says(rest, &[], &[], &["h1dden"]);
    }
}

#[test]
fn a_program_that_changes_the_user_gives_the_number_of_that_user() {
    let user = "RUN useradd -u 1000 -g 7 app && groupadd -g 7 app\n";
    for start in [
        "ENTRYPOINT [\"gosu\", \"app\", \"/app/orders\"]\n",
        "CMD exec su-exec app ./orders\n",
        "ENTRYPOINT [\"setpriv\", \"--reuid=app\", \"--regid\", \"7\", \"--init-groups\", \"/app/orders\"]\n",
        "ENTRYPOINT [\"su\", \"app\", \"-c\", \"/app/orders\"]\n",
        "ENTRYPOINT [\"runuser\", \"-u\", \"app\", \"--\", \"/app/orders\"]\n",
    ] {
        says(
            &format!("{user}{start}"),
            &["user = \"1000:7\""],
            &["is not in the image: the service runs as 1000:7 from the start"],
            &["say `app`"],
        );
    }
    says(
        "RUN useradd app\nENTRYPOINT [\"gosu\", \"app\", \"/app/orders\"]\n",
        &[],
        &["nothing here says the number of user `app` [the service runs as 65532:65532"],
        &["user = \"app"],
    );
}

#[test]
fn a_value_that_is_cut_is_cut_as_docker_does() {
    says(
        "ARG V=1.2.3\nENV A=${V%.*} B=${V##*.} C=${V/./-}\nLABEL d=${V//./_}\nCOPY config/${V/1.2.3/x} /y\nCMD [\"/app/orders\"]\n",
        &[
            "A = \"1.2\"",
            "B = \"3\"",
            "C = \"1-2.3\"",
            "d = \"1_2_3\"",
            "from = \"/config/x\", to = \"/y\"",
        ],
        &[],
        &["has no value"],
    );
}

#[test]
fn a_value_that_docker_refuses_is_told_and_left_out() {
    says(
        "ARG V=abc\nENV A=${V:0:3}\nENV B=x$A\nLABEL c=${V^^}\nARG D=${V,,}\nWORKDIR /${V^}\nCMD [\"/app/orders\"]\n",
        &[],
        &[
            "Lost 6: `ENV A` uses `${V:0:3}`, which `docker build` refuses: it is left out",
            "Lost 7: `ENV B` uses `${V:0:3}`",
            "Lost 8: label `c` uses `${V^^}`",
            "Lost 9: `ARG D` uses `${V,,}`",
            "Lost 10: `WORKDIR` uses `${V^}`",
        ],
        &["A =", "B =", "c =", "has no value", "workdir"],
    );
}

#[test]
fn what_only_a_shell_can_cut_is_told_as_that() {
    says(
        "ENV V=a.b\nCMD ./orders --a ${V%.b} --b=${V:0:1} ${V^^} -v\n",
        &["args = [\"-v\"]"],
        &["`--a ${V%.b}` is left out of `args`: only a shell can say what it becomes"],
        &["nothing here says"],
    );
}

#[test]
fn a_path_of_copy_that_cannot_be_known_is_told() {
    says(
        "ENV DB_PASSWORD=h1dden\nCOPY config/$NOPE /a\nCOPY config/x /$DB_PASSWORD/b\nCOPY config/${NOPE^^} /c\nCMD [\"/app/orders\"]\n",
        &[],
        &[
            "Lost 6: `COPY` needs `NOPE`, which has no value",
            "Lost 7: a path of `COPY` looks like a secret",
            "Lost 8: `COPY` uses `${NOPE^^}`",
        ],
        &["assets = ", "h1dden"],
    );
}

#[test]
fn what_only_bash_makes_of_a_word_is_told() {
    let text = "./orders {a,b} $'c' --d <(e f) -v\n";
    says(
        &format!("SHELL [\"/bin/bash\", \"-c\"]\nCMD {text}"),
        &["args = [\"-v\"]"],
        &[
            "`{a,b}` is left out of `args`: only a shell can say what it becomes",
            "`$'c'` is left out",
            "`--d <(e f)` is left out",
        ],
        &[],
    );
    // Elsewhere they are characters.
    says(
        &format!("CMD {text}"),
        &["args = [\"{a,b}\", \"$c\", \"-v\"]"],
        &["`--d <(e f)` is left out"],
        &[],
    );
}

#[test]
fn what_a_run_writes_is_told_whatever_writes_it() {
    says(
        "RUN env > /etc/all; ls /x > /dev/null 2>&1; cat <<E > /a\nb\nE\nCMD [\"/app/orders\"]\n",
        &[],
        &["`env` writes `/etc/all`", "`cat` writes `/a`"],
        &["`ls`"],
    );
}

#[test]
fn what_commands_do_with_copied_files_is_done_to_their_assets() {
    let copy = "COPY config/x /app/x\nCOPY config /app/config\n";
    let end = "CMD [\"/app/orders\"]\n";
    for (run, table) in [
        ("mv x y", &["to = \"/app/y\" }"][..]),
        ("mv /app/x /etc/", &["to = \"/etc/x\" }"]),
        ("mkdir /z && mv x /z", &["to = \"/z/x\" }"]),
        ("cp x z", &["to = \"/app/x\" }", "to = \"/app/z\" }"]),
        (
            "cp -r config /c",
            &["to = \"/app/config\" }", "to = \"/c\" }"],
        ),
        (
            "ln -s x /app/l",
            &["to = \"/app/x\" }", "to = \"/app/l\" }"],
        ),
        (
            "install -Dm 600 x /etc/y",
            &["to = \"/etc/y\", mode = \"0600\" }"],
        ),
        ("chmod 600 x", &["to = \"/app/x\", mode = \"0600\" }"]),
        (
            "for f in y; do true; done; chmod 600 /app/x*",
            &["to = \"/app/x\", mode = \"0600\" }"],
        ),
        ("chmod +x x", &["to = \"/app/x\", mode = \"0755\" }"]),
        (
            "cd / && chmod -R 640 app",
            &[
                "to = \"/app/x\", mode = \"0640\" }",
                "to = \"/app/config\", mode = \"0640\" }",
            ],
        ),
    ] {
        says(&format!("{copy}RUN {run}\n{end}"), table, &[], &["Lost 7"]);
    }
    says(
        &format!("{copy}RUN rm -rf x\n{end}"),
        &["/app/config"],
        &[],
        &["/app/x", "Lost"],
    );
    says(&format!("{copy}RUN mv x y\n{end}"), &[], &[], &["/app/x"]);
    says(
        &format!("{copy}RUN chmod -R a+rX /app && chmod +x orders\n{end}"),
        &[],
        &[],
        &["mode", "Lost"],
    );
    // What is copied later is there.
    says(
        &format!("{copy}RUN rm x\nCOPY config/x /app/x\n{end}"),
        &["to = \"/app/x\""],
        &[],
        &[],
    );
}

#[test]
fn what_commands_do_with_copied_files_is_told_where_it_is_not_followed() {
    let copy = "COPY config/x /app/x\nCOPY config /app/config\n";
    let end = "CMD [\"/app/orders\"]\n";
    for (run, told) in [
        (
            "if [ -e x ]; then mv x y; fi",
            "`mv x y` is not followed: `/app/x` is",
        ),
        (
            "mv config/x y",
            "`mv config/x y` is not followed: `/app/config` is",
        ),
        (
            "rm config/*.local",
            "`rm config/*.local` is not followed: `/app/config` is",
        ),
        (
            "chmod 4755 x",
            "`chmod 4755 x` is not followed: `/app/x` is",
        ),
        (
            "chmod -R u+x config",
            "`chmod -R u+x config` is not followed",
        ),
        (
            "chmod 4755 orders",
            "lets `/app/orders` run with the rights of its owner",
        ),
        (
            "sed -i s/a/b/ x",
            "`sed -i s/a/b/ x` is not followed: `/app/x`",
        ),
        (
            "cp /etc/skel/a /b",
            "`cp /etc/skel/a /b` is not followed: what it takes is no file that was copied",
        ),
        ("mv x $NOWHERE", "`mv x $NOWHERE` is not followed"),
        (
            "for f in *; do chmod 600 $f; done",
            "`chmod 600 $f` is not followed: only a shell knows which files it means",
        ),
        (
            "true || chmod -R 600 .",
            "not followed: `/app/x` and `/app/config` are in the image as they were copied",
        ),
    ] {
        says(
            &format!("{copy}RUN {run}\n{end}"),
            &["to = \"/app/x\" }"],
            &["Lost 7", told],
            &[],
        );
    }
    says(
        &format!("{copy}RUN chown -R 1000 /app\n{end}"),
        &[],
        &["Changed 7: files of the image belong to root"],
        &[],
    );
}

#[test]
fn the_time_zone_of_an_image_is_carried() {
    let end = "CMD [\"/app/orders\"]\n";
    for run in [
        "RUN ln -snf /usr/share/zoneinfo/Europe/Oslo /etc/localtime && echo Europe/Oslo > /etc/timezone\n",
        "RUN echo Europe/Oslo > /etc/timezone\n",
        "ARG ZONE=Europe/Oslo\nRUN cp /usr/share/zoneinfo/$ZONE /etc/localtime\n",
        "COPY --from=alpine /usr/share/zoneinfo/Europe/Oslo /etc/localtime\n",
    ] {
        says(
            &format!("{run}{end}"),
            &["tzdata = true", "TZ = \"Europe/Oslo\""],
            &["`TZ` of `env` says"],
            &["Lost"],
        );
    }
    says(
        &format!("RUN ln -s /usr/share/zoneinfo/$WHERE /etc/localtime\n{end}"),
        &["tzdata = true"],
        &["the time zone of the old image is chosen while it is built"],
        &["[package.metadata.lighter.env]"],
    );
    says(
        &format!("ENV TZ=Asia/Tokyo\nRUN ln -s /usr/share/zoneinfo/$TZ /etc/localtime\n{end}"),
        &["tzdata = true", "TZ = \"Asia/Tokyo\""],
        &[],
        &["Lost", "localtime"],
    );
    says(
        &format!("RUN ln -s /usr/share/zoneinfo/UTC /etc/localtime\n{end}"),
        &[],
        &[],
        &["Lost", "TZ", "tzdata"],
    );
}

#[test]
fn executables_that_a_pattern_or_a_directory_brings_are_no_files_that_are_made() {
    let head = "FROM rust AS b\nCOPY . .\nRUN cargo install --path orders --root /x\nFROM debian\nUSER 1:1\n";
    for copy in [
        "COPY --from=b /x/bin/* /usr/local/bin/",
        "COPY --from=b /x/bin/ /usr/local/bin/",
        "COPY --from=b /x/bin /usr/local/bin",
        "COPY --from=b /x/bin/o* /usr/local/bin/",
    ] {
        let text = format!("{head}{copy}\nENTRYPOINT [\"orders\"]\n");
        let proposal = World::shared().propose(&text).expect("a proposal");
        let table = crate::adopt::text(&proposal);
        assert!(
            table.contains("path = \"/usr/local/bin/orders\""),
            "{copy}: {table}"
        );
        let told: Vec<&str> = proposal
            .remarks
            .iter()
            .map(|remark| remark.message.as_str())
            .collect();
        assert!(
            !told.iter().any(|told| told.contains("is made while")),
            "{copy}: {told:?}"
        );
    }
}

#[test]
fn a_health_check_by_a_shell_is_taken_without_it() {
    let end = "ENTRYPOINT [\"/app/orders\"]\n";
    says(
        &format!(
            "ENV PORT=80\nHEALTHCHECK CMD exec ./orders check \"--port=$PORT\" || exit 1\n{end}"
        ),
        &["healthcheck = [\"check\", \"--port=80\"]"],
        &["becomes `--port=80` in `healthcheck`"],
        &["calls"],
    );
    says(
        &format!("HEALTHCHECK CMD ./orders check --id $(hostname) > /dev/null 2>&1\n{end}"),
        &["healthcheck = [\"check\"]"],
        &["`--id $(hostname)` is left out of `healthcheck`: only a shell can say"],
        &["calls"],
    );
    says(
        &format!("HEALTHCHECK CMD ./orders\n{end}"),
        &[],
        &["`HEALTHCHECK` starts the service once more"],
        &["which the image has not"],
    );
    says(
        &format!("HEALTHCHECK CMD ./orders a && ./orders b\n{end}"),
        &[],
        &["`HEALTHCHECK` calls more than one command by a shell"],
        &["healthcheck ="],
    );
    says(
        &format!("HEALTHCHECK CMD curl -f x | grep ok\n{end}"),
        &[],
        &["`HEALTHCHECK` calls `curl`, which the image has not"],
        &[],
    );
}

#[test]
fn a_condition_of_a_shell_that_decides_what_starts_is_told() {
    says(
        "CMD if [ \"$M\" ]; then ./orders migrate; else exec ./orders serve; fi\n",
        &["args = [\"serve\"]"],
        &[
            "a condition of `/bin/sh -c` decides what is started: here it is `./orders serve`",
            "also runs `[` and `./orders migrate`",
        ],
        &["`fi`"],
    );
    says(
        "CMD ./orders migrate && ./orders serve\n",
        &["args = [\"serve\"]"],
        &["also runs `./orders migrate`"],
        &["condition"],
    );
}

#[test]
fn what_an_init_does_to_signals_is_told() {
    says(
        "ENTRYPOINT [\"dumb-init\", \"--rewrite\", \"15:2\", \"-c\", \"--\", \"/app/orders\", \"-r\", \"1:2\"]\n",
        &["args = [\"-r\", \"1:2\"]"],
        &["`dumb-init` turns signals into others: 15:2"],
        &["others: 1:2"],
    );
    says(
        "ENTRYPOINT [\"tini\", \"-e\", \"143\", \"--\", \"/app/orders\"]\n",
        &[],
        &["turns the exit code 143 into 0"],
        &["args"],
    );
}

#[test]
fn sources_that_are_no_files_are_told_as_what_they_are() {
    says(
        "ADD git@github.com:a/b.git /x\nCOPY config/x orders/config /y\nCMD [\"/app/orders\"]\n",
        &[],
        &[
            "Lost 5: `ADD` clones `git@github.com:a/b.git`",
            "Lost 6: `COPY` has several sources",
        ],
        &["is not there"],
    );
}

#[test]
fn a_directory_with_more_files_than_are_looked_at_is_not_proposed_beside_a_dockerignore() {
    let world = World::shared();
    world.write(".dockerignore", "*.local\n");
    for at in 0..10_001 {
        world.write(&format!("many/{at}"), "");
    }
    let (table, told) = world.told("COPY many /many\nCMD [\"/app/orders\"]\n");
    assert!(!table.contains("assets"), "{table}");
    assert!(told.contains("`many` has too many files"), "{told}");
}

#[test]
fn what_stands_in_for_a_secret_is_neither_written_nor_printed() {
    says(
        "ENTRYPOINT [\"sh\", \"-c\", \"/app/orders --k ${TOKEN:-hushhush}\"]\n",
        &[],
        &["TOKEN"],
        &["hushhush", "--k\""],
    );
}

/// Which of their words is a password, nobody can know.
#[test]
fn of_other_commands_nothing_is_printed_that_may_be_a_password() {
    let world = World::shared();
    for command in [
        "vault login hushhush",
        "redis-cli -a hushhush ping",
        "sshpass -p hushhush ssh h",
        "aws configure set aws_secret_access_key hushhush",
        "htpasswd -bc f u hushhush",
        "[ \"$DB_PASSWORD\" = hushhush ]",
        "echo hushhush | docker login --password-stdin",
        "/opt/tool --key hushhush",
        "KEY=hushhush ./prepare",
    ] {
        let (table, remarks) = world.told(&format!("CMD {command} && exec /app/orders\n"));
        assert!(!remarks.contains("hushhush"), "{command}: {remarks}");
        assert!(!table.contains("hushhush"), "{command}: {table}");
        assert!(remarks.contains("also runs"), "{command}: {remarks}");
    }
}
