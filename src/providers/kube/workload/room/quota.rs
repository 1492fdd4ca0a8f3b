//! What the quotas of a namespace leave.
//! <https://kubernetes.io/docs/concepts/policy/resource-quotas/>

use super::More;
use super::need::{Need, amount};
use crate::core::words::preflight::Check;
use crate::providers::kube::client::{Call, Cluster, RESOURCE_QUOTAS, Scope};
use serde_json::Value;

const WHAT: &str = "the quota of the namespace";

/// What one pod takes of a quota's line.
type Takes = fn(&Need) -> f64;

/// The lines of a quota that pods take of.
const LINES: [(&str, Takes); 8] = [
    ("pods", |_| 1.0),
    ("count/pods", |_| 1.0),
    ("cpu", |need| need.cpu_cores),
    ("requests.cpu", |need| need.cpu_cores),
    ("memory", |need| need.memory_bytes),
    ("requests.memory", |need| need.memory_bytes),
    ("limits.cpu", |need| need.limit_cpu_cores),
    ("limits.memory", |need| need.limit_memory_bytes),
];

/// One for each line that is too small; one that all are large enough.
pub(super) async fn checks(cluster: &Cluster, namespace: &str, more: &[More<'_>]) -> Vec<Check> {
    let call = Call::new("list resourcequotas", format!("in {namespace}"));
    let scope = Scope::all(RESOURCE_QUOTAS, Some(namespace));
    let quotas = match cluster.list(&call, scope, cluster.deadline()).await {
        Ok((quotas, _)) => quotas,
        Err(error) => return vec![Check::not_checkable(WHAT, error.to_string())],
    };
    let short: Vec<Check> = quotas.iter().flat_map(|quota| judged(cluster, quota, more)).collect();
    match (quotas.is_empty(), short.is_empty()) {
        (_, false) => short,
        (true, true) => vec![Check::pass(WHAT, format!("{namespace} has none"))],
        (false, true) => vec![Check::pass(WHAT, "it leaves enough for what is asked for")],
    }
}

fn judged(cluster: &Cluster, quota: &Value, more: &[More<'_>]) -> Vec<Check> {
    // It counts only some pods, and which ones depends on more than the template.
    if quota["spec"]["scopes"].is_array() || quota["spec"]["scopeSelector"].is_object() {
        return Vec::new();
    }
    let name = cluster.shown(quota["metadata"]["name"].as_str().unwrap_or("?"), 60);
    let status = &quota["status"];
    let lines = LINES.iter().filter(|(line, _)| !status["hard"][line].is_null());
    lines
        .filter_map(|(line, takes)| {
            let (hard, used) = (amount(&status["hard"][line]), amount(&status["used"][line]));
            let extra: f64 = more.iter().map(|one| one.pods as f64 * takes(&one.need)).sum();
            (extra > 0.0 && used + extra > hard).then(|| {
                let text = |side: &str| cluster.shown(status[side][line].as_str().unwrap_or("0"), 40);
                let pods: i64 = more.iter().map(|one| one.pods).sum();
                let why = format!(
                    "quota {name} allows {} of {line}, {} are used, and {pods} pods more need {}",
                    text("hard"),
                    text("used"),
                    rounded(extra)
                );
                Check::fail(WHAT, why, "Have the quota raised, or scale to fewer pods.")
            })
        })
        .collect()
}

/// Without digits that nobody needs.
fn rounded(number: f64) -> String {
    match number {
        bytes if bytes >= 1e6 => crate::base::words::bytes(bytes),
        whole if whole.fract() == 0.0 => format!("{whole:.0}"),
        other => format!("{other:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    fn more(pods: i64, cpu_cores: f64) -> More<'static> {
        More { name: "web", pods, need: Need { cpu_cores, ..Need::default() } }
    }

    fn quota(hard: Value, used: Value) -> Value {
        json!({"metadata": {"name": "few"}, "spec": {}, "status": {"hard": hard, "used": used}})
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_numbers() {
        let pods = quota(json!({"pods": "4"}), json!({"pods": "2"}));
        assert!(judged(&cluster(), &pods, &[more(2, 0.0)]).is_empty());
        let short = judged(&cluster(), &pods, &[more(3, 0.0)]);
        let said = "quota few allows 4 of pods, 2 are used, and 3 pods more need 3";
        assert_eq!((short.len(), short[0].result.seen()), (1, said));
        let cpu = quota(json!({"requests.cpu": "2", "limits.cpu": "9"}), json!({"requests.cpu": "1500m"}));
        assert!(judged(&cluster(), &cpu, &[more(2, 0.25)]).is_empty());
        let short = judged(&cluster(), &cpu, &[more(3, 0.25)]);
        let said = "quota few allows 2 of requests.cpu, 1500m are used, and 3 pods more need 0.75";
        assert_eq!(short[0].result.seen(), said);
    }

    #[test]
    fn what_goes_makes_room_and_a_scoped_quota_is_left_out() {
        let pods = quota(json!({"pods": "4"}), json!({"pods": "4"}));
        assert!(judged(&cluster(), &pods, &[more(3, 0.0), more(-3, 0.0)]).is_empty());
        let mut scoped = pods;
        scoped["spec"]["scopes"] = json!(["BestEffort"]);
        assert!(judged(&cluster(), &scoped, &[more(9, 0.0)]).is_empty());
    }
}
