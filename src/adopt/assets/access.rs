//! Who may read and run files: all belong to root in the image, whoever owned them in the old one.

use super::asset::{Asset, changed, octal, written};
use super::copies::Files;
use crate::adopt::dockerfile::{self, Settings, Stage, base_image};
use crate::adopt::launch::Launch;
use crate::adopt::layers::{Numbers, Users};
use crate::adopt::manifest::Draft;

/// Bits of a mode that give more than access.
pub(super) const SPECIAL: u32 = 0o6000;

/// Whom a file of the old image belongs to, as named there; root where nothing says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
}

impl Owner {
    /// `user:group`, of which either may be missing.
    pub(super) fn of(text: &str) -> Self {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        let said = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Self {
            user: said(user),
            group: said(group),
        }
    }

    /// That of `--chown`.
    pub(super) fn of_copy(copy: &dockerfile::Copy) -> Self {
        let mut flags = copy.flags.iter();
        let given = flags.find(|(flag, _)| flag == "chown");
        given.map(|(_, value)| Self::of(value)).unwrap_or_default()
    }
}

/// Whether `chown` gives a file to root.
pub(super) fn is_root(owner: &str) -> bool {
    matches!(owner, "root" | "0" | "0:0" | "root:root")
}

/// Whom the old image runs the service as.
#[derive(Debug)]
pub(in crate::adopt) struct Reader {
    users: Users,
    /// As named.
    user: String,
    /// Whether the old image runs it as root, because nothing says otherwise.
    was_root: bool,
    /// Whether the new image runs it as root.
    is_root: bool,
}

/// What becomes of a mode.
enum Access {
    Same,
    /// The mode that lets the service read what it could.
    Opened(u32),
    /// It could, and cannot any longer.
    Closed,
}

impl Reader {
    /// The one of a stage; `is_root` says whether that of the new image is root.
    pub(in crate::adopt) fn of(
        stages: &[Stage],
        stage: usize,
        settings: &Settings,
        launch: &Launch,
        is_root: bool,
    ) -> Self {
        let switched = launch.switch.as_ref();
        let said = match (switched, &settings.user) {
            (Some(switch), _) => switch.user.clone(),
            (None, said) => said.as_ref().map(|said| said.value.clone()),
        };
        let image = base_image::image(stages, stage);
        Self {
            users: Users::of(stages, stage),
            was_root: said.is_none() && switched.is_none() && base_image::runs_as_root(image),
            user: said.unwrap_or_else(|| "65532:65532".to_owned()),
            is_root,
        }
    }

    /// What a mode must be so that the service can read what belonged to its user or group.
    fn access(&self, owner: &Owner, mode: u32) -> Access {
        let (user, group) = self.user.split_once(':').unwrap_or((&self.user, ""));
        let numbers = self.users.numbers(&self.user);
        // Of a number that nobody has, docker makes one of group 0, which the new image does not.
        let is_bare = matches!(numbers, Numbers::Bare(_));
        let own_group = match group {
            "" if is_bare => Some("0".to_owned()),
            "" => self.number(&self.user, 1),
            group => self.group(group),
        };
        let keeps_group = own_group.as_deref() == Some("0") && !is_bare && mode & 0o040 != 0;
        if self.is_root || mode & 0o004 != 0 || keeps_group {
            return Access::Same;
        }
        let is_user = owner.user.as_deref().is_some_and(|other| {
            other == user || {
                let number = self.number(other, 0);
                number.is_some() && number == self.number(&self.user, 0)
            }
        });
        // Without a word of either, it belongs to root and root's group.
        let is_plain = owner.user.is_none() && owner.group.is_none();
        let owner_group = owner.group.as_deref().or(is_plain.then_some("0"));
        let is_group = owner_group.is_some_and(|other| {
            other == group || (own_group.is_some() && self.group(other) == own_group)
        });
        let is_open = |name: &Option<String>| name.as_ref().is_some_and(|name| name.contains('$'));
        let opened = if is_user {
            let bits = (mode >> 6) & 0o5;
            mode | (bits << 3) | bits
        } else if is_group {
            mode | ((mode >> 3) & 0o5)
        } else if self.was_root || is_open(&owner.user) || is_open(&owner.group) {
            return Access::Closed;
        } else {
            return Access::Same;
        };
        if opened & 0o004 == 0 {
            Access::Same
        } else {
            Access::Opened(opened)
        }
    }

