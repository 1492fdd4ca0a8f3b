//! Where forms of secrets stand in a text: whole, in pieces, over line ends, and cut off.

use super::everyday::is_everyday;
use super::forms::Form;
use super::spellings;
use super::view::{self, View};
use crate::base::text::tail;
use aho_corasick::{AhoCorasick, BuildError};
use std::ops::Range;

/// A form is looked for by so many bytes of its beginning, and compared from there: one automaton stays small.
const ANCHOR_BYTES: usize = 32;
/// Characters of a piece by which a form is looked for.
const PIECE_BYTES: usize = 8;
/// From one piece to the next: every part of a form with twice as many characters holds a whole piece.
const PIECE_STEP: usize = 8;
/// The same for a long form.
const LONG_PIECE_STEP: usize = 32;
/// Longer forms are looked for by fewer pieces.
const LONG_FORM_BYTES: usize = 1_024;
/// The shortest part of a form known by pieces that counts.
const MIN_PIECE_RUN: usize = 12;
/// The shortest part of any other form that counts.
const MIN_RUN: usize = 48;
/// The shortest form without white space that is looked for across white space of any kind.
const MIN_WRAPPED: usize = 12;
/// The shortest form that is looked for across line ends.
const MIN_BROKEN: usize = 6;
/// Before a mark of a cut so much of a form counts; of a short form half of it, and at least [`MIN_HEAD`].
const HEAD_BYTES: usize = 6;
const MIN_HEAD: usize = 4;
/// A secret of which more stands there already is found by that.
const BEGUN_BYTES: usize = 8 * 1024;
/// What marks the place where a text was cut.
const CUTS: [&str; 2] = ["…", "..."];

/// A part of a text that is a part of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) bytes: Range<usize>,
    /// The place of the form in the list that the matcher was made of.
    pub(super) form: usize,
}

/// Looks for many forms at once.
pub(super) struct Matcher {
    /// Beginnings of all forms.
    whole: Option<Index>,
    /// Pieces of what is known by its pieces, and whole forms without white space, for text whose line ends are taken
    /// out.
    joined: Option<Index>,
    /// The shortest telling beginnings of all forms, for text that was cut.
    heads: Option<Index>,
}

/// Anchors in an automaton.
struct Index {
    automaton: AhoCorasick,
    anchors: Vec<Anchor>,
}

/// A part of a form that leads to it.
struct Anchor {
    form: usize,
    /// Where it stands in the form, in bytes.
    at: usize,
    /// So much of the form must stand in the text.
    least: usize,
}

/// How often a text may have been quoted within another one: a program's JSON in a reply in a log line, and one more.
const MAX_QUOTED: usize = 4;

impl Matcher {
    /// A matcher over these forms.
    pub(super) fn new(forms: &[Form]) -> Self {
        let (mut whole, mut joined, mut heads) = (Builder::default(), Builder::default(), Builder::default());
        for (number, form) in forms.iter().enumerate() {
            let text = form.text.as_bytes();
            let least = least_run(form);
            whole.add(number, text, 0, ANCHOR_BYTES.min(least), least);
            let head = MIN_HEAD.max(HEAD_BYTES.min(text.len() / 2));
            heads.add(number, text, 0, head, head);
            if form.by_pieces && text.len() >= MIN_PIECE_RUN {
                let step = if text.len() > LONG_FORM_BYTES { LONG_PIECE_STEP } else { PIECE_STEP };
                for at in (0..=text.len() - PIECE_BYTES).step_by(step) {
                    joined.add(number, text, at, PIECE_BYTES, MIN_PIECE_RUN);
                }
            } else if text.len() >= MIN_WRAPPED && !form.text.contains(char::is_whitespace) {
                joined.add(number, text, 0, ANCHOR_BYTES, MIN_RUN);
            }
        }
        // A build fails only with more anchors than the automaton can count; then nothing may pass, see `find`.
        Self { whole: whole.build(), joined: joined.build(), heads: heads.build() }
    }

    /// All places where forms stand, in no order, overlapping; none where the matcher could not be made.
    pub(super) fn find(&self, forms: &[Form], text: &str) -> Option<Vec<Found>> {
        let indexes = (self.whole.as_ref()?, self.joined.as_ref()?, self.heads.as_ref()?);
        let mut found = Vec::new();
        search(indexes, forms, text, None, &mut found);
        for view in views(text) {
            search(indexes, forms, view.text(), Some(&view.places), &mut found);
            // What escapes stand for need not be text.
            if view.text().is_empty() {
                collect(&mut found, Some(&view.places), |found| indexes.0.find(forms, &view.bytes, found));
            }
        }
        found.iter_mut().for_each(|found| found.bytes = to_characters(text, &found.bytes));
        Some(found)
    }

