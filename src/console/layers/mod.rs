//! Where themes and keymaps come from: files embedded in the program, shadowed by the user's own folder.
//!
//! A user file may carry the name of a built-in one; `inherits` inside it then means the built-in.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::{DeString, DeTable, DeValue};

use crate::base::text::clean;

/// Largest theme or keymap file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;
/// Longest message of a problem; what a file says is quoted in it.
const MAX_MESSAGE_CHARS: usize = 400;

/// Where a theme or keymap comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Embedded in the program.
    BuiltIn,
    /// A file of the user.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn => formatter.write_str("built in"),
            Origin::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// One theme or keymap as text.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name it is chosen by: the file name without `.toml`.
    pub name: String,
    /// Where it was found.
    pub origin: Origin,
    /// Its TOML text.
    pub text: String,
}

impl Source {
    /// A problem at byte `offset` of this source.
    pub fn problem(&self, offset: usize, message: impl Into<String>) -> Problem {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        Problem {
            place: format!("{}:{line}", self.place()),
            message: clean(&message.into(), MAX_MESSAGE_CHARS),
            help: None,
        }
    }

    fn place(&self) -> String {
        match &self.origin {
            Origin::BuiltIn => format!("{}.toml (built in)", self.name),
            Origin::File(path) => path.display().to_string(),
        }
    }

    /// Parses the text, with every syntax error as a problem. What could be read is returned all the same,
    /// so that its own problems are shown at once.
    pub fn parse(&self, problems: &mut Vec<Problem>) -> DeTable<'_> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            problems.push(self.problem(offset, format!("not valid TOML: {}", error.message())));
        }
        table.into_inner()
    }
}

/// One thing wrong with a theme or keymap, with its place and what would fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `file:line`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What would make it right, where that is known.
    pub help: Option<String>,
}

impl Problem {
    /// Adds what would make it right.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)?;
        match &self.help {
            Some(help) => write!(formatter, "\n    help: {help}"),
            None => Ok(()),
        }
    }
}

/// All sources of one kind (themes, or keymaps), the built-in ones first.
#[derive(Debug, Clone)]
pub struct Layers {
    kind: &'static str,
    sources: Vec<Source>,
    unreadable: Vec<Problem>,
}

impl Layers {
    /// Collects the built-in `(name, text)` pairs and the `*.toml` files of `folder`. A folder that does not
    /// exist is an empty one; files that cannot be read become problems. `kind` names one source in messages.
    pub fn collect(
        kind: &'static str,
        built_in: &[(&'static str, &'static str)],
        folder: Option<&Path>,
    ) -> Self {
        let sources = built_in
            .iter()
            .map(|(name, text)| Source {
                name: (*name).to_owned(),
                origin: Origin::BuiltIn,
                text: (*text).to_owned(),
            })
            .collect();
        let mut layers = Self { kind, sources, unreadable: Vec::new() };
        if let Some(folder) = folder {
            layers.add_folder(folder);
        }
        layers
    }

