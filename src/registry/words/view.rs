//! A text as those read it who unescape or decode it: each byte knows the place in the original that it stands
//! for.

use std::collections::BTreeMap;
use std::ops::Range;

/// A part of an escaped text: what it means, and how many bytes it takes.
type Escape = (Vec<u8>, usize);

/// Named characters that may be in a password. HTML knows hundreds more, which nobody has to write.
const ENTITIES: [(&str, u8); 37] = [
    ("amp", b'&'),
    ("apos", b'\''),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("hat", b'^'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("lt", b'<'),
    ("nbsp", b' '),
    ("newline", b'\n'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("rbrace", b'}'),
    ("rbrack", b']'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("tab", b'\t'),
    ("vert", b'|'),
];
/// A shorter text is in too many others to be looked for where white space is left out, or in what is
/// decoded and perhaps means nothing.
const LEAST_IN_LOOSE: usize = 4;
const MOST_DECODED: usize = 2;

/// How a text may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Reading {
    /// `%2B` as in addresses.
    Percent,
    /// `&amp;` and `&#38;` as in pages.
    Html,
    /// `\u0026` and `\"` as in JSON.
    Json,
    /// Without white space: long texts are folded.
    Unfolded,
    /// Base64 of either alphabet, with so many characters before its first group.
    Base64(usize),
}

impl Reading {
    /// Every way to read.
    pub(in crate::registry) const ALL: [Self; 8] = [
        Self::Percent,
        Self::Html,
        Self::Json,
        Self::Unfolded,
        Self::Base64(0),
        Self::Base64(1),
        Self::Base64(2),
        Self::Base64(3),
    ];
}

/// What is looked for, by how it begins: most places of a text begin none.
#[derive(Debug)]
pub(in crate::registry) struct Needles<'a> {
    begins: [bool; 256],
    by_beginning: BTreeMap<Vec<u8>, Vec<&'a [u8]>>,
}

impl<'a> Needles<'a> {
    /// So many bytes tell enough of them apart.
    const BEGINNING: usize = 3;

    /// Of these texts.
    pub(in crate::registry) fn of(texts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut needles = Self {
            begins: [false; 256],
            by_beginning: BTreeMap::new(),
        };
        for text in texts {
            let beginning = text[..text.len().min(Self::BEGINNING)].to_ascii_lowercase();
            if let Some(first) = beginning.first() {
                needles.begins[usize::from(*first)] = true;
                needles.begins[usize::from(first.to_ascii_uppercase())] = true;
                needles
                    .by_beginning
                    .entry(beginning)
                    .or_default()
                    .push(text);
            }
        }
        needles
    }

    /// Those that begin as a text does.
    fn beginning<'s>(&'s self, text: &[u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 's> {
        let may = text
            .first()
            .is_some_and(|first| self.begins[usize::from(*first)]);
        let longest = if may {
            text.len().min(Self::BEGINNING)
        } else {
            0
        };
        let beginning = text[..longest].to_ascii_lowercase();
        (1..=longest)
            .filter_map(move |length| self.by_beginning.get(&beginning[..length]))
            .flatten()
            .copied()
    }
}

/// How many bytes of `needle` a text begins with.
fn same(text: &[u8], needle: &[u8]) -> usize {
    let pairs = text.iter().zip(needle);
    pairs
        .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
        .count()
}

/// A text, read in some way.
#[derive(Debug)]
pub(in crate::registry) struct View {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
    /// Whether white space was left out, or base64 decoded that may be none.
    loose: bool,
    /// How often base64 was decoded.
    decoded: usize,
}

impl View {
    /// The text as it is.
    pub(in crate::registry) fn of(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            places: (0..text.len()).map(|place| place..place + 1).collect(),
            loose: false,
            decoded: 0,
        }
    }

    /// The same read once more; nothing where that changes nothing. What was decoded is not decoded for ever, since
    /// each attempt yields a text of its own.
    pub(in crate::registry) fn read(&self, reading: Reading) -> Option<Self> {
        match reading {
            Reading::Percent => self.unescaped(|byte| byte == b'%', percent),
            Reading::Html => self.unescaped(|byte| byte == b'&', html),
            Reading::Json => self.unescaped(|byte| byte == b'\\', json),
            Reading::Unfolded if self.decoded > 0 => None,
            Reading::Unfolded => {
                let is_space = |byte: u8| byte.is_ascii_whitespace();
                let view = self.unescaped(is_space, |_| Some((Vec::new(), 1)))?;
                Some(Self {
                    loose: true,
                    ..view
                })
            }
            Reading::Base64(_) if self.decoded == MOST_DECODED => None,
            Reading::Base64(before) => Some(self.decoded(before)),
        }
    }

    /// The places of the original where one of `needles` is, in capitals or small letters; nothing where finding
    /// them would take more than `work`, of which what it took is taken away.
    pub(in crate::registry) fn find(
        &self,
        needles: &Needles<'_>,
        work: &mut usize,
    ) -> Option<Vec<Range<usize>>> {
        let least = if self.loose { LEAST_IN_LOOSE } else { 1 };
        let mut found = Vec::new();
        for at in 0..self.bytes.len() {
            let rest = &self.bytes[at..];
            for needle in needles.beginning(rest) {
                let same = same(rest, needle);
                *work = work.checked_sub(1 + same)?;
                if same == needle.len() && same >= least {
                    found.push(self.places[at].start..self.places[at + same - 1].end);
                }
            }
        }
        Some(found)
    }

    /// The same with each `escape`, which begins with certain bytes only, read as what it means.
    fn unescaped(
        &self,
        begins: impl Fn(u8) -> bool,
        escape: impl Fn(&[u8]) -> Option<Escape>,
    ) -> Option<Self> {
        // Most texts have none, and are not copied.
        self.bytes.iter().find(|byte| begins(**byte))?;
        let mut unescaped = Self {
            bytes: Vec::with_capacity(self.bytes.len()),
            places: Vec::with_capacity(self.bytes.len()),
            ..*self
        };
        let (mut at, mut changed) = (0, false);
        while at < self.bytes.len() {
            let byte = self.bytes[at];
            let found = begins(byte).then(|| escape(&self.bytes[at..])).flatten();
            let Some((bytes, length)) = found else {
                unescaped.bytes.push(byte);
                unescaped.places.push(self.places[at].clone());
                at += 1;
                continue;
            };
            changed = true;
            let place = self.places[at].start..self.places[at + length - 1].end;
            unescaped.places.extend(bytes.iter().map(|_| place.clone()));
            unescaped.bytes.extend(bytes);
            at += length;
        }
        changed.then_some(unescaped)
    }

    /// What is between characters that are not base64 is decoded part by part, and is perhaps folded.
    fn decoded(&self, before: usize) -> Self {
        let mut decoded = Self {
            bytes: Vec::with_capacity(self.bytes.len()),
            places: Vec::with_capacity(self.bytes.len()),
            loose: true,
            decoded: self.decoded + 1,
        };
        // Bits that wait for more, how many they are, and what is still to be passed over.
        let (mut bits, mut waiting, mut passed) = (0_u32, 0, before);
        let mut start = 0;
        for (byte, place) in self.bytes.iter().zip(&self.places) {
            if byte.is_ascii_whitespace() {
                continue;
            }
            let Some(six) = base64(*byte) else {
                (bits, waiting, passed) = (0, 0, before);
                // As it is, it might look like a part of what is decoded beside it.
                decoded.bytes.push(b' ');
                decoded.places.push(place.clone());
                continue;
            };
            if passed > 0 {
                passed -= 1;
                continue;
            }
            bits = (bits << 6) | u32::from(six);
            waiting += 6;
            if let Some(left) = u32::checked_sub(waiting, 8) {
                let [.., byte] = (bits >> left).to_be_bytes();
                decoded.bytes.push(byte);
                decoded.places.push(start..place.end);
                waiting = left;
            }
            start = place.start;
        }
        decoded
    }
}

