//! A server that repeats what it was told, as some do: whoever shows its words must know what to leave out.

use serde_json::{Value, json};

use super::answer::Answer;
use super::wire::Head;

/// What a server repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// Nothing.
    Nothing,
    /// What the request said that it answers.
    Request,
    /// What all requests said.
    Everything,
}

/// Adds everything that a request said to an answer, and what `others` were told: to the words of a refusal, and
/// as a warning.
pub(super) fn repeat(answer: &mut Answer, head: &Head, body: &[u8], others: &[String]) {
    let mut said = said(head, body);
    // First, since not all of a long text is told.
    if !others.is_empty() {
        said = format!("others showed {} and {said}", others.join(" and "));
    }
    // Only so many warnings are listened to.
    if head.target.contains('?') || head.path() == "/token" {
        let quoted = said.replace('\\', "\\\\").replace('"', "\\\"");
        answer.set("Warning", format!("299 - \"{quoted}\""));
    }
    if answer.status < 400 || answer.header("content-length").is_some() {
        return;
    }
    let error = json!({ "code": "", "message": said });
    let known = serde_json::from_slice::<Value>(&answer.body).ok();
    match known.and_then(|value| value["errors"].as_array().cloned()) {
        Some(mut errors) => {
            errors.push(error);
            answer.body = json!({ "errors": errors }).to_string().into_bytes();
        }
        None if answer.body.is_empty() => {
            answer.body = json!({ "errors": [error] }).to_string().into_bytes();
        }
        None => {}
    }
}

fn said(head: &Head, body: &[u8]) -> String {
    let shown = head.header("authorization").unwrap_or("nothing");
    let secret = shown.split_once(' ').map_or("", |(_, secret)| secret);
    let form = if head.path() == "/token" {
        String::from_utf8_lossy(body)
    } else {
        "".into()
    };
    let (target, query) = (&head.target, head.query());
    let host = head.header("host").unwrap_or_default();
    let state = head.parameter("_state").unwrap_or_default();
    let disguised = disguised(secret);
    format!(
        "{disguised} you showed {shown} ({secret}) at {target} http://{host}{target} with {query} or {state} and {form} {}",
        decoded(secret)
    )
}

/// What was shown as frameworks, proxies and logs write it.
fn disguised(secret: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let pair = decoded(secret);
    let password = pair
        .split_once(':')
        .map_or(secret, |(_, password)| password);
    let code = |write: fn(u32) -> String| password.chars().map(u32::from).map(write).collect();
    let forms: [String; 6] = [
        secret.trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(&pair),
        STANDARD.encode(password),
        code(|code| format!("&#{code};")),
        code(|code| format!("\\u{code:04x}")),
        secret.chars().flat_map(|c| [' ', c]).collect(),
    ];
    forms.join(" | ")
}

/// What a base64 text says, if it is one.
fn decoded(text: &str) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}
