//! A split brain as the screens tell it: what it is, which server, which step, which key; and no green beside it.

use super::plan::plan;
use super::snapshots::on;
use super::stage::{RUN, Stage};
use super::{drawn, screen, text};
use crate::console::screens::confirm::{self, Reader};
use crate::console::ui::Screen;
use crate::core::model::{Outage, Status};
use crate::core::words::command::Ask;
use crate::core::words::incident::Mode;
use crate::core::words::reading::{Field, Measurement, Verdict};
use crate::plan::Severity;

/// A server of the database `77`, which writes on a timeline or follows it.
pub fn server(role: &str, timeline: f64, read_only: bool) -> Measurement {
    let fields = [
        ("role", Field::Text(role.into())),
        ("in_recovery", Field::Flag(role == "standby")),
        ("read_only", Field::Flag(read_only)),
        ("system_identifier", Field::Text("77".into())),
        ("started_at", Field::Text(format!("at {timeline}"))),
        ("timeline", Field::Number(timeline)),
    ];
    super::stage::measured(Verdict::Good, None, role, &fields)
}

/// The failover with a fence that names the probe of the old primary; at the confirmation of the promotion.
pub fn failing_over() -> Stage {
    let mut plan = plan();
    let steps = &mut plan.runbooks.get_mut("full").unwrap().steps;
    steps.get_mut("fence").unwrap().fences = vec!["primary-db".into()];
    let mut stage = on(Stage::new(plan), Screen::Decide);
    stage.now += super::plan::seconds(60);
    stage.all_well();
    stage.pass(3);
    stage.primary_dies();
    stage.declared();
    stage.promoting();
    stage
}

pub fn both_write(stage: &mut Stage, others_are_well: impl Fn(&mut Stage)) {
    for _ in 0..4 {
        stage.pass(5);
        others_are_well(stage);
        stage.read("dr-db", Ok(server("primary", 2.0, false)));
        stage.read("primary-db", Ok(server("primary", 1.0, false)));
        stage.pass(1);
    }
}

/// The run promoted the standby, and the old primary is back.
fn split() -> Stage {
    let mut stage = failing_over();
    stage.confirm("promote", Some("dr-db.example:5432"));
    stage.done("promote", "promoted", "a row was written");
    both_write(&mut stage, Stage::rest_is_well);
    stage
}

pub fn seen(stage: &Stage) -> String {
    text(&screen((80, 24), &stage.view()))
}

/// The text without what a narrow screen broke it with.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_split_brain_is_named_in_one_row_of_every_screen_with_the_server_the_step_and_the_key() {
    let mut stage = split();
    for place in [Screen::Overview, Screen::Decide, Screen::Timeline, Screen::Backups, Screen::Escalation] {
        stage.ui.screen = place;
        let seen = seen(&stage);
        assert!(seen.lines().any(|line| line.contains("SPLIT BRAIN: ")), "{place:?}:\n{seen}");
    }
    stage.ui.screen = Screen::Decide;
    let seen = flat(&seen(&stage));
    let title = stage.model.plan.probes["primary-db"].title.clone();
    let wanted = format!(
        "Fence {title}: step 2 \"Stop writes on the old primary\" is verified, and it takes writes; r does the step again."
    );
    assert!(seen.contains(&wanted), "{wanted}\n{seen}");
    stage.ui.cursor_mut(Screen::Decide).selected = 1;
    let hints = text(&screen((80, 24), &stage.view()));
    assert!(hints.lines().last().unwrap().contains("r do it again"), "{hints}");
}

#[test]
fn data_that_goes_on_going_apart_is_in_a_row_of_every_screen_answered_or_not() {
    for answered in [false, true] {
        let mut stage = split();
        if answered {
            let id = stage.model.durable.splits[0].id.clone();
            stage.ask(Ask::AnswerContradiction { id, reason: "it is known".into() });
        }
        for place in [Screen::Overview, Screen::Decide, Screen::Timeline, Screen::Backups, Screen::Escalation]
        {
            stage.ui.screen = place;
            let seen = seen(&stage);
            let row = seen.lines().any(|line| line.contains("DATA DIVERGED since "));
            assert!(row, "answered {answered}, {place:?}:\n{seen}");
        }
    }
}

