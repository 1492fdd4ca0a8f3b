//! Which keys count: those that were meant for what is on the screen.
//!
//! A key that acts counts only for a view that was painted, and looked at for a moment, before it was pressed. After
//! a dialog that the operator did not close himself nothing counts until the hand has rested: the rest of a phrase
//! must not become commands.

use std::time::{Duration, Instant};

use super::{Event, Manner, Received};
use crate::console::keymap::Chord;
use crossterm::event::{KeyCode, KeyModifiers};

/// How long a view that the operator's own key led to must be on the screen before a key can act on it.
pub const GRACE: Duration = Duration::from_millis(300);

/// The same for a view that came by itself: a hand that meant the one before is still on its way. It is also the
/// silence after which keys count again: somebody who types a name from the screen rests for less.
pub const PAUSE: Duration = Duration::from_secs(1);

/// Keys that follow each other faster than this are typing, and none of them is a decision.
const TYPING: Duration = Duration::from_millis(250);

/// Three keys within this were typed by no hand, whatever brought them: a line that holds a paste up, or a program
/// that types for somebody.
const BY_MACHINE: Duration = Duration::from_millis(30);

/// A key that was down when the view changed counts as held until it was silent for this long: longer than keyboards
/// wait before they repeat.
const HELD: Duration = Duration::from_secs(1);

/// Stands for a paste among the keys.
const PASTE: Chord = Chord { code: KeyCode::Null, modifiers: KeyModifiers::NONE };

/// Whether input is taken at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Heard,
    /// It was meant for what has gone; so many keys and pastes were by now.
    Dropped(usize),
}

/// Decides which input counts. `V` is what a key means something by: two views are equal where every key means the
/// same.
#[derive(Debug)]
pub struct Gate<V> {
    seen: Option<Seen<V>>,
    /// How long the view that is painted next must be looked at.
    styles: Duration,
    /// The last keys, the latest first.
    keys: [Option<(Chord, Instant)>; 3],
    held: Option<(Chord, Instant)>,
    deaf: Option<Deaf>,
}

#[derive(Debug)]
struct Seen<V> {
    view: V,
    acts_from: Instant,
}

#[derive(Debug)]
struct Deaf {
    dropped: usize,
    last: Instant,
    /// Keys that only move about, or leave, count all the same.
    letters: bool,
}

impl<V> Default for Gate<V> {
    fn default() -> Self {
        Self { seen: None, styles: GRACE, keys: [None; 3], held: None, deaf: None }
    }
}

impl<V: PartialEq> Gate<V> {
    /// The view changed; the next one must be looked at for `look` before keys act on it.
    pub fn changed(&mut self, styles: Duration) {
        self.styles = self.styles.max(styles);
        self.held = self.keys[0];
    }

    /// `view` is on the screen at `at`. `drained` is the last of the keys that were thrown away for it.
    pub fn painted(&mut self, view: V, at: Instant, drained: Option<(Chord, Instant)>) {
        if let Some(key) = drained {
            self.press(key);
            self.held = Some(key);
        }
        if self.seen.as_ref().is_none_or(|seen| seen.view != view) {
            self.seen = Some(Seen { view, acts_from: at + self.styles });
        }
        self.styles = GRACE;
    }

    /// Something was sent that changes what is on the screen: no key acts before it was painted again.
    pub fn sent(&mut self) {
        self.seen = None;
    }

    /// From `at` on nothing counts until there was a [`PAUSE`].
    pub fn deafen(&mut self, at: Instant) {
        self.deaf = Some(Deaf { dropped: 0, last: at, letters: false });
    }

    /// The same for all but keys that only move about, or leave: a letter was meant for something else, and the rest
    /// of its text may follow.
    pub fn deafen_to_letters(&mut self, at: Instant) {
        self.deaf = Some(Deaf { dropped: 0, last: at, letters: true });
    }

    /// Whether a letter was typed just before the last key: the hand is in the middle of a text.
    pub fn is_typing(&self, received: &Received) -> bool {
        self.follows_a_letter(received, PAUSE)
    }

    /// Whether the last key followed a letter as fast as typing does.
    pub fn is_typed_on(&self, received: &Received) -> bool {
        let pasted = matches!(received.event, Event::Key { manner: Manner::Burst, .. });
        !pasted && self.follows_a_letter(received, TYPING)
    }

    fn follows_a_letter(&self, received: &Received, within: Duration) -> bool {
        self.keys[1].is_some_and(|(before, at)| {
            before.typed().is_some() && received.read_at.saturating_duration_since(at) < within
        })
    }

    /// Takes note of input; every key and paste goes through here first.
    pub fn hear(&mut self, received: &Received) -> Verdict {
        match received.event {
            Event::Key { chord, .. } => self.press((chord, received.read_at)),
            // What follows a paste at once may be its rest.
            Event::Paste(_) => self.press((PASTE, received.read_at)),
            _ => {}
        }
        let moves = matches!(received.event, Event::Key { chord, .. } if chord.is_movement());
        match &mut self.deaf {
            Some(deaf) if deaf.letters && moves => Verdict::Heard,
            Some(deaf) if received.read_at.saturating_duration_since(deaf.last) < PAUSE => {
                deaf.last = deaf.last.max(received.read_at);
                deaf.dropped += 1;
                Verdict::Dropped(deaf.dropped)
            }
            _ => {
                self.deaf = None;
                Verdict::Heard
            }
        }
    }