fn base64(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn percent(rest: &[u8]) -> Option<Escape> {
    let [b'%', digits @ ..] = rest else {
        return None;
    };
    let byte = u8::try_from(number(digits.get(..2)?, 16)?).ok()?;
    Some((vec![byte], 3))
}

/// The `;` at the end may be missing.
fn html(rest: &[u8]) -> Option<Escape> {
    let [b'&', named @ ..] = rest else {
        return None;
    };
    let count = |rest: &[u8], is: fn(&u8) -> bool| rest.iter().take_while(|byte| is(byte)).count();
    let (bytes, length) = match named {
        [b'#', b'x' | b'X', digits @ ..] => {
            let length = count(digits, u8::is_ascii_hexdigit);
            (character(number(&digits[..length], 16)?)?, length + 3)
        }
        [b'#', digits @ ..] => {
            let length = count(digits, u8::is_ascii_digit);
            (character(number(&digits[..length], 10)?)?, length + 2)
        }
        _ => {
            let name = &named[..count(named, u8::is_ascii_alphabetic)];
            let is_it = |entity: &&(&str, u8)| name.eq_ignore_ascii_case(entity.0.as_bytes());
            let (_, byte) = ENTITIES.iter().find(is_it)?;
            (vec![*byte], name.len() + 1)
        }
    };
    let end = usize::from(rest.get(length) == Some(&b';'));
    Some((bytes, length + end))
}

fn json(rest: &[u8]) -> Option<Escape> {
    let [b'\\', escaped, ..] = rest else {
        return None;
    };
    let byte = match escaped {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return json_character(rest),
        b'"' | b'\\' | b'/' | b'\'' => *escaped,
        _ => return None,
    };
    Some((vec![byte], 2))
}

/// `\u0026`; what is beyond 16 bits takes two of them.
fn json_character(rest: &[u8]) -> Option<Escape> {
    let unit = |at: usize| {
        let [b'\\', b'u', digits @ ..] = rest.get(at..at + 6)? else {
            return None;
        };
        number(digits, 16)
    };
    let first = unit(0)?;
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, unit(6)) {
        let whole = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some((character(whole)?, 12));
    }
    Some((character(first)?, 6))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    // The parser takes a sign.
    let legal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(text, radix).ok().filter(|_| legal)
}

