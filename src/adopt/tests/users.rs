//! Users whose numbers once were wrong, or told wrongly.

use super::told::says;
use super::world::World;

#[test]
fn users_that_debian_has_are_numbers() {
    let end = "ENTRYPOINT [\"/app/orders\"]\n";
    says(
        &format!("USER www-data\n{end}"),
        &["user = \"33:33\""],
        &[],
        &["Lost"],
    );
    says(
        &format!("RUN groupadd app\nUSER 1000:app\n{end}"),
        &["user = \"1000:1000\""],
        &["nothing here says the number of group `app`: `USER 1000:app` becomes 1000:1000"],
        &["names no group"],
    );
    says(
        &format!("USER 99999999999\n{end}"),
        &[],
        &[
            "`USER 99999999999` has a number above 2147483647, which Kubernetes refuses [the new image runs as 65532:65532",
        ],
        &["user = \"9", "is chosen"],
    );
}

#[test]
fn users_that_scratch_takes_over_from_a_stage_are_numbers() {
    for (made, copied, expected) in [
        (
            "useradd -u 10001 app",
            "/etc/passwd /etc/passwd",
            "10001:10001",
        ),
        (
            "groupadd -g 7 team && useradd -u 8 -g team app",
            "/etc/passwd /etc/",
            "8:7",
        ),
        (
            "groupadd -g 7 team && useradd -u 8 -g team app",
            "/etc/passwd /etc/group /etc/",
            "8:7",
        ),
        (
            "echo \"app:x:10001:10002::/:/sbin/nologin\" > /etc/passwd",
            "/etc/passwd /etc/",
            "10001:10002",
        ),
        (
            "printf 'root:x:0:0::/:\\napp:x:5:6::/:\\n' > /passwd.min",
            "/passwd.min /etc/passwd",
            "5:6",
        ),
    ] {
        let (found, told) = World::shared().whole(&format!(
            "FROM debian AS b\nRUN {made}\nFROM scratch\nCOPY --from=b {copied}\nUSER app\n\
             COPY target/release/orders /orders\nENTRYPOINT [\"/orders\"]\n"
        ));
        let user = format!("user = \"{expected}\"");
        assert!(found.contains(&user), "{made}: no {user} in\n{found}{told}");
        assert!(!told.contains("Lost"), "{made}:\n{told}");
        assert!(!told.contains("names no group"), "{made}:\n{told}");
    }
    // Without its file nobody is known.
    let (_, told) = World::shared().whole(
        "FROM debian AS b\nRUN useradd -u 10001 app\nFROM scratch\nUSER app\n\
         COPY target/release/orders /orders\nENTRYPOINT [\"/orders\"]\n",
    );
    assert!(
        told.contains("nothing here says the number of user `app`"),
        "{told}"
    );
}

#[test]
fn a_home_that_a_command_makes_for_the_user_is_told() {
    let told = |base: &str, run: &str, rest: &str| {
        let (table, told) = World::shared().whole(&format!(
            "FROM {base}\nCOPY target/release/orders /orders\nRUN {run}\n{rest}\nENTRYPOINT [\"/orders\"]\n"
        ));
        assert!(
            !table.contains("HOME") || rest.contains("ENV HOME"),
            "{table}"
        );
        told
    };
    for (base, run, user, path, new) in [
        (
            "debian",
            "useradd -m -u 7 app",
            "USER app",
            "/home/app",
            "/",
        ),
        (
            "debian",
            "useradd -rmd /data -u 7 app",
            "USER app:app",
            "/data",
            "/",
        ),
        (
            "debian",
            "useradd -u 7 -b /srv --create-home app",
            "USER 7",
            "/srv/app",
            "/",
        ),
        (
            "debian",
            "useradd -m app",
            "USER app",
            "/home/app",
            "/home/nonroot",
        ),
        (
            "debian",
            "useradd -m -o -u 0 app",
            "USER app",
            "/home/app",
            "/root",
        ),
        (
            "debian",
            "adduser --uid 7 --disabled-password app",
            "USER app",
            "/home/app",
            "/",
        ),
        (
            "debian",
            "adduser --system --home /data --uid 7 app",
            "USER app",
            "/data",
            "/",
        ),
        ("alpine", "adduser -SDu 7 app", "USER app", "/home/app", "/"),
    ] {
        let found = told(base, run, user);
        let expected = format!(
            "gives user `{}` the home `{path}`: in the new image `HOME` is `{new}`, unless something sets it",
            user.trim_start_matches("USER ").trim_end_matches(":app")
        );
        assert!(
            found.contains(&expected),
            "{run}: no {expected} in\n{found}"
        );
        assert!(found.contains("Changed 3: `"), "{run}:\n{found}");
    }
    for (base, run, rest) in [
        ("debian", "useradd -m -u 7 app", "ENV HOME=/x\nUSER app"),
        ("debian", "useradd -m -u 7 app", "USER 8"),
        ("debian", "useradd -m -u 7 app", ""),
        ("debian", "useradd -u 7 app", "USER app"),
        (
            "debian",
            "useradd -m -d /home/nonroot -u 65532 app",
            "USER app",
        ),
        ("debian", "useradd -m -d \"$WHERE\" -u 7 app", "USER app"),
        ("debian", "adduser --no-create-home --uid 7 app", "USER app"),
        ("debian", "adduser --system --uid 7 app", "USER app"),
        ("alpine", "adduser -SDHu 7 app", "USER app"),
    ] {
        let found = told(base, run, rest);
        assert!(!found.contains("HOME"), "{run} {rest}:\n{found}");
    }
}

