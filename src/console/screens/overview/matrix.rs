//! Regions by services.

use crate::base::ids::{ProbeId, RegionId, ServiceId};
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::screens::View;
use crate::console::screens::paint::cleaned;
use crate::console::screens::words::{brief, lasting, marked, status_cell};
use crate::console::theme::Role;
use crate::console::widgets::{Column, State, Width, row_line};
use crate::core::ask::contradiction::{self, Kind, Open};
use crate::core::ask::objectives::service_clock;
use crate::core::ask::{placement, servers, standing};
use crate::core::model::Status;
use crate::plan::Service;
use ratatui::text::{Line, Span};

/// The worst service, and how many more there are.
const LEAST_ROWS: usize = 2;
const CELL_WIDTH: u16 = 15;
const WIDEST_CELL: u16 = 22;
const CLOCK_WIDTH: u16 = 15;
const NAME_WIDTH: u16 = 18;
const WIDEST_NAME: u16 = 30;
/// From this width on, names are written longer.
const WIDE: u16 = 100;
const TARGET_WIDTH: u16 = 7;

/// The table in at most `room` lines. Services that do not work are never the ones that are left out, and where there is
/// hardly any room the heads give way to them.
pub fn lines(view: &View<'_>, width: u16, room: usize) -> Vec<Line<'static>> {
    let mut shown = services(view);
    let mut lines = vec![head(view, width), regions(view, width)];
    lines.truncate(room.saturating_sub(shown.len().min(LEAST_ROWS)));
    let space = room.saturating_sub(lines.len());
    let hidden: Vec<_> = if shown.len() > space {
        shown.sort_by_key(|(place, id, service)| (well(view, id), service.tier, *place));
        shown.split_off(space.saturating_sub(1))
    } else {
        Vec::new()
    };
    shown.sort_by_key(|(place, _, service)| (service.tier, *place));
    lines.extend(shown.iter().map(|(_, id, service)| row(view, id, service, width)));
    if !hidden.is_empty() {
        lines.push(rest(view, &hidden));
    }
    lines.truncate(room);
    lines
}

type Placed<'a> = (usize, &'a ServiceId, &'a Service);

fn services<'a>(view: &View<'a>) -> Vec<Placed<'a>> {
    view.model.plan.services.iter().enumerate().map(|(place, (id, service))| (place, id, service)).collect()
}

fn status(view: &View<'_>, id: &ServiceId) -> Status {
    view.model.durable.services.get(id).map_or(Status::Unknown, |standing| standing.status)
}

fn well(view: &View<'_>, id: &ServiceId) -> bool {
    status(view, id) == Status::Up
}

/// `+ 5 more services: 3 up, 2 unknown`.
fn rest(view: &View<'_>, hidden: &[Placed<'_>]) -> Line<'static> {
    let count = |wanted| hidden.iter().filter(|(_, id, _)| status(view, id) == wanted).count();
    let parts =
        [Status::Down, Status::Unknown, Status::Degraded, Status::Up].map(|wanted| (wanted, count(wanted)));
    let known: Vec<String> = parts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {}", status.as_str()))
        .collect();
    let all_up = hidden.iter().all(|(_, id, _)| well(view, id));
    let role = if all_up { Role::Muted } else { Role::Warn };
    let glyph = view.styles.glyph(Glyph::More);
    let noun = if hidden.len() == 1 { "service" } else { "services" };
    Line::from(
        view.styles.span(role, format!("   {glyph} {} more {noun}: {}", hidden.len(), known.join(", "))),
    )
}

/// Tier, name, target, one cell for each region that there is room for, and the clock.
fn columns(view: &View<'_>, width: u16) -> (Vec<Column>, usize) {
    let fixed = |width| Column { width: Width::Fixed(width), right: false };
    let name = if width >= WIDE { WIDEST_NAME } else { NAME_WIDTH };
    let taken = 3 + 1 + name + 1 + TARGET_WIDTH + 1 + CLOCK_WIDTH;
    let free = width.saturating_sub(taken);
    let possible = usize::from(free / (CELL_WIDTH + 1)).max(1);
    let regions = view.model.plan.regions.len().min(possible);
    let each = free.checked_div(u16::try_from(regions).unwrap_or(u16::MAX)).unwrap_or(0);
    let cell = each.saturating_sub(1).min(WIDEST_CELL);
    let mut columns = vec![fixed(3), fixed(name), fixed(TARGET_WIDTH)];
    columns.extend((0..regions).map(|_| fixed(cell)));
    columns.push(fixed(CLOCK_WIDTH));
    (columns, regions)
}

