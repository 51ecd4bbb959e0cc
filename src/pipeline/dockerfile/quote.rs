//! Foreign text in a Dockerfile: in its own quotes, in JSON, and in a shell's.

use super::DockerfileError;

/// A word of ENV, LABEL or WORKDIR. They have quotes and expand variables, and know no way to write a
/// line break.
pub(super) fn word(text: &str) -> Result<String, DockerfileError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(DockerfileError::Control(text.to_owned()));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Ok(quoted)
}

/// The exec form of ENTRYPOINT, CMD and HEALTHCHECK: JSON, in which nothing is expanded.
pub(super) fn exec(words: &[String]) -> String {
    serde_json::Value::from(words).to_string()
}

/// The list of VOLUME: JSON whose texts are read once more, as words.
pub(super) fn list(words: &[String]) -> String {
    let escaped: Vec<String> = words
        .iter()
        .map(|word| {
            let mut escaped = String::new();
            for c in word.chars() {
                if matches!(c, '"' | '\'' | '\\' | '$') {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
            escaped
        })
        .collect();
    exec(&escaped)
}

/// A word of a POSIX shell's command line.
pub(super) fn shell(text: &str) -> Result<String, DockerfileError> {
    // RUN reads lines before the shell does.
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(DockerfileError::Control(text.to_owned()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Docker makes of a word: quotes and escapes are taken away, `$` begins a variable.
    fn read(word: &str) -> Option<String> {
        let Some(inner) = word
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        else {
            return (!word.contains(['$', '"', '\\', ' '])).then(|| word.to_owned());
        };
        let mut text = String::new();
        let mut rest = inner.chars();
        while let Some(c) = rest.next() {
            match c {
                '"' | '$' => return None,
                '\\' => text.push(rest.next()?),
                c => text.push(c),
            }
        }
        Some(text)
    }

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(word("/usr/bin:/bin").ok().as_deref(), Some("/usr/bin:/bin"));
        assert_eq!(word("").ok().as_deref(), Some("\"\""));
        assert_eq!(word("a $b\\").ok().as_deref(), Some(r#""a \$b\\""#));
    }

    #[test]
    fn lines_are_refused() {
        assert!(word("a\nRUN evil").is_err());
        assert!(shell("a\\\nb").is_err());
        assert_eq!(exec(&["a\nb".to_owned()]), r#"["a\nb"]"#);
    }

    #[test]
    fn volumes_are_not_expanded() {
        assert_eq!(list(&["/a$b".to_owned()]), r#"["/a\\$b"]"#);
    }

    proptest! {
        #[test]
        fn quoting_loses_nothing(text in "[^\\p{Cc}]*") {
            let word = word(&text).expect("no control characters");
            prop_assert_eq!(read(&word), Some(text));
        }

        #[test]
        fn nothing_ends_its_line(text in any::<String>()) {
            for written in [word(&text), shell(&text)].into_iter().flatten() {
                prop_assert!(!written.contains(['\n', '\r']));
            }
        }
    }
}
