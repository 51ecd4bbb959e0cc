//! The docker configuration file: which helper or `auths` entry belongs to which registry.
//!
//! It is walked by hand rather than through serde structs, because serde's messages quote values,
//! and values are passwords here.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};

use super::credential::{Credential, CredentialError};
use super::endpoint::is_docker_hub;
use super::secret::Secret;
use crate::fs::DirectoryLock;

/// Held while the file is changed.
const LOCK: &str = ".cargo-lighter.lock";
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// The key under which docker keeps the credential of Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A configuration as read, with everything in it that is not ours.
pub(super) struct DockerConfig {
    path: PathBuf,
    document: Map<String, Value>,
}

impl DockerConfig {
    /// The file at `path`; `None` where there is none.
    pub(super) fn read(path: PathBuf) -> Result<Option<Self>, CredentialError> {
        match read(&path) {
            Ok(bytes) => Ok(Some(Self::parse(path, &bytes)?)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(CredentialError::File { path, source }),
        }
    }

    /// What a file at `path` with these bytes says.
    pub(super) fn parse(path: PathBuf, bytes: &[u8]) -> Result<Self, CredentialError> {
        let document = parse(&path, bytes)?;
        Ok(Self { path, document })
    }

    /// A file that is yet to be written.
    pub(super) fn empty(path: PathBuf) -> Self {
        Self {
            path,
            document: Map::new(),
        }
    }

    /// Changes the file as it is at this moment, with no other process of ours doing so, and writes it
    /// if `change` says so. Gives what `change` says.
    pub(super) fn edit(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<bool, CredentialError>,
    ) -> Result<bool, CredentialError> {
        let _lock = lock(&self.target()).map_err(|source| CredentialError::File {
            path: self.path.clone(),
            source,
        })?;
        self.document = document(&self.path)?;
        let changed = change(self)?;
        if changed {
            self.save()?;
        }
        Ok(changed)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The helper that keeps the credentials of a registry or repository, by the NAME in
    /// `docker-credential-NAME`; none where the file itself has an entry for a part of the path.
    pub(super) fn helper_for(&self, name: &str) -> Result<Option<String>, CredentialError> {
        let helpers = self.table("credHelpers")?;
        let own = helpers.and_then(|helpers| best(helpers, name));
        let own_path = own.as_ref().map_or(0, |(path, _)| path.len());
        let auths = self.table("auths")?;
        let inline = auths.and_then(|auths| best(auths, name));
        if inline.is_some_and(|(path, _)| path.len() > own_path) {
            return Ok(None);
        }
        let own = own.map(|(_, name)| name);
        let Some(name) = own.or_else(|| self.document.get("credsStore")) else {
            return Ok(None);
        };
        self.helper_name(name)
    }

    /// All helpers that the file names.
    pub(super) fn helpers(&self) -> Result<BTreeSet<String>, CredentialError> {
        let of_hosts = self.table("credHelpers")?.into_iter().flat_map(Map::values);
        let names = of_hosts.chain(self.document.get("credsStore"));
        let mut found = BTreeSet::new();
        for name in names {
            found.extend(self.helper_name(name)?);
        }
        Ok(found)
    }

    /// The NAME in `docker-credential-NAME`, if it is fit for one.
    fn helper_name(&self, name: &Value) -> Result<Option<String>, CredentialError> {
        let name = name
            .as_str()
            .ok_or_else(|| self.malformed("a helper's name is no string"))?;
        if name.is_empty() {
            return Ok(None);
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.bytes().all(legal) {
            Ok(Some(name.to_owned()))
        } else {
            Err(CredentialError::HelperName {
                path: self.path.clone(),
            })
        }
    }

    /// The credential that the file itself holds for a registry or repository.
    pub(super) fn inline(&self, name: &str) -> Result<Option<Credential>, CredentialError> {
        let auths = self.table("auths")?;
        match auths.and_then(|auths| best(auths, name)) {
            Some((_, entry)) => self.credential_of(entry),
            None => Ok(None),
        }
    }

    /// The part of a repository's path that an entry of the file is for, if there is one.
    pub(super) fn path_entry(&self, name: &str) -> Result<Option<String>, CredentialError> {
        let tables = [self.table("auths")?, self.table("credHelpers")?];
        let paths = tables.into_iter().flatten();
        let paths = paths.filter_map(|table| Some(best(table, name)?.0));
        let longest = paths.max_by_key(String::len);
        Ok(longest.filter(|path| !path.is_empty()))
    }

    /// Keeps a credential in the file itself.
    pub(super) fn set_inline(
        &mut self,
        registry: &str,
        username: &str,
        password: &Secret,
    ) -> Result<(), CredentialError> {
        self.remove_inline(registry)?;
        let pair = BASE64.encode(format!("{username}:{}", password.expose()));
        let auths = self.document.entry("auths").or_insert(Value::Null);
        let key = server_key(registry);
        if let Value::Object(auths) = auths {
            auths.insert(key, json!({ "auth": pair }));
        } else {
            *auths = json!({ key: { "auth": pair } });
        }
        Ok(())
    }

    /// Forgets what the file itself holds for a registry; tells whether there was anything.
    pub(super) fn remove_inline(&mut self, registry: &str) -> Result<bool, CredentialError> {
        self.table("auths")?;
        let wanted = server_key(registry);
        let Some(Value::Object(auths)) = self.document.get_mut("auths") else {
            return Ok(false);
        };
        let before = auths.len();
        let is_wanted = |(server, path): (String, String)| server == wanted && path.is_empty();
        auths.retain(|key, _| !key_of(key).is_some_and(is_wanted));
        Ok(auths.len() < before)
    }

    /// Writes the file in one step, readable by its owner only from the first byte on.
    fn save(&self) -> Result<(), CredentialError> {
        let mut text = serde_json::to_vec_pretty(&self.document)
            .map_err(|error| self.malformed(&error.to_string()))?;
        text.push(b'\n');
        write_private(&self.target(), &text).map_err(|source| CredentialError::File {
            path: self.path.clone(),
            source,
        })
    }

    /// Where the file is: a symbolic link to a file kept elsewhere stays one.
    fn target(&self) -> PathBuf {
        fs_err::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    fn credential_of(&self, entry: &Value) -> Result<Option<Credential>, CredentialError> {
        let field = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("");
        if !field("identitytoken").is_empty() {
            let token = Secret::new(field("identitytoken"));
            return Ok(Some(Credential::IdentityToken(token)));
        }
        if field("auth").is_empty() {
            return Ok(Credential::of_pair(field("username"), field("password")));
        }
        let decoded = BASE64
            .decode(field("auth"))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| self.malformed("an `auth` is not base64 of a name and a password"))?;
        let (username, password) = decoded
            .split_once(':')
            .ok_or_else(|| self.malformed("an `auth` has no colon after the name"))?;
        Ok(Credential::of_pair(username, password.trim_matches('\0')))
    }

    fn table(&self, name: &str) -> Result<Option<&Map<String, Value>>, CredentialError> {
        match self.document.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(table)) => Ok(Some(table)),
            Some(_) => Err(self.malformed(&format!("`{name}` is no object"))),
        }
    }

    fn malformed(&self, why: &str) -> CredentialError {
        CredentialError::Malformed {
            path: self.path.clone(),
            why: why.to_owned(),
        }
    }
}

/// What docker calls a registry in its files and to its helpers: the host with its port, or a fixed
/// URL for Docker Hub.
pub(super) fn server_key(registry: &str) -> String {
    if is_docker_hub(registry) {
        DOCKER_HUB_KEY.to_owned()
    } else {
        registry.to_ascii_lowercase()
    }
}

/// The server that a key of the file means, and the part of a repository's path; `None` for a URL that
/// is neither. Only the whole host matches, never a part of it.
fn key_of(key: &str) -> Option<(String, String)> {
    let scheme = ["https://", "http://"];
    let bare = scheme.iter().find_map(|scheme| key.strip_prefix(scheme));
    let (host, path) = bare
        .unwrap_or(key)
        .split_once('/')
        .unwrap_or_else(|| (bare.unwrap_or(key), ""));
    let path = path.trim_end_matches('/');
    let path = match path {
        // The root of the registry's API.
        "v1" | "v2" => "",
        // What follows a host in a URL is no repository.
        path if bare.is_some() && !path.is_empty() => return None,
        path => path,
    };
    (!host.is_empty()).then(|| (server_key(host), path.to_owned()))
}

/// The entry whose key is the longest part of `name`, with its path; the key that docker itself writes
/// wins over older spellings of the same host.
fn best<'a>(table: &'a Map<String, Value>, name: &str) -> Option<(String, &'a Value)> {
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let wanted = server_key(host);
    let covers = |key: &str| {
        let rest = path.strip_prefix(key);
        rest.is_some_and(|rest| key.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    let matching = table.iter().filter_map(|(key, value)| {
        let (server, path) = key_of(key)?;
        (server == wanted && covers(&path)).then_some((path, key, value))
    });
    let best = matching.max_by_key(|(path, key, _)| (path.len(), **key == wanted));
    best.map(|(path, _, value)| (path, value))
}

fn document(path: &Path) -> Result<Map<String, Value>, CredentialError> {
    match read(path) {
        Ok(bytes) => parse(path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Map::new()),
        Err(source) => Err(CredentialError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn lock(path: &Path) -> io::Result<DirectoryLock> {
    DirectoryLock::acquire(private_directory_of(path)?, LOCK)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe would keep us waiting, and holds its content only once.
    let kind = fs_err::metadata(path)?;
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other("larger than 4 MiB"));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Map<String, Value>, CredentialError> {
    let malformed = |why: String| CredentialError::Malformed {
        path: path.to_owned(),
        why,
    };
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) => Err(malformed("it is no object".to_owned())),
        Err(error) => Err(malformed(format!(
            "no JSON at line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

/// The directory of a file, made for its owner only where it is missing.
fn private_directory_of(path: &Path) -> io::Result<&Path> {
    let directory = path.parent().unwrap_or(Path::new("."));
    if !directory.exists() {
        fs_err::create_dir_all(directory)?;
        fs_err::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    Ok(directory)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = private_directory_of(path)?;
    // Made with mode 0600, where the crate's other atomic files follow the umask.
    let mut file = tempfile::Builder::new()
        .prefix(crate::fs::TEMPORARY_PREFIX)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(text: &str) -> DockerConfig {
        let path = PathBuf::from("/home/x/.docker/config.json");
        let document = parse(&path, text.as_bytes()).expect("JSON");
        DockerConfig { path, document }
    }

    fn user_of(config: &DockerConfig, registry: &str) -> Option<String> {
        let found = config.inline(registry).expect("well formed");
        found.map(|credential| credential.user().to_owned())
    }

    #[test]
    fn only_the_exact_host_matches() {
        // `auth` is `me:secret`.
        let config = config(r#"{"auths":{"ghcr.io":{"auth":"bWU6c2VjcmV0"}}}"#);
        assert_eq!(user_of(&config, "ghcr.io").as_deref(), Some("me"));
        assert_eq!(user_of(&config, "GHCR.io").as_deref(), Some("me"));
        for look_alike in [
            "ghcr.io:443",
            "ghcr.io.evil.example",
            "evil-ghcr.io",
            "x.ghcr.io",
            "ghcr.iо",
            "hcr.io",
        ] {
            assert_eq!(user_of(&config, look_alike), None, "{look_alike}");
        }
    }

    #[test]
    fn docker_spellings_of_a_host_are_the_host() {
        for (key, registry) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("docker.io", "index.docker.io"),
            ("https://localhost:5000/v2/", "localhost:5000"),
            ("http://localhost:5000", "localhost:5000"),
        ] {
            let config = config(&format!(r#"{{"auths":{{"{key}":{{"auth":"bWU6cA"}}}}}}"#));
            assert_eq!(user_of(&config, registry).as_deref(), Some("me"), "{key}");
        }
        let namespace = config(r#"{"auths":{"ghcr.io/acme":{"auth":"bWU6cA=="}}}"#);
        assert_eq!(user_of(&namespace, "ghcr.io"), None);
        assert_eq!(user_of(&namespace, "ghcr.io/acme").as_deref(), Some("me"));
    }

    #[test]
    fn the_helper_of_a_host_wins_over_the_general_one() {
        let config = config(r#"{"credHelpers":{"ghcr.io":"own"},"credsStore":"general"}"#);
        let helper = |registry| config.helper_for(registry).expect("legal");
        assert_eq!(helper("ghcr.io").as_deref(), Some("own"));
        assert_eq!(helper("quay.io").as_deref(), Some("general"));
    }

    #[test]
    fn an_entry_for_a_part_of_the_path_wins_over_a_helper_for_less_of_it() {
        let config = config(
            r#"{"auths":{"ghcr.io/acme":{"auth":"bWU6cA=="}},"credHelpers":{"ghcr.io/acme/vault":"vault"},"credsStore":"general"}"#,
        );
        let helper = |name| config.helper_for(name).expect("legal");
        assert_eq!(helper("ghcr.io/acme/orders"), None);
        assert_eq!(
            user_of(&config, "ghcr.io/acme/orders").as_deref(),
            Some("me")
        );
        assert_eq!(helper("ghcr.io/acme/vault/x").as_deref(), Some("vault"));
        assert_eq!(helper("ghcr.io/other").as_deref(), Some("general"));
    }

    #[test]
    fn a_helper_is_a_name_and_nothing_else() {
        for name in ["../x", "x;rm", "a b", "a/b", "x\\n"] {
            let config = config(&format!(r#"{{"credsStore":"{name}"}}"#));
            assert!(config.helper_for("ghcr.io").is_err(), "{name}");
        }
    }

    #[test]
    fn an_identity_token_wins_and_an_empty_entry_is_anonymous() {
        let config = config(
            r#"{"auths":{"a.io":{"auth":"bWU6cA==","identitytoken":"t"},"b.io":{},"c.io":{"username":"u","password":"p"}}}"#,
        );
        assert_eq!(user_of(&config, "a.io").as_deref(), Some("<token>"));
        assert_eq!(user_of(&config, "b.io"), None);
        assert_eq!(user_of(&config, "c.io").as_deref(), Some("u"));
    }

    #[test]
    fn no_message_repeats_a_value() {
        let config = config(r#"{"auths":{"ghcr.io":{"auth":"aHVudGVyMg=="}}}"#);
        let error = config.inline("ghcr.io").expect_err("no colon");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let error = parse(Path::new("c"), br#"{"auths": "hunter2" hunter2"#).expect_err("no JSON");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(text in ".*", registry in "[ -~]{0,20}") {
            if let Ok(document) = parse(Path::new("c"), text.as_bytes()) {
                let mut config = DockerConfig { path: "c".into(), document };
                let _ = config.inline(&registry);
                let _ = config.helper_for(&registry);
                let _ = config.remove_inline(&registry);
            }
        }

        #[test]
        fn odd_shapes_never_panic(key in "[a-z./:]{0,12}", value in "[ -~]{0,12}") {
            for entry in [json!(value), json!(1), json!(null), json!({"auth": value}), json!([value])] {
                let document = json!({"auths": {&key: entry}, "credHelpers": {&key: entry}});
                let config = config(&document.to_string());
                let _ = config.inline(&key);
                let _ = config.helper_for(&key);
            }
        }

        #[test]
        fn what_is_stored_is_found(
            user in "[a-zA-Z0-9_]{1,12}",
            password in "[^\0]{1,20}",
            registry in "[a-z]{1,8}\\.io(:[0-9]{2,4})?",
        ) {
            let mut config = config(r#"{"auths":null,"other":1}"#);
            let password = Secret::new(password);
            config.set_inline(&registry, &user, &password).expect("stored");
            let found = config.inline(&registry).expect("read");
            prop_assert_eq!(found, Some(Credential::Password { username: user, password }));
            prop_assert!(config.remove_inline(&registry).expect("removed"));
            prop_assert_eq!(config.inline(&registry).expect("read"), None);
        }
    }
}
