//! The clock of a recovery time objective: a bar, and the words that say what it means.

use jiff::SignedDuration;
use ratatui::text::{Line, Span};

use super::Styles;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::theme::Role;

/// `12:04 of 15:00, 2:56 left`, or `16:10 of 15:00, over by 1:10`.
pub fn clock_words(elapsed: SignedDuration, target: SignedDuration) -> String {
    let left = target.saturating_sub(elapsed);
    let rest = if left.is_negative() {
        format!("over by {}", units::clock(left))
    } else {
        format!("{} left", units::clock(left))
    };
    format!("{} of {}, {rest}", units::clock(elapsed), units::clock(target))
}

/// A bar of `bar_width` cells with its words. It warns from three quarters of the target on, and is critical
/// once the target has passed.
pub fn clock_line(
    styles: &Styles<'_>,
    elapsed: SignedDuration,
    target: SignedDuration,
    bar_width: u16,
) -> Line<'static> {
    let share = if target.is_positive() {
        (elapsed.as_secs_f64() / target.as_secs_f64()).clamp(0.0, 1.0)
    } else {
        1.0
    };
    let (role, glyph) = match share {
        share if share >= 1.0 => (Role::Critical, Glyph::Critical),
        share if share >= 0.75 => (Role::Warn, Glyph::Warn),
        _ => (Role::Ok, Glyph::Ok),
    };
    let width = usize::from(bar_width);
    // Only a target that has passed fills the bar.
    let full = ((share * width as f64).floor() as usize).min(width);
    Line::from(vec![
        styles.span(role, styles.glyph(Glyph::BarFull).repeat(full)),
        styles.span(Role::Muted, styles.glyph(Glyph::BarEmpty).repeat(width - full)),
        Span::raw(" "),
        styles.span(role, format!("{} {}", styles.glyph(glyph), clock_words(elapsed, target))),
    ])
}