#[test]
fn a_home_that_a_command_names_is_told_whether_or_not_it_makes_it() {
    let told = |base: &str, run: &str| {
        let text = format!(
            "FROM {base}\nCOPY target/release/orders /orders\nRUN {run}\nUSER app:app\nENTRYPOINT [\"/orders\"]\n"
        );
        World::shared().whole(&text).1
    };
    for (base, run) in [
        ("debian", "useradd --system --uid 1001 --home-dir /app app"),
        ("debian", "useradd -M -d /app -u 1001 app"),
        (
            "debian",
            "adduser --no-create-home --home /app --uid 1001 app",
        ),
        ("alpine", "adduser -D -H -h /app -u 1001 app"),
    ] {
        let found = told(base, run);
        assert!(
            found.contains("gives user `app` the home `/app`: in the new image `HOME` is `/`"),
            "{run}:\n{found}"
        );
    }
    // This says that there is none.
    let found = told(
        "debian",
        "adduser --no-create-home --home /nonexistent --uid 1001 app",
    );
    assert!(!found.contains("HOME"), "{found}");
}

#[test]
fn a_home_of_whom_a_program_switches_to_is_told() {
    for (program, is_told) in [
        ("gosu", true),
        ("su-exec", true),
        ("chroot --userspec=", false),
    ] {
        let words = program.replace(' ', "\", \"");
        let words = if is_told {
            format!("{words}\", \"app")
        } else {
            format!("{words}app\", \"/")
        };
        let (_, told) = World::shared().whole(&format!(
            "FROM debian\nCOPY target/release/orders /orders\nRUN useradd -m -u 7 app\n\
             ENTRYPOINT [\"{words}\", \"/orders\"]\n"
        ));
        assert!(told.contains("7:7"), "{program}:\n{told}");
        assert_eq!(
            told.contains("`HOME` is `/`"),
            is_told,
            "{program}:\n{told}"
        );
    }
}

#[test]
fn users_of_the_system_whose_flags_stand_in_one_word_have_no_group_of_their_own() {
    let (table, _) = World::shared().whole(
        "FROM alpine\nCOPY target/release/orders /orders\nRUN adduser -SD -u 7 app\nUSER app\n\
         ENTRYPOINT [\"/orders\"]\n",
    );
    assert!(table.contains("user = \"7:65533\""), "{table}");
}

