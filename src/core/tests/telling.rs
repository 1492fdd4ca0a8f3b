//! Who is told when, what of it survives, and that nobody is told twice for one cause.

use super::desk::*;
use super::fixture::{healthy, seconds};
use crate::core::actor::Actor;
use crate::core::apply::apply;
use crate::core::command::{Ask, Report};
use crate::core::decide;
use crate::core::fact::{Event, Fact};
use crate::core::incident::Mode;
use crate::core::model::Model;
use crate::core::notification::{Again, Attempted, DeliveryStatus, Intent, Tracked};
use crate::ids::NotificationId;
use crate::plan::Contact;
use crate::plan::{MessageTemplate, NotifySettings, Occasion, PageStatus, Plan, Severity, Tries, Turns, Who};
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

#[test]
fn a_failed_way_gives_place_to_the_next_at_once() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|channel, name, attempt| match channel {
        "phone" => refused("21211: not a number", Again::Never),
        _ => accepted()(channel, name, attempt),
    });
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(seconds(1));
    assert_eq!(telling.asked, ["+0:00 page Alice by phone", "+0:00 page Alice by email"]);
    assert_eq!(
        (status(&telling, 1), status(&telling, 2)),
        (DeliveryStatus::Failed, DeliveryStatus::Accepted)
    );
}

#[test]
fn attempts_back_off_follow_the_provider_and_end_with_the_patience_of_the_channel() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|channel, name, attempt| match (channel, attempt) {
        ("phone", 1) => refused("no connection", Again::After(None)),
        ("phone", 2) => refused("429", Again::After(Some(seconds(60)))),
        ("phone", _) => refused("503", Again::After(None)),
        _ => accepted()(channel, name, attempt),
    });
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(minutes(4));
    let phone: Vec<&String> = telling.asked.iter().filter(|line| line.ends_with("phone")).collect();
    assert_eq!(
        phone[..3],
        ["+0:00 page Alice by phone", "+0:02 page Alice by phone", "+1:02 page Alice by phone"]
    );
    let email = telling.asked.iter().position(|line| line.ends_with("email")).unwrap();
    assert_eq!(
        email,
        telling.asked.len() - 1,
        "the next way comes after the last attempt: {:?}",
        telling.asked
    );
    assert!(telling.asked[email].starts_with("+2:"), "within its three minutes: {}", telling.asked[email]);
}

#[test]
fn what_may_have_arrived_is_only_sent_again_where_the_provider_knows_it() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|channel, name, attempt| match attempt {
        1 => refused("no answer", Again::Maybe),
        _ => accepted()(channel, name, attempt),
    });
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(seconds(5));
    assert_eq!(telling.take_asked(), ["+0:00 page PAGER by pager", "+0:02 page PAGER by pager"]);
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|_, _, _| refused("no answer", Again::Maybe));
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(seconds(5));
    assert_eq!(telling.take_asked(), ["+0:00 page Alice by phone", "+0:00 page Alice by email"]);
    assert_eq!(
        (status(&telling, 1), status(&telling, 2)),
        (DeliveryStatus::Unknown, DeliveryStatus::Unknown)
    );
}

/// The engine dies between the start of an attempt and its answer.
#[test]
fn an_attempt_that_nobody_saw_the_end_of_is_unknown_or_made_again_under_its_key() {
    for (severity, after) in [(Severity::P0, DeliveryStatus::Unknown), (Severity::P1, DeliveryStatus::Queued)]
    {
        let mut telling = Telling::new(plan());
        telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
        telling.machine.ask(Ask::SetSeverity { severity, reason: "seen".into() }).unwrap();
        while !matches!(telling.machine.log.last().unwrap().fact, Fact::NotificationStarted { .. }) {
            telling.machine.effects.clear();
            telling.machine.report(Report::Tick).unwrap();
        }
        let key = telling.machine.model.durable.notifications[0].queued.key.clone();
        let log = std::mem::take(&mut telling.machine.log);
        let now = telling.machine.now;
        telling.machine = super::fixture::Machine::resumed_under(telling.plan.clone(), log, now);
        assert_eq!(status(&telling, 1), after);
        telling.pass(seconds(3));
        let told = telling.take_asked();
        match severity {
            Severity::P0 => assert!(told[0].ends_with("Alice by email"), "the next way: {told:?}"),
            _ => assert!(told[0].ends_with("PAGER by pager") && told.len() == 1, "{told:?}"),
        }
        assert_eq!(telling.machine.model.durable.notifications[0].queued.key, key);
    }
}

