//! The rules for a layer's entries: order, names, owners, times and kinds.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::ops::Bound;

use tar::{Archive, Entry, EntryType, Header};

use super::digest::ContentDigest;
use super::findings::Findings;
use super::problem::{EntryFault, Problem};
use crate::report::printable;
use crate::source::{Entries, EntryName, Limits, NameFault, TarFault, Unpacked};

/// Linux and the runtimes keep owners in 32 bits with a sign.
const MAX_OWNER: u64 = 0x7fff_ffff;
/// Bytes of what a link leads to (`PATH_MAX` of Linux).
const MAX_LINK: usize = 4096;
/// As many links as Linux follows on one path (`path_resolution(7)`).
const MAX_LINKS: usize = 40;
const WHITEOUT: &[u8] = b".wh.";

/// Reads the tar to its end, or to where it is none.
pub(super) fn check(
    tar: &mut Unpacked<'_>,
    layer: ContentDigest,
    findings: &mut Findings,
) -> Result<(), TarFault> {
    let gauge = tar.gauge();
    let mut rules = Rules {
        layer,
        findings,
        seen: BTreeMap::new(),
        links: BTreeMap::new(),
        previous: Vec::new(),
        time: None,
    };
    let mut archive = Archive::new(tar);
    for entry in Entries::of(&mut archive, &gauge, Limits::LAYER)? {
        rules.apply(&mut entry?);
    }
    Ok(())
}

struct Rules<'a> {
    layer: ContentDigest,
    findings: &'a mut Findings,
    /// Each name and what it is, the last one of a name: that is what stays. Hard links are what they lead to.
    seen: BTreeMap<Vec<u8>, EntryType>,
    /// Where symbolic links lead.
    links: BTreeMap<Vec<u8>, Vec<u8>>,
    previous: Vec<u8>,
    time: Option<u64>,
}

