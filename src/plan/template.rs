//! Templates in the texts of a plan: `{{ vars.bucket }}`. An unknown name is an error, never an empty text.
//!
//! A template is text with names in double braces, each with an optional `| json` filter, and nothing else:
//! no statements, loops, includes or arithmetic, so that a text cannot take long or grow without bound.
//! `minijinja` evaluates the names, strictly. Plan-wide names are filled in when the plan loads; names of the
//! incident and the run when a step is described or run, or a message is drafted.

use super::params::{Param, Params};
use crate::base::toml::near::nearest;
use serde_json::Value;
use std::ops::Range;

/// Longest text that a template may come to, in bytes.
const MAX_OUTPUT: usize = 256 << 10;

/// The names that are filled in at run time, with what each is.
pub static RUN_TIME_NAMES: &[(&str, &str)] = &[
    ("incident.id", "The incident's identifier."),
    ("incident.title", "The incident's title."),
    ("incident.mode", "`live` or `drill`."),
    ("run.id", "The run of the runbook."),
    ("step.id", "The step's name in the runbook."),
    ("operator.name", "Who commands the incident."),
];

/// The names that are filled in when a message is drafted, with what each is.
pub static MESSAGE_NAMES: &[(&str, &str)] = &[
    ("incident.id", "The incident's identifier."),
    ("incident.title", "The incident's title."),
    ("incident.mode", "`live` or `drill`."),
    ("incident.severity", "`P0` to `P3`, or `not known`."),
    ("incident.phase", "`proposed`, `assess`, `mitigate`, `settle`, `monitor` or `close`."),
    ("incident.detected_at", "When the first signal behind it turned, UTC."),
    ("incident.declared_at", "When it was declared, UTC; `not declared` for a proposal."),
    ("incident.age", "How long ago the first signal turned."),
    ("incident.leader", "Who commands it; `nobody yet` for a proposal."),
    ("incident.regions_down", "The regions that do not work, by name; `none`."),
    ("incident.services_down", "The services that do not work, by title; `none`."),
    ("incident.loss", "What a failover now would lose, as far as it can be told."),
    ("incident.doing", "What is being done at the moment, one sentence."),
    ("incident.eta", "Until when the tightest recovery objective wants it mended, UTC; `not known`."),
    ("incident.resolution", "How it was resolved; `not resolved`."),
    ("incident.timeline", "What happened lately, a line each."),
    ("operator.name", "Who commands the incident."),
];

/// Which names of a text are filled in later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Later {
    /// None: the text is final once the plan is loaded.
    Nothing,
    /// Those of a step that runs.
    Step,
    /// Those of a message that is drafted.
    Message,
}

impl Later {
    fn names(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Nothing => &[],
            Self::Step => RUN_TIME_NAMES,
            Self::Message => MESSAGE_NAMES,
        }
    }

    fn knows(self, name: &str) -> bool {
        self.names().iter().any(|(known, _)| *known == name)
    }
}

/// A template that cannot be rendered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong.
    pub message: String,
    /// What would do.
    pub help: Option<String>,
    /// Where, in bytes of the template.
    pub range: Range<usize>,
}

/// Renders a text with the run-time names of a scope (`{"incident": {"id": …}, …}`).
pub fn render_text(text: &str, scope: &Value) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Literal(literal) => out.push_str(literal),
            Piece::Name(name) => out.push_str(&name.value(scope)?),
        }
        limit(text, &out)?;
    }
    Ok(out)
}

/// Fills in the plan-wide names of a text. Names that are filled in later are checked and left, and then what is
/// filled in now is written so that rendering gives it back as it is.
pub(crate) fn fill(text: &str, plan: &Value, later: Later) -> Result<String, TemplateError> {
    if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
        return Ok(text.to_owned());
    }
    let is_final = later == Later::Nothing;
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Literal(literal) if is_final => out.push_str(literal),
            Piece::Literal(literal) => out.push_str(&escape(literal)),
            Piece::Name(name) if later.knows(&name.written()) => out.push_str(name.text),
            Piece::Name(name) => {
                let value = name.value(plan).map_err(|_| unknown(&name, plan, later))?;
                out.push_str(&if is_final { value } else { escape(&value) });
            }
        }
        limit(text, &out)?;
    }
    Ok(out)
}

impl Params {
    /// The values with every run-time name of their texts filled in from a scope
    /// (`{"incident": {"id": …}, "run": …, "operator": …, "step": …}`).
    pub fn render(&self, scope: &Value) -> Result<Params, TemplateError> {
        let rendered = self.0.iter().map(|(key, value)| Ok((key.clone(), render_param(value, scope)?)));
        rendered.collect::<Result<_, TemplateError>>().map(Params)
    }
}

