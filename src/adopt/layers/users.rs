//! Names of users and groups, as far as a Dockerfile says their numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::base_users;
use super::user_flags::{ADDUSER, GROUPADD, Read, USERADD, read};
use crate::adopt::dockerfile::base_image::{self, Family};
use crate::adopt::dockerfile::{Action, Copy, From, Stage, steps};
use crate::adopt::paths::{join, name};
use crate::adopt::shell::Ran;

/// Numbers of users and groups.
#[derive(Debug, Default)]
pub(in crate::adopt) struct Users {
    known: BTreeMap<String, (Option<u32>, Option<String>)>,
    groups: BTreeMap<String, Option<u32>>,
    /// Homes that commands make, by user.
    homes: BTreeMap<String, Home>,
    family: Family,
}

/// A directory that a command makes for a user, to whose processes docker gives it as `HOME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Home {
    pub(in crate::adopt) line: usize,
    /// `useradd` or `adduser`.
    pub(in crate::adopt) program: &'static str,
    pub(in crate::adopt) path: String,
}

/// What is known of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) enum Numbers {
    /// Both were said.
    Known(String),
    /// The user's was, and the group follows it.
    Assumed(String),
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
                        users.add(step.line, &ran.words);
                        users.add_written(ran);
                    }
                }
                Action::Copy(copy) => users.add_copied(stages, stage, copy, seen),
            }
        }
        users
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
    fn add_written(&mut self, ran: &Ran) {
        let is_of = |file: &str| ran.writes.iter().any(|path| name(path).contains(file));
        let (users, groups) = (is_of("passwd"), is_of("group"));
        let lines = ran.words.iter().skip(1).flat_map(|word| word.lines());
        for line in lines.flat_map(|line| line.split("\\n")) {
            let fields: Vec<&str> = line.trim().split(':').collect();
            let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok());
            let (Some(who), Some(third)) = (fields.first(), number(2)) else {
                continue;
            };
            if users && let Some(group) = number(3) {
                let user = (Some(third), Some(group.to_string()));
                self.known.insert((*who).to_owned(), user);
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

    fn add(&mut self, line: usize, words: &[String]) {
        let Some((program, arguments)) = words.split_first() else {
            return;
        };
        match name(program) {
            "useradd" => {
                let read = read(arguments, USERADD);
                let Some(who) = read.operands.last() else {
                    return;
                };
                let own_group = read.has_own_group();
                self.add_user(who, &read, &["-g", "--gid"], own_group);
                if read.has(&["-m", "--create-home"]) {
                    let above = read.value(&["-b", "--base-dir"]);
                    let usual = || join(above.as_deref().unwrap_or("/home"), who);
                    let path = read.value(&["-d", "--home-dir", "--home"]);
                    self.add_home(line, "useradd", who, path.unwrap_or_else(usual));
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
                if self.makes_home(&read) {
                    let path = read.value(&["-h", "--home"]);
                    let path = path.unwrap_or_else(|| join("/home", who));
                    self.add_home(line, "adduser", who, path);
                }
                let own_group = !read.is_of_system();
                self.add_user(who, &read, &["-G", "--gid", "--ingroup"], own_group);
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
                    self.groups.entry(who.clone()).or_insert(number);
                }
            }
            _ => {}
        }
    }

    /// Whether `adduser` makes a home: busybox does it for users of the system, too, Debian where it is named.
    fn makes_home(&self, read: &Read) -> bool {
        let is_busybox = self.family == Family::Alpine || read.has(&["-D", "-S"]);
        let is_usual = is_busybox || !read.is_for_system() || read.value(&["--home"]).is_some();
        is_usual && !read.has(&["-H", "-M", "--no-create-home"])
    }

    fn add_home(&mut self, line: usize, program: &'static str, who: &str, path: String) {
        // A shell may say where it is.
        if path.starts_with('/') && !path.contains(['$', '`']) {
            let home = Home {
                line,
                program,
                path,
            };
            self.homes.insert(who.to_owned(), home);
        }
    }

    fn add_user(&mut self, who: &str, read: &Read, group: &[&str], own_group: bool) {
        let number = read.value(&["-u", "--uid"]);
        let number: Option<u32> = number.and_then(|text| text.parse().ok());
        let group = read.value(group);
        // The tools make a group of the user's name unless told otherwise, with its number if free. Users of the
        // system are in one that differs from base to base.
        if group.is_none() && own_group {
            self.groups.entry(who.to_owned()).or_insert(number);
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
        let named = self.known.get(user);
        let number = user.parse().ok().or(named.and_then(|(number, _)| *number));
        let Some(number) = number else {
            return Numbers::Unknown;
        };
        let by_number = || {
            let mut users = self.known.values();
            users.find(|(other, _)| *other == Some(number))
        };
        let own = named
            .or_else(by_number)
            .and_then(|(_, group)| group.clone());
        let group = group.map(str::to_owned).or(own);
        let group_number = match &group {
            Some(name) => self.group(name),
            None => named.is_some().then(|| self.group(user)).flatten(),
        };
        let numbers = format!("{number}:{number}");
        match (group_number, group) {
            (Some(group), _) => Numbers::Known(format!("{number}:{group}")),
            (None, Some(group)) if !group.is_empty() => Numbers::Guessed { numbers, group },
            (None, _) => Numbers::Assumed(numbers),
        }
    }

    /// The home that a command makes for whom `USER` means.
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

    /// Whether a command does nothing but add users and groups.
    pub(in crate::adopt) fn is_about_users(program: &str) -> bool {
        matches!(
            name(program),
            "useradd" | "adduser" | "groupadd" | "addgroup" | "usermod"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(commands: &[&str], user: &str) -> Numbers {
        let mut users = Users::of(&[], 0);
        for command in commands {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            users.add(0, &words);
        }
        users.numbers(user)
    }

    #[test]
    fn users_of_a_known_base_have_its_numbers() {
        let numbers = |family, commands: &[&str], user: &str| {
            let mut users = Users::in_family(family);
            for command in commands {
                let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
                users.add(0, &words);
            }
            users.numbers(user)
        };
        let known = |text: &str| Numbers::Known(text.to_owned());
        let guessed = |numbers: &str, group: &str| Numbers::Guessed {
            numbers: numbers.to_owned(),
            group: group.to_owned(),
        };
        let none = &[][..];
        for (family, commands, user, expected) in [
            (Family::Debian, none, "www-data", known("33:33")),
            (Family::Debian, none, "daemon", known("1:1")),
            (Family::Debian, none, "1000:nogroup", known("1000:65534")),
            (Family::Debian, none, "games:www-data", known("5:33")),
            (Family::Alpine, none, "www-data", Numbers::Unknown),
            (Family::Alpine, none, "1000:www-data", known("1000:82")),
            (Family::Alpine, none, "daemon", known("2:2")),
            // Other versions have other numbers.
            (Family::Alpine, none, "guest", Numbers::Unknown),
            (Family::Debian, none, "1000:audio", known("1000:29")),
            (Family::Debian, none, "_apt", Numbers::Unknown),
            (Family::Alpine, none, "nobody:nogroup", known("65534:65533")),
            (Family::Other, none, "www-data", Numbers::Unknown),
            (Family::Other, none, "1000:app", guessed("1000:1000", "app")),
            (
                Family::Alpine,
                &["adduser -D -u 7 -G nogroup a"][..],
                "a",
                known("7:65533"),
            ),
            (
                Family::Debian,
                &["adduser --uid 7 --ingroup nogroup a"],
                "a",
                known("7:65534"),
            ),
            (
                Family::Alpine,
                &["adduser -S -D -u 7 a"],
                "a",
                known("7:65533"),
            ),
            (
                Family::Debian,
                &["adduser --system --uid 7 a"],
                "a",
                known("7:65534"),
            ),
            (
                Family::Alpine,
                &["adduser -u 82 -D -S -G www-data www-data"],
                "www-data",
                known("82:82"),
            ),
            (
                Family::Alpine,
                &["addgroup app"],
                "1000:app",
                guessed("1000:1000", "app"),
            ),
            (
                Family::Alpine,
                &["addgroup -g 7 app"],
                "1000:app",
                known("1000:7"),
            ),
            (
                Family::Debian,
                &["groupadd -g 7 app"],
                "1000:app",
                known("1000:7"),
            ),
            (
                Family::Debian,
                &["useradd -u 8 app", "adduser app staff"],
                "app",
                known("8:8"),
            ),
            (Family::Debian, none, "99999999999", Numbers::TooLarge),
            (Family::Debian, none, "1:99999999999", Numbers::TooLarge),
        ] {
            assert_eq!(
                numbers(family, commands, user),
                expected,
                "{family:?} {commands:?} {user}"
            );
        }
    }

    #[test]
    fn users_are_numbers() {
        let known = |text: &str| Numbers::Known(text.to_owned());
        for (commands, user, expected) in [
            (&[][..], "1000:1001", known("1000:1001")),
            (&[], "1000", Numbers::Assumed("1000:1000".to_owned())),
            (&[], "nonroot:nonroot", known("65532:65532")),
            (&[], "nobody", known("65534:65534")),
            (&[], "app", Numbers::Unknown),
            (&["useradd -ms /bin/sh app"], "app", Numbers::Unknown),
            (&["useradd -ru 10001 app"], "app", known("10001:10001")),
            (
                &["groupadd -g 7 g", "useradd --uid=8 -g g app"],
                "app",
                known("8:7"),
            ),
            (
                &["addgroup -S -g 7 app", "adduser -S -D -u 8 -G app app"],
                "app",
                known("8:7"),
            ),
            (
                &["adduser --uid 8 --gecos x --disabled-password app"],
                "app:app",
                known("8:8"),
            ),
            (&["useradd -u 8 -g 9 app"], "8", known("8:9")),
            (&["useradd --system -u 8 app"], "app", known("8:8")),
            // `-m` has no value, and neither has `--group`.
            (&["useradd -m -u 8 app"], "app", known("8:8")),
            (&["useradd -m -s /bin/bash -u8 app"], "app", known("8:8")),
            (&["adduser -D -u8 app"], "app", known("8:8")),
            (
                &["adduser --system --group --uid 8 app"],
                "app",
                known("8:8"),
            ),
            // Their group is one that all of them share.
            (
                &["adduser -S -D -u 8 app"],
                "app",
                Numbers::Assumed("8:8".to_owned()),
            ),
            (
                &["adduser --system --uid 8 app"],
                "app",
                Numbers::Assumed("8:8".to_owned()),
            ),
            (
                &["useradd -N -u 8 app"],
                "app",
                Numbers::Assumed("8:8".to_owned()),
            ),
        ] {
            assert_eq!(numbers(commands, user), expected, "{commands:?} {user}");
        }
    }
}
