//! The seam between lines and cells: here text from outside becomes safe, text that the terminal cannot show
//! is replaced, and what does not fit is cut with a mark.

use super::View;
use crate::base::text::{Sieve, Taken, visible};
use crate::console::glyphs::{Glyph, Glyphs};
use crate::console::keymap::Action;
use crate::console::pages::{Pages, Stretch};
use crate::console::theme::Role;
use crate::console::widgets::{Styles, wrap};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

/// How much of a text from outside is looked at before it is wrapped: all that somebody reads in pages.
const WRAPPED_LIMIT_CHARS: usize = 20_000;
/// The same of one that stands in a cell, where the room cuts it: all that is shown of it elsewhere.
const CELL_LIMIT_CHARS: usize = 2_000;

/// A text from outside as it may stand in a cell.
pub fn cleaned(text: &str) -> String {
    crate::base::text::clean(text, CELL_LIMIT_CHARS)
}

/// Writes lines from the top of `area`; where there are more than it has rows, its last one ends with an ellipsis.
pub fn put(
    frame: &mut Frame<'_>,
    area: Rect,
    styles: &Styles<'_>,
    lines: impl IntoIterator<Item = Line<'static>>,
) {
    let area = area.intersection(frame.area());
    let mut lines = lines.into_iter();
    let mut last = None;
    for (row, line) in (area.y..area.bottom()).zip(lines.by_ref()) {
        let line = tidy(styles, line, area.width);
        frame.buffer_mut().set_line(area.x, row, &line, area.width);
        last = Some((row, line));
    }
    let rest: Vec<Line<'static>> = lines.filter(|line| line.width() > 0).collect();
    if let Some((row, mut line)) = last.filter(|_| !rest.is_empty()) {
        let whole = format!("{} {}", all_of(std::slice::from_ref(&line)), all_of(&rest));
        mark_cut(styles, &mut line, area.width, &whole);
        frame.buffer_mut().set_line(area.x, row, &line, area.width);
    }
}

/// The last look at a frame, whatever drew it: a cell keeps what may be shown of it.
pub fn sift(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.len() == 1 && !symbol.starts_with(|c: char| c.is_ascii_control()) {
            continue;
        }
        let mut sieve = Sieve::default();
        let kept: String = symbol.chars().filter(|c| sieve.take(*c) == Taken::Whole).collect();
        if kept != symbol {
            cell.set_symbol(if kept.is_empty() { "?" } else { &kept });
        }
    }
}

/// Writes lines, and marks the one at `selected` over the whole width.
pub fn put_list(
    frame: &mut Frame<'_>,
    area: Rect,
    styles: &Styles<'_>,
    lines: impl IntoIterator<Item = Line<'static>>,
    selected: Option<usize>,
) {
    put(frame, area, styles, lines);
    let row = selected.and_then(|row| u16::try_from(row).ok()).filter(|row| *row < area.height);
    if let Some(row) = row {
        let line = Rect { y: area.y + row, height: 1, ..area }.intersection(frame.area());
        frame.buffer_mut().set_style(line, styles.style(Role::Selection));
    }
}

/// A line whose text is safe, within the terminal's characters, and at most `width` cells wide.
pub fn tidy(styles: &Styles<'_>, line: Line<'static>, width: u16) -> Line<'static> {
    let plain = |c: char| c.is_ascii() && !c.is_ascii_control();
    let all_plain = line.spans.iter().all(|span| span.content.chars().all(plain));
    if all_plain && line.width() <= usize::from(width) {
        return line;
    }
    let whole = all_of(std::slice::from_ref(&line));
    let mut room = usize::from(width);
    let mut tidied = Line { style: line.style, alignment: line.alignment, spans: Vec::new() };
    for span in line.spans {
        let (text, fits) = tidy_text(styles, &span.content, room);
        room = room.saturating_sub(Span::raw(&text).width());
        tidied.push_span(Span::styled(text, span.style));
        if !fits {
            mark_cut(styles, &mut tidied, width, &whole);
            break;
        }
    }
    tidied
}

/// The text as far as it fits into `room` cells, and whether that was all of it.
fn tidy_text(styles: &Styles<'_>, text: &str, room: usize) -> (String, bool) {
    let mut tidied = String::with_capacity(text.len());
    let mut used = 0;
    // Marks without a width of their own are bounded too, or one cell could take a megabyte.
    for (count, character) in text.chars().enumerate() {
        let shown = shown(styles.glyphs, character);
        used += shown.width().unwrap_or(0);
        if used > room || count > room * 4 {
            return (tidied, false);
        }
        tidied.push(shown);
    }
    (tidied, true)
}

fn shown(glyphs: Glyphs, character: char) -> char {
    match (glyphs, visible(character)) {
        (Glyphs::Ascii, '…') => '~',
        (Glyphs::Ascii, '\u{fffd}') => '?',
        (Glyphs::Ascii, other) if !other.is_ascii() => '?',
        (_, other) => other,
    }
}

