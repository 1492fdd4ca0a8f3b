//! The programs of a step: the one that does it is marked, so that it is found when it outlives the engine that started
//! it; the one that looks at its effect is not.

use crate::base::process::{Ending, ProcessOutcome};
use crate::base::{orphans, process};
use crate::core::words::action::{Failure, STILL_RUNS};
use crate::kinds::action::Context;
use crate::providers::clients::Clients;
use crate::providers::program::source::Program;

/// Runs the program that does it. An engine that is killed leaves it running.
pub(crate) async fn run(
    program: &Program,
    clients: &Clients,
    context: &Context,
    what: &str,
) -> Result<ProcessOutcome, Failure> {
    run_as(program, clients, context, what, Some(&context.token)).await
}

/// Runs a program that looks at what another one did.
pub(crate) async fn look(
    program: &Program,
    clients: &Clients,
    context: &Context,
    what: &str,
) -> Result<ProcessOutcome, Failure> {
    run_as(program, clients, context, what, None).await
}

async fn run_as(
    program: &Program,
    clients: &Clients,
    context: &Context,
    what: &str,
    token: Option<&str>,
) -> Result<ProcessOutcome, Failure> {
    let spec = program.spec(clients, context.timeout.unsigned_abs()).await;
    let mut spec = spec.map_err(|error| Failure::not_done(what, error.to_string(), error.next_step()))?;
    spec.env.extend(token.map(|token| (orphans::TOKEN.into(), token.into())));
    spec.outlives = token.is_some();
    let ran = process::run(&spec, &clients.redactor, |_, line| (context.output)(line)).await;
    ran.map_err(|error| Failure::not_done(what, error.to_string(), error.next_step))
}

/// A program of this step that outlived the engine that started it, and what to do about it. Whatever the number of its
/// attempt, and in whichever run of the incident: two side by side are a step that runs twice.
pub(crate) async fn goes_on(what: String, context: &Context) -> Option<Failure> {
    let (why, next) = still_running(context).await?;
    // The look did nothing, and what the earlier attempt does is as unknown as before.
    Some(Failure::maybe_done(what, why, next))
}

async fn still_running(context: &Context) -> Option<(String, String)> {
    let own = context.token.clone();
    let found = tokio::task::spawn_blocking(move || orphans::running(|token| of_one_step(token, &own)));
    match found.await.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(ids) if ids.is_empty() => None,
        Ok(ids) => {
            let list = |between: &str| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(between);
            let next = format!(
                "It was started by an engine that ended before it. Wait for its end, or end it: see by `ps -o lstart,args -p \
                 {}` that it is still that program, then `kill -TERM {}`. Then verify or retry the step.",
                list(","),
                list(" ")
            );
            Some((format!("the program of an earlier attempt {STILL_RUNS} {}", list(", ")), next))
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

/// How a program that failed ended, with its last words.
pub(crate) fn ending_words(ran: &ProcessOutcome) -> String {
    let ended = match ran.ending {
        Ending::Exited(code) => format!("ended with exit code {code}"),
        Ending::Signalled(signal) => format!("was ended by signal {signal}"),
        Ending::TimedOut => {
            format!("was ended after {:.0} s: it did not end in time", ran.elapsed.as_secs_f64())
        }
        Ending::Stopped => "was stopped".to_owned(),
    };
    match ran.stderr.last_line().or_else(|| ran.stdout.last_line()) {
        Some(line) => format!("{ended}: {}", crate::base::text::clean(line, 300)),
        None => ended,
    }
}
