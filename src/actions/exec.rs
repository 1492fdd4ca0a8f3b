//! `exec`: runs a program.

use crate::actions::{Action, ActionKind, Built, Context};
use crate::clients::{Clients, Ending, ProcessOutcome, leftover, process};
use crate::core::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::preflight::Check;
use crate::plan::keys::{Key, Takes};
use crate::plan::params::Params;
use crate::probes::source::{Program, program_words};
use futures::future::{BoxFuture, ready};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "exec",
    doc: "Runs a program, without a shell unless asked, in a process group of its own. Its output is shown as it \
          comes, cleared of secrets. Exit code 0 is success; anything else may have changed something, so that \
          the step becomes unknown. Secrets reach it through its environment only, never as arguments. It proves \
          its effect with `verify_argv`, or the step has a `verify` condition.",
    keys: &[
        Key::required("target", Takes::Text, "What it acts on: the name that is typed to confirm."),
        Key::required("argv", Takes::List(&Takes::Text), "Program and arguments."),
        Key::default(
            "shell",
            Takes::Flag,
            "false",
            "Hand `argv` to `/bin/sh -c` instead: the first is the script.",
        ),
        Key::optional("env", Takes::Table(&Takes::TextOrSecret), "Environment variables to set."),
        Key::optional(
            "pass_env",
            Takes::List(&Takes::Text),
            "Variables to pass on from lifeboat's own environment, besides PATH, HOME, LANG and the like.",
        ),
        Key::optional("folder", Takes::Text, "The folder to run in."),
        Key::optional(
            "verify_argv",
            Takes::List(&Takes::Text),
            "A program that changes nothing and exits with 0 when the effect is there.",
        ),
    ],
    changes: true,
    verifies: false,
    verifies_with: Some("verify_argv"),
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "scale-up"
title = "Scale the DR workers"
action = "exec"
with.target = "dr/workers"
with.argv = ["/usr/local/bin/scale", "--cluster", "dr", "--workers", "12"]
with.verify_argv = ["/usr/local/bin/scale", "--cluster", "dr", "--check", "12"]
with.env.SCALER_TOKEN = { secret = "scaler-token" }
confirm = "type"
timeout = "10m"
"#,
    call: |params| program_words(params, "argv"),
    build,
};

fn build(params: &Params, clients: &Clients) -> Built {
    Ok(Box::new(Exec {
        target: params.require_text("target")?.to_owned(),
        program: Program::of(params, "argv")?,
        check: params.get("verify_argv").map(|_| Program::of(params, "verify_argv")).transpose()?,
        clients: clients.clone(),
    }))
}

struct Exec {
    target: String,
    program: Program,
    check: Option<Program>,
    clients: Clients,
}

impl Action for Exec {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        let command = self.program.words();
        let mut notes =
            vec!["It is the plan that says what this acts on; lifeboat cannot read it back.".to_owned()];
        if let Some(check) = &self.check {
            notes = vec![format!("Proven by: {}", check.words())];
        }
        Box::pin(ready(Ok(Description {
            call: command.clone(),
            command,
            target: Target {
                name: self.target.clone(),
                kind: "what the program acts on".into(),
                identity: Vec::new(),
                reachable: true,
            },
            notes,
            undo: Vec::new(),
            sets: Vec::new(),
        })))
    }

    fn obstacle<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Option<Failure>> {
        Box::pin(async move {
            let (why, next) = still_running(context).await?;
            Some(Failure::not_done(format!("{} for {}", self.program.argv[0], self.target), why, next))
        })
    }

    fn execute<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let what = format!("{} for {}", self.program.argv[0], self.target);
            if let Some((why, next)) = still_running(context).await {
                // This attempt did nothing, and what the earlier one does is as unknown as before.
                return Err(Failure::maybe_done(what, why, next));
            }
            let ran = self.run(&self.program, Some(&context.token), context, &what).await?;
            if ran.success() {
                let stays = match stays(context, &ran).await {
                    ids if ids.is_empty() => String::new(),
                    ids => format!("; {}", leftover::words(&ids)),
                };
                let took = ran.elapsed.as_secs_f64();
                return Ok(Done { summary: format!("{what}: done in {took:.1} s{stays}") });
            }
            Err(Failure::maybe_done(
                what,
                ending_words(&ran),
                "Read its output, look at what it acts on, then verify, retry or attest the step.",
            ))
        })
    }

    fn verify<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(async move {
            let what = format!("verification for {}", self.target);
            if let Some((why, next)) = still_running(context).await {
                return Err(Failure::maybe_done(what, why, next));
            }
            let Some(check) = &self.check else {
                return Err(Failure::not_done(
                    what,
                    "the program alone cannot prove its effect",
                    "Check it by hand and attest the step, or give `verify_argv` or `verify` in the plan.",
                ));
            };
            let ran = self.run(check, None, context, &what).await?;
            if ran.success() {
                let line = ran.stdout.last_line().unwrap_or("no output");
                return Ok(Proof { evidence: vec![format!("{} exited with 0: {line}", check.words())] });
            }
            let next = "Look at what the step acts on; verify again when it should be there.";
            Err(Failure::not_done(what, ending_words(&ran), next))
        })
    }

    fn preflight(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(async move {
            let environment = &self.clients.environment;
            let mut checks = vec![self.program.exists(environment).await];
            if let Some(check) = self.check.as_ref().filter(|check| check.argv[0] != self.program.argv[0]) {
                checks.push(check.exists(environment).await);
            }
            checks
        })
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.program.words()],
            check: match &self.check {
                Some(check) => format!("{} exits with 0.", check.words()),
                None => format!("See that {} is as the step's title says.", self.target),
            },
        }
    }
}

