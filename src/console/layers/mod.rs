//! Where themes and keymaps come from: files embedded in the program, shadowed by the user's own folder.
//!
//! A user file may carry the name of a built-in one; `inherits` inside it then means the built-in.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::text::clean;
use crate::base::toml::near::near_miss;
use crate::base::toml::node::{Table, parse};
use crate::base::toml::{Diagnostic, Diagnostics, Report, SourceFile, Sources, Span};

/// Largest theme or keymap file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;
/// Longest name that is quoted in a problem.
const MAX_NAME_CHARS: usize = 100;

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
    pub text: Arc<str>,
}

impl Source {
    fn path(&self) -> String {
        match &self.origin {
            Origin::BuiltIn => format!("{}.toml (built in)", self.name),
            Origin::File(path) => path.display().to_string(),
        }
    }
}

/// All sources of one kind (themes, or keymaps), the built-in ones first.
#[derive(Debug, Clone)]
pub struct Layers {
    kind: &'static str,
    sources: Vec<Source>,
    unreadable: Vec<Diagnostic>,
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
                text: (*text).into(),
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
        let help = format!("mend or remove it; the built-in {}s work without it", self.kind);
        self.unreadable.push(unreadable(path, error).help(help));
    }

    /// The texts that places of problems point into.
    pub fn texts(&self) -> Arc<Sources> {
        let file = |source: &Source| SourceFile { path: source.path(), text: source.text.clone() };
        Arc::new(Sources(self.sources.iter().map(file).collect()))
    }

    /// Reads the source at `index`; every error of its syntax is told. One with errors says nothing.
    pub(crate) fn parse(&self, index: usize, report: &Report) -> Table {
        parse(index, &self.sources[index].text, report).unwrap_or_default()
    }

    /// Every source in order, built-in ones first; a later one shadows an earlier one of the same name.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Files and folders that could not be read.
    pub fn unreadable(&self) -> &[Diagnostic] {
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
    pub fn find(&self, name: &str) -> Result<usize, Box<Diagnostic>> {
        self.find_below(name, self.sources.len()).ok_or_else(|| Box::new(self.no_such(name)))
    }

    fn find_below(&self, name: &str, end: usize) -> Option<usize> {
        self.sources.get(..end)?.iter().rposition(|source| source.name == name)
    }

    fn no_such(&self, name: &str) -> Diagnostic {
        let message = format!("no {} called `{name}`", self.kind);
        Diagnostic::of_file("unknown-name", name, message).help(self.known(name))
    }

    fn known(&self, name: &str) -> String {
        let names = self.names();
        near_miss(name, names.iter().copied()).unwrap_or_else(|| format!("there are: {}", names.join(", ")))
    }

    /// The sources that make up the one at `index`: the ancestors named by `inherits` first, itself last.
    /// A missing parent or a cycle is a problem at the line that names it.
    pub(crate) fn lineage(&self, index: usize, report: &Report) -> Vec<usize> {
        let mut lineage = vec![index];
        let mut current = index;
        while let Some((parent, span)) = self.parent_name(current) {
            let source = &self.sources[current];
            let found = if parent == source.name {
                self.find_below(&parent, current)
            } else {
                self.find_below(&parent, self.sources.len())
            };
            match found {
                None => {
                    let message = format!("inherits from `{parent}`, and no {} has that name", self.kind);
                    report.add(Diagnostic::error("unknown-name", span, message).help(self.known(&parent)));
                    break;
                }
                Some(next) if lineage.contains(&next) => {
                    let names: Vec<&str> = lineage.iter().map(|i| self.sources[*i].name.as_str()).collect();
                    let message = format!("inherits from itself: {} -> {parent}", names.join(" -> "));
                    report.add(Diagnostic::error("inherits", span, message).help("remove one `inherits`"));
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

    fn parent_name(&self, index: usize) -> Option<(String, Span)> {
        let table = self.parse(index, &Report::default());
        let value = &table.get("inherits")?.node;
        Some((value.text()?.to_owned(), value.place))
    }
}

/// That a file or folder cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::of_file("unreadable", path.display().to_string(), format!("cannot be read: {error}"))
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
    Ok(Source { name, origin: Origin::File(path.to_owned()), text: text.into() })
}

/// Checks that a table has only `known` keys; each other key is a problem with its near miss.
pub(crate) fn reject_unknown_keys(table: &Table, known: &[&str], report: &Report) {
    for (name, entry) in table.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        let help = near_miss(name, known.iter().copied())
            .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
        let message = format!("unknown key `{}`", clean(name, MAX_NAME_CHARS));
        report.add(Diagnostic::error("unknown-key", entry.key_place, message).help(help));
    }
}

/// Checks that an optional key holds text.
pub(crate) fn expect_text(table: &Table, key: &str, report: &Report) {
    if let Some(entry) = table.get(key).filter(|entry| entry.node.text().is_none()) {
        report.add(Diagnostic::error(
            "wrong-type",
            entry.node.place,
            format!("`{key}` must be text in quotes"),
        ));
    }
}

/// What was read, where nothing is wrong; else all that is.
pub(super) fn finish<T>(layers: &Layers, report: Report, read: Option<T>) -> Result<T, Diagnostics> {
    match read.filter(|_| report.errors() == 0) {
        Some(read) => Ok(read),
        None => Err(report.finish(layers.texts(), |_| None)),
    }
}

#[cfg(test)]
pub(super) mod tests;