#[test]
fn the_footer_offers_the_key_that_answers_what_next_names() {
    let mut stage = split();
    for place in [Screen::Overview, Screen::Decide] {
        stage.ui.screen = place;
        let seen = seen(&stage);
        assert!(seen.lines().last().unwrap().contains("E answer it"), "{place:?}:\n{seen}");
    }
}

#[test]
fn in_however_few_rows_the_worst_service_is_shown_and_the_others_are_counted() {
    let mut stage = split();
    stage.ui.screen = Screen::Overview;
    let services = stage.model.plan.services.len();
    let top = overview_rows(&stage, 40).iter().position(|row| row.contains("SERVICE")).unwrap();
    for height in top + 6..40 {
        let rows = overview_rows(&stage, u16::try_from(height).unwrap());
        let shown = stage.model.plan.services.values();
        let begin = |title: &str| title.chars().take(8).collect::<String>();
        let shown =
            shown.filter(|service| rows.iter().any(|row| row.contains(&begin(&service.title)))).count();
        let more = rows.iter().find(|row| row.contains("more service"));
        assert!(shown > 0, "{height}: {rows:#?}");
        assert!(shown == services || more.is_some(), "{height}: {rows:#?}");
    }
}

fn overview_rows(stage: &Stage, height: u16) -> Vec<String> {
    let draw = |frame: &mut ratatui::Frame<'_>| {
        let area = ratatui::layout::Rect { height, ..frame.area() };
        crate::console::screens::overview::draw(frame, area, &stage.view());
    };
    text(&drawn((80, 40), draw)).lines().map(str::to_owned).collect()
}

#[test]
fn a_split_brain_after_a_skipped_fence_offers_the_step_too() {
    let mut stage = failing_over();
    stage.ask(Ask::Abort { reason: "anew".into() });
    stage.model.durable.incident.as_mut().unwrap().runs[0].ended = None;
    let run = &mut stage.model.durable.incident.as_mut().unwrap().runs[0];
    run.steps.get_mut("fence").unwrap().status = crate::core::words::status::StepStatus::Skipped;
    both_write(&mut stage, Stage::rest_is_well);
    let seen = flat(&seen(&stage));
    assert!(seen.contains("is skipped, and it takes writes; r does the step again"), "{seen}");
}

#[test]
fn a_fence_that_is_done_again_is_prepared_as_any_step() {
    let mut stage = split();
    let reason = Some("the supplier restarted it".into());
    stage.ask(Ask::Retry { run: RUN.into(), step: "fence".into(), reason });
    let seen = flat(&seen(&stage));
    let ready = "Step 2 \"Stop writes on the old primary\" is ready: p opens its confirmation.";
    assert_eq!(seen.matches(ready).count(), 1, "{seen}");
    stage.prepare("fence");
    stage.describe("fence", "alter system set …", "primary-db:5432", "PostgreSQL server");
    let (_, state) = stage.model.step(&RUN.into(), &"fence".into()).unwrap();
    let confirmation = state.confirmation.clone().unwrap();
    let asked = drawn((80, 24), |frame| {
        confirm::draw(frame, frame.area(), &stage.view(), &confirmation, Reader::default());
    });
    let asked = flat(&text(&asked).replace('│', ""));
    assert!(asked.contains("THIS STOPS ITS WRITES: the other primary goes on taking them"), "{asked}");
}

