//! What is odd about a secret's value, in words that show nothing of it.

use super::everyday::is_everyday;

/// Shorter secrets turn up in other texts by chance.
const SHORT_CHARS: usize = 8;

/// What a person should know of a value: blanks and line ends that belong to it only by mistake ("password wrong", for
/// hours), and what keeps it from being masked well. Empty for most.
pub(super) fn remarks(value: &str) -> Vec<&'static str> {
    let checks: [(bool, &str); 6] = [
        (value.starts_with(char::is_whitespace), "it begins with a blank or an empty line"),
        (value.ends_with(['\n', '\r']), "it ends with an empty line"),
        (value.ends_with(|c: char| c.is_whitespace() && !matches!(c, '\n' | '\r')), "it ends with a blank"),
        (value.trim_end().contains('\r'), "it holds carriage returns: its lines end as on Windows"),
        (
            is_everyday(value),
            "it is an ordinary word: to keep it secret the word is masked in every text, wherever it stands",
        ),
        (
            value.chars().count() < SHORT_CHARS && !is_everyday(value),
            "it has fewer than 8 characters: what looks like it by chance is masked too",
        ),
    ];
    checks.into_iter().filter(|(odd, _)| *odd).map(|(_, words)| words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_secret_by_mistake_is_said() {
        let said = |value: &str| remarks(value).join("; ");
        assert_eq!(said("x9Y8z7W6v5"), "");
        assert!(said("x9Y8z7W6v5 ").contains("ends with a blank"));
        assert!(said("\tx9Y8z7W6v5").contains("begins with a blank"));
        assert!(said("x9Y8z7W6v5\n").contains("empty line"));
        assert!(said("x9Y8z7W6v5\r\nx9Y8z7W6v4").contains("carriage returns"));
        assert!(said("primary").contains("ordinary word"));
        assert!(said("x9Y8").contains("fewer than 8"));
    }
}