fn character(code: u32) -> Option<Vec<u8>> {
    Some(char::from_u32(code)?.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, reading: Reading) -> String {
        let view = View::of(text).read(reading).expect("something changes");
        String::from_utf8_lossy(&view.bytes).into_owned()
    }

    #[test]
    fn each_way_of_reading_undoes_its_escapes() {
        for (reading, text, meant) in [
            (Reading::Percent, "a%2Bb%2b%zz%", "a+b+%zz%"),
            (Reading::Html, "&amp;&#38;&#x26;&quot;&AMP", "&&&\"&"),
            (
                Reading::Html,
                "&#228;&nothing;&#;&#xD800;&lt",
                "ä&nothing;&#;&#xD800;<",
            ),
            (Reading::Json, r#"\u0026\"\\\/\n\uD83D\ude00"#, "&\"\\/\n😀"),
            (Reading::Json, r"\u00e4\uD83D\x\", r"ä\uD83D\x\"),
            (Reading::Unfolded, "a b\r\n\tc", "abc"),
            (Reading::Base64(0), "bWU6c2VjcmV0Lz8-", "me:secret/?>"),
            (Reading::Base64(1), "XbWU6c2VjcmV0Lz8+", "me:secret/?>"),
            (Reading::Base64(0), "bWU=.c2VjcmV0", "me  secret"),
        ] {
            assert_eq!(read(text, reading), meant, "{text}");
        }
        for reading in &Reading::ALL[..4] {
            assert!(View::of("plain").read(*reading).is_none());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_however_stands_for_a_place(
            text in "[a-z%&#x;0-9\\\\uä \"=+]{0,40}",
            readings in prop::collection::vec(0..Reading::ALL.len(), 0..4),
        ) {
            let mut view = View::of(&text);
            for reading in readings {
                view = view.read(Reading::ALL[reading]).unwrap_or(view);
                prop_assert_eq!(view.bytes.len(), view.places.len());
                for place in &view.places {
                    prop_assert!(place.start < place.end && place.end <= text.len());
                }
            }
        }
    }
}
