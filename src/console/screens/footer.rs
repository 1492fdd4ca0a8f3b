//! The last rows: what just happened, or what the keys do here.

use super::View;
use super::decide::{Item, items, shown_run};
use super::paint::{cut, labelled_with, put};
use super::run::is_held;
use super::table::{self, Hints};
use crate::base::ids::{QuestionId, RunId};
use crate::base::text::ended;
use crate::console::glyphs::Glyph;
use crate::console::keymap::Action;
use crate::console::theme::Role;
use crate::console::ui::{Screen, Toast};
use crate::console::widgets::hint_line;
use crate::core::decide::is_denied;
use crate::core::words::incident::{Incident, Position, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::Step;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The most rows that a message takes.
const MESSAGE_ROWS: usize = 3;
/// The same on a terminal of fewer rows than [`LOW`].
const LOW_MESSAGE_ROWS: usize = 2;
const LOW: u16 = 14;

/// How many rows the footer needs on a terminal.
pub fn height(view: &View<'_>, terminal: Rect) -> u16 {
    let message = view.ui.toast.as_ref().map_or(0, |toast| message_lines(view, toast, terminal).len());
    1 + u16::try_from(message).unwrap_or(0)
}

/// Draws the message of the last moments, where there is one, over the key hints in order of importance.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, hints: &[(Action, &str)]) {
    let terminal = frame.area();
    let mut lines =
        view.ui.toast.as_ref().map_or_else(Vec::new, |toast| {
            message_lines(view, toast, Rect { height: terminal.height, ..area })
        });
    put(frame, area, &view.styles, lines.iter().cloned());
    view.shown.cuts().keep_drawn(frame.buffer_mut());
    let rest = rest(view);
    let room = area
        .width
        .saturating_sub(2 + u16::try_from(rest.iter().map(Span::width).sum::<usize>()).unwrap_or(0));
    let mut hints = hints.to_vec();
    if is_to_answer(view) && hints.iter().all(|(action, _)| *action != Action::AnswerContradiction) {
        hints.insert(hints.len().min(1), (Action::AnswerContradiction, "answer it"));
    }
    view.shown.note_keys(hints.iter().map(|(action, _)| *action));
    let mut line = hint_line(&view.styles, view.keymap, view.context(), &hints, room);
    line.spans.insert(0, " ".into());
    line.spans.extend(rest);
    lines.push(line);
    put(frame, area, &view.styles, lines);
}

/// The key that shows what is cut off on this screen; nothing where nothing is.
fn rest(view: &View<'_>) -> Vec<Span<'static>> {
    if view.shown.cuts().is_empty() {
        return Vec::new();
    }
    let styles = &view.styles;
    let words = format!(" shows {}", styles.glyph(Glyph::Ellipsis));
    let separator = format!(" {} ", styles.glyph(Glyph::Separator));
    vec![
        styles.span(Role::Muted, separator),
        styles.span(Role::KeyHint, view.key(Action::Brief)),
        styles.span(Role::Muted, words),
    ]
}

fn message_lines(view: &View<'_>, toast: &Toast, terminal: Rect) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let (role, glyph) = if toast.bad { (Role::Critical, Glyph::Failed) } else { (Role::Accent, Glyph::Ok) };
    let text = match toast.next.is_empty() {
        true => toast.text.clone(),
        false => format!("{} {}", ended(&toast.text), toast.next),
    };
    let label = styles.span(role, format!(" {}", styles.glyph(glyph)));
    let width = terminal.width;
    let lines = labelled_with(styles, label, 3, role, &text, width);
    let rows = if terminal.height < LOW { LOW_MESSAGE_ROWS } else { MESSAGE_ROWS };
    cut(styles, lines, rows, width)
}

/// The keys that matter on the current screen now, most important first.
pub fn hints(view: &View<'_>) -> Hints {
    (table::row(view.ui.screen).hints)(view)
}

pub(super) fn overview(view: &View<'_>) -> Hints {
    if view.model.durable.incident.is_some() { INCIDENT } else { NO_INCIDENT }
}

pub(super) fn decide(view: &View<'_>) -> Hints {
    let Some(incident) = &view.model.durable.incident else { return TREE_ONLY };
    match shown_run(view.model) {
        Some(run) if run.ended.is_none() => step_hints(view),
        Some(_) if selected(view).is_some_and(|(run, step, _)| is_denied(view.model, &run, &step.id)) => {
            DENIED
        }
        None => match &incident.position {
            Position::Question(id) if has_yes_or_no(view, id) => QUESTION,
            Position::Question(_) => NAMED_ANSWERS,
            _ => outcome(incident),
        },
        Some(_) => outcome(incident),
    }
}

/// Whether NEXT names the key that answers a contradiction.
fn is_to_answer(view: &View<'_>) -> bool {
    let keys = matches!(view.ui.screen, Screen::Overview | Screen::Decide);
    keys && super::next::told(view.model)
        .is_some_and(|open| open.answered.is_none() && !open.contradiction.blocks.is_empty())
}

/// The selected step, with its run.
fn selected<'v>(view: &View<'v>) -> Option<(RunId, &'v Step, &'v StepRun)> {
    match items(view.model).into_iter().nth(view.ui.cursor(Screen::Decide).selected)? {
        Item::Step { run, step } => {
            let (step, state) = view.model.step(&run, &step)?;
            Some((run, step, state))
        }
        Item::Answer { .. } => None,
    }
}