    fn press(&mut self, key: (Chord, Instant)) {
        self.keys = [Some(key), self.keys[0], self.keys[1]];
    }

    /// Whether a key that acts by itself counts for `view`: one press, on its own, of a key that was not held.
    pub fn admits_key(&mut self, view: &V, received: &Received) -> bool {
        let Event::Key { chord, manner } = received.event else { return false };
        let since = |last: Instant| received.read_at.saturating_duration_since(last);
        let fresh = self.is_seen(view, received);
        let held = self.held.is_some_and(|(held, last)| held == chord && since(last) < HELD);
        if !fresh || held {
            self.held = Some((chord, received.read_at));
        }
        let alone = self.keys[1].is_none_or(|(_, last)| since(last) >= TYPING);
        fresh && !held && alone && manner == Manner::Single
    }

    /// Whether the last key was typed as a hand types: not together with others, nor as fast after two others as only
    /// a machine is. Two that a slow line brought as one are a hand's.
    pub fn is_by_hand(&self, received: &Received) -> bool {
        let Event::Key { manner, .. } = received.event else { return false };
        let [Some((last, at)), Some((second, _)), Some((third, since))] = self.keys else {
            return manner != Manner::Burst;
        };
        // One key several times is held down.
        let alike = last == second && second == third;
        let by_machine = !alike && at.saturating_duration_since(since) < BY_MACHINE;
        manner != Manner::Burst && !by_machine
    }

    /// Whether a key counts as typing into the field of a confirmation.
    pub fn admits_typing(&self, view: &V, received: &Received) -> bool {
        let repeats = matches!(&received.event, Event::Key { manner: Manner::Repeat, .. });
        !repeats && self.is_by_hand(received) && self.is_seen(view, received)
    }

    /// Whether a key that fires what was typed in full counts: it may follow the text at once.
    pub fn admits_end_of_typing(&self, view: &V, received: &Received) -> bool {
        matches!(&received.event, Event::Key { manner: Manner::Single, .. }) && self.is_seen(view, received)
    }

    fn is_seen(&self, view: &V, received: &Received) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.view == *view && received.read_at >= seen.acts_from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A confirmation that was painted ten seconds after the start.
    const PAINTED_MS: u64 = 10_000;

    struct Scene {
        start: Instant,
        gate: Gate<&'static str>,
    }

    impl Scene {
        fn new(last_key: Option<(&str, u64)>) -> Self {
            let mut scene = Self { start: Instant::now(), gate: Gate::default() };
            if let Some((key, millis)) = last_key {
                scene.key(key, Manner::Single, millis);
            }
            scene.gate.changed(GRACE);
            scene.gate.painted("confirmation", scene.at(PAINTED_MS), None);
            scene
        }

        fn at(&self, millis: u64) -> Instant {
            self.start + Duration::from_millis(millis)
        }

        fn received(&self, event: Event, millis: u64) -> Received {
            Received { event, sequence: 1, read_at: self.at(millis) }
        }

        fn hear(&mut self, key: &str, millis: u64) -> Verdict {
            let chord = Chord::parse(key).unwrap();
            let received = self.received(Event::Key { chord, manner: Manner::Single }, millis);
            self.gate.hear(&received)
        }

        fn types(&mut self, key: &str, manner: Manner, millis: u64) -> bool {
            let received = self.received(Event::Key { chord: Chord::parse(key).unwrap(), manner }, millis);
            self.gate.hear(&received);
            self.gate.admits_typing(&"confirmation", &received)
        }

        fn key(&mut self, key: &str, manner: Manner, millis: u64) -> bool {
            let received = self.received(Event::Key { chord: Chord::parse(key).unwrap(), manner }, millis);
            self.gate.hear(&received);
            self.gate.admits_key(&"confirmation", &received)
        }
    }

    #[test]
    fn one_deliberate_press_counts() {
        assert!(Scene::new(None).key("y", Manner::Single, 10_400));
    }

    #[test]
    fn what_was_read_before_or_just_after_the_painting_does_not() {
        assert!(!Scene::new(None).key("y", Manner::Single, 9_900));
        assert!(!Scene::new(None).key("y", Manner::Single, 10_299));
    }

    #[test]
    fn a_key_counts_only_for_the_view_that_was_painted() {
        let mut scene = Scene::new(None);
        let y = Event::Key { chord: Chord::parse("y").unwrap(), manner: Manner::Single };
        let received = scene.received(y, 12_000);
        scene.gate.hear(&received);
        assert!(!scene.gate.admits_key(&"the next one", &received), "it is not on the screen yet");
        scene.gate.changed(PAUSE);
        scene.gate.painted("the next one", scene.at(12_100), None);
        assert!(!scene.key("n", Manner::Single, 13_000), "the old view does not come back");
    }

