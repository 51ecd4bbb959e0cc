//! `HEALTHCHECK`, where the executable checks itself.

use std::collections::BTreeSet;

use super::settings::without_secrets;
use crate::adopt::dockerfile::{Form, Settings};
use crate::adopt::launch::{Launch, Unshelled};
use crate::adopt::layers::Names;
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, name};
use crate::adopt::remark::list;
use crate::adopt::secrets::shown;
use crate::adopt::shell::Script;

const ADVICE: &str = "give the program an argument with which it checks itself, and name that in `healthcheck`; \
                      Kubernetes asks a port by `httpGet` without it";

/// Takes the check into the draft, or says why it is none of the image.
pub(super) fn adopt(settings: &Settings, launch: &Launch, names: &Names, draft: &mut Draft<'_>) {
    let Some(said) = &settings.healthcheck else {
        return;
    };
    let Some(form) = &said.value.form else { return };
    let line = said.line;
    let paths = names.others("").into_iter().map(|(_, path)| path).collect();
    let own = Own {
        settings,
        launch,
        paths,
    };
    let words = match form {
        Form::Exec(words) => words.clone(),
        Form::Shell { shell, text } => own.of_text(line, shell, text, draft),
    };
    let (program, args) = words
        .split_first()
        .map_or(("", &[][..]), |(program, args)| (program.as_str(), args));
    if !own.is(program) {
        let called = match program {
            "" => "more than one command by a shell".to_owned(),
            program => format!("`{}`, which the image has not", name(program)),
        };
        draft.lost(line, &format!("`HEALTHCHECK` calls {called}"), ADVICE);
        return;
    }
    if args.is_empty() {
        draft.lost(
            line,
            "`HEALTHCHECK` starts the service once more, without an argument that says it is asked",
            ADVICE,
        );
        return;
    }
    let args = without_secrets(line, "healthcheck", args, draft);
    if !args.is_empty() {
        draft.set(line, "healthcheck", args);
    }
    if !said.value.options.is_empty() {
        draft.lost(
            line,
            &format!(
                "how often `HEALTHCHECK` asks is no part of the image: {}",
                list(&said.value.options)
            ),
            "say it to what runs the image, such as `--health-interval`",
        );
    }
}

/// The executable of the service.
struct Own<'a> {
    settings: &'a Settings,
    launch: &'a Launch,
    /// Where it is in the image, and links that lead there.
    paths: BTreeSet<String>,
}

impl Own<'_> {
    /// Whether a word names it.
    fn is(&self, program: &str) -> bool {
        let resolve = |word: &str| absolute(self.settings.directory(), word);
        let executable = self.launch.executable.as_deref();
        let is_path = if program.contains('/') {
            self.paths.contains(&resolve(program))
        } else {
            self.paths.iter().any(|path| name(path) == program)
        };
        is_path
            || executable.is_some_and(|own| {
                own == program
                    || resolve(own) == resolve(program)
                    || (!program.contains('/') && name(own) == program)
            })
    }

    /// What a text starts, without the shell; nothing of several commands.
    fn of_text(
        &self,
        line: usize,
        shell: &[String],
        text: &str,
        draft: &mut Draft<'_>,
    ) -> Vec<String> {
        let text = text.trim();
        let plain = ["|| exit 1", "||exit 1", "|| exit", "|| false", "; exit $?"]
            .iter()
            .find_map(|end| text.strip_suffix(end))
            .unwrap_or(text);
        let script = Script::new(plain);
        let unshelled = Unshelled::new(self.settings, shell, &[]);
        let [only] = script.commands.as_slice() else {
            // One that is not there is named whatever else there is.
            let mut programs = script.commands.iter().filter_map(|command| {
                let word = command.words.first()?;
                unshelled.filled(word).words.into_iter().next()
            });
            let first = programs.next().filter(|program| !self.is(program));
            return first.into_iter().collect();
        };
        if script.open {
            return Vec::new();
        }
        let (words, told) = unshelled.words(only, "healthcheck");
        if !words.first().is_some_and(|program| self.is(program)) {
            return words;
        }
        for (message, advice) in told {
            draft.lost(line, &message, &advice);
        }
        for setting in &only.settings {
            draft.lost(
                line,
                &format!("`{}` is set for `HEALTHCHECK` alone", shown(setting)),
                "let the argument that it checks itself with say so",
            );
        }
        words
    }
}
