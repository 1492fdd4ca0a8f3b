//! Which server an address leads to, and what is in force around it.

use super::*;

#[test]
fn a_fence_that_a_lag_watches_too_is_in_force_no_more_once_its_server_was_rebuilt() {
    let mut machine = fenced_under(with_a_fence_seen_by_a_lag());
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    let fences = |machine: &Machine| in_force::of(&machine.model).iter().filter(|left| left.is_fence).count();
    assert_eq!(fences(&machine), 1);
    machine.pass(60, &world(rebuilt("a2"), primary(2, "b")));
    assert_eq!(fences(&machine), 0);
    machine.pass(60, &world(primary(3, "a2"), bad()));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_fence_around_several_servers_stays_until_each_of_them_was_rebuilt() {
    let mut plan = (*with_a_fence_seen_by_a_lag()).clone();
    let mut third = plan.probes["primary-db"].clone();
    (third.id, third.region) = ("other-db".into(), Some("primary".into()));
    third.params.0.insert("dsn".into(), crate::plan::params::Param::Text("host=c".into()));
    plan.probes.insert("other-db".into(), third);
    plan.runbooks.get_mut("failover").unwrap().steps.get_mut("check").unwrap().fences.push("other-db".into());
    let mut machine = fenced_under(Arc::new(plan));
    do_step(&mut machine, "promote");
    let fences = |machine: &Machine| in_force::of(&machine.model).iter().filter(|left| left.is_fence).count();
    machine.pass(60, &[world(rebuilt("a2"), primary(2, "b")), vec![("other-db", fenced("c"))]].concat());
    assert_eq!(fences(&machine), 1, "one of them is still fenced");
    machine.pass(60, &[world(rebuilt("a2"), primary(2, "b")), vec![("other-db", rebuilt("c2"))]].concat());
    assert_eq!(fences(&machine), 0);
}

#[test]
fn a_name_of_the_old_primary_that_moves_to_the_new_one_breaks_no_fence() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    for step in ["scale", "dns"] {
        do_step(&mut machine, step);
    }
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "tell".into(), how: "called".into() }).unwrap();
    machine.settle();
    machine.pass(30, &world(bad(), primary(2, "b")));
    assert_eq!(machine.model.serving().map(|region| region.as_str()), Some("dr"));
    let moved = world(primary(2, "b"), primary(2, "b"));
    for _ in 0..40 {
        machine.pass(1, &moved);
        assert_eq!(kinds(&machine), []);
    }
    assert_eq!(machine.model.serving().map(|region| region.as_str()), Some("dr"));
    assert_eq!(machine.model.state(&"dr-db".into()), SignalState::Ok);
    assert_eq!(machine.model.durable.services["postgresql"].status, Status::Up);
    // Back under its own name it is what was fenced.
    machine.pass(12, &world(primary(1, "a2"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}

/// Both in one region: only the promotion tells that the name moved.
#[test]
fn a_name_that_moves_within_a_region_breaks_no_fence_and_leaves_the_roles_right() {
    use crate::plan::params::Param;
    let mut plan = (*with_a_fence()).clone();
    for (probe, role, dsn) in [("primary-db", "primary", "a"), ("dr-db", "standby", "b")] {
        let spec = plan.probes.get_mut(probe).unwrap();
        spec.region = Some("primary".into());
        for (key, value) in [("role", role), ("dsn", dsn)] {
            spec.params.0.insert(key.into(), Param::Text(value.into()));
        }
    }
    let runbook = plan.runbooks.get_mut("failover").unwrap();
    runbook.activates = None;
    runbook.steps.get_mut("promote").unwrap().unfences = vec!["dr-db".into()];
    let mut machine = fenced_under(Arc::new(plan));
    do_step(&mut machine, "promote");
    machine.pass(30, &world(bad(), primary(2, "b")));
    machine.pass(60, &world(primary(2, "b"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    assert_eq!(machine.model.state(&"dr-db".into()), SignalState::Ok);
    // The fenced one itself is back.
    machine.pass(12, &world(primary(1, "a2"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}

/// What the fence's own look says who answers at its address.
fn described(machine: &mut Machine, started: &str) {
    let run = machine.run();
    machine.ask(Ask::Prepare { run: run.clone(), step: "check".into() }).unwrap();
    let pairs = [("system identifier", "77"), ("role", "primary"), ("started at", started)];
    let target = crate::core::words::action::Target {
        name: "db-a:5432".into(),
        kind: "PostgreSQL server".into(),
        identity: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        reachable: true,
    };
    let description = crate::core::words::action::Description {
        call: "alter system".into(),
        command: "psql".into(),
        target,
        notes: Vec::new(),
        undo: Vec::new(),
        sets: Vec::new(),
    };
    let manual =
        crate::core::words::action::ManualCard { instructions: vec!["by hand".into()], check: "look".into() };
    machine.report(Report::Described { run, step: "check".into(), result: Ok(description), manual }).unwrap();
    machine.effects.clear();
}

#[test]
fn a_fence_whose_address_leads_to_the_server_that_serves_is_refused_and_the_one_that_is_meant_is_not() {
    let mut machine = Machine::failing_over_under(with_a_fence());
    machine.pass(12, &world(primary(2, "b"), primary(2, "b")));
    machine.effects.clear();
    described(&mut machine, "b");
    let run = machine.run();
    let (_, state) = machine.model.step(&run, &"check".into()).unwrap();
    let (refused, _) = state.obstacle.clone().expect("it must not be confirmed");
    assert!(refused.why.contains("leads to probe dr-db now, which accepts writes"), "{refused:?}");
    assert_eq!(state.status, StepStatus::Ready);
    // The process that the plan means.
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    described(&mut machine, "a");
    assert_eq!(status(&machine, "check"), StepStatus::Confirming);
}

#[test]
fn a_preflight_says_which_steps_act_on_the_server_that_serves_by_an_address_that_moved() {
    use crate::core::words::preflight::{Preflight, StepChecks};
    let mut machine = Machine::resumed_under(with_a_fence(), Vec::new(), start());
    machine.pass(20, &world(standby("a"), primary(2, "b")));
    let reason = "moved by hand".into();
    machine.ask(Ask::RecordServing { region: "dr".into(), reason }).unwrap();
    machine.pass(12, &world(primary(2, "b"), primary(2, "b")));
    let step = |step: &str| StepChecks {
        runbook: "failover".into(),
        step: step.into(),
        title: step.into(),
        action: "postgres-fence".into(),
        checks: Vec::new(),
    };
    let (at, took) = (machine.now, seconds(1));
    let steps = vec![step("check"), step("promote")];
    let found = Preflight { at, took, simulated: None, regions: Vec::new(), steps };
    machine.report(Report::Preflighted(Box::new(found))).unwrap();
    let found = machine.model.live.preflight.as_ref().unwrap();
    let seen =
        |place: usize| found.steps[place].checks.iter().map(|check| check.result.seen()).collect::<String>();
    assert!(seen(0).contains("the address of probe primary-db leads to probe dr-db now"), "{}", seen(0));
    assert_eq!(seen(1), "", "it is about another one");
}