    /// The number of a user, or of the group that follows it.
    fn number(&self, user: &str, at: usize) -> Option<String> {
        match self.users.numbers(user) {
            Numbers::Known(numbers)
            | Numbers::Assumed(numbers)
            | Numbers::Bare(numbers)
            | Numbers::Guessed { numbers, .. } => numbers.split(':').nth(at).map(str::to_owned),
            _ => None,
        }
    }

    fn group(&self, group: &str) -> Option<String> {
        match self.users.numbers(&format!("0:{group}")) {
            Numbers::Known(numbers) => numbers.split(':').nth(1).map(str::to_owned),
            _ => None,
        }
    }
}

impl Files<'_> {
    /// Opens what the service could read because it belonged to its user, and tells what it cannot read
    /// any longer.
    pub(super) fn opened(&self, asset: &mut Asset, draft: &mut Draft<'_>) {
        let Some(mode) = asset.mode.as_deref().and_then(octal) else {
            return;
        };
        let to = &asset.to;
        match self.reader.access(&asset.owner, mode) {
            Access::Same => {}
            Access::Opened(new) => {
                let (old, new) = (written(mode), written(new));
                draft.changed(
                    asset.line,
                    &format!(
                        "`{to}` belongs to root here, and to the user or group of the service in the old \
                         image: its mode becomes {new} instead of {old}, so that the service can read it"
                    ),
                    "what nobody else may read is mounted where the service runs, such as from a Kubernetes Secret",
                );
                asset.mode = Some(new);
            }
            Access::Closed => draft.lost(
                asset.line,
                &format!(
                    "`{to}` belongs to root and has the mode {}: the service, which is not root here, cannot read it",
                    written(mode)
                ),
                "set `mode` of the asset to 0444 if everyone may read it, or `user = \"0:0\"`",
            ),
        }
    }

    /// Tells what the flags of a `COPY` do to the executable of the service.
    pub(super) fn told_of_executable(
        &self,
        line: usize,
        copy: &dockerfile::Copy,
        path: &str,
        draft: &mut Draft<'_>,
    ) {
        for (flag, value) in &copy.flags {
            match flag.as_str() {
                "chmod" => told_of_rights(line, &format!("--chmod={value}"), value, path, draft),
                "chown" if !self.is_root && !is_root(value) => told_of_owner(line, draft),
                _ => {}
            }
        }
    }
}

/// Tells of rights of the executable that it does not have in the image. `change` is as `chmod` has it.
pub(super) fn told_of_rights(
    line: usize,
    command: &str,
    change: &str,
    path: &str,
    draft: &mut Draft<'_>,
) {
    const USUAL: u32 = 0o755;
    const RUN: u32 = 0o005;
    match changed(USUAL, change) {
        Some(mode) if mode & SPECIAL != 0 => draft.lost(
            line,
            &format!("`{command}` lets `{path}` run with the rights of its owner, which the image does not"),
            "set `user` to the one that it needs",
        ),
        Some(mode) if mode & RUN != RUN => draft.changed(
            line,
            &format!("`{command}` keeps others from `{path}`: in the image everyone may read and run it"),
            "",
        ),
        _ => {}
    }
}

/// Tells once, at the first line that it is about, that no file of the image belongs to its user.
pub(super) fn told_of_owner(line: usize, draft: &mut Draft<'_>) {
    const OWNER: &str = "files of the image belong to root; the service cannot write them unless their `mode` lets everyone";
    let mut told = draft.remarks.iter_mut();
    if let Some(told) = told.find(|remark| remark.message == OWNER) {
        told.line = told.line.min(line);
        return;
    }
    draft.changed(
        line,
        OWNER,
        "what the service writes belongs into `volumes`",
    );
}
