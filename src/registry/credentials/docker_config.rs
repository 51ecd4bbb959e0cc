//! The docker configuration file: which helper or `auths` entry belongs to which registry.
//!
//! It is walked by hand rather than through serde structs, because serde's messages quote values,
//! and values are passwords here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::members::Members;
use super::private_file;
use crate::registry::addresses::server_key::{Place, server_key};
use crate::registry::credential::{Credential, CredentialError};
use crate::registry::secret::Secret;

const MAX_FILE: u64 = 4 * 1024 * 1024;
/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// As docker writes.
const INDENT: &str = "\t";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A configuration as read, with everything in it that is not ours.
pub(in crate::registry) struct DockerConfig {
    path: PathBuf,
    document: Members,
}

impl DockerConfig {
    /// The file at `path`; `None` where there is none.
    pub(in crate::registry) fn read(path: PathBuf) -> Result<Option<Self>, CredentialError> {
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
    pub(in crate::registry) fn parse(path: PathBuf, bytes: &[u8]) -> Result<Self, CredentialError> {
        let document = parse(&path, bytes)?;
        Ok(Self { path, document })
    }

    /// A file that is yet to be written.
    pub(in crate::registry) fn empty(path: PathBuf) -> Self {
        Self {
            path,
            document: Members::default(),
        }
    }

    /// Changes the file as it is at this moment, with no other process of ours doing so, and writes it
    /// if `change` says so. Gives what `change` says.
    pub(in crate::registry) fn edit(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<bool, CredentialError>,
    ) -> Result<bool, CredentialError> {
        let path = self.path.clone();
        let failed = |source| CredentialError::File {
            path: path.clone(),
            source,
        };
        let target = private_file::target_of(&self.path).map_err(failed)?;
        let _lock = private_file::lock(&target).map_err(failed)?;
        self.document = document(&self.path)?;
        let changed = change(self)?;
        if changed {
            let text = self.document.to_text(INDENT);
            let mut text = text.map_err(|error| self.malformed(&error.to_string()))?;
            text.push(b'\n');
            private_file::write(&target, &text).map_err(failed)?;
        }
        Ok(changed)
    }

    /// The file.
    pub(in crate::registry) fn path(&self) -> &Path {
        &self.path
    }

    /// The helper that keeps the credentials of a registry or repository, by the NAME in
    /// `docker-credential-NAME`; none where the file itself has an entry for a part of the path.
    pub(in crate::registry) fn helper_for(
        &self,
        name: &str,
    ) -> Result<Option<String>, CredentialError> {
        let helpers = self.table("credHelpers")?;
        let own = best(&helpers, name);
        let own_path = own.as_ref().map_or(0, |(path, _)| path.len());
        let auths = self.table("auths")?;
        if best(&auths, name).is_some_and(|(path, _)| path.len() > own_path) {
            return Ok(None);
        }
        let own = own.map(|(_, name)| name);
        let Some(name) = own.or_else(|| self.document.get("credsStore")) else {
            return Ok(None);
        };
        self.helper_name(name)
    }

    /// All helpers that the file names.
    pub(in crate::registry) fn helpers(&self) -> Result<BTreeSet<String>, CredentialError> {
        let mut found = BTreeSet::new();
        for (_, name) in self.table("credHelpers")?.iter() {
            found.extend(self.helper_name(name)?);
        }
        if let Some(name) = self.document.get("credsStore") {
            found.extend(self.helper_name(name)?);
        }
        Ok(found)
    }

    /// The NAME in `docker-credential-NAME`, if it is fit for one.
    fn helper_name(&self, name: &RawValue) -> Result<Option<String>, CredentialError> {
        let name = serde_json::from_str::<String>(name.get())
            .map_err(|_| self.malformed("a helper's name is no string"))?;
        if name.is_empty() {
            return Ok(None);
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.bytes().all(legal) {
            Ok(Some(name))
        } else {
            Err(CredentialError::HelperName {
                path: self.path.clone(),
            })
        }
    }

    /// The credential that the file itself holds for a registry or repository.
    pub(in crate::registry) fn inline(
        &self,
        name: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        match best(&self.table("auths")?, name) {
            Some((_, entry)) => self.credential_of(entry),
            None => Ok(None),
        }
    }

    /// The part of a repository's path that an entry of the file is for, if there is one.
    pub(in crate::registry) fn path_entry(
        &self,
        name: &str,
    ) -> Result<Option<String>, CredentialError> {
        let tables = [self.table("auths")?, self.table("credHelpers")?];
        let paths = tables.iter().filter_map(|table| Some(best(table, name)?.0));
        let longest = paths.max_by_key(String::len);
        Ok(longest.filter(|path| !path.is_empty()))
    }

    /// Whether the file itself holds a password or token.
    pub(in crate::registry) fn holds_secrets(&self) -> bool {
        const SECRETS: [&str; 4] = ["auth", "identitytoken", "password", "registrytoken"];
        let auths = self.table("auths").unwrap_or_default();
        auths.iter().any(|(_, entry)| {
            let entry: Value = serde_json::from_str(entry.get()).unwrap_or_default();
            let held = |name: &&str| entry.get(*name).and_then(Value::as_str);
            SECRETS.iter().filter_map(held).any(|text| !text.is_empty())
        })
    }

    /// The parts of a registry or of a part of it that the file itself has other entries for, by the names of
    /// these.
    pub(in crate::registry) fn parts_below(
        &self,
        name: &str,
    ) -> Result<Vec<String>, CredentialError> {
        let whole = Place::of_name(name);
        let (host, _) = name.split_once('/').unwrap_or((name, ""));
        let auths = self.table("auths")?;
        let places = auths.iter().filter_map(|(key, _)| Place::of_entry(key));
        // Two keys may be about one place.
        let places: BTreeMap<String, Place> = places
            .map(|place| (place.path.clone(), place))
            .filter(|(_, place)| place.server == whole.server)
            .collect();
        let below = places
            .into_values()
            .filter(|place| *place != whole && whole.covers(place));
        Ok(below
            .map(|place| format!("{host}/{}", place.path))
            .collect())
    }

    /// Keeps a credential in the file itself.
    pub(in crate::registry) fn set_inline(
        &mut self,
        registry: &str,
        username: &str,
        password: &Secret,
    ) -> Result<(), CredentialError> {
        self.remove_inline(registry)?;
        let pair = BASE64.encode(format!("{username}:{}", password.expose()));
        let mut auths = self.table("auths")?;
        let entry = self.raw(&json!({ "auth": pair }))?;
        auths.set(&server_key(registry), entry);
        self.set_auths(&auths)
    }

    /// Forgets what the file itself holds for a registry, or for exactly this part of it; tells whether there was
    /// anything.
    pub(in crate::registry) fn remove_inline(
        &mut self,
        name: &str,
    ) -> Result<bool, CredentialError> {
        let mut auths = self.table("auths")?;
        let wanted = Some(Place::of_name(name));
        let removed = auths.retain(|key| Place::of_entry(key) != wanted);
        if removed {
            self.set_auths(&auths)?;
        }
        Ok(removed)
    }

    fn set_auths(&mut self, auths: &Members) -> Result<(), CredentialError> {
        let auths = self.raw(auths)?;
        self.document.set("auths", auths);
        Ok(())
    }

    fn raw(&self, value: &impl serde::Serialize) -> Result<Box<RawValue>, CredentialError> {
        to_raw_value(value).map_err(|error| self.malformed(&error.to_string()))
    }

    fn credential_of(&self, entry: &RawValue) -> Result<Option<Credential>, CredentialError> {
        let entry: Value = serde_json::from_str(entry.get())
            .map_err(|_| self.malformed("an entry of `auths` cannot be read"))?;
        let field = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("");
        if !field("identitytoken").is_empty() {
            let token = Secret::new(field("identitytoken"));
            return Ok(Some(Credential::IdentityToken(token)));
        }
        // Docker's decoder passes line breaks over, which `base64` and people put there.
        let pair = field("auth").replace(['\r', '\n'], "");
        if pair.is_empty() {
            return Ok(Credential::of_pair(field("username"), field("password")));
        }
        let decoded = BASE64
            .decode(pair)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| self.malformed("an `auth` is not base64 of a name and a password"))?;
        let (username, password) = decoded
            .split_once(':')
            .ok_or_else(|| self.malformed("an `auth` has no colon after the name"))?;
        Ok(Credential::of_pair(username, password.trim_matches('\0')))
    }

    /// The members of an object in the file, none where there is no such object.
    fn table(&self, name: &str) -> Result<Members, CredentialError> {
        match self.document.get(name).map(RawValue::get) {
            None | Some("null") => Ok(Members::default()),
            Some(text) => Members::parse(text.as_bytes())
                .map_err(|_| self.malformed(&format!("`{name}` is no object"))),
        }
    }

    fn malformed(&self, why: &str) -> CredentialError {
        CredentialError::Malformed {
            path: self.path.clone(),
            why: why.to_owned(),
        }
    }
}

/// The entry whose key is the longest part of `name`, with its path; the key that docker itself writes
/// wins over older spellings of the same host.
fn best<'a>(table: &'a Members, name: &str) -> Option<(String, &'a RawValue)> {
    let wanted = Place::of_name(name);
    let matching = table.iter().filter_map(|(key, value)| {
        let place = Place::of_key(key)?;
        place.covers(&wanted).then_some((place.path, key, value))
    });
    let best = matching.max_by_key(|(path, key, _)| (path.len(), *key == wanted.server));
    best.map(|(path, _, value)| (path, value))
}

