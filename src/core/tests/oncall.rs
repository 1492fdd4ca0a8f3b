//! Who is on call: by the wall clock, with exceptions, from a calendar, and nobody.

use super::fixture;
use crate::core::model::Model;
use crate::core::oncall::{at, of_rotation, until};
use crate::ids::{ContactId, RotationId};
use crate::plan::{Contact, Plan, Rotation, Shift, Turns};
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
    of_rotation(rotation, None, time(now)).map(|contact| contact.to_string())
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
            assert!(of_rotation(&hours, None, now).is_some(), "{now}");
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
    rotation.turns = Turns::Calendar { file: "rota.ics".into(), shifts: loaded };
    let read = [shift("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "bob")];
    let now = time("2026-03-01T12:00:00Z");
    assert_eq!(of_rotation(&rotation, None, now), Some("alice".into()));
    assert_eq!(of_rotation(&rotation, Some(&read), now), Some("bob".into()));
    assert_eq!(of_rotation(&rotation, Some(&[]), now), None, "an empty calendar is meant");
    assert_eq!(of_rotation(&rotation, Some(&read), time("2026-03-02T00:00:00Z")), None);
    assert_eq!(until(&rotation, Some(&read), now), Some(time("2026-03-02T00:00:00Z")));
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
    assert_eq!(at(&model, &primary, time("2026-02-01T00:00:00Z")), Ok("alice".into()));
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
        prop_assert!(on_call.is_some());
        let until = until(&rotation, None, now);
        prop_assert!(until.is_none_or(|until| until > now));
        // Where the clocks are changed in between, a short turn can be cut or doubled.
        if let Some(until) = until.filter(|_| turn_hours >= 24) {
            let just_before = until - SignedDuration::from_secs(1);
            prop_assert_eq!(of_rotation(&rotation, None, just_before), on_call.clone());
            prop_assert_ne!(of_rotation(&rotation, None, until), on_call);
        }
    }
}
