//! The help overlay, written from the keymap, and other things to read.

use super::field::Field;
use crate::console::keymap::{Context, Keymap};
use crate::ids::RunbookId;
use crate::plan::{ConfirmLevel, Plan};
use crate::units;

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
    /// Moves; drawing never goes past the end.
    pub fn scroll(&mut self, by: isize) {
        self.offset = self.offset.saturating_add_signed(by).min(self.lines.len().saturating_sub(1));
    }

    /// Goes to the begin.
    pub fn top(&mut self) {
        self.offset = 0;
    }
}

/// The open help.
#[derive(Clone, Debug)]
pub struct Help {
    /// All of it.
    pub reading: Reading,
    /// The text that is being searched, while it is typed.
    pub search: Option<Field>,
    found: String,
}

impl Help {
    /// The keys of `here` first, then those of the other places.
    pub fn new(keymap: &Keymap, here: Context) -> Self {
        let mut lines = Vec::new();
        for context in std::iter::once(here).chain(Context::ALL.into_iter().filter(|other| *other != here)) {
            let effective = if context == here {
                keymap.effective(context)
            } else {
                keymap.bindings(context).copied().collect()
            };
            lines.push(Line::Heading(format!("{}: {}", context.name(), context.doc())));
            let mut last = None;
            for binding in effective {
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
