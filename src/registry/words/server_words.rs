//! What a server says about its refusal, made fit to print.
//!
//! Registries answer `{"errors":[{"code","message"}]}` (distribution-spec, "Error Codes"), token
//! services `{"error","error_description"}` (RFC 6749) or `{"details"}`, proxies plain text or HTML.

use std::fmt;

use serde_json::Value;

use super::redaction::{Secrets, fit_to_print};

const MAX_ERRORS: usize = 3;

/// A server's code and message; empty where it said nothing of use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerWords {
    codes: Vec<String>,
    text: String,
}

impl ServerWords {
    /// Reads the body of a refusal. `secrets` are cut out, should the server repeat them.
    pub(in crate::registry) fn read(body: &[u8], secrets: &Secrets) -> Self {
        let (codes, text) = match serde_json::from_slice(body) {
            Ok(document) => of_document(&document),
            Err(_) => (Vec::new(), of_text(body)),
        };
        let text = fit_to_print(&text, secrets);
        Self { codes, text }
    }

    /// Whether the registry gave one of its codes, such as `NAME_UNKNOWN`.
    pub(in crate::registry) fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|found| found == code)
    }

    /// The words, printable.
    pub(in crate::registry) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the words contain a text.
    pub(in crate::registry) fn mention(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

impl fmt::Display for ServerWords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() {
            Ok(())
        } else {
            write!(formatter, " ({})", self.text)
        }
    }
}

fn of_document(document: &Value) -> (Vec<String>, String) {
    let field = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let listed = document.get("errors").and_then(Value::as_array);
    let errors: Vec<(String, String)> = listed.map_or_else(
        || {
            let code = field(document, "error");
            let message = ["error_description", "details", "message"]
                .iter()
                .map(|name| field(document, name))
                .find(|message| !message.is_empty());
            vec![(code, message.unwrap_or_default())]
        },
        |errors| {
            let pair = |error| (field(error, "code"), field(error, "message"));
            errors.iter().take(MAX_ERRORS).map(pair).collect()
        },
    );
    let sentences: Vec<String> = errors
        .iter()
        .map(|(code, message)| match (code.as_str(), message.as_str()) {
            ("", only) | (only, "") => only.to_owned(),
            (code, message) => format!("{code}: {message}"),
        })
        .filter(|sentence| !sentence.is_empty())
        .collect();
    let codes = errors.into_iter().map(|(code, _)| code).collect();
    (codes, sentences.join("; "))
}

/// Plain text as it is; of a page of HTML nothing, since its markup tells a user little.
fn of_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') {
        String::new()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &[u8], secret: &str) -> ServerWords {
        ServerWords::read(body, &Secrets::from_iter([secret]))
    }

    fn said(body: &str) -> String {
        read(body.as_bytes(), "hunter2").to_string()
    }

    #[test]
    fn code_and_message_are_repeated() {
        let body = r#"{"errors":[{"code":"DENIED","message":"no\u001b[31m push","detail":{}}]}"#;
        assert_eq!(said(body), " (DENIED: no [31m push)");
        assert!(read(body.as_bytes(), "").has_code("DENIED"));
        assert_eq!(said(r#"{"details":"wrong password"}"#), " (wrong password)");
        assert_eq!(said("<html>bad gateway</html>"), "");
        assert_eq!(said("busy"), " (busy)");
    }

    #[test]
    fn secrets_and_signatures_are_cut() {
        assert_eq!(said("hunter2 is wrong"), " (… is wrong)");
        assert_eq!(
            said("bad upload https://h/v2/x?_state=abc now"),
            " (bad upload https://h/v2/x?… now)"
        );
    }

    #[test]
    fn a_secret_with_two_spaces_or_at_the_cut_is_not_repeated() {
        let words = read(b"no a  b here", "a  b").to_string();
        assert_eq!(words, " (no … here)");
        let body = format!("{}hunter2", "x".repeat(1020));
        assert!(!said(&body).contains("hun"), "{}", said(&body));
    }

    proptest! {
        #[test]
        fn any_body_is_made_printable(body in prop::collection::vec(any::<u8>(), 0..3000)) {
            let words = read(&body, "x").to_string();
            prop_assert!(words.chars().all(|c| !c.is_control()));
            prop_assert!(words.len() < 2000);
        }

        #[test]
        fn any_document_is_read(code in ".*", message in ".*") {
            let body = serde_json::json!({"errors": [{"code": code, "message": message}, 1, null]});
            let words = read(body.to_string().as_bytes(), "").to_string();
            prop_assert!(words.chars().all(|c| !c.is_control()));
        }
    }
}
