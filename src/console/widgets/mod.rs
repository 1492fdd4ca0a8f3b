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
pub use table::{Column, Width, fit, fit_start, row_line, title_column, wrap};

use ratatui::style::Style;
use ratatui::text::Span;

use super::cuts::Cuts;
use super::glyphs::{Glyph, Glyphs};
use super::theme::{Role, Theme};

/// How things look on this terminal: the theme at its colour depth, and its set of glyphs.
#[derive(Debug, Clone, Copy)]
pub struct Styles<'t> {
    /// The theme, already brought down to the terminal's colours.
    pub theme: &'t Theme,
    /// The glyphs that the terminal shows.
    pub glyphs: Glyphs,
    /// Nothing is known to be well any more: neither the glyph nor the colour of it is drawn.
    pub doubts: bool,
    /// Where what is cut off is noted; none where nobody reads on.
    pub cuts: Option<&'t Cuts>,
}

impl<'t> Styles<'t> {
    /// How things look in a theme, with a set of glyphs.
    pub fn new(theme: &'t Theme, glyphs: Glyphs) -> Self {
        Self { theme, glyphs, doubts: false, cuts: None }
    }

    /// The same for what nobody can vouch for.
    #[must_use]
    pub fn doubting(self) -> Self {
        Self { doubts: true, ..self }
    }

    /// The same, noting what is cut off.
    #[must_use]
    pub fn noting(self, cuts: &'t Cuts) -> Self {
        Self { cuts: Some(cuts), ..self }
    }

    /// Notes that of `whole` only `seen` is drawn.
    pub fn note_cut(&self, seen: &str, whole: &str) {
        let Some(cuts) = self.cuts else { return };
        match self.glyphs {
            // What the terminal cannot show is drawn as a mark.
            Glyphs::Ascii => cuts.note(&seen.replace(|c: char| !c.is_ascii(), "?"), whole),
            Glyphs::Unicode => cuts.note(seen, whole),
        }
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
