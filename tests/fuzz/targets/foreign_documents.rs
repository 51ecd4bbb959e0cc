//! Documents around an image that somebody else wrote: the input is the header of a layout, an index, a
//! manifest and a configuration at once.
#![no_main]

#[path = "../support/layout.rs"]
mod layout;

use cargo_lighter::inspect::{Inspector, Page};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::registry::Options;
use cargo_lighter::report::Clock;
use cargo_lighter::source::{Sources, Wanted, parse};
use layout::{CONFIG, HEADER, Layout, MANIFEST, index};
use libfuzzer_sys::fuzz_target;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fuzz_target!(|bytes: &[u8]| {
    let layout = Layout::new();
    let config = layout.put(bytes, CONFIG);
    let whole = serde_json::json!({ "schemaVersion": 2, "config": config, "layers": [] });
    let whole = layout.put(whole.to_string().as_bytes(), MANIFEST);
    look(&layout, bytes, &index(&[whole.clone()]));
    look(&layout, HEADER, bytes);
    for entry in [whole, layout.put(bytes, MANIFEST), layout.put(bytes, INDEX)] {
        look(&layout, HEADER, &index(&[entry]));
    }
});

fn look(layout: &Layout, header: &[u8], index: &[u8]) {
    layout.lead(header, index);
    let environment = Environment::new(layout.around(), []);
    let interrupt = Interrupt::new();
    let clock = Clock::by_hand();
    let mut sources = Sources::new(&environment, clock, &interrupt, Options::default());
    let spec = parse("oci:layout").expect("a layout");
    let platform = "linux/arm64".parse().ok();
    for wanted in [Wanted::default(), Wanted { platform }] {
        if let Ok(source) = sources.open(&spec, &wanted)
            && let Ok(inspected) = Inspector::new(&interrupt, 5).inspect(&source)
        {
            let _ = inspected.report.to_text(Page::new(Some(60)));
        }
    }
}
