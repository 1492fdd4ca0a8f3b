//! The words and cells that several screens share.

use super::View;
use crate::base::units;
use crate::console::theme::Role;
use crate::console::ui::Connection;
use crate::console::widgets::{State, Styles, state_glyph};
use crate::core::ask::blind;
use crate::core::model::Status;
use crate::core::words::confirmation::Evidence;
use crate::core::words::incident::StepRun;
use crate::core::words::signal::{Recent, SignalState, age};
use crate::core::words::status::StepStatus;
use crate::plan::ProbeSpec;
use jiff::{SignedDuration, Timestamp};
use ratatui::text::Span;

/// `12:03:11Z`.
pub fn clock_time(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// `2026-01-31 12:03:11Z`.
pub fn date_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// How long something lasts: `for 12 min`; nothing for what never turned.
pub fn lasting(since: Timestamp, now: Timestamp) -> String {
    if since == Timestamp::UNIX_EPOCH {
        String::new()
    } else {
        format!("for {}", units::age(age(since, now)))
    }
}

/// `12 s old`, once the last reading is older than twice the probe's interval.
pub fn old(spec: &ProbeSpec, recent: Option<&Recent>, now: Timestamp) -> Option<String> {
    let at = recent.and_then(|recent| recent.latest.as_ref())?.at;
    let age = age(at, now);
    (age > spec.every.saturating_mul(2)).then(|| format!("{} old", units::age(age)))
}

/// The value up to which a history is drawn flat and calm: the first bound, where being over it is what is bad.
pub fn ceiling(spec: &ProbeSpec) -> f64 {
    let bounds = &spec.thresholds;
    bounds.warn.or(bounds.critical).filter(|_| !bounds.below).unwrap_or(0.0)
}

/// How old evidence is: `2 s old`, `never measured`.
pub fn evidence_age(evidence: &Evidence, now: Timestamp) -> String {
    evidence
        .measured_at
        .map_or_else(|| "never measured".to_owned(), |at| format!("{} old", units::age(age(at, now))))
}

/// The state that is drawn for a signal.
pub fn signal(state: SignalState) -> State {
    match state {
        SignalState::Ok => State::Ok,
        SignalState::Warn => State::Warn,
        SignalState::Critical => State::Critical,
        SignalState::Unknown => State::Unknown,
    }
}

/// How a piece of evidence is drawn: what is failing and has not turned yet is not ok.
pub fn evidence_state(evidence: &Evidence) -> State {
    if evidence.failing.is_some() { State::Failing } else { signal(evidence.state) }
}

/// Glyph and word of a region or service: `✘ down`.
pub fn status_cell(styles: &Styles<'_>, status: Status) -> Span<'static> {
    let state = signal(status.as_signal());
    styles.span(state.role(), format!("{} {}", styles.glyph(state.glyph()), status.as_str()))
}

/// The state that is drawn for a step.
pub fn step(state: &StepRun) -> State {
    match state.status {
        StepStatus::Pending => State::Pending,
        StepStatus::Ready => State::Ready,
        StepStatus::Confirming => State::Confirming,
        StepStatus::Started => State::Running,
        StepStatus::Finished => State::Finished,
        StepStatus::Failed => State::Failed,
        StepStatus::Unknown => State::Unknown,
        StepStatus::Verified => State::Verified,
        StepStatus::Skipped => State::Skipped,
        StepStatus::Attested => State::Attested,
    }
}

/// A glyph with a word of one's own.
pub fn marked(styles: &Styles<'_>, state: State, word: &str) -> Span<'static> {
    let glyph = state_glyph(styles, state);
    Span::styled(format!("{} {word}", glyph.content), glyph.style)
}

/// A span as people say it: `26 h`, `10 h 33`, `15 min`.
pub fn brief(span: SignedDuration) -> String {
    let text = units::age(span);
    text.strip_suffix(" 00").map_or_else(|| text.clone(), str::to_owned)
}

/// How long something takes, as a plan estimates it: `about 5 min`.
pub fn about(estimate: SignedDuration) -> String {
    format!("about {}", brief(estimate))
}

/// The engine is not heard, so everything on the screen is as old.
pub fn is_cut_off(view: &View<'_>) -> bool {
    view.ui.connection.cut_off_since().is_some()
}

/// Why nothing that a dialog asks can be given; none while the engine is heard.
pub fn cannot_reach(view: &View<'_>) -> Option<&'static str> {
    match view.ui.connection {
        Connection::Attached => None,
        Connection::Silent { .. } => {
            Some("ENGINE SILENT: nothing can be confirmed or sent until it answers again.")
        }
        Connection::Connecting | Connection::Lost { .. } => {
            Some("CONNECTION LOST: nothing can be confirmed or sent until the engine is back.")
        }
    }
}

/// Since when the console is blind; not before the reference probes had their first run.
pub fn blind_since(view: &View<'_>) -> Option<Timestamp> {
    let model = view.model;
    if is_cut_off(view) {
        // It is the engine that cannot be asked; whether it sees is not known.
        return None;
    }
    let ran = |probe| model.live.recent.get(probe).is_some_and(|recent: &Recent| recent.latest.is_some());
    blind::since(model).filter(|_| model.plan.policy.reference.iter().any(ran))
}

/// The role of a text that matters only when something is wrong.
pub fn concern_role(state: SignalState) -> Role {
    match state {
        SignalState::Ok => Role::Muted,
        other => signal(other).role(),
    }
}
