//! Who is on call: by the wall clock, with exceptions, from a calendar, and nobody.

use super::fixture;
use crate::base::ids::{ContactId, RotationId};
use crate::core::ask::oncall::{at, calendar, faults};
use crate::core::model::Model;
use crate::core::words::command::Report;
use crate::core::words::fact::Fact;
use crate::plan::oncall::{of_rotation, until};
use crate::plan::{CalendarTrouble, Contact, Plan, Rotation, Shift, Turns};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::sync::Arc;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn shift(from: &str, until: &str, contact: &str) -> Shift {
    Shift { from: time(from), until: time(until), contact: contact.into() }
}

/// Turns in Berlin from Monday 2026-01-05 09:00 on.
fn cycle(every: SignedDuration) -> Rotation {
    Rotation {
        title: "On call".into(),
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        turns: Turns::Cycle {
            start: "2026-01-05T09:00".parse().unwrap(),
            every,
            order: NAMES.iter().map(|name| ContactId::from(*name)).collect(),
        },
        overrides: Vec::new(),
    }
}

fn weeks() -> Rotation {
    cycle(SignedDuration::from_hours(7 * 24))
}

fn who(rotation: &Rotation, now: &str) -> Option<String> {
    let people = of_rotation(rotation, None, time(now));
    let names: Vec<&str> = people.iter().map(|contact| contact.as_str()).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

#[test]
fn turns_follow_each_other_and_begin_again() {
    let weeks = weeks();
    assert_eq!(who(&weeks, "2026-01-05T07:59:59Z"), None, "before the first turn nobody is on call");
    for (now, name) in [
        ("2026-01-05T08:00:00Z", "alice"),
        ("2026-01-12T07:59:59Z", "alice"),
        ("2026-01-12T08:00:00Z", "bob"),
        ("2026-01-19T08:00:00Z", "carol"),
        ("2026-01-26T08:00:00Z", "alice"),
    ] {
        assert_eq!(who(&weeks, now).as_deref(), Some(name), "{now}");
    }
    assert_eq!(until(&weeks, None, time("2026-01-06T00:00:00Z")), Some(time("2026-01-12T08:00:00Z")));
}

#[test]
fn a_turn_ends_at_its_hour_when_the_clocks_go_forward_and_back() {
    let weeks = weeks();
    // Monday 2026-03-23 to 30: the clocks go forward on Sunday the 29th, so 09:00 is 07:00 UTC.
    assert_eq!(who(&weeks, "2026-03-23T08:00:00Z").as_deref(), Some("carol"));
    assert_eq!(who(&weeks, "2026-03-30T06:59:59Z").as_deref(), Some("carol"));
    assert_eq!(who(&weeks, "2026-03-30T07:00:00Z").as_deref(), Some("alice"));
    assert_eq!(until(&weeks, None, time("2026-03-28T00:00:00Z")), Some(time("2026-03-30T07:00:00Z")));
    // And back on Sunday 2026-10-25: 09:00 is 08:00 UTC again.
    let before = who(&weeks, "2026-10-26T07:59:59Z");
    assert_eq!(who(&weeks, "2026-10-19T07:00:00Z"), before, "the whole week is one turn");
    assert_ne!(who(&weeks, "2026-10-26T08:00:00Z"), before);
    assert_eq!(until(&weeks, None, time("2026-10-25T00:00:00Z")), Some(time("2026-10-26T08:00:00Z")));
}

#[test]
fn within_the_hour_that_comes_twice_and_the_one_that_is_missing_somebody_is_on_call() {
    let hours = cycle(SignedDuration::from_hours(12));
    for minute in 0..180 {
        for night in ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"] {
            let now = time(night) + SignedDuration::from_mins(minute);
            assert_eq!(of_rotation(&hours, None, now).len(), 1, "{now}");
        }
    }
}

