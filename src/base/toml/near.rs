//! The nearest known word to a mistyped one.

/// The nearest of the known words, when it is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word_lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= 3)
        .map(|candidate| (strsim::osa_distance(&word_lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` for the nearest of the known words; none where none is near enough.
pub(crate) fn near_miss<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::{near_miss, nearest};

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let known = ["warn", "critical", "timeout", "every"];
        assert_eq!(nearest("timeuot", known), Some("timeout"));
        assert_eq!(nearest("Warn", known), Some("warn"));
        assert_eq!(nearest("region", known), None);
        assert_eq!(nearest("x", known), None);
    }

    #[test]
    fn only_a_slip_of_the_finger_is_a_near_miss() {
        assert_eq!(near_miss("critcal", ["ok", "critical"]).unwrap(), "did you mean `critical`?");
        assert_eq!(near_miss("zebra", ["ok", "critical"]), None);
    }
}
