//! The list of steps.

use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::screens::View;
use crate::console::screens::list::window;
use crate::console::screens::paint::{cleaned, put_list};
use crate::console::screens::words;
use crate::console::theme::Role;
use crate::console::widgets::{Column, State, Width, row_line, state_cell, title_column};
use crate::core::ask::attested::is_only_said;
use crate::core::model::Model;
use crate::core::words::incident::{Run, StepRun};
use crate::core::words::signal::age;
use crate::core::words::status::StepStatus;
use crate::plan::{ConfirmLevel, Runbook, Step};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// One line of the list.
enum Entry {
    NoReturn,
    Step(usize),
}

/// How many rows the whole list needs.
pub fn height(run: &Run, runbook: &Runbook) -> u16 {
    u16::try_from(entries(run, runbook).len()).unwrap_or(u16::MAX)
}

/// The steps, with the line before the first irreversible one.
fn entries(run: &Run, runbook: &Runbook) -> Vec<Entry> {
    let first = runbook.steps.values().position(|step| step.irreversible);
    let mut entries = Vec::with_capacity(run.steps.len() + 1);
    for place in 0..run.steps.len() {
        if Some(place) == first {
            entries.push(Entry::NoReturn);
        }
        entries.push(Entry::Step(place));
    }
    entries
}

/// Draws the part of the list around the selected step.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
    run: &Run,
    runbook: &Runbook,
    selected: usize,
) {
    let entries = entries(run, runbook);
    let place = entries.iter().position(|entry| matches!(entry, Entry::Step(step) if *step == selected));
    let place = place.unwrap_or(0);
    let shown = window(view, place, entries.len(), usize::from(area.height));
    let titles = title_column(area.width, runbook.steps.values().map(|step| step.title.as_str()));
    let lines: Vec<Line<'static>> = entries[shown.clone()]
        .iter()
        .map(|entry| match entry {
            Entry::NoReturn => no_return(view, area.width),
            Entry::Step(step) => line(view, run, runbook, *step, *step == selected, area.width, titles),
        })
        .collect();
    let mark = (!run.steps.is_empty()).then(|| place.saturating_sub(shown.start));
    put_list(frame, area, &view.styles, lines, mark);
    more(frame, area, view, shown.start, entries.len() - shown.end);
}

/// Marks at the right edge that the list goes on.
fn more(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, above: usize, below: usize) {
    let right = area.right().saturating_sub(1);
    for (count, glyph, row) in
        [(above, Glyph::Less, area.y), (below, Glyph::More, area.bottom().saturating_sub(1))]
    {
        if count > 0 && area.height > 0 && area.width > 0 {
            let styles = &view.styles;
            frame.buffer_mut().set_string(right, row, styles.glyph(glyph), styles.style(Role::Accent));
        }
    }
}

fn no_return(view: &View<'_>, width: u16) -> Line<'static> {
    let dash = view.styles.glyph(Glyph::NoReturn);
    let text = format!("{} POINT OF NO RETURN: what follows cannot be undone ", dash.repeat(3));
    let left = usize::from(width).saturating_sub(text.chars().count());
    Line::from(view.styles.span(Role::Danger, text + &dash.repeat(left)))
}

fn line(
    view: &View<'_>,
    run: &Run,
    runbook: &Runbook,
    place: usize,
    selected: bool,
    width: u16,
    titles: Column,
) -> Line<'static> {
    let styles = &view.styles;
    let Some((id, state)) = run.steps.get_index(place) else { return Line::default() };
    let plan = runbook.steps.get(id);
    let fixed = |width, right| Column { width: Width::Fixed(width), right };
    let columns =
        [fixed(1, false), fixed(2, true), fixed(12, false), titles, fixed(14, true), fixed(10, false)];
    let begun = !matches!(state.status, StepStatus::Pending | StepStatus::Ready | StepStatus::Confirming);
    let status = match run.ended.is_some() && !begun {
        true => words::marked(styles, State::Pending, "not run"),
        false => state_cell(styles, words::step(state)),
    };
    let title_role = if state.status.is_settled() { Role::Muted } else { Role::Text };
    let cells = [
        styles.span(Role::Accent, if selected { styles.glyph(Glyph::Selected) } else { " " }),
        styles.span(Role::Muted, (place + 1).to_string()),
        status,
        styles.span(title_role, cleaned(plan.map_or(id.as_str(), |step| &step.title))),
        styles.span(Role::Muted, time(view, plan, state)),
        styles.span(note_role(state), note(view.model, run, runbook, place, plan, state)),
    ];
    row_line(styles, &columns, &cells, width)
}

/// `0:12 of 5 min` once it runs, the estimate before.
fn time(view: &View<'_>, plan: Option<&Step>, state: &StepRun) -> String {
    let estimate = plan.and_then(|step| step.estimate);
    let Some(started) = state.started_at else { return estimate.map_or_else(String::new, words::about) };
    let end = if state.status == StepStatus::Started { view.now } else { state.ended_at.unwrap_or(view.now) };
    let took = units::clock(age(started, end));
    estimate.map_or_else(|| took.clone(), |estimate| format!("{took} of {}", units::age(estimate)))
}

fn note_role(state: &StepRun) -> Role {
    if state.obstacle.is_some() && !state.status.is_settled() { Role::Critical } else { Role::Muted }
}

/// The most telling of: an obstacle, an attempt, what it waits for, how it is confirmed.
fn note(
    model: &Model,
    run: &Run,
    runbook: &Runbook,
    place: usize,
    plan: Option<&Step>,
    state: &StepRun,
) -> String {
    let Some(step) = plan else { return String::new() };
    if state.obstacle.is_some() && !state.status.is_settled() {
        return "obstructed".to_owned();
    }
    if state.attempt > 1 {
        return format!("attempt {}", state.attempt);
    }
    let waits: Vec<String> = step
        .needs
        .iter()
        .filter(|need| run.steps.get(*need).is_some_and(|need| !need.status.is_settled()))
        .filter_map(|need| runbook.steps.get_index_of(need).map(|place| (place + 1).to_string()))
        .collect();
    match state.status {
        StepStatus::Pending if !waits.is_empty() => format!("after {}", waits.join(", ")),
        StepStatus::Ready | StepStatus::Confirming if !state.overrides.is_empty() => "overridden".to_owned(),
        StepStatus::Ready | StepStatus::Confirming if step.is_by_hand() => "by hand".to_owned(),
        StepStatus::Ready | StepStatus::Confirming => match step.confirm {
            ConfirmLevel::None => "by itself".to_owned(),
            ConfirmLevel::Yes => "one key".to_owned(),
            ConfirmLevel::Type => "typed".to_owned(),
        },
        StepStatus::Started if runs_beside(run, place) => "parallel".to_owned(),
        StepStatus::Attested if is_only_said(model, run, state) => "exercise".to_owned(),
        _ => String::new(),
    }
}

/// Whether another step is under way at the same time.
fn runs_beside(run: &Run, place: usize) -> bool {
    run.steps.values().enumerate().any(|(other, state)| other != place && state.status == StepStatus::Started)
}
