//! Users whose numbers once were wrong, or told wrongly.

use super::told::says;

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
