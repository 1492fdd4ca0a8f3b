//! `exec`: a program measures, by its exit code and what it prints.

use crate::clients::process::run_raw;
use crate::clients::{Clients, Ending, ProcessSpec, Stream, leftover};
use crate::core::reading::{Field, Measurement, ProbeFailure, Verdict};
use crate::plan::keys::{Key, Takes};
use crate::plan::params::{Param, ParamError, Params};
use crate::plan::{ProbeSpec, Unit};
use crate::probes::source::{Program, program_words};
use crate::probes::{ANY_FIELD, BuildError, Built, Probe, ProbeKind, deadline};
use crate::secrets::Redactor;
use crate::text::clean;
use futures::future::BoxFuture;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most that is read from either stream.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;

/// How much of the output stands in a summary, in characters.
const MAX_LINE_CHARS: usize = 200;

/// Between two looks for what runs left behind: each reads the list of all processes.
const LOOK_FOR_ORPHANS: Duration = Duration::from_secs(10);

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "exec",
    doc: "Runs a program, without a shell, and takes its exit code and output as the measurement: 0 is good, \
          anything else critical. With `nagios`, 1 warns, 2 is critical and 3 is unknown, as monitoring plugins \
          have it. A program that cannot be started, does not end within the time-out, is killed, or prints what \
          cannot be read makes the signal unknown. For a shell, name it: `argv = [\"sh\", \"-c\", \"…\"]`.",
    unit: Unit::Number,
    keys: &[
        Key::required("argv", Takes::List(&Takes::Text), "Program and arguments."),
        Key::default(
            "stdout",
            Takes::Choice(&["none", "number", "json"]),
            "none",
            "What the program prints: nothing of interest, one number (the value), or JSON.",
        ),
        Key::optional("value", Takes::RawText, "Where the value is in the JSON (RFC 6901: `/lag/seconds`)."),
        Key::optional(
            "fields",
            Takes::Table(&Takes::RawText),
            "Further fields: a name, and where it is in the JSON. `exposure_s`, `exposure_bytes` and `exposure_basis` make \
             a probe tell a loss (`loss` of a runbook, the RPO line).",
        ),
        Key::default(
            "nagios",
            Takes::Flag,
            "false",
            "Exit codes as of monitoring plugins: 1 warns, 3 is unknown.",
        ),
        Key::optional("env", Takes::Table(&Takes::TextOrSecret), "Environment variables to set."),
        Key::optional(
            "pass_env",
            Takes::List(&Takes::Text),
            "Variables to pass on from lifeboat's own environment, besides PATH, HOME, LANG and the like.",
        ),
        Key::optional("folder", Takes::Text, "The folder to run in."),
    ],
    fields: &[("exit_code", "the program's exit code"), (ANY_FIELD, "whatever `fields` names")],
    permissions: &[],
    example: r#"[probes.example]
kind = "exec"
title = "Kafka mirror lag"
argv = ["/usr/local/bin/mirror-lag", "--json"]
stdout = "json"
value = "/lag/records"
fields.topic = "/topic"
env.KAFKA_PASSWORD = { secret = "kafka-monitor" }
every = "30s"
timeout = "10s"
warn = 1000
critical = 10000
"#,
    build,
};

fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Exec {
        program: Program::of(&spec.params, "argv")?,
        reads: Reads::of(&spec.params)?,
        clients: clients.clone(),
        within: deadline(spec),
        mark: format!("{}/{}", short_digest(&spec.params), spec.id),
        orphans: Mutex::default(),
    }))
}

struct Exec {
    program: Program,
    reads: Reads,
    clients: Clients,
    within: Duration,
    /// What tells its programs from those of other probes, also of other plans on this host.
    mark: String,
    orphans: Mutex<Orphans>,
}

/// Processes that earlier runs left.
#[derive(Default)]
struct Orphans {
    looked: Option<Instant>,
    /// What the last look found.
    found: Vec<u32>,
    /// What the look before found too.
    stay: Vec<u32>,
}

