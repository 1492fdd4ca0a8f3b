//! The escalation screen in its states, the header's corner, what is next for people, and a message before it is sent.

use super::plan::plan;
use super::snapshots::{SIZES, assert_plain, check, on, plain};
use super::stage::*;
use super::{drawn, screen, text};
use crate::base::ids::{ContactId, NotificationId};
use crate::console::glyphs::Glyphs;
use crate::console::screens::message::{self, Sheet};
use crate::console::screens::next::next;
use crate::console::ui::Screen;
use crate::core::ask::escalation_status::tests::with_people;
use crate::core::decide::decide;
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::escalation::IncidentRole;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Mode;
use crate::core::words::notification::{
    Again, DeliveryStatus, Message, Queued, Receipt, Tracked, Undelivered,
};
use crate::plan::{Plan, Severity};
use jiff::SignedDuration;
use jiff::civil::time;
use proptest::prelude::*;

/// The primary is gone and an incident declared, with people in the plan; its first level is being told.
fn told(change: impl FnOnce(&mut Plan)) -> Stage {
    let mut stage = before(change);
    stage.declared();
    // The escalation begins, its first level is queued, its messages are sent: one after the other.
    for _ in 0..3 {
        stage.pass(1);
    }
    stage
}

/// The primary is gone; nobody has declared anything.
fn before(change: impl FnOnce(&mut Plan)) -> Stage {
    let mut plan = with_people(plan());
    change(&mut plan);
    let mut stage = Stage::new(plan);
    stage.now += SignedDuration::from_mins(1);
    stage.all_well();
    stage.pass(3);
    stage.primary_dies();
    stage
}

#[test]
fn before_an_incident_next_says_that_nobody_is_paged_and_whom_a_declaration_would_page() {
    let stage = before(|plan| plan.notify.propose = None);
    let text = next(&stage.view()).text;
    assert!(text.contains("Nobody is paged until D declares") && text.contains("It pages "), "{text}");
}

impl Stage {
    /// What is being sent on a channel ends so.
    fn notified(&mut self, channel: &str, result: &Result<Receipt, Undelivered>) {
        let known = self.model.durable.notifications.values();
        let sent =
            known.filter(|n| n.status == DeliveryStatus::Sent && n.queued.way.channel.as_str() == channel);
        let sent: Vec<_> = sent.map(|known| (known.queued.id.clone(), known.attempt)).collect();
        for (id, attempt) in sent {
            self.report(Report::Notified { id, attempt, result: result.clone() });
        }
    }

    fn last_of(&self, channel: &str) -> NotificationId {
        let mut known = self.model.durable.notifications.values().rev();
        known.find(|n| n.queued.way.channel.as_str() == channel).unwrap().queued.id.clone()
    }
}

fn accepted(id: &str, answer: &str) -> Result<Receipt, Undelivered> {
    Ok(Receipt { id: id.into(), thread: String::new(), answer: answer.into(), cut: String::new() })
}

fn refused() -> Result<Receipt, Undelivered> {
    Err(Undelivered {
        why: "Slack: 403, the token may not write to @dana".into(),
        next: "Invite the app to the channel, or give it the scope chat:write.".into(),
        again: Again::Never,
    })
}

fn paging() -> Stage {
    let mut stage = told(|_| {});
    stage.notified("pager", &accepted("Q02DEL8F", "202 accepted: Event processed"));
    stage.notified("slack", &refused());
    stage.pass(120);
    stage.rest_is_well();
    on(stage, Screen::Escalation)
}

#[test]
fn paging_with_a_failed_way() {
    check("escalation_paging", paging());
}

#[test]
fn a_failed_message_in_full() {
    let mut stage = paging();
    stage.ui.details = true;
    check("escalation_details", stage);
}

#[test]
fn acknowledged_handed_over_and_overdue() {
    let mut stage = paging();
    let id = stage.last_of("pager");
    stage.report(Report::Tracked { id, tracked: Tracked::Acknowledged("dana@example.com".into()) });
    stage.ask(Ask::HandOver { role: IncidentRole::Communications, to: "Grace Hopper".into() });
    stage.pass(1000);
    stage.rest_is_well();
    check("escalation_acknowledged", stage);
}

#[test]
fn nobody_could_be_told() {
    let mut stage = told(|_| {});
    for channel in ["pager", "slack"] {
        stage.notified(channel, &refused());
    }
    stage.pass(5);
    stage.rest_is_well();
    check("escalation_unreached", on(stage, Screen::Escalation));
}

