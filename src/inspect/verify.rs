//! The checker, let loose on an image of anybody.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::InspectError;
use super::text::counted;
use crate::digest::Digest;
use crate::image::{ContentDigest, Problem, check_image, check_layout};
use crate::oci::{Descriptor, Kind, classify};
use crate::registry::RegistryError;
use crate::report::printable;
use crate::source::{ImageSpec, Notes, Place, SourceError, Sources, Wanted};

/// Indexes in indexes that are brought from a registry.
const MAX_DEPTH: usize = 8;
/// Images of one index that are brought from a registry.
const MAX_IMAGES: u64 = 100;
/// Bytes of all their blobs.
const MAX_BYTES: u64 = 256 << 30;

/// What the checker found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// What was checked, as its user may type it again.
    pub reference: String,
    /// What the image specification forbids, one sentence each.
    pub violations: Vec<String>,
    /// What it allows, and images of this program never have, with how often it was found.
    pub remarks: BTreeMap<String, usize>,
    /// Each of them in a sentence; only a strict check tells, for which they count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each_remark: Option<Vec<String>>,
}

/// Checks an image, all platforms of an index, or where a layout or archive was named without an image, all
/// of it; where a platform is wanted, the one image for it. A `strict` check also names each thing that images
/// of this program never have.
///
/// # Errors
/// [`InspectError`] when there is nothing that could be checked.
pub fn verify(
    sources: &mut Sources,
    spec: &ImageSpec,
    wanted: &Wanted,
    strict: bool,
) -> Result<Verified, InspectError> {
    match check(sources, spec, wanted, strict) {
        // Nothing else can be checked then.
        Err(InspectError::Source(error)) if error.is_violation() => {
            let mut verified = Verified::of(spec.to_string(), Vec::new(), strict);
            verified.violations.push(printable(&error.to_string()));
            Ok(verified)
        }
        other => other,
    }
}

fn check(
    sources: &mut Sources,
    spec: &ImageSpec,
    wanted: &Wanted,
    strict: bool,
) -> Result<Verified, InspectError> {
    if wanted.platform.is_some() {
        let source = sources.open(spec, wanted)?;
        return verify_one(&source.place, &source.descriptor, source.reference, strict);
    }
    let place = sources.place(spec)?;
    if spec.is_whole_place() {
        let problems = check_layout(place.directory())?;
        let mut verified = Verified::of(spec.place(), problems, strict);
        verified.note(place.notes(), None);
        if verified.violations.is_empty() {
            place.check_images()?;
        }
        return Ok(verified);
    }
    let (name, root) = sources.root(spec, &place)?;
    verify_one(&place, &root, format!("{}{name}", spec.place()), strict)
}

/// Checks the image, or index of images, that `root` leads to.
fn verify_one(
    place: &Place,
    root: &Descriptor,
    reference: String,
    strict: bool,
) -> Result<Verified, InspectError> {
    if !place.is_remote() {
        let problems = check_image(&place.reader()?, root)?;
        let mut verified = Verified::of(reference, problems, strict);
        verified.note(place.notes(), Some(root.digest));
        return Ok(verified);
    }
    let mut bringing = Bringing {
        place,
        unfit: Vec::new(),
        lost: BTreeSet::new(),
        images: 0,
        bytes: 0,
    };
    bringing.bring(root, 0)?;
    let problems = check_image(&place.reader()?, root)?;
    let problems = problems.into_iter();
    let problems = problems.filter_map(|problem| bringing.known(problem));
    let mut verified = Verified::of(reference, problems.collect(), strict);
    verified.violations.splice(0..0, bringing.unfit);
    Ok(verified)
}

impl Verified {
    fn of(reference: String, problems: Vec<Problem>, strict: bool) -> Self {
        let mut verified = Self {
            reference,
            violations: Vec::new(),
            remarks: BTreeMap::new(),
            each_remark: strict.then(Vec::new),
        };
        for problem in problems {
            if problem.breaks_specification() {
                verified.violations.push(problem.to_string());
                continue;
            }
            *verified.remarks.entry(remark(&problem)).or_insert(0) += 1;
            if let Some(each) = &mut verified.each_remark {
                each.push(problem.to_string());
            }
        }
        verified
    }

    /// Adds what is known of the place besides: of the image of a manifest, or of all.
    fn note(&mut self, notes: &Notes, manifest: Option<Digest>) {
        let violations = notes.violations(manifest).map(str::to_owned);
        self.violations.extend(violations);
        for warning in notes.warnings() {
            *self.remarks.entry(warning.to_owned()).or_insert(0) += 1;
            if let Some(each) = &mut self.each_remark {
                each.push(warning.to_owned());
            }
        }
    }

    /// Whether nothing was found that counts.
    pub fn is_sound(&self) -> bool {
        self.violations.is_empty() && self.each_remark.as_ref().is_none_or(Vec::is_empty)
    }

