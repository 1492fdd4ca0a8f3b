//! What must hold whatever the terminal, the plan and the outside world are: no panic at any size, nothing raw
//! from outside, no state by colour alone.

use super::plan::plan;
use super::stage::*;
use super::{drawn, screen, text};
use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use crate::console::glyphs::{Glyph, Glyphs};
use crate::console::screens::{confirm, connecting, decide, footer, header, overview, timeline, too_small};
use crate::console::theme::Role;
use crate::console::ui::{Connection, Screen, Toast, Ui};
use crate::core::words::command::Ask;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::reading::Verdict;
use crate::core::words::status::StepStatus;
use crate::plan::Plan;
use jiff::SignedDuration;
use proptest::prelude::*;
use ratatui::buffer::Buffer;

/// A stage somewhere on the way from healthy to the promotion.
fn reached(place: usize) -> Stage {
    let mut stage = match place {
        0 => Stage::new(plan()),
        1 => healthy(),
        _ => region_down(),
    };
    match place {
        3 => stage.failing_over(),
        4 => stage.promoting(),
        5 => stage.answer("down", "no", Some("yes"), Some("I see it")),
        _ => {}
    }
    stage
}

const PLACES: usize = 6;

fn draw_each(stage: &Stage, size: (u16, u16)) -> Vec<Buffer> {
    let view = stage.view();
    let mut drawings = vec![
        screen(size, &view),
        // Also below the smallest size: the app may draw a part while a resize is under way.
        drawn(size, |frame| header::draw(frame, frame.area(), &view)),
        drawn(size, |frame| overview::draw(frame, frame.area(), &view)),
        drawn(size, |frame| decide::draw(frame, frame.area(), &view)),
        drawn(size, |frame| timeline::draw(frame, frame.area(), &view)),
        drawn(size, |frame| footer::draw(frame, frame.area(), &view, footer::hints(&view))),
        drawn(size, |frame| too_small::draw(frame, frame.area(), &view)),
        drawn(size, |frame| {
            connecting::draw(frame, frame.area(), &view.styles, "x", SignedDuration::from_secs(9), Some("y"));
        }),
    ];
    if let Some((_, state)) = stage.model.step(&RUN.into(), &"promote".into())
        && let Some(bundle) = &state.confirmation
    {
        drawings.push(drawn(size, |frame| {
            let reader = confirm::Reader { typed: "dr-dx", sent: false, problem: Some("no"), pages: None };
            confirm::draw(frame, frame.area(), &view, bundle, reader);
        }));
    }
    drawings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_size_and_no_text_breaks_a_screen(
        width in 1_u16..200,
        height in 1_u16..60,
        place in 0..PLACES,
        which in 0_usize..6,
        details: bool,
        ascii: bool,
        selected in 0_usize..40,
        said in "(?s).{0,80}",
        filter in "[a-zü]{0,3}",
    ) {
        let mut stage = reached(place);
        stage.ui.screen = Screen::ALL[which];
        stage.ui.details = details;
        stage.ui.filter = filter;
        stage.glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let ui = &mut stage.ui;
        for screen in Screen::ALL {
            ui.cursor_mut(screen).selected = selected;
        }
        stage.read("primary-db", Ok(measured(Verdict::Critical(said.clone()), Some(f64::NAN), &said, &[])));
        stage.read("dr-lag", Err(Problem { why: said.clone(), next: said.clone() }));
        stage.ui.toast = Some(Toast { text: said.clone(), next: said.clone(), bad: ascii, at: stage.now });
        stage.ui.connection = Connection::Lost { since: stage.now, why: said };
        for buffer in draw_each(&stage, (width, height)) {
            for cell in buffer.content() {
                prop_assert!(!cell.symbol().chars().any(|c| c.is_control()), "{:?}", cell.symbol());
                prop_assert!(!cell.symbol().chars().any(crate::base::text::is_invisible), "{:?}", cell.symbol());
                prop_assert!(!ascii || cell.symbol().is_ascii(), "{:?}", cell.symbol());
            }
        }
    }
}

