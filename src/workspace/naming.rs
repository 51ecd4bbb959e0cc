//! The first mapping: from binaries to service names, and what must not clash.

use std::collections::BTreeMap;

use super::{NameOrigin, Package, Service, WorkspaceError};
use crate::reference::kubernetes_name;

/// A binary that is to become a service.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Index of its package.
    pub(super) package: usize,
    /// The binary target.
    pub(super) binary: String,
    /// What cargo demands for it.
    pub(super) required_features: Vec<String>,
}

/// Services, sorted by name. A binary's own name serves where it is the only one; where several
/// packages have it, each is named after its package, with the binary's name where the package has
/// several services.
pub(super) fn name_services(
    candidates: Vec<Candidate>,
    packages: &[Package],
) -> Result<Vec<Service>, WorkspaceError> {
    let mut of_name: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_package: BTreeMap<usize, usize> = BTreeMap::new();
    for candidate in &candidates {
        *of_name.entry(&candidate.binary).or_default() += 1;
        *of_package.entry(candidate.package).or_default() += 1;
    }
    let named: Vec<(String, NameOrigin)> = candidates
        .iter()
        .map(|candidate| {
            let package = &packages[candidate.package].name;
            match (
                of_name[candidate.binary.as_str()],
                of_package[&candidate.package],
            ) {
                (1, _) => (candidate.binary.clone(), NameOrigin::Binary),
                (_, 1) => (package.clone(), NameOrigin::Package),
                _ => (
                    format!("{package}-{}", candidate.binary),
                    NameOrigin::PackageAndBinary,
                ),
            }
        })
        .collect();
    let mut services: Vec<Service> = candidates
        .into_iter()
        .zip(named)
        .map(|(candidate, (name, named_after))| Service {
            name,
            named_after,
            package: candidate.package,
            binary: candidate.binary,
            required_features: candidate.required_features,
            closure: Vec::new(),
        })
        .collect();
    services.sort();
    refuse_clashes(&services, packages)?;
    Ok(services)
}

fn refuse_clashes(services: &[Service], packages: &[Package]) -> Result<(), WorkspaceError> {
    let mut names: BTreeMap<&str, &Service> = BTreeMap::new();
    let mut kubernetes: BTreeMap<String, &Service> = BTreeMap::new();
    let clash = |name: &str, context, first: &Service, second: &Service| {
        let describe = |service: &Service| {
            format!(
                "`{}` of package `{}`",
                service.binary, packages[service.package].name
            )
        };
        WorkspaceError::NameClash {
            name: name.to_owned(),
            context,
            first: describe(first),
            second: describe(second),
        }
    };
    for service in services {
        if let Some(first) = names.insert(&service.name, service) {
            return Err(clash(&service.name, "", first, service));
        }
        let mapped = kubernetes_name(&service.name).map_err(|_| WorkspaceError::Unnameable {
            service: service.name.clone(),
            package: packages[service.package].name.clone(),
        })?;
        if let Some(first) = kubernetes.get(&mapped) {
            return Err(clash(&mapped, " in Kubernetes", first, service));
        }
        kubernetes.insert(mapped, service);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(binaries: &[(usize, &str)]) -> Result<Vec<(String, NameOrigin)>, WorkspaceError> {
        let packages: Vec<Package> = ["orders", "billing", "web"].map(Package::named).into();
        let candidates = binaries.iter().map(|(package, binary)| Candidate {
            package: *package,
            binary: (*binary).to_owned(),
            required_features: Vec::new(),
        });
        let services = name_services(candidates.collect(), &packages)?;
        Ok(services
            .into_iter()
            .map(|service| (service.name, service.named_after))
            .collect())
    }

    #[test]
    fn a_unique_binary_keeps_its_name() {
        let found = names(&[(0, "api"), (1, "worker")]).expect("no clash");
        assert_eq!(
            found,
            [
                ("api".into(), NameOrigin::Binary),
                ("worker".into(), NameOrigin::Binary)
            ]
        );
    }

    #[test]
    fn shared_binary_names_give_way_to_packages() {
        let found = names(&[(0, "server"), (1, "server"), (1, "job")]).expect("no clash");
        assert_eq!(
            found,
            [
                ("billing-server".into(), NameOrigin::PackageAndBinary),
                ("job".into(), NameOrigin::Binary),
                ("orders".into(), NameOrigin::Package),
            ]
        );
    }

    #[test]
    fn names_that_still_clash_are_refused() {
        assert!(names(&[(0, "server"), (1, "server"), (2, "orders")]).is_err());
        assert!(names(&[(0, "a_b"), (1, "a-b")]).is_err());
    }
}
