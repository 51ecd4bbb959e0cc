//! Paragraphs of `Name: value` lines, as dpkg writes them (deb822(5)).

use crate::report::printable;

/// What a record keeps, in this order. The rest is about installing, or differs between machines.
const KEPT: [&str; 10] = [
    "Package",
    "Source",
    "Version",
    "Architecture",
    "Multi-Arch",
    "Maintainer",
    "Section",
    "Priority",
    "Homepage",
    "Description",
];

/// What else is asked for.
const STATUS: &str = "Status";

/// One paragraph: the fields above, and of values with several lines only the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stanza {
    fields: Vec<(&'static str, String)>,
}

impl Stanza {
    /// The paragraphs of `text`. Lines that are no fields are passed over.
    pub(super) fn parse(text: &str) -> impl Iterator<Item = Self> {
        let mut lines = text.lines();
        std::iter::from_fn(move || {
            let mut stanza = Self::default();
            for line in lines.by_ref() {
                if line.trim().is_empty() {
                    if !stanza.fields.is_empty() {
                        break;
                    }
                } else if !line.starts_with([' ', '\t'])
                    && let Some((name, value)) = line.split_once(':')
                    && let Some(name) = known(name.trim())
                {
                    stanza.fields.push((name, printable(value)));
                }
            }
            (!stanza.fields.is_empty()).then_some(stanza)
        })
    }

    /// The value of `name`, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether the files of the package are there: the last word of its status says so.
    pub(super) fn is_installed(&self) -> bool {
        self.get(STATUS)
            .and_then(|status| status.split_whitespace().last())
            .is_some_and(|state| !matches!(state, "not-installed" | "config-files"))
    }

    /// The text of the record.
    pub(super) fn record(&self) -> String {
        KEPT.iter()
            .filter_map(|name| Some(format!("{name}: {}\n", self.get(name)?)))
            .collect()
    }
}

/// The name of a field that is kept, whatever its case.
fn known(name: &str) -> Option<&'static str> {
    let mut names = KEPT.into_iter().chain([STATUS]);
    names.find(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATUS: &str = "\
Package: libc6
Status: install ok installed
Installed-Size: 13001
Architecture: amd64
Version: 2.36-9
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b8
Description: GNU C Library: Shared libraries
 Contains the standard libraries
 .
 and more

Package: gone
Status: deinstall ok config-files
";

    #[test]
    fn records_keep_what_identifies_a_package() {
        let stanzas: Vec<Stanza> = Stanza::parse(STATUS).collect();
        assert_eq!(stanzas.len(), 2);
        assert!(stanzas[0].is_installed());
        assert!(!stanzas[1].is_installed());
        assert_eq!(
            stanzas[0].record(),
            "Package: libc6\nVersion: 2.36-9\nArchitecture: amd64\n\
             Description: GNU C Library: Shared libraries\n"
        );
    }

    proptest! {
        #[test]
        fn any_text_gives_records_of_known_lines(text in "([A-Z][a-z]{0,8}: ?[a-z ]{0,9}|Package: .{0,9}| .{0,5}|.{0,9}|\\n){0,20}") {
            for stanza in Stanza::parse(&text) {
                for line in stanza.record().lines() {
                    prop_assert!(KEPT.iter().any(|name| line.starts_with(name)));
                }
            }
        }
    }
}
