//! What is said about every kind of mistake, and where.

use super::world::World;
use crate::config::Overrides;
use crate::hint::Hint as _;

const MIN: &str = "[workspace.metadata.lighter]\nmin-version = \"0.0.1\"\n";

/// The mistakes that lines in the table of `orders` lead to, without the file's name.
fn of_orders(lines: &str) -> Vec<String> {
    let text = format!("[package.metadata.lighter]\n{lines}\n");
    let world = World {
        root: MIN,
        orders: &text,
        ..World::default()
    };
    world
        .mistakes()
        .iter()
        .map(|line| line.replace("services/orders/Cargo.toml:", ""))
        .collect()
}

/// A line in the table, and what is said about it.
const CASES: &[(&str, &str)] = &[
    (
        "taggs = []",
        "5:1: unknown key `taggs` | did you mean `tags`?",
    ),
    ("zzz = 1", "5:1: unknown key `zzz`"),
    (
        "library_root = \"/\"",
        "5:1: unknown key `library_root` | write `library-root`: keys are lower-case, with hyphens",
    ),
    (
        "base = \"debian\"",
        "5:1: `base` is not supported by this version | leave it out, or use a newer version of cargo-lighter",
    ),
    (
        "all-features = true",
        "5:1: `all-features` can only be given on the command line | list the features in `features`",
    ),
    (
        "tags = \"latest\"",
        "5:8: `tags` must be a list of strings, not a string | write for example `tags = [\"{version}\", \"latest\"]`",
    ),
    (
        "args = [\"a\", 1]",
        "5:14: `args` must be a list of strings, but holds an integer | write for example `args = [\"--listen\", \"0.0.0.0:8080\"]`",
    ),
    (
        "tzdata = \"yes\"",
        "5:10: `tzdata` must be `true` or `false`, not a string | write for example `tzdata = true`",
    ),
    (
        "skip = 1",
        "5:8: `skip` must be `true` or `false`, not an integer | write for example `skip = true`",
    ),
    (
        "compression-level = 1.5",
        "5:21: `compression-level` must be an integer, not a float | write for example `compression-level = 9`",
    ),
    (
        "compression-level = 10",
        "5:21: `compression-level` 10 is out of range | use 0 to 9, or `compression = \"zstd\"`",
    ),
    (
        "compression-level = -1",
        "5:21: `compression-level` must not be -1 | use 0 to 9 for gzip, 1 to 19 for zstd",
    ),
    (
        "compression = \"zstd\"\ncompression-level = 20",
        "6:21: `compression-level` must not be 20 | use 0 to 9 for gzip, 1 to 19 for zstd",
    ),
    (
        "compression = \"gz\"",
        "5:15: `compression` must be `gzip`, `zstd` or `none`, not `gz` | did you mean `gzip`?",
    ),
    (
        "name = \"{repo}/{servce}\"",
        "5:8: `name`: there is no placeholder `{servce}` here | did you mean `{service}`?",
    ),
    (
        "name = \"{repo}/Shop/{service}\"",
        "5:8: `name`: `{repo}/Shop/{service}` is not a legal repository name: `S` may not be in it | use lower-case letters and digits, separated by `/`, `.`, `_` or `-`",
    ),
    (
        "name = \"ghcr.io/{repo}\"",
        "5:8: `name` must begin with `{repo}`, which holds the registry",
    ),
    (
        "tags = [\"v{version}\", \"a b\"]",
        "5:23: `tags`: `a b` is not a legal tag | use at most 128 letters, digits, `.`, `_` and `-`, not beginning with `.` or `-`",
    ),
    (
        "tags = []",
        "5:8: `tags` must not be empty | write for example `tags = [\"{version}\", \"latest\"]`",
    ),
    (
        "repo = \"acme\"",
        "5:8: `repo`: `acme` names no registry | put the registry's host in front, such as `ghcr.io/acme` or `localhost:5000/acme`",
    ),
    (
        "repo = \"docker://ghcr.io/acme\"",
        "5:8: `repo` must not begin with `docker://` | write `ghcr.io/acme`",
    ),
    (
        "path = \"app/x\"",
        "5:8: `path` must be absolute, not `app/x` | write `/app/x`",
    ),
    (
        "path = \"/app/\"",
        "5:8: `path` names a directory | write the file's name too, or `/app`",
    ),
    (
        "path = \"/app/../x\"",
        "5:8: `path`: `/app/../x` cannot stand in an image: it has an empty, `.` or `..` component",
    ),
    (
        "links = [\"/a\", \"/a\"]",
        "5:16: `links` holds \"/a\" twice | leave one out",
    ),
    (
        "links = [\"/app/orders\"]",
        "5:9: link `/app/orders` is the executable itself | leave the link out, or change `path`",
    ),
    (
        "workdir = \"srv\"",
        "5:11: `workdir` must be absolute, not `srv` | write `/srv`",
    ),
    (
        "profile = \"debug\"",
        "5:11: cargo keeps `debug` as the name of a directory | use `dev`, the profile that builds into it",
    ),
    (
        "profile = \"\"",
        "5:11: `profile` must not be empty | write for example `profile = \"release\"`",
    ),
    (
        "features = [\"postgre\"]",
        "5:12: package `orders` has no feature `postgre` | did you mean `postgres`?",
    ),
    (
        "features = [\"dep:tls\"]",
        "5:12: `dep:tls` is no feature | leave out `dep:`, or define a feature that activates the dependency",
    ),
    (
        "user = \"nobody\"",
        "5:8: `user` `nobody` is not numeric | write user and group as numbers, such as `65532:65532`: Kubernetes cannot tell whether a name is root (`runAsNonRoot`)",
    ),
    (
        "user = \"1000\"",
        "5:8: `user` `1000` names no group | write `1000:1000`",
    ),
    (
        "user = \"1:4294967295\"",
        "5:8: `user` `1:4294967295` has an id above 2147483647, which Kubernetes refuses | use a smaller id, such as 65532",
    ),
    (
        "ports = [80, \"80/tcp\"]",
        "5:14: `ports` holds \"80/tcp\" twice | leave one out",
    ),
    (
        "ports = [0]",
        "5:10: 0 is no port | write a number from 1 to 65535, or one with its transport such as `\"53/udp\"`",
    ),
    (
        "ports = [\"80/http\"]",
        "5:10: \"80/http\" is no port | write a number from 1 to 65535, or one with its transport such as `\"53/udp\"`",
    ),
    (
        "stop-signal = \"term\"",
        "5:15: `term` is no signal | write `SIGTERM`",
    ),
    (
        "stop-signal = \"99\"",
        "5:15: `99` is no signal | use a name such as `SIGTERM`, or a number from 1 to 64",
    ),
    (
        "stop-signal = \"FOO\"",
        "5:15: `FOO` is no signal | use a name such as `SIGTERM`, or a number from 1 to 64",
    ),
    (
        "stop-signal = \"\"",
        "5:15: `` is no signal | use a name such as `SIGTERM`, or a number from 1 to 64",
    ),
    (
        "stop-signal = \"SIGINTT\"",
        "5:15: `SIGINTT` is no signal | did you mean `SIGINT`?",
    ),
    (
        "stop-signal = \"99\"",
        "5:15: `99` is no signal | use a name such as `SIGTERM`, or a number from 1 to 64",
    ),
    (
        "stop-signal = \"\"",
        "5:15: `` is no signal | use a name such as `SIGTERM`, or a number from 1 to 64",
    ),
    (
        "volumes = [\"/\"]",
        "5:12: `volumes`: `/` cannot stand in an image: it is the root directory | name something below it",
    ),
    (
        "healthcheck = []",
        "5:15: `healthcheck` must not be empty | name the arguments that make the executable check itself and exit",
    ),
    (
        "env = { \"A=B\" = \"x\" }",
        "5:9: `A=B` is no name of a variable | use a name that is not empty and holds neither `=` nor NUL",
    ),
    (
        "env = { PORT = 8080 }",
        "5:16: `env.PORT` must be a string, not an integer | write `\"8080\"`",
    ),
    (
        "labels.com.acme = \"x\"",
        "5:8: `labels.com` must be a string, not a table | put a name that has dots in quotes: `\"com.acme.team\" = …`",
    ),
    (
        "labels = { \"\" = \"x\" }",
        "5:12: `labels` holds an entry without a name",
    ),
    (
        "labels = { \"org.opencontainers.image.licence\" = \"MIT\" }",
        "5:12: `org.opencontainers.image.licence` is not defined: names in `org.opencontainers.` are reserved | did you mean `org.opencontainers.image.licenses`?",
    ),
    (
        "assets = [{ from = \"a\", to = \"/a\", mod = \"0644\" }]",
        "5:36: unknown field `mod` in `assets` | did you mean `mode`?",
    ),
    (
        "assets = [{ from = \"a\" }]",
        "5:11: an asset has no `to` | write for example `assets = [{ from = \"static\", to = \"/srv/static\", mode = \"0644\" }]`",
    ),
    (
        "assets = [{ from = \"a\", to = \"a\" }]",
        "5:30: `to` must be absolute, not `a` | write `/a`",
    ),
    (
        "assets = [{ from = \"a\", to = \"/a\", mode = 755 }]",
        "5:43: `mode` must be a string, not an integer | write for example `assets = [{ from = \"static\", to = \"/srv/static\", mode = \"0644\" }]`",
    ),
    (
        "assets = [{ from = \"a\", to = \"/a\", mode = \"0o644\" }]",
        "5:43: `mode` `0o644` is no octal number | write for example `assets = [{ from = \"static\", to = \"/srv/static\", mode = \"0644\" }]`",
    ),
    (
        "assets = [{ from = \"../../../x\", to = \"/a\" }]",
        "5:20: `../../../x` leaves the repository | copy the files into the repository: what lies outside is not the same everywhere",
    ),
    (
        "inputs = [\"a[\"]",
        "5:11: `a[` is no glob: unclosed character class; missing ']' | put `\\` before a wildcard that is part of a name",
    ),
    (
        "bin.order.ports = [1]",
        "5:5: package `orders` has no binary `order` | did you mean `orders`?",
    ),
    (
        "bin.orders = 1",
        "5:14: `bin.orders` must be a table, not an integer | write for example `[package.metadata.lighter.bin.orders]`",
    ),
    (
        "bin.orders.min-version = \"0.0.1\"",
        "5:12: `min-version` does not belong to a binary | put it into `[package.metadata.lighter]` or `[workspace.metadata.lighter]`",
    ),
    (
        "min-version = \"1\"",
        "5:15: `min-version` `1` is no version | write for example `min-version = \"0.1.0\"`",
    ),
];

