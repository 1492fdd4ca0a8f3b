use super::super::testing::{demoted as demoted_east, dr, is, primary, promoted, replica, token as made};
use super::*;
use serde_json::{Value, json};

/// Why a primary is not demoted, with a change of it and of its replica.
fn demotion(own: &dyn Fn(&mut Value), other: &dyn Fn(&mut Value)) -> Option<String> {
    let (mut east, mut west) = (primary(), replica());
    own(&mut east);
    other(&mut west);
    let other = Other::Is(Box::new(is(west)), Ok(Vec::new()));
    successor(&dr(), &is(east), &other).err().map(|problem| problem.why)
}

/// Why a replica is not promoted, with a change of it and of the one that was demoted.
fn promotion(
    own: &dyn Fn(&mut Value),
    other: &dyn Fn(&mut Value),
    without: bool,
) -> Result<Option<String>, String> {
    let (mut west, mut east) = (replica(), demoted_east(&made(3, "0/6000028")));
    own(&mut west);
    other(&mut east);
    let other = Other::Is(Box::new(is(east)), Ok(Vec::new()));
    token(&dr(), &is(west), &other, without).map_err(|problem| problem.why)
}

fn nothing(_: &mut Value) {}

#[test]
fn a_primary_is_demoted_only_for_a_healthy_replica_of_it() {
    assert_eq!(demotion(&nothing, &nothing), None);
    let why = |own: &dyn Fn(&mut Value), other: &dyn Fn(&mut Value), words: &str| {
        let why = demotion(own, other).unwrap_or_else(|| panic!("demoted although {words:?}"));
        assert!(why.contains(words), "{why}");
    };
    let follows = |value: &mut Value| value["spec"]["replica"]["primary"] = json!("north");
    why(&nothing, &follows, "a replica of north, not of east");
    why(&nothing, &|value| value["spec"]["replica"]["primary"] = json!("west"), "is a primary as well");
    why(&nothing, &|value| value["spec"]["replica"] = Value::Null, "in no distributed topology");
    why(
        &|value| value["spec"]["replica"] = json!({"enabled": false, "source": "west"}),
        &nothing,
        "in no distributed",
    );
    why(
        &|value| value["spec"]["externalClusters"] = json!([{"name": "east"}]),
        &nothing,
        "does not know west",
    );
    let behind =
        |value: &mut Value| value["status"]["instancesReportedState"]["db-1"]["timeLineID"] = json!(2);
    why(&nothing, &behind, "is on timeline 2, and shop/db on 3");
    why(
        &nothing,
        &|value| value["status"]["instancesReportedState"] = Value::Null,
        "do not tell their timeline",
    );
    why(&nothing, &|value| value["status"]["systemID"] = json!("1"), "no copies of one database");
    why(&nothing, &|value| value["metadata"]["uid"] = json!("u-east"), "the other cluster of itself");
    let creating = |value: &mut Value| value["status"]["phase"] = json!("Creating a new replica");
    why(&creating, &nothing, "is not healthy: Creating a new replica");
    why(&nothing, &creating, "is not healthy");
    let failing = |value: &mut Value| {
        value["status"]["conditions"][0] =
            json!({"type": "ContinuousArchiving", "status": "False", "message": "403 Forbidden"});
    };
    why(&failing, &nothing, "cannot archive, and its demotion would not end: 403 Forbidden");
    for other in [Other::Lost(Problem::new("x", "y")), Other::Absent(Problem::new("x", "y"), Vec::new())] {
        let refused = successor(&dr(), &is(primary()), &other).err().unwrap();
        assert!(refused.why.contains("cannot be read: x"), "{refused}");
    }
}

#[test]
fn the_token_of_the_demoted_cluster_is_used() {
    assert_eq!(promotion(&nothing, &nothing, false), Ok(Some(made(3, "0/6000028"))));
    assert_eq!(promotion(&nothing, &nothing, true), Ok(Some(made(3, "0/6000028"))), "one is there");
}

