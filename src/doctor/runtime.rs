//! What images take from the library root: the C library, certificates, time zones.

use std::path::Path;

use super::finding::Finding;
use crate::hint::Hint as _;
use crate::pipeline::needs_glibc;
use crate::plan::{Plan, PlannedService};
use crate::report::with_causes;
use crate::runtime::{LibraryRoot, Request, RuntimeError, fixed_files, fixed_libraries};

/// What is missing there, one finding for all services with the same trouble.
pub(super) fn missing(plan: &Plan) -> Vec<Finding> {
    let mut found: Vec<(Finding, Vec<&str>)> = Vec::new();
    for service in &plan.services {
        let Some(finding) = of_service(service) else {
            continue;
        };
        match found.iter_mut().find(|(known, _)| *known == finding) {
            Some((_, services)) => services.push(&service.service),
            None => found.push((finding, vec![&service.service])),
        }
    }
    found
        .into_iter()
        .map(|(finding, services)| finding.services(services))
        .collect()
}

fn of_service(service: &PlannedService) -> Option<Finding> {
    let config = &service.config;
    let path = &config.library_root.value;
    if !cfg!(target_os = "linux") && needs_glibc(service) && path == Path::new("/") {
        let finding = Finding::new("this machine has no libraries for Linux executables");
        let hint = "set `linkage = \"static\"`, or `library-root` to a Linux file system";
        return Some(finding.hint(Some(hint.to_owned())));
    }
    let root = match LibraryRoot::open(path) {
        Ok(root) => root,
        Err(error) => return Some(of_error(&error)),
    };
    match fixed_libraries(&root, &service.platform) {
        Ok(libraries) if libraries.is_empty() && needs_glibc(service) => {
            let what = format!(
                "library root `{}` has no glibc for {}",
                path.display(),
                service.platform
            );
            let hint = "name a root that has it with `library-root`, or set `linkage = \"static\"`";
            return Some(Finding::new(what).hint(Some(hint.to_owned())));
        }
        Ok(_) => {}
        Err(error) => return Some(of_error(&error)),
    }
    let request = Request {
        service: "",
        executable: Path::new(""),
        platform: &service.platform,
        library_root: &root,
        extra_libraries: &[],
        ca_certificates: config.ca_certificates.value,
        tzdata: config.tzdata.value,
    };
    let files = fixed_files(&request, needs_glibc(service));
    files.err().map(|error| of_error(&error))
}

fn of_error(error: &RuntimeError) -> Finding {
    Finding::new(with_causes(error).join(": ")).hint(error.hint())
}
