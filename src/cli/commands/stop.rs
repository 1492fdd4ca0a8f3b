//! `lifeboat stop`: ends a plan's engine, and waits until it has ended.

use crate::cli::{Failure, PlanArgs, block_on, moved, reach, say, whose};
use crate::engine::client::{Client, ClientError};
use crate::engine::paths::StateFolder;
use crate::engine::protocol::ToClient;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long an engine may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an engine may take to make a socket again that somebody removed.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(6);
/// How long after its answer an engine that ends keeps the connection open at most.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Arguments of `lifeboat stop`.
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    #[command(flatten)]
    place: PlanArgs,
    /// Also while a step runs; nobody knows then whether it acted.
    #[arg(long)]
    force: bool,
}

/// Ends the engine.
///
/// # Errors
/// When it does not end, or cannot be reached. That none runs is no error.
pub fn run(args: &StopArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let folder = args.place.state_folder()?;
    let outcome = block_on(ask(&args.place, &folder, args.force))?;
    let (unreachable, pid) = match outcome {
        Ok(Answer::Ends(pid, name)) => {
            wait_for_end(pid)?;
            return ended(out, pid, Some(&whose::of(&name, &folder)));
        }
        Ok(Answer::Refused(why, next)) => return Err(Failure::new(why, next)),
        Ok(Answer::OfAnother(failure)) => return Err(failure),
        Ok(Answer::NotWelcome(why, pid)) => (why, pid),
        Err(error) => match reach::without_socket(&folder, &error) {
            Some(pid) => (reach::lost(&folder, pid), Some(pid)),
            None => match error {
                ClientError::NotRunning(_) if moved::away_from(&folder).is_some() => {
                    return Err(reach::failure(&folder, error));
                }
                ClientError::NotRunning(_) => {
                    say(out, "No engine runs for this plan.\n")?;
                    return Ok(ExitCode::SUCCESS);
                }
                ClientError::Silent(pid) => (error.to_string(), pid),
                error => return Err(Failure::new(error, "")),
            },
        },
    };
    match pid {
        Some(pid) if args.force => {
            let name = args.place.expect_own_journal(&folder)?;
            say(
                out,
                &format!(
                    "{}\nProcess {pid} is ended by SIGTERM.\n",
                    crate::base::text::ended(&unreachable.to_string())
                ),
            )?;
            end_by_signal(pid)?;
            ended(out, pid, name.map(|name| whose::of(&name, &folder)).as_deref())
        }
        _ => {
            let next = "Whether a step runs cannot be asked. `lifeboat stop --force` ends the process by a signal; a \
                        step that runs is unknown then.";
            Err(Failure::new(unreachable, next))
        }
    }
}

fn ended(out: &mut dyn Write, pid: u32, plan: Option<&str>) -> Result<ExitCode, Failure> {
    let of = plan.map_or_else(String::new, |plan| format!(" of {plan}"));
    say(out, &format!("The engine{of}, process {pid}, has ended.\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// What an engine says to being stopped.
enum Answer {
    /// It ends: the process, and the name of its plan.
    Ends(u32, String),
    /// It goes on: why, and what can be done.
    Refused(String, String),
    /// It is another plan's, and nothing was asked of it.
    OfAnother(Failure),
    /// It does not talk to this client, and why.
    NotWelcome(String, Option<u32>),
}

/// Asks the engine to end; one without a socket gets the time to make it again.
async fn ask(place: &PlanArgs, folder: &StateFolder, force: bool) -> Result<Answer, ClientError> {
    let deadline = Instant::now() + SOCKET_TIMEOUT;
    let mut client = loop {
        match Client::connect(&folder.socket()).await {
            Err(error) if Instant::now() < deadline && reach::without_socket(folder, &error).is_some() => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            connected => break connected?,
        }
    };
    let pid = client.pid();
    match client.answer().await? {
        ToClient::Welcome { pid, model, .. } => {
            if let Err(failure) = place.expect_own(&model.plan.name) {
                return Ok(Answer::OfAnother(failure));
            }
            client.stop(force).await?;
            Ok(match last_words(client).await? {
                None => Answer::Ends(pid, model.plan.name.clone()),
                Some((why, next)) => Answer::Refused(why, next),
            })
        }
        ToClient::Goodbye { why, .. } => Ok(Answer::NotWelcome(why, pid)),
        _ => Ok(Answer::NotWelcome("the engine's first word was not a welcome".into(), pid)),
    }
}

fn end_by_signal(pid: u32) -> Result<(), Failure> {
    let what = |why: &str| format!("process {pid} cannot be ended: {why}");
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.ok_or_else(|| Failure::new(what("it has no number of a process"), ""))?;
    kill_process(process, Signal::TERM)
        .map_err(|error| Failure::new(what(&error.to_string()), "Become the user that runs it."))?;
    wait_for_end(pid).map_err(|_| {
        let next = format!("It hangs, or its disk does: `kill -KILL {pid}` ends it all the same.");
        Failure::new(what("it got SIGTERM and is still there"), next)
    })
}

/// Reads to the end. An engine that goes on keeps the connection open after its no; that no is returned.
async fn last_words(client: Client) -> Result<Option<(String, String)>, ClientError> {
    let pid = client.pid();
    let (_sender, mut receiver) = client.split();
    let mut no = None;
    // Its signs of life in between do not put that off.
    let mut until = tokio::time::Instant::now() + END_TIMEOUT;
    loop {
        match tokio::time::timeout_at(until, receiver.next()).await {
            Ok(Ok(ToClient::Goodbye { why, next })) => {
                no = Some((why, next));
                until = tokio::time::Instant::now() + LAST_WORDS;
            }
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Ok(None),
            Err(_) if no.is_some() => return Ok(no),
            Err(_) => return Err(ClientError::Silent(pid)),
        }
    }
}

fn wait_for_end(pid: u32) -> Result<(), Failure> {
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    let deadline = Instant::now() + END_TIMEOUT;
    while test_kill_process(process).is_ok() && !is_defunct(pid) {
        if Instant::now() > deadline {
            let what = format!("the engine (process {pid}) said that it ends, and is still there");
            return Err(Failure::new(what, "Look at engine.log in its state folder."));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Ended, and not yet noticed by the process that started it (proc(5): state `Z`). In containers that may be never.
fn is_defunct(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}
