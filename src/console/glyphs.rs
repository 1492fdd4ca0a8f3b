//! The table of glyphs: one cell wide each, with an ASCII form for terminals that show nothing else.

use ratatui::symbols::border;

/// What a glyph stands for.
/// [`GLYPHS`] documents each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Glyph {
    Ok,
    Warn,
    Critical,
    Unknown,
    Running,
    Pending,
    Ready,
    Skipped,
    Attested,
    Failed,
    Live,
    Drill,
    Selected,
    Collapsed,
    Expanded,
    TreeBranch,
    TreeLast,
    TreeTrunk,
    TreeLine,
    NoReturn,
    Ellipsis,
    Separator,
    Gap,
    BarFull,
    BarEmpty,
    More,
    Less,
}

/// One entry of the table.
#[derive(Debug)]
pub struct GlyphInfo {
    pub glyph: Glyph,
    /// What it stands for.
    pub doc: &'static str,
    unicode: &'static str,
    ascii: &'static str,
}

const fn entry(glyph: Glyph, unicode: &'static str, ascii: &'static str, doc: &'static str) -> GlyphInfo {
    GlyphInfo { glyph, doc, unicode, ascii }
}

/// Every glyph once, in the order of the enum. None is an emoji or has an emoji form: terminals disagree about
/// the width of those.
pub const GLYPHS: &[GlyphInfo] = &[
    entry(Glyph::Ok, "✓", "+", "known to be well, verified"),
    entry(Glyph::Warn, "▲", "!", "warning"),
    entry(Glyph::Critical, "✘", "X", "critical"),
    entry(Glyph::Unknown, "?", "?", "not known"),
    entry(Glyph::Running, "▸", ">", "under way"),
    entry(Glyph::Pending, "○", ".", "not yet possible"),
    entry(Glyph::Ready, "◇", "o", "can be started"),
    entry(Glyph::Skipped, "⊘", "-", "skipped, with a reason"),
    entry(Glyph::Attested, "✎", "a", "done by hand and attested"),
    entry(Glyph::Failed, "✗", "x", "failed"),
    entry(Glyph::Live, "●", "*", "a live incident"),
    entry(Glyph::Drill, "◆", "#", "a drill"),
    entry(Glyph::Selected, "›", ">", "the selected row"),
    entry(Glyph::Collapsed, "▹", "+", "can be opened"),
    entry(Glyph::Expanded, "▿", "-", "is open"),
    entry(Glyph::TreeBranch, "├", "|", "a branch"),
    entry(Glyph::TreeLast, "└", "`", "the last branch"),
    entry(Glyph::TreeTrunk, "│", "|", "a tree goes on"),
    entry(Glyph::TreeLine, "─", "-", "to the node of a branch"),
    entry(Glyph::NoReturn, "━", "=", "the point of no return"),
    entry(Glyph::Ellipsis, "…", "~", "text was cut here"),
    entry(Glyph::Separator, "·", "|", "between two pieces of a line"),
    entry(Glyph::Gap, "×", "?", "no reading in the history"),
    entry(Glyph::BarFull, "█", "#", "the used part of a bar"),
    entry(Glyph::BarEmpty, "░", ".", "the rest of a bar"),
    entry(Glyph::More, "↓", "v", "more below"),
    entry(Glyph::Less, "↑", "^", "more above"),
];

const UNICODE_LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_LEVELS: [&str; 8] = ["_", ".", "-", "~", "=", "+", "*", "#"];

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// The set of glyphs for one terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// For terminals in a UTF-8 locale.
    Unicode,
    /// For all others, and for `--ascii`.
    Ascii,
}

impl Glyphs {
    /// The set for a locale: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set decides, as in setlocale(3).
    pub fn detect(lc_all: Option<&str>, lc_ctype: Option<&str>, lang: Option<&str>) -> Self {
        let locale = [lc_all, lc_ctype, lang].into_iter().flatten().find(|value| !value.is_empty());
        let utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        if utf8 { Glyphs::Unicode } else { Glyphs::Ascii }
    }

    /// The glyph itself, one cell wide.
    pub fn get(self, glyph: Glyph) -> &'static str {
        // A test holds the table to the order of the enum.
        let info = &GLYPHS[glyph as usize];
        match self {
            Glyphs::Unicode => info.unicode,
            Glyphs::Ascii => info.ascii,
        }
    }

    /// Eight bars of growing height.
    pub fn levels(self) -> &'static [&'static str; 8] {
        match self {
            Glyphs::Unicode => &UNICODE_LEVELS,
            Glyphs::Ascii => &ASCII_LEVELS,
        }
    }

    /// The frame of panels and dialogs.
    pub fn border(self) -> border::Set<'static> {
        match self {
            Glyphs::Unicode => border::PLAIN,
            Glyphs::Ascii => ASCII_BORDER,
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_enum() {
        for (index, info) in GLYPHS.iter().enumerate() {
            assert_eq!(info.glyph as usize, index, "{}", info.doc);
        }
        assert_eq!(GLYPHS.len(), Glyph::Less as usize + 1);
    }

    #[test]
    fn every_glyph_is_one_cell_and_no_emoji() {
        let glyphs = GLYPHS.iter().flat_map(|info| [info.unicode, info.ascii]);
        for glyph in glyphs.chain(UNICODE_LEVELS).chain(ASCII_LEVELS) {
            assert_eq!(glyph.width(), 1, "{glyph}");
            // A character with an emoji form becomes two cells wide when the emoji selector follows it.
            assert!(glyph.is_ascii() || format!("{glyph}\u{fe0f}").width() == 1, "{glyph} has an emoji form");
        }
    }

    #[test]
    fn the_ascii_set_is_ascii() {
        assert!(GLYPHS.iter().all(|info| info.ascii.is_ascii()));
        let border = Glyphs::Ascii.border();
        assert!([border.top_left, border.vertical_left, border.horizontal_top].iter().all(|s| s.is_ascii()));
    }

    #[test]
    fn states_differ_within_a_set() {
        let states =
            [Glyph::Ok, Glyph::Warn, Glyph::Critical, Glyph::Unknown, Glyph::Running, Glyph::Pending];
        let more = [Glyph::Ready, Glyph::Skipped, Glyph::Attested, Glyph::Failed];
        for set in [Glyphs::Unicode, Glyphs::Ascii] {
            let mut shown: Vec<&str> = states.iter().chain(&more).map(|glyph| set.get(*glyph)).collect();
            let count = shown.len();
            shown.sort_unstable();
            shown.dedup();
            assert_eq!(shown.len(), count, "{set:?}");
        }
    }

    #[test]
    fn the_locale_decides() {
        assert_eq!(Glyphs::detect(None, None, Some("en_GB.UTF-8")), Glyphs::Unicode);
        assert_eq!(Glyphs::detect(Some("C"), None, Some("en_GB.UTF-8")), Glyphs::Ascii);
        assert_eq!(Glyphs::detect(Some(""), Some("C.utf8"), None), Glyphs::Unicode);
        assert_eq!(Glyphs::detect(None, None, None), Glyphs::Ascii);
    }
}
