//! `command`: a program of one's own that tells people.

use crate::base::process;
use crate::base::process::{Ending, ProcessOutcome};
use crate::base::text::clean;
use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::core::words::preflight::Checked;
use crate::kinds::channel::{Built, Notifier, Outgoing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::program::source::Program;
use futures::future::BoxFuture;
use serde_json::json;
use std::ffi::OsString;
use std::time::Duration;
use zeroize::Zeroizing;

/// The exit code of a program that could not send now and may be able to later (`EX_TEMPFAIL` of sysexits.h).
const EXIT_AGAIN: i32 = 75;
/// How long after SIGTERM the program gets SIGKILL.
const GRACE: Duration = Duration::from_secs(1);
/// The longest answer that is kept, in characters.
const ANSWER_LIMIT_CHARS: usize = 300;
/// The longest value of an environment variable, in characters.
const VARIABLE_LIMIT_CHARS: usize = 1000;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "command",
    doc: "Runs a program for each message. The message comes as one JSON object on standard input (`subject`, `body`, \
          `witness`, `intent`, `to`, `recipient`, `severity`, `drill`, `incident`, `plan`, `key`, `attempt`, \
          `queued_at`), its parts also in environment variables (`LIFEBOAT_SUBJECT`, `LIFEBOAT_TO`, \
          `LIFEBOAT_RECIPIENT`, `LIFEBOAT_INTENT`, `LIFEBOAT_SEVERITY`, `LIFEBOAT_DRILL`, `LIFEBOAT_INCIDENT`, \
          `LIFEBOAT_PLAN`, `LIFEBOAT_KEY`, `LIFEBOAT_ATTEMPT`); nothing of it is put into the arguments. Exit code 0 \
          means that it was sent, 75 that it can be tried again, any other that it was not sent and will not be. A \
          program that is killed, by the time-out or by somebody, may have sent it.",
    address: None,
    capabilities: |params| Capabilities { repeatable: params.flag("repeatable"), ..Capabilities::default() },
    keys: &[
        Key::required("argv", Takes::List(&Takes::Text), "Program and arguments; no shell reads them."),
        Key::optional(
            "address",
            Takes::Text,
            "Which of a contact's addresses it goes to (`phone`); when absent, the program knows its destination, \
             and `LIFEBOAT_TO` is empty.",
        ),
        Key::default(
            "repeatable",
            Takes::Flag,
            "false",
            "The program sends nothing twice that has the same `LIFEBOAT_KEY`, so that it is run again when nobody \
             knows whether it sent.",
        ),
        Key::optional("env", Takes::Table(&Takes::TextOrSecret), "Environment variables to set."),
        Key::optional(
            "pass_env",
            Takes::List(&Takes::Text),
            "Variables to pass on from lifeboat's own environment, besides PATH, HOME, LANG and the like.",
        ),
        Key::optional("folder", Takes::Text, "The folder to run in."),
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "SMS gateway in the rack"
kind = "command"
argv = ["/usr/local/bin/send-sms"]
address = "phone"
env.GATEWAY_TOKEN = { secret = "gateway-token" }
timeout = "30s"
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(Command {
        program: Program::of(&channel.params, "argv")?,
        timeout: channel.timeout.unsigned_abs(),
        clients: clients.clone(),
    }))
}

struct Command {
    program: Program,
    timeout: Duration,
    clients: Clients,
}

impl Notifier for Command {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.run(outgoing))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(async {
            let found = self.program.exists(&self.clients.environment).await;
            match found.result {
                Checked::Pass(path) => Ok(Some(format!("{path} is there; it was not run"))),
                other => Err(Undelivered {
                    why: format!("{}: {}", found.what, other.seen()),
                    next: found.next,
                    again: Again::Never,
                }),
            }
        })
    }
}

