//! `lifeboat stop`: ends a plan's engine, and waits until it has ended.

use super::{Failure, Place, runtime, say};
use crate::engine::client::{Client, ClientError};
use crate::engine::protocol::ToClient;
use rustix::process::{Pid, test_kill_process};
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long an engine may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(15);
/// How long after its answer an engine that ends keeps the connection open at most.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Arguments of `lifeboat stop`.
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    #[command(flatten)]
    place: Place,
    /// Also while a step runs; nobody knows then whether it acted.
    #[arg(long)]
    force: bool,
}

/// Ends the engine.
///
/// # Errors
/// When it does not end, or cannot be reached. That none runs is no error.
pub fn run(args: &StopArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let socket = args.place.state_folder()?.socket();
    let outcome = runtime()?.block_on(async {
        let mut client = Client::connect(&socket).await?;
        let welcome = client.answer().await?;
        if let ToClient::Welcome { pid, .. } = welcome {
            client.stop(args.force).await?;
            return Ok(Some((pid, last_words(client).await?)));
        }
        Ok(None)
    });
    match outcome {
        Ok(Some((pid, None))) => {
            wait_for_end(pid)?;
            say(out, &format!("The engine (process {pid}) has ended.\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Some((_, Some((why, next))))) => Err(Failure::new(why, next)),
        Ok(None) => Err(Failure::new(
            "the engine does not take commands from this user",
            "Become the user that runs it.",
        )),
        Err(ClientError::NotRunning(_)) => {
            say(out, "No engine runs for this plan.\n")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(Failure::new(error, "")),
    }
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
