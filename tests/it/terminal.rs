//! What a person sees: bars while a run works, and a terminal as it was when it ends.

use crate::fault_registry::{Act, FaultRegistry, Settings, on};
use crate::support::cli::Lighter;
use crate::support::terminal::Terminal;
use crate::support::workspace::Checkout;

fn pushing(checkout: &Checkout, server: &FaultRegistry) -> Lighter {
    let repo = format!("{}/shop", server.host());
    Lighter::at(checkout.path()).args(["push", "--repo", &repo])
}

/// A push that stands still as soon as bytes are moved.
fn stuck() -> (Checkout, FaultRegistry) {
    let server = FaultRegistry::start(Settings::default());
    server.add(on("PUT", "/blobs/uploads/").always().act(Act::Silence));
    let checkout = Checkout::of_services(&["orders", "users"]);
    // Compiled before, so that little else happens.
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    (checkout, server)
}

#[test]
fn bars_appear_follow_the_size_and_leave_the_terminal_as_it_was_when_interrupted() {
    let (checkout, server) = stuck();
    let mut terminal = Terminal::run(&pushing(&checkout, &server), 100);
    let before = terminal.settings();
    terminal.wait_for("Delivering [");
    terminal.wait_for("Shipping [");
    terminal.resize(60);
    terminal.wait_for("Shipping [");
    terminal.types(b"\x03");
    terminal.wait_for("error: interrupted");
    assert_eq!(format!("{before:?}"), format!("{:?}", terminal.settings()));
    let (code, screen, cursor) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(cursor, "the cursor is hidden");
    assert!(
        !screen.contains("Shipping") && !screen.contains("Delivering ["),
        "{screen}"
    );
    assert!(screen.ends_with("error: interrupted"), "{screen}");
}

/// The echo of Ctrl-C moved a cursor that waited at the edge, and a bar stayed.
#[test]
fn an_interrupt_on_a_narrow_terminal_leaves_no_bar() {
    let (checkout, server) = stuck();
    let mut terminal = Terminal::run(&pushing(&checkout, &server), 60);
    terminal.wait_for("Delivering [");
    terminal.wait_for("0/2 image");
    for line in terminal.seen() {
        // Cargo's own lines may reach the edge.
        let is_bar = line.contains("Shipping [") || line.contains("Delivering [");
        assert!(!is_bar || line.chars().count() < 60, "{line}");
    }
    terminal.types(b"\x03");
    let (code, screen, _) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(
        !screen.contains("Shipping") && !screen.contains("Delivering ["),
        "{screen}"
    );
}

#[test]
fn an_image_that_takes_long_to_be_read_has_a_bar() {
    let server = FaultRegistry::start(Settings::default());
    let checkout = Checkout::of_services(&["orders"]);
    pushing(&checkout, &server).run().expect(0);
    server.add(on("GET", "/blobs/").always().act(Act::Silence));
    let image = format!("{}/shop/orders", server.host());
    let lighter = Lighter::at(checkout.path()).args(["inspect", &image]);
    let mut terminal = Terminal::run(&lighter, 100);
    // The name comes last, so that the line is there whole.
    terminal.wait_for(&format!(", {image}"));
    let seen = terminal.seen();
    let is_bar = |line: &&String| line.contains("Reading [") && line.contains("0 B/");
    assert!(seen.iter().any(|line| is_bar(&line)), "{seen:#?}");
    terminal.types(b"\x03");
    let (code, screen, cursor) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(cursor, "the cursor is hidden");
    assert!(!screen.contains("Reading ["), "{screen}");
}

#[test]
fn an_error_stands_whole_above_bars_that_go_on() {
    let server = FaultRegistry::start(Settings::default());
    let checkout = Checkout::of_services(&["broken", "orders"]);
    checkout.write("broken/src/main.rs", "fn main() { missing(); }\n");
    let lighter = pushing(&checkout, &server).args(["--keep-going"]);
    let terminal = Terminal::run(&lighter, 100);
    let before = terminal.settings();
    terminal.wait_for("Shipping [");
    terminal.wait_for("service `broken` could not be compiled");
    terminal.wait_for("Stored `orders`");
    assert_eq!(format!("{before:?}"), format!("{:?}", terminal.settings()));
    let (code, screen, cursor) = terminal.end();
    assert_eq!(code, 101, "{screen}");
    assert!(cursor, "the cursor is hidden");
    assert!(!screen.contains("Shipping"), "{screen}");
    // The compiler's own words, the error, and what came of the other.
    for part in [
        "cannot find function `missing`",
        "service `broken` could not be compiled",
        "failed",
    ] {
        assert!(screen.contains(part), "no `{part}` in:\n{screen}");
    }
    assert!(
        screen.lines().any(|line| line.starts_with("  orders ")),
        "{screen}"
    );
}

#[test]
fn at_the_end_a_terminal_has_what_a_pipe_would_have_and_a_table() {
    let server = FaultRegistry::start(Settings::default());
    let checkout = Checkout::of_services(&["orders"]);
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    let terminal = Terminal::run(&pushing(&checkout, &server), 120);
    terminal.wait_for("compile");
    let (code, screen, _) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let reference = format!("{}/shop/orders:latest@sha256:", server.host());
    for part in [
        reference.as_str(),
        "  service",
        "  orders ",
        "Stored `orders`",
    ] {
        assert!(screen.contains(part), "no `{part}` in:\n{screen}");
    }
    assert!(!screen.contains("Shipping"), "{screen}");
    // What does not stand beside each other in 60 columns stands below each other.
    let terminal = Terminal::run(&pushing(&checkout, &server), 60);
    terminal.wait_for("compile");
    let (code, screen, _) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    for line in ["  orders  unchanged", "    compile "] {
        let stands = |seen: &str| seen.starts_with(line);
        assert!(screen.lines().any(stands), "no `{line}` in:\n{screen}");
    }
}

#[test]
fn nobody_draws_bars_where_they_would_be_in_the_way() {
    let checkout = Checkout::of_services(&["orders"]);
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    for (name, value) in [("CI", "true"), ("CARGO_TERM_PROGRESS_WHEN", "never")] {
        let lighter = Lighter::at(checkout.path())
            .args(["build"])
            .env(name, value);
        let terminal = Terminal::run(&lighter, 100);
        terminal.wait_for("compile");
        let seen = terminal.seen();
        assert!(
            seen.iter().all(|line| !line.contains("Shipping")),
            "{seen:#?}"
        );
        assert!(
            seen.iter().any(|line| line.contains("Assembled `orders`")),
            "{seen:#?}"
        );
        let (code, screen, _) = terminal.end();
        assert_eq!(code, 0, "{screen}");
    }
}