impl Command {
    async fn run(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let spec = self.program.spec(&self.clients, self.timeout).await;
        let never = |why: String, next: String| Undelivered { why, next, again: Again::Never };
        let mut spec = spec.map_err(|error| never(error.to_string(), error.next_step()))?;
        spec.env.extend(variables(outgoing));
        spec.stdin = Some(Zeroizing::new(input(outgoing).into_bytes()));
        spec.grace = GRACE;
        let ran = process::run(&spec, &self.clients.redactor, |_, _| {}).await;
        let ran = ran.map_err(|error| never(error.to_string(), error.next_step))?;
        self.judged(&ran)
    }

    fn judged(&self, ran: &ProcessOutcome) -> Result<Receipt, Undelivered> {
        let program = self.program.argv.first().map_or("", String::as_str);
        let said = |text: Option<&str>| text.map(|line| clean(line, ANSWER_LIMIT_CHARS));
        let last = said(ran.stderr.last_line().or_else(|| ran.stdout.last_line()));
        let told = last.map(|line| format!(": {line}")).unwrap_or_default();
        let failed = |what: String, next: &str, again| {
            Err(Undelivered { why: format!("{program} {what}{told}"), next: next.into(), again })
        };
        let unsure = "Ask the recipient whether it arrived, or tell them otherwise.";
        match ran.ending {
            Ending::Exited(0) => Ok(Receipt {
                answer: said(ran.stdout.last_line()).unwrap_or_else(|| "exit code 0".into()),
                ..Receipt::default()
            }),
            Ending::Exited(EXIT_AGAIN) => failed(
                format!("asks for another attempt (exit code {EXIT_AGAIN})"),
                "It is tried again by itself while there is time.",
                Again::After(None),
            ),
            Ending::Exited(code) => failed(
                format!("ended with exit code {code}"),
                "See what it says, mend it, then `lifeboat notify test`; tell them otherwise meanwhile.",
                Again::Never,
            ),
            Ending::Signalled(signal) => {
                failed(format!("was ended by signal {signal}"), unsure, Again::Maybe)
            }
            Ending::TimedOut | Ending::Stopped => {
                let limit = crate::base::words::seconds(self.timeout.as_secs_f64());
                failed(format!("did not end within {limit} and was killed"), unsure, Again::Maybe)
            }
        }
    }
}

fn variables(outgoing: &Outgoing) -> Vec<(OsString, OsString)> {
    let severity = outgoing.message.severity.map_or("", |severity| severity.as_str());
    let attempt = outgoing.attempt.to_string();
    let values = [
        ("LIFEBOAT_SUBJECT", &*outgoing.message.subject),
        ("LIFEBOAT_TO", outgoing.address.as_deref().unwrap_or_default()),
        ("LIFEBOAT_RECIPIENT", &outgoing.recipient),
        ("LIFEBOAT_INTENT", outgoing.intent.as_str()),
        ("LIFEBOAT_SEVERITY", severity),
        ("LIFEBOAT_DRILL", if outgoing.message.drill { "true" } else { "false" }),
        ("LIFEBOAT_INCIDENT", &outgoing.incident),
        ("LIFEBOAT_PLAN", &outgoing.plan),
        ("LIFEBOAT_KEY", &outgoing.key),
        ("LIFEBOAT_ATTEMPT", &attempt),
    ];
    // A NUL byte would keep the program from starting; `clean` replaces it.
    values.map(|(name, value)| (name.into(), clean(value, VARIABLE_LIMIT_CHARS).into())).into()
}

fn input(outgoing: &Outgoing) -> String {
    let message = &outgoing.message;
    json!({
        "subject": message.subject,
        "body": message.body,
        "witness": message.witness,
        "intent": outgoing.intent.as_str(),
        "to": outgoing.address,
        "recipient": outgoing.recipient,
        "severity": message.severity.map(|severity| severity.as_str()),
        "drill": message.drill,
        "incident": outgoing.incident,
        "plan": outgoing.plan,
        "key": outgoing.key,
        "attempt": outgoing.attempt,
        "queued_at": outgoing.queued_at,
    })
    .to_string()
}