#[test]
fn overrides_count_before_turns_and_the_later_one_before_the_earlier() {
    let mut weeks = weeks();
    weeks.overrides = vec![
        shift("2026-01-06T00:00:00Z", "2026-01-10T00:00:00Z", "bob"),
        shift("2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z", "carol"),
    ];
    for (now, name) in [
        ("2026-01-05T23:59:59Z", "alice"),
        ("2026-01-06T00:00:00Z", "bob"),
        ("2026-01-07T12:00:00Z", "carol"),
        ("2026-01-08T00:00:00Z", "bob"),
        ("2026-01-10T00:00:00Z", "alice"),
    ] {
        assert_eq!(who(&weeks, now).as_deref(), Some(name), "{now}");
    }
    assert_eq!(until(&weeks, None, time("2026-01-05T12:00:00Z")), Some(time("2026-01-06T00:00:00Z")));
}

#[test]
fn a_calendar_that_was_read_again_counts_before_what_it_said_at_load() {
    let mut rotation = weeks();
    let loaded = vec![shift("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "alice")];
    rotation.turns = Turns::Calendar { file: "rota.ics".into(), shifts: loaded, trouble: None };
    let read = [shift("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "bob")];
    let now = time("2026-03-01T12:00:00Z");
    assert_eq!(of_rotation(&rotation, None, now), ["alice".into()]);
    assert_eq!(of_rotation(&rotation, Some(&read), now), ["bob".into()]);
    assert_eq!(of_rotation(&rotation, Some(&[]), now), [], "an empty calendar is meant");
    assert_eq!(of_rotation(&rotation, Some(&read), time("2026-03-02T00:00:00Z")), []);
    assert_eq!(until(&rotation, Some(&read), now), Some(time("2026-03-02T00:00:00Z")));
}

/// A machine with a calendar as it was when the plan was loaded.
fn with_calendar(shifts: Vec<Shift>, trouble: Option<CalendarTrouble>) -> fixture::Machine {
    let mut rotation = weeks();
    rotation.turns = Turns::Calendar { file: "rota.ics".into(), shifts, trouble };
    fixture::Machine::resumed_under(model(rotation).plan, Vec::new(), fixture::start())
}

/// The engine of another load of the plan, over the same journal, a minute later.
fn restarted(before: &fixture::Machine, loaded: &fixture::Machine) -> fixture::Machine {
    let now = before.now + fixture::seconds(60);
    fixture::Machine::resumed_under(loaded.model.plan.clone(), before.log.clone(), now)
}

fn unread(why: &str) -> Option<CalendarTrouble> {
    Some(CalendarTrouble::Unread(why.into()))
}

/// A shift around the fixture's time.
fn of_now(contact: &str) -> Vec<Shift> {
    vec![Shift {
        from: fixture::start() - fixture::seconds(3600),
        until: fixture::start() + fixture::seconds(86_400),
        contact: contact.into(),
    }]
}

fn read(machine: &mut fixture::Machine, shifts: &[Shift], trouble: Option<CalendarTrouble>) -> Vec<Fact> {
    let report = Report::Calendar { rotation: "primary".into(), shifts: shifts.to_vec(), trouble };
    machine.report(report).expect("a reading is never refused")
}

fn on_call(machine: &fixture::Machine) -> Result<Vec<ContactId>, String> {
    at(&machine.model, &"primary".into(), machine.now)
}

#[test]
fn a_calendar_that_cannot_be_read_any_more_counts_as_it_was_read_also_after_a_restart() {
    let mut machine = with_calendar(of_now("alice"), None);
    assert_eq!(read(&mut machine, &of_now("bob"), None).len(), 1, "it changed since the plan was loaded");
    assert_eq!(read(&mut machine, &of_now("bob"), None), [], "it is recorded once");
    assert_eq!(on_call(&machine), Ok(vec!["bob".into()]));
    assert_eq!(read(&mut machine, &[], unread("no such file")).len(), 1);
    assert_eq!(on_call(&machine), Ok(vec!["bob".into()]));
    let said = faults(&machine.model, machine.now);
    assert!(said[0].is_unread && said[0].text.contains("as it said at 2026-"), "{}", said[0].text);

    // The plan is loaded anew, and its calendar is not there.
    let mut again = restarted(&machine, &with_calendar(Vec::new(), unread("no such file")));
    assert_eq!(on_call(&again), Ok(vec!["bob".into()]));
    assert_eq!(read(&mut again, &[], unread("no such file")), [], "nothing is news");
    // And then it is there again.
    read(&mut again, &of_now("carol"), None);
    assert_eq!(on_call(&again), Ok(vec!["carol".into()]));
    assert!(faults(&again.model, again.now).is_empty());
}

#[test]
fn what_a_calendar_said_at_load_counts_before_what_an_engine_read_that_is_gone() {
    let mut machine = with_calendar(of_now("alice"), None);
    read(&mut machine, &of_now("bob"), None);
    let mut machine = restarted(&machine, &machine);
    assert_eq!(on_call(&machine), Ok(vec!["alice".into()]), "it was loaded with the plan after that");
    read(&mut machine, &[], unread("it hangs"));
    assert_eq!(on_call(&machine), Ok(vec!["alice".into()]));
    assert!(calendar(&machine.model, &"primary".into()).unwrap().trouble.is_some());
}

#[test]
fn a_calendar_that_never_could_be_read_says_why_nobody_is_on_call() {
    let machine = with_calendar(Vec::new(), unread("rota.ics: it ends in the middle"));
    let said = on_call(&machine).unwrap_err();
    assert!(said.contains("its calendar cannot be read, rota.ics: it ends in the middle"), "{said}");
    let over = with_calendar(vec![shift("2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z", "bob")], None);
    let said = faults(&over.model, over.now);
    assert_eq!(said[0].text, "NOBODY is on call in On call now, its calendar ended at 2025-01-02 00:00Z");
    assert!(!said[0].is_unread && said.len() == 1);
}

fn model(rotation: Rotation) -> Model {
    let mut plan = Plan::clone(&fixture::plan());
    for name in NAMES {
        let contact = Contact {
            name: name.into(),
            role: String::new(),
            addresses: Default::default(),
            methods: Vec::new(),
        };
        plan.contacts.insert(name.into(), contact);
    }
    plan.rotations.insert("primary".into(), rotation);
    Model::new(Arc::new(plan))
}

#[test]
fn nobody_on_call_and_no_such_rotation_are_said() {
    let model = model(weeks());
    let primary = RotationId::from("primary");
    let said = at(&model, &primary, time("2025-12-31T00:00:00Z")).unwrap_err();
    assert_eq!(said, "nobody is on call in On call now");
    let said = at(&model, &"secondary".into(), time("2026-02-01T00:00:00Z")).unwrap_err();
    assert_eq!(said, "the plan has no rotation secondary");
    assert_eq!(at(&model, &primary, time("2026-02-01T00:00:00Z")), Ok(vec!["alice".into()]));
}

#[test]
fn a_rotation_without_people_or_length_has_nobody() {
    let mut empty = weeks();
    if let Turns::Cycle { order, .. } = &mut empty.turns {
        order.clear();
    }
    assert_eq!(who(&empty, "2026-02-01T00:00:00Z"), None);
    assert_eq!(who(&cycle(SignedDuration::ZERO), "2026-02-01T00:00:00Z"), None);
    assert_eq!(until(&cycle(SignedDuration::ZERO), None, time("2026-02-01T00:00:00Z")), None);
}

/// Turns in a zone, of two people.
fn turns(zone: &str, start: &str, every: SignedDuration) -> Rotation {
    let mut rotation = cycle(every);
    rotation.zone = TimeZone::get(zone).unwrap();
    let order = vec!["alice".into(), "bob".into()];
    rotation.turns = Turns::Cycle { start: start.parse().unwrap(), every, order };
    rotation
}

#[test]
fn a_turn_in_the_hour_that_comes_twice_or_never_changes_once_and_has_an_end() {
    let hours = SignedDuration::from_hours;
    for (zone, start, change) in [
        ("Europe/Berlin", "2026-01-05T02:30", "2026-10-25T00:30:00Z"),
        ("America/New_York", "2026-01-05T01:30", "2026-11-01T05:30:00Z"),
        ("Australia/Lord_Howe", "2026-01-05T01:45", "2026-04-04T14:45:00Z"),
        ("Europe/Berlin", "2026-01-05T02:30", "2026-03-29T01:00:00Z"),
        ("Australia/Lord_Howe", "2026-01-05T02:15", "2026-10-03T15:30:00Z"),
        ("Pacific/Apia", "2011-01-05T09:00", "2011-12-30T10:00:00Z"),
    ] {
        let change = time(change);
        // A day that is left out takes two turns of 12 hours with it.
        let lengths = if zone == "Pacific/Apia" { vec![24] } else { vec![24, 12] };
        for every in lengths.into_iter().map(hours) {
            let rotation = turns(zone, start, every);
            let mut changes = Vec::new();
            for minute in -240..240 {
                let now = change + SignedDuration::from_mins(minute);
                let before = of_rotation(&rotation, None, now - SignedDuration::from_mins(1));
                if of_rotation(&rotation, None, now) != before {
                    changes.push(now);
                }
                let until = until(&rotation, None, now).expect("an end is told");
                assert!(until > now && (minute >= 0 || until == change), "{zone} {start}: {now} {until}");
            }
            assert_eq!(changes, [change], "{zone} {start} {every}");
        }
    }
}

#[test]
fn short_turns_follow_each_other_through_both_changes_of_clocks() {
    let rotation = turns("Europe/Berlin", "2026-01-05T00:10", SignedDuration::from_mins(20));
    for night in ["2026-03-28T22:00:00Z", "2026-10-24T22:00:00Z"] {
        let mut now = time(night);
        for _ in 0..24 {
            let next = until(&rotation, None, now).unwrap();
            assert!(next > now);
            let just_before = next - SignedDuration::from_secs(1);
            assert_eq!(of_rotation(&rotation, None, just_before), of_rotation(&rotation, None, now));
            now = next;
        }
    }
}

#[test]
fn two_people_whose_shifts_begin_together_are_both_on_call() {
    let mut rotation = weeks();
    let (from, until) = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
    let shifts = vec![
        shift("2026-02-23T00:00:00Z", until, "carol"),
        shift(from, until, "alice"),
        shift(from, "2026-03-01T20:00:00Z", "bob"),
        shift(from, until, "alice"),
    ];
    rotation.turns = Turns::Calendar { file: "rota.ics".into(), shifts, trouble: None };
    assert_eq!(who(&rotation, "2026-03-01T12:00:00Z").as_deref(), Some("alice and bob"));
    assert_eq!(who(&rotation, "2026-03-01T21:00:00Z").as_deref(), Some("alice"));
    let model = model(rotation);
    let who = [crate::plan::Who::OnCall("primary".into())];
    let told = crate::core::ask::recipients::in_earnest(&model, &who, &[], time("2026-03-01T12:00:00Z"));
    let told: Vec<_> = told.people.iter().map(|recipient| recipient.name.as_str()).collect();
    assert_eq!(told, ["alice", "bob"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever is on call stays so until the time that is told, and the turn after it is the next one's.
    #[test]
    fn a_turn_lasts_until_the_time_that_is_told(
        passed_minutes in 0_i64..3 * 365 * 24 * 60,
        turn_hours in 1_i64..24 * 40,
    ) {
        let rotation = cycle(SignedDuration::from_hours(turn_hours));
        let now = time("2026-01-05T08:00:00Z") + SignedDuration::from_mins(passed_minutes);
        let on_call = of_rotation(&rotation, None, now);
        prop_assert_eq!(on_call.len(), 1);
        let until = until(&rotation, None, now);
        prop_assert!(until.is_some_and(|until| until > now));
        if let Some(until) = until {
            let just_before = until - SignedDuration::from_secs(1);
            prop_assert_eq!(of_rotation(&rotation, None, just_before), on_call.clone());
            prop_assert_ne!(of_rotation(&rotation, None, until), on_call);
        }
    }
}
