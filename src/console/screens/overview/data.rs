//! What would be lost: replication with its history, and backups with their age.

use crate::base::ids::ProbeId;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::screens::View;
use crate::console::screens::paint::cleaned;
use crate::console::screens::words::{brief, ceiling, concern_role, old, signal};
use crate::console::theme::Role;
use crate::console::widgets::{Styles, fit, sparkline, state_cell};
use crate::core::ask::backup::{BackupStatus, standing};
use crate::core::ask::evidence::bounds;
use crate::core::ask::{evidence, names};
use crate::plan::kinds::Sees;
use crate::plan::{Backup, ProbeSpec};
use ratatui::text::{Line, Span};

const LABEL_WIDTH: usize = 8;
const TITLE_WIDTH: usize = 18;
const WIDEST_TITLE: usize = 30;
const SPARK_WIDTH: u16 = 11;
const WIDEST_SPARK: u16 = 20;
/// From this width on, titles and history are written longer, and backups with how and where.
const WIDE: u16 = 100;

/// Replication first, then the backups, worst first, in at most `room` lines.
pub fn lines(view: &View<'_>, width: u16, room: usize) -> Vec<Line<'static>> {
    let lags = lag_probes(view);
    let mut backups: Vec<(&Backup, BackupStatus)> =
        view.model.plan.backups.values().map(|b| (b, standing(view.model, b, view.now))).collect();
    backups.sort_by_key(|(_, standing)| std::cmp::Reverse(standing.state.concern()));
    let for_lags = lags.len().min(room.saturating_sub(usize::from(!backups.is_empty()))).min(room / 2 + 1);
    let mut lines: Vec<Line<'static>> =
        lags.iter().take(for_lags).map(|(id, spec)| lag(view, id, spec, width)).collect();
    let space = room - lines.len();
    let shown = if backups.len() > space { space.saturating_sub(1).max(1) } else { backups.len() };
    lines.extend(backups.iter().take(shown).map(|(backup, standing)| copy(view, backup, standing, width)));
    if backups.len() > shown && space > shown {
        lines.push(rest(&view.styles, &backups[shown..]));
    } else {
        count_hidden(view, lines.last_mut(), backups.len() - shown);
    }
    count_hidden(view, for_lags.checked_sub(1).and_then(|last| lines.get_mut(last)), lags.len() - for_lags);
    label(view, &mut lines, 0, for_lags, "LAG");
    label(view, &mut lines, for_lags, shown, "BACKUP");
    lines
}

/// Where there is no row to say it, the last line of a block says how many it leaves out.
fn count_hidden(view: &View<'_>, line: Option<&mut Line<'static>>, hidden: usize) {
    if let Some(line) = line.filter(|_| hidden > 0) {
        line.push_span(view.styles.span(Role::Muted, format!(", +{hidden} more")));
    }
}

/// The gutter: the first line of a block carries its name.
fn label(view: &View<'_>, lines: &mut [Line<'static>], from: usize, count: usize, name: &str) {
    for (place, line) in lines.iter_mut().skip(from).take(count.max(1)).enumerate() {
        let text = if place == 0 && count > 0 { format!(" {name:<7}") } else { " ".repeat(LABEL_WIDTH) };
        line.spans.insert(0, view.styles.span(Role::Title, text));
    }
}

/// Probes that the loss of a runbook that could be used now is told by, and other replication probes.
fn lag_probes<'a>(view: &View<'a>) -> Vec<(&'a ProbeId, &'a ProbeSpec)> {
    let plan = &view.model.plan;
    let tells = |id: &ProbeId| plan.runbooks.values().any(|runbook| runbook.loss.contains(id));
    let candidates = plan.probes.iter().filter(|(_, spec)| spec.sees == Sees::Standby);
    let mut found: Vec<_> = candidates.collect();
    let usable = plan.runbooks.values().filter(|runbook| evidence::leads_away(view.model, runbook));
    let others = usable.flat_map(|runbook| &runbook.loss);
    for (id, spec) in others.filter_map(|id| plan.probes.get_key_value(id)) {
        if !found.iter().any(|(known, _)| *known == id) {
            found.push((id, spec));
        }
    }
    found.sort_by_key(|(id, _)| (std::cmp::Reverse(view.model.state(id).concern()), !tells(id)));
    found
}

