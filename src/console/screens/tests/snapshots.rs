//! Every screen at both sizes, in Unicode, and at the smaller one without colours and without Unicode.

use super::plan::{plan, seconds};
use super::stage::*;
use super::{drawn, screen, text};
use crate::base::problem::Problem;
use crate::console::glyphs::Glyphs;
use crate::console::pages::Pages;
use crate::console::screens::confirm::{self, Reader};
use crate::console::screens::{connecting, frame_screen, too_small};
use crate::console::theme::ColourDepth;
use crate::console::ui::{Connection, Screen, Toast};
use crate::core::words::action::{Acted, Failure};
use crate::core::words::actor::Actor;
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::preflight::{Check, Preflight, RegionChecks, StepChecks};
use crate::core::words::reading::{Field, Verdict};
use crate::core::words::simulation::Simulation;
use crate::plan::Drill;
use indexmap::IndexMap;
use jiff::civil::date;
use ratatui::style::Color;

pub const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// Compares both sizes, then the smaller one in ASCII and without colours.
pub fn check(name: &str, mut stage: Stage) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text(&screen(size, &stage.view())));
    }
    plain(&mut stage);
    let buffer = screen(SIZES[0], &stage.view());
    assert_plain(&buffer);
    insta::assert_snapshot!(format!("{name}_ascii"), text(&buffer));
}

pub fn plain(stage: &mut Stage) {
    stage.theme = stage.theme.at_depth(ColourDepth::None);
    stage.glyphs = Glyphs::Ascii;
}

pub fn assert_plain(buffer: &ratatui::buffer::Buffer) {
    for cell in buffer.content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{cell:?}");
        assert!(cell.symbol().is_ascii(), "{cell:?}");
    }
}

pub fn on(mut stage: Stage, screen: Screen) -> Stage {
    stage.ui.screen = screen;
    stage
}

#[test]
fn healthy_overview() {
    check("overview_healthy", healthy());
}

#[test]
fn region_down_overview() {
    check("overview_region_down", region_down());
}

#[test]
fn overview_with_details_and_a_filter() {
    let mut stage = region_down();
    stage.ui.details = true;
    stage.ui.filter = "DR".into();
    stage.ui.cursor_mut(Screen::Overview).selected = 2;
    check("overview_details", stage);
}

#[test]
fn overview_before_anything_was_measured() {
    check("overview_unmeasured", Stage::new(plan()));
}

#[test]
fn overview_blind_and_stale() {
    let mut stage = healthy();
    let failure = || Problem { why: "no route to host".into(), next: "Check this host's network.".into() };
    for probe in ["outside", "office", "primary-health", "primary-db", "dr-lag"] {
        stage.read(probe, Err(failure()));
    }
    stage.pass(45);
    check("overview_blind", stage);
}

#[test]
fn overview_flapping_with_an_old_backup() {
    let mut stage = healthy();
    for _ in 0..2 {
        for probe in ["primary-health", "primary-db", "primary-queue"] {
            stage.critical(probe, "connection refused");
        }
        stage.pass(20);
        stage.all_well();
        stage.pass(20);
    }
    stage.read("full-backup", Ok(measured(Verdict::Good, Some(110_000.0), "newest is 30 h old", &[])));
    stage.pass(1);
    check("overview_flapping", stage);
}

#[test]
fn a_simulated_drill() {
    let mut stage = healthy();
    stage.model.live.simulation = Some(Simulation { scenario: "region-down".into(), speed: 10.0 });
    stage.primary_dies();
    stage.pass(20);
    stage.ask(Ask::Declare { title: "Quarterly exercise".into(), mode: Mode::Drill });
    check("overview_simulated_drill", stage);
}

#[test]
fn a_lost_connection() {
    let mut stage = region_down();
    let why = "the engine closed the connection".to_owned();
    stage.ui.connection = Connection::Lost { since: stage.now, why };
    stage.now += seconds(47);
    check("overview_lost_connection", stage);
}

#[test]
fn an_engine_that_says_nothing() {
    let mut stage = healthy();
    stage.ui.connection = Connection::Silent { since: stage.now, pid: Some(4711) };
    stage.now += seconds(75);
    check("overview_engine_silent", stage);
}

#[test]
fn a_failed_journal() {
    let mut stage = region_down();
    let failure = Some("cannot append to 000001.jsonl: No space left on device (os error 28)".to_owned());
    stage.fact(Actor::Engine, Fact::JournalChanged { failure, protection: "none".into() });
    check("overview_journal_failed", stage);
}

