//! What is wrong with a file, with its place and what to do about it.

use super::{Sources, Span};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// How bad a problem is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// What was read cannot be used.
    Error,
    /// It can be used, and may not do what its writer wants.
    Warning,
}

impl Level {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// A short stable name for scripts (`unknown-key`).
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The file, where the problem is not at a place in its text.
    pub file: Option<String>,
    /// Where it is, and what the mark says.
    pub place: Option<(Span, String)>,
    /// Other places that belong to it.
    pub also: Vec<(Span, String)>,
    /// What would do.
    pub help: Option<String>,
    /// It is about what lies outside of the files and is read again while they are used: they can be used all the same.
    pub outside: bool,
}

impl Diagnostic {
    /// A problem at a place.
    pub(crate) fn at(level: Level, code: &'static str, place: Span, message: impl Into<String>) -> Self {
        let place = Some((place, String::new()));
        Self {
            level,
            code,
            message: message.into(),
            file: None,
            place,
            also: Vec::new(),
            help: None,
            outside: false,
        }
    }

    /// An error at a place.
    pub(crate) fn error(code: &'static str, place: Span, message: impl Into<String>) -> Self {
        Self::at(Level::Error, code, place, message)
    }

    /// A warning at a place.
    pub(crate) fn warning(code: &'static str, place: Span, message: impl Into<String>) -> Self {
        Self::at(Level::Warning, code, place, message)
    }

    /// An error about a whole file or folder.
    pub(crate) fn of_file(code: &'static str, file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            code,
            message: message.into(),
            file: Some(file.into()),
            place: None,
            also: Vec::new(),
            help: None,
            outside: false,
        }
    }

    /// The same, about what lies outside of the files.
    pub(crate) fn outside(mut self) -> Self {
        self.outside = true;
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        if let Some((_, text)) = &mut self.place {
            *text = label.into();
        }
        self
    }

    pub(crate) fn also(mut self, place: Span, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that is wrong, errors and warnings, in the order of the files.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    omitted: usize,
    sources: Arc<Sources>,
    masked: Vec<Span>,
}

impl Diagnostics {
    /// Every problem that is kept.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// Whether all of it, or a file, could not be read.
    pub fn unread(&self) -> bool {
        self.of_unread().is_some()
    }

    /// The first file or folder that could not be read, and why.
    pub fn of_unread(&self) -> Option<(&str, &str)> {
        let unread = self.list.iter().filter(|problem| UNREAD.contains(&problem.code));
        unread.filter_map(|problem| Some((problem.file.as_deref()?, problem.message.as_str()))).next()
    }

    /// How many more there are than are kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The files that the places point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What is never shown of the files: secrets that were written in them.
    pub(crate) fn masked(&self) -> &[Span] {
        &self.masked
    }

    /// The number of errors that are kept.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.level == Level::Error).count()
    }

    /// The number of warnings that are kept.
    pub fn warnings(&self) -> usize {
        self.list.len() - self.errors()
    }

    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Diagnostics {
    /// A line for each problem, for logs and for callers without a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::render::plain(self).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

/// What is wrong with a whole file or folder of which nothing was read.
pub(crate) const UNREAD: [&str; 5] = ["unreadable", "empty", "too-many-files", "too-large", "encoding"];

/// Most problems that are kept: more would be noise, and a hostile file could ask for millions.
const MAX_PROBLEMS: usize = 100;

/// Collects problems while something is read.
#[derive(Default)]
pub(crate) struct Report {
    list: RefCell<Vec<Diagnostic>>,
    omitted: RefCell<usize>,
    errors: RefCell<usize>,
    masked: RefCell<Vec<Span>>,
    /// What is told once, at the first of its places, however many there are.
    gathered: RefCell<Vec<(Span, String)>>,
}

impl Report {
    pub(crate) fn add(&self, problem: Diagnostic) {
        if problem.level == Level::Error && !problem.outside {
            *self.errors.borrow_mut() += 1;
        }
        let mut list = self.list.borrow_mut();
        // A problem of what several inherit from is found with each of them.
        if list.contains(&problem) {
            return;
        }
        if list.len() < MAX_PROBLEMS {
            list.push(problem);
            return;
        }
        *self.omitted.borrow_mut() += 1;
        if problem.level == Level::Error
            && let Some(warning) = list.iter().position(|kept| kept.level == Level::Warning)
        {
            list[warning] = problem;
        }
    }

    /// An error that is told once for all of its places, with what is named there.
    pub(crate) fn gather(&self, place: Span, name: String) {
        *self.errors.borrow_mut() += 1;
        self.gathered.borrow_mut().push((place, name));
    }

    /// How many errors keep what was read from being used, whether or not they are kept.
    pub(crate) fn errors(&self) -> usize {
        *self.errors.borrow()
    }

    /// Keeps a secret that is written in a file off screens and logs.
    pub(crate) fn mask(&self, place: Span) {
        self.masked.borrow_mut().push(place);
    }

    /// Whether looking for near misses is still worth it.
    pub(crate) fn is_full(&self) -> bool {
        self.list.borrow().len() >= MAX_PROBLEMS
    }

    /// All that was found; `told` makes one problem of what was gathered.
    pub(crate) fn finish(
        self,
        sources: Arc<Sources>,
        told: impl FnOnce(&[(Span, String)]) -> Option<Diagnostic>,
    ) -> Diagnostics {
        let mut list = self.list.into_inner();
        list.extend(told(&self.gathered.into_inner()));
        let key = |problem: &Diagnostic| problem.place.as_ref().map(|(place, _)| (place.file, place.start));
        list.sort_by_key(key);
        Diagnostics { list, omitted: self.omitted.into_inner(), sources, masked: self.masked.into_inner() }
    }
}
