//! The checker, let loose on an image of anybody.

use std::collections::BTreeMap;

use serde::Serialize;

use super::InspectError;
use crate::image::{Problem, check_image, check_layout};
use crate::oci::{Descriptor, Kind, classify};
use crate::registry::RegistryError;
use crate::report::printable;
use crate::source::{ImageSpec, Index, Manifest, Place, SourceError, Sources};

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
}

/// Checks an image, all platforms of an index, or where a layout or archive was named without an image, all
/// of it. A `strict` check takes for a violation what images of this program never have, too.
///
/// # Errors
/// [`InspectError`] when there is nothing that could be checked.
pub fn verify(
    sources: &mut Sources,
    spec: &ImageSpec,
    strict: bool,
) -> Result<Verified, InspectError> {
    let place = sources.place(spec)?;
    if spec.is_whole_place() {
        let problems = check_layout(place.directory())?;
        return Ok(Verified::of(spec.place(), problems, strict));
    }
    let (name, root) = sources.root(spec, &place)?;
    let mut unfit = Vec::new();
    if place.is_remote() {
        let mut bringing = Bringing {
            place: &place,
            unfit: &mut unfit,
            images: 0,
            bytes: 0,
        };
        bringing.bring(&root, 0)?;
    }
    let problems = check_image(&place.reader()?, &root)?;
    let mut verified = Verified::of(format!("{}{name}", spec.place()), problems, strict);
    verified.violations.splice(0..0, unfit);
    Ok(verified)
}

impl Verified {
    fn of(reference: String, problems: Vec<Problem>, strict: bool) -> Self {
        let mut verified = Self {
            reference,
            violations: Vec::new(),
            remarks: BTreeMap::new(),
        };
        for problem in problems {
            if strict || problem.breaks_specification() {
                verified.violations.push(problem.to_string());
            } else {
                *verified.remarks.entry(remark(&problem)).or_insert(0) += 1;
            }
        }
        verified
    }

    /// The same for people: a line for each violation.
    pub fn to_text(&self) -> String {
        let count = self.violations.len();
        let mut lines = vec![match count {
            0 => format!(
                "{}: nothing violates the image specification",
                self.reference
            ),
            1 => format!("{}: 1 violation", self.reference),
            _ => format!("{}: {count} violations", self.reference),
        }];
        lines.extend(self.violations.iter().map(|line| format!("  {line}")));
        let remarks = self.remarks.iter();
        lines.extend(remarks.map(|(remark, count)| format!("  allowed ({count}): {remark}")));
        lines.join("\n") + "\n"
    }
}

/// What is the same for all problems of a kind.
fn remark(problem: &Problem) -> String {
    match problem {
        Problem::Entry { fault, .. } => format!("of an entry, {fault}"),
        Problem::Unreferenced { .. } => "nothing refers to a blob".to_owned(),
        Problem::HistoryCount { .. } => "a configuration has no history".to_owned(),
        other => other.to_string(),
    }
}

/// Brings all that a name of a registry leads to, for the checker to see. What is missing or of another
/// shape is its to tell; what the registry gives instead of something is told here.
struct Bringing<'a> {
    place: &'a Place,
    unfit: &'a mut Vec<String>,
    images: u64,
    bytes: u64,
}

impl Bringing<'_> {
    fn bring(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), InspectError> {
        let bytes = self.place.manifest(descriptor);
        let Some(bytes) = self.unless_unfit(bytes)? else {
            return Ok(());
        };
        self.images += 1;
        limit(self.images, "images", MAX_IMAGES)?;
        match classify(&descriptor.media_type) {
            Some((_, Kind::Index)) if depth < MAX_DEPTH => {
                let index: Option<Index> = serde_json::from_slice(&bytes).ok();
                for entry in index.into_iter().flat_map(|index| index.manifests) {
                    self.bring(&entry.strict(), depth + 1)?;
                }
            }
            Some((_, Kind::Manifest)) => {
                let manifest: Option<Manifest> = serde_json::from_slice(&bytes).ok();
                let blobs = manifest
                    .into_iter()
                    .flat_map(|manifest| [manifest.config].into_iter().chain(manifest.layers));
                for blob in blobs {
                    self.bytes = self.bytes.saturating_add(blob.size);
                    limit(self.bytes, "bytes", MAX_BYTES)?;
                    let brought = self.place.blob(&blob.strict());
                    self.unless_unfit(brought)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn unless_unfit<T>(
        &mut self,
        brought: Result<T, SourceError>,
    ) -> Result<Option<T>, InspectError> {
        match brought {
            Ok(brought) => Ok(Some(brought)),
            Err(SourceError::Registry(RegistryError::NotFound { .. }) | SourceError::Layout(_)) => {
                Ok(None)
            }
            Err(SourceError::Registry(
                error @ (RegistryError::OtherContent { .. } | RegistryError::Protocol { .. }),
            )) => {
                self.unfit.push(printable(&error.to_string()));
                Ok(None)
            }
            Err(other) => Err(other.into()),
        }
    }
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