/// What is left to do with an incident whose tree has come to its end.
fn outcome(incident: &Incident) -> Hints {
    match OUTCOME.split_first() {
        Some((_resolve, rest)) if incident.resolved.is_some() => rest,
        _ => OUTCOME,
    }
}

const NO_INCIDENT: Hints = &[
    (Action::DeclareIncident, "declare"),
    (Action::GotoDecide, "decide"),
    (Action::GotoTimeline, "timeline"),
    (Action::ToggleDetails, "details"),
    (Action::Filter, "filter"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
const INCIDENT: Hints = &[
    (Action::GotoDecide, "decide"),
    (Action::GotoTimeline, "timeline"),
    (Action::ToggleDetails, "details"),
    (Action::Note, "note"),
    (Action::SetSeverity, "severity"),
    (Action::Help, "help"),
    (Action::Filter, "filter"),
    (Action::CloseIncident, "close"),
    (Action::Palette, "commands"),
    (Action::Quit, "quit"),
];
const TREE_ONLY: Hints = &[
    (Action::DeclareIncident, "declare"),
    (Action::GotoOverview, "overview"),
    (Action::GotoTimeline, "timeline"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
const QUESTION: Hints = &[
    (Action::AnswerYes, "yes"),
    (Action::AnswerNo, "no"),
    (Action::AnswerOther, "other"),
    (Action::GotoOverview, "overview"),
    (Action::Note, "note"),
    (Action::Help, "help"),
    (Action::Palette, "commands"),
    (Action::CloseIncident, "close"),
    (Action::Quit, "quit"),
];
const NAMED_ANSWERS: Hints = &[
    (Action::Select, "answer"),
    (Action::AnswerOther, "choose"),
    (Action::GotoOverview, "overview"),
    (Action::Note, "note"),
    (Action::Help, "help"),
    (Action::Palette, "commands"),
    (Action::CloseIncident, "close"),
    (Action::Quit, "quit"),
];
const OUTCOME: Hints = &[
    (Action::Resolve, "resolve"),
    (Action::CloseIncident, "close"),
    (Action::AnswerOther, "answer again"),
    (Action::GotoOverview, "overview"),
    (Action::GotoTimeline, "timeline"),
    (Action::Note, "note"),
    (Action::ToggleDetails, "details"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
pub(super) const TIMELINE: Hints = &[
    (Action::ToggleDetails, "details"),
    (Action::Filter, "filter"),
    (Action::Note, "note"),
    (Action::GotoOverview, "overview"),
    (Action::GotoDecide, "decide"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
pub(super) const BACKUPS: Hints = &[
    (Action::ToggleDetails, "details"),
    (Action::Filter, "filter"),
    (Action::GotoOverview, "overview"),
    (Action::GotoReadiness, "readiness"),
    (Action::Note, "note"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
pub(super) const READINESS: Hints = &[
    (Action::RunPreflight, "run preflight"),
    (Action::ToggleDetails, "details"),
    (Action::Filter, "filter"),
    (Action::GotoOverview, "overview"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
const PROPOSED: Hints = &[
    (Action::DeclareIncident, "declare"),
    (Action::Dismiss, "dismiss"),
    (Action::Acknowledge, "acknowledge"),
    (Action::Page, "page"),
    (Action::Select, "read"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
const PAGING: Hints = &[
    (Action::Acknowledge, "acknowledge"),
    (Action::Page, "page"),
    (Action::SendMessage, "message"),
    (Action::HandOver, "hand over"),
    (Action::SkipMessage, "skip"),
    (Action::Select, "read"),
    (Action::Help, "help"),
    (Action::Palette, "commands"),
    (Action::Quit, "quit"),
];
const TAKEN: Hints = &[
    (Action::SendMessage, "message"),
    (Action::SkipMessage, "skip"),
    (Action::HandOver, "hand over"),
    (Action::Page, "page"),
    (Action::Resolve, "resolve"),
    (Action::Select, "read"),
    (Action::Help, "help"),
    (Action::Palette, "commands"),
    (Action::Quit, "quit"),
];
const RESOLVED: Hints = &[
    (Action::CloseIncident, "close"),
    (Action::Reopen, "reopen"),
    (Action::SendMessage, "message"),
    (Action::SkipMessage, "skip"),
    (Action::Select, "read"),
    (Action::Help, "help"),
    (Action::Palette, "commands"),
    (Action::Quit, "quit"),
];
const NOTHING_TOLD: Hints = &[
    (Action::DeclareIncident, "declare"),
    (Action::GotoOverview, "overview"),
    (Action::Select, "read"),
    (Action::Filter, "filter"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
const READY: Hints = &[
    (Action::PrepareStep, "prepare"),
    (Action::SkipStep, "skip"),
    (Action::AttestStep, "by hand"),
    (Action::AbortRun, "abort"),
    (Action::Help, "help"),
    (Action::ToggleDetails, "details"),
    (Action::Quit, "quit"),
];
const HELD: Hints = &[
    (Action::PrepareStep, "prepare"),
    (Action::SkipStep, "skip"),
    (Action::AttestStep, "by hand"),
    (Action::OverrideGuard, "override"),
    (Action::AbortRun, "abort"),
    (Action::Help, "help"),
    (Action::ToggleDetails, "details"),
    (Action::Quit, "quit"),
];
const BY_HAND: Hints = &[
    (Action::AttestStep, "done by hand"),
    (Action::SkipStep, "skip"),
    (Action::AbortRun, "abort"),
    (Action::Help, "help"),
    (Action::ToggleDetails, "details"),
    (Action::Quit, "quit"),
];
const FAILED: Hints = &[
    (Action::RetryStep, "retry"),
    (Action::SkipStep, "skip"),
    (Action::AttestStep, "by hand"),
    (Action::Copy, "copy"),
    (Action::AbortRun, "abort"),
    (Action::Help, "help"),
    (Action::ToggleDetails, "details"),
    (Action::Quit, "quit"),
];
const DENIED: Hints = &[
    (Action::RetryStep, "do it again"),
    (Action::AnswerContradiction, "answer"),
    (Action::AbortRun, "abort"),
    (Action::Help, "help"),
    (Action::ToggleDetails, "details"),
    (Action::Quit, "quit"),
];
const LEFT_OUT: Hints = &[
    (Action::ToggleDetails, "details"),
    (Action::RetryStep, "take it up again"),
    (Action::AbortRun, "abort"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
const WATCHING: Hints = &[
    (Action::ToggleDetails, "details"),
    (Action::AbortRun, "abort"),
    (Action::GotoOverview, "overview"),
    (Action::GotoTimeline, "timeline"),
    (Action::Note, "note"),
    (Action::Palette, "commands"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];

/// Whether a key of its own gives one of the answers.
fn has_yes_or_no(view: &View<'_>, id: &QuestionId) -> bool {
    let question = view.model.plan.tree.questions.get(id);
    question.is_some_and(|question| ["yes", "no"].iter().any(|answer| question.answers.contains_key(*answer)))
}

pub(super) fn escalation(view: &View<'_>) -> Hints {
    let durable = &view.model.durable;
    let taken = durable.escalation.as_ref().is_some_and(|escalation| escalation.acknowledged.is_some());
    match &durable.incident {
        None if durable.proposal.is_some() => PROPOSED,
        None => NOTHING_TOLD,
        Some(incident) if incident.resolved.is_some() => RESOLVED,
        Some(_) if taken => TAKEN,
        Some(_) => PAGING,
    }
}

fn step_hints(view: &View<'_>) -> Hints {
    let Some((run, step, state)) = selected(view) else { return WATCHING };
    match state.status {
        _ if is_denied(view.model, &run, &step.id) => DENIED,
        StepStatus::Ready | StepStatus::Confirming if step.is_by_hand() => BY_HAND,
        StepStatus::Ready if state.obstacle.is_some() => FAILED,
        StepStatus::Ready | StepStatus::Confirming if is_held(view, step, state) => HELD,
        StepStatus::Ready | StepStatus::Confirming => READY,
        StepStatus::Failed | StepStatus::Unknown => FAILED,
        StepStatus::Skipped | StepStatus::Attested => LEFT_OUT,
        _ => WATCHING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap::{self, Context};

    #[test]
    fn no_key_means_two_things_in_one_line_of_hints() {
        let escalation =
            [PROPOSED, PAGING, TAKEN, RESOLVED, NOTHING_TOLD].map(|hints| (Context::Escalation, hints));
        let decide =
            [TREE_ONLY, QUESTION, NAMED_ANSWERS, OUTCOME, DENIED, READY, HELD, BY_HAND, FAILED, WATCHING];
        let decide = decide.map(|hints| (Context::Decide, hints));
        let others = [
            (Context::Overview, NO_INCIDENT),
            (Context::Overview, INCIDENT),
            (Context::Timeline, TIMELINE),
            (Context::Backups, BACKUPS),
            (Context::Readiness, READINESS),
        ];
        for name in ["default", "emacs"] {
            let keymap = keymap::load(&keymap::layers(None), name).unwrap();
            for (context, hints) in escalation.into_iter().chain(decide).chain(others) {
                let keys: Vec<String> = hints
                    .iter()
                    .filter_map(|(action, _)| keymap.keys(context, *action).first().map(ToString::to_string))
                    .collect();
                for (place, key) in keys.iter().enumerate() {
                    assert!(!keys[..place].contains(key), "{name}, {context:?}: {key} in {keys:?}");
                }
            }
        }
    }
}
