//! The screens: all that the frame, the keys, the palette and the lists have to know of each. A new one is a row here,
//! its file, and its key in `keymaps/default.toml`.

/// Hands every screen, in the order of the tab keys, to a macro: what it is called in the code, what shows it, its name
/// and what it is; in a narrow header, as an action with other words for it; what draws it, counts its rows, hints.
macro_rules! every_screen {
    ($then:ident) => {
        $then! {
            {
                Overview GotoOverview, "overview", "The overview of regions and services.",
                short: "view", goto: "goto-overview", "Go to the overview.",
                also: "lag replication signals regions services status rto rpo",
                draw: overview::draw, count: overview::count, hints: footer::overview
            }
            {
                Decide GotoDecide, "decide", "The decision tree and the running runbook.",
                short: "decide", goto: "goto-decide", "Go to the decision tree and the run.",
                also: "failover tree run runbook steps question",
                draw: decide::draw, count: |model, _| decide::items(model).len(), hints: footer::decide
            }
            {
                Timeline GotoTimeline, "timeline", "The timeline of the incident.",
                short: "log", goto: "goto-timeline", "Go to the timeline.",
                also: "log history journal events",
                draw: timeline::draw, count: |model, filter| timeline::rows(model, filter).len(),
                hints: |_| footer::TIMELINE
            }
            {
                Backups GotoBackups, "backups", "The backups of the plan.",
                short: "back", goto: "goto-backups", "Go to the backups.",
                also: "restore copies",
                draw: backups::draw, count: backups::count, hints: |_| footer::BACKUPS
            }
            {
                Readiness GotoReadiness, "readiness", "Preflight and drills.",
                short: "ready", goto: "goto-readiness", "Go to preflight and drills.",
                also: "drills test",
                draw: readiness::draw, count: readiness::count, hints: |_| footer::READINESS
            }
            {
                Escalation GotoEscalation, "escalation", "Who knows, who is told next, what has to be told.",
                short: "who", goto: "goto-escalation", "Go to who knows and who is told next.",
                also: "people oncall contacts",
                draw: escalation::draw, count: escalation::count, hints: footer::escalation
            }
        }
    };
}
pub(in crate::console) use every_screen;

use super::{View, backups, decide, escalation, footer, overview, readiness, timeline};
use crate::console::keymap::{Action, Context};
use crate::console::ui::Screen;
use crate::core::model::Model;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Keys that matter, each with its word, most important first.
pub type Hints = &'static [(Action, &'static str)];

/// One screen.
pub struct Row {
    pub screen: Screen,
    /// Its name, and the same where there is little room.
    pub name: &'static str,
    pub short: &'static str,
    /// Where its keys are bound.
    pub context: Context,
    /// What shows it, and other words to look for that with.
    pub goto: Action,
    pub also: &'static str,
    /// Draws its body.
    pub draw: fn(&mut Frame<'_>, Rect, &View<'_>),
    /// How many rows its list has under a filter.
    pub count: fn(&Model, &str) -> usize,
    /// The keys that matter on it now.
    pub hints: fn(&View<'_>) -> Hints,
}

macro_rules! rows {
    ($({
        $screen:ident $goto:ident, $name:literal, $doc:literal,
        short: $short:literal, goto: $action:literal, $shows:literal, also: $also:literal,
        draw: $draw:expr, count: $count:expr, hints: $hints:expr
    })*) => {
        /// All of them, in the order of the tab keys.
        pub static SCREENS: [Row; Screen::ALL.len()] = [$(Row {
            screen: Screen::$screen,
            name: $name,
            short: $short,
            context: Context::$screen,
            goto: Action::$goto,
            also: $also,
            draw: $draw,
            count: $count,
            hints: $hints,
        }),*];
    };
}
every_screen!(rows);

/// What is known of a screen.
pub fn row(screen: Screen) -> &'static Row {
    // The order is that of the screens; a test holds it.
    &SCREENS[screen as usize]
}

/// The screen that an action shows, where it shows one.
pub fn shown_by(action: Action) -> Option<Screen> {
    SCREENS.iter().find(|row| row.goto == action).map(|row| row.screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_stand_in_the_order_of_the_screens() {
        for (place, (row, screen)) in SCREENS.iter().zip(Screen::ALL).enumerate() {
            assert_eq!((row.screen, screen as usize), (screen, place));
            assert_eq!(shown_by(row.goto), Some(screen));
        }
    }
}
