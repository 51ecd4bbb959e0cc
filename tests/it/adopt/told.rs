//! What would get lost in silence: each case was once accepted without a word.

use super::workspace;
use crate::support::cli::{Lighter, Run};

/// The head of a Dockerfile for `orders` whose executable was built before.
const HEAD: &str =
    "FROM debian:12\nUSER 1:1\nWORKDIR /app\nCOPY target/release/orders /app/orders\n";

fn adopt(dockerfile: &str, arguments: &[&str]) -> Run {
    let checkout = workspace();
    checkout.write("Dockerfile", dockerfile);
    Lighter::at(checkout.path())
        .args(["adopt", "Dockerfile", "--offline"])
        .args(arguments)
        .run()
}

fn of(rest: &str) -> Run {
    adopt(&format!("{HEAD}{rest}"), &[]).expect(0)
}

#[track_caller]
fn has_args(run: &Run, args: &str) {
    let found = run.stdout.lines().find(|line| line.starts_with("args"));
    let expected = (!args.is_empty()).then(|| format!("args = [{args}]"));
    assert_eq!(found.map(str::to_owned), expected, "{}", run.stdout);
}

#[test]
fn a_flag_whose_variable_has_no_value_is_told_with_both() {
    let run = of("ENTRYPOINT ./orders --port $PORT --name x\n").says(&[
        "warning: Dockerfile:5: `--port $PORT` is left out of `args`: nothing here says what `PORT` is",
        "hint: let the program read `PORT` itself, or put `--port` and a value into `args`",
    ]);
    has_args(&run, "\"--name\", \"x\"");
    assert!(!run.stderr.contains("has the value"), "{}", run.stderr);
}

#[test]
fn each_word_that_a_shell_fills_in_is_told() {
    let run = of("ENV PORT=80 HOSTS=\"a b\"\n\
         CMD exec ./orders --port ${PORT} --at=\"$HOSTS\" --id $(hostname -s) *.toml --level ${LEVEL:-info} '*' $A$B\n")
    .says(&[
        "`${PORT}` becomes `80` in `args`",
        "`--at=\"$HOSTS\"` becomes `--at=a b` in `args`",
        "let the program read `PORT` itself",
        "`--id $(hostname -s)` is left out of `args`",
        "`*.toml` is left out of `args`",
        "`${LEVEL:-info}` becomes `info` in `args`",
        "`$A$B` is left out of `args`: nothing here says what `A` and `B` are",
    ]);
    has_args(
        &run,
        "\"--port\", \"80\", \"--at=a b\", \"--level\", \"info\", \"*\"",
    );
}

#[test]
fn what_a_shell_does_around_the_executable_is_told() {
    let run = of("CMD A=1 B=$PORT ./orders serve > /log/out 2>&1\n").says(&[
        "`A=1` is set for the executable alone",
        "`B=$PORT` is set for the executable alone",
        "`> /log/out` sends its output elsewhere",
        "`2>&1` sends its output elsewhere",
    ]);
    has_args(&run, "\"serve\"");
    let run = of("ENTRYPOINT [\"env\", \"A=1\", \"./orders\", \"serve\"]\n")
        .says(&["`A=1` is set for the executable alone"]);
    has_args(&run, "\"serve\"");
    of("CMD ./orders 'serve\n").says(&["opens a quote and never closes it"]);
}

#[test]
fn words_after_a_script_are_its_parameters() {
    let run = of(
        "ENTRYPOINT [\"sh\", \"-c\", \"exec ./orders \\\"$@\\\" $1\", \"--\"]\nCMD [\"-x\", \"a b\"]\n",
    );
    has_args(&run, "\"-x\", \"a b\", \"-x\"");
    let run = of("ENTRYPOINT [\"sh\", \"-c\", \"./orders -x\"]\nCMD [\"-y\"]\n")
        .says(&["`-y` is a parameter of the script, which does not use it"]);
    has_args(&run, "\"-x\"");
}

#[test]
fn a_command_in_shell_form_beside_an_entrypoint_in_exec_form_is_told() {
    let run = of("ENTRYPOINT [\"./orders\"]\nCMD serve --port 80\n").says(&[
        "warning: Dockerfile:6: `CMD` in shell form starts no shell beside this `ENTRYPOINT`, which gets `/bin/sh`, `-c` and the text as arguments",
        "hint: if they were meant as arguments, write `CMD [\"serve\", \"--port\", \"80\"]`",
    ]);
    has_args(&run, "\"/bin/sh\", \"-c\", \"serve --port 80\"");
    // An init does start that shell.
    let run = of("ENTRYPOINT [\"tini\", \"--\"]\nCMD ./orders serve\n");
    has_args(&run, "\"serve\"");
    assert!(!run.stderr.contains("starts no shell"), "{}", run.stderr);
}