#[test]
fn every_mistake_is_named() {
    for (line, expected) in CASES {
        assert_eq!(of_orders(line), [*expected], "{line}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_files() {
    let world = World {
        root: "[workspace.metadata.lighter]\nskip = true\nuser = \"root\"\n",
        orders: "[package.metadata.lighter]\nports = [0]\nlinkage = \"musl\"\n\
                 [package.metadata.lighter.bin.orders]\nbuilder = \"cross\"\n",
        shared: "[package.metadata]\nlighter.tagz = 1\n",
        variables: &[
            ("LIGHTER_TAG", "x"),
            ("LIGHTER_LABELS", "a=b"),
            ("LIGHTER_REMAP_PATHS", "no"),
        ],
        flags: Overrides {
            compression: Some("brotli".to_owned()),
            ..Overrides::default()
        },
        ..World::default()
    };
    let places: Vec<String> = world
        .mistakes()
        .iter()
        .map(|line| line.split(" | ").next().unwrap_or_default().to_owned())
        .collect();
    let expected = [
        "Cargo.toml:5:1: `skip` does not belong here",
        "Cargo.toml:6:8: `user` `root` is not numeric",
        "services/orders/Cargo.toml:5:10: 0 is no port",
        "services/orders/Cargo.toml:6:11: `linkage` must be `dynamic` or `static`, not `musl`",
        "services/orders/Cargo.toml:8:11: `builder` must be `cargo` or `zigbuild`, not `cross`",
        "shared/Cargo.toml:5:9: unknown key `tagz`",
        "LIGHTER_LABELS: `labels` cannot be set by a variable",
        "LIGHTER_REMAP_PATHS: `remap-paths` must be `true` or `false`, not \"no\"",
        "LIGHTER_TAG: there is no variable `LIGHTER_TAG`",
        "--compression: `compression` must be `gzip`, `zstd` or `none`, not `brotli`",
    ];
    assert_eq!(places, expected);
}

#[test]
fn one_mistake_is_a_line_and_several_are_a_list() {
    let one = World {
        orders: "[package.metadata.lighter]\ntaggs = []\n",
        ..World::default()
    };
    let errors = one.resolve().expect_err("a mistake");
    assert_eq!(
        errors.to_string(),
        "services/orders/Cargo.toml:5:1: unknown key `taggs`"
    );
    assert_eq!(
        errors.hint().as_deref(),
        Some("did you mean `tags`? if a newer cargo-lighter knows it, say so with `min-version`")
    );
    let two = World {
        root: MIN,
        orders: "[package.metadata.lighter]\ntaggs = []\nuser = \"1\"\n",
        ..World::default()
    };
    let errors = two.resolve().expect_err("mistakes");
    assert_eq!(
        errors.to_string(),
        "2 mistakes in the configuration\
         \n  services/orders/Cargo.toml:5:1: unknown key `taggs` (did you mean `tags`?)\
         \n  services/orders/Cargo.toml:6:8: `user` `1` names no group (write `1:1`)"
    );
    assert_eq!(errors.hint(), None);
}

#[test]
fn a_manifest_for_a_newer_program_says_only_that() {
    let world = World {
        root: "[workspace.metadata.lighter]\nmin-version = \"99.0.0\"\nwarp = true\n",
        ..World::default()
    };
    let running = env!("CARGO_PKG_VERSION");
    assert_eq!(
        world.mistakes(),
        [format!(
            "Cargo.toml:5:15: cargo-lighter 99.0.0 or newer is needed, this is {running} | \
             run `cargo install cargo-lighter --locked` to get the newest version"
        )]
    );
}

#[test]
fn a_hidden_value_is_checked_too() {
    let world = World {
        root: "[workspace.metadata.lighter]\nuser = \"root\"\n",
        variables: &[("LIGHTER_USER", "1:1")],
        ..World::default()
    };
    assert_eq!(world.mistakes().len(), 1);
}

#[test]
fn services_do_not_share_an_image() {
    let world = World {
        root: "[workspace.metadata.lighter]\nname = \"{repo}/app\"\n",
        ..World::default()
    };
    assert_eq!(
        world.mistakes(),
        [
            "Cargo.toml:5:8: services `billing` and `orders` would both be the image `app` | \
          set `name` for one of them, or put `{service}` into the pattern"
        ]
    );
}

#[test]
fn a_shared_feature_needs_one_service_that_has_it() {
    let world = World {
        flags: Overrides {
            features: vec!["postgres metrix".to_owned()],
            ..Overrides::default()
        },
        ..World::default()
    };
    assert_eq!(
        world.mistakes(),
        ["--features: no service has a feature `metrix` | did you mean `metrics`?"]
    );
}

#[test]
fn tables_of_binaries_without_a_service_are_checked() {
    let world = World {
        billing: "[package.metadata.lighter.bin.billing-tool]\nuser = \"root\"\n",
        ..World::default()
    };
    assert_eq!(world.mistakes().len(), 1);
}

#[test]
fn a_section_that_is_no_table_is_a_mistake() {
    let world = World {
        billing: "[package.metadata]\nlighter = true\n",
        ..World::default()
    };
    assert_eq!(
        world.mistakes(),
        [
            "services/billing/Cargo.toml:5:1: `package.metadata.lighter` must be a table | \
          write `[package.metadata.lighter]`"
        ]
    );
}

#[test]
fn a_manifest_that_is_no_toml_is_a_mistake() {
    let world = World {
        billing: "[package.metadata.lighter\n",
        ..World::default()
    };
    let mistakes = world.mistakes();
    assert_eq!(mistakes.len(), 1);
    assert!(
        mistakes[0].starts_with("services/billing/Cargo.toml:4:26: not TOML: "),
        "{mistakes:?}"
    );
}
