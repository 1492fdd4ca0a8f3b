//! The timeline: one readable line for each durable event, newest first, and the selected one in full.

use super::View;
use super::list::{Filter, no_match, window};
use super::paint::{cleaned, detailed, labelled_with, put, put_list, rule};
use super::words::{clock_time, date_time};
use crate::console::glyphs::Glyph;
use crate::console::theme::Role;
use crate::console::ui::Screen;
use crate::console::widgets::{Column, Width, fit, row_line};
use crate::core::model::Model;
use crate::core::prose::describe::describe;
use crate::core::words::confirmation::{Evidence, GuardResult, LossEstimate};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::Outcome;
use crate::core::words::notification::{Attempted, Tracked};
use crate::core::words::signal::SignalState;
use crate::plan::Plan;
use crate::plan::condition::Truth;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::ops::Range;

/// Rows of the details, when there is room.
const DETAIL_ROWS: u16 = 12;
const INDENT: usize = 11;
/// From this width on, the year is written too.
const WIDE: u16 = 110;

/// A row of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The event's place in the model's timeline.
    pub place: usize,
}

/// The events that the filter lets through, newest first.
pub fn rows(model: &Model, filter: &str) -> Vec<Row> {
    let events = &model.durable.timeline;
    let places = (0..events.len()).rev().map(|place| Row { place });
    if filter.trim().is_empty() {
        return places.collect();
    }
    let filter = Filter::new(filter);
    let matches = |row: &Row| {
        let Some(event) = events.get(row.place) else { return false };
        let by = event.by.to_string();
        filter.lets(&[
            &describe(&event.fact, &model.plan),
            &by,
            &date_time(event.at),
            event.fact.nature().topics,
        ])
    };
    places.filter(matches).collect()
}

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let rows = rows(view.model, &view.ui.filter);
    let head = [title(view, rows.len(), area.width), protection(view, area.width)];
    let head_rows = head.len() as u16;
    put(frame, area, &view.styles, head);
    let below = Rect { y: area.y + head_rows, height: area.height.saturating_sub(head_rows), ..area };
    let details =
        if view.ui.details { DETAIL_ROWS.max(below.height / 3).min(below.height * 2 / 3) } else { 0 };
    let list = Rect { height: below.height - details, ..below };
    if rows.is_empty() {
        return put(frame, list, &view.styles, [no_match(view)]);
    }
    let cursor = view.ui.cursor(Screen::Timeline);
    let selected = cursor.selected.min(rows.len() - 1);
    let shown = window(view, selected, rows.len(), usize::from(list.height));
    let lines = lines(view, &rows, shown.clone(), selected, list.width);
    put_list(frame, list, &view.styles, lines, Some(selected.saturating_sub(shown.start)));
    if let Some(event) = view.model.durable.timeline.get(rows[selected].place).filter(|_| details > 0) {
        let panel = Rect { y: list.bottom(), height: details, ..below };
        let lines = detailed(view, detail(view, event, panel.width), usize::from(details));
        put(frame, panel, &view.styles, lines);
    }
}

