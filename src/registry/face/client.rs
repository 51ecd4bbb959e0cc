//! The blocking face of the client.

use std::future::Future;
use std::path::Path;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::engine::Engine;
use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::process::{Environment, Interrupt};
use crate::reference::{Repository, Tag};
use crate::registry::access::core::Core;
use crate::registry::call::sending::Call;
use crate::registry::errors::error::{RegistryError, User};
use crate::registry::options::Options;
use crate::registry::pull::{self, ManifestPull};
#[cfg(test)]
use crate::registry::push::blob::Arrival;
use crate::registry::push::image::{ImageOutcome, ImagePush};
use crate::registry::push::manifest::{
    ManifestFound, ManifestOutcome, ManifestRead, ManifestReference,
};
#[cfg(test)]
use crate::registry::wire::content::Content;
use crate::report::{Clock, Meter};

/// All registries of a run. Shared between threads; every method blocks the thread that calls it,
/// and none may be called from asynchronous code.
#[derive(Debug)]
pub struct Registry {
    engine: Engine,
    core: Core,
}

impl Registry {
    /// A client that looks for credentials, proxies and certificates in `environment`, lets tokens
    /// expire by `clock`, and ends every wait soon after `interrupt` is raised.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] when threads or the HTTP client cannot be made.
    pub fn new(
        environment: &Environment,
        clock: Clock,
        interrupt: &Interrupt,
    ) -> Result<Self, RegistryError> {
        Self::with(environment, clock, interrupt, Options::default())
    }

