//! The screens: pure functions from the model and what the operator looks at to cells. They wait for nothing,
//! change nothing and hold nothing from one frame to the next.
//!
//! Every line goes through `paint`, which is where text from outside is made safe and is cut to its room.

pub mod backups;
pub mod confirm;
pub mod connecting;
pub mod decide;
pub mod doubt;
pub mod escalation;
pub mod footer;
pub mod header;
mod list;
pub mod message;
pub mod next;
pub mod overview;
pub(super) mod paint;
pub mod readiness;
pub mod run;
pub mod table;
pub mod timeline;
pub mod too_small;
pub(super) mod words;

pub use words::cannot_reach;

#[cfg(test)]
mod tests;

use crate::console::keymap::{Action, Context, Keymap};
use crate::console::pages::Shown;
use crate::console::theme::Role;
use crate::console::ui::Ui;
use crate::console::widgets::Styles;
use crate::core::model::Model;
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

/// The smallest terminal on which everything has its room, in cells: one of 80x24 whose last row a multiplexer takes.
pub const ROOMY: (u16, u16) = (80, 23);
/// The smallest terminal on which the screens are drawn and keys work, in cells.
pub const SMALLEST: (u16, u16) = (40, 10);

/// Whether a terminal of this size has less room than everything needs: fewer words are said, and what asks for a yes
/// must be in sight whole to be answered.
pub fn is_tight(terminal: Rect) -> bool {
    terminal.width < ROOMY.0 || terminal.height < ROOMY.1
}

/// Why nothing can be said yes to on a terminal that does not show all of what is asked.
pub fn too_small_to_act() -> String {
    let (width, height) = ROOMY;
    format!(
        "TOO SMALL: this terminal does not show all of it, so nothing can be said yes to here. Enlarge it (at \
         {width}x{height} all has its room), or open the console in a larger one."
    )
}

/// Everything that a frame is drawn from.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub model: &'a Model,
    /// What is looked at.
    pub ui: &'a Ui,
    /// How things look on this terminal.
    pub styles: Styles<'a>,
    /// The engine's time, for ages and clocks.
    pub now: Timestamp,
    /// Who sits here.
    pub operator: &'a str,
    /// The keys, for hints.
    pub keymap: &'a Keymap,
    /// What the frame shows of what does not fit; noted while it is drawn.
    pub shown: &'a Shown,
}

impl View<'_> {
    /// The keymap's context of the current screen.
    pub fn context(&self) -> Context {
        table::row(self.ui.screen).context
    }

    /// The key that does `action` on the current screen, or how to find it when no key does.
    pub fn key(&self, action: Action) -> String {
        self.key_in(self.context(), action)
    }

    /// As [`View::key`], in another context.
    pub fn key_in(&self, context: Context, action: Action) -> String {
        let keys = self.keymap.keys(context, action);
        keys.first().map_or_else(|| format!(":{}", action.info().name), ToString::to_string)
    }
}

/// Draws header, current screen and footer; below [`SMALLEST`] how bad it is and what is next, as text.
pub fn frame_screen(frame: &mut Frame<'_>, view: &View<'_>) {
    let view = &View { styles: view.styles.noting(view.shown.cuts()), ..*view };
    let area = frame.area();
    let ground = view.styles.style(Role::Background).patch(view.styles.style(Role::Text));
    frame.buffer_mut().set_style(area, ground);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small::draw(frame, area, view);
    }
    let rows = [
        Constraint::Length(header::height(view, area)),
        Constraint::Min(1),
        Constraint::Length(footer::height(view, area)),
    ];
    let [head, body, foot] = Layout::vertical(rows).areas(area);
    header::draw(frame, head, view);
    (table::row(view.ui.screen).draw)(frame, body, view);
    footer::draw(frame, foot, view, footer::hints(view));
}