fn render_param(param: &Param, scope: &Value) -> Result<Param, TemplateError> {
    Ok(match param {
        Param::Text(text) => Param::Text(render_text(text, scope)?),
        Param::List(list) => {
            Param::List(list.iter().map(|item| render_param(item, scope)).collect::<Result<_, _>>()?)
        }
        Param::Table(table) => Param::Table(
            table
                .iter()
                .map(|(key, item)| Ok((key.clone(), render_param(item, scope)?)))
                .collect::<Result<_, TemplateError>>()?,
        ),
        other => other.clone(),
    })
}

enum Piece<'a> {
    Text(&'a str),
    /// `{{ '{{' }}`: braces that are meant.
    Literal(&'a str),
    Name(Name<'a>),
}

/// `{{ regions.primary.name | json }}`.
struct Name<'a> {
    path: Vec<&'a str>,
    json: bool,
    /// The whole `{{ … }}`, and where it stands.
    text: &'a str,
    range: Range<usize>,
}

impl Name<'_> {
    fn written(&self) -> String {
        self.path.join(".")
    }

    fn error(&self, message: String, help: Option<String>) -> TemplateError {
        TemplateError { message, help, range: self.range.clone() }
    }

    /// The value of the name in a scope.
    fn value(&self, scope: &Value) -> Result<String, TemplateError> {
        let found = self.path.iter().try_fold(scope, |value, segment| value.get(segment));
        match found {
            Some(Value::String(text)) if self.json => Ok(Value::from(&**text).to_string()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(self.error(format!("there is no `{}` here", self.path.join(".")), None)),
        }
    }
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{").map(|found| at + found) {
        refuse_statements(text, at..found)?;
        if found > at {
            pieces.push(Piece::Text(&text[at..found]));
        }
        let end = closing(text, found)?;
        pieces.push(expression(text, found..end)?);
        at = end;
    }
    refuse_statements(text, at..text.len())?;
    pieces.push(Piece::Text(&text[at..]));
    Ok(pieces)
}

/// The end of the `}}` that closes the `{{` at `start`, past any quoted text.
fn closing(text: &str, start: usize) -> Result<usize, TemplateError> {
    let mut quote = None;
    let mut offset = start + 2;
    for c in text[start + 2..].chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if text[offset..].starts_with("}}") => return Ok(offset + 2),
            None => {}
        }
        offset += c.len_utf8();
    }
    let help = "close it with `}}`; to write two braces, write `{{ '{{' }}`".to_owned();
    Err(TemplateError { message: "`{{` without `}}`".into(), help: Some(help), range: start..start + 2 })
}

fn refuse_statements(text: &str, part: Range<usize>) -> Result<(), TemplateError> {
    let found = ["{%", "{#"].iter().filter_map(|mark| text[part.clone()].find(mark)).min();
    match found.map(|found| part.start + found..part.start + found + 2) {
        Some(range) => Err(TemplateError {
            message: "a text of a plan takes names only, no statements or comments".into(),
            help: Some(format!(
                "write `{{{{ vars.name }}}}`, or `{}` where the braces themselves are meant",
                as_it_is(&text[range.clone()])
            )),
            range,
        }),
        None => Ok(()),
    }
}

fn expression(text: &str, range: Range<usize>) -> Result<Piece<'_>, TemplateError> {
    let inner = text[range.start + 2..range.end - 2].trim();
    for quote in ['\'', '"'] {
        if let Some(literal) = inner.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
            && !literal.contains(quote)
        {
            return Ok(Piece::Literal(literal));
        }
    }
    let (name, filter) = match inner.split_once('|') {
        Some((name, filter)) => (name.trim(), Some(filter.trim())),
        None => (inner, None),
    };
    let written = as_it_is(&text[range.clone()]);
    let Some(path) = path(name) else {
        return Err(TemplateError {
            message: format!("`{}` is not a name", crate::base::text::clean(name, 60)),
            help: Some(format!(
                "write a dotted name, as in `{{{{ regions.primary.name }}}}`, or where another program is to get the \
                 braces, write `{written}`"
            )),
            range,
        });
    };
    match filter {
        None | Some("json") => {
            Ok(Piece::Name(Name { path, json: filter.is_some(), text: &text[range.clone()], range }))
        }
        Some(filter) => Err(TemplateError {
            message: format!("there is no filter `{}`", crate::base::text::clean(filter, 40)),
            help: Some(format!(
                "the only filter is `json`; where another program is to get the braces, write `{written}`"
            )),
            range,
        }),
    }
}

/// How a part with braces is written where they are meant for another program.
fn as_it_is(part: &str) -> String {
    match ['\'', '"'].into_iter().find(|quote| !part.contains(*quote)) {
        Some(quote) => format!("{{{{ {quote}{part}{quote} }}}}"),
        None => part.replacen("{{", "{{ '{{' }}", 1),
    }
}

