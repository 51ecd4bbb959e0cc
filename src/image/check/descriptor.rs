//! Descriptors: what is wrong with one before its content is looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digest::ContentDigest;
use super::loose::{Descriptor, Platform, Told};
use super::problem::Problem;
use super::walk::Walk;
use crate::report::printable;

/// A descriptor as far as it can be read.
#[derive(Debug)]
pub(super) struct Described {
    /// Empty where there is none.
    pub(super) media_type: String,
    pub(super) digest: Option<ContentDigest>,
    pub(super) size: Option<u64>,
    pub(super) has_urls: bool,
    pub(super) platform: Option<Told>,
}

impl Walk<'_> {
    pub(super) fn describe(&mut self, at: &str, descriptor: Descriptor) -> Described {
        let media_type = self
            .findings
            .required(at, "mediaType", descriptor.media_type);
        if media_type.as_deref() == Some("") {
            self.missing(at, "mediaType");
        }
        let size = self.findings.required(at, "size", descriptor.size);
        let digest = self.findings.required(at, "digest", descriptor.digest);
        let digest = digest.and_then(|text| self.digest(at, &text));
        self.findings
            .take(at, "artifactType", descriptor.artifact_type);
        let annotations = descriptor.annotations;
        self.findings.annotations(at, self.family, annotations);
        let urls = self.findings.texts(at, "urls", descriptor.urls);
        for url in urls.iter().filter(|url| !is_uri(url)) {
            self.findings.add(Problem::Form {
                at: at.to_owned(),
                field: "urls".to_owned(),
                found: printable(url),
                expected: "URL",
            });
        }
        let data = self.findings.take(at, "data", descriptor.data);
        if let Some(fault) = data.and_then(|data| data_fault(&data, digest, size)) {
            self.findings.add(Problem::Data {
                at: at.to_owned(),
                fault,
            });
        }
        let platform = self.findings.take(at, "platform", descriptor.platform);
        Described {
            media_type: media_type.unwrap_or_default(),
            digest,
            size,
            has_urls: !urls.is_empty(),
            platform: platform.map(|platform| self.told(at, "platform.", platform)),
        }
    }

    /// What a platform says, behind `before` as its fields are named.
    pub(super) fn told(&mut self, at: &str, before: &'static str, platform: Platform) -> Told {
        let (architecture, os) = if before.is_empty() {
            ("architecture", "os")
        } else {
            ("platform.architecture", "platform.os")
        };
        let architecture = self
            .findings
            .required(at, architecture, platform.architecture);
        let os = self.findings.required(at, os, platform.os);
        let named = |field: &str| format!("{before}{field}");
        let variant = self.findings.take(at, &named("variant"), platform.variant);
        self.findings
            .take(at, &named("os.version"), platform.os_version);
        self.findings
            .texts(at, &named("os.features"), platform.os_features);
        Told {
            architecture,
            os,
            variant,
        }
    }
}

/// What is wrong with embedded content (image-spec, descriptor.md, "Embedded Content").
fn data_fault(
    data: &str,
    digest: Option<ContentDigest>,
    size: Option<u64>,
) -> Option<&'static str> {
    let Ok(content) = STANDARD.decode(data) else {
        return Some("is no base64");
    };
    let has_size = size.is_none_or(|size| size == content.len() as u64);
    let has_digest = digest.is_none_or(|digest| {
        let found = digest.same_of(&mut content.as_slice());
        found.is_ok_and(|(found, _)| found == digest)
    });
    (!has_size || !has_digest).then_some("is not the content of its digest and size")
}

/// Whether a text begins as a URI does, and has no character that none has (RFC 3986, appendix A).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(plain)
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn embedded_content_is_that_of_the_blob() {
        let digest = Some(ContentDigest::from(Digest::of(b"{}")));
        assert_eq!(data_fault("e30=", digest, Some(2)), None);
        assert_eq!(data_fault("e30=", None, None), None);
        assert!(data_fault("e30", digest, Some(2)).is_some_and(|fault| fault.contains("base64")));
        for (data, size) in [("e30=", 3), ("e31=", 2), ("", 2)] {
            assert!(data_fault(data, digest, Some(size)).is_some(), "{data}");
        }
    }

    #[test]
    fn places_of_content_are_uris() {
        for text in ["https://example.com/a?b=c#d", "s3:bucket/key", "urn:x"] {
            assert!(is_uri(text), "{text}");
        }
        for text in [
            "",
            "example.com/a",
            "https:",
            "1a:b",
            "https://a b",
            "a:\u{e9}",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }
}
