//! The header where there is little room: how bad it is and since when stays whole, then who knows, then the clocks.

use super::{
    RPO, RTO, alarms, console_line, how_bad, objectives_line, rpo, rto, terse, two_sided, what, who_knows,
};
use crate::console::screens::{ROOMY, View};
use crate::console::theme::Role;
use crate::console::widgets::fit;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// From this many rows on there is one for who sits here and which screens there are.
const WITH_CONSOLE: u16 = 18;
/// Of so many rows of the terminal one may be an alarm.
const ROWS_OF_AN_ALARM: u16 = 5;
/// Cells that a screen's name needs beside who sits here.
const WITH_SCREENS: u16 = 60;

/// The lines of the header.
pub fn lines(view: &View<'_>, terminal: Rect) -> Vec<Line<'static>> {
    let width = terminal.width;
    let mut lines = title(view, width);
    lines.extend(objectives(view, width));
    if terminal.height >= WITH_CONSOLE && width >= WITH_SCREENS {
        lines.push(console_line(view, width));
    }
    if terminal.height >= ROOMY.1 {
        lines.extend(alarms::lines(view, width));
    } else {
        let rows = usize::from((terminal.height / ROWS_OF_AN_ALARM).max(1));
        lines.extend(alarms::in_rows(view, width, rows));
    }
    lines
}

/// How bad it is, with who knows beside it or below it; what it is called has the rest of the room.
fn title(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let simulated =
        view.model.live.simulation.as_ref().map(|_| view.styles.span(Role::Simulated, " SIMULATED "));
    let cells = |spans: &[Span<'static>]| spans.iter().map(Span::width).sum::<usize>();
    let (bad, who) = (how_bad(view), who_knows(view));
    let beside: Vec<Span<'static>> = who.iter().chain(&simulated).cloned().collect();
    let left = [bad.clone(), what(view)].concat();
    if cells(&bad) + cells(&beside) < usize::from(width) {
        return vec![two_sided(view, left, beside, width)];
    }
    let mut lines = vec![two_sided(view, left, simulated.into_iter().collect(), width)];
    lines.extend(who.map(|who| {
        let text = fit(&view.styles, &who.content, usize::from(width));
        Line::from(Span::styled(text, who.style))
    }));
    lines
}

/// The clocks in one line where they fit, in two where they do not.
fn objectives(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let line = objectives_line(view, width);
    let Some((role, text)) = rpo(view).filter(|_| line.width() > usize::from(width)) else {
        return vec![line];
    };
    let behind =
        |clock: Vec<Span<'static>>| Line::from([vec![styles.span(Role::Muted, RTO)], clock].concat());
    let clock = match behind(rto(view, width)) {
        long if long.width() > usize::from(width) => behind(terse(rto(view, width))),
        fits => fits,
    };
    vec![clock, Line::from(vec![styles.span(Role::Muted, RPO), styles.span(role, text)])]
}