/// `regions.us-east.name` or `regions['us-east'].name`.
fn path(name: &str) -> Option<Vec<&str>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut path = Vec::new();
    let mut rest = name;
    loop {
        let (segment, after) = match rest.strip_prefix("['").or_else(|| rest.strip_prefix("[\"")) {
            Some(quoted) if !path.is_empty() => {
                let end = quoted.find(['\'', '"'])?;
                (&quoted[..end], quoted[end + 1..].strip_prefix(']')?)
            }
            _ => rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        };
        if segment.is_empty() || !segment.chars().all(is_word) || path.len() > 6 {
            return None;
        }
        path.push(segment);
        if after.is_empty() {
            return Some(path);
        }
        rest = after.strip_prefix('.').or_else(|| after.starts_with('[').then_some(after))?;
    }
}

/// Why a name is not known here: it is known elsewhere, or nowhere.
fn unknown(name: &Name<'_>, plan: &Value, later: Later) -> TemplateError {
    let written = name.written();
    if Later::Step.knows(&written) {
        let help = "it can be used in `with`, `manual` and `verify` texts of steps";
        return name.error(format!("`{written}` is known only while a step runs"), Some(help.into()));
    }
    if Later::Message.knows(&written) {
        let help = "it can be used in `subject` and `body` of messages";
        return name.error(format!("`{written}` is known only in messages"), Some(help.into()));
    }
    let mut known = Vec::new();
    leaves(plan, String::new(), &mut known);
    known.extend(later.names().iter().map(|(name, _)| (*name).to_owned()));
    let help = match (nearest(&written, known.iter().map(String::as_str)), later) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Later::Message) => {
            let names: Vec<&str> = later.names().iter().map(|(name, _)| *name).collect();
            format!("known are {PLAN_WIDE}, and in messages {}", names.join(", "))
        }
        (None, _) => format!(
            "known are {PLAN_WIDE}; in steps also incident.id, incident.title, incident.mode, run.id, step.id and \
             operator.name; where another program is to get the braces, write `{}`",
            as_it_is(name.text)
        ),
    };
    name.error(format!("unknown name `{}`", crate::base::text::clean(&written, 80)), Some(help))
}

const PLAN_WIDE: &str = "plan.name, regions.<id>.name, services.<id>.title and vars.<name>";

fn leaves(value: &Value, path: String, known: &mut Vec<String>) {
    match value {
        Value::Object(fields) if known.len() < 1_000 => {
            for (key, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, format!("{path}{dot}{key}"), known);
            }
        }
        Value::Object(_) => {}
        _ => known.push(path),
    }
}

/// Text that rendering gives back as it is.
fn escape(text: &str) -> String {
    let mut out = text.to_owned();
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        out = out.replace('{', "{{ '{' }}");
    }
    out
}

