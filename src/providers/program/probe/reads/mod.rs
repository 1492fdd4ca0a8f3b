//! What an `exec` probe reads from a program's end.

use super::{Output, number, status_line};
use crate::core::words::reading::{Field, Measurement, Verdict};
use crate::plan::kinds::BuildError;
use crate::plan::params::{Param, ParamError, Params};
use crate::providers::http::probe::json_text;
use crate::secrets::Redactor;
use regex::Regex;
use serde_json::Value;

pub(super) struct Reads {
    codes: Codes,
    patterns: Patterns,
    stdout: Stdout,
    /// The value of an output that is nothing.
    empty: Option<f64>,
}

enum Stdout {
    Nothing,
    Number,
    /// Each place is a pointer.
    Json(Places),
    /// Each place is a label of the performance data.
    PerformanceData(Places),
}

struct Places {
    value: Option<String>,
    fields: Vec<(String, String)>,
}

/// What exit codes mean.
struct Codes {
    nagios: bool,
    /// Codes that the plan names, with the key that names them.
    named: Vec<(i32, &'static str)>,
}

struct Patterns {
    unknown: Option<Regex>,
    critical: Option<Regex>,
    warn: Option<Regex>,
}

const CODE_KEYS: [&str; 4] = ["good_codes", "warn_codes", "critical_codes", "unknown_codes"];

/// Of a shell, `env` and the like: the program cannot be executed, or is not there (POSIX, 2.8.2).
const NO_PROGRAM: [i32; 2] = [126, 127];

impl Reads {
    pub(super) fn of(params: &Params) -> Result<Self, BuildError> {
        let value = params.text("value").map(str::to_owned);
        let place = |(name, place): (&str, &Param)| match place.as_text() {
            Some(place) => Ok((name.to_owned(), place.to_owned())),
            None => Err(ParamError { key: format!("fields.{name}"), expected: "a JSON pointer" }),
        };
        let fields = params.table("fields").map(place).collect::<Result<Vec<_>, _>>()?;
        let wrong = |why: &str| BuildError::Value {
            key: "stdout".into(),
            value: params.text("stdout").unwrap_or("none").into(),
            why: why.into(),
        };
        let stdout = match params.text("stdout") {
            Some("json") => Stdout::Json(Places { value, fields }),
            Some("perfdata") => Stdout::PerformanceData(Places { value, fields }),
            _ if value.is_some() || !fields.is_empty() => {
                return Err(wrong(
                    "`value` and `fields` are read from JSON or performance data: say stdout = \"json\" or \"perfdata\"",
                ));
            }
            Some("number") => Stdout::Number,
            _ => Stdout::Nothing,
        };
        let empty = params.number("empty");
        if empty.is_some() && !matches!(stdout, Stdout::Number | Stdout::Json(Places { value: Some(_), .. }))
        {
            return Err(wrong(
                "`empty` is the value of nothing: say stdout = \"number\", or \"json\" with `value`",
            ));
        }
        Ok(Self { codes: Codes::of(params)?, patterns: Patterns::of(params)?, stdout, empty })
    }

    /// The measurement, or why there is none.
    pub(super) fn judge(&self, output: &Output, redactor: &Redactor) -> Result<Measurement, String> {
        let line = self.line(output);
        let verdict = self.patterns.judge(output, self.codes.judge(output.code, &line), &line)?;
        let summary = if line.is_empty() { format!("exit code {}", output.code) } else { line };
        let measured = Measurement::good(summary).with_number("exit_code", f64::from(output.code));
        match (self.read(output, verdict == Verdict::Good, measured, redactor), verdict) {
            (Ok(measured), verdict) => Ok(measured.judged(verdict)),
            (Err(why), Verdict::Good) => Err(why),
            // A program that found something wrong need not print what it prints otherwise.
            (Err(_), verdict) => Ok(Measurement::good(verdict.why().unwrap_or_default())
                .with_number("exit_code", f64::from(output.code))
                .judged(verdict)),
        }
    }

