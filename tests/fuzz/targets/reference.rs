//! Names of repositories and tags, and what services are mapped to.
#![no_main]

use cargo_lighter::reference::{Repository, Tag, image_component, kubernetes_name, tag_fragment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(repository) = Repository::parse(text) {
        let again = Repository::parse(&repository.to_string()).expect("still legal");
        assert_eq!(again.to_string(), repository.to_string());
    }
    if let Ok(tag) = Tag::parse(text) {
        assert_eq!(tag.as_str(), text);
    }
    if let Ok(component) = image_component(text) {
        let name = format!("localhost:5000/{component}");
        assert!(Repository::parse(&name).is_ok(), "{name}");
    }
    let _ = (kubernetes_name(text), tag_fragment(text));
});
