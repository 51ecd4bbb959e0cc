//! Finding out before the first compile whether a push can work.

use reqwest::{Method, Url};

use super::authorize::Permit;
use super::call::{Call, Persistence};
use super::error::RegistryError;
use super::manifest::ManifestReference;
use super::reply::Reply;
use super::request::Request;
use crate::reference::Tag;

/// The right that a push needs, as tokens name it.
const PUSH: &str = "push";

impl Call<'_> {
    /// Gets ready for a push: the permit, what the tag leads to, and where that is nothing, an open upload.
    /// Both answers are for the push, which asks for neither again.
    pub(super) async fn prepare_push(&self, tag: Option<&Tag>) -> Result<(), RegistryError> {
        if let Some(tag) = tag {
            let reference = ManifestReference::Tag(tag.clone());
            match self.ask_for_manifest(&reference).await {
                Ok(found) => {
                    let now = self.core.clock.now();
                    self.access.ready.saw(&self.path(), tag, found, now);
                    if found.is_some() {
                        return self.check_granted().await;
                    }
                }
                // Who may not read may be allowed to push all the same.
                Err(RegistryError::Unauthorized { status: 403, .. }) => {}
                Err(error) => return Err(error),
            }
        } else {
            self.permit().await?;
        }
        let session = self.open_new_upload().await?;
        let open = self.note(&session).await;
        self.access.ready.opened(&self.path(), session, open);
        Ok(())
    }

    /// Fails if the token itself says that it does not give the right to push. Many say nothing.
    async fn check_granted(&self) -> Result<(), RegistryError> {
        let Permit::Bearer { .. } = self.permit().await? else {
            return Ok(());
        };
        let slot = self.access.token(&self.scope);
        let token = slot.lock().await;
        let path = self.path();
        if token.as_ref().and_then(|token| token.may(PUSH, &path)) == Some(false) {
            return Err(RegistryError::NotGranted {
                attempt: Box::new(self.attempt("push")),
                user: self.user().map(Box::new),
            });
        }
        Ok(())
    }

    /// Opens an upload, as a push will, and drops it again.
    pub(super) async fn check_push(&self) -> Result<(), RegistryError> {
        let session = self.open_new_upload().await?;
        let courtesy = self.core.transport.limits.courtesy;
        match tokio::time::timeout(courtesy, self.drop_upload(session.url)).await {
            Ok(Err(RegistryError::Interrupted)) => Err(RegistryError::Interrupted),
            // Registries drop abandoned uploads by themselves, and some want more rights for this.
            Ok(Ok(_) | Err(_)) | Err(_) => Ok(()),
        }
    }

    async fn drop_upload(&self, session: Url) -> Result<Reply, RegistryError> {
        let request = Request::new(Method::DELETE, session, "drop an upload");
        let permit = if self.access.endpoint().owns(&request.url) {
            self.permit().await?.header().cloned()
        } else {
            None
        };
        self.persist(&request, permit.as_ref(), Persistence::Once)
            .await
    }

    /// Shows a name and password to the registry.
    pub(super) async fn check_login(&self) -> Result<(), RegistryError> {
        let action = "log in";
        let request = Request::new(Method::GET, self.access.endpoint().root(), action);
        let reply = self.perform(&request, Persistence::Patient).await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(self.refused(action, &reply))
        }
    }
}
