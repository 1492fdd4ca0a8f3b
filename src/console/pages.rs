//! Reading a text that does not fit: each page begins after the last line that stood on the screen, whatever room
//! there was for it.

use super::cuts::Cuts;
use super::keymap::Action;
use std::cell::{Cell, RefCell};

/// The lines of a text that stand on the screen: those from `first` to before `end`, of `all`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stretch {
    /// The first line in sight.
    pub first: usize,
    /// The line after the last one in sight.
    pub end: usize,
    /// How many lines the text has.
    pub all: usize,
}

/// Where somebody is in a text: at its begin, or on a page that was turned to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pages {
    /// The first lines of the pages that were turned to, and how many lines the text had then.
    starts: Vec<(usize, usize)>,
    /// What the last frame showed; none where all of it fits.
    seen: Option<Stretch>,
}

impl Pages {
    /// Back to the begin.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Notes what a frame showed.
    pub fn see(&mut self, seen: Option<Stretch>) {
        self.seen = seen;
    }

    /// Goes on after what was seen; after the end comes the begin.
    pub fn forward(&mut self) {
        let Some(seen) = self.seen else { return };
        if seen.end >= seen.all {
            self.starts.clear();
        } else if self.starts.last().is_none_or(|(start, _)| *start != seen.end) {
            self.starts.push((seen.end, seen.all));
        }
    }

    /// Goes back to the page before.
    pub fn back(&mut self) {
        self.starts.pop();
    }

    /// The first line of the page that was turned to, in a text of `all` lines; none at the begin.
    ///
    /// What became shorter may have done so above the page: it begins that much earlier, and no line is lost.
    pub fn start(&self, all: usize) -> Option<usize> {
        self.starts.last().map(|(start, before)| start.saturating_sub(before.saturating_sub(all)))
    }
}

/// What one frame shows of what is read in pages and walked in rows; noted while it is drawn.
#[derive(Debug, Default)]
pub struct Shown {
    text: Cell<Option<Stretch>>,
    rows: Cell<Option<usize>>,
    unseen: Cell<bool>,
    cuts: Cuts,
    keys: RefCell<Vec<Action>>,
}

impl Shown {
    /// Notes what is seen of the text that does not fit; there is one in a frame.
    pub fn note_text(&self, stretch: Stretch) {
        self.text.set(Some(stretch));
    }

    /// Notes how many rows a list shows.
    pub fn note_rows(&self, rows: usize) {
        self.rows.set(Some(rows));
    }

    /// Notes that what a key would act on is not in sight whole.
    pub fn note_unseen(&self) {
        self.unseen.set(true);
    }

    /// A dialog covers what was noted so far.
    pub fn cover(&self) {
        self.unseen.set(false);
        self.text.set(None);
        self.rows.set(None);
        self.cuts.clear();
    }

    /// Notes which keys matter on the screen now.
    pub fn note_keys(&self, keys: impl IntoIterator<Item = Action>) {
        self.keys.replace(keys.into_iter().collect());
    }

    /// What the keys that matter on the screen now do.
    pub fn keys(&self) -> Vec<Action> {
        self.keys.borrow().clone()
    }

    /// Where a text ends before its end.
    pub fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    /// What is seen of the text that does not fit; none where all of it does.
    pub fn text(&self) -> Option<Stretch> {
        self.text.get()
    }

    /// Whether what a key would act on is not in sight whole.
    pub fn unseen(&self) -> bool {
        self.unseen.get()
    }

    /// How many rows of the list are seen; none where there is no list.
    pub fn rows(&self) -> Option<usize> {
        self.rows.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One frame with `rows` for a text of `all` lines, and which of them it shows.
    fn frame(pages: &mut Pages, all: usize, rows: usize) -> std::ops::Range<usize> {
        let first = pages.start(all).unwrap_or(0);
        let end = (first + rows).min(all);
        pages.see((all > rows).then_some(Stretch { first, end, all }));
        if all > rows { first..end } else { 0..all }
    }

    proptest! {
        #[test]
        fn whatever_heights_it_is_read_at_no_line_is_lost_and_none_is_shown_twice_on_the_way(
            all in 1_usize..200, heights in prop::collection::vec((1_usize..30, 1_usize..30), 200..201)
        ) {
            let mut pages = Pages::default();
            let mut read: Vec<usize> = Vec::new();
            for (at_first, then) in heights {
                // Each page is seen at one height, then at another, as when a message goes away.
                frame(&mut pages, all, at_first);
                let shown = frame(&mut pages, all, then);
                let whole = shown.end - shown.start == all;
                prop_assert!(whole || shown.start == read.last().map_or(0, |last| last + 1));
                let next = read.len().max(shown.start);
                read.extend(next..shown.end);
                if shown.end == all {
                    break;
                }
                pages.forward();
            }
            prop_assert_eq!(read, (0..all).collect::<Vec<_>>());
        }

        #[test]
        fn a_text_that_becomes_shorter_or_longer_while_it_is_read_loses_no_line(
            before in 20_usize..60, after in 10_usize..80, rows in 3_usize..10
        ) {
            let mut pages = Pages::default();
            let first = frame(&mut pages, before, rows);
            pages.forward();
            let second = frame(&mut pages, after, rows);
            // What is left of the first page may have moved up by as much as became shorter.
            prop_assert!(second.start <= first.end.saturating_sub(before.saturating_sub(after)));
        }
    }

    #[test]
    fn two_keys_before_the_page_is_seen_turn_one_page_and_a_page_can_be_turned_back() {
        let mut pages = Pages::default();
        frame(&mut pages, 30, 10);
        pages.forward();
        pages.forward();
        assert_eq!(frame(&mut pages, 30, 10), 10..20);
        pages.forward();
        frame(&mut pages, 30, 10);
        pages.back();
        assert_eq!(frame(&mut pages, 30, 10), 10..20);
        pages.back();
        pages.back();
        assert_eq!(frame(&mut pages, 30, 10), 0..10, "before the begin there is nothing");
    }
}
