//! The one door through which text from outside comes in: secrets are taken out of the whole text, then what could
//! steer or disguise, then what is too long.

use crate::base::text::clean_counted;
use crate::core::words::outside::{Extent, Outside};
use crate::secrets::Redactor;

/// How much is kept of what somebody said, in characters.
const LINE_LIMIT_CHARS: usize = 2_000;
/// How much is kept of what is run, in characters.
const CALL_LIMIT_CHARS: usize = 64_000;

/// Admits text from outside. It knows the secrets of its world; clones know the same.
#[derive(Clone, Debug)]
pub struct Door {
    redactor: Redactor,
}

impl Door {
    /// A door that knows what the redactor knows.
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor }
    }

    /// What came from outside, as it may be recorded and shown. A second time changes nothing.
    #[must_use]
    pub fn admit<T: Outside>(&self, mut outside: T) -> T {
        outside.texts(&mut |text, extent| {
            let limit_chars = match extent {
                Extent::Line => LINE_LIMIT_CHARS,
                Extent::Call => CALL_LIMIT_CHARS,
            };
            *text = clean_counted(&self.redactor.redact(text), limit_chars);
        });
        outside
    }

    /// The same without secrets only, for what is cleaned where its lines are known.
    #[must_use]
    pub fn mask<T: Outside>(&self, mut outside: T) -> T {
        outside.texts(&mut |text, _| *text = self.redactor.redact(text));
        outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::reading::Measurement;

    fn door() -> Door {
        let redactor = Redactor::new();
        redactor.learn_value("db", "hunter22");
        Door::new(redactor)
    }

    #[test]
    fn secrets_are_taken_out_before_anything_is_cleaned_or_cut() {
        let split = format!("{}hunter22 and more", "x".repeat(LINE_LIMIT_CHARS - 4));
        let measured =
            door().admit(Measurement::critical(split).with_text("a\u{1b}b", "hun\u{1b}ter22".to_owned()));
        assert!(!measured.summary.contains("hunt"), "{}", measured.summary);
        assert!(measured.summary.contains("… ("), "{}", &measured.summary[1_900..]);
        assert_eq!(measured.text("a\u{fffd}b"), Some("[secret db]"), "a control character hides none");
    }

    #[test]
    fn to_come_in_twice_changes_nothing() {
        let once = door().admit(Measurement::critical(format!("{}\u{202e}hunter22", "long ".repeat(1_000))));
        assert_eq!(door().admit(once.clone()), once);
    }

    #[test]
    fn what_a_person_writes_keeps_its_lines() {
        let ask = crate::core::words::command::Ask::Note { text: "it is hunter22\nand more".into() };
        let masked = door().mask(ask);
        assert_eq!(
            masked,
            crate::core::words::command::Ask::Note { text: "it is [secret db]\nand more".into() }
        );
    }
}
