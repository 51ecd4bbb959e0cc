//! A plan as Markdown, fit for a comment on a pull request.
//!
//! Names and reasons hold paths, and whoever opens a pull request chooses those: nothing in them may
//! form markup, address people or refer to other requests.

use std::fmt::Write as _;

use super::Row;
use crate::report::printable;

/// Characters of a comment on GitHub. Counted in bytes here, which are never fewer.
const MAX_COMMENT: usize = 65_536;
/// Bytes for the names of what is not affected.
const MAX_UNAFFECTED: usize = 8 * 1024;
/// Bytes for the row that says how many are missing, and line ends.
const RESERVE: usize = 128;
/// Reasons for each service.
const MAX_REASONS: usize = 5;
/// Characters of a reason.
const MAX_REASON: usize = 200;
/// Digits of a commit's id.
const SHORT: usize = 12;

/// What a comment says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comment<'a> {
    /// The revision that was compared with, as typed.
    pub since: &'a str,
    /// The full id of the merge base, where there is one.
    pub base: Option<&'a str>,
    /// The affected services with their reasons.
    pub affected: &'a [Row],
    /// Names of all others.
    pub unaffected: &'a [String],
    /// Why everything counts as affected, and what to do about it, where nothing could be compared.
    pub everything: Option<(String, Option<String>)>,
}

/// The comment: a heading, a table of the affected services with their reasons, a line of the others.
/// At most as long as GitHub takes; what does not fit is counted.
pub fn markdown(comment: &Comment<'_>) -> String {
    let mut text = head(comment);
    let tail = unaffected(comment.unaffected);
    if !comment.affected.is_empty() {
        text.push_str("| service | package | why |\n| --- | --- | --- |\n");
    }
    for (index, row) in comment.affected.iter().enumerate() {
        let line = table_row(row);
        if text.len() + line.len() + tail.len() + RESERVE > MAX_COMMENT {
            let more = comment.affected.len() - index;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| and {more} more | | |");
            break;
        }
        text.push_str(&line);
    }
    if !tail.is_empty() {
        if !comment.affected.is_empty() {
            text.push('\n');
        }
        text.push_str(&tail);
    }
    text
}

fn head(comment: &Comment<'_>) -> String {
    let mut text = format!("### Services affected since {}\n\n", code(comment.since));
    let all = comment.affected.len() + comment.unaffected.len();
    let _ = match comment.affected.len() {
        0 => write!(text, "No service is affected"),
        affected => write!(text, "{affected} of {all} services"),
    };
    if let Some(base) = comment.base {
        let short = base.get(..SHORT).unwrap_or(base);
        let _ = write!(text, ", compared with {}", code(short));
    }
    text.push_str(".\n\n");
    if let Some((why, hint)) = &comment.everything {
        let _ = writeln!(
            text,
            "> **Every service counts as affected:** {}",
            escaped(why)
        );
        if let Some(hint) = hint {
            let _ = writeln!(text, ">\n> **Hint:** {}", escaped(hint));
        }
        text.push('\n');
    }
    text
}

fn table_row(row: &Row) -> String {
    let shown: Vec<String> = row
        .reasons
        .iter()
        .take(MAX_REASONS)
        .map(|reason| brief(reason))
        .collect();
    let mut reasons = shown.join("<br>");
    let more = row.reasons.len() - shown.len();
    if more > 0 {
        let _ = write!(reasons, "<br>and {more} more");
    }
    format!(
        "| {} | {} | {reasons} |\n",
        code(&row.service),
        code(&row.package)
    )
}

fn brief(reason: &str) -> String {
    match reason.char_indices().nth(MAX_REASON) {
        Some((end, _)) => escaped(&reason[..end]) + "…",
        None => escaped(reason),
    }
}

fn unaffected(names: &[String]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        let name = code(name);
        let before = if index == 0 { "Not affected: " } else { ", " };
        if text.len() + before.len() + name.len() + RESERVE > MAX_UNAFFECTED {
            let _ = write!(text, "{before}{} more", names.len() - index);
            break;
        }
        text.push_str(before);
        text.push_str(&name);
    }
    if !text.is_empty() {
        text.push_str(".\n");
    }
    text
}

/// A name as code. Pipes would end a table's cell even there, and backticks the code.
fn code(name: &str) -> String {
    let name = printable(name);
    if name.is_empty() || name.contains(['|', '`']) {
        format!("<code>{}</code>", escaped(&name))
    } else {
        format!("`{name}`")
    }
}