#[test]
fn the_shell_instruction_is_respected() {
    let bash = "SHELL [\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\"]\n";
    let run = of(&format!("{bash}CMD ./orders serve\n")).says(&["`/bin/bash -eo pipefail -c`"]);
    has_args(&run, "\"serve\"");
    let run = of(&format!("{bash}ENTRYPOINT [\"./orders\"]\nCMD serve\n"))
        .says(&["which gets `/bin/bash`, `-eo`, `pipefail`, `-c` and the text"]);
    has_args(
        &run,
        "\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\", \"serve\"",
    );
    // Only what follows it is started by it.
    let run = of(&format!("CMD ./orders serve\n{bash}")).says(&["`/bin/sh -c`"]);
    has_args(&run, "\"serve\"");
    let run = of("SHELL [\"powershell\", \"-Command\"]\nCMD ./orders serve\n")
        .says(&["`powershell -Command`"]);
    has_args(&run, "");
    let run = of("SHELL [\"conda\", \"run\", \"bash\", \"-c\"]\nCMD ./orders serve\n")
        .says(&["`conda run bash -c`"]);
    has_args(&run, "\"serve\"");
}

#[test]
fn a_dockerfile_for_another_service_is_refused() {
    let run = adopt(
        &format!("{HEAD}ENTRYPOINT [\"/app/orders\", \"--orders-only\"]\n"),
        &["--service", "report"],
    )
    .expect(2)
    .says(&[
        "`Dockerfile` starts service `orders`, and has no executable of service `report`",
        "hint: leave out `--service`, or name the Dockerfile of `report`",
    ]);
    assert_eq!(run.stdout, "");
    let compiled = "FROM rust\nRUN cargo build --bin orders\nCMD [\"/app\"]\n";
    adopt(compiled, &["--service", "report"]).expect(2).says(&[
        "`Dockerfile` compiles service `orders`, and has no executable of service `report`",
    ]);
    adopt(HEAD, &["--service", "report"]).expect(2).says(&[
        "`Dockerfile` has the executable of service `orders`, and has no executable of service `report`",
    ]);
}

#[test]
fn the_executable_of_the_named_service_is_taken_without_the_arguments_of_another() {
    let run = adopt(
        "FROM debian:12\nUSER 1:1\nCOPY target/release/invoice target/release/report /srv/\n\
         HEALTHCHECK CMD [\"/srv/invoice\", \"health\"]\nENTRYPOINT [\"/srv/invoice\", \"--once\"]\n",
        &["--service", "report"],
    )
    .expect(0)
    .says(&[
        "warning: Dockerfile:5: service `invoice` is started here, not `report`: its arguments are not taken over",
        "`HEALTHCHECK` calls `invoice`",
    ]);
    assert_eq!(
        run.stdout,
        "[package.metadata.lighter.bin.report]\npath = \"/srv/report\"\nuser = \"1:1\"\n"
    );
}

