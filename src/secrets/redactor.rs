//! Clears text of every secret that was resolved so far.

use std::sync::{Arc, PoisonError, RwLock};

use super::forms::{Form, forms_of, forms_of_passwords_in};
use super::value::Secret;

/// What stands for a secret when its own label would show part of another secret.
const PLAIN_MARK: &str = "[redacted]";

/// Replaces every known secret in outgoing text by `[secret NAME]`, also where it is URL-encoded, escaped or
/// in base64, and also the password alone when the secret is a connection string. Clones share what they know.
///
/// Run it before [`crate::text::clean`]: cleaning could break up a secret so that it is not found.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Vec<Needle>>>,
}

struct Needle {
    form: Form,
    label: String,
}

impl Redactor {
    /// A redactor that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a secret; the same value a second time is free.
    pub fn learn(&self, secret: &Secret) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|needle| needle.form.as_str() == secret.expose()) {
            return;
        }
        let label = format!("[secret {}]", secret.label());
        known.extend(forms_of(secret.expose()).into_iter().map(|form| Needle { form, label: label.clone() }));
    }

    /// Remembers only the passwords inside a connection string that stands in the plan: the rest of it, host
    /// and user, is no secret and is shown.
    pub fn learn_passwords_of(&self, connection_string: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let label = "[secret plan]".to_owned();
        for form in forms_of_passwords_in(connection_string) {
            if known.iter().all(|needle| needle.form != form) {
                known.push(Needle { form, label: label.clone() });
            }
        }
    }

    /// The text without any known secret.
    pub fn redact(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let spans = spans(&known, text);
        if spans.is_empty() {
            return text.to_owned();
        }
        for mark_with_label in [true, false] {
            let redacted = replace(text, &spans, mark_with_label);
            if known.iter().all(|needle| !redacted.contains(needle.form.as_str())) {
                return redacted;
            }
        }
        // The mark and its neighbours spell a secret again: keep nothing.
        String::new()
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

struct Span<'a> {
    start: usize,
    end: usize,
    label: &'a str,
}

/// Where secrets stand in the text; overlapping ones are joined, so that no end of one is left over.
fn spans<'a>(known: &'a [Needle], text: &str) -> Vec<Span<'a>> {
    let mut found: Vec<Span<'a>> = Vec::new();
    for needle in known {
        let matches = text.match_indices(needle.form.as_str());
        found.extend(matches.map(|(start, form)| Span {
            start,
            end: start + form.len(),
            label: &needle.label,
        }));
    }
    // The longest first at the same place: its label names the whole.
    found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut joined: Vec<Span<'a>> = Vec::new();
    for span in found {
        match joined.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

fn replace(text: &str, spans: &[Span<'_>], mark_with_label: bool) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut kept_until = 0;
    for span in spans {
        redacted.push_str(&text[kept_until..span.start]);
        redacted.push_str(if mark_with_label { span.label } else { PLAIN_MARK });
        kept_until = span.end;
    }
    redacted.push_str(&text[kept_until..]);
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Origin;
    use proptest::prelude::*;

    fn redactor_of(secrets: &[(&str, &str)]) -> Redactor {
        let redactor = Redactor::new();
        for (name, value) in secrets {
            let name = name.parse().unwrap();
            redactor.learn(&Secret::new(&name, (*value).to_owned(), Origin::KernelKeyring));
        }
        redactor
    }

    #[test]
    fn the_name_stands_for_the_value() {
        let redactor = redactor_of(&[("db", "hunter22"), ("dsn", "postgres://app:s3cr%21t@db/x")]);
        assert_eq!(redactor.redact("password=hunter22;"), "password=[secret db];");
        assert_eq!(redactor.redact("auth s3cr!t failed"), "auth [secret dsn] failed");
        assert_eq!(redactor.redact("at postgres://app:s3cr%21t@db/x"), "at [secret dsn]");
        assert_eq!(redactor.redact("nothing here"), "nothing here");
    }

    #[test]
    fn basic_authentication_hides_the_password_at_every_alignment() {
        use base64::Engine;
        let redactor = redactor_of(&[("api", "correct horse battery")]);
        for user in ["", "a", "ab", "abc"] {
            let header =
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:correct horse battery"));
            let redacted = redactor.redact(&format!("Basic {header}"));
            assert!(redacted.contains("[secret api]"), "{user:?}: {redacted}");
        }
    }

    #[test]
    fn a_secret_that_looks_like_its_own_mark_does_not_survive() {
        let redactor = redactor_of(&[("odd", "secret"), ("mark", "[redacted]")]);
        assert!(!redactor.redact("my secret [redacted] here").contains("secret"));
        assert!(!redactor.redact("my secret [redacted] here").contains("[redacted]"));
    }

    #[test]
    fn clones_learn_together() {
        let redactor = Redactor::new();
        let clone = redactor.clone();
        let name = "late".parse().unwrap();
        redactor.learn(&Secret::new(&name, "hunter22".into(), Origin::KernelKeyring));
        assert_eq!(clone.redact("hunter22"), "[secret late]");
    }

    proptest! {
        /// No secret survives, whatever stands around it and however it overlaps with others.
        #[test]
        fn no_secret_survives(
            secrets in proptest::collection::vec("[ab\\[\\]c-e%@:/ \"\\\\é\n]{4,12}", 1..4),
            around in "[ab\\[\\]c-e%@:/ \"\\\\é\n]{0,12}",
            picks in proptest::collection::vec((0usize..4, 0u8..5), 1..6),
        ) {
            use base64::Engine;
            prop_assume!(secrets.iter().all(|secret| !secret.trim().is_empty()));
            let names = ["one", "two", "three", "four"];
            let named: Vec<_> = names.iter().copied().zip(secrets.iter().map(String::as_str)).collect();
            let redactor = redactor_of(&named);
            let mut text = around.clone();
            let mut hidden = secrets.clone();
            for (pick, form) in picks {
                let secret = &secrets[pick % secrets.len()];
                let written = match form {
                    0 => secret.clone(),
                    1 => serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
                    2 => base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret),
                    3 => secret.bytes().map(|b| format!("%{b:02X}")).collect(),
                    _ => secret[..secret.char_indices().nth(2).unwrap().0].to_owned(),
                };
                if form == 0 || (form == 2 && written.len() >= 8) {
                    hidden.push(written.clone());
                }
                text.push_str(&written);
                if form % 2 == 0 {
                    text.push_str(&around);
                }
            }
            let redacted = redactor.redact(&text);
            for value in hidden {
                prop_assert!(!redacted.contains(&value), "{value:?} survives in {redacted:?}");
            }
        }
    }
}