#[test]
fn somebody_acknowledges_at_the_provider() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    assert_eq!(telling.tracking.len(), 1, "the pager is asked");
    let first = id(&telling, 1);
    telling.heard(&first, Tracked::Acknowledged("Carol".into()));
    let taken = decide::current_escalation(&telling.machine.model).unwrap().acknowledged.clone().unwrap();
    assert_eq!((taken.who.as_str(), taken.via.as_str()), ("Carol", "PAGER"));
    assert_eq!(status(&telling, 1), DeliveryStatus::Acknowledged);
    telling.pass(minutes(5));
    assert_eq!(telling.asked.len(), 1, "its own alert needs no acknowledgement: {:?}", telling.asked);
    // After a crash it is not asked again.
    telling.crash(seconds(1));
    assert!(telling.tracking.is_empty());
}

#[test]
fn a_call_that_was_not_answered_gives_place_to_the_next_way() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    let first = id(&telling, 1);
    telling.heard(&first, Tracked::Failed("nobody picked up".into()));
    telling.pass(seconds(1));
    assert_eq!(telling.asked.last().unwrap(), "+0:00 page Alice by email");
}

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
    telling.pass(minutes(16));
    assert_eq!(telling.asked[0], "+15:00 page Team lead by phone");
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
fn a_message_of_the_plan_is_due_until_a_person_sends_or_waives_it() {
    let mut telling = Telling::new(with_message(template("customers", &[Occasion::Declared])));
    telling.declare(Severity::P0, Mode::Live);
    let due = telling.machine.model.durable.due[0].clone();
    assert_eq!(due.by, telling.machine.now.checked_add(minutes(15)).unwrap());
    let draft =
        crate::core::message::draft(&telling.machine.model, &"failover".into(), telling.machine.now).unwrap();
    assert_eq!(draft.subject, "[P0] It is gone");
    telling.take_asked();
    let send = Ask::Send {
        message: Some("failover".into()),
        audience: "customers".into(),
        subject: draft.subject,
        body: "We are looking into it.".into(),
    };
    telling.machine.ask(send).unwrap();
    telling.answer();
    assert_eq!(telling.take_asked(), ["+0:00 inform PAGE by page"]);
    assert!(telling.machine.model.durable.due.is_empty());
    telling.pass(minutes(40));
    assert!(telling.machine.model.durable.due.is_empty(), "once");
    let mut sent = telling.machine.model.durable.sent_messages.iter();
    let sent = sent.find(|message| message.body.starts_with("We are looking")).unwrap();
    assert_eq!(sent.page_status, Some(PageStatus::Investigating));
    assert!(sent.witness.starts_with("Journal #"), "{}", sent.witness);
}

#[test]
fn updates_are_due_again_after_their_time_until_it_is_resolved() {
    let message = MessageTemplate {
        every: Some(minutes(30)),
        automatic: true,
        ..template("internal", &[Occasion::Declared])
    };
    let mut telling = Telling::new(with_message(message));
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.pass(minutes(65));
    telling.machine.ask(Ask::Resolve { how: "mended".into() }).unwrap();
    telling.pass(minutes(60));
    let informed: Vec<&String> =
        telling.asked.iter().filter(|line| line.contains("inform Team lead")).collect();
    assert_eq!(informed.len(), 3, "at 0, 30 and 60 minutes: {:?}", telling.asked);
}

#[test]
fn a_waived_message_needs_a_reason_and_is_not_sent() {
    let mut telling = Telling::new(with_message(template("customers", &[Occasion::Declared])));
    telling.declare(Severity::P0, Mode::Live);
    let waive = |reason: &str| Ask::Waive { message: "failover".into(), reason: reason.into() };
    assert!(telling.machine.ask(waive(" ")).is_err());
    telling.machine.ask(waive("no customer saw it")).unwrap();
    telling.pass(minutes(30));
    assert!(telling.machine.model.durable.due.is_empty());
    assert!(!telling.asked.iter().any(|line| line.contains("inform")));
}

