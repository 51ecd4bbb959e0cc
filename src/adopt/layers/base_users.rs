//! Users and groups that bases have, as their packages `base-passwd` and `alpine-baselayout` number them.

use crate::adopt::dockerfile::base_image::Family;

/// A user with the number of its group.
type User = (&'static str, u32, u32);
type Group = (&'static str, u32);

const DEBIAN_USERS: &[User] = &[
    ("daemon", 1, 1),
    ("bin", 2, 2),
    ("sys", 3, 3),
    ("sync", 4, 65534),
    ("games", 5, 60),
    ("man", 6, 12),
    ("lp", 7, 7),
    ("mail", 8, 8),
    ("news", 9, 9),
    ("uucp", 10, 10),
    ("proxy", 13, 13),
    ("www-data", 33, 33),
    ("backup", 34, 34),
    ("list", 38, 38),
    ("irc", 39, 39),
];
const DEBIAN_GROUPS: &[Group] = &[
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("man", 12),
    ("proxy", 13),
    ("kmem", 15),
    ("dialout", 20),
    ("fax", 21),
    ("voice", 22),
    ("cdrom", 24),
    ("floppy", 25),
    ("tape", 26),
    ("sudo", 27),
    ("audio", 29),
    ("dip", 30),
    ("www-data", 33),
    ("backup", 34),
    ("operator", 37),
    ("list", 38),
    ("irc", 39),
    ("src", 40),
    ("shadow", 42),
    ("utmp", 43),
    ("video", 44),
    ("sasl", 45),
    ("plugdev", 46),
    ("staff", 50),
    ("games", 60),
    ("users", 100),
    ("nogroup", 65534),
];
// Only what every version has: others came and went.
const ALPINE_USERS: &[User] = &[("bin", 1, 1), ("daemon", 2, 2)];
const ALPINE_GROUPS: &[Group] = &[
    ("bin", 1),
    ("daemon", 2),
    ("www-data", 82),
    ("nogroup", 65533),
];
/// Those of every base.
const USUAL_USERS: &[User] = &[
    ("root", 0, 0),
    ("nobody", 65534, 65534),
    ("nonroot", 65532, 65532),
];
const USUAL_GROUPS: &[Group] = &[("root", 0), ("nobody", 65534), ("nonroot", 65532)];

/// Users of a distribution.
pub(super) fn users(family: Family) -> impl Iterator<Item = User> {
    let own = match family {
        Family::Debian => DEBIAN_USERS,
        Family::Alpine => ALPINE_USERS,
        Family::Other => &[],
    };
    USUAL_USERS.iter().chain(own).copied()
}

/// Groups of a distribution.
pub(super) fn groups(family: Family) -> impl Iterator<Item = Group> {
    let own = match family {
        Family::Debian => DEBIAN_GROUPS,
        Family::Alpine => ALPINE_GROUPS,
        Family::Other => &[],
    };
    USUAL_GROUPS.iter().chain(own).copied()
}
