//! What a provider knows a message by: the same for a repeated request, another one for another channel.

use crate::core::words::notification::Intent;
use crate::kinds::channel::Outgoing;
use sha2::{Digest, Sha256};

/// Hexadecimal digits of a digest that stand for a whole text.
const DIGEST_BYTES: usize = 8;

/// The name of the alert that a message is about. Two channels of one account have an alert each: otherwise the
/// second one would be taken for a repetition of the first, and its responders would hear nothing. What only
/// informs is an alert of its own, so that it neither hides a page nor opens one again that was closed.
pub fn alert(outgoing: &Outgoing, channel: &str) -> String {
    let alert = format!("{}/{channel}", outgoing.key);
    match outgoing.intent {
        Intent::Inform => {
            let said = format!("{}\n{}", outgoing.message.subject, outgoing.message.body);
            format!("{alert}/inform-{}", digest(&said))
        }
        Intent::Page | Intent::Acknowledge | Intent::Resolve => alert,
    }
}

/// A key as it is, or its begin and a digest where it is longer than a provider takes.
pub fn within(key: &str, limit_bytes: usize) -> String {
    if key.len() <= limit_bytes {
        return key.to_owned();
    }
    let digest = digest(key);
    let mut end = limit_bytes.saturating_sub(digest.len() + 1);
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~{digest}", &key[..end])
}

/// A key of letters, digits and hyphens, for addresses and headers: readable, and told from others by its digest.
pub fn plain(key: &str, limit_bytes: usize) -> String {
    let readable = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let digest = digest(key);
    let room = limit_bytes.saturating_sub(digest.len() + 1);
    let begin: String = key.chars().map(readable).take(room).collect();
    format!("{begin}-{digest}")
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_key_is_cut_and_stays_its_own() {
        let (one, two) = ("ü".repeat(300) + "1", "ü".repeat(300) + "2");
        for limit in [255, 254] {
            assert!(within(&one, limit).len() <= limit);
            assert_ne!(within(&one, limit), within(&two, limit));
        }
        assert_eq!(within("lifeboat/a/b", 255), "lifeboat/a/b");
    }

    #[test]
    fn a_plain_key_holds_nothing_that_an_address_or_header_minds() {
        let key = plain("lifeboat/ARKA Engine v1.2/INC-1/n3", 100);
        let digest = &key[key.len() - 16..];
        assert_eq!(key, format!("lifeboat-ARKA-Engine-v1-2-INC-1-n3-{digest}"));
        assert_ne!(plain("a/b", 100), plain("a.b", 100));
        assert!(plain(&"x".repeat(900), 512).len() <= 512);
    }
}
