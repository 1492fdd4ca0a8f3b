//! Data that went apart, and servers that are not where the plan has them: nothing calm is said beside either, and NEXT
//! names what works.

use super::plan::plan;
use super::snapshots::on;
use super::split::{both_write, failing_over, flat, seen, server};
use super::stage::{RUN, Stage, healthy};
use super::{drawn, text};
use crate::console::screens::confirm::{self, Reader};
use crate::console::screens::next::next;
use crate::console::ui::Screen;
use crate::core::words::action::{Failure, MANAGED};
use crate::core::words::command::{Ask, Report};
use crate::core::words::preflight::{Check, Preflight, StepChecks};

const CALM: [&str; 2] = ["All is well", "Nothing to do"];

/// Both took writes, and somebody answered that while it went on; no incident was ever declared.
fn answered() -> Stage {
    let mut stage = on(healthy(), Screen::Overview);
    both_write(&mut stage, Stage::all_well);
    let id = stage.model.durable.splits[0].id.clone();
    stage.ask(Ask::AnswerContradiction { id, reason: "the application writes to one of them only".into() });
    stage
}

/// From then on the other one is a standby on a timeline.
fn over(stage: &mut Stage, timeline: f64) {
    for _ in 0..12 {
        stage.pass(5);
        stage.all_well();
        stage.read("dr-db", Ok(server("standby", timeline, false)));
        stage.read("primary-db", Ok(server("primary", 1.0, false)));
        stage.pass(1);
    }
    assert!(stage.model.durable.contradictions.is_empty(), "{:?}", stage.model.durable.contradictions);
}

#[test]
fn data_that_went_apart_is_not_called_well_after_its_split_brain_was_answered_and_ended_without_an_incident()
{
    let mut stage = answered();
    over(&mut stage, 2.0);
    let told = |stage: &Stage| {
        let seen = flat(&seen(stage));
        assert!(
            seen.contains("DATA DIVERGED since 2026-01-31") && seen.contains("two servers took writes"),
            "{seen}"
        );
        assert!(seen.contains("E records what became of it"), "{seen}");
        assert!(!CALM.iter().any(|calm| seen.contains(calm)), "{seen}");
        seen
    };
    let calm = told(&stage);
    assert!(calm.contains("but data DIVERGED and nobody has said what became of it"), "{calm}");
    // Something else that is not well hides it neither in WHY nor in NEXT.
    stage.critical("full-backup", "no copy is there");
    stage.critical("primary-queue", "connection refused");
    stage.pass(1);
    let other = told(&stage);
    assert!(other.contains("and data DIVERGED"), "{other}");
}

#[test]
fn a_severity_of_something_else_hides_data_that_went_apart_from_next_neither() {
    let mut stage = answered();
    over(&mut stage, 2.0);
    stage.model.durable.severity = Some((crate::plan::Severity::P2, stage.now, "the disk fills".into()));
    assert!(next(&stage.view()).text.contains("DIVERGED"), "{}", next(&stage.view()).text);
}

#[test]
fn data_that_a_rebuild_by_others_threw_away_is_said_once_it_is_gone() {
    let mut stage = answered();
    over(&mut stage, 1.0);
    assert!(stage.model.durable.splits.iter().all(|split| split.settled.is_some()));
    let seen = flat(&seen(&stage));
    assert!(seen.contains("DIVERGED data ended") && seen.contains("is there no more"), "{seen}");
}

/// The plan's failover, whose fence is around the standby that somebody promotes.
fn with_fence_around(probe: &str) -> Stage {
    let mut plan = plan();
    let steps = &mut plan.runbooks.get_mut("full").unwrap().steps;
    steps.get_mut("fence").unwrap().fences = vec![probe.into()];
    let mut stage = on(Stage::new(plan), Screen::Overview);
    stage.all_well();
    stage
}

fn refused_by_patroni() -> Failure {
    let why = format!(
        "{MANAGED}Patroni (a session of it, Patroni restapi). Patroni goes on calling it the leader."
    );
    Failure::not_done("postgres-fence on db:5432", why, "Let Patroni do it: `patronictl -c FILE switchover`.")
}

fn preflight(stage: &mut Stage, check: Check) {
    let step = StepChecks {
        runbook: "full".into(),
        step: "fence".into(),
        title: "Stop writes".into(),
        action: "postgres-fence".into(),
        checks: vec![check],
    };
    let (at, took) = (stage.now, super::plan::seconds(1));
    let found = Preflight { at, took, simulated: None, regions: Vec::new(), steps: vec![step] };
    stage.report(Report::Preflighted(Box::new(found)));
}

#[test]
fn next_names_what_works_where_the_manager_of_a_server_refuses_the_fence_of_the_plan() {
    for as_warning in [false, true] {
        let mut stage = with_fence_around("dr-db");
        both_write(&mut stage, Stage::all_well);
        let by_step = next(&stage.view()).text;
        assert!(by_step.contains("does that"), "{by_step}");
        let refused = refused_by_patroni();
        let (seen, then) = (refused.to_string(), refused.next.clone());
        preflight(
            &mut stage,
            match as_warning {
                true => Check::warn("target", seen, then),
                false => Check::fail("target", seen, then),
            },
        );
        let next = next(&stage.view()).text;
        assert!(
            next.contains("its manager refuses") && next.contains("patronictl -c FILE switchover"),
            "{next}"
        );
        assert!(!next.contains("does that") && !next.contains("goes to the question"), "{next}");
    }
}

