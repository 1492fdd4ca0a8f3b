//! `exec`: runs a program.

use crate::base::orphans;
use crate::base::process::ProcessOutcome;
use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Action, Built, Context};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::program::source::{Program, program_words};
use crate::providers::program::step;
use futures::future::{BoxFuture, ready};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "exec",
    does: Does::Runs,
    simulated_target: "what the program acts on",
    sets: &[],
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
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
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

    fn goes_on<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Option<Failure>> {
        Box::pin(step::goes_on(self.what(), context))
    }

    fn execute<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let what = self.what();
            if let Some(earlier) = self.goes_on(context).await {
                return Err(earlier);
            }
            let ran = step::run(&self.program, &self.clients, context, &what).await?;
            if ran.success() {
                let stays = match stays(context, &ran).await {
                    ids if ids.is_empty() => String::new(),
                    ids => format!("; {}", orphans::words(&ids)),
                };
                let took = ran.elapsed.as_secs_f64();
                return Ok(Done { summary: format!("{what}: done in {took:.1} s{stays}") });
            }
            Err(Failure::maybe_done(
                what,
                step::ending_words(&ran),
                "Read its output, look at what it acts on, then verify, retry or attest the step.",
            ))
        })
    }

    fn verify<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(async move {
            let what = format!("verification for {}", self.target);
            let Some(check) = &self.check else {
                return Err(Failure::not_done(
                    what,
                    "the program alone cannot prove its effect",
                    "Check it by hand and attest the step, or give `verify_argv` or `verify` in the plan.",
                ));
            };
            let ran = step::look(check, &self.clients, context, &what).await?;
            if ran.success() {
                let line = ran.stdout.last_line().unwrap_or("no output");
                return Ok(Proof { evidence: vec![format!("{} exited with 0: {line}", check.words())] });
            }
            let next = "Look at what the step acts on; verify again when it should be there.";
            Err(Failure::not_done(what, step::ending_words(&ran), next))
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
    fn what(&self) -> String {
        format!("{} for {}", self.program.argv[0], self.target)
    }
}

/// What a program that has ended started and left, in its own group or elsewhere.
async fn stays(context: &Context, ran: &ProcessOutcome) -> Vec<u32> {
    let token = context.token.clone();
    let marked = tokio::task::spawn_blocking(move || orphans::marked(orphans::TOKEN, &token));
    let mut found = marked.await.unwrap_or_default();
    found.extend(&ran.left);
    found.sort_unstable();
    found.dedup();
    found
}
