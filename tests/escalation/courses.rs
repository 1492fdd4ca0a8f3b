//! A P0 from its declaration to the executive level, and what can come between.

use crate::office::{Office, OfficeWorld, Sent};
use crate::rig::Rig;
use crate::seeds;
use jiff::{SignedDuration, Timestamp};
use lifeboat::core::decide::current_escalation;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::incident::Mode;
use lifeboat::core::words::notification::{DeliveryStatus, Intent};
use lifeboat::engine::record;
use lifeboat::journal;
use lifeboat::journal::spoken;
use lifeboat::plan::Plan;
use lifeboat::world::{Clock, ManualClock};
use std::sync::Arc;

/// How long after its time a message may be taken: a tick, and what the provider takes.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

struct Course {
    office: Arc<Office>,
    rig: Rig,
    declared: Timestamp,
}

impl Course {
    /// A system that goes down, and an incident that a person declares.
    fn declared(plan: Plan) -> Self {
        let mut course = Self::quiet(plan);
        *course.office.down.lock().unwrap() = true;
        course.pass(60);
        course.rig.ask(Ask::Declare { title: "The service is gone".into(), mode: Mode::Live }).unwrap();
        course.declared = course.rig.now();
        course
    }

    fn quiet(plan: Plan) -> Self {
        let clock = Arc::new(ManualClock::new("2026-03-01T03:00:00Z".parse().unwrap()));
        let office = Arc::new(Office::default());
        let world = OfficeWorld { office: office.clone(), clock: clock.clone() };
        let rig = Rig::over(Arc::new(plan), Arc::new(world), clock.clone());
        let mut course = Self { office, rig, declared: clock.now() };
        course.pass(60);
        course
    }

    fn pass(&mut self, seconds: i64) {
        self.rig.pass(seconds);
    }

    /// Lets time pass until so long after the declaration.
    fn until(&mut self, minutes: i64) {
        let at = self.declared.checked_add(SignedDuration::from_mins(minutes)).unwrap();
        self.pass(at.duration_since(self.rig.now()).as_secs());
    }

    /// What was sent since, against what had to be: minutes after the declaration, intent, recipient, channel.
    fn assert_sent(&mut self, wanted: &[(i64, &str)]) -> Vec<Sent> {
        let sent = self.office.take_sent();
        let lines: Vec<String> = sent.iter().map(Sent::line).collect();
        assert_eq!(sent.len(), wanted.len(), "{lines:#?}");
        for (sent, (minutes, what)) in sent.iter().zip(wanted) {
            let line = sent.line();
            assert!(line.ends_with(what), "{line}, not {what}: {lines:#?}");
            let due = self.declared.checked_add(SignedDuration::from_mins(*minutes)).unwrap();
            let late = sent.at.duration_since(due);
            assert!(!late.is_negative() && late <= SLACK, "{line} is {late:?} after its time");
        }
        sent
    }

    fn facts(&self) -> Vec<Fact> {
        let records = journal::read(&self.rig.journal()).unwrap();
        records.map(|read| record::event(&read.unwrap()).unwrap().fact).collect()
    }

    /// Every message that was taken names a record of the journal as it is.
    fn assert_witnessed(&self, sent: &[Sent]) {
        let records: Vec<journal::Record> =
            journal::read(&self.rig.journal()).unwrap().map(Result::unwrap).collect();
        for sent in sent {
            let words = sent.outgoing.message.witness.strip_prefix("Journal #").unwrap();
            let (seq, spoken) = words.split_once(' ').unwrap();
            let record = &records[seq.parse::<usize>().unwrap() - 1];
            assert_eq!(spoken, spoken::spoken(&record.checksum), "{}", sent.line());
        }
    }
}

#[test]
fn a_p0_goes_from_its_declaration_to_the_cto_through_a_crash_and_nobody_is_told_twice() {
    let mut course = Course::declared(seeds::ara_ai());
    course.until(16);
    let on_call = "On-call engineer, secondary";
    let mut all = course.assert_sent(&[
        (0, &format!("page {on_call} by phone")),
        (5, &format!("page {on_call} by email")),
        (15, "page Team lead by phone"),
    ]);
    let first = &all[0].outgoing.message;
    assert!(first.subject.starts_with("[P0] ARA AI: The service is gone"), "{}", first.subject);
    for words in [
        "Detected 2026-03-01 03:01",
        "Level 1 of 4: On-call engineer.",
        "Acknowledge it, or whoever the policy names next",
    ] {
        assert!(first.body.contains(words), "{words}: {}", first.body);
    }
    assert_eq!(all[0].outgoing.address.as_deref(), Some("+1 555 0141"));

    // The engine dies; what becomes due meanwhile is told by the next one, once.
    course.rig.crash_for(SignedDuration::from_mins(6));
    course.until(62);
    all.extend(course.assert_sent(&[
        (22, "page Team lead by email"),
        (30, "page Engineering manager by phone"),
        (35, "page Engineering manager by email"),
        (60, "page CTO by phone"),
    ]));
    course.assert_witnessed(&all);

    course.rig.ask(Ask::Acknowledge).unwrap();
    course.until(240);
    course.assert_sent(&[]);
    let taken = course.rig.read(|model| current_escalation(model).unwrap().acknowledged.clone().unwrap());
    assert_eq!((taken.who.as_str(), taken.via.as_str()), ("alice", "console"));
    let keys: std::collections::HashSet<&str> = all.iter().map(|sent| sent.outgoing.key.as_str()).collect();
    assert_eq!(keys.len(), all.len(), "each message has a key of its own");
    assert!(journal::verify(&course.rig.journal()).unwrap().is_good());
}

