//! The clock of the host is set, or the host sleeps, while people are told level after level.

use super::*;

fn jump(telling: &mut Telling, by: SignedDuration, not_passed: SignedDuration) {
    telling.machine.now = telling.machine.now.checked_add(by.max(seconds(0))).unwrap();
    telling.machine.report(Report::ClockJumped { by, not_passed }).unwrap();
    telling.tick();
}

#[test]
fn a_clock_that_several_servers_deny_is_recorded_when_it_turns_and_not_for_each_that_joins() {
    let mut telling = Telling::new(plan());
    let mut compare = |ahead_s: i64, peers: usize| {
        let found = Some(ClockOff { ahead: seconds(ahead_s), peers });
        let facts = telling.machine.report(Report::ClockCompared(found)).unwrap();
        let recorded = facts.iter().filter(|fact| fact.is_durable()).count();
        (facts.len(), recorded, telling.machine.model.live.clock_off.map(|off| off.peers))
    };
    assert_eq!(compare(7200, 1), (0, 0, None), "one server may be wrong itself");
    assert_eq!(compare(7200, 2), (1, 1, Some(2)));
    assert_eq!(compare(7201, 2), (0, 0, Some(2)), "nothing is new");
    assert_eq!(compare(7203, 3), (1, 0, Some(3)), "who else says so is shown");
    assert_eq!(compare(7800, 3), (1, 1, Some(3)), "it goes wrong further");
    assert_eq!(compare(0, 0), (1, 1, None));
    assert_eq!(compare(0, 0), (0, 0, None));
}

fn names(asked: &[String]) -> Vec<&str> {
    asked.iter().map(|line| line.split_once(' ').unwrap().1).collect()
}

#[test]
fn a_clock_that_is_set_forth_and_back_brings_no_level_early_or_twice_and_loses_none() {
    let hours = seconds(7200);
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(minutes(3));
    let before = telling.asked.clone();
    jump(&mut telling, hours, hours);
    assert_eq!(telling.asked, before, "nothing is due that was not");
    telling.pass(minutes(1));
    jump(&mut telling, -hours, seconds(0));
    telling.pass(minutes(10));
    assert_eq!(names(&telling.asked), names_of(&WHOLE_PATH[..2]), "14 minutes have passed");
    telling.pass(seconds(62));
    assert_eq!(names(&telling.asked), names_of(&WHOLE_PATH[..4]));
    telling.pass(minutes(90));
    assert_eq!(names(&telling.asked), names_of(WHOLE_PATH));
}

#[test]
fn after_a_sleep_of_the_host_what_became_due_is_told_at_once() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    jump(&mut telling, minutes(16), seconds(0));
    telling.pass(seconds(2));
    assert_eq!(names(&telling.asked)[1..].len(), 3, "{:?}", telling.asked);
}

#[test]
fn a_severity_has_to_last_by_elapsed_time_before_it_is_proposed() {
    let mut plan = plan();
    plan.notify.propose = Some(Severity::P1);
    let mut telling = Telling::new(plan);
    telling.machine.pass(20, &healthy());
    telling.machine.pass(30, &crate::core::tests::fixture::down());
    assert!(telling.machine.model.durable.severity.is_some());
    jump(&mut telling, seconds(7200), seconds(7200));
    telling.machine.pass(10, &crate::core::tests::fixture::down());
    assert!(telling.machine.model.durable.proposal.is_none());
    telling.machine.pass(60, &crate::core::tests::fixture::down());
    assert!(telling.machine.model.durable.proposal.is_some());
}

fn names_of<'a>(path: &[&'a str]) -> Vec<&'a str> {
    path.iter().map(|line| line.split_once(' ').unwrap().1).collect()
}