#[test]
fn a_refusal() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.ui.toast = Some(Toast {
        text: "\"no\" is not what the evidence suggests".into(),
        next: "Say why you answer so; it goes into the journal.".into(),
        bad: true,
        at: stage.now,
    });
    check("decide_refusal", stage);
}

#[test]
fn the_tree_before_an_incident() {
    check("decide_no_incident", on(healthy(), Screen::Decide));
}

#[test]
fn the_first_question() {
    check("decide_question", on(region_down(), Screen::Decide));
}

#[test]
fn a_question_without_a_suggestion() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.answer("down", "yes", Some("yes"), None);
    stage.read(
        "dr-lag",
        Err(Problem { why: "the standby closed the connection".into(), next: String::new() }),
    );
    stage.pass(70);
    stage.rest_is_well();
    stage.read(
        "dr-lag",
        Err(Problem { why: "the standby closed the connection".into(), next: String::new() }),
    );
    stage.pass(2);
    stage.ui.cursor_mut(Screen::Decide).selected = 1;
    check("decide_withheld", stage);
}

#[test]
fn a_leaf() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.answer("down", "no", Some("yes"), Some("the status page says it is only our VPN"));
    stage.pass(5);
    stage.answer("partial", "no", None, Some("seen from two other places, all well"));
    check("decide_leaf", stage);
}

#[test]
fn a_run_with_a_step_to_confirm() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.ui.cursor_mut(Screen::Decide).selected = 2;
    check("run_confirming", stage);
}

#[test]
fn a_run_in_progress() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.confirm("promote", Some("dr-db.example:5432"));
    stage.output("promote", "pg_promote(true, 60) was called");
    stage.pass(11);
    stage.output("promote", "waiting for the end of recovery");
    stage.pass(1);
    stage.ui.cursor_mut(Screen::Decide).selected = 2;
    check("run_progress", stage);
}

#[test]
fn a_failed_step() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.confirm("promote", Some("dr-db.example:5432"));
    stage.output("promote", "pg_promote(true, 60) was called");
    stage.pass(50);
    stage.rest_is_well();
    stage.pass(11);
    stage.ended(
        "promote",
        Outcome::Failed(Failure {
            what: "pg_promote on dr-db.example:5432".into(),
            why: "the server is not in recovery".into(),
            next: "Look at its role: was it promoted by somebody else?".into(),
            acted: Acted::No,
        }),
    );
    stage.ui.cursor_mut(Screen::Decide).selected = 2;
    check("run_failed", stage);
}

#[test]
fn only_a_failed_step_whose_target_could_not_be_read_is_out_of_reach() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    let plan = std::sync::Arc::make_mut(&mut stage.model.plan);
    let step = plan.runbooks.get_mut("full").unwrap().steps.get_mut("promote").unwrap();
    step.manual = Some("pg_ctl promote".into());
    stage.confirm("promote", Some("dr-db.example:5432"));
    let failure = Failure::not_done("POST", "503 Service Unavailable", "Try again.");
    stage.ended("promote", Outcome::Failed(failure));
    let next = |stage: &Stage| crate::console::screens::next::next(&stage.view()).text;
    assert!(!next(&stage).contains("out of reach") && next(&stage).contains("r retries"), "{}", next(&stage));
    let run = stage.model.durable.incident.as_mut().unwrap().runs.last_mut().unwrap();
    let bundle = run.steps.get_mut("promote").unwrap().confirmation.as_mut().unwrap();
    bundle.description.target.reachable = false;
    assert!(next(&stage).contains("out of reach"), "{}", next(&stage));
}

#[test]
fn a_step_that_nobody_knows_of() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.confirm("promote", Some("dr-db.example:5432"));
    stage.pass(20);
    stage.report(Report::EngineStarted {
        version: "0.1.0".into(),
        recovery: "a torn line was kept aside".into(),
        since_boot: None,
    });
    stage.rest_is_well();
    stage.pass(3);
    stage.ui.cursor_mut(Screen::Decide).selected = 2;
    check("run_unknown", stage);
}

#[test]
fn a_step_that_cannot_be_prepared() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.failing_over();
    stage.prepare("fence");
    stage.report(Report::Described {
        run: RUN.into(),
        step: "fence".into(),
        result: Err(Failure {
            what: "read primary-db.example:5432".into(),
            why: "connection refused".into(),
            next: "Fence it where you can reach it: power, network, provider console.".into(),
            acted: Acted::No,
        }),
        manual: card("primary-db.example"),
    });
    stage.ui.cursor_mut(Screen::Decide).selected = 1;
    check("run_obstacle", stage);
}