/// The text of lines, as one.
fn all_of(lines: &[Line<'_>]) -> String {
    let line = |line: &Line<'_>| line.spans.iter().map(|span| span.content.as_ref()).collect::<String>();
    lines.iter().map(line).collect::<Vec<_>>().join(" ")
}

/// Puts the ellipsis into the last cell of a line that was cut, and notes what is `whole`.
fn mark_cut(styles: &Styles<'_>, line: &mut Line<'static>, width: u16, whole: &str) {
    let width = usize::from(width);
    let style = line.spans.last().map_or(Style::new(), |span| span.style);
    while line.width() + 1 > width {
        let Some(last) = line.spans.last_mut() else { break };
        let mut text = std::mem::take(&mut last.content).into_owned();
        if text.pop().is_none() {
            line.spans.pop();
            continue;
        }
        last.content = text.into();
    }
    if width > 0 {
        line.push_span(Span::styled(styles.glyph(Glyph::Ellipsis), style));
        styles.note_cut(&all_of(std::slice::from_ref(line)), whole);
    }
}

/// A title on a line across the whole width.
pub fn rule(
    styles: &Styles<'_>,
    title: impl Into<String>,
    rest: impl Into<String>,
    width: u16,
) -> Line<'static> {
    let dash = styles.glyph(Glyph::TreeLine);
    let (title, rest) = (title.into(), rest.into());
    let mut line =
        Line::from(vec![styles.span(Role::Border, dash), styles.span(Role::Title, format!(" {title} "))]);
    if !rest.is_empty() {
        line.push_span(styles.span(Role::Muted, format!("{rest} ")));
    }
    let left = usize::from(width).saturating_sub(line.width());
    line.push_span(styles.span(Role::Border, dash.repeat(left)));
    line
}

/// Wrapped text behind a label: the first line carries the label, the others are indented to it.
pub fn labelled(styles: &Styles<'_>, label: &str, role: Role, text: &str, width: u16) -> Vec<Line<'static>> {
    labelled_with(styles, styles.span(Role::Muted, label.to_owned()), label.len() + 1, role, text, width)
}

/// As [`labelled`], with a label in a style of its own and the indent given in cells.
pub fn labelled_with(
    styles: &Styles<'_>,
    label: Span<'static>,
    indent: usize,
    role: Role,
    text: &str,
    width: u16,
) -> Vec<Line<'static>> {
    let room = usize::from(width).saturating_sub(indent).max(8);
    let wrapped = wrap(&crate::base::text::clean(text, WRAPPED_LIMIT_CHARS), room);
    let padding = " ".repeat(indent.saturating_sub(label.width()));
    let mut lines = Vec::with_capacity(wrapped.len());
    for (index, text) in wrapped.into_iter().enumerate() {
        let text = styles.span(role, text);
        lines.push(if index == 0 {
            Line::from(vec![label.clone(), Span::raw(padding.clone()), text])
        } else {
            Line::from(vec![Span::raw(" ".repeat(indent)), text])
        });
    }
    lines
}

/// The first `limit` lines, the last of them saying how many more there are.
pub fn limited(
    styles: &Styles<'_>,
    mut lines: Vec<Line<'static>>,
    limit: usize,
    what: &str,
) -> Vec<Line<'static>> {
    if lines.len() > limit {
        let kept = limit.saturating_sub(1);
        let more = lines.len() - kept;
        lines.truncate(kept);
        if limit > 0 {
            let glyph = styles.glyph(Glyph::More);
            lines.push(Line::from(styles.span(Role::Muted, format!("  {glyph} {more} more {what}"))));
        }
    }
    lines
}

/// The first `rows` lines; an ellipsis ends the last of them where there were more, which is noted.
pub fn cut(
    styles: &Styles<'_>,
    mut lines: Vec<Line<'static>>,
    rows: usize,
    width: u16,
) -> Vec<Line<'static>> {
    if lines.len() > rows {
        let whole = all_of(&lines);
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            mark_cut(styles, last, width, &whole);
        }
    }
    lines
}

/// What does not fit, read in pages: its begin as `begin` gives it, until a page is turned to.
///
/// The first page begins where `begin` leaves the text: what it shows in the order of the text is not shown again.
pub fn paged(
    view: &View<'_>,
    pages: &Pages,
    all: Vec<Line<'static>>,
    begin: Vec<Line<'static>>,
    room: usize,
) -> Vec<Line<'static>> {
    let count = all.len();
    if count <= room {
        return begin;
    }
    let Some(first) = pages.start(count) else {
        let end = begin.iter().zip(&all).take_while(|(shown, line)| shown == line).count();
        view.shown.note_text(Stretch { first: 0, end, all: count });
        return begin;
    };
    // Where there are two rows, the first says which lines follow.
    let rows = if room > 1 { room - 1 } else { room };
    let end = (first + rows).min(count);
    view.shown.note_text(Stretch { first, end, all: count });
    let heading = format!("ALL OF IT, lines {} to {end} of {count}", first + 1);
    let heading = Line::from(view.styles.span(Role::Accent, heading));
    let mut lines: Vec<Line<'static>> = (room > 1).then_some(heading).into_iter().collect();
    lines.extend(all.into_iter().skip(first).take(rows));
    lines.resize(room, Line::default());
    lines
}

/// Details in their room: their begin with the key that turns to the rest, or the page that was turned to.
pub fn detailed(view: &View<'_>, lines: Vec<Line<'static>>, room: usize) -> Vec<Line<'static>> {
    let begin = limited(&view.styles, lines.clone(), room, &shown_by(view, Action::PageDown));
    paged(view, &view.ui.pages, lines, begin, room)
}

/// How the rest of what was cut is read.
pub fn shown_by(view: &View<'_>, action: Action) -> String {
    format!("lines, {} shows them", view.key(action))
}
