//! Diagnostics for people (with the marked lines of the file), for logs (a line each) and for editors (JSON).

use super::Span;
use super::{Diagnostic, Diagnostics, Level};
use crate::base::text::clean;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles,
};
use std::fmt;

/// How problems are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// With box-drawing characters.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// Every problem with the lines it is about.
pub fn graphical(problems: &Diagnostics, style: Style) -> String {
    let handler = GraphicalReportHandler::new_themed(theme(style))
        .with_width(style.width.clamp(40, 200))
        .with_links(false)
        .without_syntax_highlighting();
    let mut out = String::new();
    for problem in problems.iter() {
        let drawn = Drawn::new(problem, problems);
        if handler.render_report(&mut out, &drawn).is_err() {
            out.push_str(&plain_line(problem, problems));
        }
        out.push('\n');
    }
    out.push_str(&omitted(problems));
    out
}

/// A line for each problem, and one for its help.
pub fn plain(problems: &Diagnostics) -> String {
    let mut out: String = problems.iter().map(|problem| plain_line(problem, problems)).collect();
    out.push_str(&omitted(problems));
    out
}

/// Every problem as a JSON value: `severity`, `code`, `message`, `file`, `line`, `column`, `end_line`,
/// `end_column`, `help`; lines and columns from 1, null where the problem is a whole file.
pub fn json(problems: &Diagnostics) -> Vec<serde_json::Value> {
    let one = |problem: &Diagnostic| {
        let place = problem.place.as_ref().map(|(place, _)| *place);
        let position = place.map(|place| problems.sources().position(place));
        serde_json::json!({
            "severity": problem.level.as_str(),
            "code": problem.code,
            "message": clean(&problem.message, MAX_TEXT),
            "file": file_of(problem, problems),
            "line": position.map(|position| position.line),
            "column": position.map(|position| position.column),
            "end_line": position.map(|position| position.end_line),
            "end_column": position.map(|position| position.end_column),
            "help": help(problem, problems),
        })
    };
    problems.iter().map(one).collect()
}

const MAX_TEXT: usize = 1_000;

fn theme(style: Style) -> GraphicalTheme {
    let mut characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    characters.error = "error:".into();
    characters.warning = "warning:".into();
    characters.advice = "note:".into();
    GraphicalTheme { characters, styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() } }
}

fn plain_line(problem: &Diagnostic, problems: &Diagnostics) -> String {
    let place = match &problem.place {
        Some((place, _)) => problems.sources().describe(*place),
        None => problem.file.clone().unwrap_or_default(),
    };
    let level = problem.level.as_str();
    let message = clean(&problem.message, MAX_TEXT);
    let mut line = format!("{}: {level}[{}]: {message}\n", clean(&place, MAX_TEXT), problem.code);
    if let Some(help) = help(problem, problems) {
        line.push_str(&format!("  help: {help}\n"));
    }
    line
}

fn omitted(problems: &Diagnostics) -> String {
    match problems.omitted() {
        0 => String::new(),
        more => format!("and {more} more problems: correct these first\n"),
    }
}

fn file_of(problem: &Diagnostic, problems: &Diagnostics) -> Option<String> {
    let of_place = problem.place.as_ref().and_then(|(place, _)| problems.sources().file(*place));
    of_place.map(|file| file.path.clone()).or_else(|| problem.file.clone()).map(|path| clean(&path, MAX_TEXT))
}

/// Most lines between two places that are drawn together.
const MAX_DISTANCE: usize = 12;

/// Whether another place of a problem is drawn with its first one, or only named.
fn is_near(problem: &Diagnostic, other: Span, problems: &Diagnostics) -> bool {
    let line = |place: Span| problems.sources().position(place).line;
    problem.place.as_ref().is_some_and(|(place, _)| {
        place.file == other.file && line(*place).abs_diff(line(other)) <= MAX_DISTANCE
    })
}

/// The help, with the places that are not drawn.
fn help(problem: &Diagnostic, problems: &Diagnostics) -> Option<String> {
    let elsewhere = problem.also.iter().filter(|(place, _)| !is_near(problem, *place, problems));
    let lines: Vec<String> = elsewhere
        .map(|(place, label)| format!("{label}: {}", problems.sources().describe(*place)))
        .chain(problem.help.clone())
        .map(|line| clean(&line, MAX_TEXT))
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// A problem as `miette` draws it; everything in it is cleaned.
struct Drawn {
    level: Level,
    message: String,
    code: &'static str,
    help: Option<String>,
    labels: Vec<LabeledSpan>,
    source: Option<NamedSource<String>>,
}

impl Drawn {
    fn new(problem: &Diagnostic, problems: &Diagnostics) -> Self {
        let sources = problems.sources();
        let labels = problem
            .place
            .iter()
            .chain(problem.also.iter().filter(|(place, _)| is_near(problem, *place, problems)))
            .map(|(place, label)| labeled(*place, label))
            .collect();
        let source = problem.place.as_ref().and_then(|(place, _)| {
            let file = sources.file(*place)?;
            Some(NamedSource::new(
                clean(&file.path, MAX_TEXT),
                drawable(&file.text, place.file, problems.masked()),
            ))
        });
        let message = clean(&problem.message, MAX_TEXT);
        Self {
            level: problem.level,
            message: match (&problem.file, &source) {
                (Some(file), None) => format!("{}: {message}", clean(file, MAX_TEXT)),
                _ => message,
            },
            code: problem.code,
            help: help(problem, problems),
            labels,
            source,
        }
    }
}

fn labeled(place: Span, label: &str) -> LabeledSpan {
    let label = (!label.is_empty()).then(|| clean(label, 200));
    LabeledSpan::new(label, place.start, place.end - place.start)
}

/// The text with every character that could steer a terminal replaced by a mark of the same length in bytes,
/// so that places stay right. Secrets that stand in the text are masked.
fn drawable(text: &str, file: usize, masked: &[Span]) -> String {
    let mark = |c: char| match c.len_utf8() {
        1 => "?",
        2 => "\u{bf}",
        3 => "\u{fffd}",
        _ => "\u{fffd}?",
    };
    let mut out = String::with_capacity(text.len());
    for (offset, c) in text.char_indices() {
        if c != '\n'
            && masked.iter().any(|place| place.file == file && (place.start..place.end).contains(&offset))
        {
            out.push_str(&"*".repeat(c.len_utf8()));
            continue;
        }
        let is_plain = matches!(c, '\n' | '\t') || !crate::base::text::is_hostile(c);
        if is_plain { out.push(c) } else { out.push_str(mark(c)) }
    }
    out
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawn {}

impl miette::Diagnostic for Drawn {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.level {
            Level::Error => miette::Severity::Error,
            Level::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, drawable};

    #[test]
    fn hostile_characters_are_replaced_byte_for_byte() {
        let hostile = "a\x1b[2J\u{9b}\u{202e}\u{e0001}é\tb\n";
        let drawn = drawable(hostile, 0, &[]);
        assert_eq!(drawn, "a?[2J\u{bf}\u{fffd}\u{fffd}?é\tb\n");
        assert_eq!(drawn.len(), hostile.len());
        assert_eq!(drawable("dsn = 'sécret'", 0, &[Span::new(0, 7..14)]), "dsn = '*******'");
        assert_eq!(drawable("dsn", 1, &[Span::new(0, 0..3)]), "dsn");
    }
}