fn completed() -> Stage {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.confirm("promote", Some("dr-db.example:5432"));
    stage.pass(30);
    stage.rest_is_well();
    stage.done("promote", "promoted", "pg_is_in_recovery() is false, a write was read back");
    for (step, target) in [("scale-api", "arka-api"), ("scale-worker", "arka-worker"), ("dns", "api.example")]
    {
        stage.prepare(step);
        stage.describe(step, "scale to 6", target, "deployment");
        stage.confirm(step, None);
        stage.pass(25);
        stage.rest_is_well();
        stage.done(step, "done", "6 of 6 are ready");
    }
    stage.ask(Ask::Attest {
        run: RUN.into(),
        step: "tell".into(),
        how: "posted on the status page, seen from my phone".into(),
    });
    stage.ask(Ask::Skip { run: RUN.into(), step: "verify".into(), reason: "checked by the API team".into() });
    stage.pass(5);
    stage.ui.cursor_mut(Screen::Decide).selected = 6;
    stage
}

#[test]
fn a_completed_run() {
    check("run_completed", completed());
}

#[test]
fn an_aborted_run() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.ask(Ask::Abort { reason: "the primary came back by itself".into() });
    check("run_aborted", stage);
}

#[test]
fn step_details_fill_the_screen() {
    let mut stage = completed();
    stage.ui.details = true;
    stage.ui.cursor_mut(Screen::Decide).selected = 2;
    check("run_details", stage);
}

#[test]
fn the_timeline() {
    let mut stage = on(completed(), Screen::Timeline);
    stage.now += seconds(86_400);
    stage.ask(Ask::Note { text: "handed over to bob, \u{1b}[31mred\u{202e} herring".into() });
    check("timeline", stage);
}

#[test]
fn the_timeline_with_details() {
    let mut stage = on(region_down(), Screen::Timeline);
    stage.answer("down", "no", Some("yes"), Some("the status page says it is only our VPN"));
    stage.ui.details = true;
    check("timeline_details", stage);
}

/// Rows as the documents have them: an old and odd one, one that is not encrypted as it should be, one that was
/// never seen, and one that is well.
fn with_backups() -> Stage {
    let mut plan = plan();
    let full = plan.backups["full"].clone();
    let more = |title: &str, probe: &str| crate::plan::Backup {
        title: title.into(),
        probe: probe.into(),
        method: "RDB dump".into(),
        location: "s3://arka-backups-us-east-1/redis".into(),
        frequency: "hourly".into(),
        retention: Some(seconds(7 * 86_400)),
        ..full.clone()
    };
    let redis = crate::plan::Backup {
        encryption: Some("aws:kms".into()),
        max_age: Some(seconds(7_200)),
        ..more("Redis snapshot", "dr-lag")
    };
    let chain = crate::plan::Backup {
        kept: "for ever".into(),
        retention: None,
        last_restore_test: None,
        ..more("Blockchain state, \u{1b}[31mdaily", "outside")
    };
    plan.backups.insert("redis".into(), redis);
    plan.backups.insert("chain".into(), chain);
    let full = &mut plan.backups["full"];
    full.test_every = Some(seconds(7 * 86_400));
    full.frequency = "daily".into();
    full.retention = Some(seconds(30 * 86_400));
    let mut stage = Stage::new(plan);
    stage.now += seconds(60);
    stage.all_well();
    let sizes = [
        ("size_bytes", Field::Number(18_300_000_000.0)),
        ("median_bytes", Field::Number(48_300_000_000.0)),
        ("encryption", Field::Text("aws:kms".into())),
    ];
    let copy = measured(Verdict::Good, Some(36_000.0), "newest is 10 h old", &sizes);
    stage.read("full-backup", Ok(copy));
    let plain = [("size_bytes", Field::Number(2_100_000.0)), ("encryption", Field::Text("AES256".into()))];
    stage.read("dr-lag", Ok(measured(Verdict::Good, Some(20.0), "newest is 20 s old", &plain)));
    let why = "no route to host".to_owned();
    stage.now += seconds(3 * 3_600);
    stage.read("wal-archive", Err(Problem { why, next: "Look at the archive itself.".into() }));
    stage.report(Report::Tick);
    on(stage, Screen::Backups)
}

#[test]
fn the_backups() {
    check("backups", with_backups());
}

#[test]
fn a_backup_with_details() {
    let mut stage = with_backups();
    stage.ui.details = true;
    stage.ui.cursor_mut(Screen::Backups).selected = 1;
    check("backups_details", stage);
}

