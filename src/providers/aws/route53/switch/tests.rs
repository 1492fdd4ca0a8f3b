use super::*;
use crate::base::problem::Problem;
use crate::providers::aws::route53::client::Alias;

fn weighted(set: &str, weight: i64) -> Record {
    Record {
        name: "api.sparc.com.".into(),
        kind: "A".into(),
        set: Some(set.into()),
        routing: Routing::Weighted(weight),
        ttl_s: None,
        values: Vec::new(),
        alias: Some(Alias {
            zone: "ZALB".into(),
            name: format!("{set}-alb.aws.com."),
            evaluate_target_health: true,
        }),
        health_check: Some("check".into()),
    }
}

fn changes(goal: Goal, found: Vec<Record>) -> Result<Vec<Change>, Problem> {
    let switch = Switch { name: "API.sparc.com".into(), kind: "A".into(), goal };
    switch.changes(&[("api.sparc.com.".to_owned(), found)].into_iter().collect())
}

fn pair() -> Vec<Record> {
    vec![weighted("main", 100), weighted("dr", 0)]
}

#[test]
fn only_weights_change() {
    let changes = changes(Goal::All("dr".into()), pair()).unwrap();
    let after: Vec<Record> = changes.into_iter().map(|change| change.after).collect();
    assert_eq!(after, [weighted("main", 0), weighted("dr", 100)]);
}

#[test]
fn a_set_identifier_that_is_not_there_is_refused_and_the_others_are_named() {
    let refusal = changes(Goal::All("west".into()), pair()).unwrap_err();
    assert_eq!(refusal.why, "API.sparc.com A has no record \"west\"; its set identifiers are: main, dr");
    assert!(changes(Goal::All("dr".into()), Vec::new()).unwrap_err().why.ends_with("are: none"));
}

#[test]
fn all_weights_zero_is_refused_whoever_keeps_what() {
    let weights = |pairs: &[(&str, i64)]| {
        Goal::Weights(pairs.iter().map(|(set, weight)| ((*set).to_owned(), *weight)).collect())
    };
    assert!(changes(weights(&[("main", 0)]), pair()).unwrap_err().why.contains("would be 0"));
    assert!(changes(weights(&[("main", 0), ("dr", 0)]), pair()).unwrap_err().why.contains("would be 0"));
    assert_eq!(changes(weights(&[("dr", 50)]), pair()).unwrap().len(), 1);
}

#[test]
fn what_is_not_weighted_is_refused() {
    let failover = Record { routing: Routing::Failover("PRIMARY".into()), ..weighted("main", 1) };
    let refusal = changes(Goal::All("dr".into()), vec![failover, weighted("dr", 0)]).unwrap_err();
    assert!(refusal.why.contains("failover PRIMARY, not weighted"), "{refusal:?}");
}
