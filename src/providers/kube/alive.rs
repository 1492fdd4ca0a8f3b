//! Whether an API server answers now. A watch that hears nothing tells nothing: each look asks this as well, and all that
//! look at one cluster within a second ask once.

use super::client::{Call, Cluster, KubeError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

const FRESH: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Asked(Mutex<Option<(Instant, Result<(), KubeError>)>>);

/// Asks for the version, which everybody may read by default.
///
/// # Errors
/// When there is no answer.
pub async fn ask(cluster: &Cluster, within: Duration) -> Result<(), KubeError> {
    let asked = cluster.kept("alive", Asked::default);
    let mut last = asked.0.lock().await;
    if let Some((_, answer)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
        return answer.clone();
    }
    let call = Call::new("get /version", "of the API server");
    let answer = cluster.get(&call, "/version".to_owned(), within).await.map(|_| ());
    *last = Some((Instant::now(), answer.clone()));
    answer
}
