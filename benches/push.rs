//! Pushing: `push` of ten compiled services, beside `skopeo copy` of the same images from a layout; to
//! an empty registry (cold), and to one that has everything (warm). And the transfer alone, from the layout to
//! an empty registry, beside a client that does nothing but send the same bytes: once for services that say
//! hello, of which there is little to send, and once for services of the size that they have in the field.
//! `-- transfer` measures that alone.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "support/images.rs"]
mod images;
mod support;

use std::process::Command;

use support::{Registry, Workspace, done, has, median, seconds};

const SERVICES: usize = 10;
const ROUNDS: usize = 7;
/// Less than what an executable that speaks HTTP and TLS comes to once compressed: this bench's own has 3.4 MB.
const OWN_BYTES: usize = 5 * 1024 * 1024 / 2;
/// The most that a transfer may take, in times of what the plain client takes.
const AIM: f64 = 1.5;

fn main() {
    if !has("docker-registry") || !has("skopeo") {
        return;
    }
    let workspace = Workspace::of_services(SERVICES);
    done(&mut workspace.lighter(&["build", "--to", "oci:layout"]));
    if std::env::args().any(|argument| argument == "transfer") {
        return all_transfers(&workspace);
    }
    let (mut ours_cold, mut ours_warm) = (Vec::new(), Vec::new());
    let (mut build, mut skopeo_cold, mut skopeo_warm) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let registry = Registry::start();
        let repo = format!("{}/bench", registry.host());
        let push = || drop(done(&mut workspace.lighter(&["push", "--repo", &repo])));
        ours_cold.push(seconds(push));
        ours_warm.push(seconds(push));
        drop(registry);

        let registry = Registry::start();
        skopeo_cold.push(seconds(|| skopeo_copies(&workspace, &registry)));
        skopeo_warm.push(seconds(|| skopeo_copies(&workspace, &registry)));

        build.push(seconds(|| {
            done(&mut workspace.lighter(&["build", "--to", "oci:layout"]));
        }));
    }
    let build = median(build);
    println!("{SERVICES} compiled services to a registry, {ROUNDS} rounds, medians");
    println!(
        "  build into a layout that has them {build:.3} s (cargo and assembling; part of push)"
    );
    for (name, ours, skopeo) in [
        ("cold", median(ours_cold), median(skopeo_cold)),
        ("warm", median(ours_warm), median(skopeo_warm)),
    ] {
        println!(
            "  {name}: push {ours:.3} s, skopeo copy of finished images {skopeo:.3} s: {:.2} times, \
             {:.2} times without what build takes",
            ours / skopeo,
            (ours - build) / skopeo
        );
    }
    all_transfers(&workspace);
}

fn all_transfers(hello: &Workspace) {
    transfers("services that say hello", hello);
    let of_size = Workspace::of_services_with(SERVICES, OWN_BYTES);
    done(&mut of_size.lighter(&["build", "--to", "oci:layout"]));
    transfers("services with 2.5 MiB of their own", &of_size);
}

/// Pushes what is compiled already, ours and the plain client in turns, each to a registry of its own.
fn transfers(what: &str, workspace: &Workspace) {
    let images = images::read(&workspace.path().join("layout"));
    assert_eq!(images.len(), SERVICES);
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let registry = Registry::start();
        raw.push(seconds(|| images::push_raw(&images, &registry.host())));
        let registry = Registry::start();
        ours.push(seconds(|| images::push(&images, &registry.host())));
    }
    let (ours, raw) = (median(ours), median(raw));
    println!(
        "  {what}, transfer alone: {ours:.3} s, eight plain connections {raw:.3} s: {:.2} times, aim {AIM}",
        ours / raw
    );
}

fn skopeo_copies(workspace: &Workspace, registry: &Registry) {
    for index in 0..SERVICES {
        let name = format!("service-{index}:latest");
        let (from, to) = (
            format!("oci:layout:{name}"),
            format!("docker://{}/bench/{name}", registry.host()),
        );
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["copy", "--quiet", "--dest-tls-verify=false", &from, &to]);
        done(skopeo.current_dir(workspace.path()));
    }
}
