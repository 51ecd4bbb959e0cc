//! Text that is fit for a terminal.

use std::error::Error;

const MAX_FOREIGN: usize = 1024;

/// Foreign text as one line of at most 1 KiB without control characters: what registries and
/// programs send could otherwise move the cursor, or pretend to be our own words.
pub fn printable(foreign: &str) -> String {
    let mut text = String::new();
    for c in foreign.chars() {
        if text.len() >= MAX_FOREIGN {
            text.push('…');
            break;
        }
        let c = if c.is_control() || is_invisible(c) {
            ' '
        } else {
            c
        };
        if !(c == ' ' && text.ends_with(' ')) {
            text.push(c);
        }
    }
    text.trim().to_owned()
}

/// Text of any length without control characters but line ends: for messages that hold names of files,
/// which may be anything.
pub fn printable_lines(text: &str) -> String {
    text.replace(
        |c| c != '\n' && (char::is_control(c) || is_invisible(c)),
        " ",
    )
}

/// Marks that reorder or hide what stands around them, or cannot be seen themselves: the format characters of Unicode
/// (general category `Cf`) that no script needs to be read, line and paragraph separators, and all of the block of tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Bytes as people read them: `512 B`, `1.8 MB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, scale) in UNITS {
        if bytes >= scale {
            let tenths = bytes.saturating_mul(10) / scale;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// An error and its causes, outermost first, each line once.
pub fn with_causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        let line = inner.to_string();
        if lines.last() != Some(&line) {
            lines.push(line);
        }
        cause = inner.source();
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_lose_their_power() {
        assert_eq!(printable("a\u{1b}[31mred\r\nb"), "a [31mred b");
        assert_eq!(printable_lines("a\u{1b}[31m\n\u{202e}b"), "a [31m\n b");
    }

    #[test]
    fn what_cannot_be_seen_is_not_let_through() {
        for c in [
            '\u{ad}',
            '\u{61c}',
            '\u{180e}',
            '\u{200e}',
            '\u{202e}',
            '\u{2066}',
            '\u{206a}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e0000}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e007f}',
        ] {
            let text = format!("a{c}b");
            assert_eq!(printable(&text), "a b", "{:x}", u32::from(c));
            assert_eq!(printable_lines(&text), "a b", "{:x}", u32::from(c));
        }
        // Numbers of Arabic, and marks that letters are made of, are text.
        for text in ["a\u{600}b", "e\u{301}", "\u{1f469}\u{fe0f}"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_850_000), "1.8 MB");
        assert_eq!(size(u64::MAX / 100), "184467440.7 GB");
    }

    proptest! {
        #[test]
        fn nothing_printable_is_a_control_character(foreign in ".*") {
            let text = printable(&foreign);
            prop_assert!(text.chars().all(|c| !c.is_control()));
            prop_assert!(text.len() <= MAX_FOREIGN + 8);
        }
    }
}
