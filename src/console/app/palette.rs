//! The command palette: actions, screens, runbooks and questions by name.

use super::field::Field;
use crate::console::keymap::{ACTIONS, Action, Chord, Context};
use crate::core::model::Model;
use crate::ids::{QuestionId, RunbookId};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What can be found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// An action of the keymap, in the context of the screen.
    Action(Action),
    /// A runbook, to read.
    Runbook(RunbookId),
    /// A question to go back to.
    Question(QuestionId),
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it leads to.
    pub target: Target,
    /// Its name.
    pub name: String,
    /// What it does.
    pub doc: String,
}

/// The open palette.
pub struct Palette {
    /// What was typed.
    pub field: Field,
    /// The selected one of those that match.
    pub selected: usize,
    entries: Vec<Entry>,
    /// Places of the entries that match, the best first.
    matching: Vec<usize>,
    matcher: Matcher,
}

impl std::fmt::Debug for Palette {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Palette").field("text", &self.field.text()).finish_non_exhaustive()
    }
}

/// Moving about needs no name, and a yes to a question is given on the question.
const UNNAMED: &[Action] = &[
    Action::Palette,
    Action::Back,
    Action::Up,
    Action::Down,
    Action::Left,
    Action::Right,
    Action::PageUp,
    Action::PageDown,
    Action::Top,
    Action::Bottom,
    Action::Select,
    Action::AnswerYes,
    Action::AnswerNo,
];

impl Palette {
    /// All that can be done on a screen.
    pub fn new(model: Option<&Model>, screen: Context) -> Self {
        let offered = ACTIONS.iter().filter(|info| {
            let here = info.contexts.contains(&screen) || info.contexts.contains(&Context::Global);
            here && !UNNAMED.contains(&info.action)
        });
        let mut entries: Vec<Entry> = offered
            .map(|info| Entry {
                target: Target::Action(info.action),
                name: info.name.to_owned(),
                doc: info.doc.to_owned(),
            })
            .collect();
        if let Some(model) = model {
            entries.extend(model.plan.runbooks.iter().map(|(id, runbook)| Entry {
                target: Target::Runbook(id.clone()),
                name: format!("runbook {id}"),
                doc: runbook.title.clone(),
            }));
            entries.extend(model.plan.tree.questions.iter().map(|(id, question)| Entry {
                target: Target::Question(id.clone()),
                name: format!("revisit {id}"),
                doc: question.ask.clone(),
            }));
        }
        let matcher = Matcher::new(Config::DEFAULT);
        let mut palette =
            Self { field: Field::default(), selected: 0, entries, matching: Vec::new(), matcher };
        palette.narrow();
        palette
    }

    /// The entries that match, the best first.
    pub fn matching(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.matching.iter().map(|place| &self.entries[*place])
    }

    /// The selected entry.
    pub fn chosen(&self) -> Option<&Entry> {
        self.matching().nth(self.selected)
    }

    /// Moves the selection.
    pub fn step(&mut self, by: isize) {
        let last = self.matching.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Takes a key into the field.
    pub fn press(&mut self, chord: Chord) {
        if self.field.press(chord) {
            self.narrow();
        }
    }

    /// Takes pasted text into the field.
    pub fn paste(&mut self, text: &str) {
        self.field.paste(text);
        self.narrow();
    }

    fn narrow(&mut self) {
        let pattern = Pattern::parse(self.field.text(), CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            let text = format!("{} {}", entry.name, entry.doc);
            if let Some(score) = pattern.score(Utf32Str::new(&text, &mut buffer), &mut self.matcher) {
                scored.push((score, place));
            }
        }
        scored.sort_by_key(|(score, place)| (std::cmp::Reverse(*score), *place));
        self.matching = scored.into_iter().map(|(_, place)| place).collect();
        self.selected = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(typed: &str) -> Option<String> {
        let mut palette = Palette::new(None, Context::Decide);
        palette.paste(typed);
        palette.chosen().map(|entry| entry.name.clone())
    }

    #[test]
    fn a_few_letters_find_an_action() {
        assert_eq!(best("decl").as_deref(), Some("declare-incident"));
        assert_eq!(best("gototime").as_deref(), Some("goto-timeline"));
        assert_eq!(best("zzzz"), None);
    }

    #[test]
    fn a_question_is_never_answered_from_here() {
        let palette = Palette::new(None, Context::Decide);
        assert!(palette.matching().all(|entry| !entry.name.starts_with("answer-yes")));
        assert!(palette.matching().any(|entry| entry.name == "skip-step"));
    }
}
