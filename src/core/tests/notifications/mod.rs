//! Who is told when, what of it survives, and that nobody is told twice for one cause.

mod anything;
mod clocks;
mod deliveries;
mod messages;
mod proposals;

use super::desk::*;
use super::fixture::{healthy, seconds};
use crate::base::ids::NotificationId;
use crate::core::apply::apply;
use crate::core::ask::own_clock::ClockOff;
use crate::core::decide;
use crate::core::model::Model;
use crate::core::words::actor::Actor;
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::Mode;
use crate::core::words::notification::{Again, Attempted, DeliveryStatus, Intent, Tracked};
use crate::plan::{
    Contact, Fallbacks, MessageTemplate, NotifySettings, Occasion, PageStatus, Plan, Severity, Turns, Who,
};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::collections::HashSet;

const WHOLE_PATH: &[&str] = &[
    "+0:00 page Alice by phone",
    "+5:00 page Alice by email",
    "+15:00 page Team lead by phone",
    "+15:00 page Team lead by slack",
    "+30:00 page Manager by email",
    "+35:00 page Manager by slack",
    "+1:00:00 page CTO by phone",
    "+1:00:00 page CTO by email",
];

fn status(telling: &Telling, number: u32) -> DeliveryStatus {
    let known = telling.machine.model.durable.notifications.values().nth(number as usize - 1).unwrap();
    known.status
}

fn id(telling: &Telling, number: u32) -> String {
    telling.machine.model.durable.notifications.keys().nth(number as usize - 1).unwrap().to_string()
}

#[test]
fn the_path_is_gone_through_to_its_end_while_nobody_acknowledges() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(minutes(180));
    assert_eq!(telling.asked, WHOLE_PATH);
}

#[test]
fn a_crash_in_the_middle_of_the_path_loses_nobody_and_tells_nobody_twice() {
    for minute in [0, 3, 14, 15, 29, 59] {
        let mut telling = Telling::new(plan());
        telling.declare(Severity::P0, Mode::Live);
        telling.pass(minutes(minute));
        telling.crash(seconds(1));
        telling.pass(minutes(90));
        let told: Vec<&str> = telling.asked.iter().map(|line| line.split_once(' ').unwrap().1).collect();
        let wanted: Vec<&str> = WHOLE_PATH.iter().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(told, wanted, "crashed after {minute} minutes");
    }
}

#[test]
fn what_became_due_while_no_engine_ran_is_told_at_once() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    telling.take_asked();
    telling.crash(minutes(31));
    telling.pass(seconds(2));
    let told = telling.take_asked();
    for name in ["Alice by email", "Team lead by phone", "Team lead by slack", "Manager by email"] {
        assert_eq!(told.iter().filter(|line| line.ends_with(name)).count(), 1, "{name}: {told:?}");
    }
}

#[test]
fn an_acknowledgement_stops_it_and_says_who() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(minutes(16));
    telling.acknowledge();
    telling.take_asked();
    telling.pass(minutes(120));
    assert!(telling.asked.is_empty(), "{:?}", telling.asked);
    let taken = decide::current_escalation(&telling.machine.model).unwrap().acknowledged.clone().unwrap();
    assert_eq!((taken.who.as_str(), taken.via.as_str()), ("alice", "console"));
    let refusal = telling.machine.ask(Ask::Acknowledge).unwrap_err();
    assert!(refusal.why.contains("you acknowledged it already"), "{refusal}");
}

#[test]
fn a_worse_severity_begins_anew_and_a_better_one_does_not_page_again() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    assert_eq!(telling.take_asked(), ["+0:00 page PAGER by pager", "+0:00 acknowledge PAGER by pager"]);
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P0, reason: "worse".into() }).unwrap();
    telling.pass(seconds(2));
    // The first alert is closed: what follows is told under another one.
    assert_eq!(telling.take_asked(), ["+0:01 page Alice by phone", "+0:01 resolve PAGER by pager"]);
    telling.acknowledge();
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P1, reason: "half of it".into() }).unwrap();
    telling.pass(minutes(60));
    assert!(telling.asked.is_empty(), "{:?}", telling.asked);
}

