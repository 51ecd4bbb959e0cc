//! docker's configuration: what it has for a registry, and for a repository.
#![no_main]

use cargo_lighter::registry::foreign;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = foreign::docker_config(bytes, "registry.example");
    let _ = foreign::docker_config(bytes, "registry.example/shop/orders");
});