#[test]
fn backups_through_a_filter() {
    let mut stage = with_backups();
    stage.ui.filter = "redis".into();
    check("backups_filter", stage);
}

fn found(at: jiff::Timestamp) -> Preflight {
    let caller = "arn:aws:sts::123456789012:assumed-role/Failover/lifeboat-alice";
    let step = |id: &str, title: &str, action: &str, checks| StepChecks {
        runbook: "full".into(),
        step: id.into(),
        title: title.into(),
        action: action.into(),
        checks,
    };
    let promote = vec![
        Check::pass("secret dr-db-admin", "it can be had"),
        Check::pass("target", "PostgreSQL server dr-db.example:5432: role standby, timeline 1"),
        Check::fail("right", "the role may not call pg_promote()", "grant execute on it to the role."),
    ];
    let scale = vec![
        Check::not_checkable(
            "eks:UpdateNodegroupConfig",
            "iam:SimulatePrincipalPolicy is denied to the caller",
        ),
        Check::warn("quota", "12 of 12 instances are in use\u{1b}[2J", "Ask for a higher quota."),
    ];
    Preflight {
        at,
        took: seconds(3),
        simulated: None,
        regions: vec![RegionChecks {
            region: "us-west-2".into(),
            checks: vec![Check::pass("caller", caller)],
        }],
        steps: vec![
            step("promote", "Promote the DR database", "postgres-promote", promote),
            step("scale-api", "Scale up the DR API", "eks-scale-nodegroup", scale),
        ],
    }
}

fn with_drills() -> Stage {
    let mut plan = plan();
    let drill = |title: &str, days: i64, last| Drill {
        title: title.into(),
        runbook: Some("full".into()),
        every: seconds(days * 86_400),
        last,
    };
    plan.drills = IndexMap::from([
        ("restore".into(), drill("Restore test", 7, Some(date(2026, 1, 28)))),
        ("quarterly".into(), drill("Full DR failover test", 90, Some(date(2025, 9, 30)))),
        ("chaos".into(), drill("Random failures", 30, None)),
    ]);
    let mut stage = Stage::new(plan);
    stage.now += seconds(60);
    stage.all_well();
    on(stage, Screen::Readiness)
}

#[test]
fn readiness_before_any_preflight() {
    check("readiness_never", with_drills());
}

#[test]
fn readiness_while_a_preflight_runs() {
    let mut stage = with_drills();
    stage.ask(Ask::Preflight);
    stage.now += seconds(4);
    check("readiness_running", stage);
}

#[test]
fn readiness_with_results_and_details() {
    let mut stage = with_drills();
    stage.ask(Ask::Preflight);
    let found = found(stage.now);
    stage.report(Report::Preflighted(Box::new(found)));
    stage.now += seconds(200);
    check("readiness_results", on(stage, Screen::Readiness));
    let mut stage = with_drills();
    stage.ask(Ask::Preflight);
    let found = self::found(stage.now);
    stage.report(Report::Preflighted(Box::new(found)));
    stage.ui.details = true;
    check("readiness_details", stage);
}

#[test]
fn readiness_in_a_simulated_world() {
    let mut stage = with_drills();
    let simulated = Some("region-down".to_owned());
    let mut found = found(stage.now);
    found.steps.clear();
    let found = Preflight { simulated, ..found };
    stage.report(Report::Preflighted(Box::new(found)));
    check("readiness_simulated", stage);
}

/// A confirmation, over the screen it is opened from.
pub fn check_confirmation(name: &str, mut stage: Stage, step: &str, typed: &str, problem: Option<&str>) {
    let draw = |stage: &Stage, size| {
        let (_, state) = stage.model.step(&RUN.into(), &step.into()).unwrap();
        let confirmation = state.confirmation.clone().unwrap();
        drawn(size, |frame| {
            frame_screen(frame, &stage.view());
            let reader = Reader { typed, problem, ..Reader::default() };
            confirm::draw(frame, frame.area(), &stage.view(), &confirmation, reader);
        })
    };
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text(&draw(&stage, size)));
    }
    plain(&mut stage);
    let buffer = draw(&stage, SIZES[0]);
    assert_plain(&buffer);
    insta::assert_snapshot!(format!("{name}_ascii"), text(&buffer));
}

#[test]
fn a_typed_confirmation() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    check_confirmation("confirm_typed", stage, "promote", "dr-db.exa", None);
}

