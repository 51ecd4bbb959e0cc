//! Finding out before the first compile whether a push can work.

use reqwest::Method;

use super::manifest::ManifestReference;
use crate::reference::Tag;
use crate::registry::access::challenge::Challenge;
use crate::registry::access::knowledge::Scheme;
use crate::registry::call::authorize::Permit;
use crate::registry::call::sending::{Call, Persistence};
use crate::registry::errors::error::RegistryError;
use crate::registry::wire::request::Request;

/// The right that a push needs, as tokens name it.
const PUSH: &str = "push";

impl Call<'_> {
    /// Gets ready for a push: the permit, what the tag leads to, and where that is nothing, an open upload.
    /// Both answers are for the push, which asks for neither again.
    pub(in crate::registry) async fn prepare_push(
        &self,
        tag: Option<&Tag>,
    ) -> Result<(), RegistryError> {
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
                Err(error) if error.hides() => {}
                Err(error) => return Err(error),
            }
        } else {
            self.permit().await?;
        }
        let session = self.open_new_upload().await?;
        self.access.ready.opened(&self.path(), session);
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

    /// Opens an upload, as a push will, and closes it again; gives the status of the answer.
    pub(in crate::registry) async fn check_push(&self) -> Result<u16, RegistryError> {
        let (session, status) = self.ask_to_upload().await?;
        self.leave(session).await;
        Ok(status)
    }

    /// The scope that a token for this call is asked with, where the registry is known to give tokens.
    pub(in crate::registry) async fn told_scope(&self) -> Option<String> {
        let scheme = self.access.scheme.lock().await;
        let tokens = matches!(*scheme, Some(Scheme::Asking(Challenge::Bearer { .. })));
        self.access.wording(&self.scope).filter(|_| tokens)
    }

    /// Shows a name and password to the registry.
    pub(in crate::registry) async fn check_login(&self) -> Result<(), RegistryError> {
        let action = "log in";
        let request = Request::new(Method::GET, self.access.endpoint().root(), action);
        let send = async |request: &Request| self.perform(request, Persistence::Patient).await;
        let reply = self.at_home(request, send).await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(self.refused(action, &reply))
        }
    }
}
