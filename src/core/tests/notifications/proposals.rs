//! What signals propose before anybody declares it, and what an exercise may not hide.

use super::*;

#[test]
fn what_signals_propose_is_told_before_anybody_declares_it_and_keeps_its_course() {
    let mut plan = plan();
    plan.notify.propose = Some(Severity::P1);
    let mut telling = Telling::new(plan);
    telling.machine.pass(20, &healthy());
    telling.machine.effects.clear();
    telling.machine.pass(30, &crate::core::tests::fixture::down());
    telling.answer();
    assert!(telling.asked.is_empty(), "it has to last a minute");
    for _ in 0..9 {
        telling.machine.pass(10, &crate::core::tests::fixture::down());
        telling.answer();
    }
    let proposal = telling.machine.model.durable.proposal.clone().unwrap();
    assert_eq!(telling.asked.len(), 1, "{:?}", telling.asked);
    let body = &telling.machine.model.durable.sent_messages[0].body;
    assert!(body.contains("nobody has declared it"), "{body}");
    let drill = Ask::Declare { title: "a drill".into(), mode: Mode::Drill };
    assert!(telling.machine.ask(drill).unwrap_err().why.contains("a real incident is proposed"));
    telling.machine.ask(Ask::Declare { title: "region".into(), mode: Mode::Live }).unwrap();
    telling.answer();
    assert_eq!(telling.machine.model.durable.incident.as_ref().unwrap().id, proposal.id);
    telling.machine.pass(10, &crate::core::tests::fixture::down());
    telling.answer();
    assert_eq!(telling.asked.len(), 1, "nobody is told again: {:?}", telling.asked);
}

#[test]
fn a_dismissed_proposal_does_not_come_back_until_it_is_worse_or_was_well() {
    let mut plan = plan();
    plan.notify.propose = Some(Severity::P1);
    let mut telling = Telling::new(plan);
    telling.machine.pass(20, &healthy());
    telling.machine.pass(120, &crate::core::tests::fixture::down());
    telling.answer();
    assert!(telling.machine.model.durable.proposal.is_some());
    telling.machine.ask(Ask::Dismiss { reason: "a planned test".into() }).unwrap();
    telling.machine.pass(600, &crate::core::tests::fixture::down());
    telling.answer();
    assert!(telling.machine.model.durable.proposal.is_none());
    telling.machine.pass(60, &healthy());
    telling.machine.pass(120, &crate::core::tests::fixture::down());
    assert!(telling.machine.model.durable.proposal.is_some(), "after it was well it counts again");
    telling.machine.pass(60, &healthy());
    assert!(telling.machine.model.durable.proposal.is_none(), "well again: withdrawn");
}

fn severity(telling: &mut Telling, severity: Option<Severity>) {
    let from = telling.machine.model.durable.severity.as_ref().map(|(severity, ..)| *severity);
    let event = Event {
        at: telling.machine.now,
        by: Actor::Engine,
        fact: Fact::SeverityChanged { from, to: severity, why: "a rule".into() },
        record: None,
    };
    telling.machine.log.push(event.clone());
    apply(&mut telling.machine.model, &event);
}

/// Time passes without the rules being asked: what they say is the test's.
fn wait(telling: &mut Telling, span: i64, level: Option<Severity>) {
    for _ in 0..span {
        telling.machine.now = telling.machine.now.checked_add(seconds(1)).unwrap();
        if telling.machine.model.durable.severity.as_ref().map(|(severity, ..)| *severity) != level {
            severity(telling, level);
        }
        let facts = decide::due(&telling.machine.model, telling.machine.now);
        telling.machine.take(facts);
        telling.answer_without_ticks();
    }
}

fn proposing() -> Telling {
    let mut plan = plan();
    plan.notify.propose = Some(Severity::P1);
    plan.notify.propose_after = minutes(2);
    Telling::new(plan)
}

#[test]
fn a_severity_that_alternates_with_a_worse_one_lasts() {
    let mut telling = proposing();
    for _ in 0..2 {
        wait(&mut telling, 50, Some(Severity::P1));
        wait(&mut telling, 50, Some(Severity::P0));
    }
    assert!(telling.machine.model.durable.proposal.is_some(), "it was P1 or worse for over two minutes");
}

#[test]
fn getting_better_does_not_reopen_what_was_resolved_and_getting_worse_does() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    severity(&mut telling, Some(Severity::P0));
    telling.machine.now = telling.machine.now.checked_add(seconds(1)).unwrap();
    telling.machine.ask(Ask::Resolve { how: "mended".into() }).unwrap();
    let resolved =
        |telling: &Telling| telling.machine.model.durable.incident.as_ref().unwrap().resolved.is_some();
    wait(&mut telling, 5, Some(Severity::P1));
    assert!(resolved(&telling), "from worse to better");
    wait(&mut telling, 5, None);
    wait(&mut telling, 5, Some(Severity::P1));
    assert!(!resolved(&telling), "it came back");
}

/// A drill of P1 that is open while the rules call for P0, long enough to be proposed.
fn real_trouble_in_a_drill() -> Telling {
    let mut telling = proposing();
    telling.declare(Severity::P1, Mode::Drill);
    telling.take_asked();
    wait(&mut telling, 200, Some(Severity::P0));
    telling
}

