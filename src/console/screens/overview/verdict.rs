//! How bad it is and why, what it could be, and what to do next.

use crate::base::text::ended;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::keymap::Action;
use crate::console::screens::View;
use crate::console::screens::next::{self, anomalies};
use crate::console::screens::paint::{cut, labelled_with, limited};
use crate::console::screens::words::clock_time;
use crate::console::theme::Role;
use crate::console::ui::Remains;
use crate::console::widgets::State;
use crate::core::ask::divergence::{self, DIVERGED, Split};
use crate::core::ask::severity::{assess, own_rule};
use crate::core::ask::{attested, contradiction, in_force, lifecycle};
use crate::core::words::actor::Actor;
use crate::core::words::escalation::Phase;
use crate::core::words::signal::{SignalState, age};
use crate::plan::condition::Truth;
use jiff::SignedDuration;
use ratatui::text::{Line, Span};

const INDENT: usize = 7;

/// The phases of an incident, in their order.
const PHASES: [Phase; 5] = [Phase::Assess, Phase::Mitigate, Phase::Settle, Phase::Monitor, Phase::Close];

/// How many contradictions are told.
const CONTRADICTIONS: usize = 2;
/// How long the end of an incident is news.
const RECENTLY: SignedDuration = SignedDuration::from_hours(4);

/// Rows of the signals that a small terminal keeps below.
const SIGNALS_LEFT: usize = 3;

/// Rows of why and of what to do next.
const ROWS_EACH: usize = 3;

/// The lines at the top of the overview. Where the terminal is small and this screen has `low` rows, what to do next
/// comes right after why, and the rest has what these two leave.
pub fn lines(view: &View<'_>, width: u16, low: Option<usize>) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let label = |text: &str| styles.span(Role::Title, format!(" {text}"));
    let (state, role, why) = why(view);
    let why = format!("{} {why}", styles.glyph(state.glyph()));
    let why = labelled_with(styles, label("WHY"), INDENT, role, &why, width);
    if let Some(room) = low {
        let mut lines = cut(styles, why, ROWS_EACH.min(room / 3).max(1), width);
        lines.extend(next::lines_in(view, room.saturating_sub(lines.len()).max(1), width));
        let rest =
            [contradictions(view, width), phase(view, width).into_iter().collect(), aftermath(view, width)];
        let spare = room.saturating_sub(lines.len() + SIGNALS_LEFT);
        if spare > 0 {
            lines.extend(limited(styles, rest.concat(), spare, "lines: enlarge this terminal"));
        }
        return lines;
    }
    let mut lines = cut(styles, why, ROWS_EACH, width);
    lines.extend(contradictions(view, width));
    if let Some((severity, because)) = worse(view) {
        let text =
            format!("{} could be {severity}: cannot tell, {because}", styles.glyph(State::Unknown.glyph()));
        let more = labelled_with(styles, Span::raw(""), INDENT, Role::Unknown, &text, width);
        lines.extend(cut(styles, more, 2, width));
    }
    lines.extend(phase(view, width));
    lines.extend(aftermath(view, width));
    lines.extend(next::lines(view, width));
    lines
}

/// What cannot be right, with what shows it; what is the reason of the severity is not said twice.
fn contradictions(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let (styles, model) = (&view.styles, view.model);
    let why = model.durable.severity.as_ref().map(|(.., why)| why);
    let mut lines = Vec::new();
    let all = contradiction::of(model);
    for open in all.iter().take(CONTRADICTIONS) {
        let contradiction = &open.contradiction;
        let what = if why == Some(&contradiction.what) { "" } else { &contradiction.what };
        let gap = if what.is_empty() { "" } else { ": " };
        let answered = open
            .answered
            .as_ref()
            .map_or_else(String::new, |answer| format!(" (answered by {}: {})", answer.by, answer.reason));
        let text =
            format!("{} {what}{gap}{}{answered}", styles.glyph(State::Critical.glyph()), contradiction.why);
        let more = labelled_with(styles, Span::raw(""), INDENT, Role::Critical, &text, width);
        lines.extend(cut(styles, more, 2, width));
    }
    if let Some(hidden) = all.len().checked_sub(CONTRADICTIONS).filter(|hidden| *hidden > 0) {
        let brief = view.key(Action::Brief);
        let text = format!(
            "{} and {hidden} more that cannot be right, {brief} tells all",
            styles.glyph(Glyph::More)
        );
        lines.extend(labelled_with(styles, Span::raw(""), INDENT, Role::Critical, &text, width));
    }
    lines
}