/// Foreign text as text. Character references never form markup (`CommonMark`, section 6.2), but GitHub
/// looks for people, requests and addresses in what they become: a space of no width parts those.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    let text = printable(text);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '@' => safe.push_str("@&#8203;"),
            '#' => safe.push_str("&#35;&#8203;"),
            // What follows a blank is no address, and may be meant to be copied.
            ':' if rest.peek().is_some_and(|next| !next.is_whitespace()) => {
                safe.push_str(":&#8203;");
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$'
            | '!' | '=' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe.replace("www.", "www&#8203;.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pipes that part cells: those that no backslash and no reference hides.
    fn cells(line: &str) -> usize {
        line.matches('|').count() - 1
    }

    #[test]
    fn a_comment_tells_what_is_affected_and_why() {
        let mut orders = Row::named("orders");
        orders.reasons = (1..=7).map(|number| format!("reason {number}")).collect();
        let rows = [orders, Row::named("billing")];
        let comment = Comment {
            since: "origin/main",
            base: Some("0123456789abcdef0123456789abcdef01234567"),
            affected: &rows,
            unaffected: &["mail".to_owned(), "search".to_owned()],
            everything: None,
        };
        assert_eq!(
            markdown(&comment),
            "### Services affected since `origin/main`\n\n\
             2 of 4 services, compared with `0123456789ab`.\n\n\
             | service | package | why |\n| --- | --- | --- |\n\
             | `orders` | `shop-orders` | reason 1<br>reason 2<br>reason 3<br>reason 4<br>reason 5\
             <br>and 2 more |\n\
             | `billing` | `shop-billing` | src/a.rs changed |\n\n\
             Not affected: `mail`, `search`.\n"
        );
    }

    #[test]
    fn a_comment_says_that_nothing_is_affected() {
        let comment = Comment {
            since: "main",
            unaffected: &["mail".to_owned()],
            ..Comment::default()
        };
        assert_eq!(
            markdown(&comment),
            "### Services affected since `main`\n\nNo service is affected.\n\nNot affected: `mail`.\n"
        );
    }

    #[test]
    fn a_comment_says_why_everything_is_affected() {
        let hint = "give `actions/checkout` the input `fetch-depth: 0`".to_owned();
        let comment = Comment {
            since: "main",
            affected: &[Row::named("orders")],
            everything: Some(("the clone is shallow".to_owned(), Some(hint))),
            ..Comment::default()
        };
        let text = markdown(&comment);
        assert!(text.contains("> **Every service counts as affected:** the clone is shallow\n"));
        assert!(text.contains("> **Hint:** give &#96;actions/checkout&#96; the input"));
    }

    #[test]
    fn foreign_text_forms_no_markup() {
        let text =
            escaped("a|b`c`\n<img> @someone #99 [x](https://y) www.z **z** \u{202e}\u{1b}[0m");
        for sign in [
            "|", "`", "\n", "<", "@s", "[", "://", "www.", "**", "\u{1b}", "\u{202e}",
        ] {
            assert!(!text.contains(sign), "{sign}: {text}");
        }
        assert!(!text.contains("#99") && text.contains("&#35;&#8203;99"));
        assert_eq!(code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(code("a\nb"), "`a b`");
    }

    #[test]
    fn a_comment_is_never_too_long() {
        let long = "|".repeat(5000);
        let mut row = Row::named(&long);
        row.reasons = vec![long.clone(); 50];
        let comment = Comment {
            since: &long,
            base: Some(&long),
            affected: &vec![row; 300],
            unaffected: &vec![long.clone(); 3000],
            everything: Some((long.clone(), Some(long.clone()))),
        };
        let text = markdown(&comment);
        assert!(text.len() <= MAX_COMMENT, "{}", text.len());
        assert!(text.contains("| and ") && text.ends_with(" more.\n"));
        let rows = vec![Row::named("orders"); 2000];
        let comment = Comment {
            affected: &rows,
            ..Comment::default()
        };
        let text = markdown(&comment);
        assert!(text.len() <= MAX_COMMENT && text.len() > MAX_COMMENT - 512);
        let shown = text.matches("| `orders` |").count();
        assert!(text.contains(&format!("| and {} more | | |", 2000 - shown)));
    }

    proptest! {
        #[test]
        fn any_text_stays_in_its_cell(
            service in any::<String>(),
            reasons in proptest::collection::vec(any::<String>(), 0..8),
        ) {
            let line = table_row(&Row { reasons, ..Row::named(&service) });
            prop_assert_eq!(line.matches(['\n', '\r']).count(), 1);
            prop_assert_eq!(cells(&line), 3, "{}", line);
        }
    }
}