#[test]
fn without_an_acknowledgement_the_levels_of_a_lower_severity_take_the_place_of_the_worse_ones() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    telling.take_asked();
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P1, reason: "not all".into() }).unwrap();
    telling.pass(minutes(90));
    let told = telling.take_asked();
    assert_eq!(told, ["+0:01 page PAGER by pager", "+5:00 page Alice by email"], "the CTO is not woken");
}

/// The engine dies between the start of an attempt and its answer.
#[test]
fn a_silent_acknowledgement_is_paged_anew_and_work_counts_as_a_sign_of_life() {
    let mut plan = plan();
    plan.policies["path"].repage = Some(minutes(20));
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P0, Mode::Live);
    telling.acknowledge();
    telling.take_asked();
    telling.pass(minutes(15));
    telling.machine.ask(Ask::Note { text: "at it".into() }).unwrap();
    telling.pass(minutes(15));
    assert!(telling.asked.is_empty(), "the note counts: {:?}", telling.asked);
    telling.pass(minutes(6));
    assert_eq!(telling.take_asked(), ["+35:01 page Alice by phone"]);
    let renewed = telling.machine.log.iter().rev().find_map(|event| match &event.fact {
        Fact::EscalationRenewed { why, .. } => Some(why.clone()),
        _ => None,
    });
    assert!(renewed.unwrap().contains("alice acknowledged by console and gave no sign of life for 20 min"));
}

#[test]
fn the_levels_repeat_as_often_as_the_plan_says() {
    let mut plan = plan();
    let policy = &mut plan.policies["pager"];
    (policy.repeat, policy.repeats) = (Some(minutes(10)), 2);
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(minutes(60));
    let times: Vec<&str> = telling.asked.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(times, ["+0:00", "+10:00", "+20:00"]);
}

#[test]
fn quiet_hours_let_a_low_severity_sleep_until_the_morning() {
    let mut plan = plan();
    plan.policies["pager"].quiet = true;
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let quiet = Some(("22:00".parse().unwrap(), "07:00".parse().unwrap()));
    plan.notify = NotifySettings { zone, quiet, ..NotifySettings::default() };
    let mut telling = Telling::new(plan);
    // 03:00 UTC is 04:00 in Berlin.
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(minutes(179));
    assert!(telling.asked.is_empty(), "{:?}", telling.asked);
    telling.pass(minutes(2));
    assert_eq!(telling.asked, ["+3:00:00 page PAGER by pager"]);
    // A severity without quiet hours does not wait.
    let mut loud = Telling::new(super::desk::plan());
    loud.declare(Severity::P1, Mode::Live);
    assert_eq!(loud.asked.len(), 1);
}

#[test]
fn the_one_who_is_on_call_at_that_moment_is_told() {
    let mut plan = plan();
    if let Turns::Cycle { start, .. } = &mut plan.rotations["primary"].turns {
        *start = "2026-02-15T03:10:00".parse().unwrap();
    }
    plan.policies["path"].levels[1].who = vec![Who::OnCall("primary".into())];
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(minutes(16));
    assert_eq!(telling.asked[0], "+0:00 page Bob by phone");
    assert_eq!(
        telling.asked[2], "+15:00 page Alice by phone",
        "the turn ended at 03:10: {:?}",
        telling.asked
    );
}

#[test]
fn nobody_on_call_is_recorded_and_said_and_the_path_goes_on() {
    let mut plan = plan();
    if let Turns::Cycle { start, .. } = &mut plan.rotations["primary"].turns {
        *start = "2026-04-01T00:00:00".parse().unwrap();
    }
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P0, Mode::Live);
    let queued = telling.machine.log.iter().find_map(|event| match &event.fact {
        Fact::NotificationsQueued { to, message, .. } => Some((to.len(), message.body.clone())),
        _ => None,
    });
    let (count, body) = queued.unwrap();
    assert_eq!(count, 0);
    assert!(body.contains("nobody is on call in Primary now"), "{body}");
    assert_eq!(telling.asked[0], "+0:00 page Team lead by phone", "nobody waits for a level of nobody");
    let body = &telling.machine.model.durable.sent_messages.last().unwrap().body;
    assert!(
        body.contains(
            "Told because level 1 (On-call engineer) reached NOBODY: nobody is on call in Primary now."
        ),
        "{body}"
    );
    telling.take_asked();
    telling.pass(minutes(31));
    assert_eq!(telling.asked[0], "+30:00 page Manager by email", "the others come at their times");
}