fn limit(text: &str, out: &str) -> Result<(), TemplateError> {
    if out.len() <= MAX_OUTPUT {
        return Ok(());
    }
    let message = format!("the text is longer than {} KiB once its names are filled in", MAX_OUTPUT >> 10);
    Err(TemplateError { message, help: None, range: 0..text.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan() -> Value {
        json!({
            "plan": {"name": "Demo"},
            "regions": {"us-east": {"name": "us-east-1"}},
            "services": {"api": {"title": "The \"API\""}},
            "vars": {"bucket": "b-1", "braces": "{{ not.a.name }}", "port": 5432},
        })
    }

    #[test]
    fn plan_wide_names_are_filled_in_and_run_time_names_wait() {
        let text = "{{ plan.name }}/{{regions.us-east.name}}/{{ regions['us-east'].name }}:{{ vars.port }} {{ incident.id }}";
        let filled = fill(text, &plan(), Later::Step).unwrap();
        assert_eq!(filled, "Demo/us-east-1/us-east-1:5432 {{ incident.id }}");
        let scope = json!({"incident": {"id": "i-1"}});
        assert_eq!(render_text(&filled, &scope).unwrap(), "Demo/us-east-1/us-east-1:5432 i-1");
        assert!(fill(text, &plan(), Later::Nothing).unwrap_err().message.contains("only while a step runs"));
    }

    #[test]
    fn messages_and_steps_know_their_own_names() {
        let text = "{{ plan.name }}: {{ incident.severity }} {{ incident.doing }}";
        let filled = fill(text, &plan(), Later::Message).unwrap();
        assert_eq!(filled, "Demo: {{ incident.severity }} {{ incident.doing }}");
        let refused = |text, later| fill(text, &plan(), later).unwrap_err().message;
        assert!(refused("{{ run.id }}", Later::Message).contains("only while a step runs"));
        assert!(refused("{{ incident.severity }}", Later::Step).contains("only in messages"));
        assert!(refused("{{ incident.severity }}", Later::Nothing).contains("only in messages"));
        let near = fill("{{ incident.timelin }}", &plan(), Later::Message).unwrap_err().help;
        assert_eq!(near.as_deref(), Some("did you mean `incident.timeline`?"));
    }

    #[test]
    fn what_is_filled_in_is_never_rendered_again() {
        let filled = fill("{{ vars.braces }} {{ '{{' }}", &plan(), Later::Step).unwrap();
        assert_eq!(render_text(&filled, &json!({})).unwrap(), "{{ not.a.name }} {{");
        assert_eq!(fill("{{ vars.braces }}", &plan(), Later::Nothing).unwrap(), "{{ not.a.name }}");
    }

    #[test]
    fn values_can_be_put_into_json() {
        let filled = fill(
            r#"{"title": {{ services.api.title | json }}, "i": {{ incident.title | json }}}"#,
            &plan(),
            Later::Step,
        );
        let scope = json!({"incident": {"title": "a \"quoted\"\nline"}});
        let rendered = render_text(&filled.unwrap(), &scope).unwrap();
        let value: Value = serde_json::from_str(&rendered).unwrap();
        assert_eq!(value, json!({"title": "The \"API\"", "i": "a \"quoted\"\nline"}));
    }

    #[test]
    fn what_is_not_a_known_name_is_refused_with_its_place() {
        for (text, part, help) in [
            ("a {{ vars.buket }}", "{{ vars.buket }}", "vars.bucket"),
            ("{{ incident.ide }}", "{{ incident.ide }}", "incident.id"),
            ("{{ regions.us-east }}", "{{ regions.us-east }}", ""),
            ("x {% for a in b %}", "{%", "vars.name"),
            ("x {{ vars.bucket", "{{", "close"),
            ("{{ 'a' * 1000000000 }}", "{{ 'a' * 1000000000 }}", "dotted"),
            ("{{ vars.bucket | upper }}", "{{ vars.bucket | upper }}", "json"),
            ("{{ }}", "{{ }}", "dotted"),
        ] {
            let error = fill(text, &plan(), Later::Step).expect_err(text);
            assert_eq!(&text[error.range.clone()], part);
            assert!(error.help.unwrap_or_default().contains(help), "{text}");
        }
        assert!(render_text("{{ incident.id }}", &json!({})).is_err());
    }

    #[test]
    fn braces_of_other_programs_are_refused_with_the_words_that_let_them_pass() {
        for text in [
            "{{.State.Status}}",
            "{{range .items}}{{.status.phase}} {{end}}",
            "{{ printf \"%s\" .Names }}",
            "{{ it's \"both\" }}",
            "{{ $labels.instance }} is down",
            "{{.Names | upper}}",
            "{{ instance | upper }}",
            "{{job}}",
            "a=(1 2); echo ${#a[@]}",
            "echo ${#v} {{.x}} {%Y}",
            "date +{%Y}",
            "awk '{{print $1}}'",
            "awk '{{print $1}'",
            "select '{{1,2},{3,4}}'::int[]",
            "{{- if .Ready -}}yes{{- end -}}",
        ] {
            for later in [Later::Nothing, Later::Step] {
                let mut written = text.to_owned();
                let mut tries = 0;
                let filled = loop {
                    match fill(&written, &plan(), later) {
                        Ok(filled) => break filled,
                        Err(error) => {
                            let help = error.help.unwrap_or_default();
                            let words = help.rsplit('`').nth(1).unwrap_or_default();
                            written.replace_range(error.range, words);
                        }
                    }
                    tries += 1;
                    assert!(tries < 6, "{text}: {written}");
                };
                let last =
                    if later == Later::Nothing { filled } else { render_text(&filled, &json!({})).unwrap() };
                assert_eq!((last.as_str(), tries > 0), (text, true), "{written}");
            }
        }
        for text in [
            "curl -w %{http_code}",
            "jsonpath={.items[*].status.phase}",
            r#"{"a":{"b":1}}"#,
            "${v%%.*} ${v##*/}",
        ] {
            assert_eq!(fill(text, &plan(), Later::Nothing).as_deref(), Ok(text));
        }
    }

    #[test]
    fn params_are_rendered_in_depth_and_raw_text_is_left() {
        let text = |text: &str| Param::Text(text.into());
        let params = Params(
            [
                ("a".to_owned(), Param::List(vec![text("{{ run.id }}"), Param::Raw("{{ run.id }}".into())])),
                (
                    "b".to_owned(),
                    Param::Table([("k".to_owned(), text("{{ run.id }}"))].into_iter().collect()),
                ),
            ]
            .into_iter()
            .collect(),
        );
        let rendered = params.render(&json!({"run": {"id": "r"}})).unwrap();
        assert_eq!(rendered.texts("a"), ["r", "{{ run.id }}"]);
        assert_eq!(rendered.table("b").next(), Some(("k", &text("r"))));
    }
}
