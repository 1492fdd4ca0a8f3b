//! Two servers of one database that accept writes.

use super::*;

#[test]
fn two_primaries_are_a_p0_without_any_rule_of_the_plan() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
    let (severity, _, why) = machine.model.durable.severity.clone().unwrap();
    assert_eq!(severity, Severity::P0);
    assert!(why.contains("SPLIT BRAIN") && why.contains("primary-db") && why.contains("dr-db"), "{why}");
}

#[test]
fn what_is_no_split_brain_is_not_called_one() {
    let cases: [(&str, Outcome, Outcome); 4] = [
        ("one server behind two addresses", primary(2, "b"), primary(2, "b")),
        ("a primary that was just fenced", fenced("a"), primary(2, "b")),
        ("a primary that cannot be read", blind(), primary(2, "b")),
        (
            "another database",
            Ok(server("primary", 1, "a").with_text("system_identifier", "78".to_owned())),
            primary(2, "b"),
        ),
    ];
    for (case, one, other) in cases {
        let mut machine = Machine::new();
        machine.pass(60, &world(one, other));
        assert!(!kinds(&machine).contains(&Kind::TwoPrimaries), "{case}");
    }
}

#[test]
fn a_reading_of_before_the_promotion_makes_no_second_primary() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    // The old primary is silent from here on, its last reading still fresh when the other one is promoted.
    machine.pass(14, &world(blind(), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn a_primary_that_came_back_and_went_silent_again_stays_a_split_brain_until_it_is_seen_or_answered() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.pass(60, &world(bad(), primary(2, "b")));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![Kind::TwoPrimaries], Some(Severity::P0)));
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "powered off at the switch".into() }).unwrap();
    machine.pass(2, &world(bad(), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere], "what is left is that nobody recorded the move");
}

#[test]
fn a_split_brain_is_over_when_one_of_them_is_read_as_fenced() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.pass(3, &world(fenced("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    let ended = machine.log.iter().any(|event| matches!(event.fact, Fact::ContradictionEnded { .. }));
    assert!(ended);
}

#[test]
fn an_unanswered_split_brain_refuses_resolve_and_close_and_an_answer_is_good_for_that_one_only() {
    let mut machine = Machine::new();
    machine.ask(Ask::Declare { title: "odd".into(), mode: Mode::Live }).unwrap();
    machine.pass(12, &split());
    let refused = machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap_err();
    assert!(refused.why.contains("SPLIT BRAIN"), "{}", refused.why);
    machine.ask(Ask::Close { reason: "over".into() }).unwrap_err();
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id: id.clone(), reason: " ".into() }).unwrap_err();
    machine.ask(Ask::AnswerContradiction { id, reason: "a clone for tests".into() }).unwrap();
    machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap();
    // Another promotion: not the one that was answered.
    machine.pass(12, &world(primary(1, "a"), primary(3, "b")));
    machine.ask(Ask::Close { reason: "over".into() }).unwrap_err();
}

#[test]
fn a_contradiction_and_its_answer_are_the_fold_of_the_journal() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "a clone for tests".into() }).unwrap();
    let again = Machine::resumed(machine.log.clone(), machine.now);
    assert_eq!(of(&again.model), of(&machine.model));
}

#[test]
fn a_split_brain_pages_anew_although_a_p0_was_acknowledged_and_blocks_the_promotion() {
    let mut night = Telling::new(desk::plan());
    night.declare(Severity::P0, Mode::Live);
    night.acknowledge();
    night.pass(seconds(5));
    night.take_asked();
    for _ in 0..3 {
        night.machine.observe(&split());
        night.pass(seconds(3));
    }
    let paged = night.take_asked();
    assert!(paged.iter().any(|asked| asked.contains("page")), "{paged:?}");
    night.acknowledge();
    night.machine.observe(&split());
    night.pass(seconds(3));
    assert_eq!(night.take_asked(), Vec::<String>::new());
}

#[test]
fn a_split_brain_refuses_the_promotion_until_it_is_answered() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    let before = machine.executed.len();
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
    let confirm = |confirmation| Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) };
    let refused = machine.ask(confirm(id.clone())).unwrap_err();
    assert!(refused.why.contains("SPLIT BRAIN"), "{}", refused.why);
    assert_eq!(machine.executed.len(), before);
    let split = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id: split, reason: "b is a clone".into() }).unwrap();
    machine.ask(confirm(id)).unwrap();
}

#[test]
fn a_promotion_is_refused_while_the_primary_that_it_replaces_still_accepts_writes() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert_eq!(kinds(&machine), [Kind::PrimaryAlive]);
    let typed = || Some("target-of-promote".to_owned());
    let refused = machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap_err();
    assert!(refused.why.contains("makes two primaries"), "{}", refused.why);
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap();
}

#[test]
fn a_step_that_moves_traffic_is_refused_during_a_split_brain() {
    for (action, switches) in [
        ("exec", true),
        ("route53-upsert", false),
        ("route53-switch", false),
        ("cloudfront-origin", false),
        ("arc-routing-control", false),
    ] {
        let mut plan = (*with_a_fence()).clone();
        let dns = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("dns").unwrap();
        (dns.action, dns.switches) = (action.into(), switches);
        dns.does = if switches { Does::Runs } else { Does::Routes };
        let mut machine = fenced_under(Arc::new(plan));
        do_step(&mut machine, "promote");
        machine.pass(12, &split());
        let confirmation = machine.prepare("dns");
        let refused = machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap_err();
        assert!(refused.why.contains("SPLIT BRAIN"), "{action}: {}", refused.why);
    }
}