#[test]
fn two_never_take_writes() {
    for without in [false, true] {
        let why = |other: &dyn Fn(&mut Value), words: &str| {
            let why = promotion(&nothing, other, without).expect_err(words);
            assert!(why.contains(words), "{why}");
        };
        why(
            &|value| value["spec"]["replica"]["primary"] = json!("east"),
            "still the primary: two would take writes",
        );
        let writes =
            |value: &mut Value| value["status"]["instancesReportedState"]["db-2"]["isPrimary"] = json!(true);
        why(&writes, "db-2 still takes writes");
        let under_way =
            |value: &mut Value| value["status"]["switchReplicaClusterStatus"] = json!({"inProgress": true});
        why(&under_way, "not at its end");
        why(
            &|value| value["spec"]["replica"]["primary"] = json!("north"),
            "was demoted for north, not for west",
        );
        why(&|value| value["spec"]["replica"]["self"] = json!("north"), "its primary is east");
        why(&|value| value["status"]["systemID"] = json!("1"), "no copies of one database");
    }
}

#[test]
fn a_token_that_the_operator_would_refuse_is_refused_before() {
    let why = |own: &dyn Fn(&mut Value), token: Value, words: &str| {
        let why = promotion(own, &|value| value["status"]["demotionToken"] = token.clone(), false)
            .expect_err(words);
        assert!(why.contains(words), "{why}");
    };
    why(&nothing, Value::Null, "has no demotion token");
    why(&nothing, json!("x"), "none that can be read");
    why(&nothing, json!(made(2, "0/3000028")), "too old (timeline 2 at 0/3000028");
    why(&|value| value["status"]["systemID"] = json!(""), json!(made(2, "0/3")), "too old");
    let used = made(3, "0/6000028");
    why(&|value| value["status"]["lastPromotionToken"] = json!(used), json!(used), "was used already");
    why(&|value| value["spec"]["replica"]["minApplyDelay"] = json!("8h"), json!(used), "minApplyDelay");
}

#[test]
fn a_token_of_before_what_its_own_side_went_on_with_is_too_old() {
    let of = |timeline: u64| {
        let went_on = |value: &mut Value| {
            value["status"]["demotionToken"] = json!(made(3, "0/3000028"));
            let reports = value["status"]["instancesReportedState"].as_object_mut().unwrap();
            reports.values_mut().for_each(|one| one["timeLineID"] = json!(timeline));
        };
        promotion(&nothing, &went_on, false)
    };
    assert!(of(4).unwrap_err().contains("too old (timeline 3"));
    assert!(of(3).is_ok(), "{:?}", of(3));
}

#[test]
fn without_a_token_is_only_for_a_cluster_that_gives_none_and_takes_no_writes() {
    let gone = |value: &mut Value| value["status"]["demotionToken"] = Value::Null;
    assert_eq!(promotion(&nothing, &gone, true), Ok(None));
    let of = |other: Other, without| {
        token(&dr(), &is(replica()), &other, without).map_err(|problem| (problem.why, problem.next))
    };
    let problem = || Problem::new("connection refused", "y");
    let gone = |problem| Other::Absent(problem, Vec::new());
    for other in [Other::Lost as fn(Problem) -> Other, gone] {
        let (why, next) = of(other(problem()), false).unwrap_err();
        assert!(
            why.contains("connection refused") && next.contains("`without_token = true`"),
            "{why} {next}"
        );
        assert_eq!(of(other(problem()), true), Ok(None));
    }
    for without in [false, true] {
        let (why, _) = of(Other::Hidden(problem()), without).unwrap_err();
        assert!(why.contains("may run, and lifeboat does not see it"), "{why}");
    }
}