fn last_page(telling: &Telling) -> &crate::core::words::notification::Message {
    let durable = &telling.machine.model.durable;
    let mut pages = durable.notifications.values().filter(|known| known.intent == Intent::Page);
    &durable.sent_messages[pages.next_back().unwrap().message]
}

#[test]
fn real_trouble_during_a_drill_is_proposed_and_paged_as_without_one() {
    let telling = real_trouble_in_a_drill();
    let proposal = telling.machine.model.durable.proposal.as_ref().unwrap();
    assert_eq!(proposal.severity, Severity::P0);
    let message = last_page(&telling);
    assert!(!message.drill && !message.subject.contains("DRILL"), "{message:?}");
    assert!(
        message.body.contains("A drill is open") && message.body.contains("may be its doing"),
        "{message:?}"
    );
    assert!(message.body.contains("nobody has declared it"), "{message:?}");
    assert!(telling.machine.model.durable.incident.as_ref().unwrap().mode == Mode::Drill, "it stays one");
}

#[test]
fn what_is_the_drills_doing_is_dismissed_and_told_no_more() {
    let mut telling = real_trouble_in_a_drill();
    telling.take_asked();
    telling.machine.ask(Ask::Dismiss { reason: "our fence did it".into() }).unwrap();
    wait(&mut telling, 300, Some(Severity::P0));
    assert!(telling.machine.model.durable.proposal.is_none());
    let dismissal = telling.machine.model.durable.dismissed.as_ref().unwrap();
    assert_eq!((dismissal.who.as_str(), dismissal.why.as_str()), ("alice", "our fence did it"));
    telling.machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
}

#[test]
fn a_drill_becomes_the_live_incident_and_nobody_is_told_twice() {
    let mut telling = real_trouble_in_a_drill();
    telling.machine.ask(Ask::Acknowledge).unwrap();
    telling.answer();
    let drill = telling.machine.model.durable.incident.as_ref().unwrap().id.clone();
    telling.take_asked();
    telling.machine.ask(Ask::Declare { title: "it is real".into(), mode: Mode::Live }).unwrap();
    wait(&mut telling, 60, Some(Severity::P0));
    let durable = &telling.machine.model.durable;
    let incident = durable.incident.as_ref().unwrap();
    assert_eq!((&incident.id, incident.mode, incident.title.as_str()), (&drill, Mode::Live, "it is real"));
    assert!(durable.proposal.is_none() && incident.severity_override.is_none());
    let escalation = durable.escalation.as_ref().unwrap();
    assert!(escalation.incident == drill && escalation.acknowledged.is_some(), "{escalation:?}");
    let pages = durable
        .notifications
        .values()
        .filter(|known| known.intent == Intent::Page && known.incident == drill);
    assert!(pages.clone().count() > 0);
    let asked = telling.take_asked();
    assert!(!asked.iter().any(|line| line.contains(" page ")), "told already: {asked:?}");
}

#[test]
fn the_end_of_a_drill_dismisses_nothing_real() {
    let mut telling = real_trouble_in_a_drill();
    telling.machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    wait(&mut telling, 5, Some(Severity::P0));
    let proposal = telling.machine.model.durable.proposal.as_ref();
    assert_eq!(proposal.map(|proposal| proposal.severity), Some(Severity::P0));
    assert!(!last_page(&telling).drill);
}

#[test]
fn a_dismissal_counts_for_what_it_had_become() {
    let mut telling = proposing();
    wait(&mut telling, 150, Some(Severity::P1));
    wait(&mut telling, 10, Some(Severity::P0));
    telling.machine.ask(Ask::Dismiss { reason: "a planned test".into() }).unwrap();
    wait(&mut telling, 300, Some(Severity::P0));
    assert!(telling.machine.model.durable.proposal.is_none());
}

#[test]
fn a_proposal_dismissed_when_it_is_well_again_silences_nothing_of_the_next_trouble() {
    let mut telling = proposing();
    wait(&mut telling, 200, Some(Severity::P1));
    assert!(telling.machine.model.durable.proposal.is_some());
    // It is over, and the proposal is still open, as while another rule cannot be told.
    let over = Fact::SeverityChanged {
        from: Some(Severity::P1),
        to: None,
        why: "no severity rule holds any more".into(),
    };
    telling.machine.take(vec![over]);
    assert!(telling.machine.model.durable.proposal.is_some());
    telling.machine.ask(Ask::Dismiss { reason: "it is well".into() }).unwrap();
    assert!(telling.machine.model.durable.dismissed.is_none());
    wait(&mut telling, 200, Some(Severity::P1));
    let proposed = telling.machine.model.durable.proposal.as_ref().map(|proposal| proposal.severity);
    assert_eq!(proposed, Some(Severity::P1));
}

#[test]
fn a_dismissal_is_for_its_reason_and_another_one_as_bad_is_proposed_anew() {
    use crate::core::words::escalation::Dismissal;
    let at = super::super::fixture::start();
    let (who, why) = ("anna".to_owned(), "host network".to_owned());
    let blind =
        Dismissal { severity: Severity::P0, at, who, why, reason: Some("this console is blind".into()) };
    assert!(blind.covers(Severity::P0, "this console is blind"));
    assert!(blind.covers(Severity::P1, "slow"), "milder than what was dismissed");
    assert!(!blind.covers(Severity::P0, "customers see nothing"));
    let of_before = Dismissal { reason: None, ..blind };
    assert!(of_before.covers(Severity::P0, "customers see nothing"), "an old record says no reason");
}
