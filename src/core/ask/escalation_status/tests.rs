//! People in a plan, and what is said of telling them.

use super::*;
use crate::base::ids::*;
use crate::core::apply::apply;
use crate::core::decide::decide;
use crate::core::tests::fixture;
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::Mode;
use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::plan::*;
use indexmap::IndexMap;
use jiff::civil::{date, time};
use jiff::tz::TimeZone;
use std::sync::Arc;

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn contact(name: &str, role: &str, addresses: &[(&str, &str)]) -> Contact {
    let addresses = addresses.iter().map(|(kind, at)| ((*kind).to_owned(), (*at).to_owned())).collect();
    Contact { name: name.into(), role: role.into(), addresses, methods: Vec::new() }
}

fn channel(id: &str, title: &str, address: Option<&str>, has_alerts: bool) -> (ChannelId, Channel) {
    let channel = Channel {
        id: id.into(),
        title: title.into(),
        kind: id.into(),
        address: address.map(str::to_owned),
        capabilities: Capabilities { repeatable: has_alerts, has_alerts, threads: false, tracks: has_alerts },
        give_up_after: minutes(3),
        timeout: SignedDuration::from_secs(10),
        parallel: 4,
        params: Default::default(),
    };
    (id.into(), channel)
}

fn level(title: &str, after: i64, who: &[Who]) -> EscalationLevel {
    let methods = ["pager", "slack"].map(ChannelId::from).to_vec();
    let after = minutes(after);
    EscalationLevel {
        title: title.into(),
        after,
        who: who.to_vec(),
        methods,
        tries: Fallbacks::All,
        next_after: None,
    }
}

fn message(title: &str, audience: &str, on: Occasion, every: Option<i64>) -> MessageTemplate {
    MessageTemplate {
        title: title.into(),
        audience: audience.into(),
        on: vec![on],
        severities: Vec::new(),
        runbooks: Vec::new(),
        within: minutes(15),
        every: every.map(minutes),
        automatic: false,
        subject: "{{ incident.severity }}: {{ incident.title }}".into(),
        body: "We are working on it.\nBegun {{ incident.detected_at }}.".into(),
        page_status: Some(PageStatus::Investigating),
        component_status: Some(ComponentStatus::MajorOutage),
    }
}

/// A plan with somebody on call, a policy of three levels, two audiences and two messages.
pub fn with_people(mut plan: Plan) -> Plan {
    plan.contacts = IndexMap::from([
        (
            "dana".into(),
            contact(
                "Dana Scully",
                "SRE",
                &[("phone", "+1 555 0100"), ("pager", "dana-key"), ("slack", "@dana")],
            ),
        ),
        (
            "erin".into(),
            contact(
                "Erin Brockovich",
                "SRE",
                &[("phone", "+1 555 0101"), ("pager", "erin-key"), ("slack", "@erin")],
            ),
        ),
        (
            "grace".into(),
            contact("Grace Hopper", "Engineering manager", &[("phone", "+1 555 0102"), ("slack", "@grace")]),
        ),
        ("carl".into(), contact("Carl Sagan", "CTO", &[("slack", "@carl"), ("pager", "carl-key")])),
    ]);
    plan.channels = IndexMap::from([
        channel("pager", "PagerDuty", Some("pager"), true),
        channel("slack", "Slack", Some("slack"), false),
        channel("page", "Status page", None, false),
    ]);
    let turns = Turns::Cycle {
        start: date(2026, 1, 5).at(9, 0, 0, 0),
        every: SignedDuration::from_hours(7 * 24),
        order: ["dana", "erin"].map(ContactId::from).to_vec(),
    };
    let rotation = Rotation { title: "Primary".into(), zone: TimeZone::UTC, turns, overrides: Vec::new() };
    plan.rotations = IndexMap::from([("primary".into(), rotation)]);
    let policy = EscalationPolicy {
        title: "Critical".into(),
        severities: vec![Severity::P0, Severity::P1],
        levels: vec![
            level("On-call engineer", 0, &[Who::OnCall("primary".into())]),
            level("Engineering manager", 10, &[Who::Contact("grace".into())]),
            level("CTO", 25, &[Who::Contact("carl".into())]),
        ],
        repeat: None,
        repeats: 0,
        repage: Some(minutes(30)),
        quiet: false,
    };
    plan.policies = IndexMap::from([("critical".into(), policy)]);
    let audience = |title: &str, who: &[Who], methods: &[&str], public| Audience {
        title: title.into(),
        who: who.to_vec(),
        methods: methods.iter().map(|id| ChannelId::from(*id)).collect(),
        public,
    };
    plan.audiences = IndexMap::from([
        ("customers".into(), audience("Affected customers", &[], &["page"], true)),
        (
            "engineering".into(),
            audience(
                "Engineering",
                &[Who::Contact("grace".into()), Who::Contact("dana".into())],
                &["slack"],
                false,
            ),
        ),
    ]);
    plan.messages = IndexMap::from([
        ("activation".into(), message("Initial notice", "customers", Occasion::Declared, Some(30))),
        ("all-clear".into(), message("All clear", "engineering", Occasion::Resolved, None)),
    ]);
    plan
}

