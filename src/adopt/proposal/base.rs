//! What is missing of the image that a Dockerfile builds on.

use crate::adopt::dockerfile::base_image::{image, is_distroless, is_known};
use crate::adopt::dockerfile::{Stage, root};
use crate::adopt::manifest::Draft;

/// Says what is missing of it.
pub(super) fn adopt(stages: &[Stage], stage: usize, compiles: bool, draft: &mut Draft<'_>) {
    let image = image(stages, stage);
    let base = root(stages, stage);
    let line = base.map_or(0, |root| root.line);
    // That a part of the name has no value is told already.
    let is_open = image.is_empty() || base.is_some_and(|base| !base.unset.is_empty());
    if let Some(platform) = stages.get(stage).and_then(|stage| stage.platform.clone()) {
        draft.changed(
            line,
            &format!("`FROM` asks for the platform `{platform}`"),
            &format!("build with `--platform {platform}`"),
        );
    }
    if compiles {
        let on = if image.is_empty() {
            String::new()
        } else {
            format!(", on `{image}`")
        };
        draft.changed(
            line,
            &format!("the old image holds the compiler and the sources{on}; the new one does not"),
            "",
        );
    } else if image == "scratch" {
        // It had no certificates unless something copies them, which sets this again.
        draft.set(line, "ca-certificates", false);
    } else if is_distroless(image) {
        draft.changed(
            line,
            &format!("nothing of `{image}` is in the image: it has certificates, users and what the executable links"),
            "set `tzdata = true` if the service knows time zones",
        );
    } else if is_known(image) {
        draft.changed(
            line,
            &format!(
                "nothing of `{image}` is in the image: it has no shell and no package manager"
            ),
            "",
        );
    } else if !is_open {
        draft.lost(
            line,
            &format!("what `{image}` brings along cannot be known from here: files, variables, user, entry point"),
            "name what the service needs of it in `assets`, `env` and `user`",
        );
    }
}