    #[test]
    fn a_view_that_came_by_itself_is_looked_at_for_longer() {
        let mut scene = Scene::new(None);
        scene.gate.changed(PAUSE);
        scene.gate.painted("by itself", scene.at(11_000), None);
        for (millis, counts) in [(11_900, false), (13_000, true)] {
            let n = Event::Key { chord: Chord::parse("n").unwrap(), manner: Manner::Single };
            let received = scene.received(n, millis);
            scene.gate.hear(&received);
            assert_eq!(scene.gate.admits_key(&"by itself", &received), counts, "{millis}");
        }
    }

    #[test]
    fn a_key_in_the_flow_of_typing_is_no_decision() {
        let mut scene = Scene::new(None);
        assert!(!scene.key("x", Manner::Single, 10_100));
        assert!(!scene.key("y", Manner::Single, 10_320));
        assert!(scene.key("n", Manner::Single, 10_900));
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
    fn bursts_confirm_nothing_and_are_no_typing_and_two_keys_of_a_slow_line_are() {
        let mut scene = Scene::new(None);
        assert!(!scene.key("y", Manner::Burst, 10_400));
        assert!(!scene.key("y", Manner::Pair, 12_400));
        for (manner, counts) in [(Manner::Burst, false), (Manner::Pair, true)] {
            assert_eq!(scene.types("a", manner, 12_500), counts, "{manner:?}");
        }
    }

    #[test]
    fn a_paste_that_a_line_brings_in_pieces_is_no_typing_and_a_quick_hand_is() {
        for (gap_ms, counts) in [(12, false), (9, false), (40, true)] {
            let mut scene = Scene::new(None);
            let typed = (0..).zip(["d", "b", "-", "2"]);
            let counted: Vec<bool> =
                typed.map(|(place, key)| scene.types(key, Manner::Single, 12_000 + place * gap_ms)).collect();
            assert_eq!(counted[2..], [counts; 2], "{gap_ms} ms");
        }
        let mut scene = Scene::new(None);
        let held = (0..4).map(|place| scene.types("a", Manner::Quick, 12_000 + place * 10));
        assert!(held.into_iter().all(|counted| counted), "a held key is a hand's");
    }

    #[test]
    fn only_one_press_on_its_own_of_what_is_seen_ends_typing() {
        let mut scene = Scene::new(None);
        let ends = |scene: &mut Scene, view, manner, millis| {
            let received =
                scene.received(Event::Key { chord: Chord::parse("ctrl-y").unwrap(), manner }, millis);
            scene.gate.hear(&received);
            scene.gate.admits_end_of_typing(&view, &received)
        };
        assert!(ends(&mut scene, "confirmation", Manner::Single, 12_000), "it may follow the text at once");
        for manner in [Manner::Quick, Manner::Pair, Manner::Burst, Manner::Repeat] {
            assert!(!ends(&mut scene, "confirmation", manner, 14_000), "{manner:?}");
        }
        assert!(!ends(&mut scene, "another one", Manner::Single, 16_000), "it is not on the screen");
        assert!(
            !ends(&mut Scene::new(None), "confirmation", Manner::Single, 10_100),
            "nobody has read it yet"
        );
    }

    #[test]
    fn after_an_ask_no_key_counts_until_the_screen_was_painted_again() {
        let mut scene = Scene::new(None);
        scene.gate.sent();
        assert!(!scene.key("y", Manner::Single, 12_000));
        scene.gate.painted("confirmation", scene.at(12_100), None);
        assert!(scene.key("n", Manner::Single, 13_500));
    }

    #[test]
    fn a_key_that_is_down_while_the_view_changes_does_not_count_for_the_next() {
        let mut scene = Scene::new(None);
        assert!(scene.key("y", Manner::Single, 11_000));
        scene.gate.changed(GRACE);
        scene.gate.painted("confirmation again", scene.at(11_010), None);
        let y = Event::Key { chord: Chord::parse("y").unwrap(), manner: Manner::Single };
        let received = scene.received(y, 11_500);
        scene.gate.hear(&received);
        assert!(
            !scene.gate.admits_key(&"confirmation again", &received),
            "the first repetition of a held key"
        );
    }

    #[test]
    fn a_paste_is_neither() {
        let mut scene = Scene::new(None);
        let received = scene.received(Event::Paste("y".to_owned()), 10_500);
        assert!(!scene.gate.admits_key(&"confirmation", &received));
        assert!(!scene.gate.admits_typing(&"confirmation", &received));
    }

    #[test]
    fn after_what_closed_by_itself_nothing_counts_until_the_hand_rested() {
        let mut scene = Scene::new(None);
        scene.gate.deafen(scene.at(11_000));
        assert_eq!(scene.hear("a", 10_990), Verdict::Dropped(1), "it was read before it closed");
        assert_eq!(scene.hear("b", 11_900), Verdict::Dropped(2));
        assert_eq!(scene.hear("c", 12_850), Verdict::Dropped(3), "the pause begins with the last key");
        assert_eq!(scene.hear("d", 13_900), Verdict::Heard);
        assert_eq!(scene.hear("e", 13_910), Verdict::Heard);
    }
}
