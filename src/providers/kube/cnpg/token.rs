//! The demotion token: what `pg_controldata` said of a primary that was shut down in order. Who replayed up to it has all.
//! <https://cloudnative-pg.io/documentation/current/replica_cluster/#demoting-a-primary-to-a-replica-cluster>

use crate::providers::kube::client::Cluster;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The longest that is taken for one: theirs have about 400 characters.
const MAX_CHARS: usize = 4096;
const FIELD_CHARS: usize = 40;
/// Bytes of the digest that are shown: enough to tell two tokens apart.
const DIGEST_BYTES: usize = 6;

/// What a token holds, as far as it decides anything here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    #[serde(rename = "latestCheckpointTimelineID")]
    timeline: String,
    #[serde(rename = "databaseSystemIdentifier")]
    pub system: String,
    #[serde(rename = "latestCheckpointREDOLocation")]
    redo: String,
}

impl Token {
    /// Of its text; none where it is none that CloudNativePG makes.
    pub fn of(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok().filter(|_| text.len() <= MAX_CHARS)?;
        serde_json::from_slice(&bytes).ok()
    }

    /// The timeline on which the primary was shut down.
    pub fn timeline(&self) -> Option<u64> {
        self.timeline.parse().ok()
    }
}

/// A token in short, so that two can be told apart: `timeline 3 at 0/6000028, 1a2b3c4d5e6f`; `none` where there is none.
pub fn words(cluster: &Cluster, text: &str) -> String {
    if text.is_empty() {
        return NONE.to_owned();
    }
    let digest: String =
        Sha256::digest(text).iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect();
    match Token::of(text) {
        Some(Token { timeline, redo, .. }) => {
            let (timeline, redo) = (cluster.shown(&timeline, FIELD_CHARS), cluster.shown(&redo, FIELD_CHARS));
            format!("timeline {timeline} at {redo}, {digest}")
        }
        None => format!("unreadable, {digest}"),
    }
}

/// How [`words`] calls that there is no token.
pub const NONE: &str = "none";

/// A whole token for people and their commands.
pub fn whole(cluster: &Cluster, text: &str) -> String {
    cluster.shown(text, MAX_CHARS)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dr, token};
    use super::*;

    #[test]
    fn a_token_is_told_by_what_it_holds_and_two_are_told_apart() {
        let (one, other) = (words(&dr(), &token(3, "0/6000028")), words(&dr(), &token(3, "0/6000060")));
        assert!(one.starts_with("timeline 3 at 0/6000028, ") && one != other, "{one} {other}");
        assert_eq!(Token::of(&token(3, "0/6000028")).unwrap().timeline(), Some(3));
        assert_eq!(words(&dr(), ""), "none");
    }

    #[test]
    fn what_is_no_token_is_none() {
        for odd in ["", "x", "eyJhIjoxfQ==", &token(3, &"0".repeat(4096)), "\u{1b}[2J"] {
            assert!(Token::of(odd).is_none(), "{odd}");
        }
        assert!(words(&dr(), "\u{1b}[2J").starts_with("unreadable, "));
    }
}
