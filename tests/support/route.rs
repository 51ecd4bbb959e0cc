//! From a request's path to what it is about.

/// The endpoints of the distribution specification, and the token service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Root,
    Token,
    Uploads {
        repository: String,
    },
    Upload {
        repository: String,
        id: String,
    },
    Blob {
        repository: String,
        digest: String,
    },
    Manifest {
        repository: String,
        reference: String,
    },
    Tags {
        repository: String,
    },
    Referrers {
        repository: String,
        digest: String,
    },
    Unknown,
}

impl Route {
    pub(super) fn of(path: &str) -> Self {
        if path == "/v2/" {
            return Self::Root;
        }
        if path == "/token" {
            return Self::Token;
        }
        let Some(rest) = path.strip_prefix("/v2/") else {
            return Self::Unknown;
        };
        let split = |mark: &str| {
            let (repository, last) = rest.split_once(mark)?;
            let legal = !repository.is_empty() && !last.contains('/');
            legal.then(|| (repository.to_owned(), last.to_owned()))
        };
        if let Some((repository, id)) = split("/blobs/uploads/") {
            return if id.is_empty() {
                Self::Uploads { repository }
            } else {
                Self::Upload { repository, id }
            };
        }
        if let Some((repository, digest)) = split("/blobs/") {
            return Self::Blob { repository, digest };
        }
        if let Some((repository, reference)) = split("/manifests/") {
            return Self::Manifest {
                repository,
                reference,
            };
        }
        if let Some((repository, digest)) = split("/referrers/") {
            return Self::Referrers { repository, digest };
        }
        match split("/tags/") {
            Some((repository, last)) if last == "list" => Self::Tags { repository },
            _ => Self::Unknown,
        }
    }

    pub(super) fn repository(&self) -> Option<&str> {
        match self {
            Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Manifest { repository, .. }
            | Self::Tags { repository }
            | Self::Referrers { repository, .. } => Some(repository),
            Self::Root | Self::Token | Self::Unknown => None,
        }
    }
}
