//! The list of signals, worst first, and the whole evidence of the selected one.

use crate::base::ids::ProbeId;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::keymap::Action;
use crate::console::screens::View;
use crate::console::screens::list::{Filter, no_match, window};
use crate::console::screens::paint::{cleaned, detailed, labelled, put, put_list, rule};
use crate::console::screens::words::{
    ceiling, concern_role, date_time, evidence_age, lasting, marked, old, signal,
};
use crate::console::theme::Role;
use crate::console::ui::Screen;
use crate::console::widgets::{Column, State, Width, row_line, sparkline, state_cell, title_column};
use crate::core::ask::{evidence, names, servers};
use crate::core::model::Model;
use crate::core::words::reading::Field;
use crate::core::words::signal::{Signal, SignalState, failing};
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows of the details of a signal, when there is room.
const DETAIL_ROWS: u16 = 10;
const WIDE: u16 = 110;
const SPARK_WIDTH: u16 = 16;

/// A row of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row<'m> {
    /// The signal's probe.
    pub probe: &'m ProbeId,
    pub state: SignalState,
    pub since: Timestamp,
}

/// The signals that the filter lets through: worst first, then those that turned first, then as in the plan.
pub fn rows<'m>(model: &'m Model, filter: &str) -> Vec<Row<'m>> {
    let mut found: Vec<Row<'m>> = let_through(model, filter)
        .map(|(probe, signal)| Row { probe, state: signal.state, since: signal.since })
        .collect();
    found.sort_by_key(|row| (std::cmp::Reverse(row.state.concern()), row.since));
    found
}

/// How many rows there are.
pub fn count(model: &Model, filter: &str) -> usize {
    let_through(model, filter).count()
}

fn let_through<'m>(model: &'m Model, filter: &str) -> impl Iterator<Item = (&'m ProbeId, &'m Signal)> {
    let filter = Filter::new(filter);
    model.durable.signals.iter().filter(move |(id, signal)| {
        // Thousands of rows are looked at in every frame, most of the time without a filter.
        if filter.is_empty() {
            return true;
        }
        let spec = model.plan.probes.get(*id);
        let title = spec.map_or("", |spec| &spec.title);
        let region = spec.and_then(|spec| spec.region.as_ref()).map_or("", |region| region.as_str());
        let kind = spec.map_or("", |spec| &spec.kind);
        filter.lets(&[id.as_str(), title, signal.state.as_str(), region, kind, &model.why(id)])
    })
}

/// Draws the list, and below it the details of the selected signal when they are asked for.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let rows = rows(view.model, &view.ui.filter);
    put(frame, area, &view.styles, [title(view, &rows, area.width)]);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let details = if view.ui.details { DETAIL_ROWS.min(below.height * 2 / 3) } else { 0 };
    let list = Rect { height: below.height.saturating_sub(details), ..below };
    let cursor = view.ui.cursor(Screen::Overview);
    let shown = window(view, cursor.selected, rows.len(), usize::from(list.height));
    let selected = cursor.selected.min(rows.len().saturating_sub(1));
    let titles = title_column(list.width, view.model.plan.probes.values().map(|spec| spec.title.as_str()));
    let lines = rows[shown.clone()]
        .iter()
        .enumerate()
        .map(|(place, row)| line(view, row, shown.start + place == selected, list.width, titles));
    let lines: Vec<Line<'static>> = lines.collect();
    if rows.is_empty() {
        put(frame, list, &view.styles, [no_match(view)]);
    }
    let marked = (!rows.is_empty()).then(|| selected.saturating_sub(shown.start));
    put_list(frame, list, &view.styles, lines, marked);
    if let Some(row) = rows.get(selected).filter(|_| details > 0) {
        let panel = Rect { y: list.bottom(), height: details, ..below };
        let lines = detailed(view, detail(view, row, panel.width), usize::from(panel.height));
        put(frame, panel, &view.styles, lines);
    }
}

/// `SIGNALS 3 critical, 1 unknown, 7 ok`, and what the filter hides.
fn title(view: &View<'_>, rows: &[Row<'_>], width: u16) -> Line<'static> {
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    let states = [SignalState::Critical, SignalState::Unknown, SignalState::Warn, SignalState::Ok];
    let counts: Vec<String> = states
        .into_iter()
        .map(|state| (state, count(state)))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{count} {}", state.as_str()))
        .collect();
    let mut rest = counts.join(", ");
    if !view.ui.filter.is_empty() {
        let hidden = view.model.durable.signals.len() - rows.len();
        rest.push_str(&format!(
            " {} filter \"{}\" hides {hidden}",
            view.styles.glyph(Glyph::Separator),
            view.ui.filter
        ));
    }
    rule(&view.styles, "SIGNALS", cleaned(&rest), width)
}

