//! Widgets: values in, lines and cells out. They know no clock, socket, file or terminal.

mod clock;
mod dialog;
mod hints;
mod history;
mod state;
mod table;

pub use clock::{clock_line, clock_words};
pub use dialog::{Dialog, centred};
pub use hints::{hint_line, hint_spans};
pub use history::sparkline;
pub use state::{State, drill_or_live, severity_badge, state_cell, state_glyph};
pub use table::{Column, Width, fit, fit_start, row_line, wrap};

use ratatui::style::Style;
use ratatui::text::Span;

use super::glyphs::{Glyph, Glyphs};
use super::theme::{Role, Theme};

/// How things look on this terminal: the theme at its colour depth, and its set of glyphs.
#[derive(Debug, Clone, Copy)]
pub struct Look<'t> {
    /// The theme, already brought down to the terminal's colours.
    pub theme: &'t Theme,
    /// The glyphs that the terminal shows.
    pub glyphs: Glyphs,
    /// Nothing is known to be well any more: neither the glyph nor the colour of it is drawn.
    pub doubts: bool,
}

impl<'t> Look<'t> {
    /// How things look in a theme, with a set of glyphs.
    pub fn new(theme: &'t Theme, glyphs: Glyphs) -> Self {
        Self { theme, glyphs, doubts: false }
    }

    /// The same for what nobody can vouch for.
    #[must_use]
    pub fn doubting(self) -> Self {
        Self { doubts: true, ..self }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        match role {
            Role::Ok if self.doubts => self.theme.style(Role::Stale),
            role => self.theme.style(role),
        }
    }

    /// A glyph in this terminal's set.
    pub fn glyph(&self, glyph: Glyph) -> &'static str {
        match glyph {
            Glyph::Ok if self.doubts => self.glyphs.get(Glyph::Unknown),
            glyph => self.glyphs.get(glyph),
        }
    }

    /// Text in the style of a role.
    pub fn span<'s>(&self, role: Role, text: impl Into<std::borrow::Cow<'s, str>>) -> Span<'s> {
        Span::styled(text, self.style(role))
    }
}

#[cfg(test)]
mod tests;
