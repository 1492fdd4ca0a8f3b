//! What stays visible: what was left behind, what a drill does, who dismissed what, what is about to be paged.

use super::snapshots::{check, check_confirmation, on};
use super::stage::{RUN, Stage, healthy, region_down};
use super::{screen, text};
use crate::console::ui::Screen;
use crate::core::words::command::Ask;
use crate::core::words::incident::Mode;

/// The run was aborted after its fence.
fn aborted() -> Stage {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.ask(Ask::Abort { reason: "changed our mind".into() });
    stage.pass(1);
    stage
}

fn seen(stage: &Stage) -> String {
    text(&screen((80, 24), &stage.view()))
}

#[test]
fn what_is_in_force_stands_on_every_screen_and_on_the_overview_after_the_close() {
    let mut stage = aborted();
    for place in [Screen::Overview, Screen::Decide, Screen::Timeline, Screen::Backups, Screen::Readiness] {
        stage.ui.screen = place;
        let seen = seen(&stage);
        assert_eq!(
            seen.matches("STILL IN FORCE: Stop writes on the old primary").count(),
            1,
            "{place:?}:\n{seen}"
        );
    }
    stage.ask(Ask::Close { reason: "enough for today".into() });
    check("overview_closed_with_a_fence", on(stage, Screen::Overview));
}

#[test]
fn what_was_undone_by_hand_is_on_no_screen() {
    let mut stage = aborted();
    let how = "reset by hand, a write worked".into();
    stage.ask(Ask::Undone { run: RUN.into(), step: "fence".into(), how, stays: false });
    assert!(!seen(&stage).contains("STILL IN FORCE"));
}

#[test]
fn a_drill_that_acts_says_so_in_the_header_and_in_its_confirmation() {
    let mut stage = on(healthy(), Screen::Decide);
    stage.ask(Ask::Declare { title: "Quarterly exercise".into(), mode: Mode::Drill });
    assert!(seen(&stage).contains("DRILL - ACTS FOR REAL"), "{}", seen(&stage));
    check_confirmation("confirm_acting_drill", drilling(Mode::Drill), "fence", "", None);
}

/// A drill at the confirmation of its fence.
fn drilling(mode: Mode) -> Stage {
    let mut stage = on(region_down(), Screen::Decide);
    stage.failing_over();
    stage.model.durable.incident.as_mut().unwrap().mode = mode;
    stage.prepare("fence");
    stage.describe(
        "fence",
        "alter system set default_transaction_read_only = on",
        "primary-db:5432",
        "PostgreSQL server",
    );
    stage
}

#[test]
fn a_drill_of_safe_steps_says_so() {
    let mut stage = on(healthy(), Screen::Overview);
    stage.ask(Ask::Declare { title: "Quarterly exercise".into(), mode: Mode::SafeDrill });
    assert!(seen(&stage).contains("DRILL - safe steps only"), "{}", seen(&stage));
}

#[test]
fn a_dismissal_says_who_when_and_why_and_that_nobody_is_paged() {
    let mut stage = healthy();
    stage.primary_dies();
    stage.model.plan = std::sync::Arc::new({
        let mut plan = (*stage.model.plan).clone();
        plan.notify.propose = Some(crate::plan::Severity::P1);
        plan.notify.propose_after = jiff::SignedDuration::from_secs(120);
        plan
    });
    let soon = seen(&stage);
    assert!(soon.contains("proposed and paged in"), "{soon}");
    stage.pass(180);
    assert!(stage.model.durable.proposal.is_some());
    stage.ask(Ask::Dismiss { reason: "a planned test".into() });
    stage.now += jiff::SignedDuration::from_mins(4);
    let seen = seen(&stage);
    assert!(seen.contains("DISMISSED 4 min ago by alice (a planned test)"), "{seen}");
    assert!(!seen.contains("proposed and paged in"), "{seen}");
}

#[test]
fn a_signal_that_begins_to_fail_is_not_called_ok() {
    let mut stage = healthy();
    let mut plan = (*stage.model.plan).clone();
    plan.probes.get_mut("primary-db").unwrap().fail_after = 3;
    stage.model.plan = std::sync::Arc::new(plan);
    stage.critical("primary-db", "connection refused");
    let seen = seen(&stage);
    assert!(seen.contains("failing 1 of 3"), "{seen}");
    let row = seen.lines().find(|line| line.contains("failing 1 of")).unwrap();
    assert!(!row.contains("✓ ok") && row.contains("▲ failing"), "{row}");
}

#[test]
fn a_runbook_that_goes_on_after_resolved_comes_before_the_watch() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.failing_over();
    let at = stage.now;
    stage.model.durable.incident.as_mut().unwrap().resolved = Some((at, "it works".into()));
    let seen = seen(&stage);
    assert!(seen.contains("a runbook goes on") && !seen.contains("Watch for"), "{seen}");
}