    fn add_folder(&mut self, folder: &Path) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.add_unreadable(folder, &error),
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        paths.sort();
        for path in paths {
            match read_source(&path) {
                Ok(source) => self.sources.push(source),
                Err(error) => self.add_unreadable(&path, &error),
            }
        }
    }

    fn add_unreadable(&mut self, path: &Path, error: &std::io::Error) {
        self.unreadable.push(Problem {
            place: path.display().to_string(),
            message: format!("cannot be read: {error}"),
            help: Some(format!("mend or remove it; the built-in {}s work without it", self.kind)),
        });
    }

    /// Every source in order, built-in ones first; a later one shadows an earlier one of the same name.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Files and folders that could not be read.
    pub fn unreadable(&self) -> &[Problem] {
        &self.unreadable
    }

    /// Names to choose from, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for source in &self.sources {
            if !names.contains(&source.name.as_str()) {
                names.push(&source.name);
            }
        }
        names
    }

    /// Adds one source on top of all others and returns its index; used to check a file outside the folder.
    pub fn push(&mut self, source: Source) -> usize {
        self.sources.push(source);
        self.sources.len() - 1
    }

    /// The index of the topmost source called `name`.
    pub fn find(&self, name: &str) -> Result<usize, Problem> {
        self.find_below(name, self.sources.len()).ok_or_else(|| self.no_such(name))
    }

    fn find_below(&self, name: &str, end: usize) -> Option<usize> {
        self.sources.get(..end)?.iter().rposition(|source| source.name == name)
    }

    fn no_such(&self, name: &str) -> Problem {
        let names = self.names();
        let help = near_miss(name, names.iter().copied())
            .unwrap_or_else(|| format!("there are: {}", names.join(", ")));
        Problem {
            place: name.to_owned(),
            message: format!("no {} called `{name}`", self.kind),
            help: Some(help),
        }
    }

    /// The sources that make up the one at `index`: the ancestors named by `inherits` first, itself last.
    /// A missing parent or a cycle is a problem at the line that names it.
    pub fn lineage(&self, index: usize, problems: &mut Vec<Problem>) -> Vec<usize> {
        let mut lineage = vec![index];
        let mut current = index;
        while let Some((parent, offset)) = self.parent_name(current) {
            let source = &self.sources[current];
            let found = if parent == source.name {
                self.find_below(&parent, current)
            } else {
                self.find_below(&parent, self.sources.len())
            };
            match found {
                None => {
                    let help = self.no_such(&parent).help.unwrap_or_default();
                    let message = format!("inherits from `{parent}`, and no {} has that name", self.kind);
                    problems.push(source.problem(offset, message).with_help(help));
                    break;
                }
                Some(next) if lineage.contains(&next) => {
                    let names: Vec<&str> = lineage.iter().map(|i| self.sources[*i].name.as_str()).collect();
                    let message = format!("inherits from itself: {} -> {parent}", names.join(" -> "));
                    problems.push(source.problem(offset, message).with_help("remove one `inherits`"));
                    break;
                }
                Some(next) => {
                    lineage.push(next);
                    current = next;
                }
            }
        }
        lineage.reverse();
        lineage
    }

    fn parent_name(&self, index: usize) -> Option<(String, usize)> {
        let (table, _) = DeTable::parse_recoverable(&self.sources[index].text);
        let value = table.get_ref().get("inherits")?;
        Some((value.get_ref().as_str()?.to_owned(), value.span().start))
    }
}

/// Reads one TOML file of bounded size; the name of the source is the file name without its extension.
pub fn read_source(path: &Path) -> std::io::Result<Source> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(std::io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| std::io::Error::other("not UTF-8 text"))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Source { name, origin: Origin::File(path.to_owned()), text })
}

/// Checks that a table has only `known` keys; each other key is a problem with its near miss.
pub fn reject_unknown_keys(
    source: &Source,
    table: &DeTable<'_>,
    known: &[&str],
    problems: &mut Vec<Problem>,
) {
    for key in table.keys() {
        let name: &DeString<'_> = key.get_ref();
        if !known.contains(&name.as_ref()) {
            let help = near_miss(name, known.iter().copied())
                .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
            problems.push(source.problem(key.span().start, format!("unknown key `{name}`")).with_help(help));
        }
    }
}

/// Checks that an optional key holds text.
pub fn expect_text(source: &Source, table: &DeTable<'_>, key: &str, problems: &mut Vec<Problem>) {
    if let Some(value) = table.get(key)
        && value.get_ref().as_str().is_none()
    {
        problems.push(source.problem(value.span().start, format!("`{key}` must be text in quotes")));
    }
}

/// The text of an optional key, empty when it is missing or not text.
pub fn text_of<'t>(table: &'t DeTable<'_>, key: &str) -> &'t str {
    table.get(key).and_then(|value| DeValue::as_str(value.get_ref())).unwrap_or_default()
}

/// "did you mean `x`?" for the closest candidate, when one is close enough to be a slip of the finger.
pub fn near_miss<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests;
