//! Which texts are too ordinary to be taken for a secret wherever they stand.

/// The longest text of ordinary words that is one itself.
const ORDINARY_CHARS: usize = 16;
/// Digits that stand beside words (`us-east-1`, `db-02`).
const ORDINARY_DIGITS: usize = 2;

/// Whether a text looks like a word or name that stands in ordinary texts too (`primary`, `us-east-1`, `Admin`): short,
/// of letters of one case, with a number of few digits at most.
pub(super) fn is_everyday(text: &str) -> bool {
    let text = text.trim();
    let mut parts = text.split(['-', '_', '.', ' ', ':', ',']).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_none() || text.chars().count() <= ORDINARY_CHARS && parts.all(is_word_or_number)
}

fn is_word_or_number(part: &str) -> bool {
    if part.chars().all(|c| c.is_ascii_digit()) {
        return part.len() <= ORDINARY_DIGITS;
    }
    let letters = part.strip_prefix(char::is_alphabetic).unwrap_or_default();
    let lower = letters.chars().all(char::is_lowercase);
    let upper = letters.chars().all(char::is_uppercase) && part.starts_with(char::is_uppercase);
    part.starts_with(char::is_alphabetic) && (lower || upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_names_are_everyday_and_what_is_made_up_is_not() {
        for word in
            ["primary", "Primary", "us-east-1", "db.internal", "true", "ADMIN", "----", "", "a b", "Überfall"]
        {
            assert!(is_everyday(word), "{word:?}");
        }
        for made_up in ["hunter2", "MIIEpAIB", "s3cr3t", "correct horse battery", "2026", "aB3-x", "x!y?z#"] {
            assert!(!is_everyday(made_up), "{made_up:?}");
        }
    }
}