/// `✓ ok DR lag 14 s ▁▂▃▅█ warn 30 s, critical 60 s`.
fn lag(view: &View<'_>, id: &ProbeId, spec: &ProbeSpec, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let recent = view.model.live.recent.get(id);
    let measured = recent.and_then(|r| r.latest.as_ref()).and_then(|r| r.outcome.as_ref().ok());
    let state = signal(view.model.state(id));
    let title = cleaned(&names::title(view.model, spec));
    let mut line = Line::from(vec![
        cell(styles, state_cell(styles, state), 11),
        cell(styles, styles.span(Role::Text, title), title_width(width) + 1),
    ]);
    let Some(value) = measured.and_then(|measured| measured.value) else {
        // Why there is none takes the room of the value, and of its history where there is little.
        let room = usize::from(width).saturating_sub(LABEL_WIDTH + line.width());
        let why = fit(styles, &cleaned(&without_value(view, id, spec)), room);
        line.push_span(styles.span(state.role(), why));
        return line;
    };
    line.push_span(cell(styles, styles.span(state.role(), units::value(value, spec.unit)), 10));
    if let Some(old) = old(spec, recent, view.now) {
        line.push_span(styles.span(Role::Stale, format!("{old} ")));
    }
    let values: Vec<Option<f64>> =
        recent.map_or_else(Vec::new, |recent| recent.values.iter().copied().collect());
    let spark = if width >= WIDE { WIDEST_SPARK } else { SPARK_WIDTH };
    line.spans.extend(sparkline(styles, &values, ceiling(spec), spark).spans);
    let room = usize::from(width).saturating_sub(LABEL_WIDTH + line.width() + 1);
    // The whole bounds, or the one that matters most, or none: half a bound would mislead.
    let critical =
        spec.thresholds.critical.map(|bound| format!("critical {}", units::value(bound, spec.unit)));
    let fits = [Some(bounds(spec)), critical].into_iter().flatten().find(|text| text.len() <= room);
    line.push_span(styles.span(Role::Muted, format!(" {}", fits.unwrap_or_default())));
    line
}

/// What the header counts on with the clock, then why the lag cannot be told, as the list of signals says it.
fn without_value(view: &View<'_>, id: &ProbeId, spec: &ProbeSpec) -> String {
    let loss = evidence::loss(view.model, id, view.now).filter(|loss| loss.grows_from.is_some());
    let exposed = loss.and_then(|loss| loss.short()).map(|amount| format!("RPO {amount}"));
    // How old that is the header says as well.
    let first = exposed.or_else(|| old(spec, view.model.live.recent.get(id), view.now));
    first.into_iter().chain([view.model.why(id)]).collect::<Vec<_>>().join("; ")
}

fn title_width(width: u16) -> usize {
    if width >= WIDE { WIDEST_TITLE } else { TITLE_WIDTH }
}

fn cell(styles: &Styles<'_>, span: Span<'static>, width: usize) -> Span<'static> {
    let text = fit(styles, &span.content, width - 1);
    let padding = " ".repeat(width.saturating_sub(Span::raw(&text).width()));
    Span::styled(text + &padding, span.style)
}

/// `✘ critical PostgreSQL full 31 h of 26 h, 1.2 GB, tested 40 d ago`: age of the last good copy of what is
/// allowed, its size, and when a restore was last proven.
fn copy(view: &View<'_>, backup: &Backup, standing: &BackupStatus, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let state = signal(standing.state);
    let age = standing.age.map_or_else(|| "age unknown".to_owned(), brief);
    let allowed = backup.max_age.map_or_else(String::new, |limit| format!(" of {}", brief(limit)));
    let size = standing.size_bytes.map_or_else(String::new, |bytes| format!(", {}", units::bytes(bytes)));
    let test = restore_test(standing);
    let kept =
        if width >= WIDE { format!(", {} in {}", backup.method, backup.location) } else { String::new() };
    Line::from(vec![
        cell(styles, state_cell(styles, state), 11),
        cell(styles, styles.span(Role::Text, cleaned(&backup.title)), title_width(width) + 1),
        styles.span(concern_role(standing.state), format!("{age}{allowed}{size}, {test}{kept}")),
    ])
}

/// How long ago a restore was last proven.
fn restore_test(standing: &BackupStatus) -> String {
    standing.restored.map_or_else(|| "never tested".to_owned(), |ago| format!("tested {} ago", brief(ago)))
}

fn rest(styles: &Styles<'_>, hidden: &[(&Backup, BackupStatus)]) -> Line<'static> {
    let bad = hidden.iter().filter(|(_, standing)| standing.state.concern() > 0).count();
    let (role, words) = match bad {
        0 => (Role::Muted, "all ok".to_owned()),
        bad => (Role::Warn, format!("{bad} not ok")),
    };
    let glyph = styles.glyph(Glyph::More);
    Line::from(styles.span(role, format!("         {glyph} {} more: {words}", hidden.len())))
}