    /// Whether a secret begins at the end of the text, so that it may go on in what comes next.
    pub(super) fn is_begun(&self, forms: &[Form], text: &str) -> bool {
        let Some(heads) = &self.heads else { return false };
        let plain = View::of(tail(text, BEGUN_BYTES), view::line_ends_out);
        let shown = plain.then(view::sequences_out);
        let squeezed = shown.as_ref().and_then(|view| view.then(view::blanks_out));
        let views = [Some(plain), shown, squeezed];
        views.iter().flatten().any(|view| {
            let mut found = Vec::new();
            heads.find_cut(forms, &view.bytes, view.bytes.len(), &mut found);
            found.iter().any(|found| found.bytes.len() < forms[found.form].text.len())
        })
    }
}

/// How many bytes of a form's beginning tell it: of what is no ordinary text three quarters, as where a column was too narrow
/// for it.
fn least_run(form: &Form) -> usize {
    let text = form.text.as_str();
    let mixed = text.contains(|c: char| c.is_ascii_digit()) && text.contains(char::is_alphabetic);
    let ordinary = text.split(['/', '-', '_', '.', ':', '@', ' ']).all(is_everyday);
    match () {
        () if form.by_pieces => MIN_PIECE_RUN,
        () if mixed && !ordinary => (text.len() * 3 / 4).clamp(MIN_PIECE_RUN, MIN_RUN),
        () => MIN_RUN,
    }
}

/// A text as it may have been before tools wrote it: escapes undone, as often as it was quoted, and what a terminal
/// would not show taken out of each.
fn views(text: &str) -> Vec<View> {
    let mut views = Vec::new();
    if text.contains('\\') {
        let unescaped = std::iter::successors(Some(View::of(text, view::unescaped)), |view| {
            view.text().contains('\\').then(|| view.then(view::unescaped)).flatten()
        });
        views.extend(unescaped.take(MAX_QUOTED));
        views.push(View::of(text, spellings::points_unescaped));
        if text.contains("\\0") {
            views.push(View::of(text, spellings::echo_undone));
        }
    }
    if text.contains('%') {
        let decoded = View::of(text, view::percent_decoded);
        views.extend(decoded.then(view::percent_decoded).filter(|_| decoded.text().contains('%')));
        views.push(decoded);
        views.push(View::of(text, spellings::points_percent_decoded));
    }
    if spellings::is_quoted_printable(text) {
        views.push(View::of(text, spellings::quoted_printable));
        views.push(View::of(text, spellings::points_quoted_printable));
    }
    if text.contains("M-") {
        views.push(View::of(text, spellings::meta_undone));
    }
    if text.contains("&#") || text.contains('&') && text.contains(';') {
        let undone = View::of(text, view::entities_undone);
        views.extend(undone.then(view::entities_undone).filter(|_| undone.text().contains('&')));
        views.push(undone);
    }
    if view::has_pairs(text) {
        views.push(View::of(text, view::hexadecimal_joined));
    }
    let shown = |undo| view::hides(text).then(|| View::of(text, undo));
    let without = |undo| {
        let hiding = views.iter().filter(|view| view::hides(view.text()));
        hiding.filter_map(move |view| view.then(undo)).chain(shown(undo)).collect::<Vec<_>>()
    };
    let hidden = [without(view::sequences_out), without(view::hidden_out)];
    views.extend(hidden.into_iter().flatten());
    views
}

