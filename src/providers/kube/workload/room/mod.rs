//! Whether there is room for more pods: what preflight says of a scaling before the night.

mod images;
mod need;
mod nodes;
mod quota;

use super::moves::Move;
use crate::core::words::preflight::Check;
use crate::providers::kube::client::Cluster;
use need::Need;

/// What is asked for besides what runs.
struct More<'a> {
    /// The workload's name.
    name: &'a str,
    /// How many pods more; less than none where some go.
    pods: i64,
    /// What each of them asks for.
    need: Need,
}

/// Quota, nodes and images, as the cluster has them now.
pub async fn checks(cluster: &Cluster, namespace: &str, moves: &[Move]) -> Vec<Check> {
    let more: Vec<More> = moves
        .iter()
        .map(|one| More {
            name: &one.found.named.name,
            pods: i64::from(one.to) - i64::from(one.from),
            need: Need::of(&one.found.object["spec"]["template"]["spec"]),
        })
        .collect();
    if more.iter().all(|one| one.pods <= 0) {
        return Vec::new();
    }
    let (quota, nodes, images) = tokio::join!(
        quota::checks(cluster, namespace, &more),
        nodes::check(cluster, &more),
        images::checks(cluster, namespace, &more)
    );
    quota.into_iter().chain([nodes]).chain(images).collect()
}