/// Where the incident is in its life, or that it is only proposed.
fn phase(view: &View<'_>, width: u16) -> Option<Line<'static>> {
    let (styles, model) = (&view.styles, view.model);
    let label = styles.span(Role::Title, " PHASE");
    if let Some(proposal) = &model.durable.proposal {
        let ago = units::age(age(proposal.at, view.now));
        let text = format!("PROPOSED {ago} ago as {}: {}", proposal.severity.as_str(), proposal.title);
        let lines = labelled_with(styles, label, INDENT, Role::Critical, &text, width);
        return cut(styles, lines, 1, width).into_iter().next();
    }
    let incident = model.durable.incident.as_ref()?;
    let now = lifecycle::phase(&model.plan, incident, view.now);
    let mut line = Line::from(vec![label, Span::raw(" ")]);
    for (place, phase) in PHASES.into_iter().enumerate() {
        if place > 0 {
            line.push_span(styles.span(Role::Muted, " > "));
        }
        let (role, word) = match phase == now {
            true => (Role::Accent, format!("[{}]", phase.as_str())),
            false => (Role::Muted, phase.as_str().to_owned()),
        };
        line.push_span(styles.span(role, word));
    }
    if let Some(left) = lifecycle::watch_left(&model.plan, incident, view.now) {
        line.push_span(styles.span(Role::Muted, format!(", {} left", units::age(left))));
    }
    Some(line)
}

/// That data which went apart is gone, by a rebuild that nobody had to confirm: it is news for a time.
fn thrown_away(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let by_measure = |split: &&Split| {
        let settled = split.settled.as_ref();
        settled.is_some_and(|how| how.by == Actor::Engine.to_string() && age(how.at, view.now) < RECENTLY)
    };
    let last = view.model.durable.splits.iter().rfind(by_measure).and_then(|split| split.settled.as_ref());
    last.map_or_else(Vec::new, |how| {
        let ago = units::age(age(how.at, view.now));
        let text = format!("{DIVERGED} data ended {ago} ago: {}", how.reason);
        let label = view.styles.span(Role::Title, " LAST");
        cut(&view.styles, labelled_with(&view.styles, label, INDENT, Role::Warn, &text, width), 2, width)
    })
}

/// What was closed lately, or dismissed and is still there: why nobody is paged.
fn aftermath(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let model = view.model;
    let apart = thrown_away(view, width);
    if !apart.is_empty() || model.durable.incident.is_some() || model.durable.proposal.is_some() {
        return apart;
    }
    let ago = |at| units::age(age(at, view.now));
    let closed = model.durable.closed.last().and_then(|last| Some((last, last.closed.as_ref()?)));
    let recent = closed.filter(|(_, (at, _))| age(*at, view.now) < RECENTLY);
    let (role, text) = match (&model.durable.dismissed, recent) {
        (Some(dismissed), _) if closed.is_none_or(|(_, (at, _))| *at < dismissed.at) => (
            Role::Warn,
            format!(
                "{} DISMISSED {} ago by {} ({}); nobody is paged until it is well, worse, or for another reason",
                dismissed.severity.as_str(),
                ago(dismissed.at),
                dismissed.who,
                dismissed.why
            ),
        ),
        (dismissed, Some((last, (at, how)))) => {
            let took = units::clock(age(last.detected_at, *at));
            let quiet = match dismissed {
                Some(dismissed) if dismissed.at < *at => format!(
                    ". {} stays DISMISSED ({}): nobody is paged until it is well, worse, or for another reason",
                    dismissed.severity.as_str(),
                    dismissed.why
                ),
                Some(_) => ". Nobody is paged until it is well, worse, or for another reason".to_owned(),
                None => String::new(),
            };
            // Nobody reads afterwards what goes with this console.
            let tells = match view.ui.remains {
                Remains::Engine => "`lifeboat postmortem` tells it".to_owned(),
                Remains::Journal => format!("{} ends this and says how to read it", view.key(Action::Quit)),
                Remains::Nothing => format!("{} ends this and says what was done", view.key(Action::Quit)),
            };
            let text = format!(
                "{} CLOSED {} ago, {took} after its detection; {tells}{quiet}: {how}",
                last.id,
                ago(*at)
            );
            (Role::Text, text)
        }
        _ => return Vec::new(),
    };
    let label = view.styles.span(Role::Title, " LAST");
    cut(&view.styles, labelled_with(&view.styles, label, INDENT, role, &text, width), 2, width)
}

fn why(view: &View<'_>) -> (State, Role, String) {
    let model = view.model;
    let derived = model.durable.severity.as_ref().map(|(severity, since, why)| {
        let lasts = units::age(age(*since, view.now));
        let reason = model.durable.reason_since.filter(|at| at != since);
        let reason =
            reason.map_or_else(String::new, |at| format!(", for this reason since {}", clock_time(at)));
        format!("{} since {} ({lasts}){reason}: {why}", severity.as_str(), clock_time(*since))
    });
    let set = model.durable.incident.as_ref().and_then(|incident| incident.severity_override.as_ref());
    if let Some((severity, reason)) = set {
        let rules = derived.unwrap_or_else(|| "none holds".into());
        return (
            State::Warn,
            Role::Warn,
            format!("{} set by hand: {} The rules: {rules}", severity.as_str(), ended(reason)),
        );
    }
    let answered = contradiction::worst(model).filter(|open| open.answered.is_some());
    let is_why = |open: &&contradiction::Open| {
        model.durable.severity.as_ref().is_some_and(|(.., why)| *why == open.contradiction.what)
    };
    let derived = match answered.filter(is_why) {
        Some(_) => derived.map(|derived| format!("(answered, and it goes on) {derived}")),
        None => derived,
    };
    if let Some(derived) = derived {
        return match own_rule(model, view.now) {
            Some(Truth::Unknown(because)) => (
                State::Unknown,
                Role::Critical,
                format!("was {}; cannot tell now, {because}", derived.trim_end_matches('.')),
            ),
            _ => (State::Critical, Role::Critical, derived),
        };
    }
    let unknown = model.durable.signals.values().any(|signal| signal.state == SignalState::Unknown);
    match anomalies(view) {
        None if let Some(still) = still(view) => {
            let text = format!("No severity rule holds and every signal is ok, but {}", ended(&still));
            (State::Warn, Role::Warn, text)
        }
        None => (State::Ok, Role::Ok, "All is well: no severity rule holds and every signal is ok.".into()),
        Some(anomalies) => {
            let state = if unknown { State::Unknown } else { State::Warn };
            let still = still(view).map_or_else(String::new, |still| format!(", and {still}"));
            (state, state.role(), format!("No severity rule holds, but {anomalies}{still}."))
        }
    }
}

/// What of an incident is not over although all signals are well.
fn still(view: &View<'_>) -> Option<String> {
    let left = in_force::left_behind(view.model);
    let apart = !divergence::open(view.model).is_empty();
    match (apart, left.iter().min_by_key(|left| left.order())) {
        (true, _) => Some(format!("data {DIVERGED} and nobody has said what became of it")),
        _ if attested::is_left(view.model) => Some("it is not known what serves: see NEXT".to_owned()),
        (false, Some(left)) => Some(format!("{}: {}", left.heading(), left.words())),
        (false, None) => None,
    }
}

/// A worse severity that cannot be told, and why.
fn worse(view: &View<'_>) -> Option<(&'static str, String)> {
    let (severity, because) = assess(view.model, view.now).possible?;
    let counts = view.model.severity().is_none_or(|now| severity < now);
    counts.then(|| (severity.as_str(), because))
}
