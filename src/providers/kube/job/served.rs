//! Which version of the API a cluster serves cron jobs in: `batch/v1`, before Kubernetes 1.21 only `batch/v1beta1`.

use crate::providers::kube::client::{CRON_JOBS, CRON_JOBS_OLD, Call, Cluster, KubeError, KubeErrorKind};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// What a cluster was found to serve.
#[derive(Default)]
struct Served {
    is_old: AtomicBool,
}

/// The cron job of that name, in the version that was served last; in the other one where the cluster has it no more.
///
/// # Errors
/// As [`Cluster::get`].
pub(super) async fn cron_job(
    cluster: &Cluster,
    call: &Call,
    namespace: &str,
    name: &str,
    until: Instant,
) -> Result<Value, KubeError> {
    let served = cluster.kept("cron jobs", Served::default);
    let is_old = served.is_old.load(Ordering::Relaxed);
    let get = |is_old: bool| {
        let resource = if is_old { CRON_JOBS_OLD } else { CRON_JOBS };
        let left = until.saturating_duration_since(Instant::now());
        cluster.get(call, resource.path(Some(namespace), Some(name)), left)
    };
    match get(is_old).await {
        Err(unserved) if unserved.kind == KubeErrorKind::NoSuchKind => match get(!is_old).await {
            Err(error) if error.kind == KubeErrorKind::NoSuchKind => Err(unserved),
            answer => {
                served.is_old.store(!is_old, Ordering::Relaxed);
                answer
            }
        },
        answer => answer,
    }
}