    /// The same for people: a line for each violation.
    pub fn to_text(&self) -> String {
        let violations = match self.violations.len() {
            0 => "nothing violates the image specification".to_owned(),
            count => counted(count, "violation"),
        };
        let remarks = match self.remarks.values().sum() {
            0 => String::new(),
            count => format!(", {}", counted(count, "remark")),
        };
        let mut lines = vec![format!("{}: {violations}{remarks}", self.reference)];
        lines.extend(self.violations.iter().map(|line| format!("  {line}")));
        if let Some(each) = &self.each_remark {
            lines.extend(each.iter().map(|remark| format!("  remark: {remark}")));
        } else {
            let kinds = self.remarks.iter();
            lines.extend(kinds.map(|(remark, count)| format!("  remark ({count}): {remark}")));
        }
        lines.join("\n") + "\n"
    }
}

/// What is the same for all problems of a kind.
fn remark(problem: &Problem) -> String {
    match problem {
        Problem::Entry { fault, .. } => format!("of an entry, {fault}"),
        Problem::Unreferenced { .. } => "nothing refers to a blob".to_owned(),
        Problem::NoHistory { .. } => "a configuration has no history".to_owned(),
        Problem::Unusual {
            field, expected, ..
        } => format!("a configuration has something as `{field}`, which is no {expected}"),
        Problem::Unchecked { .. } | Problem::UncheckedBlob { .. } => {
            "a digest is of an algorithm that is not checked".to_owned()
        }
        Problem::Elsewhere { .. } => "a layer is kept elsewhere, and was not checked".to_owned(),
        other => other.to_string(),
    }
}

/// Brings all that a name of a registry leads to, for the checker to see. What is missing or of another
/// shape is its to tell; what the registry gives instead of something is told here.
struct Bringing<'a> {
    place: &'a Place,
    unfit: Vec<String>,
    /// What the registry says it has not.
    lost: BTreeSet<Digest>,
    images: u64,
    bytes: u64,
}

impl Bringing<'_> {
    fn bring(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), InspectError> {
        let bytes = self.place.manifest(descriptor);
        let Some(bytes) = self.unless_unfit(descriptor, bytes)? else {
            return Ok(());
        };
        self.images += 1;
        limit(self.images, "images", MAX_IMAGES)?;
        // Field by field: the checker tells what is wrong with one, and needs what all others lead to.
        let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let list = |field: &str| document[field].as_array().into_iter().flatten();
        match classify(&descriptor.media_type) {
            Some((_, Kind::Index)) if depth < MAX_DEPTH => {
                for entry in list("manifests").filter_map(asked_for) {
                    self.bring(&entry, depth + 1)?;
                }
            }
            Some((_, Kind::Manifest)) => {
                let blobs = [&document["config"]].into_iter().chain(list("layers"));
                for blob in blobs.filter_map(asked_for) {
                    self.bytes = self.bytes.saturating_add(blob.size);
                    limit(self.bytes, "bytes", MAX_BYTES)?;
                    let brought = self.place.blob(&blob);
                    self.unless_unfit(&blob, brought)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn unless_unfit<T>(
        &mut self,
        descriptor: &Descriptor,
        brought: Result<T, SourceError>,
    ) -> Result<Option<T>, InspectError> {
        match brought {
            Ok(brought) => Ok(Some(brought)),
            Err(SourceError::Lost(_)) => {
                self.lost.insert(descriptor.digest);
                Ok(None)
            }
            Err(SourceError::Unsound { .. }) => Ok(None),
            Err(SourceError::Registry(
                error @ (RegistryError::OtherContent { .. }
                | RegistryError::Protocol { .. }
                | RegistryError::SentAway { .. }),
            )) => {
                self.unfit.push(printable(&error.to_string()));
                Ok(None)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// What the checker may say: it takes for missing what was not brought, and only some of that is.
    fn known(&self, problem: Problem) -> Option<Problem> {
        match problem {
            Problem::MissingBlob {
                digest: ContentDigest::Sha256(digest),
                ..
            } if !self.lost.contains(&digest) => None,
            Problem::MissingBlob {
                at,
                digest: digest @ ContentDigest::Sha512(_),
            } => Some(Problem::Unchecked {
                at,
                text: digest.to_string(),
            }),
            other => Some(other),
        }
    }
}

/// What a descriptor asks for, if that can be brought.
fn asked_for(descriptor: &Value) -> Option<Descriptor> {
    let media_type = descriptor["mediaType"].as_str().unwrap_or_default();
    let digest = descriptor["digest"].as_str()?.parse().ok()?;
    Some(Descriptor::new(
        media_type,
        digest,
        descriptor["size"].as_u64()?,
    ))
}

fn limit(found: u64, unit: &'static str, limit: u64) -> Result<(), SourceError> {
    if found <= limit {
        return Ok(());
    }
    Err(SourceError::TooMuch {
        at: "what the name leads to".to_owned(),
        found,
        unit,
        limit,
    })
}