#[test]
fn secrets_are_neither_taken_over_nor_printed() {
    let dockerfile = format!(
        "ARG NPM_TOKEN=h1dden\nARG GLOBAL_SECRET=h1dden\n{HEAD}\
         ARG NPM_TOKEN\nARG ALIAS=$NPM_TOKEN\nARG GIVEN_PASSWORD\n\
         ENV DB_PASSWORD=h1dden PGPASSWORD=h1dden AWS_ACCESS_KEY_ID=h1dden stripe_api_key=h1dden\n\
         ENV FROM_ARG=x-$ALIAS FROM_ENV=$DB_PASSWORD GIVEN=$GIVEN_PASSWORD\n\
         ENV AGAIN=$FROM_ENV\n\
         ENV DATABASE_URL=postgres://me:h1dden@db/orders DSN=\"Host=db;Password=h1dden;\"\n\
         ENV KEY=\"-----BEGIN PRIVATE KEY-----h1dden\" GH=ghp_h1ddenh1ddenh1ddenh1ddenh1dden\n\
         LABEL com.example.apiToken=h1dden com.example.b=$DB_PASSWORD\n\
         WORKDIR /srv/$DB_PASSWORD\n\
         ADD https://me:h1dden@host/file?token=h1dden /file\n\
         COPY $DB_PASSWORD /x\n\
         EXPOSE $DB_PASSWORD\nSTOPSIGNAL $DB_PASSWORD\nVOLUME $DB_PASSWORD\nUSER $DB_PASSWORD\n\
         ENV PASSWORD_FILE=/run/secrets/x TOKEN_PATH=/t MAX_TOKENS=7 EMPTY_SECRET= PLAIN_URL=postgres://db/orders\n\
         CMD ./orders --password $DB_PASSWORD --token=$NPM_TOKEN\n"
    );
    let given = "GIVEN_PASSWORD=h1dden";
    for arguments in [
        &["--build-arg", given][..],
        &["--build-arg", given, "--format", "json"],
    ] {
        let run = adopt(&dockerfile, arguments).expect(0);
        for (name, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            assert!(!text.contains("h1dden"), "{name}: {text}");
        }
        run.says(&[
            "`ENV DB_PASSWORD` looks like a secret: its value is not taken over",
            "Kubernetes Secret",
            "`ENV PGPASSWORD` looks",
            "`ENV AWS_ACCESS_KEY_ID` looks",
            "`ENV stripe_api_key` looks",
            "`ENV FROM_ARG` looks",
            "`ENV FROM_ENV` looks",
            "`ENV AGAIN` looks",
            "`ENV GIVEN` looks",
            "`ENV DATABASE_URL` looks",
            "`ENV DSN` looks",
            "`ENV KEY` looks",
            "`ENV GH` looks",
            "label `com.example.apiToken` looks",
            "label `com.example.b` looks",
            "`--password $DB_PASSWORD` is left out of `args`",
        ]);
    }
    let run = adopt(&dockerfile, &["-q", "--build-arg", given]).expect(0);
    let (_, env) = run.stdout.split_once(".env]\n").expect("has variables");
    assert_eq!(
        env,
        "EMPTY_SECRET = \"\"\nMAX_TOKENS = \"7\"\nPASSWORD_FILE = \"/run/secrets/x\"\n\
         PLAIN_URL = \"postgres://db/orders\"\nTOKEN_PATH = \"/t\"\n"
    );
    assert!(!run.stdout.contains("labels"), "{}", run.stdout);
}

#[test]
fn secrets_of_command_lines_are_neither_taken_over_nor_printed() {
    for (rest, args, told) in [
        (
            "CMD [\"/app/orders\", \"--password\", \"h1dden\", \"--db=postgres://a:h1dden@x/\", \"-v\"]\n",
            "\"-v\"",
            "`--password` looks like a secret: it is left out of `args`",
        ),
        (
            "ENTRYPOINT /app/orders --password h1dden --token=\"h1dden$X\" -v\n",
            "\"-v\"",
            "`--token=…` is left out of `args`: nothing here says what `X` is",
        ),
        (
            "ENTRYPOINT DB_PASSWORD=h1dden /app/orders; API_KEY=h1dden other --secret h1dden\n",
            "",
            "`DB_PASSWORD=…` is set for the executable alone",
        ),
        (
            "ENTRYPOINT [\"/app/orders\"]\nCMD serve --password h1dden\n",
            "",
            "the text of `CMD` holds what looks like a secret",
        ),
        (
            "ENTRYPOINT /app/orders --token h1dden$X --db $X --url postgres://a:h1dden@b/$X\n",
            "",
            "`--url …` is left out of `args`",
        ),
        (
            "ENTRYPOINT [\"/app/orders\"]\nHEALTHCHECK CMD [\"/app/orders\", \"check\", \"--token\", \"h1dden\"]\n",
            "",
            "`--token` looks like a secret: it is left out of `healthcheck`",
        ),
    ] {
        let run = of(rest).says(&[told]);
        has_args(&run, args);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(!text.contains("h1dden"), "{rest}: {text}");
    }
}

#[test]
fn a_build_argument_that_nothing_declares_is_told() {
    let given = [
        "--build-arg",
        "VERSOIN=h1dden",
        "--build-arg",
        "HTTP_PROXY=x",
    ];
    let run = adopt(
        &format!("ARG GLOBAL\n{HEAD}ARG VERSION\nCMD [\"/app/orders\"]\n"),
        &given,
    )
    .expect(0)
    .says(&[
        "warning: Dockerfile: no `ARG` declares `VERSOIN`: its value is not used",
        "hint: did you mean `VERSION`?",
    ]);
    assert!(!run.stderr.contains("h1dden"), "{}", run.stderr);
    assert!(!run.stderr.contains("HTTP_PROXY"), "{}", run.stderr);
    adopt(&format!("{HEAD}CMD [\"/app/orders\"]\n"), &given)
        .expect(0)
        .says(&["hint: declare it, such as `ARG VERSOIN` after `FROM`"]);
    let run = adopt(
        &format!("ARG GLOBAL\n{HEAD}ARG VERSION\nCMD [\"/app/orders\"]\n"),
        &["--build-arg", "GLOBAL=1", "--build-arg", "VERSION=2"],
    );
    assert!(!run.stderr.contains("declares"), "{}", run.stderr);
}