fn title(view: &View<'_>, shown: usize, width: u16) -> Line<'static> {
    let all = view.model.durable.timeline.len();
    let rest = match view.ui.filter.as_str() {
        "" => format!("{}, newest first, times in UTC", crate::base::units::counted(all, "event")),
        filter => format!("{shown} of {all} events match \"{filter}\""),
    };
    rule(&view.styles, "TIMELINE", cleaned(&rest), width)
}

/// Which protections of the journal are active, or that it cannot be written.
fn protection(view: &View<'_>, width: u16) -> Line<'static> {
    let live = &view.model.live;
    let (role, text) = match &live.journal_failure {
        Some(why) => (Role::Critical, format!("CANNOT BE WRITTEN: {why}")),
        None => (Role::Muted, live.journal_protection.clone()),
    };
    let text = cleaned(&format!(" journal: {text}"));
    Line::from(view.styles.span(role, fit(&view.styles, &text, usize::from(width))))
}

fn lines(
    view: &View<'_>,
    rows: &[Row],
    shown: Range<usize>,
    selected: usize,
    width: u16,
) -> Vec<Line<'static>> {
    let mut day = String::new();
    let mut lines = Vec::with_capacity(shown.len());
    for place in shown {
        let Some(event) = view.model.durable.timeline.get(rows[place].place) else { continue };
        let date = event.at.strftime("%Y-%m-%d").to_string();
        let time = match (date == day, width >= WIDE) {
            (true, _) => clock_time(event.at),
            (false, true) => date_time(event.at),
            (false, false) => event.at.strftime("%m-%d %H:%M:%SZ").to_string(),
        };
        day = date;
        lines.push(line(view, event, time, place == selected, width));
    }
    lines
}

fn line(view: &View<'_>, event: &Event, time: String, selected: bool, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let fixed = |width, right| Column { width: Width::Fixed(width), right };
    let columns = [
        fixed(1, false),
        fixed(if width >= WIDE { 20 } else { 15 }, true),
        fixed(9, false),
        fixed(1, false),
        Column { width: Width::Share(1), right: false },
    ];
    let (role, glyph) = weight(&event.fact);
    let cells = [
        styles.span(Role::Accent, if selected { styles.glyph(Glyph::Selected) } else { " " }),
        styles.span(Role::Muted, time),
        styles.span(Role::Muted, cleaned(&event.by.to_string())),
        styles.span(role, styles.glyph(glyph)),
        styles.span(role, describe(&event.fact, &view.model.plan)),
    ];
    row_line(styles, &columns, &cells, width)
}

/// How an event is drawn: what is bad, what went well, what a person did.
fn weight(fact: &Fact) -> (Role, Glyph) {
    match fact {
        Fact::SignalChanged { to: SignalState::Critical, .. } => (Role::Critical, Glyph::Critical),
        Fact::SignalChanged { to: SignalState::Warn, .. } => (Role::Warn, Glyph::Warn),
        Fact::SignalChanged { to: SignalState::Unknown, .. } => (Role::Unknown, Glyph::Unknown),
        Fact::SignalChanged { to: SignalState::Ok, .. } | Fact::StepVerified { .. } => (Role::Ok, Glyph::Ok),
        Fact::SeverityChanged { to: Some(_), .. } => (Role::Critical, Glyph::Warn),
        Fact::SeverityChanged { to: None, .. } => (Role::Ok, Glyph::Ok),
        Fact::PrimaryMeasured { .. } => (Role::Warn, Glyph::Warn),
        Fact::ServingRecorded { .. } => (Role::Text, Glyph::Attested),
        Fact::ServicesMoved { .. } | Fact::RegionMoved { .. } => (Role::Accent, Glyph::Live),
        Fact::ContradictionFound { .. } => (Role::Critical, Glyph::Critical),
        Fact::ContradictionAnswered { .. } | Fact::DivergenceSettled { .. } => (Role::Text, Glyph::Attested),
        Fact::ContradictionEnded { .. } => (Role::Ok, Glyph::Ok),
        Fact::StepFinished { outcome: Outcome::Failed(_), .. } => (Role::Critical, Glyph::Failed),
        Fact::StepPreparationFailed { .. } => (Role::Critical, Glyph::Failed),
        Fact::TargetChanged { .. } => (Role::Critical, Glyph::Warn),
        Fact::StepHolding { .. } => (Role::Running, Glyph::Running),
        Fact::StepVerificationFailed { .. } => (Role::Unknown, Glyph::Unknown),
        Fact::ClockJudged { off: None, .. } => (Role::Ok, Glyph::Ok),
        Fact::GuardOverridden { .. } | Fact::ClockJumped { .. } | Fact::ClockJudged { .. } => {
            (Role::Warn, Glyph::Warn)
        }
        Fact::StepSkipped { .. } => (Role::Warn, Glyph::Skipped),
        Fact::NotificationFinished { attempted: Attempted::Failed { retry_at: None, .. }, .. }
        | Fact::NotificationTracked { tracked: Tracked::Failed(_), .. } => (Role::Critical, Glyph::Failed),
        Fact::NotificationsQueued { to, .. } if to.is_empty() => (Role::Critical, Glyph::Failed),
        Fact::IncidentProposed { .. } | Fact::EscalationRenewed { .. } | Fact::IncidentReopened { .. } => {
            (Role::Critical, Glyph::Warn)
        }
        Fact::EscalationAcknowledged { .. } => (Role::Ok, Glyph::Attested),
        Fact::IncidentResolved { .. } => (Role::Ok, Glyph::Ok),
        Fact::MessageSkipped { .. } => (Role::Warn, Glyph::Skipped),
        Fact::CalendarRead { shifts, left_out, .. } if shifts.is_err() || !left_out.is_empty() => {
            (Role::Warn, Glyph::Warn)
        }
        Fact::StepAttested { .. } | Fact::StepUndone { .. } => (Role::Text, Glyph::Attested),
        Fact::StepStarted { .. } => (Role::Running, Glyph::Running),
        Fact::DrillTurnedLive { .. } => (Role::Critical, Glyph::Live),
        Fact::IncidentDeclared { .. } | Fact::RunStarted { .. } => (Role::Accent, Glyph::Running),
        Fact::EngineStarted { .. }
        | Fact::EngineStopped { .. }
        | Fact::ReadingTaken { .. }
        | Fact::LossNoted { .. }
        | Fact::SeveritySet { .. }
        | Fact::QuestionAnswered { .. }
        | Fact::QuestionRevisited { .. }
        | Fact::StepPreparing { .. }
        | Fact::StepPrepared { .. }
        | Fact::ConfirmationWithdrawn { .. }
        | Fact::StepConfirmed { .. }
        | Fact::StepOutput { .. }
        | Fact::StepFinished { .. }
        | Fact::StepRetried { .. }
        | Fact::StepRechecked { .. }
        | Fact::RunEnded { .. }
        | Fact::NoteAdded { .. }
        | Fact::PreflightStarted
        | Fact::PreflightRan { .. }
        | Fact::PreflightFound { .. }
        | Fact::ProposalWithdrawn { .. }
        | Fact::EscalationStarted { .. }
        | Fact::NotificationsQueued { .. }
        | Fact::NotificationStarted { .. }
        | Fact::NotificationFinished { .. }
        | Fact::NotificationTracked { .. }
        | Fact::PagedUnrecorded { .. }
        | Fact::MessageDue { .. }
        | Fact::RoleAssigned { .. }
        | Fact::CalendarRead { .. }
        | Fact::IncidentClosed { .. }
        | Fact::JournalChanged { .. }
        | Fact::JournalSpace { .. } => (Role::Text, Glyph::Separator),
    }
}

/// The whole event: its sentence, its place in the journal, and what was frozen with it.
fn detail(view: &View<'_>, event: &Event, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let record = match &event.record {
        Some(record) => format!("record {} {}", record.seq, crate::base::text::clean(&record.checksum, 64)),
        None => "not in the journal".to_owned(),
    };
    let mut lines = vec![rule(styles, "EVENT", record, width)];
    let sentence = describe(&event.fact, &view.model.plan);
    let mut add = |label: &str, role: Role, text: &str| {
        let label = styles.span(Role::Muted, format!(" {label}"));
        lines.extend(labelled_with(styles, label, INDENT, role, text, width));
    };
    add("when", Role::Text, &format!("{} by {}", date_time(event.at), event.by));
    add("what", weight(&event.fact).0, &sentence);
    for (label, text) in particulars(&event.fact, &view.model.plan) {
        add(label, Role::Text, &text);
    }
    let evidence = frozen(&event.fact);
    if !evidence.is_empty() {
        lines.push(Line::from(styles.span(Role::Muted, " as it was on the screen then:")));
    }
    lines.extend(evidence.iter().map(|evidence| frozen_line(view, evidence)));
    lines
}

