//! The help overlay, written from the keymap, and other things to read.

use super::field::Field;
use crate::base::ids::RunbookId;
use crate::base::units;
use crate::console::keymap::{Action, Binding, Context, Keymap};
use crate::console::widgets::wrap;
use crate::plan::{ConfirmLevel, Plan};

/// Cells of the keys before what they do, where there is room.
const KEYS_WIDTH: usize = 22;
/// Blank cells before the keys.
pub const KEYS_INDENT: usize = 2;

/// One line of a text to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// A heading.
    Heading(String),
    /// A key and what it does.
    Key(String, String),
    /// Plain text.
    Text(String),
}

impl Line {
    fn contains(&self, needle: &str) -> bool {
        let holds = |text: &String| text.to_lowercase().contains(needle);
        match self {
            Self::Heading(_) => false,
            Self::Key(key, what) => holds(key) || holds(what),
            Self::Text(text) => holds(text),
        }
    }
}

/// Lines to read, and where one is in them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The heading.
    pub title: String,
    /// The text.
    pub lines: Vec<Line>,
    /// The first line in view.
    pub offset: usize,
}

impl Reading {
    /// Moves in lines of `width` cells; drawing never goes past the end.
    pub fn scroll(&mut self, by: isize, width: usize) {
        let last = broken(self.lines.iter(), width).len().saturating_sub(1);
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    /// Goes to the begin.
    pub fn top(&mut self) {
        self.offset = 0;
    }
}

/// Cells of the keys in lines of `width` cells.
pub fn keys_width(width: usize) -> usize {
    KEYS_WIDTH.min(width / 2)
}

/// Lines as they stand in `width` cells: a longer one is broken, and nothing of it is lost.
pub fn broken<'l>(lines: impl Iterator<Item = &'l Line>, width: usize) -> Vec<Line> {
    let keys_width = keys_width(width);
    let beside = width.saturating_sub(keys_width).max(1);
    let mut all = Vec::new();
    for line in lines {
        match line {
            Line::Heading(text) => all.extend(parts(text, width).into_iter().map(Line::Heading)),
            Line::Text(text) => all.extend(parts(text, width).into_iter().map(Line::Text)),
            Line::Key(keys, what) => {
                let (keys, what) =
                    (parts(keys, keys_width.saturating_sub(KEYS_INDENT + 1)), parts(what, beside));
                let at = |texts: &[String], row: usize| texts.get(row).cloned().unwrap_or_default();
                let rows = 0..keys.len().max(what.len());
                all.extend(rows.map(|row| Line::Key(at(&keys, row), at(&what, row))));
            }
        }
    }
    all
}

/// A text in lines, with the blanks that it begins with before each of them.
fn parts(text: &str, width: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    wrap(text, width.saturating_sub(indent.len())).into_iter().map(|part| format!("{indent}{part}")).collect()
}

/// The open help.
#[derive(Clone, Debug)]
pub struct Help {
    pub reading: Reading,
    /// The text that is being searched, while it is typed.
    pub search: Option<Field>,
    found: String,
}

impl Help {
    /// What matters `now` on the screen first, then the keys of `here` and those of every screen, then those of the
    /// other places; each key once.
    pub fn new(keymap: &Keymap, here: Context, now: &[Action]) -> Self {
        let mut lines = Vec::new();
        let known = now.iter().filter_map(|action| {
            let keys = keymap.keys(here, *action);
            let spelled = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            (!keys.is_empty()).then(|| Line::Key(spelled, action.info().doc.to_owned()))
        });
        lines.extend(known);
        if !lines.is_empty() {
            lines.insert(0, Line::Heading("ON THIS SCREEN NOW".into()));
            lines.push(Line::Text(String::new()));
        }
        let mut contexts = vec![here, Context::Global];
        contexts.extend(Context::ALL.into_iter().filter(|other| ![here, Context::Global].contains(other)));
        for context in contexts {
            let bound: Vec<Binding> = match context {
                // What the screen has for itself is no global key there.
                Context::Global => keymap.effective(here),
                other => keymap.bindings(other).copied().collect(),
            };
            let bound: Vec<Binding> =
                bound.into_iter().filter(|binding| binding.context == context).collect();
            if bound.is_empty() {
                continue;
            }
            lines.push(Line::Heading(format!("{}: {}", context.name(), context.doc())));
            let mut last = None;
            for binding in bound {
                let info = binding.action.info();
                let key = binding.sequence.to_string();
                match lines.last_mut() {
                    Some(Line::Key(keys, _)) if last == Some(info.action) => {
                        keys.push_str(", ");
                        keys.push_str(&key);
                    }
                    _ => lines.push(Line::Key(key, info.doc.to_owned())),
                }
                last = Some(info.action);
            }
            lines.push(Line::Text(String::new()));
        }
        let title = format!("Keys ({})", keymap.name());
        Self { reading: Reading { title, lines, offset: 0 }, search: None, found: String::new() }
    }

    /// What is searched for; empty shows all.
    pub fn wanted(&self) -> &str {
        self.search.as_ref().map_or(&self.found, |field| field.text())
    }

    /// The lines that are shown.
    pub fn shown(&self) -> Vec<&Line> {
        let needle = self.wanted().to_lowercase();
        self.reading.lines.iter().filter(|line| needle.is_empty() || line.contains(&needle)).collect()
    }

    /// Begins to type what is searched.
    pub fn begin_search(&mut self) {
        self.search = Some(Field::new(&self.found));
    }

    /// Ends typing; `keep` leaves the search as it is.
    pub fn end_search(&mut self, keep: bool) {
        let typed = self.search.take();
        self.found = typed.filter(|_| keep).map_or_else(String::new, |field| field.text().to_owned());
    }
}

/// The steps of a runbook, to read before anything is decided.
pub fn preview(plan: &Plan, id: &RunbookId) -> Option<Reading> {
    let runbook = plan.runbooks.get(id)?;
    let mut lines = Vec::new();
    for (number, step) in runbook.steps.values().enumerate() {
        let level = match step.confirm {
            ConfirmLevel::None if step.is_by_hand() => "by hand",
            ConfirmLevel::None => "by itself",
            ConfirmLevel::Yes => "one key confirms",
            ConfirmLevel::Type => "the target's name is typed",
        };
        lines.push(Line::Heading(format!("{}. {}", number + 1, step.title)));
        let mut about = format!("   {}, {level}", step.action);
        if step.irreversible {
            about.push_str(", IRREVERSIBLE");
        }
        if let Some(estimate) = step.estimate {
            about.push_str(&format!(", about {}", units::duration(estimate)));
        }
        lines.push(Line::Text(about));
        lines.extend(step.guard.iter().map(|guard| Line::Text(format!("   guard: {}", guard.source()))));
    }
    Some(Reading { title: runbook.title.clone(), lines, offset: 0 })
}
