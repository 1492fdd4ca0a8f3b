//! An operator at a console: presses keys, reads the screen, and waits as a person does.

#![allow(dead_code)]

use crate::pty::Pty;
use std::time::{Duration, Instant};

/// Between two looks at the screen.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The gate of a new dialog takes a key for held until it was silent for a second.
const GATE: Duration = Duration::from_millis(1_300);
/// The longest that reading a target takes: after that the console has said why there is no confirmation.
const A_TARGET_IS_READ: Duration = Duration::from_secs(20);
/// What a dialog that waits for a key says.
const ASKS: &[&str] = &[
    "CONFIRM",
    "done?",
    "SUGGESTED",
    "Go on against a guard",
    "start the engine again",
    "read the world again",
    "Declare this incident?",
    "Read the world again?",
    "Begin it?",
    "Close this incident?",
    "Answer \"",
];

/// What a step says whose confirmation is not open.
const REOPENS: &str = "p look at the call and confirm";

pub struct Operator {
    pub console: Pty,
    /// How long anything on the screen may take before the test fails.
    pub patience: Duration,
}

impl Operator {
    pub fn screen(&self) -> String {
        self.console.screen()
    }

    pub fn press(&mut self, keys: &str) {
        self.console.press(keys);
    }

    /// Presses keys one after the other.
    pub fn strokes(&mut self, keys: &[&str]) {
        self.console.strokes(keys);
    }

    /// Declares an incident under the title that is proposed.
    pub fn declares(&mut self) {
        self.sees("P0");
        self.press("D");
        self.sees("Declare an incident");
        self.press("1");
        self.sees("Title");
        self.press("\r");
        self.sees("Declare this incident?");
        self.press_until("y", |screen| screen.contains("LIVE"));
    }

    /// Waits until the screen shows a text, and gives the screen.
    pub fn sees(&self, text: &str) -> String {
        self.waits_for(&format!("`{text}`"), |screen| screen.contains(text))
    }

    /// Waits until the screen meets a condition, and gives the screen.
    pub fn waits_for(&self, what: &str, met: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if met(&screen) {
                return screen;
            }
            assert!(started.elapsed() < self.patience, "never saw {what}; the screen is:\n{screen}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Presses a key again while the gate of a new dialog may still be closed.
    pub fn press_until(&mut self, key: &str, met: impl Fn(&str) -> bool) {
        let asks = |screen: &str| ASKS.iter().any(|text| screen.contains(text));
        self.repeats(&format!("{key:?} was not taken"), |console| console.press(key), asks, met);
    }

    /// Presses a key again until the screen shows a text: what changes under a key swallows it.
    pub fn presses_for(&mut self, key: &str, shown: &str) {
        let press = |console: &mut Pty| console.press(key);
        self.repeats(&format!("{key:?} was not taken"), press, |_| true, |screen| screen.contains(shown));
    }

    /// Types a text until `shown` says that it arrived: a dialog that just opened takes keys for typed ahead. It
    /// types only while the screen shows the `field` that it is meant for.
    pub fn types_into(&mut self, field: &str, text: &str, shown: &str) {
        let keys = format!("\x15{text}");
        let open = |screen: &str| screen.contains(field);
        let press = |console: &mut Pty| console.press(&keys);
        self.repeats(&format!("{text} was not typed"), press, open, |screen| screen.contains(shown));
    }

    /// Types the phrase of a confirmation letter by letter, and gives up when the confirmation has gone.
    pub fn types_phrase(&mut self, confirmation: &str, phrase: &str) {
        let keys = format!("\x15{phrase}");
        let open = |screen: &str| screen.contains(confirmation);
        self.waits_for(confirmation, open);
        let done = |screen: &str| screen.contains("matches") || !open(screen);
        let press = |console: &mut Pty| console.types(&keys);
        self.repeats(&format!("{phrase} was not typed"), press, open, done);
    }

    /// Confirms by the phrase and ctrl-y, until the screen meets a condition. What was typed while the dialog let nothing
    /// through is typed again. On a busy machine what a confirmation rests on may be late, which withdraws it: a person
    /// opens it again.
    pub fn confirms(&mut self, confirmation: &str, phrase: &str, met: impl Fn(&str) -> bool) {
        let typed_anew = format!("\x15{phrase}");
        let press = |console: &mut Pty| {
            let screen = console.screen();
            match (screen.contains(confirmation), screen.contains("to go, then ctrl-y")) {
                (false, _) => console.press("p"),
                (true, true) => console.types(&typed_anew),
                (true, false) => console.press("\x19"),
            }
        };
        let asks = |screen: &str| screen.contains(confirmation) || screen.contains(REOPENS);
        self.repeats(&format!("{phrase} was not confirmed"), press, asks, met);
    }

    /// Opens a confirmation with `p`, and gives the screen. Where it does not come, its target could not be read in time
    /// or what it rests on changed: a person reads that and presses again.
    pub fn opens(&mut self, confirmation: &str) -> String {
        let started = Instant::now();
        while started.elapsed() < self.patience {
            self.press("p");
            let pressed = Instant::now();
            while pressed.elapsed() < A_TARGET_IS_READ {
                let screen = self.screen();
                if screen.contains(confirmation) {
                    return screen;
                }
                std::thread::sleep(LOOK_AGAIN);
            }
        }
        self.sees(confirmation)
    }

    fn repeats(
        &mut self,
        failure: &str,
        press: impl Fn(&mut Pty),
        when: impl Fn(&str) -> bool,
        met: impl Fn(&str) -> bool,
    ) {
        let started = Instant::now();
        let mut last: Option<Instant> = None;
        loop {
            let screen = self.screen();
            if met(&screen) {
                return;
            }
            assert!(started.elapsed() < self.patience, "{failure}; the screen is:\n{screen}");
            if when(&screen) && last.is_none_or(|last| last.elapsed() > GATE) {
                press(&mut self.console);
                last = Some(Instant::now());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}
