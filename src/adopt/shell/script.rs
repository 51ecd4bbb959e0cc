//! The script of a shell, word by word as it is written.

use super::commands::{KEYWORDS, is_condition, is_setting};

/// Substitutions in substitutions are not followed deeper.
const MAX_DEPTH: usize = 16;

/// A script, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Script {
    pub(in crate::adopt) commands: Vec<Written>,
    /// Whether a quote is opened and never closed.
    pub(in crate::adopt) open: bool,
    /// Whether each command runs, one after another.
    pub(in crate::adopt) straight: bool,
}

/// A command as it is written: with its quotes and variables.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Written {
    /// Whether a condition or a loop decides whether it runs.
    pub(super) maybe: bool,
    /// `A=1` before the program.
    pub(in crate::adopt) settings: Vec<String>,
    pub(in crate::adopt) words: Vec<String>,
    /// `> /log`, `2>&1`.
    pub(in crate::adopt) redirections: Vec<String>,
}

impl Script {
    /// Reads a script whose lines are joined already.
    pub(in crate::adopt) fn new(text: &str) -> Self {
        let mut reader = Reader {
            rest: text,
            script: Self {
                commands: Vec::new(),
                open: false,
                straight: true,
            },
            command: Written::default(),
            word: None,
            redirection: None,
            documents: Vec::new(),
            depth: 0,
            list: 0,
            or: false,
        };
        reader.run();
        reader.script
    }
}

