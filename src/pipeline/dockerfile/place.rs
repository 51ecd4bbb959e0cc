//! Where a split lies in the build stage.

use std::path::{Path, PathBuf};

use crate::fs::{normalized, relative};
use crate::plan::Plan;
use crate::split::Split;

const WORKSPACE: &str = "/workspace";
const REPOSITORY: &str = "/repository";

/// Paths inside the build stage: as far as can be, those that executables get instead of a checkout's
/// own, so that nothing need be remapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The root of the split.
    pub(super) split: PathBuf,
    /// The root of the workspace.
    pub(super) workspace: PathBuf,
    /// What still must be remapped for the same executables: directories, and what stands instead.
    pub(super) remapped: Vec<(PathBuf, &'static str)>,
}

impl Place {
    pub(super) fn of(plan: &Plan, split: &Split) -> Self {
        let inside = relative(&plan.workspace_root, &split.origin);
        if inside == Path::new(".") {
            return Self {
                split: WORKSPACE.into(),
                workspace: WORKSPACE.into(),
                remapped: Vec::new(),
            };
        }
        let mut remapped = Vec::new();
        let root = if let Ok(rest) = split.origin.strip_prefix(&plan.repository_root) {
            normalized(&Path::new(REPOSITORY).join(rest))
        } else {
            let root = PathBuf::from("/split");
            let repository = relative(&plan.repository_root, &split.origin);
            if plan.repository_root != plan.workspace_root {
                remapped.push((normalized(&root.join(repository)), REPOSITORY));
            }
            root
        };
        let workspace = normalized(&root.join(inside));
        // rustc takes the last that fits.
        remapped.push((workspace.clone(), WORKSPACE));
        Self {
            split: root,
            workspace,
            remapped,
        }
    }
}