#[test]
fn pages_and_brief_name_what_cannot_be_right() {
    let mut machine = back_after_the_promotion();
    machine.pass(1, &split());
    let page = crate::core::prose::message::page(&machine.model, machine.now, "");
    assert!(page.subject.contains("SPLIT BRAIN"), "{}", page.subject);
    assert!(
        page.body.contains("SPLIT BRAIN") && page.body.contains("Fence probe primary-db"),
        "{}",
        page.body
    );
    let brief = crate::core::prose::brief::lines(&machine.model, machine.now);
    let line = |label: &str| brief.iter().find(|line| line.starts_with(label)).cloned().unwrap_or_default();
    assert!(line("State:").contains("SPLIT BRAIN"), "{brief:#?}");
    assert!(
        line("Next:").contains("SPLIT BRAIN") && line("Next:").contains("Fence probe primary-db"),
        "{brief:#?}"
    );
}

#[test]
fn what_two_primaries_cost_stays_with_the_incident_once_one_is_fenced() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.ask(Ask::Declare { title: "odd".into(), mode: Mode::Live }).unwrap();
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert!(!kinds(&machine).contains(&Kind::TwoPrimaries));
    let splits = &machine.model.durable.splits;
    let [split] = splits.as_slice() else { panic!("{splits:?}") };
    assert!(split.until.is_some_and(|until| until > split.since), "{split:?}");
    let brief = crate::core::prose::brief::lines(&machine.model, machine.now).join("\n");
    assert!(brief.contains("SPLIT BRAIN") && brief.contains("is missing on the other"), "{brief}");
}

#[test]
fn two_primaries_went_apart_when_one_was_promoted_however_late_both_were_seen() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    let run = machine.run();
    let promoted = machine.model.step(&run, &"promote".into()).unwrap().1.started_at.unwrap();
    // The old primary is cut off for a while, and takes writes.
    machine.pass(60, &world(blind(), primary(2, "b")));
    machine.pass(12, &split());
    let splits = &machine.model.durable.splits;
    let [split] = splits.as_slice() else { panic!("{splits:?}") };
    let apart = split.apart_since.unwrap();
    // The standby was 14 s behind when the primary went out of sight.
    let behind = promoted.duration_since(apart);
    assert!(behind >= seconds(14), "{behind:?} before the promotion");
    assert!(split.since.duration_since(promoted) >= seconds(60), "{split:?}");
    let clock = apart.strftime("%H:%M:%SZ").to_string();
    assert!(
        split.sentence().contains(&format!("different data since about {clock}")),
        "{}",
        split.sentence()
    );
    let again = Machine::resumed_under(machine.model.plan.clone(), machine.log.clone(), machine.now);
    assert_eq!(again.model.durable.splits, *splits);
}

/// All three in the region that serves.
#[test]
fn who_is_promoted_by_hand_beside_the_one_that_lifeboat_promoted_is_named() {
    let mut plan = (*plan()).clone();
    for probe in ["primary-db", "dr-db"] {
        plan.probes.get_mut(probe).unwrap().region = Some("dr".into());
    }
    plan.runbooks.get_mut("failover").unwrap().steps.get_mut("promote").unwrap().unfences =
        vec!["dr-db".into()];
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    do_step(&mut machine, "promote");
    machine.ask(Ask::Abort { reason: "done".into() }).unwrap();
    machine.pass(12, &world(primary(3, "a"), primary(2, "b")));
    let split = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::TwoPrimaries).unwrap();
    assert_eq!(split.contradiction.to_fence, Some("primary-db".into()), "{split:?}");
}

#[test]
fn two_primaries_whose_probes_cannot_tell_are_a_split_brain_that_says_so() {
    for (one, other) in [(hidden(1, "a"), hidden(2, "b")), (primary(1, "a"), hidden(2, "b"))] {
        let mut machine = Machine::new();
        machine.pass(20, &world(one.clone(), standby("b")));
        machine.pass(12, &world(one, other));
        assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
        let known = &of(&machine.model)[0].contradiction;
        assert!(known.what.contains("may both accept writes"), "{}", known.what);
        assert!(known.why.contains("cannot tell whether it accepts writes"), "{}", known.why);
    }
}

#[test]
fn which_of_two_primaries_must_go_is_told_anew_when_a_fence_is_recorded_as_undone() {
    let mut machine = back_after_the_promotion();
    let to_fence = |machine: &Machine| of(&machine.model)[0].contradiction.to_fence.clone();
    assert_eq!(to_fence(&machine), Some("primary-db".into()));
    let since = of(&machine.model)[0].since;
    let mut open = of(&machine.model)[0].clone();
    open.contradiction.to_fence = Some("dr-db".into());
    machine.model.durable.contradictions = vec![open];
    machine.pass(2, &split());
    assert_eq!((to_fence(&machine), of(&machine.model)[0].since), (Some("primary-db".into()), since));
    assert_eq!(machine.model.durable.splits.len(), 1);
}

#[test]
fn nothing_is_recorded_to_serve_while_two_servers_accept_writes() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    for region in ["primary", "dr"] {
        let ask = || Ask::RecordServing { region: region.into(), reason: "it does".into() };
        let refused = machine.ask(ask()).unwrap_err();
        assert!(refused.why.contains("SPLIT BRAIN"), "{region}: {}", refused.why);
    }
}