fn line(view: &View<'_>, row: &Row<'_>, selected: bool, width: u16, titles: Column) -> Line<'static> {
    let styles = &view.styles;
    let model = view.model;
    let spec = model.plan.probes.get(row.probe);
    let recent = model.live.recent.get(row.probe);
    let why = model.why(row.probe);
    let measured = recent.and_then(|r| r.latest.as_ref()).and_then(|r| r.outcome.as_ref().ok());
    let value = measured.and_then(|m| m.value).zip(spec).map(|(v, spec)| units::value(v, spec.unit));
    let when = match spec.and_then(|spec| old(spec, recent, view.now)) {
        Some(old) => styles.span(Role::Stale, old),
        None => styles.span(Role::Muted, lasting(row.since, view.now)),
    };
    let failing = spec.zip(recent).and_then(|(spec, recent)| failing(spec, row.state, recent));
    let away = spec.and_then(|spec| servers::leads_to(model, spec));
    let state = match failing {
        Some(_) if row.state != SignalState::Unknown => State::Failing,
        _ => signal(row.state),
    };
    let title = match (spec, away) {
        // Beside it stands what it leads to.
        (Some(spec), Some(_)) => spec.title.clone(),
        (Some(spec), None) => names::title(view.model, spec),
        (None, _) => row.probe.to_string(),
    };
    let fixed = |width, right| Column { width: Width::Fixed(width), right };
    let mut columns = vec![
        fixed(1, false),
        fixed(10, false),
        titles,
        fixed(if width >= WIDE { 12 } else { 10 }, true),
        fixed(10, false),
    ];
    let mut cells = vec![
        styles.span(Role::Accent, if selected { styles.glyph(Glyph::Selected) } else { " " }),
        match away.filter(|_| row.state == SignalState::Ok) {
            Some(_) => marked(styles, State::Unknown, "moved"),
            None => state_cell(styles, state),
        },
        styles.span(Role::Text, cleaned(&title)),
        styles.span(state.role(), value.unwrap_or_default()),
        when,
    ];
    if width >= WIDE {
        let values: Vec<Option<f64>> =
            recent.map_or_else(Vec::new, |recent| recent.values.iter().copied().collect());
        let history: String = sparkline(styles, &values, spec.map_or(0.0, ceiling), SPARK_WIDTH)
            .spans
            .iter()
            .map(|span| span.content.as_ref())
            .collect();
        let history = if values.iter().any(Option::is_some) { history } else { String::new() };
        columns.push(fixed(SPARK_WIDTH, false));
        cells.push(styles.span(Role::Sparkline, history));
    }
    columns.push(Column { width: Width::Share(1), right: false });
    let why = if width >= WIDE { &why } else { without_address(&why) };
    let why = match away {
        Some(other) => format!("leads to {} now: {why}", other.title),
        None => why.to_owned(),
    };
    cells.push(styles.span(concern_role(row.state), cleaned(&why)));
    row_line(styles, &columns, &cells, width)
}

/// `connection refused` of `db.example:5432: connection refused`: where there is little room, what is wrong says
/// more than where, which the title says already.
fn without_address(why: &str) -> &str {
    match why.split_once(": ") {
        Some((head, tail)) if !head.contains(' ') && head.contains(':') => tail,
        _ => why,
    }
}

/// Everything that is known of a signal.
fn detail(view: &View<'_>, row: &Row<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let Some(frozen) = evidence::freeze(view.model, row.probe) else { return Vec::new() };
    let mut lines = vec![rule(styles, cleaned(&frozen.title), row.probe.to_string(), width)];
    let recent = view.model.live.recent.get(row.probe);
    let latest = recent.and_then(|recent| recent.latest.as_ref());
    let why = view.model.why(row.probe);
    let since = match lasting(row.since, view.now) {
        never if never.is_empty() => "never measured".to_owned(),
        lasting => format!("since {} ({lasting})", date_time(row.since)),
    };
    let state = signal(row.state);
    let glyph = state_cell(styles, state);
    lines.push(Line::from(vec![
        Span::raw("           "),
        glyph,
        styles.span(Role::Muted, format!(" {since}")),
    ]));
    let mut add = |label: &str, role: Role, text: &str| {
        if !text.is_empty() {
            lines.extend(labelled(styles, &format!(" {label:<9}"), role, text, width));
        }
    };
    let value = if frozen.value.is_empty() { "no value".to_owned() } else { frozen.value.clone() };
    let bounds = if frozen.threshold.is_empty() { "no bounds".to_owned() } else { frozen.threshold.clone() };
    add("value", Role::Text, &format!("{value}, {} ({bounds})", evidence_age(&frozen, view.now)));
    add("why", concern_role(row.state), &why);
    if frozen.summary != why {
        add("latest", Role::Text, &frozen.summary);
    }
    if let Some(Err(failure)) = latest.map(|reading| &reading.outcome) {
        add("next", Role::Accent, &failure.next);
    }
    if let Some(Ok(measured)) = latest.map(|reading| &reading.outcome) {
        let fields: Vec<String> = measured.fields.iter().map(|(name, value)| field(name, value)).collect();
        add("read", Role::Muted, &fields.join("  "));
    }
    let source = match (view.model.plan.probes.get(row.probe), latest) {
        (Some(spec), Some(reading)) => format!(
            "{}, every {}, last took {}",
            frozen.source,
            units::age(spec.every),
            units::duration(reading.took)
        ),
        (Some(spec), None) => format!("{}, every {}", frozen.source, units::age(spec.every)),
        _ => frozen.source.clone(),
    };
    add("source", Role::Muted, &source);
    if view.model.plan.probes.get(row.probe).is_some_and(|spec| spec.sees.has_diagnosis()) {
        add("more", Role::Accent, &format!("{} reads what is behind it", view.key(Action::Diagnose)));
    }
    lines
}

/// `receive_lag_bytes=3200000`.
fn field(name: &str, value: &Field) -> String {
    match value {
        Field::Number(number) => format!("{name}={number}"),
        Field::Text(text) => format!("{name}={text}"),
        Field::Flag(flag) => format!("{name}={flag}"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_address;

    #[test]
    fn what_is_wrong_comes_before_where() {
        assert_eq!(without_address("db.example:5432: connection refused"), "connection refused");
        assert_eq!(without_address("https://a.example/: timed out: 2 s"), "timed out: 2 s");
        assert_eq!(
            without_address("no answer: the connection timed out"),
            "no answer: the connection timed out"
        );
        assert_eq!(without_address("role: standby"), "role: standby");
    }
}
