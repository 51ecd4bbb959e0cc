//! Users and groups, and what commands say of their numbers.

use super::*;

fn numbers(commands: &[&str], user: &str) -> Numbers {
    numbers_in(Family::Other, commands, user)
}

fn numbers_in(family: Family, commands: &[&str], user: &str) -> Numbers {
    let mut users = Users::in_family(family);
    for command in commands {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        users.add(0, &words, true);
        users.change(0, &words);
    }
    users.numbers(user)
}

#[test]
fn users_of_a_known_base_have_its_numbers() {
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
            &["useradd -u 1008 app", "adduser app staff"],
            "app",
            known("1008:1008"),
        ),
        (Family::Debian, none, "99999999999", Numbers::TooLarge),
        (Family::Debian, none, "1:99999999999", Numbers::TooLarge),
    ] {
        assert_eq!(
            numbers_in(family, commands, user),
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
        (&[], "1000", Numbers::Bare("1000:1000".to_owned())),
        (&[], "nonroot:nonroot", known("65532:65532")),
        (&[], "nobody", known("65534:65534")),
        (&[], "app", Numbers::Unknown),
        (&["useradd -ms /bin/sh app"], "app", Numbers::Unknown),
        (&["useradd -ru 101 app"], "app", known("101:101")),
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
        (&["useradd --system -u 108 app"], "app", known("108:108")),
        // `-m` has no value, and neither has `--group`.
        (&["useradd -m -u 1008 app"], "app", known("1008:1008")),
        (
            &["useradd -m -s /bin/bash -u1008 app"],
            "app",
            known("1008:1008"),
        ),
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
            Numbers::Guessed {
                numbers: "8:8".to_owned(),
                group: "users".to_owned(),
            },
        ),
    ] {
        assert_eq!(numbers(commands, user), expected, "{commands:?} {user}");
    }
}

#[test]
fn users_that_commands_change_have_their_new_numbers() {
    let known = |text: &str| Numbers::Known(text.to_owned());
    for (commands, user, expected) in [
        (&["useradd -N -u 1004 app"][..], "app", known("1004:100")),
        (&["useradd -u 1008 app"], "1008", known("1008:1008")),
        (
            &["useradd -u 1010 a", "usermod -u 20 a"],
            "a",
            known("20:1010"),
        ),
        (
            &["usermod -u 4000 nobody", "groupmod -g 4001 nogroup"],
            "nobody",
            known("4000:4001"),
        ),
        (
            &["groupadd -g 7 team", "usermod -aG staff -g team games"],
            "games",
            known("5:7"),
        ),
        (
            &["useradd -u 10 a", "groupmod --gid=11 --new-name b a"],
            "a:b",
            known("10:11"),
        ),
        (
            &["useradd -u 10 a", "groupmod -g 11 -n b a"],
            "a",
            known("10:11"),
        ),
        (
            &["useradd -u 1010 a", "usermod -l b a"],
            "b",
            known("1010:1010"),
        ),
        (
            &["useradd -u 10 a", "usermod -u $UID a"],
            "a",
            Numbers::Unknown,
        ),
        (
            &["usermod -u 10 ubuntu"],
            "ubuntu",
            Numbers::Guessed {
                numbers: "10:10".to_owned(),
                group: "ubuntu".to_owned(),
            },
        ),
        (&["useradd -u 10 a", "userdel -r a"], "a", Numbers::Unknown),
        (
            &["useradd -u 1010 a", "deluser a staff"],
            "a",
            known("1010:1010"),
        ),
    ] {
        assert_eq!(
            numbers_in(Family::Debian, commands, user),
            expected,
            "{commands:?} {user}"
        );
    }
}
