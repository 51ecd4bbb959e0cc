//! Sources of locked packages, which each format encodes a little differently.

/// A source's part that says which package it is: without the commit, which dependencies leave out.
pub(super) fn without_commit(source: &str) -> &str {
    match source.split_once('#') {
        Some((before, _)) if source.starts_with("git+") => before,
        _ => source,
    }
}

/// One spelling for one source, whatever format wrote it.
///
/// Format 4 encodes branches, tags and revisions as URLs do. Formats 1 and 2 leave out the branch
/// `master`; with it or without, one commit of one repository is the same package.
pub(super) fn canonical(source: &str, version: u32) -> String {
    let Some((address, Some(query), commit)) = git_reference(source) else {
        return source.to_owned();
    };
    let commit = commit.map_or(String::new(), |commit| format!("#{commit}"));
    let query = if version >= 4 {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join("&")
    } else {
        query.to_owned()
    };
    if query == "branch=master" {
        return format!("{address}{commit}");
    }
    format!("{address}?{query}{commit}")
}

/// Whether `version` of the format, 3 or 4, writes this source with other letters than the other one.
pub(super) fn is_encoded(source: &str, version: u32) -> bool {
    let Some((_, Some(query), _)) = git_reference(source) else {
        return false;
    };
    let value = query.split_once('=').map_or(query, |(_, value)| value);
    if version >= 4 {
        value.contains(['%', '+'])
    } else {
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>() != value
    }
}

/// Address, query and commit of a git source.
fn git_reference(source: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
    if !source.starts_with("git+") {
        return None;
    }
    let (before, commit) = match source.split_once('#') {
        Some((before, commit)) => (before, Some(commit)),
        None => (source, None),
    };
    let (address, query) = match before.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (before, None),
    };
    Some((address, query, commit))
}
