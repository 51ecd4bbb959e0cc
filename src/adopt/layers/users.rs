//! Names of users and groups, as far as a Dockerfile says their numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::base_users;
use super::user_flags::{ADDUSER, GROUPADD, Read, USERADD, read};
use crate::adopt::dockerfile::base_image::{self, Family};
use crate::adopt::dockerfile::{Action, Copy, From, Stage, steps};
use crate::adopt::paths::{join, name};
use crate::adopt::shell::Ran;

/// Homes of those who have none.
const NO_HOMES: &[&str] = &["/nonexistent", "/dev/null", "/var/empty"];

/// What `useradd` takes for numbers of groups, as `/etc/login.defs` of the usual bases has it: of users, and of
/// those of the system.
const GROUPS: RangeInclusive<u32> = 1_000..=60_000;
const SYSTEM_GROUPS: RangeInclusive<u32> = 101..=999;

/// Numbers of users and groups.
#[derive(Debug, Default, Clone)]
pub(in crate::adopt) struct Users {
    /// Numbers, and what says the group; that of the user's name if nothing does.
    pub(super) known: BTreeMap<String, (Option<u32>, Option<String>)>,
    pub(super) groups: BTreeMap<String, Option<u32>>,
    /// Homes that commands give, by user.
    pub(super) homes: BTreeMap<String, Home>,
    family: Family,
}

/// A directory that a command makes for a user, or names as its home: docker gives it as `HOME` to the user's
/// processes, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Home {
    pub(in crate::adopt) line: usize,
    /// Such as `useradd`.
    pub(in crate::adopt) program: String,
    pub(in crate::adopt) path: String,
}

/// What is known of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) enum Numbers {
    /// Both were said.
    Known(String),
    /// The user's was, and the group follows it.
    Assumed(String),
    /// The same of a number that nobody has: docker takes group 0.
    Bare(String),
    /// The user's was, and the group of that name has one that nothing says: the user's is taken.
    Guessed { numbers: String, group: String },
    /// More than any user may have.
    TooLarge,
    /// They are chosen while the old image is built.
    Unknown,
}

impl Users {
    /// Everyone that the usual bases have, and those that a stage adds or takes over from another one.
    pub(in crate::adopt) fn of(stages: &[Stage], stage: usize) -> Self {
        Self::made_in(stages, stage, &mut BTreeSet::new())
    }

    /// The same; no stage is read twice for what others take from it.
    fn made_in(stages: &[Stage], stage: usize, seen: &mut BTreeSet<(usize, bool)>) -> Self {
        let mut users = Self::in_family(base_image::family(base_image::image(stages, stage)));
        for step in steps(stages, stage) {
            match &step.action {
                Action::Run { commands } => {
                    for ran in commands {
                        users.run(step.line, ran);
                    }
                }
                Action::Copy(copy) => users.add_copied(stages, stage, copy, seen),
            }
        }
        users
    }

    /// What a command does. Where it may not run, or another one instead, only what both say is known.
    fn run(&mut self, line: usize, ran: &Ran) {
        let program = ran.words.first().map_or("", String::as_str);
        if !Self::is_about_users(program) && ran.writes.is_empty() {
            return;
        }
        let before = (!ran.surely).then(|| self.clone());
        self.add(line, &ran.words, ran.surely);
        self.change(line, &ran.words);
        self.add_written(line, ran);
        let Some(before) = before else { return };
        for who in before.known.keys() {
            if before.numbers(who) != self.numbers(who) {
                self.known.insert(who.clone(), (None, None));
            }
        }
        for (group, number) in &before.groups {
            if self.groups.get(group) != Some(number) {
                self.groups.insert(group.clone(), None);
            }
        }
    }

    /// `COPY --from=build /etc/passwd /etc/`, as images from `scratch` have it.
    fn add_copied(
        &mut self,
        stages: &[Stage],
        stage: usize,
        copy: &Copy,
        seen: &mut BTreeSet<(usize, bool)>,
    ) {
        let From::Stage(other) = copy.from else {
            return;
        };
        let is_of = |file: &str| {
            let mut sources = copy.sources.iter();
            let is_it = sources.any(|source| name(source).contains(file));
            is_it && (copy.to == "/etc" || name(&copy.to) == file || copy.to == "/etc/")
        };
        let (users, groups) = (is_of("passwd"), is_of("group"));
        let is_new =
            (users && seen.insert((other, true))) | (groups && seen.insert((other, false)));
        // Only earlier stages are ever copied from.
        if other < stage && is_new {
            let others = Self::made_in(stages, other, seen);
            if users {
                // The file has the number of each one's group, whatever other file names that.
                for (who, (number, group)) in &others.known {
                    let known = others.group(group.as_ref().unwrap_or(who));
                    let group = known.map(|known| known.to_string()).or(group.clone());
                    self.known.insert(who.clone(), (*number, group));
                }
            }
            if groups {
                self.groups.extend(others.groups);
            }
        }
    }

