//! A `Cluster` of CloudNativePG: what it is to be, and what its operator and its instances last wrote of it.
//! <https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/>

use crate::base::problem::Problem;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::object::Object;
use crate::providers::kube::said::{condition, number, said, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// The phase of a cluster with which its operator has nothing to do.
pub const HEALTHY: &str = "Cluster in healthy state";
/// The phase of one that waits until it has replayed up to the promotion token.
pub const PROMOTING: &str = "Promoting to primary cluster";
/// The phase of one with which its operator cannot go on.
pub const UNRECOVERABLE: &str = "Cluster is unrecoverable and needs manual intervention";
/// A word of the cluster.
const SAID_CHARS: usize = 160;

/// A PostgreSQL cluster.
pub struct Postgres {
    /// As it was asked for, not as it was answered.
    pub namespace: String,
    /// The same with its name (`shop/db`).
    pub words: String,
    pub object: Object,
    /// As it was read.
    pub value: Value,
    pub role: Role,
    /// Its place among the clusters of one database; none where it has none that can be changed by a token.
    pub topology: Option<Topology>,
    pub wanted: u64,
    pub ready: u64,
    /// Empty where the operator wrote no status.
    pub phase: String,
    /// The primary; of a replica cluster the designated one, which follows the other cluster.
    pub current: String,
    pub target: String,
    /// What its instances last said of themselves, by name.
    pub reports: BTreeMap<String, Report>,
    /// What `pg_controldata` says which database it is a copy of.
    pub system: String,
    pub demotion_token: String,
    pub last_promotion_token: String,
    /// Whether a demotion is under way.
    pub is_demoting: bool,
    /// The instances that are kept shut; `*` is all of them.
    pub fenced: Vec<String>,
    pub is_hibernated: bool,
    /// Whether somebody deleted it, and it is not gone yet.
    pub is_going: bool,
}

/// What a cluster is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Primary,
    /// It follows another cluster.
    Replica,
}

/// The place of a cluster in a distributed topology.
pub struct Topology {
    /// What the others call it.
    pub own: String,
    /// Which of them is the primary.
    pub primary: String,
    /// Where it takes its data from while it is a replica.
    pub source: String,
    /// The clusters that it knows.
    pub known: Vec<String>,
    pub promotion_token: String,
    /// Whether it replays later than it could; no token is taken then.
    pub is_delayed: bool,
}

/// What an instance says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Whether it is not in recovery.
    pub is_primary: bool,
    /// None where it did not answer its operator.
    pub timeline: Option<u64>,
}

impl Postgres {
    /// Of an object.
    pub fn of(namespace: &str, name: &str, object: Object, value: Value) -> Self {
        let (meta, spec, status) = (&value["metadata"], &value["spec"], &value["status"]);
        let replica = &spec["replica"];
        let own = match text(&replica["self"]) {
            own if own.is_empty() => text(&meta["name"]),
            own => own,
        };
        let primary = text(&replica["primary"]);
        // As the operator decides it (`Cluster.IsReplica`).
        let is_replica = match replica["enabled"].as_bool() {
            Some(enabled) => enabled,
            None => replica.is_object() && own != primary,
        };
        let is_distributed = !replica["enabled"].is_boolean() && !primary.is_empty();
        let known = spec["externalClusters"].as_array().into_iter().flatten().map(|one| text(&one["name"]));
        let topology = is_distributed.then(|| Topology {
            own,
            primary,
            source: text(&replica["source"]),
            known: known.collect(),
            promotion_token: text(&replica["promotionToken"]),
            is_delayed: !replica["minApplyDelay"].is_null(),
        });
        let reports = status["instancesReportedState"].as_object().into_iter().flatten();
        Self {
            role: if is_replica { Role::Replica } else { Role::Primary },
            topology,
            // What the definition takes where nothing is said.
            wanted: spec["instances"].as_u64().unwrap_or(1),
            ready: number(&status["readyInstances"]),
            phase: text(&status["phase"]),
            current: text(&status["currentPrimary"]),
            target: text(&status["targetPrimary"]),
            reports: reports.map(|(name, report)| (name.clone(), Report::of(report))).collect(),
            system: text(&status["systemID"]),
            demotion_token: text(&status["demotionToken"]),
            last_promotion_token: text(&status["lastPromotionToken"]),
            is_demoting: status["switchReplicaClusterStatus"]["inProgress"] == true,
            fenced: fenced(&meta["annotations"]["cnpg.io/fencedInstances"]),
            is_hibernated: meta["annotations"]["cnpg.io/hibernation"] == "on",
            is_going: meta["deletionTimestamp"].is_string(),
            namespace: namespace.to_owned(),
            words: format!("{namespace}/{name}"),
            object,
            value,
        }
    }

