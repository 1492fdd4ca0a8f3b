//! What a probe of one job, or of one cron job, looks at.

use crate::core::words::reading::Measurement;
use crate::plan::ProbeSpec;
use crate::plan::kinds::BuildError;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Call, KubeError, KubeErrorKind};
use crate::providers::kube::place::{Reader, checked};
use serde_json::Value;
use tokio::time::Instant;

/// One object, by the name that the plan gives it.
pub(super) struct Named {
    pub reader: Reader,
    /// As `kubectl` calls its kind (`cronjob`).
    noun: &'static str,
    pub name: String,
}

impl Named {
    /// As a probe of the plan has it.
    ///
    /// # Errors
    /// When it names no context, or what no object can be called.
    pub fn of(noun: &'static str, spec: &ProbeSpec, clients: &Clients) -> Result<Self, BuildError> {
        let name = checked("name", spec.params.require_text("name")?)?.to_owned();
        Ok(Self { reader: Reader::of(spec, clients)?, noun, name })
    }

    /// Its namespace, and the call that reads it there.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read or nobody can sign in.
    pub async fn place(&self, until: Instant) -> Result<(String, Call), KubeError> {
        let permission = format!("get {}s.batch", self.noun);
        let call = Call::new(permission.clone(), self.name.as_str());
        let namespace = self.reader.namespace(&call, until).await?;
        let call = Call::new(permission, format!("{} in {namespace}", self.name));
        Ok((namespace, call))
    }

    /// What is measured of one that is not there.
    pub fn absent(&self, namespace: &str) -> Measurement {
        Measurement::critical(format!("{}/{} is not there in {namespace}", self.noun, self.name))
    }
}

/// What was read; none where it is not there.
///
/// # Errors
/// When it could not be read.
pub(super) fn present(read: Result<Value, KubeError>) -> Result<Option<Value>, KubeError> {
    match read {
        Err(error) if error.kind == KubeErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
