//! The command palette: actions, screens, runbooks and questions by name.

use super::field::Field;
use crate::base::ids::{QuestionId, RunbookId};
use crate::console::keymap::{ACTIONS, Action, Chord, Context, Keymap};
use crate::console::screens::table::SCREENS;
use crate::core::model::Model;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Longest text that is searched for; no name is longer.
const LONGEST_CHARS: usize = 80;

/// What can be found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// An action of the keymap, in the context of the screen.
    Action(Action),
    /// A runbook, to read.
    Runbook(RunbookId),
    /// A question to go back to.
    Question(QuestionId),
    /// What is done elsewhere, and how.
    Told(&'static str),
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it leads to.
    pub target: Target,
    pub name: String,
    pub doc: String,
    /// The key that does the same on this screen; empty where none does.
    pub key: String,
    /// Why it cannot be done now.
    pub why_not: Option<String>,
}

impl Entry {
    /// Whether it changes the world or the record.
    fn changes(&self) -> bool {
        match &self.target {
            Target::Action(action) => action.info().destructive,
            Target::Question(_) => true,
            Target::Runbook(_) | Target::Told(_) => false,
        }
    }
}

/// The open palette.
pub struct Palette {
    /// What was typed.
    pub field: Field,
    /// The selected one of those that match.
    pub selected: usize,
    /// Whether somebody went to the selected one.
    moved: bool,
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

/// Other words for what changes nothing by itself.
const ALSO: &[(Action, &str)] = &[
    (Action::Quit, "exit leave end close console"),
    (Action::Help, "keys keymap shortcuts bindings"),
    (Action::Filter, "search find"),
    (Action::Refresh, "redraw clear"),
    (Action::Copy, "clipboard yank"),
    (Action::Brief, "summary handover"),
    (Action::SendMessage, "customers statuspage tell"),
    (Action::Diagnose, "pods events logs kubectl describe"),
    (Action::RecordUndone, "rollback revert undo"),
];

/// What is done on the command line, by the words that somebody looks for it with.
const TOLD: &[(&str, &str, &str)] = &[
    (
        "theme",
        "colors colours dark light",
        "`lifeboat open --theme NAME`; `lifeboat themes list` names them.",
    ),
    ("keymap", "bindings emacs", "`lifeboat open --keymap NAME`; `lifeboat keys list` names them."),
    ("ascii", "unicode glyphs", "`lifeboat open --ascii`; a locale without UTF-8 does the same."),
    ("postmortem", "report export", "`lifeboat postmortem PLAN` writes it from the journal."),
    ("export", "journal records", "`lifeboat journal export --plan PLAN` writes the records."),
];

fn also(action: Action) -> &'static str {
    let screen = SCREENS.iter().find(|row| row.goto == action).map(|row| row.also);
    screen.or_else(|| ALSO.iter().find(|(of, _)| *of == action).map(|(_, words)| *words)).unwrap_or_default()
}

fn entry(target: Target, name: String, doc: String) -> Entry {
    Entry { target, name, doc, key: String::new(), why_not: None }
}

impl Palette {
    /// All that can be done, seen from a screen: with the keys of that screen, and why not, where something cannot be
    /// done now.
    pub fn new(
        model: Option<&Model>,
        screen: Context,
        keymap: &Keymap,
        why_not: impl Fn(Action) -> Option<String>,
    ) -> Self {
        let offered = ACTIONS.iter().filter(|info| {
            let contexts = [screen, Context::Global, Context::Decide];
            let here = contexts.iter().any(|context| info.contexts.contains(context));
            here && !UNNAMED.contains(&info.action)
        });
        let mut entries: Vec<Entry> = offered
            .map(|info| Entry {
                key: keymap.keys(screen, info.action).first().map_or_else(String::new, ToString::to_string),
                why_not: why_not(info.action),
                ..entry(Target::Action(info.action), info.name.to_owned(), info.doc.to_owned())
            })
            .collect();
        if let Some(model) = model {
            let runbooks = model.plan.runbooks.iter();
            entries.extend(runbooks.map(|(id, runbook)| {
                entry(Target::Runbook(id.clone()), format!("runbook {id}"), runbook.title.clone())
            }));
            let questions = model.plan.tree.questions.iter();
            entries.extend(questions.map(|(id, question)| {
                entry(Target::Question(id.clone()), format!("revisit {id}"), question.ask.clone())
            }));
        }
        entries.extend(
            TOLD.iter().map(|(name, _, how)| entry(Target::Told(how), (*name).into(), (*how).into())),
        );
        let matcher = Matcher::new(Config::DEFAULT);
        let mut palette = Self {
            field: Field::default(),
            selected: 0,
            moved: false,
            entries,
            matching: Vec::new(),
            matcher,
        };
        palette.narrow();
        palette
    }

