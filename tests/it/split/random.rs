//! Random small workspaces: a split resolves as the original does, whatever depends on whatever.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;

use super::world::World;

/// A dependency of one package on another.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "as in a manifest")]
struct Edge {
    kind: Kind,
    optional: bool,
    renamed: bool,
    more: bool,
    default_features: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Build,
    Development,
    Windows,
    Linux,
}

impl Kind {
    fn table(self) -> &'static str {
        match self {
            Self::Normal => "dependencies",
            Self::Build => "build-dependencies",
            Self::Development => "dev-dependencies",
            Self::Windows => "target.'cfg(windows)'.dependencies",
            Self::Linux => "target.'cfg(target_os = \"linux\")'.dependencies",
        }
    }
}

/// Crates of the registry, each of which may turn on those after it.
const CRATES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

#[derive(Debug, Clone)]
struct Model {
    resolver: u8,
    members: usize,
    service: usize,
    /// From a member to one with a greater number, or for development to any.
    local: Vec<(usize, usize, Edge)>,
    /// From a member to a crate.
    foreign: Vec<(usize, usize, Edge)>,
    /// Members that are only reached by path, outside of the workspace's directory.
    outside: Option<usize>,
    /// A crate in whose place a local one stands.
    patched: Option<usize>,
    /// Members whose `default` turns `more` on.
    generous: Vec<bool>,
}

fn edge() -> impl Strategy<Value = Edge> {
    let kind = prop_oneof![
        4 => Just(Kind::Normal),
        1 => Just(Kind::Build),
        2 => Just(Kind::Development),
        1 => Just(Kind::Windows),
        1 => Just(Kind::Linux),
    ];
    let flag = proptest::bool::weighted;
    (kind, flag(0.3), flag(0.3), flag(0.3), flag(0.7)).prop_map(
        |(kind, optional, renamed, more, default_features)| Edge {
            kind,
            optional: optional && kind != Kind::Development,
            renamed,
            more,
            default_features,
        },
    )
}

fn model() -> impl Strategy<Value = Model> {
    (2_usize..=6).prop_flat_map(|members| {
        let local = proptest::collection::vec((0..members, 0..members, edge()), 1..10);
        let foreign = proptest::collection::vec((0..members, 0..CRATES.len(), edge()), 0..8);
        (
            1_u8..=3,
            0..members,
            local,
            foreign,
            proptest::option::weighted(0.3, 0..members),
            proptest::option::weighted(0.5, 0..CRATES.len()),
            proptest::collection::vec(any::<bool>(), members),
        )
            .prop_map(
                move |(resolver, service, local, foreign, outside, patched, generous)| Model {
                    resolver,
                    members,
                    service,
                    local: local
                        .into_iter()
                        .filter_map(|(from, to, edge)| match edge.kind {
                            Kind::Development => (from != to).then_some((from, to, edge)),
                            _ => (from != to).then(|| (from.min(to), from.max(to), edge)),
                        })
                        .collect(),
                    foreign,
                    outside: outside.filter(|outside| *outside != service),
                    patched,
                    generous,
                },
            )
    })
}

impl Model {
    fn directory(&self, member: usize) -> String {
        if self.outside == Some(member) {
            format!("shared/m{member}")
        } else {
            format!("ws/m{member}")
        }
    }

