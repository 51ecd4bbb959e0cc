//! Files that the image has in its own way: certificates, time zones, users, libraries.

use super::zone;
use crate::adopt::dockerfile::{Copy, From};
use crate::adopt::launch::is_init;
use crate::adopt::layers::{destination, is_pattern};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::name;
use crate::adopt::secrets::shown_address;

/// Files of users and groups, which every image has.
const OWN: &[&str] = &[
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/nsswitch.conf",
];

/// What the image has in its own way: certificates, time zones, users, libraries.
pub(super) fn adopt(line: usize, copy: &Copy, source: &str, draft: &mut Draft<'_>) -> bool {
    if source.starts_with("http://") || source.starts_with("https://") {
        // An init is told of where it is started.
        if is_init(name(source)) || is_init(name(&copy.to)) {
            return true;
        }
        draft.lost(
            line,
            &format!("`ADD` downloads `{}`", shown_address(source)),
            "put the file into the repository, and name it in `assets`",
        );
        return true;
    }
    let is_repository = ["git@", "ssh://", "git://"]
        .iter()
        .any(|begin| source.starts_with(begin));
    if is_repository && copy.instruction == "ADD" {
        draft.lost(
            line,
            &format!("`ADD` clones `{}`", shown_address(source)),
            "put the files into the repository, and name them in `assets`",
        );
        return true;
    }
    if OWN.contains(&destination(copy, source, false).as_str()) {
        draft.changed(
            line,
            &format!("`{source}` is not copied: the image has its own, and users are numbers"),
            "",
        );
        return true;
    }
    if copy.from == From::Context {
        let own_authority = copy.to.starts_with("/usr/local/share/ca-certificates");
        if own_authority {
            draft.lost(
                line,
                &format!("`{source}` becomes an authority only when `update-ca-certificates` runs"),
                "append it to a bundle that is an asset, and name that in SSL_CERT_FILE of `env`",
            );
        }
        return own_authority;
    }
    let file = name(source);
    if source.contains("/ssl/certs")
        || source.contains("ca-certificates")
        || file == "ca-bundle.crt"
    {
        draft.set(line, "ca-certificates", true);
    } else if source.contains("zoneinfo") {
        draft.set(line, "tzdata", true);
        if let Some(zone) = zone::of_copy(source, &copy.to) {
            zone::adopt(line, &zone, draft);
        }
    } else if is_init(file) {
        // Told where it is started.
    } else if is_library(file) && !file.starts_with("ld-") {
        if is_pattern(file) {
            return false;
        }
        draft.changed(
            line,
            &format!("`{file}` is found by itself where the executable links it"),
            "name it in `extra-libs` if it is only loaded while it runs",
        );
    } else if file.starts_with("ld-") {
        draft.changed(line, "the loader and glibc are always in the image", "");
    } else {
        return false;
    }
    true
}

fn is_library(file: &str) -> bool {
    let end = file.rsplit_once(".so").map(|(_, end)| end);
    file.starts_with("lib") && end.is_some_and(|end| end.is_empty() || end.starts_with(['.', '*']))
}
