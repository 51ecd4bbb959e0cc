//! One service of a plan.

use std::collections::BTreeMap;

use super::PlanError;
use crate::cargo::Selection;
use crate::config::ServiceConfig;
use crate::oci::Platform;
use crate::reference::{Tag, tag_fragment};
use crate::template::{Pattern, PatternError};

/// Everything that is decided about one service.
#[derive(Debug, Clone)]
pub struct PlannedService {
    /// Its name.
    pub service: String,
    /// Its package's name.
    pub package: String,
    /// Its package's version.
    pub version: String,
    /// cargo's id of the package.
    pub package_id: String,
    /// The binary target.
    pub binary: String,
    /// The Rust target.
    pub target: String,
    /// The platform of the image.
    pub platform: Platform,
    /// Features to build with.
    pub selection: Selection,
    /// Its configuration.
    pub config: ServiceConfig,
    /// Labels of the image: facts of the manifest, then the user's.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest: facts of the manifest, then the user's.
    pub annotations: BTreeMap<String, String>,
    /// Why it is in the plan, for people.
    pub reasons: Vec<String>,
}

/// What placeholders of tags stand for, where it is known only while building.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagValues {
    /// The commit: `git.sha`.
    pub sha: Option<String>,
    /// Its first digits: `git.short`.
    pub short: Option<String>,
    /// The branch: `git.branch`.
    pub branch: Option<String>,
    /// Hexadecimal digits of the manifest's digest: `digest`.
    pub digest: Option<String>,
}

impl PlannedService {
    /// The image's name below `repo`, or alone where a destination has no repository.
    ///
    /// # Errors
    /// [`PlanError`] when the pattern lacks a value.
    pub fn image_name(&self, repo: Option<&str>) -> Result<String, PlanError> {
        let name = match repo {
            Some(repo) => self.config.image_name(repo),
            None => self.config.short_name(),
        };
        name.map_err(|source| self.unrendered(&self.config.name.value, source))
    }

    /// The image's tags. A tag that needs the digest is left out while that is unknown.
    ///
    /// # Errors
    /// [`PlanError`] when a placeholder has no value, or a tag is not legal.
    pub fn tags(&self, known: &TagValues) -> Result<Vec<Tag>, PlanError> {
        let mut tags: Vec<Tag> = Vec::new();
        for pattern in &self.config.tags.value {
            if known.digest.is_none() && pattern.placeholders().any(|name| name == "digest") {
                continue;
            }
            self.refuse_unknown_revision(pattern, known)?;
            let fragment =
                |value: &Option<String>| tag_fragment(value.as_deref().unwrap_or_default());
            let values = BTreeMap::from([
                ("version", tag_fragment(&self.version)),
                ("git.sha", fragment(&known.sha)),
                ("git.short", fragment(&known.short)),
                ("git.branch", fragment(&known.branch)),
                ("digest", fragment(&known.digest)),
            ]);
            let text = pattern
                .render(&values)
                .map_err(|source| self.unrendered(pattern, source))?;
            let tag = Tag::parse(&text).map_err(|source| PlanError::Name {
                service: self.service.clone(),
                source,
            })?;
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        Ok(tags)
    }

    /// The tags that are known without building, or the patterns they will come from.
    pub(super) fn tags_for_print(&self) -> Vec<String> {
        match self.tags(&TagValues::default()) {
            Ok(tags) => tags.iter().map(ToString::to_string).collect(),
            Err(_) => self
                .config
                .tags
                .value
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }

    fn refuse_unknown_revision(
        &self,
        pattern: &Pattern,
        known: &TagValues,
    ) -> Result<(), PlanError> {
        let wants = |name: &str| {
            pattern
                .placeholders()
                .any(|placeholder| placeholder == name)
        };
        let needs = if (wants("git.sha") || wants("git.short")) && known.sha.is_none() {
            "a git repository with a commit"
        } else if wants("git.branch") && known.branch.is_none() {
            "a git branch"
        } else {
            return Ok(());
        };
        let (service, pattern) = (self.service.clone(), pattern.to_string());
        Err(PlanError::NoRevision {
            service,
            pattern,
            needs,
        })
    }

    fn unrendered(&self, pattern: &Pattern, source: PatternError) -> PlanError {
        PlanError::Pattern {
            service: self.service.clone(),
            pattern: pattern.to_string(),
            source,
        }
    }
}
