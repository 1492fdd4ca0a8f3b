//! Targets as their actions read them. What is recorded, shown and confirmed went through the door, and may have
//! another spelling; an action compares what it finds with what it read itself.

use crate::core::words::action::Target;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many are kept; a restart forgets them, and such a step is then confirmed anew.
const KEPT: usize = 64;

/// Targets that came through the door with another spelling.
#[derive(Clone, Default)]
pub struct Originals {
    kept: Arc<Mutex<VecDeque<(Target, Target)>>>,
}

impl Originals {
    /// Remembers how a target was read, and as what it was let in.
    pub fn keep(&self, read: Target, admitted: Target) {
        if read == admitted {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != admitted);
        kept.push_back((admitted, read));
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    /// The target as its action read it.
    pub fn of(&self, admitted: Target) -> Target {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(known, _)| *known == admitted).map(|(_, read)| read.clone());
        found.unwrap_or(admitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target {
        Target { name: name.into(), kind: "server".into(), identity: Vec::new(), reachable: true }
    }

    #[test]
    fn an_action_gets_the_target_as_it_read_it() {
        let originals = Originals::default();
        originals.keep(target("a\u{202e}"), target("a\u{fffd}"));
        assert_eq!(originals.of(target("a\u{fffd}")), target("a\u{202e}"));
        assert_eq!(originals.of(target("b")), target("b"));
        for number in 0..KEPT {
            originals.keep(target(&format!("{number}\u{202e}")), target(&number.to_string()));
        }
        assert_eq!(originals.of(target("a\u{fffd}")), target("a\u{fffd}"), "the oldest is forgotten");
    }
}
