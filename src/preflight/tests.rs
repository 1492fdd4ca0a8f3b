//! Over the real world with what is not there, and over a simulated one.

use super::*;
use crate::base::pool::Outside;
use crate::core::words::preflight::Checked;
use crate::providers::clients::Clients;
use crate::simulation::scenario::Scenario;
use crate::simulation::{SimulatedWorld, scenario};
use crate::testing::{SECRET, clients, dead_address, plan_of, silent_address};
use crate::world::RealWorld;
use std::sync::Arc;

const BASE: &str = r#"
[plan]
name = "Test"
[regions.primary]
role = "primary"
[probes.db]
kind = "tcp"
region = "primary"
address = "127.0.0.1:1"
[tree]
root = "down"
[tree.down]
ask = "Is it down?"
answers.yes = "failover"
answers.no = "stay"
[leaves.stay]
title = "Stay"
advice = "Watch."
[runbooks.failover]
title = "Fail over"
"#;

fn plan(steps: &str) -> Plan {
    plan_of(&[&format!("{BASE}{steps}")])
}

/// No threads of their own.
fn here() -> Pool {
    Outside::on(&tokio::runtime::Handle::current()).probes.clone()
}

async fn real(steps: &str, clients: Clients) -> Preflight {
    run(&plan(steps), &RealWorld::new(clients), &here()).await
}

fn of<'f>(found: &'f Preflight, step: &str, what: &str) -> &'f Check {
    let checks = &found.steps.iter().find(|of| of.step.as_str() == step).unwrap().checks;
    checks.iter().find(|check| check.what == what).unwrap_or_else(|| panic!("{what} of {step}: {checks:?}"))
}

fn exec(program: &str) -> String {
    format!(
        r#"
        [[runbooks.failover.steps]]
        id = "scale"
        title = "Scale up"
        action = "exec"
        with.target = "workers"
        with.argv = ["{program}", "12"]
        with.verify_argv = ["true"]
        with.env.TOKEN = {{ secret = "scaler-token" }}
        confirm = "yes"
        "#
    )
}

fn promote(address: &str) -> String {
    let (host, port) = address.split_once(':').unwrap();
    format!(
        r#"
        [[runbooks.failover.steps]]
        id = "promote"
        title = "Promote"
        action = "postgres-promote"
        with.dsn = "host={host} port={port} user=u sslmode=disable"
        confirm = "type"
        "#
    )
}

#[tokio::test]
async fn a_program_and_a_secret_that_are_not_there_fail_with_a_next_step() {
    let found = real(&exec("lifeboat-has-no-such-program"), clients(&[])).await;
    for what in ["program lifeboat-has-no-such-program", "secret scaler-token"] {
        let check = of(&found, "scale", what);
        assert!(matches!(check.result, Checked::Fail(_)) && !check.next.is_empty(), "{check:?}");
    }
    assert!(matches!(of(&found, "scale", "program true").result, Checked::Pass(_)));
    let target = of(&found, "scale", "target");
    assert!(
        matches!(target.result, Checked::NotCheckable(_)),
        "nobody can read what a program acts on: {target:?}"
    );
    assert_eq!(found.failing(), ["failover/scale"]);
}

#[tokio::test]
async fn a_secret_is_had_and_never_shown() {
    let found = real(&exec("true"), clients(&["scaler-token"])).await;
    assert!(matches!(of(&found, "scale", "secret scaler-token").result, Checked::Pass(_)));
    assert_eq!(found.tally().fail, 0, "{found:?}");
    assert!(!serde_json::to_string(&found).unwrap().contains(SECRET));
}

#[tokio::test]
async fn a_server_that_is_not_there_fails() {
    let found = real(&promote(&dead_address()), clients(&[])).await;
    let check = of(&found, "promote", "target");
    assert!(matches!(&check.result, Checked::Fail(why) if why.contains("refused")), "{check:?}");
}

#[tokio::test]
async fn a_silent_server_holds_up_nothing_but_itself() {
    let steps = promote(&silent_address().await) + &exec("true");
    let found = real(&steps, clients(&["scaler-token"])).await;
    assert!(
        found.took <= SignedDuration::try_from(DEADLINE).unwrap() + SignedDuration::from_secs(2),
        "{found:?}"
    );
    assert!(matches!(of(&found, "promote", "target").result, Checked::Fail(_)));
    assert!(matches!(of(&found, "scale", "program true").result, Checked::Pass(_)));
}

#[tokio::test]
async fn what_a_person_does_is_not_taken_for_checked() {
    let steps = r#"
        [[runbooks.failover.steps]]
        id = "freeze"
        title = "Freeze"
        action = "manual"
        with.instructions = ["Freeze it"]
        with.check = "It is frozen."
        "#;
    let found = real(steps, clients(&[])).await;
    assert!(matches!(of(&found, "freeze", "by hand").result, Checked::NotCheckable(_)));
}

#[tokio::test]
async fn a_simulated_world_says_that_it_is_one_and_looks_nothing_up() {
    let plan = Arc::new(plan(&(exec("lifeboat-has-no-such-program") + &promote("127.0.0.1:1"))));
    let calm: Scenario = scenario::generic("healthy").unwrap().resolve(&plan).unwrap();
    let world = SimulatedWorld::new(plan.clone(), calm, 1.0, jiff::Timestamp::now()).unwrap();
    let found = run(&plan, &world, &here()).await;
    assert_eq!(found.simulated.as_deref(), Some("healthy"));
    assert!(matches!(of(&found, "scale", "secret scaler-token").result, Checked::NotCheckable(_)));
    let target = of(&found, "promote", "target");
    assert!(target.result.seen().starts_with("simulated: "), "{target:?}");
}
