//! A run of a runbook: its steps with the point of no return, and the selected step in full.

mod detail;
mod steps;

pub(in crate::console::screens) use detail::guard_lines;

use super::View;
use super::paint::{cleaned, cut, labelled_with, put, rule};
use super::words::{about, clock_time};
use crate::base::ids::ServiceId;
use crate::base::units;
use crate::console::theme::Role;
use crate::console::ui::Screen;
use crate::core::ask::{attested, contradiction, objectives};
use crate::core::decide::guards;
use crate::core::model::Status;
use crate::core::words::confirmation::GuardResult;
use crate::core::words::incident::{Run, RunEnd, StepRun};
use crate::core::words::signal::age;
use crate::plan::{Runbook, Severity, Step};
use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Rows of the selected step that the list may not take.
const DETAIL_ROWS: u16 = 9;

/// Draws a run.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, run: &Run) {
    let Some(runbook) = view.model.plan.runbooks.get(&run.runbook) else {
        return put(frame, area, &view.styles, super::decide::todo(view, area.width));
    };
    let top = summary(view, run, runbook, area.width);
    let used = u16::try_from(top.len()).unwrap_or(u16::MAX).min(area.height);
    put(frame, area, &view.styles, top);
    let area = Rect { y: area.y + used, height: area.height - used, ..area };
    let selected = view.ui.cursor(Screen::Decide).selected.min(run.steps.len().saturating_sub(1));
    let (list, panel) = split(area, view.ui.details, steps::height(run, runbook));
    if list.height > 0 {
        steps::draw(frame, list, view, run, runbook, selected);
    }
    detail::draw(frame, panel, view, run, runbook, selected);
}

/// The list over the selected step, or the step alone.
fn split(area: Rect, details: bool, wanted: u16) -> (Rect, Rect) {
    if details {
        return (Rect { height: 0, ..area }, area);
    }
    let for_detail = DETAIL_ROWS.max(area.height / 3);
    let height = wanted.min(area.height.saturating_sub(for_detail)).max(area.height.min(3));
    let list = Rect { height, ..area };
    (list, Rect { y: area.y + height, height: area.height - height, ..area })
}

/// The runbook's name, how far it is, and how it ended; then what to do next.
fn summary(view: &View<'_>, run: &Run, runbook: &Runbook, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let settled = run.steps.values().filter(|step| step.status.is_settled()).count();
    let end = run.ended.as_ref().map_or(view.now, |(at, _)| *at);
    let took = units::clock(age(run.started_at, end));
    let of = estimate(runbook).map_or_else(String::new, |total| format!(" of {}", about(total)));
    let total = run.steps.len();
    let rest = format!("{settled} of {total} steps settled, {took}{of}");
    let mut lines = vec![rule(styles, cleaned(&runbook.title), rest, width)];
    if let Some((at, end)) = &run.ended {
        let (role, text) = ended(view, run, end, *at);
        lines.extend(cut(styles, labelled_with(styles, " ".into(), 1, role, &text, width), 2, width));
    }
    lines.extend(super::next::lines(view, width));
    lines
}

fn ended(view: &View<'_>, run: &Run, end: &RunEnd, at: jiff::Timestamp) -> (Role, String) {
    let RunEnd::Completed = end else {
        let why = match end {
            RunEnd::Aborted(why) => why.as_str(),
            RunEnd::Completed => "",
        };
        return (Role::Warn, format!("ABORTED at {}: {why}", clock_time(at)));
    };
    let model = view.model;
    let restores = model.plan.runbooks.get(&run.runbook).map_or(&[][..], |runbook| &runbook.restores);
    let standings = || restores.iter().filter_map(|id| Some((id, model.durable.services.get(id)?)));
    let completed = format!("COMPLETED at {}", clock_time(at));
    let title =
        |id: &ServiceId| model.plan.services.get(id).map_or(id.as_str(), |service| &service.title).to_owned();
    if let Some(open) = contradiction::worst(model) {
        let role = if open.contradiction.is_grave() { Role::Critical } else { Role::Warn };
        return (role, format!("{completed}, and {}", crate::base::text::ended(&open.contradiction.what)));
    }
    if let Some((id, _)) = standings().find(|(_, standing)| standing.broken_since.is_some()) {
        return (Role::Critical, format!("{completed}, and {} does not work.", title(id)));
    }
    if let Some((id, _)) = standings().find(|(_, standing)| standing.status == Status::Unknown) {
        let text = format!("{completed}, and it cannot be told whether {} works.", title(id));
        return (Role::Unknown, text);
    }
    if standings().next().is_none() {
        return (Role::Ok, format!("{completed}: the plan names no service that it restores."));
    }
    // What no service measures a rule may: customers who see nothing.
    let holds = match &model.durable.severity {
        Some((Severity::P0, _, why)) => format!(" P0 HOLDS ON: {}", crate::base::text::ended(why)),
        _ => String::new(),
    };
    let unshown = attested::unshown(model, run, view.now);
    if let Some(unshown) = unshown.filter(|unshown| unshown.is_false) {
        return (Role::Critical, format!("{completed}, but {}.{holds}", unshown.words()));
    }
    let doubt = unshown.map_or_else(String::new, |unshown| format!(" But {}.", unshown.words()));
    let well = match (holds.is_empty(), doubt.is_empty()) {
        (false, _) => Role::Critical,
        (true, false) => Role::Unknown,
        (true, true) => Role::Ok,
    };
    let Some(clock) = objectives::overall_stopped(model, restores) else {
        return (
            well,
            format!("{completed}.{holds} What it restores works; nothing of it was broken.{doubt}"),
        );
    };
    let target = units::age(clock.target);
    let (role, result) = match clock.left().is_negative() {
        false => (well, format!("within the RTO of {target}")),
        true => (Role::Critical, format!("over the RTO of {target} by {}", units::clock(clock.left()))),
    };
    let took = units::clock(clock.elapsed);
    let text = format!(
        "{completed}.{holds} What it restores works, {} after {took}, {result}.{doubt}",
        title(&clock.service)
    );
    (role, text)
}

/// How long a runbook takes by its own estimates, along the longest chain of steps that wait for each other;
/// none where it estimates nothing.
pub fn estimate(runbook: &Runbook) -> Option<SignedDuration> {
    let mut ends: Vec<(&crate::base::ids::StepId, SignedDuration)> = Vec::with_capacity(runbook.steps.len());
    for (id, step) in &runbook.steps {
        let begins = ends.iter().filter(|(other, _)| step.needs.contains(other)).map(|(_, end)| *end).max();
        let begins = begins.unwrap_or_default();
        ends.push((id, begins.saturating_add(step.estimate.unwrap_or_default())));
    }
    ends.into_iter().map(|(_, end)| end).max().filter(|total| total.is_positive())
}

/// Whether a guard of the step does not hold now and was not overridden.
pub fn is_held(view: &View<'_>, step: &Step, state: &StepRun) -> bool {
    !guards(view.model, step, state, view.now).iter().all(GuardResult::allows)
}