/// How a program ended and what it printed.
struct Output {
    code: i32,
    stdout: Vec<u8>,
    /// The last line of either stream, redacted and cleaned.
    last_line: String,
}

impl Probe for Exec {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, ProbeFailure>> {
        Box::pin(async move {
            let spec = self.program.spec(&self.clients, self.within).await;
            let spec = spec.map_err(|error| ProbeFailure::new(error.to_string(), error.next_step()))?;
            let output = self.output(spec).await;
            let orphans = self.orphans().await;
            let judged = output.and_then(|output| {
                self.reads.judge(&output, &self.clients.redactor).map_err(|why| self.failure(&why))
            });
            match orphans.is_empty() {
                true => judged,
                false => with_orphans(judged, &leftover::words(&orphans)),
            }
        })
    }
}

impl Exec {
    async fn output(&self, mut spec: ProcessSpec) -> Result<Output, ProbeFailure> {
        // What does not end on SIGTERM is killed before the engine gives up on the probe.
        spec.grace = self.within / 20;
        // A look at something has no reason to leave anything behind.
        spec.ends_leftovers = true;
        spec.env.push((leftover::PROBE.into(), self.mark.clone().into()));
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ended = run_raw(&spec, |stream, chunk| {
            let kept = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
            kept.extend_from_slice(chunk);
            if kept.len() > MAX_OUTPUT_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let ended =
            ended.await.map_err(|error| ProbeFailure::new(error.to_string(), error.next_step.clone()))?;
        // Redacted whole: a secret can begin in the line before.
        let redacted = |bytes: &[u8]| self.clients.redactor.redact(&String::from_utf8_lossy(bytes));
        let line =
            last_line(&redacted(&stderr)).or_else(|| last_line(&redacted(&stdout))).unwrap_or_default();
        let last_line = clean(&line, MAX_LINE_CHARS);
        match ended.ending {
            Ending::Exited(code) => Ok(Output { code, stdout, last_line }),
            Ending::Signalled(signal) => Err(self.failure(&format!("it was ended by signal {signal}"))),
            Ending::TimedOut => Err(self.failure(&format!("it did not end within {:?}", self.within))),
            Ending::Stopped => Err(self.failure("it printed more than a megabyte")),
        }
    }

    /// What its runs left behind in sessions of their own, where it cannot be ended with them: somebody has to know
    /// before the host is full of it. Only what two looks found: what is about to end is none.
    async fn orphans(&self) -> Vec<u32> {
        let looked_at = |orphans: &Orphans| orphans.looked.is_some_and(|at| at.elapsed() < LOOK_FOR_ORPHANS);
        {
            let known = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
            if looked_at(&known) {
                return known.stay.clone();
            }
        }
        let mark = self.mark.clone();
        let looked = tokio::task::spawn_blocking(move || leftover::marked(leftover::PROBE, &mark));
        let found = looked.await.unwrap_or_default();
        let mut known = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        let stay: Vec<u32> = found.iter().copied().filter(|id| known.found.contains(id)).collect();
        *known = Orphans { looked: Some(Instant::now()), found, stay: stay.clone() };
        stay
    }

    fn failure(&self, why: &str) -> ProbeFailure {
        let program = clean(&self.program.argv.join(" "), 200);
        ProbeFailure::new(
            format!("{program}: {why}"),
            "Run the program by hand on this host to see what it does.",
        )
    }
}

/// The same reading, which also says what stays of the runs.
fn with_orphans(judged: Result<Measurement, ProbeFailure>, words: &str) -> Result<Measurement, ProbeFailure> {
    let also = |text: &mut String| text.push_str(&format!("; {words}"));
    match judged {
        Ok(mut measured) => {
            also(&mut measured.summary);
            if let Verdict::Warn(why) | Verdict::Critical(why) = &mut measured.verdict {
                also(why);
            }
            Ok(measured)
        }
        Err(mut failure) => {
            also(&mut failure.why);
            Err(failure)
        }
    }
}

/// The same for the same program.
fn short_digest(params: &Params) -> String {
    let digest = Sha256::digest(program_words(params, "argv"));
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn last_line(text: &str) -> Option<String> {
    text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// What to read from a program's end.
struct Reads {
    nagios: bool,
    stdout: Stdout,
}

enum Stdout {
    Nothing,
    Number,
    Json { value: Option<String>, fields: Vec<(String, String)> },
}

impl Reads {
    fn of(params: &Params) -> Result<Self, BuildError> {
        let value = params.text("value").map(str::to_owned);
        let pointer = |(name, pointer): (&str, &Param)| match pointer.as_text() {
            Some(pointer) => Ok((name.to_owned(), pointer.to_owned())),
            None => Err(ParamError { key: format!("fields.{name}"), expected: "a JSON pointer" }),
        };
        let fields = params.table("fields").map(pointer).collect::<Result<Vec<_>, _>>()?;
        let stdout = match params.text("stdout") {
            Some("json") => Stdout::Json { value, fields },
            _ if value.is_some() || !fields.is_empty() => {
                return Err(BuildError::Value {
                    key: "stdout".into(),
                    value: params.text("stdout").unwrap_or("none").into(),
                    why: "`value` and `fields` are read from JSON: say stdout = \"json\"".into(),
                });
            }
            Some("number") => Stdout::Number,
            _ => Stdout::Nothing,
        };
        Ok(Self { nagios: params.flag("nagios"), stdout })
    }

    /// The measurement, or why there is none.
    fn judge(&self, output: &Output, redactor: &Redactor) -> Result<Measurement, String> {
        let verdict = self.verdict(output)?;
        let summary = match (&verdict, output.last_line.is_empty()) {
            (_, false) => output.last_line.clone(),
            (_, true) => format!("exit code {}", output.code),
        };
        let measured = Measurement::good(summary).with_number("exit_code", f64::from(output.code));
        let read = match &self.stdout {
            Stdout::Nothing => Ok(measured),
            Stdout::Number => {
                number(&output.stdout, redactor).map(|value| measured.clone().with_value(value))
            }
            Stdout::Json { value, fields } => {
                json(&output.stdout, value.as_deref(), fields, measured.clone(), redactor)
            }
        };
        match (read, verdict) {
            (Ok(measured), verdict) => Ok(measured.judged(verdict)),
            // A program that failed need not print what it prints otherwise.
            (Err(_), Verdict::Critical(why)) => {
                Ok(Measurement::critical(why).with_number("exit_code", f64::from(output.code)))
            }
            (Err(why), _) => Err(why),
        }
    }

    fn verdict(&self, output: &Output) -> Result<Verdict, String> {
        let why = match output.last_line.is_empty() {
            true => format!("exit code {}", output.code),
            false => format!("exit code {}: {}", output.code, output.last_line),
        };
        match output.code {
            0 => Ok(Verdict::Good),
            1 if self.nagios => Ok(Verdict::Warn(why)),
            2 if self.nagios => Ok(Verdict::Critical(why)),
            _ if self.nagios => Err(why),
            _ => Ok(Verdict::Critical(why)),
        }
    }
}

fn number(stdout: &[u8], redactor: &Redactor) -> Result<f64, String> {
    let text = String::from_utf8_lossy(stdout);
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("it printed `{}` instead of a number", redactor.excerpt(text, 60))),
    }
}

fn json(
    stdout: &[u8],
    value: Option<&str>,
    fields: &[(String, String)],
    mut measured: Measurement,
    redactor: &Redactor,
) -> Result<Measurement, String> {
    let document: Value =
        serde_json::from_slice(stdout).map_err(|error| format!("it printed no JSON: {error}"))?;
    let at = |pointer: &str| document.pointer(pointer).ok_or_else(|| format!("its JSON has no {pointer}"));
    if let Some(pointer) = value {
        let found = at(pointer)?;
        let number = found.as_f64().ok_or_else(|| {
            format!("{pointer} is `{}` instead of a number", redactor.excerpt(&found.to_string(), 60))
        })?;
        measured = measured.with_value(number);
    }
    for (name, pointer) in fields {
        let field = match at(pointer)? {
            Value::Bool(flag) => Field::Flag(*flag),
            Value::Number(number) => Field::Number(number.as_f64().unwrap_or_default()),
            other => Field::Text(redactor.excerpt(&super::http::json_text(other), 500)),
        };
        measured.fields.insert(name.clone(), field);
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::testing::probe_params;

    fn reads(keys: &[(&str, Param)]) -> Reads {
        let params = keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Reads::of(&Params(params)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn text(text: &str) -> Param {
        Param::Text(text.to_owned())
    }

    fn output(code: i32, stdout: &str) -> Output {
        let last_line = last_line(stdout).unwrap_or_default();
        Output { code, stdout: stdout.into(), last_line }
    }

    #[test]
    fn the_exit_code_decides() {
        let plain = reads(&[]);
        assert_eq!(plain.judge(&output(0, ""), &Redactor::new()).unwrap().verdict, Verdict::Good);
        let failed = plain.judge(&output(1, "disk full\n"), &Redactor::new()).unwrap();
        assert_eq!(failed.verdict, Verdict::Critical("exit code 1: disk full".into()));
        let nagios = reads(&[("nagios", Param::Flag(true))]);
        assert!(matches!(nagios.judge(&output(1, ""), &Redactor::new()).unwrap().verdict, Verdict::Warn(_)));
        assert!(matches!(
            nagios.judge(&output(2, ""), &Redactor::new()).unwrap().verdict,
            Verdict::Critical(_)
        ));
        assert!(nagios.judge(&output(3, ""), &Redactor::new()).is_err());
    }

    #[test]
    fn a_number_is_the_value_and_garbage_is_unknown() {
        let number = reads(&[("stdout", text("number"))]);
        assert_eq!(number.judge(&output(0, " 12.5\n"), &Redactor::new()).unwrap().value, Some(12.5));
        for garbage in ["", "12 apples", "NaN", "1\n2"] {
            assert!(number.judge(&output(0, garbage), &Redactor::new()).is_err(), "{garbage}");
        }
        assert!(matches!(
            number.judge(&output(1, "boom"), &Redactor::new()).unwrap().verdict,
            Verdict::Critical(_)
        ));
    }

    /// As the loader reads it.
    fn loaded(keys: &str) -> Reads {
        let params = probe_params("exec", &format!("argv = [\"true\"]\n{keys}"));
        Reads::of(&params).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn json_gives_the_value_and_the_fields_that_the_plan_names() {
        let json = loaded(
            "stdout = \"json\"\nvalue = \"/lag/0\"\nfields.topic = \"/topic\"\nfields.up = \"/up\"\nfields.exposure_s = \"/s\"",
        );
        let measured =
            json.judge(&output(0, r#"{"lag":[7],"topic":"a","up":true,"s":1.5}"#), &Redactor::new()).unwrap();
        assert_eq!((measured.value, measured.text("topic")), (Some(7.0), Some("a")));
        assert_eq!(measured.fields["up"], Field::Flag(true));
        assert_eq!(measured.number("exposure_s"), Some(1.5));
        assert_eq!(json.judge(&output(0, "{}"), &Redactor::new()).unwrap_err(), "its JSON has no /lag/0");
        assert!(
            json.judge(&output(0, r#"{"lag":["x"]}"#), &Redactor::new())
                .unwrap_err()
                .contains("instead of a number")
        );
        assert_eq!(
            json.judge(&output(0, r#"{"lag":[7]}"#), &Redactor::new()).unwrap_err(),
            "its JSON has no /topic"
        );
    }

    #[test]
    fn pointers_need_json() {
        let params = Params([("value".to_owned(), text("/a"))].into_iter().collect());
        assert!(Reads::of(&params).is_err());
    }
}