fn document(path: &Path) -> Result<Members, CredentialError> {
    match read(path) {
        Ok(bytes) => parse(path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Members::default()),
        Err(source) => Err(CredentialError::File {
            path: path.to_owned(),
            source,
        }),
    }
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

fn parse(path: &Path, bytes: &[u8]) -> Result<Members, CredentialError> {
    let malformed = |why: String| CredentialError::Malformed {
        path: path.to_owned(),
        why,
    };
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Ok(Members::default());
    }
    match Members::parse(bytes) {
        Ok(members) => Ok(members),
        Err(error) if error.is_data() => Err(malformed("it is no object".to_owned())),
        Err(error) => Err(malformed(format!(
            "no JSON at line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
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
    fn a_line_break_in_an_auth_and_a_mark_before_the_text_are_passed_over() {
        let config = config("\u{feff}{\"auths\":{\"a.io\":{\"auth\":\"bWU6\\r\\nc2VjcmV0\\n\"}}}");
        assert_eq!(user_of(&config, "a.io").as_deref(), Some("me"));
    }

    #[test]
    fn parts_of_a_registry_are_told_by_name() {
        let config = config(
            r#"{"auths":{"a.io":{},"a.io/x":{},"https://a.io/v2/":{},"a.io/x/y":{},"a.io.b/z":{},"b.io/x":{}}}"#,
        );
        let parts = |name| config.parts_below(name).expect("read");
        assert_eq!(parts("a.io"), ["a.io/x", "a.io/x/y"]);
        assert_eq!(parts("a.io/x"), ["a.io/x/y"]);
        assert_eq!(parts("c.io"), Vec::<String>::new());
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
