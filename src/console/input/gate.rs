//! What a confirmation hears: nothing that was typed before it opened, no repetition, no paste.

use std::time::{Duration, Instant};

use super::{Event, Manner, Received};
use crate::console::keymap::Chord;

/// How long after a confirmation opened keys are still taken as meant for what was there before.
pub const GRACE: Duration = Duration::from_millis(300);

/// A key that was down when the confirmation opened counts as held until it was silent for this long: longer
/// than keyboards wait before they repeat.
const HELD: Duration = Duration::from_secs(1);

/// Decides which input an open confirmation may act on. Built when the confirmation is on the screen.
#[derive(Debug, Clone)]
pub struct Gate {
    after_sequence: u64,
    not_before: Instant,
    held: Option<(Chord, Instant)>,
}

impl Gate {
    /// A gate for a confirmation that opened at `opened`, when `after_sequence` was the last input read and
    /// `last_key` the last key pressed.
    pub fn new(
        after_sequence: u64,
        opened: Instant,
        grace: Duration,
        last_key: Option<(Chord, Instant)>,
    ) -> Self {
        Self { after_sequence, not_before: opened + grace, held: last_key }
    }

    /// Whether a key that confirms by itself counts: one press, on its own, of a key that was not held.
    pub fn admits_key(&mut self, received: &Received) -> bool {
        let fresh = self.admits_typing(received);
        let Event::Key { chord, manner } = received.event else { return false };
        let held = self.held.is_some_and(|(held, last)| {
            held == chord && received.read_at.saturating_duration_since(last) < HELD
        });
        if !fresh || held {
            self.held = Some((chord, received.read_at));
        }
        fresh && !held && manner == Manner::Single
    }

    /// Whether input counts as typing into the field of a confirmation. Keys may come in bursts here, as a slow
    /// line delivers them; a paste never counts.
    pub fn admits_typing(&self, received: &Received) -> bool {
        let is_key = matches!(&received.event, Event::Key { manner, .. } if *manner != Manner::Repeat);
        is_key && received.sequence > self.after_sequence && received.read_at >= self.not_before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED_AT: Duration = Duration::from_secs(10);

    struct Scene {
        start: Instant,
        sequence: u64,
        gate: Gate,
    }

    impl Scene {
        fn new(last_key: Option<(&str, u64)>) -> Self {
            let start = Instant::now();
            let last_key = last_key
                .map(|(key, millis)| (Chord::parse(key).unwrap(), start + Duration::from_millis(millis)));
            Self { start, sequence: 7, gate: Gate::new(7, start + OPENED_AT, GRACE, last_key) }
        }

        fn receive(&mut self, event: Event, millis: u64) -> Received {
            self.sequence += 1;
            Received { event, sequence: self.sequence, read_at: self.start + Duration::from_millis(millis) }
        }

        fn key(&mut self, key: &str, manner: Manner, millis: u64) -> bool {
            let received = self.receive(Event::Key { chord: Chord::parse(key).unwrap(), manner }, millis);
            self.gate.admits_key(&received)
        }
    }

    #[test]
    fn one_deliberate_press_counts() {
        assert!(Scene::new(None).key("y", Manner::Single, 10_400));
    }

    #[test]
    fn what_was_read_before_or_just_after_the_opening_does_not() {
        let mut scene = Scene::new(None);
        scene.sequence = 3;
        assert!(!scene.key("y", Manner::Single, 10_400));
        assert!(!Scene::new(None).key("y", Manner::Single, 10_299));
    }

    #[test]
    fn a_press_inside_the_grace_does_not_spoil_a_later_one() {
        let mut scene = Scene::new(None);
        assert!(!scene.key("y", Manner::Single, 10_100));
        assert!(!scene.key("y", Manner::Single, 10_500), "it may be held");
        assert!(scene.key("y", Manner::Single, 11_600));
    }

    #[test]
    fn a_key_held_since_before_the_opening_never_counts() {
        let mut scene = Scene::new(Some(("y", 9_900)));
        // The first repetition comes half a second after the press: no burst, no short gap.
        assert!(!scene.key("y", Manner::Single, 10_400));
        for millis in (10_433..13_000).step_by(33) {
            assert!(!scene.key("y", Manner::Repeat, millis));
        }
        assert!(!scene.key("y", Manner::Single, 13_500));
        assert!(scene.key("y", Manner::Single, 14_600));
    }

    #[test]
    fn another_key_held_before_does_not_matter() {
        assert!(Scene::new(Some(("p", 9_900))).key("y", Manner::Single, 10_400));
    }

    #[test]
    fn bursts_confirm_nothing_but_are_typing() {
        let mut scene = Scene::new(None);
        assert!(!scene.key("y", Manner::Burst, 10_400));
        let chord = Chord::parse("a").unwrap();
        let received = scene.receive(Event::Key { chord, manner: Manner::Burst }, 10_500);
        assert!(scene.gate.admits_typing(&received));
    }

    #[test]
    fn a_paste_is_neither() {
        let mut scene = Scene::new(None);
        let received = scene.receive(Event::Paste("y".to_owned()), 10_500);
        assert!(!scene.gate.admits_key(&received));
        assert!(!scene.gate.admits_typing(&received));
    }
}