    /// Whether another instance is to become the primary, or none is.
    pub fn is_switching(&self) -> bool {
        self.current.is_empty() || self.current != self.target
    }

    /// The instance that says that it is no longer, or was never, in recovery.
    pub fn writer(&self) -> Option<&str> {
        self.reports.iter().find(|(_, report)| report.is_primary).map(|(name, _)| name.as_str())
    }

    /// Two of its instances that both say so: two take writes.
    pub fn split(&self) -> Option<(&str, &str)> {
        let mut writers =
            self.reports.iter().filter(|(_, report)| report.is_primary).map(|(name, _)| name.as_str());
        writers.next().zip(writers.next())
    }

    /// Whether the primary says that it is one.
    pub fn is_writable(&self) -> bool {
        self.reports.get(&self.current).is_some_and(|report| report.is_primary)
    }

    /// Whether its operator counts an instance among those that are ready.
    pub fn is_ready(&self, instance: &str) -> bool {
        let ready = self.value["status"]["instancesStatus"]["healthy"].as_array();
        ready.is_some_and(|all| all.iter().any(|one| one == instance))
    }

    /// Whether somebody keeps all of it shut, and no instance is left that serves.
    pub fn is_shut(&self) -> bool {
        let is_kept = self.is_hibernated || self.fenced.iter().any(|one| one == "*");
        is_kept && self.ready == 0 && !self.phase.is_empty()
    }

    /// The timeline of its primary, or designated primary, by its own word. A replica tells it as of its last checkpoint.
    pub fn timeline(&self) -> Option<u64> {
        self.reports.get(&self.current)?.timeline
    }

    /// What the others call it; empty where it is in no topology.
    pub fn own(&self) -> &str {
        self.topology.as_ref().map_or("", |topology| &topology.own)
    }

    /// Which cluster its topology says to be the primary; empty where it is in none.
    pub fn primary(&self) -> &str {
        self.topology.as_ref().map_or("", |topology| &topology.primary)
    }

    /// Whether its archive gets what it is given, and what is said of it; none where nobody says.
    pub fn archiving(&self) -> Option<(bool, String)> {
        let one = condition(&self.value, "ContinuousArchiving")?;
        match one["status"].as_str() {
            Some("True") => Some((true, said(one))),
            Some("False") => Some((false, said(one))),
            _ => None,
        }
    }

    /// The phase, with its reason where there is one.
    pub fn phase_words(&self, cluster: &Cluster) -> String {
        let reason = text(&self.value["status"]["phaseReason"]);
        let phase = cluster.shown(&self.phase, SAID_CHARS);
        match reason.is_empty() {
            true => phase,
            false => format!("{phase} ({})", cluster.shown(&reason, SAID_CHARS)),
        }
    }

    /// Why its role is not to be changed now.
    pub fn unfit(&self, cluster: &Cluster) -> Option<Problem> {
        let (words, shown) = (&self.words, |text: &str| cluster.shown(text, SAID_CHARS));
        let problem = |why: String, next: &str| Some(Problem::new(why, next));
        if self.is_going {
            let next = "Find out who deleted it: it and its data are about to be gone.";
            return problem(format!("{words} is being deleted"), next);
        }
        if self.phase.is_empty() {
            return problem(format!("the operator of CloudNativePG wrote no status of {words}"), OPERATOR);
        }
        if !self.fenced.is_empty() {
            let why = format!("instances of {words} are fenced: {}", shown(&self.fenced.join(", ")));
            return problem(why, "Find out who fenced them and why; `kubectl cnpg fencing off` lifts it.");
        }
        if self.is_hibernated {
            let next = "Wake it: take the annotation `cnpg.io/hibernation` away, and wait for its instances.";
            return problem(format!("{words} hibernates: none of its instances runs"), next);
        }
        if self.phase == UNRECOVERABLE {
            let next =
                "Find out why: `kubectl describe` tells more. It has to be rebuilt, or mended by hand.";
            return problem(format!("{words}: {}", self.phase_words(cluster)), next);
        }
        if self.current.is_empty() {
            let why = format!("{words} has no primary instance: {}", self.phase_words(cluster));
            return problem(why, "Look at its pods: `kubectl get pods -l cnpg.io/cluster`.");
        }
        if self.is_switching() {
            let (from, to) = (shown(&self.current), shown(&self.target));
            let why = format!("{words} changes its primary instance, from {from} to {to}");
            return problem(why, "Wait for its end, then confirm the step again.");
        }
        (self.ready == 0).then(|| {
            let why = format!("no instance of {words} is ready: {}", self.phase_words(cluster));
            Problem::new(why, "Look at its pods: `kubectl get pods -l cnpg.io/cluster`.")
        })
    }
}