fn head(view: &View<'_>, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let (columns, shown) = columns(view, width);
    let muted = |text: &str| styles.span(Role::Muted, text.to_owned());
    let mut cells = vec![muted("  T"), styles.span(Role::Title, "SERVICE"), muted("RTO")];
    for (id, region) in view.model.plan.regions.iter().take(shown) {
        let name = cleaned(&region.name);
        cells.push(match serves(view, id) {
            true => styles.span(Role::Accent, format!("{} {name}", styles.glyph(Glyph::Live))),
            false => styles.span(Role::Title, name),
        });
    }
    let hidden = view.model.plan.regions.len() - shown;
    cells.push(match hidden {
        0 => muted("RTO CLOCK"),
        hidden => styles.span(Role::Warn, format!("+{}", units::counted(hidden, "region"))),
    });
    row_line(styles, &columns, &cells, width)
}

fn serves(view: &View<'_>, id: &RegionId) -> bool {
    view.model.serving() == Some(id)
}

fn regions(view: &View<'_>, width: u16) -> Line<'static> {
    let (columns, shown) = columns(view, width);
    let active = view.model.serving().and_then(|id| view.model.plan.regions.get(id));
    let serves = active.map_or_else(
        || view.styles.span(Role::Unknown, "no active region"),
        |region| view.styles.span(Role::Accent, format!("active {}", cleaned(&region.name))),
    );
    let mut cells = vec![Span::raw(""), serves, view.styles.span(Role::Muted, "region")];
    for (id, standing) in view.model.durable.regions.iter().take(shown) {
        let wrong = contradiction::in_region(view.model, id);
        let probes = view.model.plan.regions.get(id).into_iter().flat_map(|region| &region.health);
        let cell = cell(view, standing.status, wrong, probes);
        let lasts = match standing.status {
            Status::Up => String::new(),
            _ if wrong.is_some() => String::new(),
            _ => lasting(standing.since, view.now).replacen("for", "", 1),
        };
        cells.push(Span::styled(format!("{}{lasts}", cell.content), cell.style));
    }
    cells.push(Span::raw(""));
    row_line(&view.styles, &columns, &cells, width)
}

fn row(view: &View<'_>, id: &ServiceId, service: &Service, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let (columns, shown) = columns(view, width);
    let name_role = if well(view, id) { Role::Text } else { Role::Accent };
    let mut cells = vec![
        styles.span(Role::Muted, format!("  {}", service.tier)),
        styles.span(name_role, cleaned(&service.title)),
        styles.span(Role::Muted, brief(service.rto)),
    ];
    let placed = placement::of(view.model, id).map(|placed| &placed.region);
    for region in view.model.plan.regions.keys().take(shown) {
        let status = standing::cell(view.model, service, region).map(|status| {
            let probes = || service.health.get(region).into_iter().flatten();
            cell(view, status, contradiction::on(view.model, probes()), probes())
        });
        let status = status.unwrap_or_else(|| styles.span(Role::Muted, "-"));
        // Only what is not where the head of the table says.
        cells.push(match placed.filter(|placed| *placed == region && !serves(view, region)) {
            Some(_) => {
                Span::styled(format!("{} {}", styles.glyph(Glyph::Live), status.content), status.style)
            }
            None => status,
        });
    }
    cells.push(clock(view, id));
    row_line(styles, &columns, &cells, width)
}

/// Whether the address of a probe leads to a server of another region.
fn leads_away(view: &View<'_>, probe: &ProbeId) -> bool {
    let spec = view.model.plan.probes.get(probe);
    spec.is_some_and(|spec| servers::leads_to(view.model, spec).is_some())
}

/// The status that some probes make; where it answers although it cannot be right, what is wrong instead.
fn cell<'p>(
    view: &View<'_>,
    status: Status,
    wrong: Option<&Open>,
    probes: impl IntoIterator<Item = &'p ProbeId>,
) -> Span<'static> {
    // A server in the wrong role counts as down, and takes writes all the same.
    let answers = |open: &&Open| {
        let writes = [Kind::TwoPrimaries, Kind::FencedWrites].contains(&open.contradiction.kind);
        writes || matches!(status, Status::Up | Status::Degraded)
    };
    match wrong.filter(answers) {
        Some(open) => marked(&view.styles, State::Critical, open.contradiction.word()),
        // What answers there is the server of another region: of its own nothing is seen.
        None if matches!(status, Status::Up) && probes.into_iter().any(|probe| leads_away(view, probe)) => {
            marked(&view.styles, State::Unknown, "unseen")
        }
        None => status_cell(&view.styles, status),
    }
}

/// What is left of the service's own clock.
fn clock(view: &View<'_>, id: &ServiceId) -> Span<'static> {
    let Some(clock) = service_clock(view.model, id, view.now) else { return Span::raw("") };
    let left = clock.left();
    let (role, glyph, words) = if left.is_negative() {
        (Role::Critical, Glyph::Critical, format!("over {}", units::clock(left)))
    } else if clock.elapsed * 4 >= clock.target * 3 {
        (Role::Warn, Glyph::Warn, format!("{} left", units::clock(left)))
    } else {
        (Role::Text, Glyph::Ok, format!("{} left", units::clock(left)))
    };
    view.styles.span(role, format!("{} {words}", view.styles.glyph(glyph)))
}