#[test]
fn what_a_small_terminal_cuts_from_a_confirmation_is_on_its_other_pages() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    let (_, state) = stage.model.step(&RUN.into(), &"promote".into()).unwrap();
    let mut confirmation = state.confirmation.clone().unwrap();
    confirmation.description.notes = (1..=20).map(|number| format!("Note {number} of twenty.")).collect();
    let mut pages = Pages::default();
    let mut turned = || {
        let seen = text(&drawn(SIZES[0], |frame| {
            let reader = Reader { pages: Some(&pages), ..Reader::default() };
            confirm::draw(frame, frame.area(), &stage.view(), &confirmation, reader);
        }));
        pages.see(stage.shown.text());
        pages.forward();
        seen
    };
    let (first, second, third) = (turned(), turned(), turned());
    assert!(first.contains("more notes") && first.contains("page-down all of it"), "{first}");
    assert!(second.contains("ALL OF IT, lines "), "{second}");
    assert!(first.contains("TARGET") && !second.contains("TARGET"), "it is not shown again: {second}");
    let read = [&first, &second, &third].map(String::as_str).concat() + &turned();
    assert!((1..=20).all(|number| read.contains(&format!("Note {number} of twenty."))), "{read}");
    for page in [&second, &third] {
        assert!(page.contains("Type the target's name") && page.contains("Expires in"), "{page}");
    }
    assert!(read.contains("cannot be undone"), "{read}");
}

#[test]
fn a_typed_confirmation_with_a_mistake() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    let problem = Some("what you typed is not the target's name. Type exactly: dr-db.example:5432");
    check_confirmation("confirm_mistake", stage, "promote", "dr-db.exmaple", problem);
}

#[test]
fn a_confirmation_by_one_key() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.failing_over();
    stage.prepare("fence");
    stage.describe(
        "fence",
        "alter system set default_transaction_read_only = on",
        "primary-db:5432",
        "PostgreSQL server",
    );
    check_confirmation("confirm_key", stage, "fence", "", None);
}

fn lagging() -> Stage {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.lag(184.0, 41_000_000.0);
    stage.prepare("promote");
    stage.describe("promote", "select pg_promote(true, 60)", "dr-db.example:5432", "PostgreSQL server");
    stage
}

#[test]
fn a_blocked_confirmation() {
    check_confirmation("confirm_blocked", lagging(), "promote", "", None);
}

#[test]
fn an_override() {
    let mut stage = lagging();
    stage.ask(Ask::Override {
        run: RUN.into(),
        step: "promote".into(),
        guard: 0,
        reason: "the CTO accepts three minutes of loss, ticket OPS-311".into(),
    });
    stage.describe("promote", "select pg_promote(true, 60)", "dr-db.example:5432", "PostgreSQL server");
    check_confirmation("confirm_override", stage, "promote", "dr-db.example:5432", None);
}

#[test]
fn an_expired_confirmation() {
    let mut stage = on(region_down(), Screen::Decide);
    stage.promoting();
    stage.now += seconds(125);
    check_confirmation("confirm_expired", stage, "promote", "dr-db", None);
}

/// What a split, a phone or a serial line shows.
const SMALL: [(u16, u16); 2] = [(60, 16), (40, 10)];

#[test]
fn small_terminals_still_say_how_bad_since_when_and_what_next() {
    let mut running = region_down();
    running.failing_over();
    let places =
        [("overview", region_down()), ("question", on(region_down(), Screen::Decide)), ("run", running)];
    for (name, mut stage) in places {
        if name == "run" {
            stage.ui.screen = Screen::Decide;
        }
        stage.model.live.simulation = Some(Simulation { scenario: "region-down".into(), speed: 1.0 });
        for size in SMALL {
            let shown = text(&screen(size, &stage.view()));
            for told in ["P0", " for ", "NEXT"] {
                let asks = name == "question" && told == "NEXT" && shown.contains("OPEN QUESTION");
                assert!(asks || shown.contains(told), "{name} at {size:?} without {told}:\n{shown}");
            }
            insta::assert_snapshot!(format!("small_{name}_{}x{}", size.0, size.1), shown);
        }
    }
}

#[test]
fn connecting_and_too_small() {
    let stage = healthy();
    let styles = stage.view().styles;
    let buffer = drawn((80, 24), |frame| {
        let problem = Some("the socket is there, but nobody answers");
        connecting::draw(frame, frame.area(), &styles, "ARKA Engine", seconds(4), problem);
    });
    insta::assert_snapshot!("connecting", text(&buffer));
    let down = region_down();
    for size in [(20, 5), (39, 10)] {
        let buffer = drawn(size, |frame| too_small::draw(frame, frame.area(), &down.view()));
        insta::assert_snapshot!(format!("too_small_{}x{}", size.0, size.1), text(&buffer));
    }
}
