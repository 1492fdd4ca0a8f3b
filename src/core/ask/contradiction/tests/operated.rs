//! Databases whose servers an operator runs: one probe tells of all that it runs in a region.

use super::*;
use crate::core::ask::servers::ACCEPTS_WRITES;
use crate::plan::kinds::Sees;
use crate::plan::params::Param;

/// The fixture with an operator's cluster of one name in each region; `beside` also watches a server of the first.
fn plan_of(beside: bool) -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    let mut servers: Vec<_> = ["primary-db", "dr-db"].iter().map(|id| plan.probes[*id].clone()).collect();
    for spec in &mut servers {
        spec.sees = Sees::OperatedCluster;
        spec.database = Some("orders".into());
        spec.params.0.shift_remove("dsn");
        spec.params.0.shift_remove("role");
        spec.params.0.insert("namespace".into(), Param::Text("shop".into()));
        spec.params.0.insert("name".into(), Param::Text("db".into()));
    }
    if beside {
        (servers[1].sees, servers[1].region) = (Sees::Server, servers[0].region.clone());
    }
    for spec in servers {
        plan.probes.insert(spec.id.clone(), spec);
    }
    Arc::new(plan)
}

fn cluster(role: &str, accepts: bool) -> Outcome {
    of_object(role, accepts, role)
}

fn of_object(role: &str, accepts: bool, uid: &str) -> Outcome {
    let measured = Measurement::good(role).with_value(2.0).with_text("role", role.to_owned());
    let measured = measured.with_text("started_at", uid.to_owned());
    Ok(measured.with_flag(ACCEPTS_WRITES, accepts).with_text("system_identifier", "77".to_owned()))
}

fn pass(plan: Arc<Plan>, one: Outcome, other: Outcome) -> Machine {
    let mut machine = Machine::resumed_under(plan, Vec::new(), start());
    machine.pass(20, &world(cluster("primary", true), cluster("replica", false)));
    machine.pass(40, &world(one, other));
    machine
}

#[test]
fn two_clusters_of_one_database_that_take_writes_are_a_split_brain() {
    let machine = pass(plan_of(false), of_object("primary", true, "u1"), of_object("primary", true, "u2"));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
    // What is asked of it is one thing, what its instances do is another.
    let machine = pass(plan_of(false), cluster("replica", true), cluster("primary", true));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}

#[test]
fn two_replicas_of_each_other_are_an_outage() {
    let machine = pass(plan_of(false), cluster("replica", false), cluster("replica", false));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![Kind::NobodyWrites], Some(Severity::P0)));
    let machine = pass(plan_of(false), cluster("primary", true), cluster("replica", false));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn a_server_of_the_operator_that_another_probe_watches_is_no_second_primary() {
    let mut machine = Machine::resumed_under(plan_of(true), Vec::new(), start());
    machine.pass(40, &world(cluster("primary", true), primary(1, "a")));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn one_cluster_that_two_probes_watch_is_one() {
    for other in ["primary-db", "dr-db"] {
        let mut plan = (*plan_of(false)).clone();
        plan.probes.get_mut(other).unwrap().region = None;
        let one = || of_object("primary", true, "u1");
        let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
        machine.pass(40, &world(one(), one()));
        assert!(!kinds(&machine).contains(&Kind::TwoPrimaries), "{other}");
    }
}

#[test]
fn one_that_was_promoted_by_hand_is_seen_to_serve() {
    let machine = pass(plan_of(false), cluster("replica", false), cluster("primary", true));
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere]);
}
