//! Whether a failover could be done now: what the last preflight found, and which drills are due.

use super::View;
use super::list::{Filter, no_match, window};
use super::paint::{cleaned, detailed, labelled_with, put, put_list, rule};
use super::words::{brief, date_time, marked};
use crate::base::ids::DrillId;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::keymap::Action;
use crate::console::theme::Role;
use crate::console::ui::Screen;
use crate::console::widgets::{Column, State, Width, fit, row_line};
use crate::core::ask::drill::{DrillStatus, standing};
use crate::core::model::Model;
use crate::core::words::preflight::{Check, Checked};
use crate::core::words::signal::age;
use crate::plan::Drill;
use crate::preflight::NOT_SEEN;
use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows of the details, when there is room.
const DETAIL_ROWS: u16 = 12;
const INDENT: usize = 11;
/// Results that are older say little of now.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// A row of the list.
pub enum Row<'m> {
    /// A drill of the plan.
    Drill {
        /// Its name.
        id: &'m DrillId,
        /// What the plan says of it.
        drill: &'m Drill,
    },
    /// A check of the last preflight.
    Check {
        /// What it belongs to (`full/promote`).
        of: String,
        check: &'m Check,
    },
}

/// Drills and checks that the filter lets through: worst first, drills before checks, then as in the plan.
pub fn rows<'m>(model: &'m Model, filter: &str, now: Timestamp) -> Vec<Row<'m>> {
    let mut rows: Vec<Row<'m>> = let_through(model, filter).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.concern(model, now)));
    rows
}

/// How many rows there are.
pub fn count(model: &Model, filter: &str) -> usize {
    let_through(model, filter).count()
}

fn let_through<'m>(model: &'m Model, filter: &str) -> impl Iterator<Item = Row<'m>> {
    let filter = Filter::new(filter);
    let drills = model.plan.drills.iter().map(|(id, drill)| Row::Drill { id, drill });
    let checks = model.live.preflight.iter().flat_map(|found| found.checks());
    drills.chain(checks.map(|(of, check)| Row::Check { of, check })).filter(move |row| match row {
        Row::Drill { id, drill } => filter.lets(&["drill", id.as_str(), &drill.title]),
        Row::Check { of, check } => filter.lets(&[of, &check.what, check.result.word(), check.result.seen()]),
    })
}

impl Row<'_> {
    fn concern(&self, model: &Model, now: Timestamp) -> u8 {
        match self {
            Self::Drill { drill, .. } if standing(model, drill, now).is_due() => {
                Checked::Warn(String::new()).concern()
            }
            Self::Drill { .. } => 0,
            Self::Check { check, .. } => check.result.concern(),
        }
    }
}

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let styles = &view.styles;
    let rows = rows(view.model, &view.ui.filter, view.now);
    put(frame, area, styles, [title(view, rows.len(), area.width), preflight(view, area.width)]);
    let below = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    if rows.is_empty() {
        let line = match view.ui.filter.is_empty() {
            true => Line::from(styles.span(Role::Muted, " the plan names no drills")),
            false => no_match(view),
        };
        return put(frame, below, styles, [line]);
    }
    let details = if view.ui.details { DETAIL_ROWS.min(below.height * 2 / 3) } else { 0 };
    let list = Rect { height: below.height - details, ..below };
    let selected = view.ui.cursor(Screen::Readiness).selected.min(rows.len() - 1);
    let shown = window(view, selected, rows.len(), usize::from(list.height));
    let lines: Vec<Line<'static>> =
        shown.clone().map(|place| line(view, &rows[place], place == selected, list.width)).collect();
    put_list(frame, list, styles, lines, Some(selected.saturating_sub(shown.start)));
    if details > 0 {
        let panel = Rect { y: list.bottom(), height: details, ..below };
        let lines = detailed(view, detail(view, &rows[selected], panel.width), usize::from(details));
        put(frame, panel, styles, lines);
    }
}

