//! Which namespace a probe reads where the plan names none.

use super::client::{Call, KubeError};
use super::place::Reader;
use tokio::time::Instant;

/// The plan's, or the one of the context.
///
/// # Errors
/// When the kubeconfig cannot be read or nobody can sign in.
pub async fn of(reader: &Reader, call: &Call, until: Instant) -> Result<String, KubeError> {
    match &reader.namespace {
        Some(namespace) => Ok(namespace.clone()),
        None => Ok(reader.cluster.session(call, until).await?.namespace),
    }
}
