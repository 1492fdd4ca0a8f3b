//! What claims for volumes come to.

use super::{Claim, Phase};
use crate::base::units::counted;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use crate::providers::kube::told::told;
use std::sync::Arc;

/// What one look saw.
#[derive(Default)]
pub(super) struct Seen {
    pub namespace: String,
    pub claims: Vec<Arc<Claim>>,
    /// Whether the plan names them.
    pub are_named: bool,
    /// Those that the plan names and the cluster does not have.
    pub absent: Vec<String>,
}

pub(super) fn judge(cluster: &Cluster, seen: &Seen) -> Measurement {
    let of = |phase: Phase| seen.claims.iter().filter(move |claim| claim.phase == phase);
    let names = |phase: Phase| told(cluster, of(phase).map(|claim| claim.name.clone()));
    let (bound, all) = (of(Phase::Bound).count(), seen.claims.len());
    let (pending, lost, absent) =
        (names(Phase::Pending), names(Phase::Lost), told(cluster, seen.absent.clone()));
    let bytes = of(Phase::Bound).filter_map(|claim| claim.bytes).reduce(|sum, bytes| sum + bytes);
    let mut parts = vec![format!("{bound} of {} bound", counted(all, "claim"))];
    parts.extend(bytes.map(words::bytes));
    let told_parts = [("pending", &pending), ("lost", &lost), ("not there", &absent)];
    parts.extend(
        told_parts
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what}: {names}")),
    );
    let namespace = &seen.namespace;
    let critical = |is: bool, why: String| if is { Verdict::Critical(why) } else { Verdict::Good };
    let waits = match (pending.is_empty(), seen.are_named) {
        (true, _) => Verdict::Good,
        (false, true) => Verdict::Critical(format!("no volume yet for {pending}")),
        (false, false) => Verdict::Warn(format!("no volume yet for {pending}")),
    };
    Measurement::good(parts.join(", "))
        .judged(critical(!lost.is_empty(), format!("the volume is lost of {lost}")))
        .judged(critical(!absent.is_empty(), format!("{absent} is not there in {namespace}")))
        .judged(critical(all == 0, format!("no claim is there in {namespace}")))
        .judged(waits)
        .with_value(bound as f64)
        .with_number("claims", all as f64)
        .with_number("bound", bound as f64)
        .with_text("pending", pending)
        .with_text("lost", lost)
        .with_number("capacity_bytes", bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(phases: &[&str], are_named: bool, absent: &[&str]) -> Measurement {
        let claim = |phase: &&str| {
            let status = json!({"phase": phase, "capacity": {"storage": "1G"}});
            Arc::new(Claim::of(&json!({"metadata": {"name": phase.to_lowercase()}, "status": status})))
        };
        let seen = Seen {
            namespace: "shop".into(),
            claims: phases.iter().map(claim).collect(),
            are_named,
            absent: absent.iter().map(|name| (*name).to_owned()).collect(),
        };
        judge(&crate::testing::clients(&[]).kube.cluster("dr"), &seen)
    }

    #[test]
    fn claims_that_are_bound_are_counted_with_their_size() {
        let seen = judged(&["Bound", "Bound"], false, &[]);
        assert_eq!((&seen.verdict, &*seen.summary), (&Verdict::Good, "2 of 2 claims bound, 2.0 GB"));
        assert_eq!((seen.value, seen.number("capacity_bytes")), (Some(2.0), Some(2e9)));
    }

    #[test]
    fn one_that_waits_is_a_warning_and_critical_where_it_is_named() {
        let seen = judged(&["Bound", "Pending"], false, &[]);
        assert_eq!(seen.verdict, Verdict::Warn("no volume yet for pending".into()));
        let seen = judged(&["Bound", "Pending"], true, &[]);
        assert_eq!(seen.verdict, Verdict::Critical("no volume yet for pending".into()));
    }

    #[test]
    fn one_that_is_lost_or_not_there_is_critical() {
        let seen = judged(&["Bound", "Lost", "Pending"], false, &[]);
        assert_eq!(seen.verdict, Verdict::Critical("the volume is lost of lost".into()));
        let seen = judged(&["Bound"], true, &["data"]);
        assert_eq!(seen.verdict, Verdict::Critical("data is not there in shop".into()));
        let seen = judged(&[], false, &[]);
        assert_eq!((seen.verdict.why(), seen.value), (Some("no claim is there in shop"), Some(0.0)));
    }
}