/// Looks for forms as they are, over line ends, over white space and before cuts.
fn search(
    (whole, joined, heads): (&Index, &Index, &Index),
    forms: &[Form],
    text: &str,
    places: Option<&[Range<usize>]>,
    found: &mut Vec<Found>,
) {
    collect(found, places, |found| whole.find(forms, text.as_bytes(), found));
    let view = |undo| match places {
        None => View::of(text, undo),
        Some(places) => View::over(text, places, undo),
    };
    if text.contains(char::is_whitespace) {
        let squeezed = view(view::blanks_out);
        collect(found, Some(&squeezed.places), |found| joined.find(forms, &squeezed.bytes, found));
    } else {
        collect(found, places, |found| joined.find(forms, text.as_bytes(), found));
    }
    if text.contains(['\n', '\r']) {
        let unbroken = view(view::line_ends_out);
        collect(found, Some(&unbroken.places), |found| {
            whole.find(forms, &unbroken.bytes, found);
            found.retain(|found| forms[found.form].text.len() >= MIN_BROKEN);
            cut_off(heads, forms, unbroken.text(), found);
        });
        let wrapped = view(view::line_ends_to_blanks);
        collect(found, Some(&wrapped.places), |found| {
            whole.find(forms, &wrapped.bytes, found);
            found.retain(|found| forms[found.form].text.contains(' '));
        });
    }
    collect(found, places, |found| cut_off(heads, forms, text, found));
}

/// What stands before marks of cuts.
fn cut_off(heads: &Index, forms: &[Form], text: &str, found: &mut Vec<Found>) {
    for cut in CUTS {
        text.match_indices(cut).for_each(|(at, _)| heads.find_cut(forms, text.as_bytes(), at, found));
    }
    found.retain(|found| !is_ordinary(forms, found, text));
}

/// `starting postgres...` is no connection string that was cut.
fn is_ordinary(forms: &[Form], found: &Found, text: &str) -> bool {
    let left = text.get(found.bytes.clone());
    2 * found.bytes.len() < forms[found.form].text.len() && left.is_some_and(is_everyday)
}

/// Adds what a search finds, at its places in the text that a view was made of.
fn collect(found: &mut Vec<Found>, places: Option<&[Range<usize>]>, search: impl FnOnce(&mut Vec<Found>)) {
    let mut new = Vec::new();
    search(&mut new);
    if let Some(places) = places {
        for found in &mut new {
            found.bytes = places[found.bytes.start].start..places[found.bytes.end - 1].end;
        }
    }
    found.append(&mut new);
}

impl Index {
    fn find(&self, forms: &[Form], text: &[u8], found: &mut Vec<Found>) {
        // What an earlier anchor of the same form covered already.
        let mut covered = (usize::MAX, 0);
        for hit in self.automaton.find_overlapping_iter(text) {
            let anchor = &self.anchors[hit.pattern().as_usize()];
            if covered.0 == anchor.form && hit.end() <= covered.1 {
                continue;
            }
            let form = forms[anchor.form].text.as_bytes();
            let before = common(form[..anchor.at].iter().rev(), text[..hit.start()].iter().rev());
            let after = common(form[anchor.at..].iter(), text[hit.start()..].iter());
            if before + after >= anchor.least.min(form.len()) {
                let bytes = hit.start() - before..hit.start() + after;
                covered = (anchor.form, bytes.end);
                found.push(Found { bytes, form: anchor.form });
            }
        }
    }

    /// Beginnings of forms that end at `cut`.
    fn find_cut(&self, forms: &[Form], text: &[u8], cut: usize, found: &mut Vec<Found>) {
        let longest = forms.iter().map(|form| form.text.len()).max().unwrap_or_default();
        let from = cut.saturating_sub(longest);
        for hit in self.automaton.find_overlapping_iter(&text[from..cut]) {
            let anchor = &self.anchors[hit.pattern().as_usize()];
            let bytes = from + hit.start()..cut;
            let (form, left) = (forms[anchor.form].text.as_bytes(), &text[bytes.clone()]);
            if form.starts_with(left) {
                found.push(Found { bytes, form: anchor.form });
            }
        }
    }
}

#[derive(Default)]
struct Builder<'f> {
    patterns: Vec<&'f [u8]>,
    anchors: Vec<Anchor>,
}

impl<'f> Builder<'f> {
    fn add(&mut self, form: usize, text: &'f [u8], at: usize, length: usize, least: usize) {
        self.patterns.push(&text[at..text.len().min(at + length)]);
        self.anchors.push(Anchor { form, at, least });
    }

    fn build(self) -> Option<Index> {
        let automaton: Result<AhoCorasick, BuildError> = AhoCorasick::new(&self.patterns);
        automaton.ok().map(|automaton| Index { automaton, anchors: self.anchors })
    }
}

fn common<'a>(form: impl Iterator<Item = &'a u8>, text: impl Iterator<Item = &'a u8>) -> usize {
    form.zip(text).take_while(|(form, text)| form == text).count()
}

/// The characters that some of whose bytes are meant.
fn to_characters(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let start = (0..=bytes.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let end = (bytes.end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    start..end
}
