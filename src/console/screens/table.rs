//! The screens: all that the frame, the keys and the lists have to know of each.

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
    /// Where its keys are bound.
    pub context: Context,
    /// What shows it.
    pub goto: Action,
    /// Draws its body.
    pub draw: fn(&mut Frame<'_>, Rect, &View<'_>),
    /// How many rows its list has under a filter.
    pub count: fn(&Model, &str) -> usize,
    /// The keys that matter on it now.
    pub hints: fn(&View<'_>) -> Hints,
}

/// All of them, in the order of the tab keys.
pub static SCREENS: [Row; Screen::ALL.len()] = [
    Row {
        screen: Screen::Overview,
        context: Context::Overview,
        goto: Action::GotoOverview,
        draw: overview::draw,
        count: overview::count,
        hints: footer::overview,
    },
    Row {
        screen: Screen::Decide,
        context: Context::Decide,
        goto: Action::GotoDecide,
        draw: decide::draw,
        count: |model, _| decide::items(model).len(),
        hints: footer::decide,
    },
    Row {
        screen: Screen::Timeline,
        context: Context::Timeline,
        goto: Action::GotoTimeline,
        draw: timeline::draw,
        count: |model, filter| timeline::rows(model, filter).len(),
        hints: |_| footer::TIMELINE,
    },
    Row {
        screen: Screen::Backups,
        context: Context::Backups,
        goto: Action::GotoBackups,
        draw: backups::draw,
        count: backups::count,
        hints: |_| footer::BACKUPS,
    },
    Row {
        screen: Screen::Readiness,
        context: Context::Readiness,
        goto: Action::GotoReadiness,
        draw: readiness::draw,
        count: readiness::count,
        hints: |_| footer::READINESS,
    },
    Row {
        screen: Screen::Escalation,
        context: Context::Escalation,
        goto: Action::GotoEscalation,
        draw: escalation::draw,
        count: escalation::count,
        hints: footer::escalation,
    },
];

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