/// A model of such a plan, with the core's own decisions.
pub struct Desk {
    pub model: Model,
    pub now: Timestamp,
}

impl Desk {
    fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = with_people(Arc::unwrap_or_clone(fixture::plan()));
        change(&mut plan);
        let now = fixture::start();
        let mut desk = Self { model: Model::new(Arc::new(plan)), now };
        desk.fact(Fact::SeverityChanged { from: None, to: Some(Severity::P0), why: "it is down".into() });
        desk
    }

    pub fn declared() -> Self {
        let mut desk = Self::new(|_| {});
        desk.ask(Ask::Declare { title: "it is down".into(), mode: Mode::Live });
        desk.pass(0);
        desk
    }

    fn fact(&mut self, fact: Fact) {
        apply(&mut self.model, &Event { at: self.now, by: Actor::Engine, fact, record: None });
    }

    fn decide(&mut self, by: Actor, command: Command) {
        for fact in decide(&self.model, &Request { at: self.now, by: by.clone(), command }).unwrap() {
            apply(&mut self.model, &Event { at: self.now, by: by.clone(), fact, record: None });
        }
    }

    fn ask(&mut self, ask: Ask) {
        self.decide(Actor::Operator(Operator { name: "dana".into(), uid: 7 }), Command::Ask(ask));
    }

    /// Time passes, and all that it brings is decided: a begin, then its levels, then their attempts.
    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        for _ in 0..4 {
            self.decide(Actor::Engine, Command::Report(Report::Tick));
        }
    }

    /// Everything that is being sent ends so.
    fn answer(&mut self, result: &Result<Receipt, Undelivered>) {
        let sent = self.model.durable.notifications.values().filter(|n| n.status == DeliveryStatus::Sent);
        let sent: Vec<_> = sent.map(|known| (known.queued.id.clone(), known.attempt)).collect();
        for (id, attempt) in sent {
            let result = result.clone();
            self.decide(Actor::Engine, Command::Report(Report::Notified { id, attempt, result }));
        }
    }

    fn sentence(&self) -> String {
        sentence(&self.model, &of(&self.model, self.now).unwrap(), self.now)
    }

    fn badge(&self) -> Option<String> {
        badge(&self.model, &of(&self.model, self.now).unwrap(), self.now)
    }
}

#[test]
fn a_declaration_says_whom_it_pages_where_the_first_level_reaches_nobody() {
    let known = Desk::new(|_| {});
    let said = declaring(&known.model, Mode::Live, known.now);
    assert!(said.contains("level 1 of 3): Erin Brockovich by"), "{said}");
    let unknown = Desk::new(|plan| {
        let trouble = Some(crate::plan::CalendarTrouble::Unread("rota.ics: no such file".into()));
        plan.rotations[0].turns = Turns::Calendar { file: "rota.ics".into(), shifts: Vec::new(), trouble };
    });
    let said = declaring(&unknown.model, Mode::Live, unknown.now);
    assert!(said.contains("level 2 of 3, as those before reach NOBODY): "), "{said}");
}

fn refused() -> Result<Receipt, Undelivered> {
    Err(Undelivered { why: "no such key".into(), next: "Mend the key.".into(), again: Again::Never })
}

#[test]
fn nothing_is_said_while_there_is_nothing_to_tell() {
    let desk = Desk::new(|_| {});
    assert_eq!(of(&desk.model, desk.now), None);
}

#[test]
fn who_is_told_next_is_named_with_when_and_how() {
    let mut desk = Desk::declared();
    desk.answer(&Ok(Receipt::default()));
    desk.pass(60);
    assert_eq!(
        desk.sentence(),
        "PAGING level 1 of 3, nobody has acknowledged; next: Engineering manager (Grace Hopper) in 9:00 by Slack"
    );
    assert_eq!(desk.badge().as_deref(), Some("PAGING 1/3, next 9:00"));
    desk.pass(25 * 60);
    assert!(desk.sentence().ends_with("every level was told, no further one is"), "{}", desk.sentence());
}

#[test]
fn who_acknowledged_is_said_with_how() {
    let mut desk = Desk::declared();
    desk.ask(Ask::Acknowledge);
    desk.pass(180);
    assert_eq!(desk.sentence(), "ACKNOWLEDGED by dana 3 min ago (console)");
    assert_eq!(desk.badge().as_deref(), Some("ack dana 3 min"));
}

