//! Finding out before the first compile whether a push can work.

use reqwest::{Method, Url};

use super::call::{Call, Persistence};
use super::error::RegistryError;
use super::reply::Reply;
use super::request::Request;

impl Call<'_> {
    /// Opens an upload, as a push will, and drops it again.
    pub(super) async fn check_push(&self) -> Result<(), RegistryError> {
        let session = self.open_upload().await?;
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