#[test]
fn a_primary_that_is_kept_shut_lets_another_one_be_promoted_without_a_token() {
    let shut = |ready: u64, fenced: &str| {
        let other = |value: &mut Value| {
            value["spec"]["replica"]["primary"] = json!("east");
            value["status"]["readyInstances"] = json!(ready);
            value["metadata"]["annotations"]["cnpg.io/fencedInstances"] = json!(fenced);
        };
        [true, false].map(|without| promotion(&nothing, &other, without).is_ok())
    };
    assert_eq!(shut(0, r#"["*"]"#), [true, false]);
    assert_eq!(shut(1, r#"["*"]"#), [false, false], "one still serves");
    assert_eq!(shut(0, r#"["db-1"]"#), [false, false], "another one may come back");
    assert_eq!(shut(0, "[]"), [false, false], "nobody keeps it so");
}

fn instances(ready: &[(&str, bool)]) -> shut::Pods {
    let pod = |(name, is_ready): &(&str, bool)| {
        let status = if *is_ready { "True" } else { "False" };
        let conditions = json!([{"type": "Ready", "status": status}]);
        crate::providers::kube::workload::Pod::of(
            &json!({"metadata": {"name": name}, "status": {"conditions": conditions}}),
        )
    };
    Ok(ready.iter().map(pod).collect())
}

#[test]
fn a_wish_and_an_old_word_do_not_shut_a_primary_its_pods_do() {
    let refused = |pods: shut::Pods| {
        let mut east = primary();
        east["status"]["readyInstances"] = Value::Null;
        east["metadata"]["annotations"]["cnpg.io/fencedInstances"] = json!(r#"["*"]"#);
        let other = Other::Is(Box::new(is(east)), pods);
        token(&dr(), &is(replica()), &other, true).err().map(|problem| problem.why).unwrap_or_default()
    };
    let why = refused(instances(&[("db-2", true)]));
    assert!(why.contains("is to be shut, and its instance db-2 is ready"), "{why}");
    let why = refused(instances(&[("db-1", false)]));
    assert!(why.contains("db-1 was a primary by its own last word"), "{why}");
    let why = refused(Err(Problem::new("forbidden", "y")));
    assert!(why.contains("runs cannot be seen: forbidden"), "{why}");
    assert_eq!(refused(instances(&[("db-2", false)])), "", "the primary is gone");
    assert_eq!(refused(instances(&[])), "");
}

#[test]
fn one_that_is_demoted_without_a_token_has_to_say_that_it_is_in_recovery() {
    let refused = |pods: shut::Pods| {
        let mut east = demoted_east("");
        east["status"]["instancesReportedState"]["db-2"] = Value::Null;
        let other = Other::Is(Box::new(is(east)), pods);
        token(&dr(), &is(replica()), &other, true).err().map(|problem| problem.why).unwrap_or_default()
    };
    assert_eq!(refused(instances(&[("db-1", true), ("db-2", false)])), "");
    let why = refused(instances(&[("db-2", true)]));
    assert!(why.contains("db-2 is ready and does not say that it is in recovery"), "{why}");
    assert!(refused(Err(Problem::new("forbidden", "y"))).contains("forbidden"));
}

#[test]
fn a_wrong_name_is_no_loss_of_the_primary() {
    let of = |neighbour: Value| {
        let other = Other::Absent(Problem::new("not found", "y"), vec![is(neighbour)]);
        [true, false].map(|without| token(&dr(), &is(replica()), &other, without).unwrap_err().why)
    };
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = primary();
        change(&mut value);
        value
    };
    for found in [primary(), changed(&|value| value["status"] = Value::Null)] {
        for why in of(found) {
            assert!(
                why.contains("shop/db (\"east\" in the topology) is a primary of this database"),
                "{why}"
            );
        }
    }
    for other in [changed(&|value| value["status"]["systemID"] = json!("1")), replica()] {
        let other = Other::Absent(Problem::new("not found", "y"), vec![is(other)]);
        assert!(token(&dr(), &is(replica()), &other, true).is_ok(), "another database, or itself");
    }
}

#[test]
fn what_is_done_already_is_said_first() {
    let east = || Other::Is(Box::new(is(demoted_east(&made(3, "0/6000028")))), Ok(Vec::new()));
    let why = token(&dr(), &is(promoted("")), &east(), false).unwrap_err().why;
    assert!(why.starts_with("it is already a primary"), "{why}");
    let west = Other::Is(Box::new(is(promoted(""))), Ok(Vec::new()));
    let own = demoted_east(&made(3, "0/6000028"));
    let why = successor(&dr(), &is(own), &west).err().unwrap().why;
    assert!(why.contains("is a replica of west already, its demotion token: timeline 3"), "{why}");
}
