//! Paths in images, as words.

/// `path` as seen from the directory `workdir`: absolute, without `.`, `..` and doubled slashes.
pub(super) fn absolute(workdir: &str, path: &str) -> String {
    let whole = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{workdir}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `name` in `directory`.
pub(super) fn join(directory: &str, name: &str) -> String {
    absolute(directory, name.trim_start_matches('/'))
}

/// The last component.
pub(super) fn name(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The directory that a path is in.
pub(super) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((parent, _)) => parent,
    }
}

/// What follows `directory` in `path`, both absolute; empty where they are the same.
pub(super) fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(directory.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        Some(rest) => Some(rest),
        None => rest.is_empty().then_some(rest),
    }
}

/// Whether every usual base has this directory.
pub(super) fn is_usual_directory(path: &str) -> bool {
    const USUAL: &[&str] = &[
        "/",
        "/bin",
        "/etc",
        "/home",
        "/lib",
        "/mnt",
        "/opt",
        "/root",
        "/run",
        "/sbin",
        "/srv",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/local",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/local/sbin",
        "/usr/sbin",
        "/usr/share",
        "/usr/local/share",
        "/var",
        "/var/lib",
        "/var/www",
    ];
    USUAL.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_together() {
        assert_eq!(absolute("/app", "./x/../y//z/"), "/app/y/z");
        assert_eq!(absolute("/app", "../../.."), "/");
        assert_eq!(absolute("/", "/a"), "/a");
        assert_eq!(join("/", "/a"), "/a");
        assert_eq!(name("/a/b/"), "b");
        assert_eq!(
            (parent("/a/b"), parent("/a"), parent("a")),
            ("/a", "/", "/")
        );
        assert_eq!(below("/a/b", "/a/"), Some("b"));
        assert_eq!(below("/a", "/a"), Some(""));
        assert_eq!(below("/ab", "/a"), None);
        assert_eq!(below("/ab", "/"), Some("ab"));
    }
}
