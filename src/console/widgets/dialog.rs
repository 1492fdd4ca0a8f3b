//! The frame of a modal dialog.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Clear, Padding, Paragraph, Wrap};

use super::Styles;
use crate::console::theme::Role;

/// The longest heading, in characters.
const TITLE_CHARS: usize = 400;

/// A framed box over the screen.
#[derive(Debug)]
pub struct Dialog<'d> {
    /// Its heading.
    pub title: &'d str,
    /// The line in its lower edge: key hints.
    pub footer: Line<'d>,
    /// It asks for something irreversible, and its frame says so.
    pub danger: bool,
}

impl Dialog<'_> {
    /// Clears `area`, draws the frame and returns what is left inside it.
    pub fn frame(&self, styles: &Styles<'_>, frame: &mut Frame<'_>, area: Rect) -> Rect {
        // The two corners and a blank at each end.
        let room = usize::from(area.width).saturating_sub(4);
        let title = crate::base::text::clean(self.title, TITLE_CHARS);
        let role = if self.danger { Role::Danger } else { Role::BorderFocus };
        let block = Block::new()
            .borders(Borders::ALL)
            .border_set(styles.glyphs.border())
            .border_style(styles.style(role))
            .style(styles.style(Role::Dialog))
            .padding(Padding::horizontal(1))
            .title(styles.span(Role::Title, format!(" {} ", super::fit(styles, &title, room))))
            .title_bottom(self.footer.clone());
        let inside = block.inner(area);
        frame.render_widget(Clear, area);
        frame.render_widget(block, area);
        inside
    }

    /// Draws a dialog of wrapped lines, as high as they need, in the middle of `screen`.
    pub fn render(
        &self,
        styles: &Styles<'_>,
        frame: &mut Frame<'_>,
        screen: Rect,
        width: u16,
        lines: Vec<Line<'_>>,
    ) {
        let width = width.min(screen.width);
        let text_width = usize::from(width.saturating_sub(4).max(1));
        // Words that do not fit whole can take a line more than their width needs; one spare line per wrapped
        // line covers it.
        let rows = lines.iter().map(|line| match line.width().div_ceil(text_width) {
            0 | 1 => 1,
            wrapped => wrapped + 1,
        });
        let height = u16::try_from(rows.sum::<usize>() + 2).unwrap_or(u16::MAX);
        let inside = self.frame(styles, frame, centred(screen, width, height));
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inside);
    }
}

/// The middle of `screen`, cut to what there is.
pub fn centred(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}
