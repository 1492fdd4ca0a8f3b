//! A scenario file being read, and what was found wrong in it so far.

use crate::base::text::clean;
use crate::base::toml::near;
use crate::base::toml::node::{Table, parse};
use crate::base::toml::{Diagnostic, Diagnostics, Report, SourceFile, Sources, Span};
use std::sync::Arc;

const MAX_MESSAGE_CHARS: usize = 400;

/// One file, and its problems.
pub(super) struct Sheet {
    sources: Arc<Sources>,
    report: Report,
}

impl Sheet {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let source = SourceFile { path: file.to_owned(), text: text.into() };
        Self { sources: Arc::new(Sources(vec![source])), report: Report::default() }
    }

    /// The file as a tree; none where its syntax is wrong, which is noted.
    pub(super) fn parse(&self) -> Option<Table> {
        let file = self.sources.0.first()?;
        parse(0, &file.text, &self.report)
    }

    /// The begin of the file.
    pub(super) fn head(&self) -> Span {
        Span::new(0, 0..0)
    }

    /// Notes a problem; `help` may be empty.
    pub(super) fn problem(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let problem = Diagnostic::error("scenario", span, clean(&message.into(), MAX_MESSAGE_CHARS));
        let help = help.into();
        self.report.add(if help.is_empty() { problem } else { problem.help(help) });
    }

    /// The value when nothing is wrong, otherwise everything that is.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Diagnostics> {
        match value.filter(|_| self.report.errors() == 0) {
            Some(value) => Ok(value),
            None => Err(self.report.finish(self.sources, |_| None)),
        }
    }
}

/// "did you mean" where one of the known names is near, otherwise the first of them.
pub(super) fn meant<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 12;
    let known: Vec<&str> = known.into_iter().collect();
    near::near_miss(name, known.iter().copied()).unwrap_or_else(|| match known.len() {
        0 => "there are none".into(),
        count if count > SHOWN => format!("there are: {}, …", known[..SHOWN].join(", ")),
        _ => format!("there are: {}", known.join(", ")),
    })
}
