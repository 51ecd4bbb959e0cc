//! Proposals for Dockerfiles that nobody wrote: none panics, and each is one that the program takes.

mod access;
mod altered;
mod building;
mod destinations;
mod filled;
mod mended;
mod misled;
mod misread;
mod names;
mod refused;
mod standing;
mod told;
mod users;
mod world;

use proptest::prelude::*;

use self::world::World;
use super::AdoptError;

#[test]
fn variables_that_double_each_other_are_refused() {
    let world = World::new();
    let lines: Vec<String> = (1..40)
        .map(|n| format!("ENV A{n}=$A{}$A{0}\n", n - 1))
        .collect();
    let text = format!("FROM a\nENV A0=xxxxxxxx\n{}", lines.concat());
    assert!(matches!(
        world.propose(&text),
        Err(AdoptError::TooManyValues { .. })
    ));
}

#[test]
fn what_is_too_large_is_refused() {
    let world = World::new();
    let comment = format!("FROM a\n#{}\n", "x".repeat(128 * 1024));
    assert!(matches!(
        world.propose(&comment),
        Err(AdoptError::TooLarge { .. })
    ));
    for (what, text) in [
        ("stages", "FROM a\n".repeat(101)),
        (
            "instructions",
            format!("FROM a\n{}", "USER 1\n".repeat(2_000)),
        ),
        (
            "files to copy",
            format!("FROM a\nCOPY {} /x/\n", "y ".repeat(2_001)),
        ),
    ] {
        match world.propose(&text) {
            Err(AdoptError::TooMany { what: found, .. }) => assert_eq!(found, what),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_command_that_names_a_long_value_again_and_again_has_an_end() {
    let world = World::new();
    let text = format!(
        "FROM a\nENV A={}\nCMD orders{}\n",
        "x".repeat(10_000),
        " $A".repeat(20_000)
    );
    let proposal = world.propose(&text).expect("a proposal");
    assert!(super::text(&proposal).len() < 1024 * 1024);
    let told = proposal.remarks.iter().map(|remark| remark.message.len());
    assert!(told.sum::<usize>() < 4 * 1024 * 1024);
}

#[test]
fn foreign_text_is_fit_for_a_terminal() {
    let world = World::new();
    let text = "FROM a\u{1b}[31m\nRUN \u{7}evil\u{1b}[2J x\nUSER \u{202e}x\nCOPY no\u{1b}such /x\nENTRYPOINT [\"orders\"]\n";
    let proposal = world.propose(text).expect("a proposal");
    assert!(proposal.remarks.len() >= 4, "{:?}", proposal.remarks);
    for remark in &proposal.remarks {
        let words = format!(
            "{}{}",
            remark.message,
            remark.advice.as_deref().unwrap_or_default()
        );
        assert!(
            !words.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{words:?}"
        );
    }
}

#[test]
fn an_executable_whose_path_is_refused_gets_no_link_to_itself() {
    World::shared().check(
        "FROM debian AS b\nCOPY target/release/orders /app/ \\\nRUN apt-get install \u{1b}\n\
         COPY target/release/orders /app/ \nENTRYPOINT [\"orders\"]\n",
    );
}

proptest! {
    #[test]
    fn any_text_is_a_proposal_or_an_error(text in "(?s).{0,200}") {
        World::shared().check(&text);
    }

    #[test]
    fn any_words_are_a_proposal_that_can_be_read(text in dockerfile()) {
        World::shared().check(&text);
    }
}

/// Text made of what Dockerfiles are made of.
fn dockerfile() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS.to_vec());
    let line = (
        prop::sample::select(INSTRUCTIONS.to_vec()),
        prop::collection::vec(word, 0..6),
    );
    let line = line.prop_map(|(instruction, words)| format!("{instruction} {}", words.concat()));
    prop::collection::vec(line, 0..14).prop_map(|lines| {
        format!(
            "FROM debian AS b\n{}\nENTRYPOINT [\"orders\"]\n",
            lines.join("\n")
        )
    })
}

/// Each has all that it needs, so that most texts are Dockerfiles; now and then one is none.
const INSTRUCTIONS: &[&str] = &[
    "FROM scratch\nCOPY config /",
    "FROM b\nRUN",
    "RUN apt-get install",
    "RUN cargo build",
    "RUN cp",
    "RUN ln -s /app/orders",
    "RUN mkdir",
    "RUN useradd",
    "COPY config /app/",
    "COPY static",
    "COPY --chmod=640 orders/config /etc/",
    "COPY --from=b /app/orders /app/",
    "COPY target/release/orders /app/",
    "ADD config /x",
    "ENV A=",
    "ENV PATH=/x:$PATH TZ=",
    "ARG A=",
    "ARG B=x",
    "LABEL a=",
    "LABEL org.opencontainers.image.",
    "EXPOSE 80",
    "EXPOSE 8000-",
    "USER 1",
    "USER 1000:",
    "WORKDIR /",
    "WORKDIR x",
    "VOLUME /",
    "STOPSIGNAL SIG",
    "CMD x",
    "CMD exec orders",
    "ENTRYPOINT orders",
    "ENTRYPOINT [\"/app/orders\", \"x\"]\n#",
    "HEALTHCHECK CMD orders",
    "ONBUILD RUN x",
    "# escape=`",
    "#",
    "",
];

const WORDS: &[&str] = &[
    " ",
    " ",
    " ",
    "/",
    "/app",
    "/app/orders",
    "orders",
    "target/release/orders",
    "config",
    "static",
    "..",
    ".",
    "*",
    "?",
    "[",
    "]",
    "{",
    "}",
    "$A",
    "${A:-x}",
    "$",
    "\"",
    "'",
    "\\",
    "`",
    "\\\n",
    "<<EOF",
    "=",
    ":",
    ",",
    "--chmod=755",
    "--release",
    "--features ",
    "postgres",
    "-p",
    "1000",
    "65536",
    "8080",
    "8000-9000",
    "/udp",
    "TERM",
    "INT",
    "root",
    "\u{1b}",
    "\0",
    "é",
    "\t",
    "\r\n",
    "#",
    "--",
    "-",
    "&&",
    "||",
    ";",
    "[\"",
    "\"]",
    "\", \"",
    "x",
    "org.opencontainers.image.title",
    "org.opencontainers.x",
    "PATH",
    "TZ",
    ".wh.x",
    "a b",
];