#[test]
fn a_drill_sends_customers_nothing() {
    let message = MessageTemplate { automatic: true, ..template("customers", &[Occasion::Declared]) };
    let mut telling = Telling::new(with_message(message));
    telling.declare(Severity::P0, Mode::Drill);
    telling.pass(minutes(2));
    assert!(!telling.asked.iter().any(|line| line.contains("inform")), "{:?}", telling.asked);
    assert!(telling.machine.model.durable.due.is_empty(), "it is recorded and done");
}

#[test]
fn what_signals_propose_is_told_before_anybody_declares_it_and_keeps_its_course() {
    let mut plan = plan();
    plan.notify.propose = Some(Severity::P1);
    let mut telling = Telling::new(plan);
    telling.machine.pass(20, &healthy());
    telling.machine.effects.clear();
    telling.machine.pass(30, &super::fixture::down());
    telling.answer();
    assert!(telling.asked.is_empty(), "it has to last a minute");
    for _ in 0..9 {
        telling.machine.pass(10, &super::fixture::down());
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
    telling.machine.pass(10, &super::fixture::down());
    telling.answer();
    assert_eq!(telling.asked.len(), 1, "nobody is told again: {:?}", telling.asked);
}

#[test]
fn a_dismissed_proposal_does_not_come_back_until_it_is_worse_or_was_well() {
    let mut plan = plan();
    plan.notify.propose = Some(Severity::P1);
    let mut telling = Telling::new(plan);
    telling.machine.pass(20, &healthy());
    telling.machine.pass(120, &super::fixture::down());
    telling.answer();
    assert!(telling.machine.model.durable.proposal.is_some());
    telling.machine.ask(Ask::Dismiss { reason: "a planned test".into() }).unwrap();
    telling.machine.pass(600, &super::fixture::down());
    telling.answer();
    assert!(telling.machine.model.durable.proposal.is_none());
    telling.machine.pass(60, &healthy());
    telling.machine.pass(120, &super::fixture::down());
    assert!(telling.machine.model.durable.proposal.is_some(), "after it was well it counts again");
    telling.machine.pass(60, &healthy());
    assert!(telling.machine.model.durable.proposal.is_none(), "well again: withdrawn");
}

#[test]
fn pages_that_nobody_needs_any_more_are_not_sent() {
    let mut plan = plan();
    plan.channels["phone"].parallel = 1;
    plan.policies["path"].levels[0].who = vec![who("alice"), who("bob"), who("lead")];
    plan.policies["path"].levels[0].tries = Tries::All;
    let mut telling = Telling::new(plan);
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P0, reason: "seen".into() }).unwrap();
    for _ in 0..3 {
        telling.machine.report(Report::Tick).unwrap();
    }
    let sent = |telling: &Telling| {
        let known = telling.machine.model.durable.notifications.values();
        known
            .filter(|known| {
                known.status == DeliveryStatus::Sent && known.queued.way.channel.as_str() == "phone"
            })
            .count()
    };
    assert_eq!(sent(&telling), 1, "the channel takes one at a time");
    telling.acknowledge();
    telling.pass(seconds(2));
    let phones = telling.asked.iter().filter(|line| line.ends_with("by phone")).count();
    assert_eq!(phones, 1, "{:?}", telling.asked);
    let reason = telling.machine.log.iter().find_map(|event| match &event.fact {
        Fact::NotificationFinished { attempted: Attempted::Failed { failure, .. }, .. } => {
            Some(failure.why.clone())
        }
        _ => None,
    });
    assert_eq!(reason.unwrap(), "alice acknowledged before this was sent");
}