    fn text(&self) -> String {
        let members = (0..self.members).filter(|member| self.outside != Some(*member));
        let members: Vec<String> = members.map(|member| format!("\"m{member}\"")).collect();
        let mut text = format!(
            "\n== ws/Cargo.toml\n[workspace]\nresolver = \"{}\"\nmembers = [{}]\nexclude = [\"patched\"]\n",
            self.resolver,
            members.join(", ")
        );
        if let Some(patched) = self.patched {
            let name = CRATES[patched];
            let _ = write!(
                text,
                "[patch.crates-io]\n{name} = {{ path = \"patched/{name}\" }}\n\
                 == ws/patched/{name}/Cargo.toml\n[package]\nname = \"{name}\"\nversion = \"1.0.1\"\n{}\n\
                 == ws/patched/{name}/src/lib.rs\n",
                crate_manifest(patched)
            );
        }
        for (index, name) in CRATES.iter().enumerate() {
            let _ = write!(text, "\n== crate {name} 1.0.0\n{}", crate_manifest(index));
        }
        for member in 0..self.members {
            let directory = self.directory(member);
            let _ = write!(text, "\n== service {directory}\n{}", self.manifest(member));
            let _ = write!(text, "\n== {directory}/src/lib.rs\n");
        }
        text
    }

    fn manifest(&self, member: usize) -> String {
        let mut text = String::new();
        let mut forwarded = Vec::new();
        let mut turned_on = Vec::new();
        let here = self.directory(member);
        let up = "../".repeat(here.split('/').count());
        let local = self.local.iter().filter(|(from, ..)| *from == member);
        let local = local.map(|(_, to, edge)| {
            let place = format!("path = \"{up}{}\"", self.directory(*to));
            (format!("m{to}"), place, edge)
        });
        let foreign = self.foreign.iter().filter(|(from, ..)| *from == member);
        let foreign = foreign.map(|(_, to, edge)| {
            let place = "version = \"1\"".to_owned();
            (CRATES[*to].to_owned(), place, edge)
        });
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut tables = BTreeSet::new();
        for (package, place, edge) in local.chain(foreign) {
            // One package, one name, though it may be needed in several ways.
            if !tables.insert((package.clone(), edge.kind.table())) {
                continue;
            }
            let name = names.entry(package.clone()).or_insert_with(|| {
                let other = format!("{package}-by-another-name");
                if edge.renamed { other } else { package.clone() }
            });
            let renamed = if *name == package {
                String::new()
            } else {
                format!(", package = \"{package}\"")
            };
            let more = if edge.more {
                ", features = [\"more\"]"
            } else {
                ""
            };
            let default = if edge.default_features {
                ""
            } else {
                ", default-features = false"
            };
            let optional = if edge.optional {
                ", optional = true"
            } else {
                ""
            };
            let _ = write!(
                text,
                "[{}.{name}]\n{}\n",
                edge.kind.table(),
                format!("{place}{renamed}{more}{default}{optional}").replace(", ", "\n")
            );
            let weak = if edge.optional { "?" } else { "" };
            forwarded.push(format!("\"{name}{weak}/more\""));
            if edge.optional {
                turned_on.push(format!("\"dep:{name}\""));
            }
        }
        let default = if self.generous[member] {
            "\"more\", \"all\""
        } else {
            ""
        };
        let _ = write!(
            text,
            "[features]\ndefault = [{default}]\nmore = [{}]\nall = [{}]\n",
            forwarded.join(", "),
            turned_on.join(", ")
        );
        text
    }
}

/// Each crate has the next as an optional dependency, which `more` turns on.
fn crate_manifest(index: usize) -> String {
    match CRATES.get(index + 1) {
        Some(next) => format!(
            "[features]\ndefault = []\nmore = [\"dep:{next}\"]\n\
             [dependencies]\n{next} = {{ version = \"1\", optional = true }}\n"
        ),
        None => "[features]\ndefault = [\"more\"]\nmore = []\n".to_owned(),
    }
}

fn cases() -> u32 {
    let set = std::env::var("PROPTEST_CASES").ok();
    set.and_then(|cases| cases.parse().ok()).unwrap_or(8)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    })]

    #[test]
    fn packages_and_features_are_cargos_own(model in model()) {
        let world = World::in_directory("ws", &model.text());
        let service = format!("m{}", model.service);
        if model.resolver == 1 {
            world.holds_whole(service.as_str());
        } else {
            world.holds(service.as_str());
        }
    }
}
