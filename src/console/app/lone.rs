//! A letter that asks the engine for something at once, where it may as well be the first of a text that is typed on the
//! wrong screen: it counts when no other letter follows.

use super::{App, Asked, Effect};
use crate::console::input::{Event, Received};
use crate::console::keymap::Chord;
use crate::core::words::command::Ask;
use std::time::{Duration, Instant};

/// Longer than a slow hand takes from one letter of a text to the next.
const ALONE: Duration = Duration::from_millis(800);

/// What such a letter asks for.
#[derive(Debug)]
pub(super) struct Lone {
    key: Chord,
    ask: Ask,
    due: Instant,
}

impl Lone {
    /// When it counts.
    pub(super) fn due(&self) -> Instant {
        self.due
    }
}

impl App {
    /// Asks for it once the key has stayed alone: `what` says what it does. A key that is no letter asks at once.
    pub(super) fn ask_alone(
        &mut self,
        received: &Received,
        ask: Ask,
        what: &str,
        at: Instant,
    ) -> Vec<Effect> {
        let key = match received.event {
            Event::Key { chord, .. } if chord.typed().is_some() => chord,
            _ => return self.ask_now(ask, at),
        };
        self.toast(format!("{key} {what}"), "A letter after it would call it off.", false, at);
        self.lone = Some(Lone { key, ask, due: at + ALONE });
        vec![Effect::Draw]
    }

    /// Asks for what waits; at a time only once it is due.
    pub(super) fn ask_lone(&mut self, at: Option<Instant>) -> Vec<Effect> {
        let is_due = |lone: &Lone| at.is_none_or(|at| lone.due <= at);
        match self.lone.take_if(|lone| is_due(lone)) {
            Some(lone) => {
                // Its rows are those of what comes next.
                self.drop_toast();
                self.ask_now(lone.ask, lone.due)
            }
            None => Vec::new(),
        }
    }

    /// Whether a key leaves what waits as it is: a hand that is in a hurry presses twice.
    pub(super) fn is_lone(&self, key: Chord) -> bool {
        self.lone.as_ref().is_some_and(|lone| lone.key == key)
    }

    /// Another letter follows: neither counts, nor does what comes after them.
    pub(super) fn drop_lone(&mut self, at: Instant) -> Vec<Effect> {
        let Some(lone) = self.lone.take() else { return Vec::new() };
        let why = format!("{} was the first letter of a text and asked for nothing", lone.key);
        self.deafen_to_letters(why.clone(), at);
        self.toast_here(&why, "Press it alone where it was meant.", at);
        vec![Effect::Draw]
    }

    fn ask_now(&mut self, ask: Ask, at: Instant) -> Vec<Effect> {
        // What the screen shows next must not hear the key that led there.
        self.gate.sent();
        self.ask(ask, Asked::Plain, at)
    }
}