#[test]
fn a_resolved_incident_closes_its_alerts_and_a_new_problem_reopens_it() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.take_asked();
    telling.machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.take_asked(), ["+0:01 resolve PAGER by pager"]);
    telling.machine.ask(Ask::Reopen { reason: "it came back".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.take_asked(), ["+0:03 page PAGER by pager"]);
    let keys: HashSet<&str> =
        telling.machine.model.durable.notifications.values().map(|known| known.queued.key.as_str()).collect();
    assert_eq!(keys.len(), 2, "a new alert, since the first one is closed: {keys:?}");
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.take_asked(), ["+0:05 resolve PAGER by pager"]);
}

#[test]
fn hands_over_with_a_brief() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    let role = crate::core::escalation::IncidentRole::Commander;
    let facts = telling.machine.ask(Ask::HandOver { role, to: "bob".into() }).unwrap();
    let Fact::RoleAssigned { brief, .. } = &facts[0] else { panic!("{facts:?}") };
    assert!(!brief.is_empty());
    assert_eq!(telling.machine.model.durable.incident.as_ref().unwrap().leader(), "bob");
    assert!(telling.machine.ask(Ask::HandOver { role, to: "bob".into() }).is_err());
}

#[derive(Clone, Debug)]
enum Deed {
    Pass(i64),
    Crash(i64),
    Acknowledge,
    Severity(Severity),
    Resolve,
    Reopen,
    Provider(u8),
    Heard(usize, bool),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (1..1_200_i64).prop_map(Deed::Pass),
        (1..600_i64).prop_map(Deed::Crash),
        Just(Deed::Acknowledge),
        prop_oneof![Just(Severity::P0), Just(Severity::P1)].prop_map(Deed::Severity),
        Just(Deed::Resolve),
        Just(Deed::Reopen),
        (0..4_u8).prop_map(Deed::Provider),
        (0..20_usize, any::<bool>()).prop_map(|(place, taken)| Deed::Heard(place, taken)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens when: the fold is the model, no attempt is repeated without cause, and what the provider has
    /// is not sent again.
    #[test]
    fn telling_is_a_fold_and_nothing_is_sent_twice(deeds in proptest::collection::vec(deed(), 1..14)) {
        let mut telling = Telling::new(plan());
        telling.declare(Severity::P1, Mode::Live);
        for deed in deeds {
            match deed {
                Deed::Pass(span) => telling.pass(seconds(span)),
                Deed::Crash(span) => telling.crash(seconds(span)),
                Deed::Acknowledge => drop(telling.machine.ask(Ask::Acknowledge)),
                Deed::Severity(severity) => {
                    telling.machine.ask(Ask::SetSeverity { severity, reason: "so".into() }).unwrap();
                }
                Deed::Resolve => drop(telling.machine.ask(Ask::Resolve { how: "so".into() })),
                Deed::Reopen => drop(telling.machine.ask(Ask::Reopen { reason: "so".into() })),
                Deed::Provider(0) => telling.provider = accepted(),
                Deed::Provider(1) => telling.provider = Box::new(|_, _, _| refused("no", Again::Never)),
                Deed::Provider(2) => telling.provider = Box::new(|_, _, _| refused("later", Again::After(None))),
                Deed::Provider(_) => telling.provider = Box::new(|_, _, _| refused("silence", Again::Maybe)),
                Deed::Heard(place, taken) => {
                    let known = telling.machine.model.durable.notifications.keys().nth(place).cloned();
                    let tracked = if taken { Tracked::Acknowledged("Carol".into()) } else { Tracked::Failed("no".into()) };
                    if let Some(id) = known {
                        drop(telling.machine.report(Report::Tracked { id, tracked }));
                    }
                }
            }
            telling.answer();
        }
        let mut folded = Model::new(telling.plan.clone());
        for event in &telling.machine.log {
            apply(&mut folded, event);
        }
        prop_assert_eq!(&folded.durable, &telling.machine.model.durable);
        let mut taken: HashSet<NotificationId> = HashSet::new();
        let mut attempts: HashSet<(NotificationId, u32)> = HashSet::new();
        let mut pages: HashSet<String> = HashSet::new();
        for event in &telling.machine.log {
            match &event.fact {
                Fact::NotificationsQueued { cause, intent, to, .. } => {
                    for queued in to {
                        let same = format!("{cause:?} {intent:?} {:?} {}", queued.way, queued.key);
                        prop_assert!(pages.insert(same), "queued twice: {:?}", event.fact);
                    }
                    prop_assert!(*intent != Intent::Page || !matches!(cause, crate::core::notification::Cause::Follow(_)));
                }
                Fact::NotificationStarted { id, attempt, .. } => {
                    prop_assert!(!taken.contains(id), "{} was with its provider", id);
                    prop_assert!(attempts.insert((id.clone(), *attempt)), "one attempt, twice: {} {}", id, attempt);
                }
                Fact::NotificationFinished { id, attempted: Attempted::Accepted(_), .. } => {
                    taken.insert(id.clone());
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_thousand_messages_are_started_as_their_channel_takes_them() {
    let mut plan = plan();
    let many: Vec<String> = (0..1_000).map(|number| format!("c{number}")).collect();
    let model = plan.contacts["cto"].clone();
    for id in &many {
        plan.contacts.insert(
            id.as_str().into(),
            Contact {
                name: id.clone(),
                addresses: [("email".to_owned(), id.clone())].into(),
                ..model.clone()
            },
        );
    }
    plan.policies["path"].levels[0].who = many.iter().map(|id| who(id)).collect();
    plan.policies["path"].levels[0].methods = vec!["email".into()];
    plan.channels["email"].parallel = 20;
    let mut telling = Telling::new(plan);
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P0, reason: "seen".into() }).unwrap();
    for _ in 0..3 {
        telling.machine.report(Report::Tick).unwrap();
    }
    let under_way = |telling: &Telling| {
        telling
            .machine
            .model
            .durable
            .notifications
            .values()
            .filter(|known| known.status == DeliveryStatus::Sent)
            .count()
    };
    assert_eq!(under_way(&telling), 20);
    telling.answer();
    telling.pass(seconds(1));
    assert_eq!(telling.asked.len(), 1_000);
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

#[test]
fn an_exercise_follows_what_a_person_set_and_its_end_dismisses_nothing_real() {
    let mut telling = proposing();
    telling.declare(Severity::P1, Mode::Drill);
    telling.take_asked();
    wait(&mut telling, 200, Some(Severity::P0));
    assert!(telling.asked.is_empty(), "the rules see what is real: {:?}", telling.asked);
    assert!(decide::is_bad_for_long(&telling.machine.model, telling.machine.now), "the screen says it");
    telling.machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    wait(&mut telling, 5, Some(Severity::P0));
    let proposal = telling.machine.model.durable.proposal.as_ref();
    assert_eq!(proposal.map(|proposal| proposal.severity), Some(Severity::P0));
    let pages =
        telling.machine.model.durable.notifications.values().filter(|known| known.intent == Intent::Page);
    let last = pages.last().unwrap();
    let message = &telling.machine.model.durable.sent_messages[last.message];
    assert!(!message.drill && message.body.contains("nobody has declared it"), "{message:?}");
}

#[test]
fn a_page_by_hand_has_an_alert_of_its_own_that_stays_until_it_is_over() {
    let mut telling = Telling::new(Plan { policies: Default::default(), ..plan() });
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    let page = || Ask::Page { who: who("lead"), methods: vec!["pager".into()], text: "look".into() };
    telling.machine.ask(page()).unwrap();
    telling.pass(seconds(5));
    let told = |telling: &mut Telling| -> Vec<String> {
        telling.take_asked().iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    };
    assert_eq!(told(&mut telling), ["page PAGER by pager"], "and no end of it a second later");
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(told(&mut telling), ["resolve PAGER by pager"]);

    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.machine.ask(page()).unwrap();
    telling.pass(seconds(2));
    let keys: HashSet<&str> =
        telling.machine.model.durable.notifications.values().map(|known| known.queued.key.as_str()).collect();
    assert_eq!(keys.len(), 2, "what is acknowledged already would wake nobody: {keys:?}");
}

#[test]
fn an_information_that_somebody_has_read_stops_no_page() {
    let message = MessageTemplate { automatic: true, ..template("internal", &[Occasion::Declared]) };
    let mut plan = with_message(message);
    plan.channels["email"].manner.tracks = true;
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(seconds(2));
    let inform = telling.machine.model.durable.notifications.iter();
    let id = inform
        .filter(|(_, known)| known.intent == Intent::Inform)
        .map(|(id, _)| id.to_string())
        .next()
        .unwrap();
    telling.heard(&id, Tracked::Acknowledged("A reader".into()));
    assert!(decide::current_escalation(&telling.machine.model).unwrap().acknowledged.is_none());
}

#[test]
fn an_acknowledgement_cut_off_behind_its_first_record_is_asked_for_again() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    let first = id(&telling, 1);
    let before = telling.machine.log.len();
    telling
        .machine
        .report(Report::Tracked { id: first.as_str().into(), tracked: Tracked::Acknowledged("Carol".into()) })
        .unwrap();
    assert_eq!(telling.machine.log.len(), before + 2);
    telling.machine.log.truncate(before + 1);
    telling.crash(seconds(1));
    let taken = decide::current_escalation(&telling.machine.model).unwrap().acknowledged.is_some();
    assert!(taken && telling.tracking == [NotificationId::from(first.as_str())]);
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
fn a_new_incident_does_not_forget_the_alerts_of_the_one_before() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.take_asked();
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.machine.now = telling.machine.now.checked_add(seconds(1)).unwrap();
    telling.machine.ask(Ask::Declare { title: "Another one".into(), mode: Mode::Live }).unwrap();
    telling.pass(seconds(3));
    let told: Vec<&str> = telling.asked.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(told, ["resolve PAGER by pager"]);
    let mut names: Vec<String> = telling
        .machine
        .log
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::NotificationsQueued { to, .. } => {
                Some(to.iter().map(|queued| queued.id.to_string()).collect::<Vec<_>>())
            }
            _ => None,
        })
        .flatten()
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "no name comes twice: {names:?}");
}

#[test]
fn what_may_have_arrived_is_never_called_failed_and_its_alert_is_closed() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|_, _, _| refused("no answer", Again::Maybe));
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.pass(seconds(4));
    assert_eq!(status(&telling, 1), DeliveryStatus::Unknown);
    telling.provider = accepted();
    telling.machine.ask(Ask::Resolve { how: "mended".into() }).unwrap();
    telling.pass(seconds(2));
    assert!(telling.asked.iter().any(|line| line.ends_with("resolve PAGER by pager")), "{:?}", telling.asked);
}

