//! Digests of others: the specification registers more algorithms than this program writes.

use std::fmt::{self, Write as _};
use std::io::{self, Read};

use sha2::{Digest as _, Sha512};

use crate::digest::Digest;

/// A digest that can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContentDigest {
    /// What every reader must know.
    Sha256(Digest),
    /// What readers may know (image-spec, descriptor.md, "Registered algorithms").
    Sha512([u8; 64]),
}

/// What stands where a digest should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// One that can be checked.
    Known(ContentDigest),
    /// A legal one of another algorithm.
    OtherAlgorithm,
}

impl ContentDigest {
    /// The name of its algorithm.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// Its lower-case hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        match self {
            Self::Sha256(digest) => digest.hex(),
            Self::Sha512(bytes) => bytes.iter().fold(String::new(), |mut hex, byte| {
                // Writing to a string cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            }),
        }
    }

    /// The digest, by the same algorithm, and the number of all bytes that `reader` gives.
    pub(super) fn same_of(&self, reader: &mut impl Read) -> io::Result<(Self, u64)> {
        if let Self::Sha256(_) = self {
            let (digest, size) = Digest::of_reader(reader)?;
            return Ok((Self::Sha256(digest), size));
        }
        let mut hash = Sha512::new();
        let mut size = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hash.update(&buffer[..count]);
            size += count as u64;
        }
        Ok((Self::Sha512(hash.finalize().into()), size))
    }
}

impl Written {
    /// Reads a digest; `None` for what none may look like.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (algorithm, encoded) = text.split_once(':')?;
        match algorithm {
            "sha256" => {
                let digest = text.parse().ok()?;
                Some(Self::Known(ContentDigest::Sha256(digest)))
            }
            "sha512" => Some(Self::Known(ContentDigest::Sha512(sha512(encoded)?))),
            _ => is_legal(algorithm, encoded).then_some(Self::OtherAlgorithm),
        }
    }
}

fn sha512(hex: &str) -> Option<[u8; 64]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 64];
    if hex.len() != 128 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

/// The grammar of all digests (image-spec, descriptor.md, "Digests").
fn is_legal(algorithm: &str, encoded: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut components = algorithm.split(['+', '.', '_', '-']);
    let encoding = |byte: u8| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte);
    components.all(|component| !component.is_empty() && component.bytes().all(lower))
        && !encoded.is_empty()
        && encoded.bytes().all(encoding)
}

impl From<Digest> for ContentDigest {
    fn from(digest: Digest) -> Self {
        Self::Sha256(digest)
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm(), self.hex())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of nothing, by both algorithms (FIPS 180-4, "Examples").
    const SHA512: &str = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                          47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    const SHA256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn both_algorithms_are_read_and_computed() {
        for text in [SHA256, SHA512] {
            let Some(Written::Known(digest)) = Written::of(text) else {
                panic!("{text}");
            };
            assert_eq!(digest.to_string(), text);
            let again = digest.same_of(&mut io::empty()).expect("nothing to read");
            assert_eq!(again, (digest, 0));
            let (other, size) = digest.same_of(&mut &b"x"[..]).expect("read");
            assert_eq!(size, 1);
            assert_ne!(other, digest);
        }
    }

    #[test]
    fn digests_follow_the_grammar() {
        for text in ["blake3:00ff", "md5:00", "a+b.c_d-e:Az=_-"] {
            assert_eq!(Written::of(text), Some(Written::OtherAlgorithm), "{text}");
        }
        for text in [
            "",
            "sha256",
            "sha256:",
            "sha256:00",
            "sha512:00",
            &SHA256.to_uppercase(),
            &SHA512.replace('c', "C"),
            "a++b:00",
            ":00",
            "A:00",
            "a:../x",
        ] {
            assert_eq!(Written::of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_digest_or_none_without_a_panic(text in ".*", algorithm in "(sha256|sha512|md5)") {
            for text in [text.clone(), format!("{algorithm}:{text}")] {
                if let Some(Written::Known(digest)) = Written::of(&text) {
                    prop_assert_eq!(digest.to_string(), text);
                }
            }
        }
    }
}
