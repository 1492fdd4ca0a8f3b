//! Reads a value by what its key takes.

use super::ids::Ids;
use super::secrets;
use super::value::{Read, Value};
use crate::base::host::host_fault;
use crate::base::toml::near::nearest;
use crate::base::toml::node::{Node, NodeValue};
use crate::base::toml::{Diagnostic, Report, Sources, Span};
use crate::base::units::Unit;
use crate::plan::condition::{Condition, Silence};
use crate::plan::keys::{Named, Takes};
use crate::plan::registry::Registry;
use crate::plan::template::{self, Later};
use crate::plan::units::{UnitError, parse_duration, parse_size};
use indexmap::{IndexMap, IndexSet};
use std::path::Path;

/// Longest text of a plan, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// Most members of a list or table.
const MAX_MEMBERS: usize = 10_000;

/// What reading needs to know of the plan.
pub(crate) struct Reader<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) registry: &'a Registry,
    pub(crate) ids: &'a Ids,
    /// Plan-wide names of templates.
    pub(crate) templates: &'a serde_json::Value,
    pub(crate) report: &'a Report,
    /// Where the files lie that the plan names; none for a plan that is not in files.
    pub(crate) folder: Option<&'a Path>,
    /// The time, for what depends on it: which shifts of a calendar are ahead.
    pub(crate) now: jiff::Timestamp,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// "probe `dr-lag`".
    pub(crate) what: &'a str,
    /// The key at hand.
    pub(crate) key: &'a str,
    /// Which names of texts are filled in later.
    pub(crate) later: Later,
    /// The steps of the runbook at hand.
    pub(crate) steps: Option<&'a IndexSet<String>>,
    /// The unit of the probe's kind.
    pub(crate) unit: Unit,
}

impl<'a> At<'a> {
    pub(crate) fn new(what: &'a str) -> Self {
        Self { what, key: "", later: Later::Nothing, steps: None, unit: Unit::Number }
    }
}

