//! One screen says one thing: where a service serves, what is behind, whether all is well.

use super::snapshots::plain;
use super::stage::{RUN, Stage, healthy, measured};
use super::{screen, text};
use crate::console::glyphs::Glyph;
use crate::console::ui::Screen;
use crate::core::ask::own_clock::ClockOff;
use crate::core::ask::placement::Placement;
use crate::core::prose::brief;
use crate::core::words::reading::{Field, Verdict};
use crate::plan::params::Param;
use std::sync::Arc;

fn seen(stage: &Stage) -> String {
    text(&screen((80, 24), &stage.view()))
}

fn line(seen: &str, with: &str) -> String {
    seen.lines()
        .find(|line| line.contains(with))
        .unwrap_or_else(|| panic!("no {with:?} in\n{seen}"))
        .to_owned()
}

#[test]
fn the_cell_where_a_service_serves_alone_is_marked_and_the_brief_names_it() {
    let mut stage = healthy();
    stage.model.durable.placements.push(Placement {
        service: "api".into(),
        region: "dr".into(),
        runbook: "failover".into(),
        run: RUN.into(),
        step: "dns".into(),
        since: stage.now,
    });
    let mark = stage.view().styles.glyph(Glyph::Live).to_owned();
    let shown = seen(&stage);
    let (api, queue) = (line(&shown, "API Gateway"), line(&shown, "PostgreSQL "));
    assert_eq!(api.matches(&mark).count(), 1, "{shown}");
    assert!(api.find(&mark) > api.find("up"), "in the second region: {shown}");
    assert!(!queue.contains(&mark), "{shown}");
    let told = brief::lines(&stage.model, stage.now).join("\n");
    assert!(told.contains("API Gateway is served from us-west-2"), "{told}");
    plain(&mut stage);
    let mark = stage.view().styles.glyph(Glyph::Live).to_owned();
    assert!(line(&seen(&stage), "API Gateway").contains(&format!("{mark} ")), "without colours too");
}

#[test]
fn a_wrong_clock_of_this_host_is_one_line_of_every_screen() {
    let mut stage = healthy();
    let ahead = super::plan::seconds(-7200);
    stage.model.live.clock_off = Some(ClockOff { ahead, peers: 3 });
    for size in [(80, 24), (40, 10)] {
        for at in [Screen::Overview, Screen::Decide, Screen::Timeline] {
            stage.ui.screen = at;
            let shown = text(&screen(size, &stage.view()));
            assert_eq!(shown.matches("OWN CLOCK").count(), 1, "{shown}");
            if size.0 == 80 {
                let told = "this host's clock is 2 h 00 behind by 3 peers";
                assert_eq!(shown.matches(told).count(), 1, "{shown}");
            }
        }
    }
}

#[test]
fn what_grows_is_one_number_in_the_header_and_beside_the_lag_which_says_why_there_is_none() {
    let mut stage = healthy();
    let why = "not streaming for 24 s (no WAL receiver runs)";
    let fields = [("exposure_s", 24.0), ("exposure_min_s", 0.0), ("primary_heard_s", 24.0)]
        .map(|(name, value)| (name, Field::Number(value)));
    stage.now += super::plan::seconds(5);
    stage.read("dr-lag", Ok(measured(Verdict::Critical(why.into()), None, why, &fields)));
    for (passed, amount) in [(1, "0 s to 25 s"), (3, "0 s to 28 s")] {
        stage.pass(passed);
        let shown = seen(&stage);
        assert!(line(&shown, " RTO ").contains(amount), "{shown}");
        let row = line(&shown, " LAG");
        assert!(row.contains(&format!("RPO {amount}; not streaming for 24 s")), "{shown}");
        assert!(!row.contains("no value"), "{shown}");
    }
}

#[test]
fn a_lag_of_the_other_server_is_not_called_by_the_name_of_the_first() {
    let mut stage = healthy();
    let mut plan = (*stage.model.plan).clone();
    for (probe, key) in [("primary-db", "dsn"), ("dr-lag", "primary")] {
        plan.probes[probe].params.0.insert(key.into(), Param::Text("host=a".into()));
    }
    let (lag, other) = (plan.probes["dr-lag"].title.clone(), plan.probes["primary-db"].title.clone());
    stage.model.plan = Arc::new(plan);
    let fields = [("reversed", Field::Flag(true))];
    stage.read("dr-lag", Ok(measured(Verdict::Good, Some(1.0), "streaming, 1 s behind", &fields)));
    let shown = seen(&stage);
    assert!(!shown.contains(&lag), "{shown}");
    let short: String = other.chars().take(4).collect();
    assert!(line(&shown, " LAG").contains(&format!("reversed, of {short}")), "{shown}");
}

#[test]
fn all_is_well_is_not_said_beside_a_signal_whose_last_reading_failed() {
    let mut stage = healthy();
    stage.ui.screen = Screen::Overview;
    let mut plan = (*stage.model.plan).clone();
    plan.probes["primary-queue"].fail_after = 2;
    stage.model.plan = Arc::new(plan);
    assert!(seen(&stage).contains("every signal is ok"));
    stage.now += super::plan::seconds(5);
    stage.critical("primary-queue", "connection refused");
    let shown = seen(&stage);
    assert!(shown.contains("1 signal ok whose last reading failed"), "{shown}");
    assert!(!shown.contains("every signal is ok"), "{shown}");
}
