//! Choosing services on the command line.

use globset::{Glob, GlobMatcher};

use super::error::Known;
use super::{Service, Workspace, WorkspaceError};
use crate::hint::near_names;

/// Which services are meant. Nothing named means every service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceFilter {
    /// Names and globs of services.
    pub services: Vec<String>,
    /// `--package`: all services of these packages, globs allowed.
    pub packages: Vec<String>,
    /// `--exclude`: no service of these packages, globs allowed.
    pub excluded: Vec<String>,
}

impl ServiceFilter {
    /// Whether the command line names any service or package.
    pub fn names_any(&self) -> bool {
        !self.services.is_empty() || !self.packages.is_empty()
    }

    /// The services that are meant, in the workspace's order.
    ///
    /// # Errors
    /// [`WorkspaceError`] for each name that fits nothing, and when nothing is left.
    pub fn select<'a>(&self, workspace: &'a Workspace) -> Result<Vec<&'a Service>, WorkspaceError> {
        if workspace.services.is_empty() {
            let describe = |left: &super::LeftOut| {
                format!(
                    "`{}` of package `{}`: {}",
                    left.binary, left.package, left.reason
                )
            };
            let left_out = workspace.left_out.iter().map(describe).collect();
            return Err(WorkspaceError::NoService {
                root: workspace.root.clone(),
                left_out,
            });
        }
        let services = self.service_matchers(workspace)?;
        let packages = package_matchers(&self.packages, workspace)?;
        let excluded = package_matchers(&self.excluded, workspace)?;
        let fits =
            |matchers: &[GlobMatcher], name: &str| matchers.iter().any(|glob| glob.is_match(name));
        let selected: Vec<&Service> = workspace
            .services
            .iter()
            .filter(|service| {
                let package = &workspace.package_of(service).name;
                let named = fits(&services, &service.name) || fits(&packages, package);
                (named || !self.names_any()) && !fits(&excluded, package)
            })
            .collect();
        if selected.is_empty() {
            Err(WorkspaceError::NothingSelected)
        } else {
            Ok(selected)
        }
    }

    fn service_matchers(&self, workspace: &Workspace) -> Result<Vec<GlobMatcher>, WorkspaceError> {
        let known: Vec<&str> = workspace
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        let mut matchers = Vec::new();
        for name in &self.services {
            let matcher = glob(name)?;
            if !known.iter().any(|known| matcher.is_match(known)) {
                let left_out = workspace.left_out.iter().find(|left| left.binary == *name);
                return Err(WorkspaceError::UnknownService {
                    name: name.clone(),
                    known: near_or_all(name, &known),
                    left_out: left_out.map(|left| left.reason.clone()),
                });
            }
            matchers.push(matcher);
        }
        Ok(matchers)
    }
}

fn package_matchers(
    names: &[String],
    workspace: &Workspace,
) -> Result<Vec<GlobMatcher>, WorkspaceError> {
    let known: Vec<&str> = workspace
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut matchers = Vec::new();
    for name in names {
        let matcher = glob(name)?;
        if !known.iter().any(|known| matcher.is_match(known)) {
            return Err(WorkspaceError::UnknownPackage {
                name: name.clone(),
                known: near_or_all(name, &known),
            });
        }
        matchers.push(matcher);
    }
    Ok(matchers)
}

fn glob(pattern: &str) -> Result<GlobMatcher, WorkspaceError> {
    Glob::new(pattern)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| WorkspaceError::Glob {
            pattern: pattern.to_owned(),
            why: error.kind().to_string(),
        })
}

/// Names like `name`, or all where there are few.
fn near_or_all(name: &str, known: &[&str]) -> Known {
    const FEW: usize = 8;
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    match near_names(name, known.iter().copied()).as_slice() {
        [] if known.len() <= FEW => Known::All(owned(known)),
        [] => Known::Many,
        near => Known::Near(owned(near)),
    }
}
