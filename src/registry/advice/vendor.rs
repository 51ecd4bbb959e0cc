//! What to do about a missing repository, or a missing right, at registries that many people use.
//!
//! Hosts decide; only Harbor, which runs anywhere, is known by its words.

use crate::registry::addresses::endpoint::is_docker_hub;

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Missing {
    /// The repository, or something above it.
    Repository,
    /// The right to push.
    Right,
}

/// A command or a place where this is set, for the repository `path` of `registry`, which answered with
/// `words`.
pub(in crate::registry) fn hint(
    registry: &str,
    path: &str,
    words: &str,
    missing: Missing,
) -> Option<String> {
    let host = registry.split(':').next().unwrap_or(registry);
    let host = host.to_ascii_lowercase();
    if let Some(region) = amazon_region(&host) {
        return Some(amazon(path, &region, missing));
    }
    if host == "ghcr.io" {
        return Some(github(path));
    }
    if let Some(location) = host.strip_suffix("-docker.pkg.dev") {
        return Some(google(path, location, missing));
    }
    if let Some(name) = host.strip_suffix(".azurecr.io") {
        return Some(format!(
            "give the account the role `AcrPush` on `{name}`: `az role assignment create --role AcrPush \
             --assignee ACCOUNT --scope $(az acr show --name {name} --query id --output tsv)`"
        ));
    }
    if is_docker_hub(&host) {
        let owner = path.split('/').next().unwrap_or(path);
        return Some(format!(
            "`{owner}` must be your own account or an organisation that you may push to, and an access \
             token needs the right `Read & Write`"
        ));
    }
    if host == "registry.gitlab.com" {
        return Some(
            "the path must begin with that of a project, and a token needs the scope `write_registry` \
             (in a job, `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD` have it for the job's own project)"
                .to_owned(),
        );
    }
    let (project, _) = path.split_once('/')?;
    let is_harbor = words.contains("project ") && words.contains(project);
    is_harbor.then(|| {
        format!(
            "create the project `{project}` at `{registry}`, or let the account push to it (role \
             Developer)"
        )
    })
}

/// The region of `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, in whatever part of the cloud.
fn amazon_region(host: &str) -> Option<String> {
    let (_, rest) = host.split_once(".dkr.ecr")?;
    let rest = rest.strip_prefix("-fips").unwrap_or(rest);
    let (region, end) = rest.strip_prefix('.')?.split_once('.')?;
    end.starts_with("amazonaws.com").then(|| region.to_owned())
}

fn amazon(path: &str, region: &str, missing: Missing) -> String {
    match missing {
        Missing::Repository => {
            format!(
                "create it: `aws ecr create-repository --region {region} --repository-name {path}`"
            )
        }
        Missing::Right => format!(
            "the account needs `ecr:GetAuthorizationToken` and, for `{path}`, `ecr:BatchCheckLayerAvailability`, \
             `ecr:InitiateLayerUpload`, `ecr:UploadLayerPart`, `ecr:CompleteLayerUpload`, `ecr:PutImage` and \
             `ecr:BatchGetImage`; a login lasts 12 hours: `aws ecr get-login-password --region {region}`"
        ),
    }
}

fn github(path: &str) -> String {
    let name = path.split_once('/').map_or(path, |(_, name)| name);
    format!(
        "in a workflow, set `permissions: packages: write`, and if another repository made the package \
         `{name}`, add this one under `Manage Actions access` in the package's settings; elsewhere, use a \
         token with the scope `write:packages`"
    )
}

fn google(path: &str, location: &str, missing: Missing) -> String {
    let mut parts = path.split('/');
    let project = parts.next().unwrap_or("PROJECT");
    let repository = parts.next().unwrap_or("REPOSITORY");
    match missing {
        Missing::Repository => format!(
            "create it: `gcloud artifacts repositories create {repository} --repository-format=docker \
             --location={location} --project={project}`"
        ),
        Missing::Right => format!(
            "give the account the role `roles/artifactregistry.writer`: `gcloud artifacts repositories \
             add-iam-policy-binding {repository} --location={location} --project={project} \
             --member=ACCOUNT --role=roles/artifactregistry.writer`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn missing_repository(registry: &str, path: &str) -> String {
        hint(registry, path, "", Missing::Repository).expect("known")
    }

    #[test]
    fn missing_repositories_are_made_by_the_command_of_their_registry() {
        assert_eq!(
            missing_repository(
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
                "shop/orders"
            ),
            "create it: `aws ecr create-repository --region eu-west-1 --repository-name shop/orders`"
        );
        assert_eq!(
            missing_repository("europe-west3-docker.pkg.dev", "acme/shop/orders"),
            "create it: `gcloud artifacts repositories create shop --repository-format=docker \
             --location=europe-west3 --project=acme`"
        );
        assert!(missing_repository("acme.azurecr.io", "orders").contains("--name acme"));
    }

    #[test]
    fn a_missing_right_names_what_gives_it() {
        let right = |registry, path, words| hint(registry, path, words, Missing::Right);
        let github = right("ghcr.io", "acme/orders", "").expect("known");
        assert!(github.contains("packages: write") && github.contains("`orders`"));
        assert!(github.contains("Manage Actions access"));
        let amazon = right("1.dkr.ecr.us-east-1.amazonaws.com", "orders", "").expect("known");
        assert!(amazon.contains("ecr:PutImage"));
        let harbor = right(
            "harbor.acme.example",
            "shop/orders",
            "project shop not found",
        );
        assert!(harbor.expect("known").contains("project `shop`"));
    }

    #[test]
    fn look_alikes_and_registries_of_nobody_get_no_advice_of_others() {
        for registry in [
            "ghcr.io.evil.example",
            "localhost:5000",
            "dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            "x.dkr.ecr.eu-west-1.evil.example",
        ] {
            let found = hint(registry, "shop/orders", "denied", Missing::Right);
            assert_eq!(found, None, "{registry}");
        }
    }

    proptest! {
        #[test]
        fn foreign_words_never_panic(registry in ".{0,40}", path in ".{0,40}", words in ".{0,40}") {
            let _ = hint(&registry, &path, &words, Missing::Repository);
            let _ = hint(&registry, &path, &words, Missing::Right);
        }
    }
}