impl Exec {
    /// Runs a program; with the attempt's `token` where it is the attempt and not a look at its effect.
    async fn run(
        &self,
        program: &Program,
        token: Option<&str>,
        context: &Context,
        what: &str,
    ) -> Result<ProcessOutcome, Failure> {
        let spec = program.spec(&self.clients, context.timeout.unsigned_abs()).await;
        let mut spec = spec.map_err(|error| Failure::not_done(what, error.to_string(), error.next_step()))?;
        spec.env.extend(token.map(|token| (leftover::TOKEN.into(), token.into())));
        let ran = process::run(&spec, &self.clients.redactor, |_, line| (context.output)(line)).await;
        ran.map_err(|error| Failure::not_done(what, error.to_string(), error.next_step))
    }
}

/// A program of this step that outlived the engine that started it, in words, and what to do about it. Whatever the number of its attempt, and in
/// whichever run of the incident: two side by side are a step that runs twice.
async fn still_running(context: &Context) -> Option<(String, String)> {
    let own = context.token.clone();
    let found = tokio::task::spawn_blocking(move || leftover::running(|token| of_one_step(token, &own)));
    match found.await.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(ids) if ids.is_empty() => None,
        Ok(ids) => {
            let list = |between: &str| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(between);
            let next = format!(
                "It was started by an engine that ended before it. Wait for its end, or end it with `kill -TERM {}`, then \
                 verify or retry the step.",
                list(" ")
            );
            Some((format!("the program of an earlier attempt still runs as process {}", list(", ")), next))
        }
        Err(error) => {
            let why = format!("whether a program of an earlier attempt still runs cannot be told: {error}");
            Some((why, "Look with `ps -ef`; raise the limit of open files (`ulimit -n`).".into()))
        }
    }
}

/// Whether two tokens, `MARK/RUN/STEP/ATTEMPT`, are of one step of one incident.
fn of_one_step(one: &str, other: &str) -> bool {
    let parts = |token: &str| {
        let (step, _) = token.rsplit_once('/')?;
        let (run, step) = step.rsplit_once('/')?;
        Some((run.split('/').next()?.to_owned(), step.to_owned()))
    };
    parts(one).is_some() && parts(one) == parts(other)
}

/// What a program that has ended started and left, in its own group or elsewhere.
async fn stays(context: &Context, ran: &ProcessOutcome) -> Vec<u32> {
    let token = context.token.clone();
    let marked = tokio::task::spawn_blocking(move || leftover::marked(leftover::TOKEN, &token));
    let mut found = marked.await.unwrap_or_default();
    found.extend(&ran.left);
    found.sort_unstable();
    found.dedup();
    found
}

/// How a program that failed ended, with its last words.
pub(super) fn ending_words(ran: &ProcessOutcome) -> String {
    let ended = match ran.ending {
        Ending::Exited(code) => format!("ended with exit code {code}"),
        Ending::Signalled(signal) => format!("was ended by signal {signal}"),
        Ending::TimedOut => {
            format!("was ended after {:.0} s: it did not end in time", ran.elapsed.as_secs_f64())
        }
        Ending::Stopped => "was stopped".to_owned(),
    };
    match ran.stderr.last_line().or_else(|| ran.stdout.last_line()) {
        Some(line) => format!("{ended}: {}", crate::text::clean(line, 300)),
        None => ended,
    }
}
