//! What of a list is in view, and what a filter lets through.

use super::View;
use crate::console::keymap::Action;
use crate::console::theme::Role;
use ratatui::text::Line;
use std::ops::Range;

/// The rows in view of a list, which the frame notes: the keys that turn a page move by them.
pub fn window(view: &View<'_>, selected: usize, rows: usize, height: usize) -> Range<usize> {
    view.shown.note_rows(height);
    around(selected, rows, height)
}

/// `height` of the rows, with the selected one in the middle where there are rows on both sides.
fn around(selected: usize, rows: usize, height: usize) -> Range<usize> {
    let height = height.min(rows);
    let start = selected.min(rows).saturating_sub(height / 2).min(rows - height);
    start..start + height
}

/// That a filter lets nothing through, and how it is cleared; that there is nothing, without one.
pub fn no_match(view: &View<'_>) -> Line<'static> {
    let text = match view.ui.filter.as_str() {
        "" => " nothing to show".to_owned(),
        filter => format!(" nothing matches \"{filter}\"; {} clears the filter", view.key(Action::Back)),
    };
    Line::from(view.styles.span(Role::Muted, text))
}

/// A case-insensitive substring.
pub struct Filter {
    needle: String,
}

impl Filter {
    /// A filter; an empty one lets everything through.
    pub fn new(text: &str) -> Self {
        Self { needle: text.trim().to_lowercase() }
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.needle.is_empty()
    }

    /// Whether one of the texts contains it.
    pub fn lets(&self, texts: &[&str]) -> bool {
        self.needle.is_empty() || texts.iter().any(|text| self.is_in(text))
    }

    /// Without an allocation for the usual, ASCII needle: thousands of rows are filtered in every frame.
    fn is_in(&self, text: &str) -> bool {
        let needle = self.needle.as_bytes();
        if self.needle.is_ascii() {
            text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle))
        } else {
            text.to_lowercase().contains(&self.needle)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_selected_row_is_in_the_middle_as_far_as_there_are_rows() {
        assert_eq!(around(0, 10, 4), 0..4);
        assert_eq!(around(1, 10, 4), 0..4);
        assert_eq!(around(5, 10, 4), 3..7);
        assert_eq!(around(9, 10, 4), 6..10);
        assert_eq!(around(99, 3, 4), 0..3);
        assert_eq!(around(0, 0, 4), 0..0);
    }

    #[test]
    fn filters_do_not_mind_the_case() {
        assert!(Filter::new("").lets(&[]));
        assert!(Filter::new("LAG").lets(&["DR lag", "x"]));
        assert!(Filter::new("ÜBER").lets(&["über"]));
        assert!(!Filter::new("lag").lets(&["la", "g"]));
    }

    proptest! {
        #[test]
        fn the_selected_row_is_in_view(selected: u16, rows in 1_usize..500, height in 1_usize..60) {
            let range = around(selected.into(), rows, height);
            prop_assert!(range.contains(&usize::from(selected).min(rows - 1)));
            prop_assert!(range.end <= rows && range.len() == height.min(rows));
        }
    }
}