#[test]
fn escape_sequences_from_a_server_are_shown_as_marks() {
    let mut stage = region_down();
    stage.critical("primary-db", "\u{1b}[2J\u{1b}]52;c;cm0gLXJm\u{7}bad\u{202e}txet");
    stage.pass(1);
    let text = text(&screen((120, 40), &stage.view()));
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn the_worst_signals_come_first() {
    let stage = region_down();
    let rows = overview::rows(&stage.model, "");
    let states: Vec<u8> = rows.iter().map(|row| row.state.concern()).collect();
    assert!(states.is_sorted_by(|one, other| one >= other), "{states:?}");
    assert_eq!(rows.len(), stage.model.plan.probes.len());
    let filtered = overview::rows(&stage.model, "LAG");
    assert_eq!(filtered.iter().map(|row| row.probe.as_str()).collect::<Vec<_>>(), ["dr-lag"]);
}

#[test]
fn the_cursor_of_decide_runs_over_answers_then_steps() {
    let mut stage = region_down();
    let answers = decide::items(&stage.model);
    assert_eq!(answers[1], decide::Item::Answer { question: "down".into(), answer: "no".into() });
    stage.failing_over();
    let steps = decide::items(&stage.model);
    assert_eq!(steps.len(), 8);
    assert_eq!(steps[2], decide::Item::Step { run: RUN.into(), step: "promote".into() });
}

#[test]
fn the_timeline_is_newest_first_and_can_be_filtered() {
    let mut stage = healthy();
    stage.ask(Ask::Declare { title: "Exercise".into(), mode: Mode::Drill });
    let rows = timeline::rows(&stage.model, "");
    assert_eq!(rows[0].place, stage.model.durable.timeline.len() - 1);
    let declared = timeline::rows(&stage.model, "declared drill");
    assert_eq!(declared, [rows[0]]);
}

#[test]
fn a_filter_asks_for_a_kind_of_signal_and_of_event_and_says_how_it_is_cleared() {
    let mut stage = region_down();
    let found = |stage: &Stage, filter: &str| -> Vec<String> {
        crate::console::screens::overview::rows(&stage.model, filter)
            .iter()
            .map(|row| row.probe.to_string())
            .collect()
    };
    assert_eq!(found(&stage, "postgres-replication"), ["dr-lag"]);
    assert_eq!(found(&stage, "file-age"), ["full-backup"]);
    stage.ask(Ask::Note { text: "seen by the supplier".into() });
    let events = |stage: &Stage, filter: &str| timeline::rows(&stage.model, filter).len();
    assert_eq!(events(&stage, "notes"), 1);
    assert!(events(&stage, "decisions") >= 1 && events(&stage, "signals") > 3);
    assert!(events(&stage, "steps") == 0 && events(&stage, "decisions") < events(&stage, ""));
    for shows in [Screen::Overview, Screen::Timeline, Screen::Backups] {
        (stage.ui.screen, stage.ui.filter) = (shows, "nowhere".into());
        let drawn = text(&screen((80, 24), &stage.view()));
        assert!(drawn.contains("nothing matches \"nowhere\"; esc clears the filter"), "{drawn}");
    }
}

#[test]
fn a_rehearsed_step_whose_proof_nothing_moves_is_said_to_be_the_simulations_limit_with_the_key() {
    let mut stage = region_down();
    stage.failing_over();
    stage.ui.screen = Screen::Decide;
    stage.prepare("fence");
    stage.describe(
        "fence",
        "alter system set default_transaction_read_only = on",
        "primary-db:5432",
        "server",
    );
    stage.pass(8);
    stage.confirm("fence", None);
    let done = crate::core::words::action::Done { summary: "sessions ended".into() };
    stage.ended("fence", Outcome::Done(done));
    let note = format!("{}. It never will here.", crate::core::words::action::UNMOVED);
    let run = &mut stage.model.durable.incident.as_mut().unwrap().runs[0];
    let state = run.steps.get_mut(&crate::base::ids::StepId::from("fence")).unwrap();
    state.confirmation.as_mut().unwrap().description.notes.push(note);
    let finished = text(&screen((80, 24), &stage.view()));
    let finished = finished.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(finished.contains("THIS SIMULATION does not move"), "{finished}");
    let run = &mut stage.model.durable.incident.as_mut().unwrap().runs[0];
    run.steps.get_mut(&crate::base::ids::StepId::from("fence")).unwrap().status = StepStatus::Unknown;
    let unknown = text(&screen((80, 24), &stage.view()));
    let words = unknown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("THIS SIMULATION does not move") && words.contains("a attests it"), "{unknown}");
}

#[test]
fn a_step_that_is_ready_again_is_not_said_to_be_out_of_reach_by_what_was_read_before() {
    let mut stage = region_down();
    stage.failing_over();
    stage.ui.screen = Screen::Decide;
    stage.ui.cursor_mut(Screen::Decide).selected = 1;
    stage.prepare("fence");
    stage.describe("fence", "alter system", "primary-db:5432", "server");
    let run = &mut stage.model.durable.incident.as_mut().unwrap().runs[0];
    let state = run.steps.get_mut(&crate::base::ids::StepId::from("fence")).unwrap();
    state.confirmation.as_mut().unwrap().description.target.reachable = false;
    state.status = StepStatus::Ready;
    stage.ui.details = true;
    let drawn = text(&screen((80, 24), &stage.view()));
    assert!(
        drawn.contains("are read anew when it is prepared") && !drawn.contains("NOT REACHABLE"),
        "{drawn}"
    );
}