/// What an event carries besides its sentence.
fn particulars(fact: &Fact, plan: &Plan) -> Vec<(&'static str, String)> {
    let losses = |losses: &[LossEstimate]| -> Vec<(&'static str, String)> {
        losses.iter().map(|loss| ("loss", format!("{} ({})", loss.sentence(), loss.basis))).collect()
    };
    match fact {
        Fact::StepPrepared { confirmation } => {
            let description = &confirmation.description;
            let mut found =
                vec![("call", description.call.clone()), ("command", description.command.clone())];
            found.extend(confirmation.guards.iter().map(|guard| ("guard", guard_sentence(guard))));
            found.extend(losses(&confirmation.losses));
            found
        }
        Fact::GuardOverridden { condition, losses: lost, .. } => {
            let mut found = vec![("guard", condition.clone())];
            found.extend(losses(lost));
            found
        }
        Fact::StepPreparationFailed { failure, manual, .. } => {
            let mut found = vec![("next", failure.next.clone())];
            found.extend(manual.instructions.iter().map(|instruction| ("by hand", instruction.clone())));
            found
        }
        Fact::StepFinished { outcome: Outcome::Failed(failure), .. }
        | Fact::StepVerificationFailed { failure, .. } => {
            vec![("next", failure.next.clone())]
        }
        Fact::QuestionAnswered { answer, .. } => {
            let suggested = answer.suggested.as_deref().unwrap_or("nothing");
            vec![("suggested", suggested.to_owned())]
        }
        Fact::IncidentDeclared { detected_at, .. } => vec![("detected", date_time(*detected_at))],
        Fact::EngineStarted { plan: digest, .. } => {
            let same = if *digest == plan.digest { "the plan of this console" } else { "ANOTHER PLAN" };
            vec![("plan", format!("{digest} ({same})"))]
        }
        _ => Vec::new(),
    }
}

fn guard_sentence(guard: &GuardResult) -> String {
    let condition = &guard.condition;
    let truth = match &guard.truth {
        Truth::True => format!("{condition} holds"),
        Truth::False => format!("{condition} does not hold"),
        Truth::Unknown(why) => format!("{condition} cannot be told ({why})"),
    };
    let reason = guard.overridden.as_deref();
    reason.map_or_else(|| truth.clone(), |reason| format!("{truth}, overridden: {reason}"))
}

fn frozen(fact: &Fact) -> &[Evidence] {
    match fact {
        Fact::QuestionAnswered { answer, .. } => &answer.evidence,
        Fact::StepPrepared { confirmation } => &confirmation.evidence,
        _ => &[],
    }
}

fn frozen_line(view: &View<'_>, evidence: &Evidence) -> Line<'static> {
    let styles = &view.styles;
    let state = crate::console::widgets::state_cell(styles, super::words::signal(evidence.state));
    let value = if evidence.value.is_empty() { "no value" } else { &evidence.value };
    let measured = evidence.measured_at.map_or_else(|| "never measured".to_owned(), clock_time);
    let bounds =
        if evidence.threshold.is_empty() { String::new() } else { format!(" ({})", evidence.threshold) };
    let text = format!(" {}: {value}{bounds} at {measured}; {}", evidence.title, evidence.summary);
    Line::from(vec![
        Span::raw("   "),
        Span::styled(state.content, state.style),
        styles.span(Role::Text, cleaned(&text)),
    ])
}