#[test]
fn a_list_that_is_no_json_is_told() {
    for (instruction, what) in [
        ("CMD [\"/app/orders\", '-x']", "CMD"),
        ("CMD [/app/orders]", "CMD"),
        ("ENTRYPOINT [\"/app/orders\", ]", "ENTRYPOINT"),
        ("ENTRYPOINT [ '/app/orders', \"-x\" ]", "ENTRYPOINT"),
        ("CMD [\"/app/orders\"\n", "CMD"),
        (
            "CMD [\"/app/orders\"]\nHEALTHCHECK CMD ['/app/orders']",
            "HEALTHCHECK",
        ),
    ] {
        adopt(&format!("{HEAD}{instruction}\n"), &["--service", "orders"])
            .expect(0)
            .says(&[
                &format!(
                    "`{what}` begins with `[` and is no JSON: docker gives the text to a shell"
                ),
                "in double quotes",
            ]);
    }
    let run = of("CMD [ -f /app/orders ] && ./orders\n");
    assert!(!run.stderr.contains("JSON"), "{}", run.stderr);
}

#[test]
fn a_volume_of_a_list_may_have_a_blank_in_its_name() {
    let run = of("VOLUME [\"/a\", \"/b c\"]\nVOLUME /d /e\nCMD [\"/app/orders\"]\n");
    let expected = "volumes = [\"/a\", \"/b c\", \"/d\", \"/e\"]\n";
    assert!(run.stdout.contains(expected), "{}", run.stdout);
}

#[test]
fn cargo_run_at_start_names_the_service_by_its_package() {
    let checkout = workspace();
    for command in [
        "cargo run --release -p orders",
        "[\"cargo\", \"run\", \"--release\", \"--package=orders\"]",
    ] {
        checkout.write(
            "Dockerfile",
            &format!("FROM rust:1.95\nWORKDIR /src\nCOPY . .\nUSER 1:1\nCMD {command}\n"),
        );
        Lighter::at(checkout.path())
            .args(["adopt", "Dockerfile", "--offline"])
            .run()
            .expect(0)
            .says(&[
                "Read Dockerfile: service `orders`",
                "`cargo run` compiles when a container starts: the image has it compiled",
            ]);
    }
}

#[test]
fn other_executables_in_a_directory_of_cargo_are_told() {
    let build = "FROM rust:1 AS b\nCOPY . /s\nWORKDIR /s\nRUN cargo build --release\n";
    for (copies, path) in [
        (
            "FROM debian\nUSER 1:1\nCOPY --from=b /s/target/release/ /usr/local/bin/\nCMD [\"orders\"]\n",
            "/usr/local/bin/orders",
        ),
        (
            "FROM debian\nUSER 1:1\nCOPY --from=b /s/target/release /opt\nCMD [\"/opt/orders\"]\n",
            "/opt/orders",
        ),
        (
            "RUN mkdir /out && cp target/release/orders target/release/report target/release/invoice /out/\n\
             FROM debian\nUSER 1:1\nCOPY --from=b /out/ /bin/\nENTRYPOINT [\"orders\"]\n",
            "/bin/orders",
        ),
        (
            "RUN mkdir /out && cp target/release/orders /out/ && cp target/release/report /out/r && cp target/release/invoice /out/\n\
             FROM debian\nUSER 1:1\nCOPY --from=b /out /bin\nENTRYPOINT [\"orders\"]\n",
            "/bin/orders",
        ),
    ] {
        let run = adopt(&format!("{build}{copies}"), &[]).expect(0).says(&[
            "`invoice` and `report` are executables of their own: an image has one",
            "each service gets its own image",
        ]);
        assert!(
            run.stdout.contains(&format!("path = \"{path}\"")),
            "{copies}{}",
            run.stdout
        );
        assert!(!run.stdout.contains("links"), "{copies}{}", run.stdout);
    }
    // Those that are not compiled are not there.
    let run = adopt(
        "FROM rust:1 AS b\nCOPY . /s\nWORKDIR /s\nRUN cargo build --release -p orders\n\
         FROM debian\nUSER 1:1\nCOPY --from=b /s/target/release/ /usr/local/bin/\nCMD [\"orders\"]\n",
        &[],
    )
    .expect(0);
    assert!(!run.stderr.contains("of their own"), "{}", run.stderr);
}