impl Reader<'_> {
    /// The value, or nothing once what is wrong with it is reported.
    pub(crate) fn value(&self, takes: Takes, node: &Node, at: &At<'_>) -> Option<Read> {
        let value = match takes {
            Takes::Text => self.template(node, at).map(Value::Text),
            Takes::MessageText => self.template(node, &At { later: Later::Message, ..*at }).map(Value::Text),
            Takes::Path => self.path(node, at).map(Value::Text),
            Takes::RawText => self.plain(takes, node, at).map(|text| Value::Raw(text.to_owned())),
            Takes::Integer(low, high) => self.integer(takes, node, at, low, high),
            Takes::Number => match node.value {
                NodeValue::Integer(whole) => Some(Value::Number(whole as f64)),
                NodeValue::Number(number) => Some(Value::Number(number)),
                _ => self.wrong_type(takes, node, at),
            },
            Takes::Flag => match node.value {
                NodeValue::Flag(flag) => Some(Value::Flag(flag)),
                _ => self.wrong_type(takes, node, at),
            },
            Takes::Duration => self.duration(node, at).map(Value::Duration),
            Takes::Size => self.size(node, at).map(Value::Integer),
            Takes::Date => match node.value {
                NodeValue::Date(date) => Some(Value::Date(date)),
                _ => self.wrong_type(takes, node, at),
            },
            Takes::Secret | Takes::TextOrSecret | Takes::ConnectionString => {
                secrets::read(self, takes, node, at)
            }
            Takes::Condition => self.condition(node, at).map(Value::Condition),
            Takes::Regex => self.regex(node, at).map(Value::Raw),
            Takes::Url => self.url(node, at).map(Value::Text),
            Takes::Choice(words) => self.choice(words, node, at).map(Value::Raw),
            Takes::Name(named) => self.name(named, node, at).map(Value::Raw),
            Takes::List(of) => self.list(*of, node, at),
            Takes::Table(of) => self.table(None, *of, node, at),
            Takes::TableBy(named, of) => self.table(Some(named), *of, node, at),
            Takes::Threshold => self.threshold(node, at).map(Value::Number),
            Takes::Rows(_) => match &node.value {
                NodeValue::List(_) => Some(Value::Node(node.clone())),
                _ => self.wrong_type(takes, node, at),
            },
            Takes::KindKeys => match &node.value {
                NodeValue::Table(_) => Some(Value::Node(node.clone())),
                _ => self.wrong_type(takes, node, at),
            },
        };
        value.map(|value| Read { value, place: node.place })
    }

    pub(crate) fn wrong_type<T>(&self, takes: Takes, node: &Node, at: &At<'_>) -> Option<T> {
        let message =
            format!("`{}` of {} takes {}, this is {}", at.key, at.what, takes.describe(), node.describe());
        let problem = Diagnostic::error("wrong-type", node.place, message);
        let written = self.sources.text(node.place);
        self.report.add(match (takes, &node.value) {
            (Takes::List(_), NodeValue::Text(line)) if at.key.ends_with("argv") => {
                let words: Vec<&str> = line.split_whitespace().collect();
                problem.help(format!("write each word for itself: `{words:?}`"))
            }
            (Takes::List(_), NodeValue::Text(_)) => problem.help(format!("write a list: `[{written}]`")),
            (Takes::Duration, NodeValue::Integer(number)) => {
                problem.help(format!("write the number with its unit: `\"{number}s\"` or `\"{number}m\"`"))
            }
            (Takes::Size, NodeValue::Integer(number)) => {
                problem.help(format!("write the number with its unit: `\"{number} B\"`"))
            }
            (Takes::Date, NodeValue::Text(_)) => problem.help("write the date without quotes: `2026-03-31`"),
            (Takes::Flag | Takes::Integer(..) | Takes::Number, NodeValue::Text(_)) => {
                problem.help("write it without quotes")
            }
            (
                Takes::Text
                | Takes::MessageText
                | Takes::Path
                | Takes::RawText
                | Takes::Name(_)
                | Takes::Choice(_),
                NodeValue::List(members),
            ) if members.len() == 1 => problem.help("write it without brackets"),
            (_, NodeValue::List(_) | NodeValue::Table(_)) => problem,
            (Takes::Choice(words), _) if !words.contains(&written) => problem,
            (
                Takes::Text
                | Takes::MessageText
                | Takes::Path
                | Takes::RawText
                | Takes::Name(_)
                | Takes::Choice(_),
                _,
            ) => problem.help("write it in quotes"),
            _ => problem,
        });
        None
    }

    /// A text within the limits, as it is written.
    pub(crate) fn plain<'n>(&self, takes: Takes, node: &'n Node, at: &At<'_>) -> Option<&'n str> {
        let Some(text) = node.text() else { return self.wrong_type(takes, node, at) };
        if text.len() > MAX_TEXT {
            let message = format!(
                "`{}` of {} is {} kB long, the limit is {} KiB",
                at.key,
                at.what,
                text.len() / 1000,
                MAX_TEXT >> 10
            );
            self.report.add(Diagnostic::error("too-large", node.place, message));
            return None;
        }
        Some(text)
    }

    pub(crate) fn template(&self, node: &Node, at: &At<'_>) -> Option<String> {
        let filled = self.fill(Takes::Text, node, at)?;
        secrets::warn_of_credentials(self, node.text().unwrap_or_default(), node, at);
        Some(filled)
    }

    /// A path that leads to the same place wherever the engine is started. What only a shell knows (`~`) stays for the kind
    /// to refuse.
    fn path(&self, node: &Node, at: &At<'_>) -> Option<String> {
        let path = self.template(node, at)?;
        match self.folder.filter(|_| !path.starts_with('~')) {
            Some(folder) => Some(folder.join(path).to_string_lossy().into_owned()),
            None => Some(path),
        }
    }

    /// A text with its plan-wide names filled in.
    fn fill(&self, takes: Takes, node: &Node, at: &At<'_>) -> Option<String> {
        let text = self.plain(takes, node, at)?;
        match template::fill(text, self.templates, at.later) {
            Ok(filled) => Some(filled),
            Err(error) => {
                self.problem_within("template", node, text, error.range, error.message, error.help);
                None
            }
        }
    }

    /// Reports a problem at a part of a text.
    fn problem_within(
        &self,
        code: &'static str,
        node: &Node,
        text: &str,
        part: std::ops::Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        let mut problem = Diagnostic::error(code, self.sources.within(node.place, text, part), message);
        problem.help = help;
        self.report.add(problem);
    }

    fn integer(&self, takes: Takes, node: &Node, at: &At<'_>, low: i64, high: i64) -> Option<Value> {
        let NodeValue::Integer(value) = node.value else { return self.wrong_type(takes, node, at) };
        if (low..=high).contains(&value) {
            return Some(Value::Integer(value));
        }
        let message = format!("`{}` of {} is {value}, it takes {}", at.key, at.what, takes.describe());
        self.report.add(Diagnostic::error("out-of-range", node.place, message));
        None
    }

    fn duration(&self, node: &Node, at: &At<'_>) -> Option<jiff::SignedDuration> {
        let text = self.plain(Takes::Duration, node, at)?;
        parse_duration(text).map_err(|error| self.bad_unit(error, Takes::Duration, node.place)).ok()
    }

    fn size(&self, node: &Node, at: &At<'_>) -> Option<i64> {
        let text = self.plain(Takes::Size, node, at)?;
        parse_size(text).map_err(|error| self.bad_unit(error, Takes::Size, node.place)).ok()
    }

    fn bad_unit(&self, error: UnitError, takes: Takes, place: Span) {
        let help = error.help(match takes {
            Takes::Size => "units are B, kB, MB, GB, TB, KiB, MiB, GiB and TiB",
            _ => "units are ms, s, m, h, d and w, as in `1h 30m`",
        });
        self.report.add(Diagnostic::error("bad-unit", place, error.message).help(help));
    }

    /// A bound in the unit of the probe's kind.
    fn threshold(&self, node: &Node, at: &At<'_>) -> Option<f64> {
        match at.unit {
            Unit::Seconds => Some(self.duration(node, at)?.as_secs_f64()),
            Unit::Milliseconds => Some(self.duration(node, at)?.as_millis_f64()),
            Unit::Bytes => Some(self.size(node, at)? as f64),
            Unit::Number => match self.value(Takes::Number, node, at)?.value {
                Value::Number(number) => Some(number),
                _ => None,
            },
        }
    }

    fn condition(&self, node: &Node, at: &At<'_>) -> Option<Condition> {
        let text = self.plain(Takes::Condition, node, at)?;
        let checked = Condition::parse(text).and_then(|condition| {
            self.check_references(&condition)?;
            condition.check_types(&crate::plan::vocabulary::kind_of)?;
            Ok(condition)
        });
        match checked {
            Ok(condition) => {
                if let Some(always) = condition.always() {
                    let message = format!("this condition {always}, whatever is measured");
                    self.problem_within(
                        "constant",
                        node,
                        text,
                        0..text.len(),
                        message,
                        Some(ASKS_NOTHING.to_owned()),
                    );
                }
                if let Some(silence) = condition.silence() {
                    self.report
                        .add(goes_silent(silence, self.sources.within(node.place, text, 0..text.len())));
                }
                Some(condition)
            }
            Err(error) => {
                self.problem_within("condition", node, text, error.range, error.message, error.help);
                None
            }
        }
    }

    fn regex(&self, node: &Node, at: &At<'_>) -> Option<String> {
        let text = self.plain(Takes::Regex, node, at)?;
        match regex::RegexBuilder::new(text).size_limit(1 << 20).build() {
            Ok(_) => Some(text.to_owned()),
            Err(error) => {
                let why = error.to_string();
                let why =
                    why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
                let message = format!("`{}` of {} is not a regular expression: {why}", at.key, at.what);
                self.report.add(
                    Diagnostic::error("bad-regex", node.place, message)
                        .help("in TOML, '…' takes backslashes as they are"),
                );
                None
            }
        }
    }

    fn url(&self, node: &Node, at: &At<'_>) -> Option<String> {
        let text = self.fill(Takes::Url, node, at)?;
        if text.contains("{{") {
            return Some(text);
        }
        let problem = match reqwest::Url::parse(&text) {
            Ok(url) if url.password().is_some() => {
                self.report.mask(node.place);
                let message = format!("`{}` of {} holds a password", at.key, at.what);
                Diagnostic::error("literal-secret", node.place, message).help(
                    "take the password out of the address; secrets are named, as in `{ secret = \"name\" }`",
                )
            }
            Ok(url) if url.port() == Some(0) => {
                let message = format!("`{}` of {} names port 0, on which nothing can be", at.key, at.what);
                Diagnostic::error("bad-url", node.place, message)
            }
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                let Some(why) = url.host_str().and_then(host_fault) else { return Some(text) };
                Diagnostic::error("bad-url", node.place, format!("`{}` of {}: {why}", at.key, at.what))
            }
            Ok(_) => {
                let message = format!("`{}` of {} takes an `http` or `https` address", at.key, at.what);
                Diagnostic::error("bad-url", node.place, message)
            }
            Err(_) => {
                let message = format!("`{}` of {} is not a complete address", at.key, at.what);
                Diagnostic::error("bad-url", node.place, message)
                    .help("write it as in `https://example.org/health`")
            }
        };
        self.report.add(problem);
        None
    }

    fn choice(&self, words: &'static [&'static str], node: &Node, at: &At<'_>) -> Option<String> {
        let text = self.plain(Takes::Choice(words), node, at)?;
        if words.contains(&text) {
            return Some(text.to_owned());
        }
        let message =
            format!("`{}` of {} cannot be `{}`", at.key, at.what, crate::base::text::clean(text, 60));
        let all = format!("it is one of `{}`", words.join("`, `"));
        let help = match nearest(text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? {all}"),
            None => all,
        };
        self.report.add(Diagnostic::error("bad-choice", node.place, message).help(help));
        None
    }

    fn name(&self, named: Named, node: &Node, at: &At<'_>) -> Option<String> {
        let text = self.plain(Takes::Name(named), node, at)?;
        if self.ids.knows(named, text, at.steps) {
            return Some(text.to_owned());
        }
        self.unknown_name(named, text, node.place, at);
        None
    }

    fn unknown_name(&self, named: Named, name: &str, place: Span, at: &At<'_>) {
        let message = format!("no {} is called `{}`", named.what(), crate::base::text::clean(name, 80));
        let problem = Diagnostic::error("unknown-name", place, message);
        self.report.add(if self.report.is_full() {
            problem
        } else {
            problem.help(self.ids.help(named, name, at.steps))
        });
    }

    fn list(&self, of: Takes, node: &Node, at: &At<'_>) -> Option<Value> {
        let NodeValue::List(nodes) = &node.value else {
            return self.wrong_type(Takes::List(&Takes::Text), node, at);
        };
        self.check_members(nodes.len(), node, at)?;
        let values: Vec<Option<Read>> = nodes.iter().map(|node| self.value(of, node, at)).collect();
        values.into_iter().collect::<Option<_>>().map(Value::List)
    }

    fn table(&self, by: Option<Named>, of: Takes, node: &Node, at: &At<'_>) -> Option<Value> {
        let NodeValue::Table(entries) = &node.value else {
            let takes = Takes::Table(&Takes::Text);
            return self.wrong_type(takes, node, at);
        };
        self.check_members(entries.len(), node, at)?;
        let mut values = IndexMap::with_capacity(entries.len());
        let mut complete = true;
        for (name, entry) in entries {
            if let Some(named) = by
                && !self.ids.knows(named, name, at.steps)
            {
                complete = false;
                self.unknown_name(named, name, entry.key_place, at);
                continue;
            }
            match self.value(of, &entry.node, &At { key: name, ..*at }) {
                Some(value) => {
                    values.insert(name.clone(), value);
                }
                None => complete = false,
            }
        }
        complete.then_some(Value::Table(values))
    }

    fn check_members(&self, members: usize, node: &Node, at: &At<'_>) -> Option<()> {
        if members <= MAX_MEMBERS {
            return Some(());
        }
        let message =
            format!("`{}` of {} has {members} members, the limit is {MAX_MEMBERS}", at.key, at.what);
        self.report.add(Diagnostic::error("too-large", node.place, message));
        None
    }
}

/// A way of counting that fails just when it is needed.
/// What to write in place of a condition that decides nothing.
const ASKS_NOTHING: &str = "let it ask for something that is measured, as in `signals['api'].state == 'critical'`, or leave \
                            it out";

fn goes_silent(silence: Silence, place: Span) -> Diagnostic {
    let (what, instead) = match silence {
        Silence::Sum => ("this sum", "`count([a, b, c]) > 1` or `at_least(2, [a, b, c])`"),
        Silence::List => ("this list", "`any([…])`, `all([…])`, `at_least(2, […])` or `count([…]) > 1`"),
    };
    let message = format!("{what} is unknown as soon as one thing in it is: just when a server is gone");
    Diagnostic::warning("goes-silent", place, message)
        .help(format!("write {instead}, each a condition of its own: what is known decides where it can"))
}
