//! The shipped plans, and the policies of other systems: what their documents say is what is done.

use jiff::SignedDuration;
use lifeboat::plan::{Plan, Registry, load};
use std::path::Path;

fn plan(path: &str) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let loaded = load(&path, &registry()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.plan
}

fn registry() -> Registry {
    lifeboat::providers::registry()
}

/// Minutes and title of each level, and on which channels.
fn levels(plan: &Plan, policy: &str) -> Vec<(i64, String, String)> {
    let level = |level: &lifeboat::plan::EscalationLevel| {
        let methods: Vec<&str> = level.methods.iter().map(|method| method.as_str()).collect();
        (level.after.as_mins(), level.title.clone(), methods.join(" "))
    };
    plan.policies[policy].levels.iter().map(level).collect()
}

#[track_caller]
fn assert_levels(plan: &Plan, policy: &str, expected: &[(i64, &str, &str)]) {
    let levels = levels(plan, policy);
    let levels: Vec<(i64, &str, &str)> =
        levels.iter().map(|(after, title, methods)| (*after, title.as_str(), methods.as_str())).collect();
    assert_eq!(levels, expected);
}

#[test]
fn the_chain_of_sparc() {
    let plan = plan("plans/sparc");
    let (management, lead) = ("CTO and VP Engineering", "SRE lead");
    assert_levels(&plan, "p0", &[(0, management, "phone sms email"), (0, lead, "phone slack email")]);
    let manager = "Engineering manager";
    assert_levels(&plan, "p1", &[(0, "SRE on call", "pagerduty slack"), (15, manager, "slack email")]);
    assert_levels(&plan, "p2", &[(30, "SRE team", "slack email")]);
    let activation = &plan.messages["activation"];
    assert_eq!(activation.every, Some(SignedDuration::from_mins(30)));
    for part in ["Situation:", "Impact:", "Actions:", "ETA:", "War Room:", "Status Page:", "every 30 minutes"]
    {
        assert!(activation.body.contains(part), "{part}");
    }
    assert!(activation.subject.contains("Disaster Recovery Activated"));
}

#[test]
fn the_table_of_arka() {
    let plan = plan("plans/arka");
    let row = |message: &str| {
        let message = &plan.messages[message];
        let audience = &plan.audiences[&message.audience];
        let methods: Vec<&str> = audience.methods.iter().map(|method| method.as_str()).collect();
        (audience.title.clone(), methods.join(" "), message.within.as_mins())
    };
    assert!(plan.messages["planned-test"].on.is_empty(), "by hand, seven days before");
    assert_eq!(row("planned-test").1, "email");
    assert_eq!(row("unplanned-failover"), ("Affected customers".into(), "status-page email".into(), 15));
    assert_eq!(row("extended-outage").1, "status-page slack email");
    assert!(plan.messages["extended-outage"].every.is_some(), "continuously");
    assert_eq!(row("data-recovery"), ("Affected customers, through support".into(), "phone email".into(), 1));
}

#[test]
fn the_demo_pages_and_tells() {
    let plan = plan("plans/demo");
    assert_levels(
        &plan,
        "p0",
        &[(0, "SRE on call", "page phone sms"), (5, "SRE lead", "phone mail"), (15, "CTO", "phone mail")],
    );
    assert_eq!(plan.messages["outage"].within, SignedDuration::from_mins(15));
    let update = &plan.messages["update"];
    assert_eq!((update.every, update.automatic), (Some(SignedDuration::from_mins(30)), false));
}

#[test]
fn the_policies_of_other_systems() {
    let ara = plan("tests/escalation/plans/ara-ai.toml");
    let both = "phone email";
    let path = [
        (0, "On-call engineer", both),
        (15, "Team lead", both),
        (30, "Engineering manager", both),
        (60, "CTO", both),
    ];
    assert_levels(&ara, "path", &path);
    let neo = plan("tests/escalation/plans/neo.toml");
    let all = "slack email phone";
    assert_levels(
        &neo,
        "major",
        &[
            (0, "L1: on-call engineer", all),
            (15, "L2: database specialist", all),
            (30, "L3: system architect", all),
            (60, "Executive: CTO", "email phone"),
        ],
    );
    let market = plan("tests/escalation/plans/market-scanning.toml");
    let afters: Vec<i64> = levels(&market, "matrix").into_iter().map(|(after, ..)| after).collect();
    assert_eq!(afters, [0, 15, 30]);
}