struct Reader<'t> {
    rest: &'t str,
    script: Script,
    command: Written,
    word: Option<String>,
    /// An operator whose file comes next.
    redirection: Option<String>,
    /// The last lines of here-documents that begin with the next line; each with whether tabs before it do not
    /// count.
    documents: Vec<(String, bool)>,
    /// Conditions and loops that are open.
    depth: usize,
    /// Where the commands begin that `&&` and `||` join.
    list: usize,
    /// Whether `||` is among these.
    or: bool,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            match begins(self.rest, 0) {
                Begins::Whole(length) => self.take(length),
                Begins::Open => {
                    self.script.open = true;
                    self.take(self.rest.len());
                }
                Begins::Other => self.character(c),
            }
        }
        self.end_command();
    }

    fn character(&mut self, c: char) {
        if c.is_whitespace() && c != '\n' {
            self.skip(c.len_utf8());
            self.end_word();
        } else if c == '#' && self.word.is_none() {
            let line = self.rest.find('\n').unwrap_or(self.rest.len());
            self.skip(line);
        } else if self.word.is_none()
            && let Some(length) = substituted_file(self.rest)
        {
            self.take(length);
        } else if matches!(c, '<' | '>') || self.rest.starts_with("&>") {
            self.redirect();
        } else if matches!(c, '&' | '|' | ';' | '\n' | '(' | ')') {
            let is_or = self.rest.starts_with("||");
            let is_and = self.rest.starts_with("&&");
            self.skip(if is_or || is_and { 2 } else { 1 });
            self.end_command();
            if c == '\n' {
                self.skip_documents();
            }
            if is_or {
                self.script.straight = false;
                self.or = true;
                let joined = self.script.commands.iter_mut().skip(self.list + 1);
                joined.for_each(|command| command.maybe = true);
            } else if matches!(c, ';' | '\n') || (c == '&' && !is_and) {
                self.list = self.script.commands.len();
                self.or = false;
            }
        } else {
            self.take(c.len_utf8());
        }
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn take(&mut self, length: usize) {
        let taken = self.rest.get(..length).unwrap_or_default();
        self.word.get_or_insert_default().push_str(taken);
        self.skip(length);
    }

    /// `2>&1`, `>> /log`: the operator with the number before it.
    fn redirect(&mut self) {
        let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
        let number = self
            .word
            .take_if(|word| is_number(word))
            .unwrap_or_default();
        self.end_word();
        let rest = self.rest.trim_start_matches(['<', '>', '&', '|', '-']);
        let operator = self.rest.strip_suffix(rest).unwrap_or_default();
        if operator.ends_with('-') && operator != "<<-" {
            self.command
                .redirections
                .push(format!("{number}{operator}"));
            self.rest = rest;
            return;
        }
        let blank = if rest.starts_with(char::is_whitespace) {
            " "
        } else {
            ""
        };
        self.redirection = Some(format!("{number}{operator}{blank}"));
        self.rest = rest.trim_start_matches([' ', '\t']);
    }

    /// Goes on behind here-documents, whose text is no command. One that never ends is none.
    fn skip_documents(&mut self) {
        for (last, strips) in std::mem::take(&mut self.documents) {
            let mut length = 0;
            let end = self.rest.split_inclusive('\n').find_map(|line| {
                length += line.len();
                let tabs: &[char] = if strips { &['\t'] } else { &[] };
                let line = line.trim_start_matches(tabs).trim_end_matches('\n');
                (line == last).then_some(length)
            });
            self.skip(end.unwrap_or_default());
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        let command = &mut self.command;
        if command.words.is_empty() && self.redirection.is_none() {
            self.script.straight &= !is_condition(&word);
            match word.as_str() {
                "elif" => {}
                "fi" | "done" | "esac" => self.depth = self.depth.saturating_sub(1),
                word if is_condition(word) => self.depth += 1,
                _ => {}
            }
        }
        if let Some(operator) = self.redirection.take() {
            let sign = operator.trim_start_matches(|c: char| c.is_ascii_digit());
            if let sign @ ("<<" | "<<-") = sign.trim_end() {
                let last = word.replace(['"', '\'', '\\'], "");
                self.documents.push((last, sign == "<<-"));
            }
            command.redirections.push(format!("{operator}{word}"));
        } else if !command.words.is_empty() {
            command.words.push(word);
        } else if is_setting(&word) {
            command.settings.push(word);
        } else if !KEYWORDS.contains(&word.as_str()) {
            command.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        if let Some(operator) = self.redirection.take() {
            self.command.redirections.push(operator);
        }
        let mut command = std::mem::take(&mut self.command);
        if command != Written::default() {
            command.maybe = self.depth > 0 || self.or;
            self.script.commands.push(command);
        }
    }
}

/// What begins at a place.
enum Begins {
    /// Something that stays whole whatever is in it, of that length: a quoted text, `${…}`, `$(…)`, an
    /// escaped character.
    Whole(usize),
    /// The same, but it never ends.
    Open,
    /// Anything else.
    Other,
}

fn begins(text: &str, depth: usize) -> Begins {
    let mut characters = text.chars();
    let end = match characters.next() {
        Some('\\') => Some(1 + characters.next().map_or(0, char::len_utf8)),
        Some('\'') => characters.as_str().find('\'').map(|at| at + 2),
        Some('"') => until(text, 1, '"', depth),
        Some('`') => until(text, 1, '`', depth),
        Some('$') if text.starts_with("$(") => until(text, 2, ')', depth),
        Some('$') if text.starts_with("${") => until(text, 2, '}', depth),
        _ => return Begins::Other,
    };
    end.map_or(Begins::Open, Begins::Whole)
}

/// The length of `<(…)` or `>(…)`, which stands for the name of a file.
fn substituted_file(text: &str) -> Option<usize> {
    let is_it = text.starts_with("<(") || text.starts_with(">(");
    is_it.then(|| until(text, 2, ')', 0)).flatten()
}

/// The length up to and with `end`, from `start` on.
fn until(text: &str, start: usize, end: char, depth: usize) -> Option<usize> {
    let mut at = start;
    let mut parentheses = 0;
    loop {
        let rest = text.get(at..)?;
        let c = rest.chars().next()?;
        if c == end && parentheses == 0 {
            return Some(at + 1);
        }
        let is_plain = depth >= MAX_DEPTH || (c == '\'' && end == '"');
        match (c, end) {
            _ if is_plain => {}
            ('(', ')') => parentheses += 1,
            (')', ')') => parentheses -= 1,
            _ => match begins(rest, depth + 1) {
                Begins::Whole(length) => {
                    at += length;
                    continue;
                }
                Begins::Open => return None,
                Begins::Other => {}
            },
        }
        at += c.len_utf8();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<String> {
        let Script { commands, .. } = Script::new(text);
        let joined = |command: &Written| {
            let Written {
                settings,
                words,
                redirections,
                ..
            } = command;
            [settings, words, redirections]
                .map(|words| words.join("·"))
                .join(" / ")
        };
        commands.iter().map(joined).collect()
    }

    #[test]
    fn words_stay_as_they_are_written() {
        for (text, expected) in [
            (
                "a 'b c' \"d $E\" f\\ g",
                &[" / a·'b c'·\"d $E\"·f\\ g / "][..],
            ),
            ("A=1 B='x y' exec a C=2", &["A=1·B='x y' / a·C=2 / "]),
            (
                "a > /log 2>&1 b &>/x <<< y",
                &[" / a·b / > /log·2>&1·&>/x·<<< y"],
            ),
            (
                "a $(b c) ${D:-e f} `g h`",
                &[" / a·$(b c)·${D:-e f}·`g h` / "],
            ),
            (
                "a \"$(b \"c d\" (e))\" f",
                &[" / a·\"$(b \"c d\" (e))\"·f / "],
            ),
            (
                "if a; then b && c & fi # d",
                &[" / a / ", " / b / ", " / c / ", " / fi / "],
            ),
            ("a <(b c) < d", &[" / a·<(b c) / < d"]),
            ("A=1 && b", &["A=1 /  / ", " / b / "]),
            ("a \"it's\" x", &[" / a·\"it's\"·x / "]),
        ] {
            assert_eq!(of(text), expected, "{text}");
            assert!(!Script::new(text).open, "{text}");
        }
    }

    #[test]
    fn texts_of_here_documents_are_no_commands() {
        for (text, expected) in [
            ("a <<X > /b\nc 'd\nX\ne", &["a", "e"][..]),
            ("a <<-'X' && b\n\tc\n\tX\nd", &["a", "b", "d"]),
            ("a << \"X\" <<Y\nc\nY\nX\nd\nX\nY\ne", &["a", "e"]),
            ("a 3<<X\n X\nb\nX", &["a"]),
            // These are none, or never end.
            ("a <<<X\nb\nX", &["a", "b", "X"]),
            ("a <<X\nb", &["a", "b"]),
            ("a $((1<<2))\nb\n2", &["a", "b", "2"]),
            ("a <<\nb", &["a", "b"]),
        ] {
            let script = Script::new(text);
            let programs = script.commands.iter().map(|command| &command.words[0]);
            let programs: Vec<&String> = programs.collect();
            assert_eq!(programs, expected, "{text}");
            assert!(!script.open, "{text}");
        }
    }

    #[test]
    fn what_is_never_closed_is_seen() {
        for text in ["a 'b", "a \"b", "a $(b", "a ${b", "a `b", "a \"$(b\""] {
            assert!(Script::new(text).open, "{text}");
        }
    }

    #[test]
    fn what_may_not_run_is_known() {
        let script =
            Script::new("a; if b; then c; fi; d && e; f && g || h; for i in j; do k; done\nl & m");
        let maybe = |command: &Written| command.maybe.then(|| command.words[0].clone());
        let maybe: Vec<String> = script.commands.iter().filter_map(maybe).collect();
        assert_eq!(maybe, ["b", "c", "g", "h", "for", "k"]);
    }

    proptest! {
        #[test]
        fn any_script_can_be_taken_apart(text in "(?s)[ a-c$'\"{}()\\\\&|;#\n<>=1é`]{0,80}") {
            let script = Script::new(&text);
            let words = script.commands.iter().flat_map(|command| {
                let Written { settings, words, redirections, .. } = command;
                settings.iter().chain(words).chain(redirections)
            });
            prop_assert!(words.map(String::len).sum::<usize>() <= text.len());
        }
    }
}
