//! History as one row of bars.

use ratatui::text::{Line, Span};

use super::Styles;
use crate::console::glyphs::Glyph;
use crate::console::theme::Role;

/// The last `width` values as bars between 0 and the largest of them, or `ceiling` where that is more: what stays far
/// below a bound stays flat, so that noise is no alarm. `None` is a gap and is drawn as one. Fewer values than `width`
/// stand at the right, where the present is.
pub fn sparkline(styles: &Styles<'_>, values: &[Option<f64>], ceiling: f64, width: u16) -> Line<'static> {
    let width = usize::from(width);
    let shown = &values[values.len().saturating_sub(width)..];
    let largest = shown.iter().flatten().copied().filter(|value| value.is_finite()).fold(ceiling, f64::max);
    let mut spans = vec![Span::raw(" ".repeat(width - shown.len()))];
    for run in shown.chunk_by(|one, other| known(*one).is_some() == known(*other).is_some()) {
        let text: String = run.iter().map(|value| bar(styles, *value, largest)).collect();
        let role =
            if run.iter().any(|value| known(*value).is_some()) { Role::Sparkline } else { Role::Unknown };
        spans.push(styles.span(role, text));
    }
    Line::from(spans)
}

fn known(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

fn bar(styles: &Styles<'_>, value: Option<f64>, largest: f64) -> &'static str {
    let Some(value) = known(value) else { return styles.glyph(Glyph::Gap) };
    let levels = styles.glyphs.levels();
    let share = if largest > 0.0 { (value / largest).clamp(0.0, 1.0) } else { 0.0 };
    // Rounded to the nearest level; the cast cannot leave the table, the share is between 0 and 1.
    levels[(share * (levels.len() - 1) as f64).round() as usize]
}