/// What to do where the operator does nothing.
pub const OPERATOR: &str = "Look whether the operator runs: `kubectl get pods -A -l \
                            app.kubernetes.io/name=cloudnative-pg`, and its log. Then verify the step again.";

impl Report {
    fn of(report: &Value) -> Self {
        let timeline = report["timeLineID"].as_u64().filter(|timeline| *timeline > 0);
        Self { is_primary: report["isPrimary"] == true, timeline }
    }
}

/// The fenced instances, a list in JSON; what is no such list is told as it is.
fn fenced(annotation: &Value) -> Vec<String> {
    let Some(text) = annotation.as_str() else { return Vec::new() };
    serde_json::from_str(text).unwrap_or_else(|_| vec![text.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dr, is, primary};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_role_is_the_one_that_the_operator_sees() {
        let of = |replica: Value| {
            let mut value = primary();
            value["spec"]["replica"] = replica;
            let seen = is(value);
            (seen.role, seen.topology.is_some())
        };
        assert_eq!(of(json!({"primary": "east", "self": "east", "source": "west"})), (Role::Primary, true));
        assert_eq!(of(json!({"primary": "west", "self": "east", "source": "west"})), (Role::Replica, true));
        assert_eq!(of(json!({"primary": "db", "source": "west"})), (Role::Primary, true), "by its own name");
        assert_eq!(of(Value::Null), (Role::Primary, false), "a cluster of its own");
        assert_eq!(of(json!({"enabled": true, "source": "west"})), (Role::Replica, false), "standalone");
        assert_eq!(of(json!({"enabled": false, "source": "west"})), (Role::Primary, false));
        assert_eq!(of(json!({"source": "west"})), (Role::Replica, false));
    }

    #[test]
    fn an_instance_that_did_not_answer_has_no_timeline() {
        let mut value = primary();
        value["status"]["instancesReportedState"]["db-1"] = json!({"isPrimary": false, "timeLineID": 0});
        assert_eq!((is(value).timeline(), is(primary()).timeline()), (None, Some(3)));
    }

    #[test]
    fn what_is_fenced_asleep_on_the_move_or_without_a_status_is_left_alone() {
        let why = |change: &dyn Fn(&mut Value)| {
            let mut value = primary();
            change(&mut value);
            is(value).unfit(&dr()).map(|problem| problem.why)
        };
        let annotated = |name: &str, text: &str| {
            let mut value = primary();
            value["metadata"]["annotations"][name] = json!(text);
            is(value).unfit(&dr()).map(|problem| problem.why).unwrap_or_default()
        };
        assert_eq!(why(&|_| {}), None);
        let deleted = why(&|value| value["metadata"]["deletionTimestamp"] = json!("2026-11-30T12:00:00Z"));
        assert!(deleted.is_some_and(|why| why.contains("is being deleted")));
        assert!(annotated("cnpg.io/fencedInstances", r#"["*"]"#).contains("are fenced: *"));
        assert!(annotated("cnpg.io/fencedInstances", "all").contains("are fenced: all"));
        assert_eq!(annotated("cnpg.io/fencedInstances", "[]"), "");
        assert!(annotated("cnpg.io/hibernation", "on").contains("hibernates"));
        let moves = why(&|value| value["status"]["targetPrimary"] = json!("db-2")).unwrap();
        assert!(moves.contains("from db-1 to db-2"), "{moves}");
        let nobody = why(&|value| value["status"]["currentPrimary"] = Value::Null).unwrap();
        assert!(nobody.contains("has no primary instance"), "{nobody}");
        assert!(why(&|value| value["status"] = Value::Null).unwrap().contains("wrote no status"));
        assert!(
            why(&|value| value["status"]["readyInstances"] = Value::Null).unwrap().contains("no instance")
        );
    }
}
