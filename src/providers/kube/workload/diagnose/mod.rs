//! What is behind a signal of workloads: their pods with reasons, the newest warnings, the last lines of the container that
//! crashed last.

mod log;
mod pod;
mod pods;
mod warnings;

use super::Workload;
use super::named::Named;
use super::probe::Workloads;
use crate::core::words::diagnosis::Section;
use crate::providers::kube::client::{Call, Cluster, EVENTS, KubeError, PODS, Scope};
use crate::providers::kube::event::Warning;
use jiff::Timestamp;
use pod::Pod;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How long the lists may take, and how long all of it may: less than the engine waits, so that each section says for itself
/// what gave no answer.
const LISTS: Duration = Duration::from_secs(6);
const ALL: Duration = Duration::from_secs(9);

/// What a diagnosis needs besides what the probe needs.
pub const PERMISSIONS: &[&str] = &["list events", "get pods/log"];

const TITLES: [&str; 3] = ["PODS", "NEWEST WARNINGS", "LOG"];

/// The workloads of a probe and their pods, as they are now.
struct Seen {
    namespace: String,
    workloads: Vec<Workload>,
    /// Those that the plan names and the cluster does not have.
    absent: Vec<String>,
    pods: Vec<Pod>,
}

/// All of it. Nothing is taken from the watches: they may hear nothing.
pub(super) async fn sections(probe: &Workloads) -> Vec<Section> {
    let (lists, until) = (Instant::now() + LISTS, Instant::now() + ALL);
    let cluster = &probe.reader.cluster;
    let namespace = match probe.reader.namespace(&Call::new("list pods", ""), lists).await {
        Ok(namespace) => namespace,
        Err(error) => return TITLES.map(|title| Section::unread(title, error.problem())).into(),
    };
    let scope = |resource| Scope::all(resource, Some(&namespace));
    let (workloads, pods, warnings) = tokio::join!(
        workloads(probe, &namespace, lists),
        listed(cluster, "list pods", scope(PODS), None, lists),
        listed(cluster, "list events", scope(EVENTS), Some("type=Warning"), lists),
    );
    let workloads = match workloads {
        Ok(workloads) => workloads,
        // Whose pods, warnings and log it would be is not known.
        Err(error) => return TITLES.map(|title| Section::unread(title, error.problem())).into(),
    };
    let now = Timestamp::now();
    let seen = Seen::new(probe, namespace, workloads, pods.as_deref().unwrap_or_default());
    let told = match warnings {
        Ok(events) => {
            let all = events.iter().map(Warning::of).collect();
            Section::read(TITLES[1], warnings::lines(cluster, all, &seen, now))
        }
        Err(error) => Section::unread(TITLES[1], error.problem()),
    };
    if let Err(error) = pods {
        let [pods, log] = [TITLES[0], TITLES[2]].map(|title| Section::unread(title, error.problem()));
        return vec![pods, told, log];
    }
    let mut sections = vec![Section::read(TITLES[0], pods::lines(cluster, &seen, now)), told];
    sections.extend(log::sections(cluster, &seen, now, until).await);
    sections
}

impl Seen {
    fn new(probe: &Workloads, namespace: String, workloads: Vec<Workload>, pods: &[Value]) -> Self {
        let is_there = |name: &Named| workloads.iter().any(|one| name.is(one.resource, &one.name));
        let absent = probe.names.iter().filter(|name| !is_there(name)).map(Named::words).collect();
        let is_theirs = |pod: &&Value| workloads.iter().any(|one| one.selects(&pod["metadata"]["labels"]));
        let pods = pods.iter().filter(is_theirs).map(Pod::of).collect();
        Self { namespace, workloads, absent, pods }
    }
}

/// The workloads that the probe looks at.
async fn workloads(probe: &Workloads, namespace: &str, until: Instant) -> Result<Vec<Workload>, KubeError> {
    let mut found = Vec::new();
    for (resource, permission, keep) in probe.kinds() {
        let scope = Scope { resource, namespace: Some(namespace), selector: probe.selector.as_deref() };
        let objects = listed(&probe.reader.cluster, permission, scope, None, until).await?;
        found.extend(objects.iter().map(keep).filter(|one| probe.fits(one)));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

async fn listed(
    cluster: &Cluster,
    permission: &'static str,
    scope: Scope<'_>,
    fields: Option<&str>,
    until: Instant,
) -> Result<Vec<Value>, KubeError> {
    let call = Call::new(permission, format!("in {}", scope.namespace.unwrap_or_default()));
    let left = until.saturating_duration_since(Instant::now());
    Ok(cluster.list_where(&call, scope, fields, left).await?.0)
}