#[test]
fn a_target_that_only_does_not_answer_is_not_taken_for_a_managed_one() {
    let mut stage = with_fence_around("dr-db");
    both_write(&mut stage, Stage::all_well);
    preflight(&mut stage, Check::fail("target", "db:5432: connection refused", "See why."));
    assert!(next(&stage.view()).text.contains("does that"));
}

#[test]
fn a_step_that_a_manager_refuses_is_not_offered_again_nor_by_hand() {
    let mut stage = super::stage::region_down();
    stage.failing_over();
    stage.prepare("fence");
    let result = Err(refused_by_patroni());
    let manual = super::stage::card("db");
    stage.report(Report::Described { run: RUN.into(), step: "fence".into(), result, manual });
    let next = next(&stage.view()).text;
    assert!(next.contains("patronictl -c FILE switchover"), "{next}");
    assert!(!next.contains("tries again") && !next.contains("by hand"), "{next}");
}

#[test]
fn a_confirmation_that_is_blocked_does_not_offer_to_run_it() {
    let mut stage = failing_over();
    let (_, state) = stage.model.step(&RUN.into(), &"promote".into()).unwrap();
    let confirmation = state.confirmation.clone().unwrap();
    let asked = |stage: &Stage| {
        let asked = drawn((80, 24), |frame| {
            confirm::draw(frame, frame.area(), &stage.view(), &confirmation, Reader::default());
        });
        flat(&text(&asked).replace('│', ""))
    };
    assert!(asked(&stage).contains("run it"), "{}", asked(&stage));
    both_write(&mut stage, Stage::rest_is_well);
    let blocked = asked(&stage);
    assert!(blocked.contains("BLOCKED: SPLIT BRAIN") && blocked.contains("back, nothing runs"), "{blocked}");
    assert!(!blocked.contains("run it") && !blocked.contains("runs it"), "{blocked}");
    assert!(blocked.contains("ABOVE IS WHAT WAS READ 2"), "it is not taken for what holds now: {blocked}");
}

#[test]
fn an_address_that_moved_says_which_server_it_leads_to_and_its_own_region_is_not_shown_as_up() {
    let mut stage = on(healthy(), Screen::Overview);
    let write = |stage: &mut Stage, role: &str, started: f64| {
        for _ in 0..4 {
            stage.pass(5);
            stage.all_well();
            stage.read("dr-db", Ok(server("primary", 2.0, false)));
            stage.read("primary-db", Ok(server(role, started, false)));
            stage.pass(1);
        }
    };
    write(&mut stage, "standby", 1.0);
    stage.ask(Ask::RecordServing { region: "dr".into(), reason: "promoted by hand".into() });
    write(&mut stage, "primary", 2.0);
    let seen = text(&super::screen((120, 40), &stage.view()));
    let row = seen.lines().find(|line| line.contains("Primary database")).unwrap();
    assert!(row.contains("? moved") && row.contains("leads to DR database now"), "{seen}");
    assert!(!row.contains("✓ ok"), "{seen}");
    let is_service = |line: &&str| line.contains("PostgreSQL") && line.contains("unseen");
    let service = seen.lines().find(is_service).unwrap_or_else(|| panic!("{seen}"));
    assert!(service.contains("✓ up"), "{seen}");
}

#[test]
fn no_sentence_ends_in_two_full_stops_where_the_texts_of_a_plan_and_of_people_end_in_one() {
    let mut plan = plan();
    for rule in &mut plan.severity {
        rule.why = format!("{}.", rule.why);
    }
    let stops = |text: &str| {
        let at = text.find("..")?;
        let from = (0..=at.saturating_sub(30)).rev().find(|at| text.is_char_boundary(*at))?;
        (!text[at..].starts_with("...")).then(|| text[from..].chars().take(60).collect::<String>())
    };
    let mut stage = Stage::new(plan);
    stage.now += super::plan::seconds(60);
    stage.all_well();
    stage.primary_dies();
    stage.declared();
    stage.ask(Ask::SetSeverity { severity: crate::plan::Severity::P1, reason: "Half of it works.".into() });
    for place in Screen::ALL {
        stage.ui.screen = place;
        for size in [(80, 24), (120, 40)] {
            let seen = flat(&text(&super::screen(size, &stage.view())));
            assert_eq!(stops(&seen), None, "{place:?} {seen}");
        }
    }
    let page = crate::core::prose::message::page(&stage.model, stage.now, "");
    assert_eq!(stops(&page.body), None);
    stage.ask(Ask::Resolve { how: "It works again.".into() });
    let page = crate::core::prose::message::page(&stage.model, stage.now, "");
    assert_eq!(stops(&page.body), None);
}