impl Rules<'_> {
    fn apply(&mut self, entry: &mut Entry<'_, impl Read>) {
        let raw = entry.path_bytes().into_owned();
        // It is no file: neither its name nor its owner means anything (POSIX pax, "pax Header Block").
        if entry.header().entry_type().is_pax_global_extensions() {
            return self.findings.add(Problem::Entry {
                layer: self.layer,
                path: printable(&String::from_utf8_lossy(&raw)),
                fault: EntryFault::GlobalRecords,
            });
        }
        let records_fault = records_fault(entry);
        let header = entry.header();
        let kind = header.entry_type();
        let mut faults: Vec<EntryFault> = Vec::new();
        faults.extend(records_fault);
        faults.extend(kind_fault(kind));
        faults.extend(owner_faults(header));
        faults.extend(self.time_fault(header));
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        if link.as_ref().is_some_and(|link| link.len() > MAX_LINK) {
            faults.push(EntryFault::LongLink);
        }
        match EntryName::of(&raw) {
            Err(fault) => faults.push(EntryFault::Name(fault)),
            // Its order and its like among others are those of another name.
            Ok(EntryName {
                path,
                fault: Some(fault),
            }) => {
                faults.push(EntryFault::Name(fault));
                self.seen.insert(path, kind);
            }
            Ok(EntryName { path: name, .. }) => {
                if kind.is_hard_link() {
                    faults.extend(self.link_fault(link.as_deref()));
                }
                self.name_faults(&name, kind, &mut faults);
                if kind.is_symlink() {
                    self.links
                        .insert(name.clone(), link.clone().unwrap_or_default());
                }
                let linked = link.as_deref().filter(|_| kind.is_hard_link());
                let kind = linked.and_then(|link| self.linked(link)).unwrap_or(kind);
                self.previous.clone_from(&name);
                self.seen.insert(name, kind);
            }
        }
        for fault in faults {
            self.findings.add(Problem::Entry {
                layer: self.layer,
                path: printable(&String::from_utf8_lossy(&raw)),
                fault,
            });
        }
    }

    fn name_faults(&self, name: &[u8], kind: EntryType, faults: &mut Vec<EntryFault>) {
        if self.seen.contains_key(name) {
            faults.push(EntryFault::Duplicate);
        } else if !self.seen.is_empty() && name < self.previous.as_slice() {
            faults.push(EntryFault::Unsorted);
        }
        let is_below = |parent: &[u8], child: &[u8]| {
            child.starts_with(parent) && child.get(parent.len()) == Some(&b'/')
        };
        let mut first = name.to_vec();
        first.push(b'/');
        let has_child = self
            .seen
            .range::<[u8], _>((Bound::Included(first.as_slice()), Bound::Unbounded))
            .next()
            .is_some_and(|(child, _)| is_below(name, child));
        if has_child {
            faults.push(if kind.is_dir() {
                EntryFault::ParentAfterChild
            } else {
                EntryFault::ParentNotDirectory
            });
        }
        faults.extend(self.above_fault(name));
        let mut parts = name.split(|byte| *byte == b'/');
        let mut deleted = parts.clone().filter_map(|part| part.strip_prefix(WHITEOUT));
        if deleted.any(|deleted| matches!(deleted, b"" | b"." | b"..")) {
            faults.push(EntryFault::WhiteoutOfNothing);
        } else if parts.any(|part| part.starts_with(WHITEOUT)) {
            faults.push(EntryFault::Whiteout);
        }
    }

    /// What is wrong with what an entry is below.
    fn above_fault(&self, name: &[u8]) -> Option<EntryFault> {
        let slashes = name.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let above = slashes.filter_map(|(end, _)| self.seen.get(&name[..end]));
        let others: Vec<&EntryType> = above.filter(|above| !above.is_dir()).collect();
        if others.is_empty() {
            None
        } else if self.is_behind_loop(name) {
            Some(EntryFault::LinkLoop)
        } else if others.iter().any(|above| is_regular(**above)) {
            Some(EntryFault::BelowFile)
        } else {
            // A link, or what is told of already.
            Some(EntryFault::ParentNotDirectory)
        }
    }

    /// Whether links of the layer lead to each other on the way to an entry: no system follows them.
    fn is_behind_loop(&self, name: &[u8]) -> bool {
        let mut todo: VecDeque<&[u8]> = name.split(|byte| *byte == b'/').collect();
        todo.pop_back();
        let mut done: Vec<&[u8]> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            match part {
                b"" | b"." => continue,
                b".." => {
                    done.pop();
                    continue;
                }
                part => done.push(part),
            }
            let Some(target) = self.links.get(&done.join(&b'/')) else {
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return true;
            }
            done.pop();
            if target.starts_with(b"/") {
                done.clear();
            }
            for part in target.split(|byte| *byte == b'/').rev() {
                todo.push_front(part);
            }
        }
        false
    }

    /// What a hard link leads to.
    fn linked(&self, target: &[u8]) -> Option<EntryType> {
        let name = EntryName::of(target).ok()?;
        self.seen.get(&name.path).copied()
    }

    fn link_fault(&self, target: Option<&[u8]>) -> Option<EntryFault> {
        let name = target.and_then(|target| EntryName::of(target).ok());
        let found = name.as_ref().and_then(|name| self.seen.get(&name.path));
        // A file may be a link or a device, too.
        if found.is_none_or(EntryType::is_dir) {
            return Some(EntryFault::HardLink);
        }
        let fault = name.and_then(|name| name.fault);
        (fault == Some(NameFault::Absolute)).then_some(EntryFault::AbsoluteLink)
    }

    fn time_fault(&mut self, header: &Header) -> Option<EntryFault> {
        let Ok(time) = header.mtime() else {
            return Some(EntryFault::Header);
        };
        let first = *self.time.get_or_insert(time);
        (first != time).then_some(EntryFault::ModificationTime)
    }
}

/// Whether it has content, and nothing can be in it.
fn is_regular(kind: EntryType) -> bool {
    kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()
}

fn kind_fault(kind: EntryType) -> Option<EntryFault> {
    let is_plain = matches!(
        kind,
        EntryType::Regular | EntryType::Link | EntryType::Symlink | EntryType::Directory
    );
    (!is_plain).then(|| EntryFault::SpecialFile(kind.as_byte()))
}

fn owner_faults(header: &Header) -> Vec<EntryFault> {
    let mut faults = Vec::new();
    let is_sane = |owner: io::Result<u64>| owner.is_ok_and(|number| number <= MAX_OWNER);
    if !is_sane(header.uid()) || !is_sane(header.gid()) {
        faults.push(EntryFault::Owner);
    }
    let is_named = |name: Option<&[u8]>| name.is_some_and(|name| !name.is_empty());
    if is_named(header.username_bytes()) || is_named(header.groupname_bytes()) {
        faults.push(EntryFault::OwnerName);
    }
    if header.mode().is_err() {
        faults.push(EntryFault::Header);
    }
    faults
}

/// Extended records may say what a header has no room for; not when or by whom it was built.
fn records_fault(entry: &mut Entry<'_, impl Read>) -> Option<EntryFault> {
    let records = match entry.pax_extensions() {
        Ok(records) => records?,
        Err(_) => return Some(EntryFault::Header),
    };
    for record in records {
        let Ok(Ok(key)) = record.as_ref().map(tar::PaxExtension::key) else {
            return Some(EntryFault::Header);
        };
        let is_needed = matches!(key, "path" | "linkpath" | "size" | "uid" | "gid")
            || key.starts_with("SCHILY.xattr.");
        if !is_needed {
            return Some(EntryFault::ExtendedRecord(printable(key)));
        }
    }
    None
}
