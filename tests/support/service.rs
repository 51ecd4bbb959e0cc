//! From a request to its answer: every endpoint, and what a fault makes of it.

use super::answer::Answer;
use super::contents::digest_of;
use super::echo::{self, Echo};
use super::exchange::Origin;
use super::fault::{Act, Change};
use super::guard::{Anonymous, Guard};
use super::registry::{Shared, State};
use super::route::Route;
use super::wire::Head;
use super::{blobs, manifests};

impl Shared {
    /// The answer to a request, as the specification has it or as `act` changes it.
    pub(super) fn answer(
        &self,
        origin: Origin,
        head: &Head,
        body: &[u8],
        act: Option<&Act>,
    ) -> Answer {
        let answer = match act {
            Some(Act::Answer(answer)) => answer.clone(),
            Some(Act::Pretend) => pretend(head, body),
            _ => {
                let mut state = self.state();
                match act {
                    Some(Act::LoseBlobs) => state.contents.lose_blobs(),
                    Some(Act::LoseSessions) => state.contents.sessions.clear(),
                    Some(Act::EndTokens) => state.tokens.end_all(),
                    _ => {}
                }
                let keep = match act {
                    Some(Act::Keep(bytes)) => Some(*bytes),
                    _ => None,
                };
                let answer = self.honest(&mut state, origin, head, body, keep);
                if let Some(Act::DropBlobs) = act {
                    state.contents.lose_blobs();
                }
                answer
            }
        };
        let location = answer.header("location").unwrap_or_default().to_owned();
        let mut answer = self.filled(answer, head.path(), &location);
        if let Some(Act::Alter(changes)) = act {
            for change in changes {
                self.change(&mut answer, change, head.path(), &location);
            }
        }
        if self.settings.echoes != Echo::Nothing && origin == Origin::Registry {
            echo::repeat(&mut answer, head, body, &self.gossip());
        }
        answer
    }

    fn honest(
        &self,
        state: &mut State,
        origin: Origin,
        head: &Head,
        body: &[u8],
        keep: Option<usize>,
    ) -> Answer {
        let settings = &self.settings;
        let route = Route::of(head.path());
        let now = (settings.now)();
        if route == Route::Token {
            let anonymous = settings.anonymous;
            return state
                .tokens
                .issue(settings.guard, anonymous, head, body, now);
        }
        // What the other origin is asked for was signed for whoever asks.
        let guard = match origin {
            Origin::Registry => settings.guard,
            Origin::Other => Guard::Open,
        };
        let right = settings.manifest_right;
        let anonymous = settings.anonymous;
        let may_read = guard == Guard::Basic
            && anonymous == Anonymous::Reads
            && route.repository().is_some()
            && matches!(head.method.as_str(), "GET" | "HEAD");
        let guard = if may_read { Guard::Open } else { guard };
        if let Some(refusal) = state.tokens.refuse(guard, head, &route, right, now) {
            return refusal;
        }
        let exists = |name: &str| {
            let known = settings.repositories.as_ref();
            known.is_none_or(|known| known.iter().any(|known| known == name))
        };
        if route.repository().is_some_and(|name| !exists(name)) {
            return Answer::refusal(404, "NAME_UNKNOWN");
        }
        let contents = &mut state.contents;
        match (head.method.as_str(), &route) {
            ("GET", Route::Root) => Answer::status(200).json(&serde_json::json!({})),
            ("POST", Route::Uploads { repository }) => {
                blobs::open(contents, settings, repository, head)
            }
            ("PATCH" | "PUT", Route::Upload { id, .. }) => {
                blobs::write(contents, settings, id, head, body, keep)
            }
            ("GET" | "DELETE", Route::Upload { id, .. }) => blobs::session(contents, id, head),
            ("GET" | "HEAD", Route::Blob { repository, digest }) => {
                blobs::read(contents, repository, digest, head.header("range"))
            }
            (
                "PUT",
                Route::Manifest {
                    repository,
                    reference,
                },
            ) => manifests::put(contents, settings, (repository, reference), head, body),
            (
                "GET" | "HEAD",
                Route::Manifest {
                    repository,
                    reference,
                },
            ) => manifests::read(contents, repository, reference, head),
            ("GET", Route::Tags { repository }) => manifests::tags(contents, repository, head),
            ("GET", Route::Referrers { repository, digest }) => {
                manifests::referrers(contents, repository, digest)
            }
            (_, Route::Unknown) => Answer::refusal(404, "NAME_INVALID"),
            _ => Answer::refusal(405, "UNSUPPORTED"),
        }
    }

    fn change(&self, answer: &mut Answer, change: &Change, path: &str, location: &str) {
        match change {
            Change::Status(status) => answer.status = *status,
            Change::Header(name, value) => answer.set(name, self.fill(value, path, location)),
            Change::Without(name) => answer.remove(name),
            Change::Replace(old, new) => {
                answer.remove("content-length");
                let text = String::from_utf8_lossy(&answer.body).replace(old, new);
                answer.body = text.into_bytes();
            }
        }
    }

    /// An answer with the texts that stand for something else filled in.
    pub(super) fn filled(&self, mut answer: Answer, path: &str, location: &str) -> Answer {
        for (_, value) in &mut answer.headers {
            *value = self.fill(value, path, location);
        }
        answer
    }

    fn fill(&self, text: &str, path: &str, location: &str) -> String {
        let id = location.rsplit_once('/').map_or("", |(_, id)| id);
        text.replace("{host}", &self.registry.to_string())
            .replace("{port}", &self.registry.port().to_string())
            .replace("{other}", &self.other.to_string())
            .replace("{other port}", &self.other.port().to_string())
            .replace("{location}", location)
            .replace("{id}", id)
            .replace("{path}", path)
    }
}

/// What success would look like.
fn pretend(head: &Head, body: &[u8]) -> Answer {
    let named = |name: &str| head.parameter(name).unwrap_or_default();
    match Route::of(head.path()) {
        Route::Uploads { repository } => blobs::created(&repository, &named("mount")),
        Route::Upload { repository, .. } if head.method == "PUT" => {
            blobs::created(&repository, &named("digest"))
        }
        Route::Manifest {
            repository,
            reference,
        } => {
            let document = serde_json::from_slice(body).unwrap_or_default();
            manifests::created(&repository, &reference, &digest_of(body), &document)
        }
        _ => Answer::status(200),
    }
}
