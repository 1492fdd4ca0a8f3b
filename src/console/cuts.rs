//! What a frame cuts off: each place is noted with the whole text where the ellipsis is set, so that one key shows all
//! of it and nothing is cut in silence.

use ratatui::buffer::Buffer;
use std::cell::RefCell;
use unicode_width::UnicodeWidthStr;

/// So many characters before the ellipsis tell one place from another.
const TAIL_CHARS: usize = 12;
/// How many places are kept; more can be read nowhere at once.
const MOST: usize = 200;

#[derive(Clone, PartialEq, Eq, Debug)]
struct Cut {
    /// The end of what is seen, with its mark.
    tail: String,
    whole: String,
}

/// The places of a frame where a text ends before its end; noted while it is drawn.
#[derive(Debug, Default)]
pub struct Cuts {
    noted: RefCell<Vec<Cut>>,
}

impl Cuts {
    /// Notes that of `whole` only `seen` is drawn, which ends with a mark.
    pub fn note(&self, seen: &str, whole: &str) {
        if seen.is_empty() {
            return;
        }
        let count = seen.chars().count();
        let tail: String = seen.chars().skip(count.saturating_sub(TAIL_CHARS)).collect();
        let whole = whole.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut = Cut { tail, whole };
        let mut noted = self.noted.borrow_mut();
        if noted.len() < MOST && !noted.contains(&cut) {
            noted.push(cut);
        }
    }

    /// Forgets what was noted and is not in the buffer: much is tried before it is drawn.
    pub fn keep_drawn(&self, buffer: &Buffer) {
        if self.is_empty() {
            return;
        }
        let rows = rows(buffer);
        self.noted.borrow_mut().retain(|cut| rows.iter().any(|row| row.contains(&cut.tail)));
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.noted.borrow_mut().clear();
    }

    /// Whether nothing is cut.
    pub fn is_empty(&self) -> bool {
        self.noted.borrow().is_empty()
    }

    /// The whole texts, each once.
    pub fn wholes(&self) -> Vec<String> {
        let mut wholes: Vec<String> = Vec::new();
        for cut in self.noted.borrow().iter() {
            if !wholes.contains(&cut.whole) {
                wholes.push(cut.whole.clone());
            }
        }
        wholes
    }
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y| {
        let mut row = String::new();
        let mut x = area.x;
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap_or(1);
        }
        row
    };
    (area.y..area.bottom()).map(row).collect()
}
