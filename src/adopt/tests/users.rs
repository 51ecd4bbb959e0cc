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