#[test]
fn a_level_of_nobody_is_passed_over_also_where_the_engine_died_between_it_and_the_next() {
    let mut plan = plan();
    if let Turns::Cycle { start, .. } = &mut plan.rotations["primary"].turns {
        *start = "2026-04-01T00:00:00".parse().unwrap();
    }
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P0, Mode::Live);
    let log = &mut telling.machine.log;
    let last = log.iter().position(|event| matches!(event.fact, Fact::NotificationsQueued { .. })).unwrap();
    log.truncate(last + 1);
    telling.crash(seconds(1));
    telling.take_asked();
    telling.pass(seconds(3));
    assert!(
        telling.asked.iter().any(|line| line.ends_with("page Team lead by phone")),
        "{:?}",
        telling.asked
    );
}

#[test]
fn a_drill_is_marked_and_goes_where_the_plan_says() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Drill);
    let message = &telling.machine.model.durable.sent_messages[0];
    assert!(message.drill && message.subject.starts_with("[DRILL] "), "{message:?}");
    assert_eq!(telling.asked, ["+0:00 page Alice by phone"]);

    let mut plan = plan();
    plan.notify.drill_who = vec![who("bob")];
    plan.notify.drill_methods = vec!["slack".into()];
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P0, Mode::Drill);
    assert_eq!(telling.asked, ["+0:00 page Bob by slack"]);
    let body = &telling.machine.model.durable.sent_messages[0].body;
    assert!(
        body.starts_with("DRILL, an exercise: nothing is broken. In earnest it would have gone to Alice.")
    );
}

fn template(audience: &str, on: &[Occasion]) -> MessageTemplate {
    MessageTemplate {
        title: "Failover".into(),
        audience: audience.into(),
        on: on.to_vec(),
        severities: Vec::new(),
        runbooks: Vec::new(),
        within: minutes(15),
        every: None,
        automatic: false,
        subject: "[{{ incident.severity }}] {{ incident.title }}".into(),
        body: "Down: {{ incident.regions_down }}\n{{ incident.timeline }}".into(),
        page_status: Some(PageStatus::Investigating),
        component_status: None,
    }
}

fn with_message(message: MessageTemplate) -> Plan {
    Plan { messages: [("failover".into(), message)].into(), ..plan() }
}

#[test]
fn hands_over_with_a_brief() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    let role = crate::core::words::escalation::IncidentRole::Commander;
    let facts = telling.machine.ask(Ask::HandOver { role, to: "bob".into() }).unwrap();
    let Fact::RoleAssigned { brief, .. } = &facts[0] else { panic!("{facts:?}") };
    assert!(!brief.is_empty());
    assert_eq!(telling.machine.model.durable.incident.as_ref().unwrap().leader(), "bob");
    assert!(telling.machine.ask(Ask::HandOver { role, to: "bob".into() }).is_err());
}

#[test]
fn a_policy_that_was_renamed_or_whose_levels_changed_goes_on_under_the_new_one() {
    let renamed = |plan: &mut Plan| {
        let policy = plan.policies.shift_remove("path").unwrap();
        plan.policies.insert("outage".into(), policy);
    };
    let grown = |plan: &mut Plan| {
        let mut level = plan.policies["path"].levels[1].clone();
        level.title = "Deputy".into();
        plan.policies["path"].levels.insert(1, level);
    };
    for change in [&renamed as &dyn Fn(&mut Plan), &grown] {
        let mut telling = Telling::new(plan());
        telling.declare(Severity::P0, Mode::Live);
        telling.pass(minutes(1));
        let mut changed = plan();
        change(&mut changed);
        telling.plan = std::sync::Arc::new(changed);
        telling.crash(seconds(1));
        telling.take_asked();
        telling.pass(minutes(61));
        assert!(telling.asked.iter().any(|line| line.ends_with("CTO by phone")), "{:?}", telling.asked);
    }
}

#[test]
fn a_clock_that_was_set_back_holds_nobody_up() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(minutes(1));
    telling.crash(minutes(-30));
    telling.take_asked();
    telling.pass(minutes(16));
    let told: Vec<&str> = telling.asked.iter().map(|line| line.rsplit_once(" page ").unwrap().1).collect();
    assert!(told.contains(&"Alice by email") && told.contains(&"Team lead by phone"), "{told:?}");
}
