//! Every backup of the plan, worst first, and all that is known of the selected one.

use super::View;
use super::list::{Filter, no_match, window};
use super::paint::{cleaned, detailed, labelled_with, put, put_list, rule};
use super::words::{brief, concern_role, date_time, signal};
use crate::base::ids::BackupId;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::theme::Role;
use crate::console::ui::Screen;
use crate::console::widgets::{Column, Width, row_line, state_cell};
use crate::core::ask::backup::{About, BackupStatus, change, standing};
use crate::core::model::Model;
use crate::core::words::signal::{SignalState, age};
use crate::plan::Backup;
use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows of the details, when there is room.
const DETAIL_ROWS: u16 = 14;
const INDENT: usize = 13;
/// An age is news for so long after it was read.
const NEWS: SignedDuration = SignedDuration::from_mins(1);
/// From this width on, there is room for how and where.
const WIDE: u16 = 110;

/// A row of the list.
pub struct Row<'m> {
    /// Its name in the plan.
    pub id: &'m BackupId,
    /// What the plan says of it.
    pub backup: &'m Backup,
    pub standing: BackupStatus,
}

/// The backups that the filter lets through: worst first, then as in the plan.
pub fn rows<'m>(model: &'m Model, filter: &str, now: Timestamp) -> Vec<Row<'m>> {
    let found = let_through(model, filter);
    let mut rows: Vec<Row<'m>> =
        found.map(|(id, backup)| Row { id, backup, standing: standing(model, backup, now) }).collect();
    rows.sort_by_key(|row| {
        let standing = &row.standing;
        std::cmp::Reverse((standing.worst().concern(), standing.state.concern(), standing.findings.len()))
    });
    rows
}

/// How many rows there are.
pub fn count(model: &Model, filter: &str) -> usize {
    let_through(model, filter).count()
}

fn let_through<'m>(model: &'m Model, filter: &str) -> impl Iterator<Item = (&'m BackupId, &'m Backup)> {
    let filter = Filter::new(filter);
    model.plan.backups.iter().filter(move |(id, backup)| {
        filter.lets(&[id.as_str(), &backup.title, &backup.method, &backup.location, backup.probe.as_str()])
    })
}

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let styles = &view.styles;
    let rows = rows(view.model, &view.ui.filter, view.now);
    put(frame, area, styles, [title(view, &rows, area.width), heads(view, area.width)]);
    let below = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    if rows.is_empty() {
        let none = " the plan names no backups: write `[backups.<name>]`";
        let line = match view.model.plan.backups.is_empty() {
            true => Line::from(styles.span(Role::Muted, none)),
            false => no_match(view),
        };
        return put(frame, below, styles, [line]);
    }
    let details = if view.ui.details { DETAIL_ROWS.min(below.height * 2 / 3) } else { 0 };
    let list = Rect { height: below.height - details, ..below };
    let selected = view.ui.cursor(Screen::Backups).selected.min(rows.len() - 1);
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

/// `BACKUPS 1 critical, 2 warn, 3 ok; 2 NEVER RESTORED`.
fn title(view: &View<'_>, rows: &[Row<'_>], width: u16) -> Line<'static> {
    let count = |state| rows.iter().filter(|row| row.standing.worst() == state).count();
    let states = [SignalState::Critical, SignalState::Unknown, SignalState::Warn, SignalState::Ok];
    let counts = states.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0);
    let mut words: Vec<String> = counts.map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    let never = rows.iter().filter(|row| row.standing.restored.is_none()).count();
    if never > 0 {
        words.push(format!("{never} NEVER RESTORED"));
    }
    if !view.ui.filter.is_empty() {
        let hidden = view.model.plan.backups.len() - rows.len();
        words.push(format!("filter \"{}\" hides {hidden}", view.ui.filter));
    }
    rule(&view.styles, "BACKUPS", cleaned(&words.join(", ")), width)
}

/// Marker, state, what, age, size, restored; on a wide terminal also encryption, retention, method and place.
fn columns(width: u16) -> Vec<Column> {
    let fixed = |width| Column { width: Width::Fixed(width), right: false };
    let share = |share| Column { width: Width::Share(share), right: false };
    if width >= WIDE {
        return vec![
            fixed(1),
            fixed(10),
            share(4),
            fixed(15),
            fixed(15),
            fixed(14),
            fixed(9),
            fixed(8),
            share(3),
            share(4),
        ];
    }
    vec![fixed(1), fixed(10), share(1), fixed(15), fixed(15), fixed(14)]
}

fn heads(view: &View<'_>, width: u16) -> Line<'static> {
    let names = ["", "STATE", "WHAT", "AGE OF", "SIZE", "RESTORED", "ENCRYPTED", "KEPT", "METHOD", "WHERE"];
    let cells: Vec<Span<'static>> = names.iter().map(|name| view.styles.span(Role::Title, *name)).collect();
    row_line(&view.styles, &columns(width), &cells, width)
}

fn line(view: &View<'_>, row: &Row<'_>, selected: bool, width: u16) -> Line<'static> {
    let (styles, backup, standing) = (&view.styles, row.backup, &row.standing);
    let side = |about| standing.finding(about).map(|finding| signal(finding.state).role());
    let cells = [
        styles.span(Role::Accent, if selected { styles.glyph(Glyph::Selected) } else { " " }),
        state_cell(styles, signal(standing.worst())),
        styles.span(Role::Text, cleaned(&backup.title)),
        styles.span(concern_role(standing.state), copy_age(view, row)),
        styles.span(side(About::Size).unwrap_or(Role::Text), size(standing)),
        styles.span(side(About::Restore).unwrap_or(Role::Muted), restored(standing)),
        styles.span(
            side(About::Encryption).unwrap_or(Role::Muted),
            cleaned(&encryption(backup, standing, false)),
        ),
        styles.span(Role::Muted, cleaned(&kept(backup))),
        styles.span(Role::Muted, cleaned(&backup.method)),
        styles.span(Role::Muted, cleaned(&backup.location)),
    ];
    row_line(styles, &columns(width), &cells, width)
}