#[test]
fn users_of_which_only_one_of_two_is_made_have_no_number() {
    let told = |run: &str, user: &str| {
        World::shared().whole(&format!(
            "FROM debian\nCOPY target/release/orders /orders\nRUN {run}\nUSER {user}\nENTRYPOINT [\"/orders\"]\n"
        ))
    };
    for run in [
        "if [ -n \"$X\" ]; then useradd -u 3000 app; else useradd -u 4000 app; fi",
        "[ -d /x ] && useradd -u 3000 app || useradd -u 4000 app",
        "if a; then useradd -u 1 app; elif b; then useradd -u 2 app; else useradd -u 1 app; fi",
        "useradd -u 3000 app; if a; then usermod -u 4000 app; fi",
        "useradd -u 3000 app; a && b || userdel app",
        "if a; then echo app:x:1:1::/:/x >> /etc/passwd; else echo app:x:2:2::/:/x >> /etc/passwd; fi",
    ] {
        let (table, told) = told(run, "app");
        assert!(!table.contains("user ="), "{run}: {table}");
        let expected = "nothing here says the number of user `app`";
        assert!(told.contains(expected), "{run}: {told}");
    }
    for run in [
        "id app || useradd -u 3000 app",
        "if a; then useradd -m -u 3000 app; else useradd -u 3000 app; fi",
        "getent group app || groupadd -g 3000 app; id app || useradd -u 3000 -g app app",
    ] {
        let (table, told) = told(run, "app");
        assert!(
            table.contains("user = \"3000:3000\""),
            "{run}: {table}{told}"
        );
    }
    let (_, told) = told(
        "if a; then groupadd -g 7 app; else groupadd -g 8 app; fi",
        "1000:app",
    );
    assert!(
        told.contains("nothing here says the number of group `app`"),
        "{told}"
    );
}

#[test]
fn users_and_groups_that_are_changed_have_their_new_numbers() {
    let end = "ENTRYPOINT [\"/app/orders\"]\n";
    says(
        &format!("RUN useradd -u 1010 a; usermod -u 20 a\nUSER a\n{end}"),
        &["user = \"20:1010\""],
        &[],
        &["Lost"],
    );
    says(
        &format!("RUN usermod -u 4000 nobody; groupmod -g 4001 nogroup\nUSER nobody\n{end}"),
        &["user = \"4000:4001\""],
        &[],
        &["Lost"],
    );
    says(
        &format!("RUN useradd -N -u 1004 app\nUSER app\n{end}"),
        &["user = \"1004:100\""],
        &[],
        &["names no group"],
    );
    says(
        &format!("RUN useradd -u 1007 a && usermod -md /srv a\nUSER a\n{end}"),
        &[],
        &["`usermod` gives user `a` the home `/srv`"],
        &["Lost"],
    );
}

#[test]
fn the_group_that_docker_gives_to_a_number_without_a_user_is_told() {
    let end = "ENTRYPOINT [\"/app/orders\"]\n";
    says(
        &format!("USER 1000\n{end}"),
        &["user = \"1000:1000\""],
        &[
            "Changed 5: `USER 1000` names no group: it becomes 1000:1000, and docker gives group 0 to users that `/etc/passwd` has not [where the service needs files of group 0, set `user = \"1000:0\"`]",
        ],
        &["Lost"],
    );
    says(
        &format!("RUN useradd -u 1000 app\nUSER 1000\n{end}"),
        &["user = \"1000:1000\""],
        &[],
        &["names no group"],
    );
}

#[test]
fn a_group_that_cannot_have_the_number_of_its_user_is_told_as_unknown() {
    let end = "ENTRYPOINT [\"/app/orders\"]\n";
    for (run, numbers) in [
        ("useradd -u 65530 app", "65530:65530"),
        ("useradd -u 70000 app", "70000:70000"),
        ("useradd -u 999 app", "999:999"),
        ("useradd --system --uid 10001 app", "10001:10001"),
        ("groupadd -g 4001 other; useradd -u 4001 app", "4001:4001"),
        (
            "if a; then useradd -u 999 app; else useradd -u 999 app; fi",
            "999:999",
        ),
    ] {
        says(
            &format!("RUN {run}\nUSER app\n{end}"),
            &[&format!("user = \"{numbers}\"")],
            &[&format!(
                "nothing here says the number of group `app`: `USER app` becomes {numbers}"
            )],
            &["names no group"],
        );
    }
    for (run, numbers) in [
        ("useradd -u 1000 app", "1000:1000"),
        ("useradd -u 60000 app", "60000:60000"),
        ("useradd -r -u 999 app", "999:999"),
        ("useradd -r -u 101 app", "101:101"),
        (
            "groupadd -g 65500 app; useradd -u 65500 -g app app",
            "65500:65500",
        ),
        ("useradd -u 999 app; groupmod -g 998 app", "999:998"),
    ] {
        says(
            &format!("RUN {run}\nUSER app\n{end}"),
            &[&format!("user = \"{numbers}\"")],
            &[],
            &["Lost", "names no group"],
        );
    }
}