    /// The entries that match, the best first.
    pub fn matching(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.matching.iter().map(|place| &self.entries[*place])
    }

    /// The selected entry; none before anything was typed or gone to.
    pub fn chosen(&self) -> Option<&Entry> {
        let meant = self.moved || !self.field.text().trim().is_empty();
        self.matching().nth(self.selected).filter(|_| meant)
    }

    /// Moves the selection.
    pub fn step(&mut self, by: isize) {
        let last = self.matching.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
        self.moved = true;
    }

    /// Takes a key into the field.
    pub fn press(&mut self, chord: Chord) {
        let full = self.field.text().chars().count() >= LONGEST_CHARS;
        if !(full && chord.typed().is_some()) && self.field.press(chord) {
            self.narrow();
        }
    }

    /// Takes pasted text into the field.
    pub fn paste(&mut self, text: &str) {
        let room = LONGEST_CHARS.saturating_sub(self.field.text().chars().count());
        self.field.paste(&text.chars().take(room).collect::<String>());
        self.narrow();
    }

    fn narrow(&mut self) {
        let query = Query::new(self.field.text());
        let mut found: Vec<(Rank, usize)> = Vec::new();
        let pattern = Pattern::parse(self.field.text(), CaseMatching::Ignore, Normalization::Smart);
        for (place, entry) in self.entries.iter().enumerate() {
            let rank = query.rank(entry).or_else(|| loose(&pattern, entry, &mut self.matcher));
            found.extend(rank.map(|rank| (rank, place)));
        }
        found.sort_unstable();
        self.matching = found.into_iter().map(|(_, place)| place).collect();
        (self.selected, self.moved) = (0, false);
    }
}

/// A few letters of a name in their order, for what changes nothing.
fn loose(pattern: &Pattern, entry: &Entry, matcher: &mut Matcher) -> Option<Rank> {
    let mut buffer = Vec::new();
    let found = !entry.changes() && pattern.score(Utf32Str::new(&entry.name, &mut buffer), matcher).is_some();
    found.then_some(Rank::Letters)
}

/// How well an entry matches, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    /// Every word is a word of the name.
    Words,
    /// Every word begins a word of the name.
    Begins,
    /// The name holds it, written as one word.
    Holds,
    /// Every word begins another word for it.
    Also,
    /// The letters are in the name, in this order.
    Letters,
    /// Every word begins a word of what it does.
    Described,
}

/// What was typed, in words.
struct Query {
    words: Vec<String>,
}

impl Query {
    fn new(text: &str) -> Self {
        Self { words: words(text) }
    }

    /// What changes the world or the record is found by its name alone: nobody who looks for `lag` means to
    /// acknowledge.
    fn rank(&self, entry: &Entry) -> Option<Rank> {
        let all = |fits: &dyn Fn(&String) -> bool| self.words.iter().all(fits);
        let name = words(&entry.name);
        if all(&|word| name.contains(word)) {
            return Some(Rank::Words);
        }
        if all(&|word| name.iter().any(|of_name| of_name.starts_with(word.as_str()))) {
            return Some(Rank::Begins);
        }
        if name.concat().contains(&self.words.concat()) {
            return Some(Rank::Holds);
        }
        let also = match &entry.target {
            Target::Action(action) if !entry.changes() => words(also(*action)),
            Target::Told(how) => {
                words(TOLD.iter().find(|(.., of)| of == how).map_or("", |(_, words, _)| words))
            }
            _ => Vec::new(),
        };
        if all(&|word| also.iter().any(|of_also| of_also.starts_with(word.as_str()))) {
            return Some(Rank::Also);
        }
        let doc = words(&entry.doc);
        let described = all(&|word| doc.iter().any(|of_doc| of_doc.starts_with(word.as_str())));
        (described && !entry.changes()).then_some(Rank::Described)
    }
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    split.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap;

