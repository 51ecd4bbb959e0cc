//! `adopt`: from Dockerfiles to configuration.

mod by_design;
mod context;
mod images;
mod refused;
mod scratch;
mod services;
mod shapes;
mod told;
mod writing;

use crate::support::workspace::{Checkout, manifest};

/// A workspace as Dockerfiles have it: `orders` with features and files, `billing` with two binaries.
fn workspace() -> Checkout {
    let checkout = Checkout::empty();
    checkout.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"orders\", \"billing\"]\n",
    );
    let features = "\n[features]\npostgres = []\nmetrics = []\n";
    checkout.write("orders/Cargo.toml", &manifest("orders", features));
    checkout.write("billing/Cargo.toml", &manifest("billing", ""));
    for source in [
        "orders/src/main.rs",
        "billing/src/bin/invoice.rs",
        "billing/src/bin/report.rs",
    ] {
        checkout.write(source, "fn main() {\n    println!(\"hello\");\n}\n");
    }
    for file in [
        "README.md",
        "migrations/1.sql",
        "orders/config/default.toml",
        "orders/static/index.html",
        "orders/static/package.json",
        "orders/templates/a.html",
        "orders/templates/b.html",
        "rootfs/etc/orders.conf",
        "rootfs/srv/a/b",
        "vendor.tar.gz",
    ] {
        checkout.write(file, file);
    }
    checkout.write_lock(&["orders", "billing"]);
    checkout
}