#[test]
fn a_run_that_ended_is_not_called_well_while_something_cannot_be_right() {
    let mut stage = split();
    let run = stage.model.durable.incident.as_mut().unwrap().runs.last_mut().unwrap();
    run.ended = Some((stage.now, crate::core::words::incident::RunEnd::Completed));
    let seen = flat(&seen(&stage));
    assert!(seen.contains(", and SPLIT BRAIN:"), "{seen}");
    assert!(!seen.contains("What it restores works"), "{seen}");
    stage.ui.cursor_mut(Screen::Decide).selected = 1;
    let hints = text(&screen((80, 24), &stage.view()));
    assert!(hints.lines().last().unwrap().contains("r do it again"), "{hints}");
}

#[test]
fn the_header_does_not_say_that_every_service_works_during_a_split_brain() {
    let mut stage = on(super::stage::healthy(), Screen::Overview);
    stage.ask(Ask::Declare { title: "odd".into(), mode: Mode::Live });
    both_write(&mut stage, Stage::all_well);
    let seen = seen(&stage);
    let header = seen.lines().nth(1).unwrap();
    assert!(header.contains("RTO PostgreSQL") && header.contains("of 15:00"), "{seen}");
    assert!(!header.contains("RPO ✓"), "what is written to either is missing on the other: {seen}");
    assert!(!seen.contains("every service works") && !seen.contains("All is well"), "{seen}");
}

#[test]
fn a_fence_that_does_not_hold_is_said_on_every_screen_after_the_abort_and_in_the_dialog() {
    let mut stage = split();
    let lines = crate::console::overlays::left::by_aborting(&stage.model, &RUN.into()).join("\n");
    assert!(
        lines.contains("FENCE DOES NOT HOLD, its server takes writes: Stop writes on the old primary"),
        "{lines}"
    );
    stage.ask(Ask::Abort { reason: "by hand from here".into() });
    let lines = crate::console::overlays::left::by_closing(&stage.model).join("\n");
    assert!(
        lines.contains("FENCE DOES NOT HOLD, its server takes writes: Stop writes on the old primary"),
        "{lines}"
    );
    stage.ui.screen = Screen::Timeline;
    let seen = flat(&seen(&stage));
    assert!(
        seen.contains("FENCE DOES NOT HOLD, its server takes writes: Stop writes on the old primary"),
        "{seen}"
    );
}

#[test]
fn a_step_that_its_guard_holds_back_is_not_offered_for_confirmation() {
    let mut stage = failing_over();
    stage.pass(200);
    for _ in 0..4 {
        stage.pass(5);
        stage.rest_is_well();
        stage.critical("dr-db", "it does not answer");
        stage.lag(400.0, 9_000_000.0);
    }
    let seen = flat(&seen(&stage));
    assert!(seen.contains("is HELD by a guard") && seen.contains("O overrides it with a reason"), "{seen}");
    assert!(!seen.contains("p opens its confirmation"), "{seen}");
}

#[test]
fn a_server_that_was_promoted_beside_a_healthy_primary_is_the_one_to_fence_and_no_other_step_is_named() {
    let mut plan = plan();
    plan.runbooks.get_mut("full").unwrap().steps.get_mut("fence").unwrap().fences = vec!["primary-db".into()];
    let mut stage = on(Stage::new(plan), Screen::Overview);
    stage.all_well();
    both_write(&mut stage, Stage::all_well);
    let title = stage.model.plan.probes["dr-db"].title.clone();
    let next = super::super::next::next(&stage.view()).text;
    assert!(next.contains(&format!("Fence {title}, and see that it is fenced.")), "{next}");
    assert!(next.contains("No runbook of the plan has a step for that"), "{next}");
    assert!(!next.contains("Stop writes on the old primary"), "{next}");
}

/// The row of the overview's table that begins with a word.
fn row(seen: &str, word: &str) -> String {
    seen.lines().find(|line| line.trim_start().starts_with(word)).unwrap_or_default().to_owned()
}