#[test]
fn an_automatic_message_that_reaches_nobody_stays_due() {
    let mut plan =
        with_message(MessageTemplate { automatic: true, ..template("internal", &[Occasion::Declared]) });
    for contact in plan.contacts.values_mut() {
        contact.addresses.shift_remove("email");
    }
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(seconds(5));
    assert_eq!(telling.machine.model.durable.due.len(), 1);
}

#[test]
fn the_end_is_due_to_be_told_also_where_nobody_was_paged() {
    let message = template("internal", &[Occasion::Closed]);
    let mut telling = Telling::new(Plan { policies: Default::default(), ..with_message(message) });
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.machine.model.durable.due.len(), 1);
}

#[test]
fn a_second_resolution_is_told_again() {
    let message = MessageTemplate { automatic: true, ..template("internal", &[Occasion::Resolved]) };
    let mut telling = Telling::new(with_message(message));
    telling.declare(Severity::P1, Mode::Live);
    for how in ["first", "second"] {
        telling.machine.ask(Ask::Resolve { how: how.into() }).unwrap();
        telling.pass(seconds(3));
        telling.machine.ask(Ask::Reopen { reason: "not over".into() }).unwrap();
        telling.pass(seconds(3));
    }
    let told = telling.asked.iter().filter(|line| line.contains("inform Team lead")).count();
    assert_eq!(told, 2, "{:?}", telling.asked);
}

#[test]
fn a_silence_is_no_change_of_severity() {
    let mut plan = with_message(template("internal", &[Occasion::Severity]));
    plan.policies["pager"].repage = Some(minutes(5));
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.pass(minutes(6));
    assert!(telling.machine.model.durable.due.is_empty());
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P0, reason: "worse".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.machine.model.durable.due.len(), 1);
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