#[test]
fn quiet_hours_wait_for_the_morning() {
    let stage = told(|plan| {
        plan.policies.values_mut().for_each(|policy| policy.quiet = true);
        plan.notify.quiet = Some((time(11, 0, 0, 0), time(15, 0, 0, 0)));
    });
    check("escalation_quiet", on(stage, Screen::Escalation));
}

#[test]
fn a_proposal_that_nobody_declared() {
    let mut stage = before(|plan| {
        plan.notify.propose = Some(Severity::P0);
        plan.notify.propose_after = SignedDuration::ZERO;
    });
    stage.pass(1);
    stage.pass(1);
    stage.rest_is_well();
    stage.pass(30);
    check("overview_proposed", on(stage, Screen::Overview));
}

#[test]
fn nothing_to_tell_about() {
    check("escalation_nothing", on(healthy(), Screen::Escalation));
}

#[test]
fn resolved_and_watched() {
    let mut stage = paging();
    stage.ask(Ask::Acknowledge);
    stage.ask(Ask::Resolve { how: "the region came back".into() });
    stage.pass(300);
    stage.rest_is_well();
    check("overview_resolved", on(stage, Screen::Overview));
}

fn preview(stage: &Stage, message: Option<&str>, audience: &str, body: &str) -> (Message, Vec<Queued>) {
    let ask = Ask::Send {
        message: message.map(Into::into),
        audience: audience.into(),
        subject: "us-east-1 does not answer".into(),
        body: body.into(),
    };
    let by = crate::core::words::actor::Actor::Engine;
    let facts = decide(&stage.model, &Request { at: stage.now, by, command: Command::Ask(ask) }).unwrap();
    match facts.into_iter().next() {
        Some(Fact::NotificationsQueued { message, to, .. }) => (message, to),
        other => panic!("{other:?}"),
    }
}

fn sheet(name: &str, mut stage: Stage, message: Option<&str>, audience: &str, body: &str) {
    let (message, to) = preview(&stage, message, audience, body);
    for (size, ascii) in [(SIZES[0], false), (SIZES[1], false), (SIZES[0], true)] {
        if ascii {
            plain(&mut stage);
        }
        let view = stage.view();
        let audience = stage.model.plan.audiences.get(audience);
        let missing = ["Carl Sagan has no address for any of the ways".to_owned()];
        let missing = if audience.is_some_and(|audience| audience.public) { &[][..] } else { &missing[..] };
        let sheet = Sheet { message: &message, to: &to, missing, audience, offset: 0, problem: None };
        let buffer = drawn(size, |frame| {
            crate::console::screens::frame_screen(frame, &view);
            message::draw(frame, frame.area(), &view, sheet);
        });
        if ascii {
            assert_plain(&buffer);
            insta::assert_snapshot!(format!("{name}_ascii"), text(&buffer));
        } else {
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text(&buffer));
        }
    }
}

#[test]
fn a_public_message_says_so_before_it_is_sent() {
    let body = "We are aware of an outage in us-east-1.\n\nWe work on it and write again within 30 minutes.";
    sheet("message_public", paging(), Some("activation"), "customers", body);
}

#[test]
fn a_drill_says_so_before_it_is_sent() {
    let mut stage = before(|plan| {
        plan.notify.drill_who = vec![crate::plan::Who::Contact("dana".into())];
        plan.notify.drill_methods = vec!["slack".into()];
    });
    stage.ask(Ask::Declare { title: "Quarterly exercise".into(), mode: Mode::Drill });
    sheet("message_drill", stage, None, "engineering", "Moving to us-west-2.");
}

#[test]
fn the_filter_finds_people_ways_and_statuses() {
    let mut stage = paging();
    for (filter, count) in [("dana", 1), ("slack", 1), ("failed", 1), ("pagerduty", 1), ("erin", 2)] {
        stage.ui.filter = filter.into();
        let found = crate::console::screens::escalation::rows(&stage.model, filter);
        assert_eq!(found.len(), count, "{filter}");
    }
}

#[test]
fn nobody_told_is_an_alarm_on_every_screen() {
    let mut stage = told(|_| {});
    for channel in ["pager", "slack"] {
        stage.notified(channel, &refused());
    }
    for place in [Screen::Overview, Screen::Decide, Screen::Timeline, Screen::Backups, Screen::Readiness] {
        stage.ui.screen = place;
        let seen = text(&screen((80, 24), &stage.view()));
        assert!(seen.contains("NOBODY COULD BE TOLD") && seen.contains("+1 555 0101"), "{seen}");
        assert!(seen.lines().next().unwrap().ends_with("NOBODY TOLD"), "{seen}");
    }
}

