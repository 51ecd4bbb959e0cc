//! Credentials and registries.

use std::collections::BTreeMap;

use super::finding::Finding;
use crate::hint::Hint as _;
use crate::plan::Plan;
use crate::process::Environment;
use crate::reference::Repository;
use crate::registry::{Registry, credential_helpers, exposed_files};
use crate::report::with_causes;

/// Credential helpers that docker's and podman's configuration names and that are not there, or what is
/// wrong with that configuration.
pub(super) fn helpers(environment: &Environment) -> Vec<Finding> {
    let helpers = match credential_helpers(environment) {
        Ok(helpers) => helpers,
        Err(error) => return vec![Finding::new(with_causes(&error).join(": ")).hint(error.hint())],
    };
    let absent = helpers.into_iter().filter(|(program, _)| {
        // A name that is not to be trusted is told when it is used.
        environment.find_program(program).is_none()
    });
    absent
        .map(|(program, file)| {
            let what = format!("the credential helper `{program}` is not on PATH");
            let because = format!("`{}` names it", file.display());
            let hint = "install it, or take it out of that file and log in again";
            let finding = Finding::new(what).because(because);
            finding.hint(Some(hint.to_owned()))
        })
        .collect()
}

/// Files with credentials that others than their owner may read or write.
pub(super) fn exposed(environment: &Environment) -> Vec<Finding> {
    // What is wrong with a file besides is told with the helpers.
    let exposed = exposed_files(environment).unwrap_or_default();
    let findings = exposed.iter();
    let findings =
        findings.map(|exposed| Finding::new(exposed.to_string()).hint(Some(exposed.hint())));
    findings.collect()
}

/// Whether the registries that services are pushed to take a push: one repository of each prefix is asked.
pub fn reachable(registry: &Registry, plan: &Plan) -> Vec<Finding> {
    let mut prefixes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for service in &plan.services {
        if let Some(repo) = service.config.repo.value.as_deref() {
            prefixes.entry(repo).or_default().push(&service.service);
        }
    }
    let mut findings = Vec::new();
    for (prefix, services) in prefixes {
        let first = plan
            .services
            .iter()
            .find(|service| Some(&service.service.as_str()) == services.first());
        let name = first.and_then(|service| service.image_name(Some(prefix)).ok());
        let Some(repository) = name.and_then(|name| Repository::parse(&name).ok()) else {
            // A plan with such a name is refused before.
            continue;
        };
        if let Err(error) = registry.check_push(&repository) {
            let finding = Finding::new(with_causes(&error).join(": ")).hint(error.hint());
            findings.push(finding.services(services));
        }
    }
    findings
}