/// `10 h of 26 h`, and that it was not seen for a while: the age goes on, and nobody knows of newer copies.
fn copy_age(view: &View<'_>, row: &Row<'_>) -> String {
    let standing = &row.standing;
    let Some(copy) = standing.age else { return "age unknown".into() };
    let limit = row.backup.max_age.map_or_else(String::new, |limit| format!(" of {}", brief(limit)));
    let mark = if unseen(view, row).is_some() { "?" } else { "" };
    format!("{}{mark}{limit}", brief(copy))
}

/// How long ago it was looked at, once that is longer than the probe should need.
fn unseen(view: &View<'_>, row: &Row<'_>) -> Option<jiff::SignedDuration> {
    let spec = view.model.plan.probes.get(&row.backup.probe)?;
    let ago = age(row.standing.measured_at?, view.now);
    (ago > spec.stale_after).then_some(ago)
}

/// `48.3 GB -62 %`.
fn size(standing: &BackupStatus) -> String {
    let Some(bytes) = standing.size_bytes else { return "not told".into() };
    match standing.previous_bytes {
        _ if bytes == 0 => "EMPTY".into(),
        Some(before) if standing.finding(About::Size).is_some() => {
            format!("{} {}", units::bytes(bytes), change(bytes as f64 / before as f64))
        }
        _ => units::bytes(bytes),
    }
}

fn restored(standing: &BackupStatus) -> String {
    standing.restored.map_or_else(|| "NEVER".into(), |ago| format!("{} ago", brief(ago)))
}

/// What the probe sees of it, and what the plan asks where that is another thing.
fn encryption(backup: &Backup, standing: &BackupStatus, whole: bool) -> String {
    let wanted = backup.encryption.as_deref();
    match (&standing.encryption, wanted) {
        (Some(is), Some(wanted)) if whole && standing.finding(About::Encryption).is_some() => {
            format!("{is}; the plan says {wanted}")
        }
        (Some(is), Some(_)) if standing.finding(About::Encryption).is_some() => format!("NOT: {is}"),
        (Some(is), _) => is.clone(),
        (None, Some(wanted)) if whole => format!("{wanted} by the plan; the probe does not tell"),
        (None, Some(_)) => "not seen".into(),
        (None, None) => "not told".into(),
    }
}

fn kept(backup: &Backup) -> String {
    match (backup.retention, backup.kept.as_str()) {
        (Some(time), "") => brief(time),
        (Some(time), kept) => format!("{}, {kept}", brief(time)),
        (None, "") => "not told".into(),
        (None, kept) => kept.to_owned(),
    }
}

/// All that is known of a backup.
fn detail(view: &View<'_>, row: &Row<'_>, width: u16) -> Vec<Line<'static>> {
    let (styles, backup, standing) = (&view.styles, row.backup, &row.standing);
    let mut lines = vec![rule(styles, &*backup.title, row.id.as_str(), width)];
    let mut add = |label: &str, role: Role, text: &str| {
        let label = styles.span(Role::Muted, format!(" {label}"));
        lines.extend(labelled_with(styles, label, INDENT, role, text, width));
    };
    let state = signal(standing.state);
    // An age in it goes on: when it was read tells what it is by now.
    let read = standing.measured_at.filter(|_| standing.state == SignalState::Ok);
    let read = read.map(|at| age(at, view.now)).filter(|ago| *ago >= NEWS);
    let read = read.map_or_else(String::new, |ago| format!(" when it was read, {} ago", units::age(ago)));
    add("state", state.role(), &format!("{}: {}{read}", standing.state.as_str(), standing.why));
    for finding in &standing.findings {
        add("wrong", signal(finding.state).role(), &finding.text);
    }
    let limit =
        backup.max_age.map_or("any age is allowed".into(), |limit| format!("allowed {}", brief(limit)));
    let copy =
        standing.age.map_or_else(|| "age not known".into(), |copy| format!("{} old", units::duration(copy)));
    let at = standing.age.and_then(|copy| view.now.checked_sub(copy).ok());
    let at = at.map_or_else(String::new, |at| format!(", made {}", date_time(at)));
    add("last good", Role::Text, &format!("{copy}, {limit}{at}"));
    let size = standing.size_bytes.map_or_else(|| "the probe does not tell".into(), units::bytes);
    let before = standing.previous_bytes.map(|before| format!(", usual is {}", units::bytes(before)));
    add("size", Role::Text, &format!("{size}{}", before.unwrap_or_default()));
    let due = backup.test_every.map(|every| format!(", due every {}", brief(every)));
    add("restored", Role::Text, &format!("{}{}", restored(standing), due.unwrap_or_default()));
    add("encrypted", Role::Text, &encryption(backup, standing, true));
    add("kept", Role::Text, &kept(backup));
    let often = if backup.frequency.is_empty() { String::new() } else { format!("{}, ", backup.frequency) };
    add("made", Role::Text, &format!("{often}{}, in {}", backup.method, backup.location));
    let seen = match (standing.measured_at, unseen(view, row)) {
        (Some(at), Some(ago)) => {
            format!("at {}, {} ago: newer copies would not have been seen", date_time(at), units::age(ago))
        }
        (Some(at), None) => format!("at {}", date_time(at)),
        (None, _) => "never by this engine".into(),
    };
    add("seen", Role::Text, &format!("{seen} (probe {})", backup.probe));
    lines
}
