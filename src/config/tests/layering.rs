//! Which layer decides, and what is known of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::world::World;
use crate::config::keys::{self, KEYS};
use crate::config::{
    Builder, Compression, Created, Input, Linkage, Origin, Overrides, ServiceConfig,
};

fn texts(patterns: &[crate::template::Pattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_written_gives_the_defaults() {
    let orders = World::default().orders();
    assert_eq!(orders.repo.value, None);
    assert_eq!(orders.name.value.to_string(), "{repo}/{service}");
    assert_eq!(texts(&orders.tags.value), ["latest"]);
    assert_eq!(orders.path.value.absolute(), "/app/orders");
    assert_eq!(orders.profile.value, "release");
    assert_eq!(orders.builder.value, Builder::Cargo);
    assert_eq!(orders.linkage.value, Linkage::Dynamic);
    assert_eq!(orders.user.value.to_string(), "65532:65532");
    assert_eq!(orders.workdir.value, "/");
    assert_eq!(orders.library_root.value, Path::new("/"));
    assert_eq!(orders.created.value, Created::Epoch);
    assert_eq!(orders.compression.value, Compression::Gzip);
    assert!(orders.remap_paths.value && orders.ca_certificates.value);
    assert!(!orders.tzdata.value && !orders.all_features.value);
    assert!(
        orders
            .explain()
            .iter()
            .all(|row| row.origin.to_string() == "default")
    );
}

/// One key set in ever more layers: the last one wins and is remembered.
#[test]
fn the_last_layer_wins() {
    let mut world = World {
        root: "[workspace.metadata.lighter]\nprofile = \"one\"\n",
        ..World::default()
    };
    let decided = |world: &World| {
        let profile = world.orders().profile;
        format!("{} {}", profile.value, profile.origin)
    };
    assert_eq!(decided(&world), "one Cargo.toml:5");
    world.orders = "[package.metadata.lighter]\nprofile = \"two\"\n";
    assert_eq!(decided(&world), "two services/orders/Cargo.toml:5");
    world.orders = "[package.metadata.lighter]\nprofile = \"two\"\n\
                    [package.metadata.lighter.bin.orders]\nprofile = \"three\"\n";
    assert_eq!(decided(&world), "three services/orders/Cargo.toml:7");
    assert!(matches!(world.orders().profile.origin, Origin::Bin(_)));
    world.variables = &[("LIGHTER_PROFILE", "four")];
    assert_eq!(decided(&world), "four LIGHTER_PROFILE");
    world.flags.profile = Some("five".to_owned());
    assert_eq!(decided(&world), "five --profile");
}

#[test]
fn a_list_replaces_the_list_before() {
    let world = World {
        root: "[workspace.metadata.lighter]\ntags = [\"a\", \"b\"]\n",
        orders: "[package.metadata.lighter]\ntags = [\"{version}\"]\n",
        ..World::default()
    };
    let config = world.resolve().expect("right");
    assert_eq!(texts(&config.services["orders"].tags.value), ["{version}"]);
    assert_eq!(texts(&config.services["billing"].tags.value), ["a", "b"]);
}

#[test]
fn tables_are_merged_entry_by_entry() {
    let world = World {
        root: "[workspace.metadata.lighter.env]\nRUST_LOG = \"info\"\nTZ = \"UTC\"\n",
        orders: "[package.metadata.lighter]\nenv.RUST_LOG = \"debug\"\n",
        ..World::default()
    };
    let orders = world.orders();
    let expected = BTreeMap::from([
        ("RUST_LOG".to_owned(), "debug".to_owned()),
        ("TZ".to_owned(), "UTC".to_owned()),
    ]);
    assert_eq!(orders.env.value, expected);
    assert_eq!(
        explained(&orders, "env.RUST_LOG"),
        "\"debug\" services/orders/Cargo.toml:5"
    );
    assert_eq!(explained(&orders, "env.TZ"), "\"UTC\" Cargo.toml:6");
}

fn explained(config: &ServiceConfig, key: &str) -> String {
    let row = config.explain().iter().find(|row| row.key == key);
    let row = row.expect("explained");
    format!("{} {}", row.value, row.origin)
}

#[test]
fn every_key_is_explained_in_order() {
    let orders = World::default().orders();
    let explained: Vec<&str> = orders
        .explain()
        .iter()
        .map(|row| row.key.as_str())
        .collect();
    let expected: Vec<&str> = KEYS
        .iter()
        .map(|key| key.name)
        .filter(|name| !["skip", "min-version", "bin", "base", "platforms"].contains(name))
        .collect();
    assert_eq!(explained, expected);
}

#[test]
fn every_key_takes_its_own_example() {
    for key in KEYS.iter().filter(|key| key.scope != keys::Scope::Later) {
        if ["all-features", "bin"].contains(&key.name) {
            continue;
        }
        let example = key.example.replace("postgres", "metrics");
        let text = format!("[package.metadata.lighter]\n{} = {example}\n", key.name);
        let world = World {
            orders: &text,
            ..World::default()
        };
        if let Err(errors) = world.resolve() {
            panic!("{text}{errors}");
        }
    }
}

#[test]
fn variables_hold_every_shape() {
    let world = World {
        variables: &[
            ("LIGHTER_REPO", "ghcr.io/acme"),
            ("LIGHTER_TAGS", "{version}, latest"),
            ("LIGHTER_PORTS", "8080,53/udp"),
            ("LIGHTER_TZDATA", "true"),
            ("LIGHTER_COMPRESSION_LEVEL", "1"),
            ("LIGHTER_USER", ""),
            ("LIGHTER_TEST_EXTERNAL", "1"),
            ("LIGHTER_BIN", "target/debug/cargo-lighter"),
        ],
        ..World::default()
    };
    let orders = world.orders();
    assert_eq!(orders.repo.value.as_deref(), Some("ghcr.io/acme"));
    assert_eq!(texts(&orders.tags.value), ["{version}", "latest"]);
    let ports: Vec<String> = orders.ports.value.iter().map(ToString::to_string).collect();
    assert_eq!(ports, ["53/udp", "8080/tcp"]);
    assert!(orders.tzdata.value);
    assert_eq!(orders.compression_level.value, Some(1));
    assert_eq!(orders.user.origin.to_string(), "default");
}

#[test]
fn flags_win_over_everything() {
    let world = World {
        variables: &[
            ("LIGHTER_TAGS", "a"),
            ("LIGHTER_NO_DEFAULT_FEATURES", "false"),
        ],
        flags: Overrides {
            repo: Some("localhost:5000".to_owned()),
            tags: vec!["b".to_owned(), "c".to_owned(), "b".to_owned()],
            features: vec!["metrics,postgres".to_owned(), "shared/x".to_owned()],
            no_default_features: true,
            all_features: true,
            compression: Some("none".to_owned()),
            ..Overrides::default()
        },
        ..World::default()
    };
    let config = world.resolve().expect("right");
    let orders = &config.services["orders"];
    assert_eq!(texts(&orders.tags.value), ["b", "c"]);
    assert_eq!(orders.tags.origin.to_string(), "--tag");
    assert!(orders.no_default_features.value && orders.all_features.value);
    assert_eq!(orders.compression.value, Compression::None);
    assert_eq!(orders.features.value, ["metrics", "postgres", "shared/x"]);
    // cargo, too, gives a feature to those of several packages that have it.
    assert_eq!(
        config.services["billing"].features.value,
        ["metrics", "shared/x"]
    );
}

#[test]
fn a_level_goes_with_its_compression() {
    let mut world = World {
        root: "[workspace.metadata.lighter]\ncompression = \"zstd\"\ncompression-level = 19\n",
        ..World::default()
    };
    assert_eq!(world.orders().compression_level.value, Some(19));
    world.flags.compression = Some("gzip".to_owned());
    let orders = world.orders();
    assert_eq!(orders.compression_level.value, None);
    assert_eq!(
        explained(&orders, "compression-level"),
        "unset --compression"
    );
    world.flags.compression_level = Some(9);
    assert_eq!(world.orders().compression_level.value, Some(9));
}

#[test]
fn images_are_named_by_their_pattern() {
    let mut world = World::default();
    let orders = world.orders();
    assert_eq!(
        orders.image_name("ghcr.io/acme").as_deref(),
        Ok("ghcr.io/acme/orders")
    );
    assert_eq!(orders.short_name().as_deref(), Ok("orders"));
    world.orders = "[package.metadata.lighter]\nname = \"{repo}-{package}-v{version}\"\n";
    let orders = world.orders();
    assert_eq!(
        orders.image_name("ghcr.io/acme").as_deref(),
        Ok("ghcr.io/acme-orders-v1.2.3-build.4")
    );
    assert_eq!(orders.short_name().as_deref(), Ok("orders-v1.2.3-build.4"));
    world.orders = "[package.metadata.lighter]\nname = \"{repo}\"\n";
    assert_eq!(world.orders().short_name().as_deref(), Ok("orders"));
}

#[test]
fn assets_and_inputs_know_where_they_look() {
    let world = World {
        orders: r#"
[[package.metadata.lighter.assets]]
from = "../../web/dist/**/*.css"
to = "/srv/web/"

[[package.metadata.lighter.assets]]
from = "/config"
to = "/etc/orders"
mode = "0640"

[package.metadata.lighter]
inputs = ["proto/*.proto", "env:API_VERSION"]
library-root = "sysroot"
"#,
        ..World::default()
    };
    let orders = world.orders();
    let [css, config] = orders.assets.value.as_slice() else {
        panic!("two assets");
    };
    assert!(css.from.path.ends_with("web/dist"));
    assert_eq!(css.from.glob.as_deref(), Some("**/*.css"));
    assert!(css.into_directory && css.mode.is_none());
    assert_eq!(css.origin.to_string(), "services/orders/Cargo.toml:5");
    let matcher = css.from.matcher().expect("a glob").expect("with wildcards");
    assert!(matcher.is_match("a/b.css") && !matcher.is_match("a/b.js"));
    assert!(config.from.path.ends_with("config") && config.from.glob.is_none());
    assert_eq!(
        (config.mode, config.to.absolute().as_str()),
        (Some(0o640), "/etc/orders")
    );
    assert!(
        matches!(&orders.inputs.value[..], [Input::Glob(proto), Input::Env(name)]
        if proto.path.ends_with("services/orders/proto") && name == "API_VERSION")
    );
    let root = config.from.path.parent().expect("a parent");
    assert_eq!(orders.library_root.value, root.join("sysroot"));
}

#[test]
fn the_highest_minimum_is_kept() {
    let world = World {
        root: "[workspace.metadata.lighter]\nmin-version = \"0.0.1\"\n",
        orders: "[package.metadata.lighter]\nmin-version = \"0.0.2\"\n",
        ..World::default()
    };
    let minimum = world.resolve().expect("right").min_version.expect("stated");
    assert_eq!(minimum.value.to_string(), "0.0.2");
    assert_eq!(minimum.origin.to_string(), "services/orders/Cargo.toml:5");
}