fn title(view: &View<'_>, shown: usize, width: u16) -> Line<'static> {
    let drills = view.model.plan.drills.values();
    let due = drills.filter(|drill| standing(view.model, drill, view.now).is_due()).count();
    let mut rest = format!("{due} of {} drills due", view.model.plan.drills.len());
    if !view.ui.filter.is_empty() {
        let hidden = count(view.model, "").saturating_sub(shown);
        rest.push_str(&format!(", filter \"{}\" hides {hidden}", view.ui.filter));
    }
    rule(&view.styles, "READINESS", cleaned(&rest), width)
}

/// When the last preflight ran and what it came to, or how to run one.
fn preflight(view: &View<'_>, width: u16) -> Line<'static> {
    let (role, glyph, text) = preflight_words(view);
    let text = format!(" {} {text}", view.styles.glyph(glyph));
    Line::from(view.styles.span(role, fit(&view.styles, &cleaned(&text), usize::from(width))))
}

fn preflight_words(view: &View<'_>) -> (Role, Glyph, String) {
    let (live, key) = (&view.model.live, view.key(Action::RunPreflight));
    if let Some((since, by)) = &live.preflighting {
        let since = units::age(age(*since, view.now));
        return (
            Role::Running,
            Glyph::Running,
            format!("preflight under way for {since}, asked for by {by}"),
        );
    }
    let Some(found) = &live.preflight else {
        let text = match &view.model.durable.preflight {
            Some((at, tally)) => format!(
                "preflight {} ago: {tally}; details went with the engine's end, {key} runs it again",
                units::age(age(*at, view.now))
            ),
            None => format!("no preflight was ever run: {key} runs it"),
        };
        return (Role::Warn, Glyph::Unknown, text);
    };
    let (ago, tally) = (age(found.at, view.now), found.tally());
    let world = if found.simulated.is_some() { "SIMULATED preflight" } else { "preflight" };
    let text = format!("{world} {} ago: {tally}", units::age(ago));
    match tally {
        tally if tally.fail > 0 => (Role::Critical, Glyph::Failed, text),
        _ if found.simulated.is_some() => (Role::Simulated, Glyph::Unknown, text),
        _ if ago > OLD => (Role::Stale, Glyph::Warn, format!("{text}; {key} runs it again")),
        tally if tally.warn > 0 => (Role::Warn, Glyph::Warn, text),
        _ => (Role::Ok, Glyph::Ok, text),
    }
}

fn line(view: &View<'_>, row: &Row<'_>, selected: bool, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let fixed = |width| Column { width: Width::Fixed(width), right: false };
    let share = |share| Column { width: Width::Share(share), right: false };
    let columns = [fixed(1), fixed(15), share(3), share(3), share(6)];
    let (state, of, what, seen) = match row {
        Row::Drill { drill, .. } => {
            let standing = standing(view.model, drill, view.now);
            (
                drill_state(view, standing),
                "drill".to_owned(),
                cleaned(&drill.title),
                drill_words(standing, drill),
            )
        }
        Row::Check { of, check } => {
            (check_state(view, check), cleaned(of), cleaned(&check.what), cleaned(check.result.seen()))
        }
    };
    let role = state.style;
    let cells = [
        styles.span(Role::Accent, if selected { styles.glyph(Glyph::Selected) } else { " " }),
        state,
        styles.span(Role::Text, of),
        styles.span(Role::Text, what),
        Span::styled(seen, role),
    ];
    row_line(styles, &columns, &cells, width)
}

fn check_state(view: &View<'_>, check: &Check) -> Span<'static> {
    let state = match check.result {
        Checked::Pass(_) => State::Ok,
        Checked::Warn(_) => State::Warn,
        Checked::Fail(_) => State::Failed,
        Checked::NotCheckable(_) => State::Unknown,
    };
    marked(&view.styles, state, check.result.word())
}

fn drill_state(view: &View<'_>, standing: DrillStatus) -> Span<'static> {
    match standing.is_due() {
        true => marked(&view.styles, State::Warn, "due"),
        false => marked(&view.styles, State::Ok, "done"),
    }
}

/// `4 d ago, every 90 d, due in 86 d`.
fn drill_words(standing: DrillStatus, drill: &Drill) -> String {
    let every = brief(drill.every);
    match standing.done {
        None => format!("NEVER done, due every {every}"),
        Some(ago) if standing.is_due() => {
            format!("{} ago, every {every}: {} OVERDUE", brief(ago), brief(standing.due_in.abs()))
        }
        Some(ago) => format!("{} ago, every {every}, due in {}", brief(ago), brief(standing.due_in)),
    }
}

fn detail(view: &View<'_>, row: &Row<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let mut lines = Vec::new();
    let add = |lines: &mut Vec<Line<'static>>, label: &str, role: Role, text: &str| {
        let label = styles.span(Role::Muted, format!(" {label}"));
        lines.extend(labelled_with(styles, label, INDENT, role, text, width));
    };
    match row {
        Row::Drill { id, drill } => {
            let standing = standing(view.model, drill, view.now);
            lines.push(rule(styles, &*drill.title, id.as_str(), width));
            add(&mut lines, "done", Role::Text, &drill_words(standing, drill));
            let at = standing.done.and_then(|ago| view.now.checked_sub(ago).ok());
            if let Some(at) = at {
                add(&mut lines, "last", Role::Text, &date_time(at));
            }
            let runbook = drill.runbook.as_ref().map_or("none of the plan's", |runbook| runbook.as_str());
            add(&mut lines, "runbook", Role::Text, runbook);
            let next = "Declare an incident as a drill and run it to its end: that counts by itself. For one that \
                        was done elsewhere write `last` into the plan.";
            add(&mut lines, "next", Role::Muted, next);
        }
        Row::Check { of, check } => {
            lines.push(rule(styles, of.as_str(), cleaned(&check.what), width));
            add(&mut lines, check.result.word(), Role::Text, check.result.seen());
            if !check.next.is_empty() {
                add(&mut lines, "next", Role::Accent, &check.next);
            }
            for not_seen in NOT_SEEN {
                add(&mut lines, "not seen", Role::Muted, not_seen);
            }
        }
    }
    lines
}