#[test]
fn where_no_way_works_the_numbers_to_call_are_named() {
    let mut desk = Desk::declared();
    assert!(desk.sentence().starts_with("PAGING level 1"), "being sent is not failed: {}", desk.sentence());
    desk.answer(&refused());
    let said = desk.sentence();
    let call = "CALL THEM: Erin Brockovich +1 555 0101, Grace Hopper +1 555 0102, Dana Scully +1 555 0100";
    assert!(
        said.starts_with("NOBODY COULD BE TOLD: every way to level 1 (On-call engineer) failed."),
        "{said}"
    );
    assert!(said.contains(call), "{said}");
    assert_eq!(desk.badge().as_deref(), Some("NOBODY TOLD"));
}

#[test]
fn a_level_that_fails_after_one_that_did_not_is_told_apart() {
    let mut desk = Desk::declared();
    desk.answer(&Ok(Receipt::default()));
    desk.pass(600);
    desk.answer(&refused());
    assert!(
        desk.sentence().starts_with("LEVEL 2 (Engineering manager) COULD NOT BE TOLD"),
        "{}",
        desk.sentence()
    );
    assert_eq!(desk.badge().as_deref(), Some("PAGING 2/3, next 15:00"));
}

#[test]
fn a_way_that_is_left_is_not_yet_a_failure() {
    let mut desk = Desk::new(|plan| {
        for level in &mut plan.policies.values_mut().next().unwrap().levels {
            level.tries = Fallbacks::InTurn;
        }
    });
    desk.ask(Ask::Declare { title: "it is down".into(), mode: Mode::Live });
    desk.pass(0);
    desk.answer(&refused());
    assert!(desk.sentence().starts_with("PAGING level 1"), "{}", desk.sentence());
    desk.pass(1);
    desk.answer(&refused());
    desk.pass(1);
    assert!(desk.sentence().starts_with("NOBODY COULD BE TOLD"), "{}", desk.sentence());
}

#[test]
fn quiet_hours_say_when_they_end() {
    let mut desk = Desk::new(|plan| {
        plan.policies.values_mut().next().unwrap().quiet = true;
        plan.notify.zone = TimeZone::get("Europe/Berlin").unwrap();
        plan.notify.quiet = Some((time(22, 0, 0, 0), time(7, 0, 0, 0)));
    });
    desk.now = "2026-01-31T03:00:00Z".parse().unwrap();
    desk.ask(Ask::Declare { title: "it is down".into(), mode: Mode::Live });
    desk.pass(0);
    let said = desk.sentence();
    assert!(
        said.contains("nobody was told yet") && said.contains("waits for 07:00 (in 3:00:00: quiet hours)"),
        "{said}"
    );
    assert_eq!(desk.badge().as_deref(), Some("PAGING 0/3, waits for 07:00"));
    desk.now = "2026-01-31T23:30:00Z".parse().unwrap();
    let Some(Awareness::Paging(paging)) = of(&desk.model, desk.now) else { panic!() };
    assert_eq!(paging.next.unwrap().at, "2026-02-01T06:00:00Z".parse().unwrap(), "the next morning");
}

#[test]
fn a_severity_without_a_policy_and_a_plan_without_any_are_told_apart() {
    let mut desk = Desk::new(|plan| plan.policies.values_mut().for_each(|policy| policy.severities.clear()));
    desk.ask(Ask::Declare { title: "it is down".into(), mode: Mode::Live });
    desk.pass(0);
    assert_eq!(desk.badge().as_deref(), Some("NOBODY PAGED"));
    let mut desk = Desk::new(|plan| plan.policies.clear());
    desk.ask(Ask::Declare { title: "it is down".into(), mode: Mode::Live });
    desk.pass(0);
    assert!(desk.sentence().contains("no escalation policies"), "{}", desk.sentence());
    assert_eq!(desk.badge(), None);
}

#[test]
fn what_is_owed_gets_overdue_and_the_next_update_follows() {
    let mut desk = Desk::declared();
    let due = owed(&desk.model);
    assert_eq!(
        (due.len(), due[0].title.as_str(), due[0].audience.as_str()),
        (1, "Initial notice", "Affected customers")
    );
    assert_eq!(due[0].left(desk.now), minutes(15));
    desk.pass(16 * 60);
    assert!(owed(&desk.model)[0].is_overdue(desk.now));
    assert_eq!(next_update(&desk.model), None, "while it is due itself");
    desk.ask(Ask::SkipMessage { message: "activation".into(), reason: "told by phone".into() });
    assert!(owed(&desk.model).is_empty());
    let next = next_update(&desk.model).unwrap();
    assert_eq!((next.number, next.message.as_str()), (2, "activation"));
}

#[test]
fn closing_too_early_says_what_is_open() {
    let mut desk = Desk::declared();
    let said = unfinished(&desk.model, desk.now).join(" ");
    assert!(said.contains("NOT called resolved") && said.contains("Initial notice"), "{said}");
    desk.ask(Ask::Resolve { how: "restarted".into() });
    let said = unfinished(&desk.model, desk.now).join(" ");
    assert!(said.contains("The watch is NOT over"), "{said}");
}