#[test]
fn an_overdue_message_is_an_alarm_and_comes_next() {
    let mut stage = paging();
    stage.ask(Ask::Acknowledge);
    stage.pass(16 * 60);
    let seen = text(&screen((80, 24), &stage.view()));
    assert!(seen.contains("OVERDUE by 3:0"), "{seen}");
    let next = next(&stage.view());
    assert!(next.text.starts_with("Affected customers (Initial notice) should have been told"), "{next:?}");
    assert!(next.text.contains("Then: "), "{next:?}");
}

#[test]
fn who_takes_it_comes_before_the_tree_and_after_what_failed() {
    let mut stage = paging();
    assert!(
        next(&stage.view()).text.starts_with("Nobody has acknowledged: a acknowledges"),
        "{:?}",
        next(&stage.view())
    );
    stage.ui.screen = Screen::Decide;
    assert!(
        next(&stage.view()).text.starts_with("Nobody has acknowledged: K acknowledges"),
        "{:?}",
        next(&stage.view())
    );
    stage.failing_over();
    stage.prepare("fence");
    stage.describe("fence", "alter system", "primary-db:5432", "PostgreSQL server");
    let text = next(&stage.view()).text;
    assert!(text.contains("waits for your confirmation") && !text.contains("acknowledge"), "{text}");
}

#[test]
fn a_resolved_incident_is_watched_then_closed() {
    let mut stage = paging();
    stage.ask(Ask::Acknowledge);
    stage.ask(Ask::Resolve { how: "it came back".into() });
    assert!(next(&stage.view()).text.contains("Watch for 30 min more"), "{:?}", next(&stage.view()));
    stage.pass(30 * 60);
    let text = next(&stage.view()).text;
    assert!(text.contains("C closes the incident"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Names, numbers, answers and texts come from plans, providers and people.
    #[test]
    fn nothing_of_people_or_providers_reaches_the_terminal_raw(
        said in "(?s).{0,60}",
        width in 1_u16..150,
        height in 1_u16..50,
        details: bool,
        ascii: bool,
        fails: bool,
    ) {
        let mut stage = told(|plan| {
            for contact in plan.contacts.values_mut() {
                contact.name = said.clone();
                contact.role = said.clone();
                contact.addresses.values_mut().for_each(|address| *address = format!("{said}{address}"));
            }
            plan.channels.values_mut().for_each(|channel| channel.title = said.clone());
            plan.audiences.values_mut().for_each(|audience| audience.title = said.clone());
            plan.messages.values_mut().for_each(|message| message.title = said.clone());
            plan.policies.values_mut().for_each(|policy| {
                policy.title = said.clone();
                policy.levels.iter_mut().for_each(|level| level.title = said.clone());
            });
        });
        let again = Again::Never;
        let failure = Undelivered { why: said.clone(), next: said.clone(), again };
        let receipt = Receipt { id: said.clone(), thread: said.clone(), answer: said.clone(), cut: said.clone() };
        let result = if fails { Err(failure) } else { Ok(receipt) };
        stage.notified("pager", &result);
        stage.notified("slack", &result);
        if !fails {
            let id = stage.last_of("pager");
            stage.report(Report::Tracked { id, tracked: Tracked::Acknowledged(said.clone()) });
        }
        stage.ui.screen = Screen::Escalation;
        stage.ui.details = details;
        stage.glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        stage.pass(1);
        let known: Option<ContactId> = stage.model.durable.notifications.values().find_map(|n| n.queued.contact.clone());
        prop_assert!(known.is_some());
        let (message, to) = preview(&stage, None, "engineering", &format!("x{said}"));
        let view = stage.view();
        let missing = [said.clone()];
        let audience = stage.model.plan.audiences.get("customers");
        let sheet = Sheet { message: &message, to: &to, missing: &missing, audience, offset: 3, problem: Some(&said) };
        let drawings = [
            screen((width, height), &view),
            screen((80, 24), &view),
            drawn((width, height), |frame| message::draw(frame, frame.area(), &view, sheet)),
        ];
        for buffer in drawings {
            for cell in buffer.content() {
                prop_assert!(!cell.symbol().chars().any(|c| c.is_control()), "{:?}", cell.symbol());
                prop_assert!(!cell.symbol().chars().any(crate::base::text::is_invisible), "{:?}", cell.symbol());
                prop_assert!(!ascii || cell.symbol().is_ascii(), "{:?}", cell.symbol());
            }
        }
    }
}