    fn opened(screen: Context, why_not: impl Fn(Action) -> Option<String>) -> Palette {
        let keymap = keymap::load(&keymap::layers(None), keymap::DEFAULT).unwrap();
        Palette::new(None, screen, &keymap, why_not)
    }

    fn best(typed: &str) -> Option<String> {
        let mut palette = opened(Context::Decide, |_| None);
        palette.paste(typed);
        palette.chosen().map(|entry| entry.name.clone())
    }

    #[test]
    fn a_few_letters_find_an_action() {
        assert_eq!(best("decl").as_deref(), Some("declare-incident"));
        assert_eq!(best("gototime").as_deref(), Some("goto-timeline"));
        assert_eq!(best("zzzz"), None);
        assert_eq!(best("close").as_deref(), Some("close-incident"), "not the console");
    }

    #[test]
    fn with_nothing_typed_nothing_is_chosen_before_somebody_goes_to_it() {
        let mut palette = opened(Context::Overview, |_| None);
        assert!(palette.chosen().is_none() && palette.matching().len() > 1);
        palette.step(1);
        assert!(palette.chosen().is_some());
        palette.paste(" ");
        assert!(palette.chosen().is_none());
    }

    #[test]
    fn what_changes_something_is_never_found_by_what_it_does() {
        for typed in ["lag", "escalation", "level", "paged", "ged", "theme", "hand", "reason"] {
            let mut palette = opened(Context::Decide, |_| None);
            palette.paste(typed);
            let found: Vec<String> = palette.matching().map(|entry| entry.name.clone()).collect();
            let changing =
                ["acknowledge", "skip-step", "attest-step", "abort-run", "override-guard", "retry-step"];
            assert!(!found.iter().any(|name| changing.contains(&name.as_str())), "{typed}: {found:?}");
        }
        assert_eq!(best("escalation").as_deref(), Some("goto-escalation"));
        assert_eq!(best("ack").as_deref(), Some("acknowledge"));
    }

    #[test]
    fn a_hundred_thousand_letters_are_taken_without_searching_for_them() {
        let mut palette = opened(Context::Decide, |_| None);
        for _ in 0..100_000 {
            palette.press(Chord::parse("x").unwrap());
        }
        palette.paste(&"x".repeat(100_000));
        assert_eq!(palette.field.text().len(), LONGEST_CHARS);
    }

    #[test]
    fn a_question_is_never_answered_from_here() {
        let palette = opened(Context::Decide, |_| None);
        assert!(palette.matching().all(|entry| !entry.name.starts_with("answer-yes")));
        assert!(palette.matching().any(|entry| entry.name == "skip-step"));
    }

    #[test]
    fn what_somebody_would_look_for_is_found_by_that_word() {
        for (typed, wanted) in [
            ("lag", "goto-overview"),
            ("replication", "goto-overview"),
            ("failover", "goto-decide"),
            ("customers", "send-message"),
            ("log", "goto-timeline"),
            ("theme", "theme"),
            ("color", "theme"),
            ("ascii", "ascii"),
            ("keymap", "keymap"),
            ("search", "filter"),
            ("exit", "quit"),
            ("postmortem", "postmortem"),
            ("export", "export"),
            ("undo", "record-undone"),
        ] {
            assert_eq!(best(typed).as_deref(), Some(wanted), "{typed}");
        }
    }

    #[test]
    fn each_entry_says_its_key_and_why_not_also_of_what_another_screen_does() {
        let palette = opened(Context::Overview, |action| {
            (action == Action::AbortRun).then(|| "no runbook is running".into())
        });
        let entry = |name: &str| palette.matching().find(|entry| entry.name == name).cloned().unwrap();
        assert_eq!(entry("declare-incident").key, "D");
        assert_eq!(entry("abort-run").why_not.as_deref(), Some("no runbook is running"));
        assert_eq!(entry("skip-step").key, "", "it has none on this screen");
    }
}
