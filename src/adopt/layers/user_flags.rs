//! Command lines of the programs that add users and groups, taken apart.

/// Flags with a value.
pub(super) const USERADD: &[&str] = &[
    "-u",
    "--uid",
    "-g",
    "--gid",
    "-G",
    "--groups",
    "-d",
    "--home-dir",
    "--home",
    "-s",
    "--shell",
    "-c",
    "--comment",
    "-b",
    "--base-dir",
    "-k",
    "--skel",
    "-K",
    "--key",
    "-p",
    "--password",
];
/// Of Debian and of busybox.
pub(super) const ADDUSER: &[&str] = &[
    "-u",
    "--uid",
    "-G",
    "--gid",
    "--ingroup",
    "-h",
    "--home",
    "-s",
    "--shell",
    "-g",
    "--gecos",
    "--comment",
    "-k",
];
pub(super) const USERMOD: &[&str] = &[
    "-u",
    "--uid",
    "-g",
    "--gid",
    "-G",
    "--groups",
    "-d",
    "--home",
    "-l",
    "--login",
    "-s",
    "--shell",
    "-c",
    "--comment",
    "-e",
    "--expiredate",
    "-f",
    "--inactive",
    "-p",
    "--password",
];
pub(super) const GROUPMOD: &[&str] = &["-g", "--gid", "-n", "--new-name", "-p", "--password"];
pub(super) const GROUPADD: &[&str] = &["-g", "--gid", "-K", "--key", "-p", "--password"];

/// A command line, taken apart.
pub(super) struct Read {
    values: Vec<(String, String)>,
    /// Flags without a value, short ones each for itself.
    switches: Vec<String>,
    pub(super) operands: Vec<String>,
}

impl Read {
    pub(super) fn value(&self, flags: &[&str]) -> Option<String> {
        let mut values = self.values.iter();
        let found = values.find(|(flag, _)| flags.contains(&flag.as_str()));
        found.map(|(_, value)| value.clone())
    }

    pub(super) fn has(&self, flags: &[&str]) -> bool {
        self.switches
            .iter()
            .any(|switch| flags.contains(&switch.as_str()))
    }

    /// Whether `adduser` adds a user of the system.
    pub(super) fn is_for_system(&self) -> bool {
        self.has(&["-S", "--system"])
    }

    /// The same, where it has no group of its own because none is asked for.
    pub(super) fn is_of_system(&self) -> bool {
        self.is_for_system() && !self.has(&["--group"])
    }

    /// Whether `useradd` makes a group for the user.
    pub(super) fn has_own_group(&self) -> bool {
        !self.has(&["-N", "--no-user-group"])
    }
}

pub(super) fn read(arguments: &[String], with_value: &[&str]) -> Read {
    let mut values = Vec::new();
    let (mut switches, mut operands) = (Vec::new(), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if let Some((flag, value)) = argument
            .split_once('=')
            .filter(|_| argument.starts_with("--"))
        {
            values.push((flag.to_owned(), value.to_owned()));
        } else if with_value.contains(&argument.as_str()) {
            values.push((
                argument.clone(),
                arguments.next().cloned().unwrap_or_default(),
            ));
        } else if let Some((letters, flag)) = bundled(argument, with_value) {
            // `-ru 1000`
            switches.extend(letters.chars().map(|letter| format!("-{letter}")));
            values.push((flag, arguments.next().cloned().unwrap_or_default()));
        } else if let Some(value) = attached(argument, with_value) {
            values.push(value);
        } else if argument.starts_with("--") {
            switches.push(argument.clone());
        } else if let Some(letters) = argument.strip_prefix('-') {
            switches.extend(letters.chars().map(|letter| format!("-{letter}")));
        } else {
            operands.push(argument.clone());
        }
    }
    Read {
        values,
        switches,
        operands,
    }
}

/// `-u1000`.
fn attached(argument: &str, valued: &[&str]) -> Option<(String, String)> {
    let (flag, value) = argument.split_at_checked(2)?;
    let has_value = !value.is_empty() && !flag.starts_with("--") && valued.contains(&flag);
    has_value.then(|| (flag.to_owned(), value.to_owned()))
}

/// Several short flags of which the last has a value, and that one.
fn bundled<'a>(argument: &'a str, valued: &[&str]) -> Option<(&'a str, String)> {
    let letters = argument
        .strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'))?;
    let (last, _) = letters.char_indices().next_back()?;
    let (others, last) = letters.split_at_checked(last)?;
    let flag = format!("-{last}");
    (!others.is_empty() && valued.contains(&flag.as_str())).then_some((others, flag))
}