    /// `echo "app:x:1000:1000::/:/bin/false" > /etc/passwd`, and the same for groups.
    fn add_written(&mut self, line: usize, ran: &Ran) {
        let is_of = |file: &str| ran.writes.iter().any(|path| name(path).contains(file));
        let (users, groups) = (is_of("passwd"), is_of("group"));
        for fields in entries(ran) {
            let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok());
            let (Some(who), Some(third)) = (fields.first(), number(2)) else {
                continue;
            };
            if users && let Some(group) = number(3) {
                let user = (Some(third), Some(group.to_string()));
                self.known.insert((*who).to_owned(), user);
                if let (Some(program), Some(home)) = (ran.words.first(), fields.get(5)) {
                    self.add_home(line, name(program), who, (*home).to_owned());
                }
            }
            if groups {
                self.groups.insert((*who).to_owned(), Some(third));
            }
        }
    }

    /// Those of a distribution.
    fn in_family(family: Family) -> Self {
        let users = base_users::users(family)
            .map(|(name, user, group)| (name.to_owned(), (Some(user), Some(group.to_string()))));
        let groups = base_users::groups(family).map(|(name, group)| (name.to_owned(), Some(group)));
        Self {
            known: users.collect(),
            groups: groups.collect(),
            homes: BTreeMap::new(),
            family,
        }
    }

    /// Whether a command writes users or groups that are understood.
    pub(in crate::adopt) fn are_written(ran: &Ran) -> bool {
        let number = |fields: &Vec<&str>| fields.get(2).and_then(|field| field.parse::<u32>().ok());
        entries(ran).iter().any(|fields| number(fields).is_some())
    }

    fn add(&mut self, line: usize, words: &[String], surely: bool) {
        let Some((program, arguments)) = words.split_first() else {
            return;
        };
        match name(program) {
            "useradd" => {
                let read = read(arguments, USERADD);
                let Some(who) = read.operands.last() else {
                    return;
                };
                self.add_user(who, &read, &["-g", "--gid"], false, surely);
                let group = self.group_of_useradd(who, &read, surely);
                if let Some((_, own @ None)) = self.known.get_mut(who) {
                    *own = group;
                }
                let is_made = read.has(&["-m", "--create-home"]);
                let above = read.value(&["-b", "--base-dir"]);
                let usual = || join(above.as_deref().unwrap_or("/home"), who);
                let path = read.value(&["-d", "--home-dir", "--home"]);
                if let Some(path) = path.or_else(|| is_made.then(usual)) {
                    self.add_home(line, "useradd", who, path);
                }
            }
            "adduser" => {
                let read = read(arguments, ADDUSER);
                let Some(who) = read.operands.first() else {
                    return;
                };
                // `adduser USER GROUP` only puts one into the other.
                if read.operands.len() > 1 && self.known.contains_key(who) {
                    return;
                }
                let path = read.value(&["-h", "--home"]);
                let usual = || self.makes_home(&read).then(|| join("/home", who));
                if let Some(path) = path.or_else(usual) {
                    self.add_home(line, "adduser", who, path);
                }
                let own_group = !read.is_of_system();
                self.add_user(who, &read, &["-G", "--gid", "--ingroup"], own_group, surely);
                // They share a group, if it is known which.
                if let (false, true, Some((_, group @ None))) = (
                    own_group,
                    self.groups.contains_key("nogroup"),
                    self.known.get_mut(who),
                ) {
                    *group = Some("nogroup".to_owned());
                }
            }
            "groupadd" | "addgroup" => {
                let read = read(arguments, GROUPADD);
                if let Some(who) = read.operands.last() {
                    let number = read.value(&["-g", "--gid"]);
                    let number = number.and_then(|text| text.parse().ok());
                    self.add_group(who, number, surely);
                }
            }
            _ => {}
        }
    }

    /// Whether `adduser` makes a home that nothing names: busybox does it for users of the system, too.
    fn makes_home(&self, read: &Read) -> bool {
        let is_busybox = self.family == Family::Alpine || read.has(&["-D", "-S"]);
        (is_busybox || !read.is_for_system()) && !read.has(&["-H", "-M", "--no-create-home"])
    }

    pub(super) fn add_home(&mut self, line: usize, program: &str, who: &str, path: String) {
        // A shell may say where it is.
        if path.starts_with('/') && !path.contains(['$', '`']) && !NO_HOMES.contains(&path.as_str())
        {
            let home = Home {
                line,
                program: program.to_owned(),
                path,
            };
            self.homes.insert(who.to_owned(), home);
        }
    }

    /// One that is there stays, unless the other may be the one that runs.
    fn add_group(&mut self, who: &str, number: Option<u32>, surely: bool) {
        let group = self.groups.entry(who.to_owned()).or_insert(number);
        if !surely {
            *group = number;
        }
    }

    /// The group of a user that `useradd` adds without naming one, unless its number is the user's. It makes one
    /// of the user's name, with the user's number if groups may have it and none has; nobody can tell another.
    fn group_of_useradd(&mut self, who: &str, read: &Read, surely: bool) -> Option<String> {
        if read.value(&["-g", "--gid"]).is_some() {
            return None;
        }
        if !read.has_own_group() {
            // `/etc/default/useradd` names the group of those, which bases call so.
            return Some("users".to_owned());
        }
        let allowed = if read.has(&["-r", "--system"]) {
            SYSTEM_GROUPS
        } else {
            GROUPS
        };
        let is_free = |number: &u32| {
            let mut groups = self.groups.iter();
            !groups.any(|(name, other)| name != who && *other == Some(*number))
        };
        let number = read.value(&["-u", "--uid"]);
        let number = number.and_then(|text| text.parse().ok());
        let number = number.filter(|number| allowed.contains(number) && is_free(number));
        self.add_group(who, number, surely);
        self.group(who).is_none().then(|| who.to_owned())
    }

    fn add_user(&mut self, who: &str, read: &Read, group: &[&str], own_group: bool, surely: bool) {
        let number = read.value(&["-u", "--uid"]);
        let number: Option<u32> = number.and_then(|text| text.parse().ok());
        let group = read.value(group);
        // The tools make a group of the user's name unless told otherwise, with its number if free. Users of the
        // system are in one that differs from base to base.
        if group.is_none() && own_group {
            self.add_group(who, number, surely);
        }
        self.known.insert(who.to_owned(), (number, group));
    }

    /// What `USER` means in numbers.
    pub(in crate::adopt) fn numbers(&self, text: &str) -> Numbers {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let is_large = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number && text.parse::<u32>().is_err()
        };
        if is_large(user) || group.is_some_and(is_large) {
            return Numbers::TooLarge;
        }
        let named = self.known.get_key_value(user);
        let said = named.and_then(|(_, (number, _))| *number);
        let Some(number) = user.parse().ok().or(said) else {
            return Numbers::Unknown;
        };
        let by_number = || {
            let mut users = self.known.iter();
            users.find(|(_, (other, _))| *other == Some(number))
        };
        let entry = named.or_else(by_number);
        let own = entry.and_then(|(_, (_, group))| group.clone());
        let group = group.map(str::to_owned).or(own);
        let group_number = match (&group, entry) {
            (Some(name), _) => self.group(name),
            (None, Some((user, _))) => self.group(user),
            (None, None) => None,
        };
        let numbers = format!("{number}:{number}");
        match (group_number, group) {
            (Some(group), _) => Numbers::Known(format!("{number}:{group}")),
            (None, Some(group)) if !group.is_empty() => Numbers::Guessed { numbers, group },
            (None, None) if entry.is_none() => Numbers::Bare(numbers),
            (None, _) => Numbers::Assumed(numbers),
        }
    }

    /// The home that a command gives to whom `USER` means.
    pub(in crate::adopt) fn home(&self, text: &str) -> Option<&Home> {
        let user = text.split(':').next().unwrap_or_default();
        let by_number = || {
            let number = user.parse().ok()?;
            let mut users = self.known.iter();
            users
                .find(|(_, (other, _))| *other == Some(number))
                .map(|(name, _)| name.as_str())
        };
        let name = if self.known.contains_key(user) {
            Some(user)
        } else {
            by_number()
        };
        self.homes.get(name?)
    }

    fn group(&self, name: &str) -> Option<u32> {
        let known = self.groups.get(name).copied().flatten();
        name.parse().ok().or(known)
    }

    /// Whether a command does nothing but add, change or delete users and groups.
    pub(in crate::adopt) fn is_about_users(program: &str) -> bool {
        matches!(
            name(program),
            "useradd"
                | "adduser"
                | "groupadd"
                | "addgroup"
                | "usermod"
                | "groupmod"
                | "userdel"
                | "deluser"
                | "groupdel"
                | "delgroup"
        )
    }
}

/// The lines of `/etc/passwd` or `/etc/group` that a command like `echo` writes, taken apart.
fn entries(ran: &Ran) -> Vec<Vec<&str>> {
    let is_one = |path: &String| {
        let file = name(path);
        file.contains("passwd") || file.contains("group")
    };
    if !ran.writes.iter().any(is_one) {
        return Vec::new();
    }
    let lines = ran.words.iter().skip(1).flat_map(|word| word.lines());
    lines
        .flat_map(|line| line.split("\\n"))
        .map(|line| line.trim().split(':').collect())
        .collect()
}

#[cfg(test)]
mod tests;