#[test]
fn an_engine_that_dies_while_a_message_is_being_sent_does_not_send_it_again() {
    let mut course = Course::declared(seeds::ara_ai());
    let started =
        |facts: &[Fact]| facts.iter().filter(|fact| matches!(fact, Fact::NotificationStarted { .. })).count();
    assert_eq!((started(&course.facts()), course.office.take_sent().len()), (1, 0), "it is under way");
    course.rig.crash_for(SignedDuration::ZERO);
    let status = course.rig.read(|model| model.durable.notifications[0].status);
    assert_eq!(status, DeliveryStatus::Unknown);
    course.until(14);
    // Nobody knows whether the phone rang: the next way is taken at once.
    course.assert_sent(&[(0, "page On-call engineer, secondary by email")]);
}

#[test]
fn a_provider_that_refuses_is_passed_over_and_the_refusal_is_recorded() {
    let mut course = Course::declared(seeds::ara_ai());
    course.office.refusing.lock().unwrap().push("phone".into());
    course.until(1);
    course.assert_sent(&[
        (0, "page On-call engineer, secondary by phone, refused"),
        (0, "page On-call engineer, secondary by email"),
    ]);
    let answers: Vec<String> = course.rig.read(|model| {
        let known = model.durable.notifications.values();
        known.filter_map(|known| Some(known.failure.as_ref()?.why.clone())).collect()
    });
    assert_eq!(answers, ["401: the token was revoked"]);
}

#[test]
fn neo_reaches_its_executive_after_three_levels() {
    let mut course = Course::declared(seeds::neo());
    course.until(180);
    let sent = course.office.take_sent();
    let minute = |sent: &Sent| sent.at.duration_since(course.declared).as_mins();
    let order: Vec<(i64, String)> =
        sent.iter().map(|sent| (minute(sent), sent.outgoing.recipient.clone())).collect();
    let first = |name: &str| order.iter().find(|(_, told)| told.contains(name)).map(|(minute, _)| *minute);
    let times = ["On-call engineer", "Database specialist", "System architect", "CTO"].map(first);
    assert!(times.iter().all(Option::is_some), "{order:?}");
    assert!(times.is_sorted() && times[0] == Some(0), "{times:?}");
}

#[test]
fn market_scanning_goes_through_its_three_levels() {
    let mut course = Course::declared(seeds::market_scanning());
    course.until(31);
    let told: Vec<String> =
        course.office.take_sent().iter().map(|sent| sent.outgoing.recipient.clone()).collect();
    for name in ["On-call engineer", "Lead engineer", "Director", "VP Engineering"] {
        assert!(told.iter().any(|told| told.contains(name)), "{name}: {told:?}");
    }
}

#[test]
fn sparc_is_acknowledged_in_pagerduty_and_its_alert_is_closed_with_the_incident() {
    let mut course = Course::declared(seeds::sparc());
    let p1 = Ask::SetSeverity { severity: lifeboat::plan::Severity::P1, reason: "one service".into() };
    course.rig.ask(p1).unwrap();
    course.pass(10);
    let sent = course.office.take_sent();
    let pager = |sent: &&Sent| sent.channel == "pagerduty" && sent.outgoing.intent == Intent::Page;
    let alert = sent.iter().find(pager).unwrap_or_else(|| panic!("{sent:#?}")).outgoing.key.clone();
    course.office.acknowledged.lock().unwrap().insert(alert.clone(), "Carol Diaz".into());
    course.pass(60);
    let taken = course.rig.read(|model| current_escalation(model).unwrap().acknowledged.clone().unwrap());
    assert_eq!(taken.who, "Carol Diaz");
    course.office.take_sent();
    *course.office.down.lock().unwrap() = false;
    course.pass(60);
    course.rig.ask(Ask::Resolve { how: "restarted it".into() }).unwrap();
    course.pass(10);
    let resolved: Vec<Sent> = course.office.take_sent();
    let closes = |sent: &&Sent| sent.outgoing.intent == Intent::Resolve && sent.outgoing.key == alert;
    assert_eq!(resolved.iter().filter(closes).count(), 1, "{resolved:#?}");
}