    /// The same, going about it in another way.
    ///
    /// # Errors
    /// As [`Registry::new`].
    pub fn with(
        environment: &Environment,
        clock: Clock,
        interrupt: &Interrupt,
        options: Options,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            engine: Engine::start()?,
            core: Core::new(environment, clock, interrupt, options)?,
        })
    }

    /// Whether a push to a repository can work: the registry is reachable, takes our credentials,
    /// and opens an upload. Gives the status of its answer to that.
    ///
    /// # Errors
    /// [`RegistryError`], with what to do about it as hint.
    pub fn check_push(&self, repository: &Repository) -> Result<u16, RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(call.check_push())
    }

    /// Gets ready for the push of an image to a repository, before the first compile: the registry is
    /// reachable, takes our credentials, and gives the right to push. Where `tag` leads to nothing yet, an
    /// upload is opened, which carries the first blob later.
    ///
    /// # Errors
    /// [`RegistryError`], with what to do about it as hint.
    pub fn prepare_push(
        &self,
        repository: &Repository,
        tag: Option<&Tag>,
    ) -> Result<(), RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(call.prepare_push(tag))
    }

    /// Who we would be to the registry of a repository; `None` is anonymous. Asks no registry.
    ///
    /// # Errors
    /// [`RegistryError`] when the credential cannot be looked up.
    pub fn user(&self, repository: &Repository) -> Result<Option<User>, RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(async {
            call.credential().await?;
            Ok(call.user())
        })
    }

    /// The scope that tokens for a push to a repository are asked with; `None` where its registry is not known
    /// to give tokens. Asks no registry.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry's name is not legal.
    pub fn scope(&self, repository: &Repository) -> Result<Option<String>, RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(async { Ok(call.told_scope().await) })
    }

    /// Takes note of repositories that will be pushed to, so that the right to take blobs over from
    /// one another is asked for together with the right to push.
    ///
    /// # Errors
    /// [`RegistryError`] when a registry's name is not legal.
    pub fn expect(&self, repositories: &[Repository]) -> Result<(), RegistryError> {
        for repository in repositories {
            Call::new(&self.core, repository)?;
        }
        Ok(())
    }

    /// Makes sure that the registry has an image, reachable by its digest: its blobs and its manifest.
    /// Nothing is asked further once the manifest is found. A blob that another repository of the
    /// registry got in this run is taken over from there. The files are streamed.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry did not take it; what it has by then stays there.
    pub fn push_image(
        &self,
        repository: &Repository,
        image: &ImagePush<'_>,
    ) -> Result<ImageOutcome, RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(call.push_image(image))
    }

    /// One blob alone, with the number of requests that it took.
    #[cfg(test)]
    pub(in crate::registry) fn push_content(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        content: &Content,
    ) -> Result<(Arrival, u64), RegistryError> {
        let call = Call::new(&self.core, repository)?;
        let meter = Meter::default();
        let nothing = crate::registry::push::course::Foreknowledge::Nothing;
        let pushed = async {
            let arrival = call.push_blob(blob, content, nothing, &meter).await?;
            if self.core.confirm {
                call.confirm_arrival(blob, content, &meter).await?;
            }
            Ok(arrival)
        };
        let arrival = self.run(pushed)?;
        Ok((arrival, call.requests()))
    }

    /// Puts a manifest or index: exactly these bytes, under its digest or a tag. A registry that
    /// names another digest for them is an error.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry did not take it.
    pub fn push_manifest(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<ManifestOutcome, RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(call.push_manifest(reference, media_type, bytes))
    }

    /// The digest of the manifest that a name points at, if there is one.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be asked.
    pub fn manifest_exists(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
    ) -> Result<ManifestFound, RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(call.manifest_exists(reference))
    }

    /// The manifest that a name points at, if there is one.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be asked, or gives another manifest than the one of
    /// the digest that was asked for.
    pub fn read_manifest(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
    ) -> Result<ManifestRead, RegistryError> {
        let call = Call::new(&self.core, repository)?;
        self.run(call.read_manifest(reference))
    }

    /// The digest that a name leads to, if there is such a manifest; asked as nobody where that is enough.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be asked.
    pub fn resolve(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
    ) -> Result<Option<Digest>, RegistryError> {
        self.run(pull::as_nobody_first(
            &self.core,
            repository,
            async |call| call.ask_for_manifest(reference).await,
        ))
    }

    /// A manifest or index, to be looked into. Asked as nobody first: the user's credentials are looked up
    /// only where the registry refuses that.
    ///
    /// # Errors
    /// [`RegistryError`] when there is none, the registry cannot be asked, or it gives another manifest
    /// than the one of the digest that was asked for.
    pub fn pull_manifest(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
    ) -> Result<ManifestPull, RegistryError> {
        self.run(pull::as_nobody_first(
            &self.core,
            repository,
            async |call| call.pull_manifest(reference).await,
        ))
    }

    /// Reads a blob into the file `path`, which is replaced; asked as [`Registry::pull_manifest`]. What
    /// broke on the way goes on where it broke. Size and digest are those of `blob`, or it is an error; what
    /// is in the file then is nothing to be used. `meter` counts the bytes as they come.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry does not give it, gives something else, or the file cannot be
    /// written.
    pub fn pull_blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        path: &Path,
        meter: &Meter,
    ) -> Result<(), RegistryError> {
        let path = self.core.environment.resolve(path);
        self.run(pull::as_nobody_first(
            &self.core,
            repository,
            async |call| call.pull_blob(blob, &path, meter).await,
        ))
    }

    /// What registries warned of since this was asked last: each text once, five of them at most.
    pub fn warnings(&self) -> Vec<String> {
        self.core.warnings.take()
    }

    /// What only those want to hear who ask for detail, since this was asked last: which host was shown whose
    /// credential, and the words of a credential helper that failed.
    pub fn notes(&self) -> Vec<String> {
        self.core.notes.take()
    }

    /// Requests sent so far, to all hosts.
    pub fn requests(&self) -> u64 {
        self.core.transport.requests()
    }

    fn run<T>(
        &self,
        work: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let core = &self.core;
        let _spending = core.budget.spend();
        let result = self.engine.run(&core.interrupt, async {
            match select(pin!(core.budget.used_up()), pin!(work)).await {
                Either::Left((error, _)) => Err(error),
                Either::Right((result, _)) => result,
            }
        });
        if let Err(RegistryError::Interrupted | RegistryError::OutOfTime { .. }) = result {
            self.engine.close(core);
        }
        result
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Uploads that were opened early and never needed.
        self.engine.close(&self.core);
    }
}
