//! The way to a decision: the tree while a question is open, and the run that it led to.

mod outline;
mod question;

use super::View;
use super::next::next;
use super::paint::{labelled_with, put, rule};
use super::run;
use super::words::date_time;
use crate::console::theme::Role;
use crate::core::incident::{Position, Run};
use crate::core::model::Model;
use crate::ids::{LeafId, QuestionId, RunId, StepId};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// From this width on, the tree is drawn beside the question.
const WIDE: u16 = 110;
/// Width of the tree.
const TREE_WIDTH: u16 = 50;

/// What the cursor of this screen can select.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// An answer of the open question.
    Answer {
        /// The question.
        question: QuestionId,
        /// The answer.
        answer: String,
    },
    /// A step of the run that is shown.
    Step {
        /// The run.
        run: RunId,
        /// The step.
        step: StepId,
    },
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
    let area = if area.width >= WIDE {
        let tree = Rect { x: area.right() - TREE_WIDTH, width: TREE_WIDTH, ..area };
        put(frame, tree, &view.look, outline::lines(view, tree.width));
        Rect { width: area.width - TREE_WIDTH - 2, ..area }
    } else {
        area
    };
    match view.model.durable.incident.as_ref().map(|incident| &incident.position) {
        None => without_incident(frame, area, view),
        Some(Position::Question(id)) => question::draw(frame, area, view, id),
        Some(Position::Leaf(id)) => leaf(frame, area, view, id),
        // A runbook without a run: `next` says so.
        Some(Position::Runbook(_)) => put(frame, area, &view.look, todo(view, area.width)),
    }
}

fn todo(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let next = next(view);
    let label = view.look.span(Role::Title, " NEXT");
    labelled_with(&view.look, label, 7, next.role, &next.text, width)
}

/// Before an incident: how the tree begins, and what can be run.
fn without_incident(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let look = &view.look;
    let mut lines = vec![rule(look, "NO INCIDENT IS OPEN", "", area.width)];
    lines.extend(todo(view, area.width));
    lines.push(Line::default());
    if area.width < WIDE - TREE_WIDTH {
        lines.push(rule(look, "RUNBOOKS", "", area.width));
    } else {
        lines.push(rule(look, "THE TREE BEGINS WITH", "", area.width));
        let tree = &view.model.plan.tree;
        let ask = tree.questions.get(&tree.root).map_or("", |question| &question.ask);
        lines.extend(labelled_with(look, " ".into(), 1, Role::Text, ask, area.width));
        lines.push(Line::default());
        lines.push(rule(look, "RUNBOOKS", "", area.width));
    }
    for runbook in view.model.plan.runbooks.values() {
        let estimate = run::estimate(runbook);
        let of = estimate.map_or_else(String::new, |total| format!(", {}", super::words::about(total)));
        let text = format!("{} ({} steps{of})", runbook.title, runbook.steps.len());
        lines.extend(labelled_with(look, " ".into(), 1, Role::Text, &text, area.width));
    }
    if let Some(last) = view.model.durable.closed.last() {
        let closed =
            last.closed.as_ref().map_or_else(String::new, |(at, why)| format!("{}: {why}", date_time(*at)));
        lines.push(Line::default());
        let text = format!("Last incident {} ({}), closed {closed}", last.id, last.mode.as_str());
        lines.extend(labelled_with(look, " ".into(), 1, Role::Muted, &text, area.width));
    }
    put(frame, area, look, lines);
}

/// The tree ended without a runbook.
fn leaf(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, id: &LeafId) {
    let look = &view.look;
    let leaf = view.model.plan.tree.leaves.get(id);
    let mut lines = question::path(view, area.width, usize::from(area.height) / 2);
    lines.push(Line::default());
    let title = leaf.map_or(id.as_str(), |leaf| &leaf.title);
    lines.push(rule(look, "OUTCOME", "", area.width));
    lines.extend(labelled_with(look, " ".into(), 1, Role::Accent, title, area.width));
    lines.push(Line::default());
    lines.extend(todo(view, area.width));
    let again = format!(
        "When things change, \"revisit\" among the commands ({}) goes back to a question.",
        view.key(crate::console::keymap::Action::Palette)
    );
    lines.push(Line::default());
    lines.extend(labelled_with(look, " ".into(), 1, Role::Muted, &again, area.width));
    put(frame, area, look, lines);
}
