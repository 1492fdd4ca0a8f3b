//! `exec`: a program measures, by its exit code and what it prints.

mod checks;
mod number;
mod reads;
mod status_line;

use crate::base::orphans;
use crate::base::output::Stream;
use crate::base::problem::Problem;
use crate::base::process::{Ending, ProcessSpec, run_raw};
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ANY_FIELD, ProbeKind, Sees};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::program::source::{Program, program_words};
use futures::future::BoxFuture;
use reads::Reads;
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

const CODES: Takes = Takes::List(&Takes::Integer(0, 255));

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "exec",
    sees: Sees::Program,
    doc: "Runs a program, without a shell, and takes its exit code and output as the measurement: 0 is good, \
          anything else critical. With `nagios`, 1 warns, 2 is critical and 3 is unknown, as monitoring plugins \
          have it; `good_codes`, `warn_codes`, `critical_codes` and `unknown_codes` say it code by code, and \
          `unknown_when`, `critical_when` and `warn_when` by what is printed, which comes before the code. The first \
          line of the output is the status, without performance data. A program that cannot be started (126 and 127 \
          of a shell say so too), does not end within the time-out, is killed, or prints what cannot be read makes \
          the signal unknown. For a shell, name it: `argv = [\"sh\", \"-c\", \"…\"]`.",
    unit: Unit::Number,
    keys: &[
        Key::required("argv", Takes::List(&Takes::Text), "Program and arguments."),
        Key::default(
            "stdout",
            Takes::Choice(&["none", "number", "json", "perfdata"]),
            "none",
            "What the program prints: nothing of interest, one number (the value), JSON, or a status with the \
             performance data of monitoring plugins.",
        ),
        Key::optional(
            "value",
            Takes::RawText,
            "Where the value is: in JSON by its pointer (RFC 6901: `/lag/seconds`), in performance data by its label \
             (`lag`; times are read as seconds).",
        ),
        Key::optional(
            "empty",
            Takes::Number,
            "The value of an output that is nothing (also `null`, `<none>`, `<no value>`), or of JSON without the \
             value, where the program ended well: kubectl leaves out a count that is zero. Without it the signal is unknown.",
        ),
        Key::optional(
            "fields",
            Takes::Table(&Takes::RawText),
            "Further fields: a name, and where it is, as for `value`. `exposure_s`, `exposure_bytes` and `exposure_basis` make \
             a probe tell a loss (`loss` of a runbook, the RPO line).",
        ),
        Key::default(
            "nagios",
            Takes::Flag,
            "false",
            "Exit codes as of monitoring plugins: 1 warns, 3 is unknown.",
        ),
        Key::optional("good_codes", CODES, "Exit codes that are good, besides 0."),
        Key::optional("warn_codes", CODES, "Exit codes that warn."),
        Key::optional("critical_codes", CODES, "Exit codes that are critical."),
        Key::optional(
            "unknown_codes",
            CODES,
            "Exit codes that say nothing of what is measured (`[1]` for kubectl: not signed in, not reached; with \
             `critical_when = '\\(NotFound\\)'`, for what was deleted ends with 1 too).",
        ),
        Key::optional(
            "unknown_when",
            Takes::Regex,
            "The signal is unknown when this regular expression matches in the output, of stdout or stderr (`Unauthorized`).",
        ),
        Key::optional(
            "critical_when",
            Takes::Regex,
            "Critical when it matches in the output, whatever the exit code.",
        ),
        Key::optional(
            "warn_when",
            Takes::Regex,
            "A warning, or worse by the exit code, when it matches in the output.",
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
    check: checks::check,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
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
    /// Both streams as text, redacted.
    out: String,
    err: String,
}

impl Probe for Exec {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let spec = self.program.spec(&self.clients, self.within).await;
            let spec = spec.map_err(|error| Problem::new(error.to_string(), error.next_step()))?;
            let output = self.output(spec).await;
            let orphans = self.orphans().await;
            let judged = output.and_then(|output| {
                self.reads.judge(&output, &self.clients.redactor).map_err(|why| self.failure(&why))
            });
            match orphans.is_empty() {
                true => judged,
                false => with_orphans(judged, &orphans::words(&orphans)),
            }
        })
    }
}

impl Exec {
    async fn output(&self, mut spec: ProcessSpec) -> Result<Output, Problem> {
        // What does not end on SIGTERM is killed before the engine gives up on the probe.
        spec.grace = self.within / 20;
        // A look at something has no reason to leave anything behind.
        spec.ends_leftovers = true;
        spec.env.push((orphans::PROBE.into(), self.mark.clone().into()));
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ended = run_raw(&spec, |stream, chunk| {
            let kept = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
            kept.extend_from_slice(chunk);
            if kept.len() > MAX_OUTPUT_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let ended = ended.await.map_err(|error| Problem::new(error.to_string(), error.next_step.clone()))?;
        // Redacted whole: a secret can begin in the line before.
        let redacted = |bytes: &[u8]| self.clients.redactor.redact(&String::from_utf8_lossy(bytes));
        let (out, err) = (redacted(&stdout), redacted(&stderr));
        match ended.ending {
            Ending::Exited(code) => Ok(Output { code, stdout, out, err }),
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
        let looked = tokio::task::spawn_blocking(move || orphans::marked(orphans::PROBE, &mark));
        let found = looked.await.unwrap_or_default();
        let mut known = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        let stay: Vec<u32> = found.iter().copied().filter(|id| known.found.contains(id)).collect();
        *known = Orphans { looked: Some(Instant::now()), found, stay: stay.clone() };
        stay
    }

    fn failure(&self, why: &str) -> Problem {
        let program = clean(&self.program.argv.join(" "), 200);
        Problem::new(format!("{program}: {why}"), "Run the program by hand on this host to see what it does.")
    }
}

/// The same reading, which also says what stays of the runs.
fn with_orphans(judged: Result<Measurement, Problem>, words: &str) -> Result<Measurement, Problem> {
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