    /// What the program says of itself, in one line: a status on stdout comes before the noise on stderr, but where
    /// stdout holds a value the reason of a failure stands on stderr.
    fn line(&self, output: &Output) -> String {
        let said = status_line::status(&output.out).map(str::to_owned);
        let complaint = last_line(&output.err);
        let line = match &self.stdout {
            Stdout::Json(_) if output.code == 0 && said.is_some() => {
                Some(output.out.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            Stdout::Number | Stdout::Json(_) if output.code != 0 => complaint.or(said),
            Stdout::Nothing if output.code != 0 && !self.codes.nagios => match (said, complaint) {
                (Some(said), Some(complaint)) => Some(format!("{said} (stderr: {complaint})")),
                (said, complaint) => said.or(complaint),
            },
            _ => said.or(complaint),
        };
        crate::base::text::clean(&line.unwrap_or_default(), super::MAX_LINE_CHARS)
    }

    fn read(
        &self,
        output: &Output,
        good: bool,
        measured: Measurement,
        redactor: &Redactor,
    ) -> Result<Measurement, String> {
        let text = String::from_utf8_lossy(&output.stdout);
        // A program that failed prints nothing too: only a good end makes nothing a value.
        let empty = self.empty.filter(|_| good);
        match (&self.stdout, empty) {
            (Stdout::Nothing, _) => Ok(measured),
            (Stdout::Number | Stdout::Json(_), Some(value)) if number::is_nothing(&text) => {
                match last_line(&output.err).filter(|line| !is_notice(line)) {
                    Some(complaint) => Err(format!("it printed nothing but on stderr: {complaint}")),
                    None => {
                        Ok(Measurement { summary: format!("nothing printed, taken as {value}"), ..measured }
                            .with_value(value))
                    }
                }
            }
            (Stdout::Number, _) => number::read(&text)
                .map(|value| measured.with_value(value))
                .map_err(|why| not_a_number("it printed", &text, why, redactor)),
            (Stdout::Json(places), _) => json(&text, places, empty, measured, redactor),
            (Stdout::PerformanceData(places), _) => performance_data(&text, places, measured),
        }
    }
}

impl Codes {
    fn of(params: &Params) -> Result<Self, BuildError> {
        let mut named: Vec<(i32, &'static str)> = Vec::new();
        for key in CODE_KEYS {
            for code in params.integers(key).into_iter().filter_map(|code| i32::try_from(code).ok()) {
                if let Some((_, other)) = named.iter().find(|(known, other)| *known == code && *other != key)
                {
                    let why = format!("`{other}` names this exit code too");
                    return Err(BuildError::Value { key: key.into(), value: code.to_string(), why });
                }
                named.push((code, key));
            }
        }
        Ok(Self { nagios: params.flag("nagios"), named })
    }

    /// The verdict, or why there is none.
    fn judge(&self, code: i32, line: &str) -> Result<Verdict, String> {
        let why =
            if line.is_empty() { format!("exit code {code}") } else { format!("exit code {code}: {line}") };
        let named = self.named.iter().find(|(known, _)| *known == code).map(|(_, key)| *key);
        match (named, code) {
            (Some("good_codes"), _) | (None, 0) => Ok(Verdict::Good),
            (Some("warn_codes"), _) => Ok(Verdict::Warn(why)),
            (Some("critical_codes"), _) => Ok(Verdict::Critical(why)),
            (Some(_), _) => Err(why),
            (None, 1) if self.nagios => Ok(Verdict::Warn(why)),
            (None, 2) if self.nagios => Ok(Verdict::Critical(why)),
            (None, _) if self.nagios => Err(why),
            (None, code) if NO_PROGRAM.contains(&code) => {
                Err(format!("{why}; a program that it needs is missing, or cannot be executed"))
            }
            (None, _) => Ok(Verdict::Critical(why)),
        }
    }
}

impl Patterns {
    fn of(params: &Params) -> Result<Self, BuildError> {
        let pattern = |key: &str| match params.text(key).map(|text| (text, Regex::new(text))) {
            None => Ok(None),
            Some((_, Ok(pattern))) => Ok(Some(pattern)),
            Some((text, Err(error))) => {
                Err(BuildError::Value { key: key.into(), value: text.into(), why: error.to_string() })
            }
        };
        Ok(Self {
            unknown: pattern("unknown_when")?,
            critical: pattern("critical_when")?,
            warn: pattern("warn_when")?,
        })
    }

    /// What the output says comes before what the exit code says.
    fn judge(
        &self,
        output: &Output,
        by_code: Result<Verdict, String>,
        line: &str,
    ) -> Result<Verdict, String> {
        let says = |pattern: &Option<Regex>| {
            let matches =
                |pattern: &Regex, text: &str| text.lines().chain([text]).any(|part| pattern.is_match(part));
            let pattern = pattern.as_ref()?;
            let found = [&output.err, &output.out].into_iter().find(|text| matches(pattern, text))?;
            let which = found.lines().find(|line| pattern.is_match(line)).unwrap_or(line);
            Some(format!("it says: {}", crate::base::text::clean(which, super::MAX_LINE_CHARS)))
        };
        if let Some(why) = says(&self.unknown) {
            return Err(why);
        }
        if let Some(why) = says(&self.critical) {
            return Ok(Verdict::Critical(why));
        }
        match (by_code, says(&self.warn)) {
            (Ok(verdict), Some(why)) => Ok(verdict.or_worse(Verdict::Warn(why))),
            (by_code, _) => by_code,
        }
    }
}

fn last_line(text: &str) -> Option<String> {
    text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// A line on stderr that tells of no failure: kubectl, Python and others announce what will change one day.
fn is_notice(line: &str) -> bool {
    let line = line.to_lowercase();
    line.trim_start().starts_with("warn") || line.contains("deprecat")
}

fn not_a_number(where_: &str, text: &str, why: &str, redactor: &Redactor) -> String {
    format!("{where_} `{}` instead of a number: {why}", redactor.excerpt(text.trim(), 60))
}

fn json(
    text: &str,
    places: &Places,
    empty: Option<f64>,
    mut measured: Measurement,
    redactor: &Redactor,
) -> Result<Measurement, String> {
    let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("it printed no JSON: {error}"))?;
    let at = |pointer: &str| document.pointer(pointer).ok_or_else(|| format!("its JSON has no {pointer}"));
    if let Some(pointer) = &places.value {
        let number = match (document.pointer(pointer), empty) {
            (None | Some(Value::Null), Some(value)) => value,
            (Some(Value::Number(number)), _) => number.as_f64().unwrap_or(f64::NAN),
            // Prometheus and others write numbers as text, so that none loses digits.
            (Some(Value::String(text)), _) => number::read(text)
                .map_err(|why| not_a_number(&format!("{pointer} is"), text, why, redactor))?,
            (Some(other), _) => {
                let why = "it is no number";
                return Err(not_a_number(&format!("{pointer} is"), &other.to_string(), why, redactor));
            }
            (None, None) => return Err(format!("its JSON has no {pointer}")),
        };
        measured = measured.with_value(number);
    }
    for (name, pointer) in &places.fields {
        let field = match at(pointer)? {
            Value::Bool(flag) => Field::Flag(*flag),
            Value::Number(number) => Field::Number(number.as_f64().unwrap_or_default()),
            other => Field::Text(redactor.excerpt(&json_text(other), 500)),
        };
        measured.fields.insert(name.clone(), field);
    }
    Ok(measured)
}

fn performance_data(text: &str, places: &Places, mut measured: Measurement) -> Result<Measurement, String> {
    if let Some(label) = &places.value {
        measured = measured.with_value(status_line::value(text, label)?);
    }
    for (name, label) in &places.fields {
        measured = measured.with_number(name, status_line::value(text, label)?);
    }
    Ok(measured)
}

#[cfg(test)]
mod tests;
