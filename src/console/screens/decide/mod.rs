//! The way to a decision: the tree while a question is open, and the run that it led to.

mod outline;
mod question;

use super::View;
use super::next::next;
use super::paint::{detailed, labelled_with, limited, put, rule, shown_by};
use super::run;
use super::words::date_time;
use crate::base::ids::{LeafId, QuestionId, RunId, StepId};
use crate::console::keymap::Action;
use crate::console::theme::Role;
use crate::core::model::Model;
use crate::core::words::incident::{Position, Run};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Rows that must be free for the tree to be drawn below a question.
const TREE_ROWS: u16 = 4;

/// What the cursor of this screen can select.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// An answer of the open question.
    Answer { question: QuestionId, answer: String },
    /// A step of the run that is shown.
    Step { run: RunId, step: StepId },
}

/// The rows of this screen: the answers of the open question, or the steps of the run that is shown.
pub fn items(model: &Model) -> Vec<Item> {
    if let Some(run) = shown_run(model) {
        let step = |step: &StepId| Item::Step { run: run.id.clone(), step: step.clone() };
        return run.steps.keys().map(step).collect();
    }
    let Some(Position::Question(id)) = model.durable.incident.as_ref().map(|incident| &incident.position)
    else {
        return Vec::new();
    };
    let answers = model.plan.tree.questions.get(id).into_iter().flat_map(|question| question.answers.keys());
    answers.map(|answer| Item::Answer { question: id.clone(), answer: answer.clone() }).collect()
}

/// The open run, or the ended one that the tree led to.
pub fn shown_run(model: &Model) -> Option<&Run> {
    let incident = model.durable.incident.as_ref()?;
    let ended = || incident.runs.last().filter(|_| matches!(incident.position, Position::Runbook(_)));
    incident.open_run().or_else(ended)
}

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    if let Some(run) = shown_run(view.model) {
        return run::draw(frame, area, view, run);
    }
    match view.model.durable.incident.as_ref().map(|incident| &incident.position) {
        None => without_incident(frame, area, view),
        Some(Position::Question(id)) => question::draw(frame, area, view, id),
        Some(Position::Leaf(id)) => leaf(frame, area, view, id),
        // A runbook without a run: `next` says so.
        Some(Position::Runbook(_)) => put(frame, area, &view.styles, todo(view, area.width)),
    }
}

/// What to do next, where nothing else can be drawn.
pub(super) fn todo(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let next = next(view);
    let label = view.styles.span(Role::Title, " NEXT");
    labelled_with(&view.styles, label, 7, next.role, &next.text, width)
}

/// Before an incident: how the tree begins, and what can be run.
fn without_incident(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let styles = &view.styles;
    let mut lines = vec![rule(styles, "NO INCIDENT IS OPEN", "", area.width)];
    lines.extend(todo(view, area.width));
    lines.push(Line::default());
    lines.push(rule(styles, "RUNBOOKS", "", area.width));
    for runbook in view.model.plan.runbooks.values() {
        let estimate = run::estimate(runbook);
        let of = estimate.map_or_else(String::new, |total| format!(", {}", super::words::about(total)));
        let steps = crate::base::units::counted(runbook.steps.len(), "step");
        let text = format!("{} ({steps}{of})", runbook.title);
        lines.extend(labelled_with(styles, " ".into(), 1, Role::Text, &text, area.width));
    }
    if let Some(last) = view.model.durable.closed.last() {
        let closed =
            last.closed.as_ref().map_or_else(String::new, |(at, why)| format!("{}: {why}", date_time(*at)));
        let text = format!("Last incident {} ({}), closed {closed}", last.id, last.mode.as_str());
        lines.extend(labelled_with(styles, " ".into(), 1, Role::Muted, &text, area.width));
    }
    lines.push(Line::default());
    let used = lines.len();
    put(frame, area, styles, lines);
    tree_below(frame, area, view, used);
}

/// The whole tree in what is left below the first `used` rows, when that is worth it.
fn tree_below(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, used: usize) {
    let used = u16::try_from(used).unwrap_or(u16::MAX).min(area.height);
    let left = Rect { y: area.y + used, height: area.height - used, ..area };
    if left.height >= TREE_ROWS {
        let (lines, room) = (outline::lines(view, left.width), usize::from(left.height));
        let lines = match view.ui.details {
            true => detailed(view, lines, room),
            false => limited(&view.styles, lines, room, &shown_by(view, Action::ToggleDetails)),
        };
        put(frame, left, &view.styles, lines);
    }
}

/// The tree ended without a runbook.
fn leaf(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, id: &LeafId) {
    let styles = &view.styles;
    let leaf = view.model.plan.tree.leaves.get(id);
    let title = leaf.map_or(id.as_str(), |leaf| &leaf.title);
    let mut outcome = vec![rule(styles, "OUTCOME", "", area.width)];
    outcome.extend(labelled_with(styles, " ".into(), 1, Role::Accent, title, area.width));
    outcome.push(Line::default());
    outcome.extend(todo(view, area.width));
    let other = view.key(Action::AnswerOther);
    let again = format!("When things change, {other} goes back to a question.");
    outcome.push(Line::default());
    outcome.extend(labelled_with(styles, " ".into(), 1, Role::Muted, &again, area.width));
    outcome.push(Line::default());
    if view.ui.details {
        let mut rest = question::path(view, area.width, usize::MAX);
        rest.extend(outline::lines(view, area.width));
        let room = usize::from(area.height).saturating_sub(outcome.len());
        outcome.extend(detailed(view, rest, room));
        return put(frame, area, styles, outcome);
    }
    let mut lines = question::path(view, area.width, usize::from(area.height) / 2);
    lines.push(Line::default());
    lines.extend(outcome);
    let used = lines.len();
    put(frame, area, styles, lines);
    tree_below(frame, area, view, used);
}
