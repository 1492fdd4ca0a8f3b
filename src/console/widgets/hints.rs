//! Key hints: what the keys do here, written from the keymap.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::Styles;
use crate::console::glyphs::Glyph;
use crate::console::keymap::{Action, Context, Keymap};
use crate::console::theme::Role;

/// `key word` for an action, with the first key that does it in `context`; nothing when none does.
pub fn hint_spans(
    styles: &Styles<'_>,
    keymap: &Keymap,
    context: Context,
    action: Action,
    word: &str,
) -> Option<[Span<'static>; 2]> {
    let keys = keymap.keys(context, action).first()?.to_string();
    Some([styles.span(Role::KeyHint, keys), styles.span(Role::Muted, format!(" {word}"))])
}

/// A line of hints in order of importance; those that do not fit into `width` are left out whole, but help keeps its
/// room: it tells the others.
pub fn hint_line(
    styles: &Styles<'_>,
    keymap: &Keymap,
    context: Context,
    hints: &[(Action, &str)],
    width: u16,
) -> Line<'static> {
    let separator = format!(" {} ", styles.glyph(Glyph::Separator));
    let mut line = Line::default();
    let help = hints.iter().find(|(action, _)| *action == Action::Help);
    let help = help.and_then(|(action, word)| hint_spans(styles, keymap, context, *action, word));
    let mut kept = help.map_or(0, |spans| spans.iter().map(Span::width).sum::<usize>() + separator.width());
    for (action, word) in hints {
        if *action == Action::Help {
            kept = 0;
        }
        let Some(spans) = hint_spans(styles, keymap, context, *action, word) else { continue };
        let between = if line.spans.is_empty() { 0 } else { separator.width() };
        let needed = spans.iter().map(Span::width).sum::<usize>() + between;
        // The first is what matters most.
        let kept = if line.spans.is_empty() { 0 } else { kept };
        if line.width() + needed + kept > usize::from(width) {
            if kept > 0 {
                continue;
            }
            break;
        }
        if between > 0 {
            line.push_span(styles.span(Role::Muted, separator.clone()));
        }
        line.extend(spans);
    }
    line
}