#[test]
fn what_answered_during_a_split_brain_did_not_work() {
    let mut stage = split();
    stage.pass(60);
    stage.rest_is_well();
    let incident = stage.model.durable.incident.as_mut().unwrap();
    incident.runs.last_mut().unwrap().ended =
        Some((stage.now, crate::core::words::incident::RunEnd::Completed));
    stage.model.durable.contradictions.clear();
    let (from, until) = (incident.detected_at, stage.now);
    for standing in stage.model.durable.services.values_mut() {
        (standing.status, standing.broken_since) = (Status::Up, None);
        standing.longest = Some(Outage { from, until });
    }
    let works = crate::base::units::clock(until.duration_since(from));
    stage.pass(40);
    let seen = flat(&seen(&stage));
    assert!(seen.contains(&format!("after {works}, within the RTO")), "{works}\n{seen}");
    assert!(seen.contains(&format!("after {works} of 15:00")), "one clock, stopped: {works}\n{seen}");
}

#[test]
fn a_clock_that_was_missed_is_red_and_stays_so_once_it_works_again() {
    let mut stage = super::stage::region_down();
    let (from, until) = (stage.now - super::plan::seconds(1000), stage.now);
    stage.model.durable.incident.as_mut().unwrap().detected_at = from;
    for standing in stage.model.durable.services.values_mut() {
        (standing.status, standing.broken_since) = (Status::Up, None);
        standing.longest = Some(Outage { from, until });
    }
    stage.pass(5);
    let seen = flat(&seen(&stage));
    assert!(seen.contains("✘ worked after 16:40 of 15:00"), "{seen}");
}

#[test]
fn the_cells_of_a_split_brain_say_it_in_words() {
    let mut stage = on(super::stage::healthy(), Screen::Overview);
    both_write(&mut stage, Stage::all_well);
    let seen = seen(&stage);
    let regions = row(&seen, "active");
    assert_eq!(regions.matches("✘ split brain").count(), 2, "{seen}");
    let database = seen.lines().find(|line| line.contains("PostgreSQL") && line.contains("split brain"));
    assert!(database.is_some_and(|line| !line.contains("✓ up")), "{seen}");
    // A server in the wrong role counts as down, and takes writes.
    stage.model.durable.regions.get_mut("primary").unwrap().status = Status::Down;
    let seen = text(&screen((80, 24), &stage.view()));
    assert_eq!(row(&seen, "active").matches("✘ split brain").count(), 2, "{seen}");
}

#[test]
fn nothing_is_called_well_while_a_p0_holds_that_no_service_measures() {
    let mut stage = split();
    stage.pass(60);
    stage.rest_is_well();
    let incident = stage.model.durable.incident.as_mut().unwrap();
    incident.runs.last_mut().unwrap().ended =
        Some((stage.now, crate::core::words::incident::RunEnd::Completed));
    stage.model.durable.contradictions.clear();
    stage.model.durable.severity = Some((Severity::P0, stage.now, "customers see nothing".into()));
    for standing in stage.model.durable.services.values_mut() {
        (standing.status, standing.broken_since) = (Status::Up, None);
    }
    let seen = text(&screen((80, 24), &stage.view()));
    let flat = flat(&seen);
    assert!(flat.contains("P0 HOLDS ON: customers see nothing"), "{seen}");
    assert!(!flat.contains("every service works") && !flat.contains("RTO ✓"), "{seen}");
    assert!(flat.contains("▲ worked after"), "{seen}");
}

#[test]
fn a_promotion_by_hand_is_one_way_with_one_key() {
    let mut stage = failing_over();
    stage.now += super::plan::seconds(1);
    for _ in 0..4 {
        stage.pass(5);
        stage.rest_is_well();
        stage.read("dr-db", Ok(server("primary", 2.0, false)));
        stage.read("primary-db", Ok(server("standby", 1.0, false)));
        stage.pass(1);
    }
    let seen = flat(&seen(&stage));
    let next = &seen[seen.find("NEXT").unwrap()..];
    let next = &next[..next.find(" 1 ").unwrap_or(next.len())];
    assert!(next.contains("attests it"), "{next}");
    assert!(!next.contains("overrides"), "{next}");
}
