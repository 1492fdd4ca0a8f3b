use super::*;
use crate::core::ask::oncall::KnownCalendar;
use crate::core::tests::fixture::{seconds, start};
use crate::core::tests::people;
use crate::plan::{CalendarTrouble, Plan, Shift, Turns};
use std::sync::Arc;

fn sheet(change: impl FnOnce(&mut Plan), now: Timestamp) -> String {
    let mut plan = (*people::plan()).clone();
    change(&mut plan);
    let lines = lines(&Model::new(Arc::new(plan)), now);
    assert!(lines.iter().all(|line| line.width() <= WIDTH), "{lines:#?}");
    lines.join("\n")
}

#[test]
fn the_sheet_names_levels_numbers_and_who_is_on_call_until_when() {
    insta::assert_snapshot!("sheet", sheet(|_| {}, start()));
}

#[test]
fn who_is_on_call_is_another_one_after_the_turn() {
    let later = start().checked_add(seconds(2 * 86_400)).unwrap();
    let text = sheet(|_| {}, later);
    assert!(text.contains("Primary: Ana Alba, until Mon 2026-03-09 09:00 CET, then Bob Berg"), "{text}");
}

#[test]
fn a_gap_in_a_calendar_is_said_with_who_comes_next() {
    let shift = |from: i64, until: i64| Shift {
        from: start().checked_add(seconds(from)).unwrap(),
        until: start().checked_add(seconds(until)).unwrap(),
        contact: "ana".into(),
    };
    let calendar = vec![shift(3600, 7200)];
    let text = sheet(
        |plan| {
            plan.rotations[0].turns =
                Turns::Calendar { file: "oncall.ics".into(), shifts: calendar, trouble: None }
        },
        start(),
    );
    assert!(text.contains("NOBODY: nobody is on call in Primary now, until"), "{text}");
    assert!(text.contains("then Ana Alba"), "{text}");
}

#[test]
fn a_calendar_that_cannot_be_read_is_said() {
    let mut plan = (*people::plan()).clone();
    let trouble = Some(CalendarTrouble::Unread("oncall.ics: no such file".into()));
    plan.rotations[0].turns = Turns::Calendar { file: "oncall.ics".into(), shifts: Vec::new(), trouble };
    let mut model = Model::new(Arc::new(plan));
    let text = lines(&model, start()).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let said =
        "NOBODY: nobody is on call in Primary now: its calendar cannot be read, oncall.ics: no such file";
    assert!(text.contains(said), "{text}");
    assert!(text.contains("CANNOT BE READ, nobody is on call by it: oncall.ics: no such file"), "{text}");
    for number in ["1001", "1002", "1003", "1004"] {
        assert!(text.contains(&format!("+49 30 {number}")), "{text}");
    }
    let shift = Shift { from: start(), until: start() + seconds(3600), contact: "bob".into() };
    let known = KnownCalendar { read_at: Some(start()), shifts: vec![shift], ..KnownCalendar::default() };
    model.durable.calendars.insert("primary".into(), known);
    let text = lines(&model, start()).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("Primary: Bob Berg") && text.contains("who is on call is as it said at 2026-"),
        "{text}"
    );
}

#[test]
fn long_names_and_hostile_text_stay_within_the_paper() {
    let text = sheet(
        |plan| {
            plan.contacts[0].name = format!("J\u{f6}rg \u{1b}[2J {}", "x".repeat(300));
            plan.policies[0].title = "word ".repeat(60);
        },
        start(),
    );
    assert!(text.contains("J\u{f6}rg ?[2J"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
}

#[test]
fn a_contact_without_a_role_leaves_no_empty_part_and_two_on_one_shift_are_both_listed() {
    let shift = |contact: &str| Shift {
        from: start(),
        until: start().checked_add(seconds(7200)).unwrap(),
        contact: contact.into(),
    };
    let shifts = vec![shift("ana"), shift("bob")];
    let text = sheet(
        |plan| {
            plan.rotations[0].turns = Turns::Calendar { file: "oncall.ics".into(), shifts, trouble: None };
            plan.contacts.values_mut().for_each(|contact| contact.role = " ".into());
        },
        start(),
    );
    assert!(!text.contains(", ,") && !text.lines().any(|line| line.ends_with(',')), "{text}");
    assert!(text.contains("Ana Alba, until") && text.contains("Bob Berg, until"), "{text}");
    assert!(text.contains("Primary: Ana Alba and Bob Berg, until"), "{text}");
}
