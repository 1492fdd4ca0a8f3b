//! How many pods a workload runs, from and to, and the note of what was there before.

use super::chosen::Found;
use serde_json::{Value, json};

/// Where lifeboat writes what was there before it scaled (`from 3 to 0`), so that the way back finds it, whoever goes it.
pub const BEFORE: &str = "lifeboat.dev/scaled";
/// The most that a plan can ask for.
pub const MOST: u32 = 10_000;

/// One workload, from and to.
pub struct Move {
    pub found: Found,
    pub from: u32,
    pub to: u32,
}

impl Move {
    /// `3 -> 0`.
    pub fn words(&self) -> String {
        format!("{} -> {}", self.from, self.to)
    }

    /// As the target's identity keeps it.
    pub fn identity(&self) -> (String, String) {
        let Found { named, uid, generation, .. } = &self.found;
        (named.words(), format!("uid {uid}, generation {generation}, {} -> {}", self.from, self.to))
    }

    /// What it was to become, as [`Self::identity`] says it.
    pub fn wished(identity: &str) -> Option<u32> {
        identity.rsplit_once("-> ")?.1.parse().ok()
    }

    /// Whether there is anything to do.
    pub fn is_due(&self) -> bool {
        self.from != self.to
    }

    /// The number, and what was there before: kept over several scalings, forgotten on the way back.
    pub fn patch(&self, is_restored: bool) -> Value {
        let first = before(self.found.annotation(BEFORE))
            .filter(|(_, to)| *to == self.from)
            .map_or(self.from, |(from, _)| from);
        let note = match is_restored {
            true => Value::Null,
            false => json!(format!("from {first} to {}", self.to)),
        };
        json!({"metadata": {"annotations": {BEFORE: note}}, "spec": {"replicas": self.to}})
    }
}

/// What lifeboat wrote: from and to.
pub fn before(note: Option<&str>) -> Option<(u32, u32)> {
    let (from, to) = note?.strip_prefix("from ")?.split_once(" to ")?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::Named;
    use super::*;
    use crate::providers::kube::client::DEPLOYMENTS;

    fn scaled(note: Option<&str>, from: u32, to: u32) -> Move {
        let object = json!({"metadata": {"annotations": {BEFORE: note}}});
        let named = Named { resource: DEPLOYMENTS, name: "web".into() };
        Move { found: Found { named, uid: "u1".into(), generation: 4, object }, from, to }
    }

    #[test]
    fn what_was_there_first_is_kept_until_somebody_else_changes_it() {
        let note = |one: &Move, restored| {
            one.patch(restored)["metadata"]["annotations"][BEFORE].as_str().map(str::to_owned)
        };
        assert_eq!(note(&scaled(None, 3, 0), false).as_deref(), Some("from 3 to 0"));
        assert_eq!(note(&scaled(Some("from 3 to 0"), 0, 5), false).as_deref(), Some("from 3 to 5"));
        assert_eq!(note(&scaled(Some("from 3 to 0"), 2, 5), false).as_deref(), Some("from 2 to 5"));
        assert_eq!(note(&scaled(Some("from 3 to 0"), 0, 3), true), None);
        assert_eq!(before(Some("from 3 to 0")), Some((3, 0)));
        for odd in [None, Some(""), Some("from 3"), Some("from -1 to 2"), Some("from x to y")] {
            assert_eq!(before(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn what_it_was_to_become_is_read_back_from_what_was_confirmed() {
        let (name, identity) = scaled(None, 3, 12).identity();
        assert_eq!((&*name, &*identity), ("deployment/web", "uid u1, generation 4, 3 -> 12"));
        assert_eq!(Move::wished(&identity), Some(12));
        assert_eq!(Move::wished("uid u1"), None);
    }
}
