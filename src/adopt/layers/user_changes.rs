//! Commands that change users and groups, or take them away.

use super::user_flags::{GROUPMOD, USERMOD, read};
use super::users::Users;
use crate::adopt::paths::name;

impl Users {
    /// Follows `usermod`, `groupmod` and those that delete.
    pub(super) fn change(&mut self, line: usize, words: &[String]) {
        let Some((program, arguments)) = words.split_first() else {
            return;
        };
        match name(program) {
            "usermod" => self.change_user(line, arguments),
            "groupmod" => self.change_group(arguments),
            "userdel" | "deluser" => {
                // `deluser USER GROUP` only takes one out of the other.
                if let [who] = read(arguments, &[]).operands.as_slice() {
                    self.known.remove(who);
                    self.homes.remove(who);
                    self.groups.remove(who);
                }
            }
            "groupdel" | "delgroup" => {
                if let [who] = read(arguments, &[]).operands.as_slice() {
                    self.groups.remove(who);
                }
            }
            _ => {}
        }
    }

    fn change_user(&mut self, line: usize, arguments: &[String]) {
        let read = read(arguments, USERMOD);
        let Some(who) = read.operands.last() else {
            return;
        };
        // Of one that only the base knows, the group is not known either.
        let unknown = || (None, Some(who.clone()));
        let (mut number, mut group) = self.known.remove(who).unwrap_or_else(unknown);
        if let Some(text) = read.value(&["-u", "--uid"]) {
            number = text.parse().ok();
        }
        let named = read.value(&["-g", "--gid"]);
        group = named.or(group);
        let renamed = read.value(&["-l", "--login"]);
        if let Some(home) = read.value(&["-d", "--home"]) {
            self.add_home(line, "usermod", who, home);
        }
        let Some(new) = renamed else {
            self.known.insert(who.clone(), (number, group));
            return;
        };
        if let Some(home) = self.homes.remove(who) {
            self.homes.insert(new.clone(), home);
        }
        // The group keeps its name.
        self.known
            .insert(new, (number, group.or_else(|| Some(who.clone()))));
    }

    /// The group's users stay in it, whatever it is called and numbered then.
    fn change_group(&mut self, arguments: &[String]) {
        let read = read(arguments, GROUPMOD);
        let Some(who) = read.operands.last() else {
            return;
        };
        let old = self.groups.remove(who).flatten();
        let number = match read.value(&["-g", "--gid"]) {
            Some(text) => text.parse().ok(),
            None => old,
        };
        let new = read.value(&["-n", "--new-name"]);
        let new = new.unwrap_or_else(|| who.clone());
        for (user, (_, group)) in &mut self.known {
            let of_name = group.as_deref().unwrap_or(user) == who;
            let of_number = |old: u32| group.as_deref() == Some(old.to_string().as_str());
            if of_name || old.is_some_and(of_number) {
                *group = Some(new.clone());
            }
        }
        self.groups.insert(new, number);
    }
}
