//! Rows of cells that are cut to their width, with a mark where text was lost.

use ratatui::text::{Line, Span};
use unicode_truncate::UnicodeTruncateStr;
use unicode_width::UnicodeWidthStr;

use super::Styles;
use crate::console::glyphs::Glyph;

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// So many cells.
    Fixed(u16),
    /// A share of what the fixed columns leave, in proportion to the other shares.
    Share(u16),
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// How wide it is.
    pub width: Width,
    /// Numbers stand at the right.
    pub right: bool,
}

/// From this width on a column of titles is as wide as they need: what belongs to a title stands beside it.
const WIDE: u16 = 150;

/// The column of titles in a table of so many cells.
pub fn title_column<'t>(width: u16, titles: impl Iterator<Item = &'t str>) -> Column {
    let longest = if width < WIDE { None } else { titles.map(UnicodeWidthStr::width).max() };
    let needed = longest.and_then(|cells| u16::try_from(cells + 1).ok()).filter(|cells| *cells < width / 3);
    Column { width: needed.map_or(Width::Share(1), Width::Fixed), right: false }
}

/// Text cut to `width` cells, with the ellipsis glyph in the last when something was lost, which is noted.
pub fn fit(styles: &Styles<'_>, text: &str, width: usize) -> String {
    let fitting = shortened(styles, text, width);
    if fitting != text {
        styles.note_cut(&fitting, text);
    }
    fitting
}

fn shortened(styles: &Styles<'_>, text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let (kept, _) = text.unicode_truncate(room);
    format!("{kept}{}", styles.glyph(Glyph::Ellipsis))
}

/// As [`fit`], but the end is kept: for paths and host names, whose end tells them apart.
pub fn fit_start(styles: &Styles<'_>, text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let (kept, _) = text.unicode_truncate_start(room);
    let fitting = format!("{}{kept}", styles.glyph(Glyph::Ellipsis));
    styles.note_cut(&fitting, text);
    fitting
}

/// One row: each cell cut and padded to its column, one cell of space between columns.
pub fn row_line<'c>(styles: &Styles<'_>, columns: &[Column], cells: &[Span<'c>], width: u16) -> Line<'c> {
    let mut line = Line::default();
    for (index, (cells_wide, (column, cell))) in
        widths(columns, width).into_iter().zip(columns.iter().zip(cells)).enumerate()
    {
        if index > 0 {
            line.push_span(Span::raw(" "));
        }
        let text = shortened(styles, &cell.content, cells_wide);
        if text != cell.content {
            // A piece alone would not say of what it is.
            styles.note_cut(&text, &whole(cells));
        }
        let padding = " ".repeat(cells_wide - text.width());
        let text = if column.right { padding + &text } else { text + &padding };
        line.push_span(Span::styled(text, cell.style));
    }
    line
}

/// The cells of a row that say something, one after the other.
fn whole(cells: &[Span<'_>]) -> String {
    let texts = cells.iter().map(|cell| cell.content.trim()).filter(|text| text.width() > 1);
    texts.collect::<Vec<_>>().join(", ")
}

/// The width of each column in a row of `total` cells; what division leaves over goes to the first shares.
fn widths(columns: &[Column], total: u16) -> Vec<usize> {
    let spaces = columns.len().saturating_sub(1);
    let mut left = usize::from(total).saturating_sub(spaces);
    let mut result = vec![0; columns.len()];
    for (slot, column) in result.iter_mut().zip(columns) {
        if let Width::Fixed(cells) = column.width {
            *slot = usize::from(cells).min(left);
            left -= *slot;
        }
    }
    let shares: usize = columns.iter().map(share).sum();
    let mut spare = left - columns.iter().map(|c| left * share(c) / shares.max(1)).sum::<usize>();
    for (slot, column) in result.iter_mut().zip(columns).filter(|(_, column)| share(column) > 0) {
        let extra = spare.min(1);
        spare -= extra;
        *slot = left * share(column) / shares + extra;
    }
    result
}

fn share(column: &Column) -> usize {
    match column.width {
        Width::Fixed(_) => 0,
        Width::Share(share) => usize::from(share),
    }
}

/// Text broken at spaces into lines of at most `width` cells; a longer word is broken inside.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        if used > 0 && used + 1 + word.width() <= width {
            used += 1 + word.width();
            if let Some(line) = lines.last_mut() {
                line.push(' ');
                line.push_str(word);
            }
            continue;
        }
        if used > 0 {
            lines.push(String::new());
        }
        let mut rest = word;
        loop {
            let at_least = rest.chars().next().map_or(0, char::len_utf8);
            let cut = rest.unicode_truncate(width).0.len().max(at_least);
            let (part, after) = rest.split_at(cut);
            if let Some(line) = lines.last_mut() {
                line.push_str(part);
            }
            used = part.width();
            rest = after;
            if rest.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines
}
