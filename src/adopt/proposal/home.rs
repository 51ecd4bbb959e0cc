//! `HOME`: docker takes it from `/etc/passwd`, which in the new image has none of the old one's users.

use crate::adopt::dockerfile::{Settings, Stage};
use crate::adopt::launch::{Launch, Switch};
use crate::adopt::layers::{Numbers, Users};
use crate::adopt::manifest::Draft;

/// Programs that change `HOME` together with the user.
const WITH_HOME: &[&str] = &["gosu", "su-exec"];

/// Tells where the home that a command gives to the user is `HOME` no more.
pub(super) fn adopt(
    stages: &[Stage],
    stage: usize,
    settings: &Settings,
    launch: &Launch,
    draft: &mut Draft<'_>,
) {
    let user = match &launch.switch {
        Some(Switch { program, user }) if WITH_HOME.contains(&program.as_str()) => user.as_deref(),
        Some(_) => None,
        None => settings.user.as_ref().map(|said| said.value.as_str()),
    };
    let (Some(user), None) = (user, settings.env.get("HOME")) else {
        return;
    };
    let users = Users::of(stages, stage);
    let Some(home) = users.home(user) else {
        return;
    };
    let new = of_numbers(&users.numbers(user));
    let user = user.split(':').next().unwrap_or_default();
    if new != home.path {
        draft.changed(
            home.line,
            &format!(
                "`{}` gives user `{user}` the home `{}`: in the new image `HOME` is `{new}`, unless something sets it",
                home.program, home.path
            ),
            "where the service uses it, set `HOME` in `env`, and name the directory in `volumes` if it writes there",
        );
    }
}

/// What is `HOME` by the `/etc/passwd` of images that this program builds.
fn of_numbers(numbers: &Numbers) -> &'static str {
    let number = match numbers {
        Numbers::Known(numbers)
        | Numbers::Assumed(numbers)
        | Numbers::Bare(numbers)
        | Numbers::Guessed { numbers, .. } => numbers.split(':').next().unwrap_or_default(),
        Numbers::TooLarge | Numbers::Unknown => "65532",
    };
    match number {
        "0" => "/root",
        "65532" => "/home/nonroot",
        "65534" => "/nonexistent",
        _ => "/",
    }
}
