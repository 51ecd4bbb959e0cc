//! The text that a string literal stands for.

use std::iter::Peekable;
use std::str::Chars;

use proc_macro2::Literal;

/// The text of a string literal of any form, also of a byte or C string; `None` for other literals.
pub(super) fn text_of(literal: &Literal) -> Option<String> {
    let source = literal.to_string();
    let source = source.strip_prefix(['b', 'c']).unwrap_or(&source);
    let (raw, source) = match source.strip_prefix('r') {
        Some(rest) => (true, rest.trim_start_matches('#')),
        None => (false, source),
    };
    let text = source.strip_prefix('"')?;
    // Hashes of a raw string follow the last quote, and so does a suffix.
    let text = &text[..text.rfind('"')?];
    let text = text.replace("\r\n", "\n");
    if raw { Some(text) } else { unescaped(&text) }
}

fn unescaped(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            decoded.push(c);
            continue;
        }
        match rest.next()? {
            'n' => decoded.push('\n'),
            'r' => decoded.push('\r'),
            't' => decoded.push('\t'),
            '0' => decoded.push('\0'),
            same @ ('\\' | '\'' | '"') => decoded.push(same),
            'x' => {
                let (high, low) = (rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?);
                decoded.push(char::from_u32(high * 16 + low)?);
            }
            'u' => decoded.push(code_point(&mut rest)?),
            // A line that goes on: its end and the next line's indentation are not part of the text.
            '\n' => {
                while rest
                    .next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r'))
                    .is_some()
                {}
            }
            _ => return None,
        }
    }
    Some(decoded)
}

/// What follows `\u`.
fn code_point(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    rest.next_if_eq(&'{')?;
    let mut value = 0_u32;
    loop {
        match rest.next()? {
            '}' => return char::from_u32(value),
            '_' => {}
            digit => value = value.checked_mul(16)?.checked_add(digit.to_digit(16)?)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(source: &str) -> Option<String> {
        text_of(&source.parse().expect("a literal"))
    }

    #[test]
    fn reads_every_form_of_string() {
        let same = |source: &str, text: &str| {
            assert_eq!(read(source).as_deref(), Some(text), "{source}");
        };
        same(r#""plain""#, "plain");
        same(r#""a\tb\n\\\"\'\0""#, "a\tb\n\\\"'\0");
        same(r#""\x41\u{1F6_00}""#, "A\u{1f600}");
        same("\"a\\\n   b\"", "ab");
        same("\"a\r\nb\"", "a\nb");
        same(r#"r"a\n""#, "a\\n");
        same(r##"r#"a"b"#"##, "a\"b");
        same(r#"b"bytes""#, "bytes");
        same(r#"br"by\tes""#, "by\\tes");
        same(r#"c"c""#, "c");
    }

    #[test]
    fn other_literals_have_no_text() {
        for source in ["'a'", "b'a'", "1", "1.5", "0x1f"] {
            assert_eq!(read(source), None, "{source}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_a_literal_was_made_of(text in any::<String>()) {
            let plain: String = text.replace("\r\n", "\n");
            prop_assert_eq!(text_of(&Literal::string(&plain)), Some(plain));
        }

        #[test]
        fn foreign_escapes_never_panic(text in ".*") {
            let _ = unescaped(&text);
        }
    }
}