/// A plan with many signals, half of them critical.
fn crowd(count: usize) -> Stage {
    let mut plan: Plan = plan();
    let template = plan.probes["primary-db"].clone();
    for place in 0..count {
        let id = ProbeId::new(format!("probe-{place}"));
        plan.probes.insert(
            id.clone(),
            crate::plan::ProbeSpec { id, title: format!("Shard {place}"), ..template.clone() },
        );
    }
    let mut stage = Stage::new(plan);
    for place in 0..count {
        match place % 2 {
            0 => stage.good(&format!("probe-{place}"), Some(1.0), "fine"),
            _ => stage.critical(&format!("probe-{place}"), "connection refused"),
        }
    }
    stage
}

#[test]
fn a_crowd_of_signals_is_drawn_from_the_rows_in_view() {
    let mut stage = crowd(300);
    stage.ui.cursor_mut(Screen::Overview).selected = 299;
    let text = text(&screen((80, 24), &stage.view()));
    assert!(text.contains("150 critical"), "{text}");
    assert!(text.contains("› ✓ ok") || text.contains("› ? unknown"), "{text}");
}

/// `cargo test --release --lib frame_time -- --ignored --nocapture` prints what a frame costs.
#[test]
#[ignore = "prints a measurement, asserts nothing"]
fn frame_time() {
    for count in [200, 5_000] {
        let mut stage = crowd(count);
        for (name, filter) in [("unfiltered", ""), ("filtered", "shard 4")] {
            stage.ui.filter = filter.into();
            let view = stage.view();
            let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(120, 40)).unwrap();
            let begin = std::time::Instant::now();
            for _ in 0..200 {
                terminal.draw(|frame| crate::console::screens::frame_screen(frame, &view)).unwrap();
            }
            println!("{count} signals, {name}: {:?} a frame", begin.elapsed() / 200);
        }
    }
}

#[test]
fn a_region_that_came_back_a_moment_ago_is_not_called_well() {
    let mut stage = healthy();
    stage.primary_dies();
    for _ in 0..15 {
        stage.pass(10);
        stage.rest_is_well();
    }
    for _ in 0..4 {
        stage.pass(3);
        stage.all_well();
    }
    let seen = text(&screen((80, 24), &stage.view()));
    assert!(seen.contains("FLAPPING"), "{seen}");
    assert!(!seen.contains("All is well") && seen.contains("1 region flapping"), "{seen}");
}

#[test]
fn what_would_be_lost_is_whole_in_the_smallest_header() {
    let mut stage = healthy();
    stage.ask(Ask::Declare { title: "a drill of the lag".into(), mode: Mode::Drill });
    stage.pass(100);
    stage.all_well();
    stage.lag(115.0, 29_800_000.0);
    let seen = text(&screen((80, 24), &stage.view()));
    assert!(seen.contains("1 min 55 s of 60 s, 29.8 MB"), "{seen}");
}

#[test]
fn the_worst_evidence_says_why_before_the_rest() {
    let mut stage = region_down();
    for _ in 0..3 {
        stage.pass(5);
        stage.rest_is_well();
        stage.critical("dr-lag", "not streaming for 9 s");
    }
    stage.answer("down", "yes", Some("yes"), None);
    // So low that only one of three has a second line.
    let area = (80, 16);
    let seen = text(&drawn(area, |frame| decide::draw(frame, frame.area(), &stage.view())));
    assert_eq!(seen.matches("(postgres").count(), 1, "{seen}");
    assert!(seen.contains("not streaming for 9 s (postgres-replication"), "{seen}");
}

#[test]
fn nothing_is_drawn_as_well_while_the_engine_is_not_heard() {
    let well = |stage: &Stage| {
        let (ok, colour) = (stage.glyphs.get(Glyph::Ok), stage.theme.style(Role::Ok).fg);
        let buffer = screen((120, 40), &stage.view());
        buffer.content().iter().filter(|cell| cell.symbol() == ok || Some(cell.fg) == colour).count()
    };
    assert!(well(&healthy()) > 0);
    let since = healthy().now;
    let cut_off = [
        Connection::Silent { since, pid: None },
        Connection::Lost { since, why: "the engine closed the connection".into() },
    ];
    for connection in cut_off {
        for (place, which) in (0..PLACES).flat_map(|place| Screen::ALL.map(|which| (place, which))) {
            let mut stage = reached(place);
            stage.now += SignedDuration::from_secs(5);
            stage.ui = Ui { connection: connection.clone(), screen: which, ..Ui::default() };
            assert_eq!(well(&stage), 0, "{which:?} at {place}, {connection:?}");
        }
        let mut stage = healthy();
        stage.ui.connection = connection;
        let overview = text(&screen((120, 40), &stage.view()));
        for wrong in ["every service works", "All is well", " up ", "Nothing to do"] {
            assert!(!overview.contains(wrong), "{wrong}:\n{overview}");
        }
    }
}
