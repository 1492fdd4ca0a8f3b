//! Starting an engine that outlives the terminal.

use crate::base::folder::Folder;
use crate::engine::client::{Client, ClientError};
use crate::engine::paths::StateFolder;
use rustix::fs::OFlags;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long an engine may take from its start to its socket.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long another engine, which took the journal first, may take to its socket.
const OTHER_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of the log is shown when the engine did not start.
const LOG_TAIL_BYTES: u64 = 4_096;

/// The exit code of an engine that finds its journal in the hands of another one.
pub const EXIT_TAKEN: u8 = 4;
/// The exit code of an engine whose plan cannot be used, and of any wrong usage.
pub const EXIT_PLAN: u8 = 2;

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Its folder cannot be used.
    #[error("the state folder {} cannot be used: {source}. Name another one with --state", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program of this console is not there any more.
    #[error(
        "this program cannot be run again ({source}): it was replaced or removed while this console ran. Leave the \
         console and open it anew"
    )]
    Program {
        /// What the system said.
        source: io::Error,
    },
    /// It did not start, and what it said.
    #[error("the engine did not start:\n{0}")]
    Ended(String),
    /// It did not start because its plan cannot be used, and what it said.
    #[error("the engine did not start:\n{0}")]
    Plan(String),
    /// It started and does not answer.
    #[error("the engine (process {pid}) was started and does not answer; look at {}", log.display())]
    Silent {
        /// Its process.
        pid: u32,
        log: PathBuf,
    },
    /// The socket is there and cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Connects to the engine of a state folder; starts one with `arguments` of this program when none runs.
///
/// # Errors
/// When it cannot be started or reached, with what it said.
pub async fn connect_or_start(folder: &StateFolder, arguments: &[OsString]) -> Result<Client, SpawnError> {
    match Client::connect(&folder.socket()).await {
        Err(ClientError::NotRunning(_)) => {}
        other => return Ok(other?),
    }
    let unusable = |source| SpawnError::Folder { path: folder.path().to_owned(), source };
    let state = Folder::make_own(folder.path()).map_err(unusable)?;
    let (log, begin) = open_log(&state, &folder.log()).map_err(unusable)?;
    let program = std::env::current_exe().map_err(|source| SpawnError::Program { source })?;
    let mut child = start(&program, arguments, log)?;
    let pid = child.id().unwrap_or_default();
    let mut deadline = Instant::now() + START_TIMEOUT;
    let mut taken = false;
    loop {
        match Client::connect(&folder.socket()).await {
            Err(ClientError::NotRunning(_)) => {}
            other => {
                // It is collected when it ends, so that nobody takes its remains for it.
                tokio::spawn(async move { child.wait().await });
                return Ok(other?);
            }
        }
        match child.try_wait() {
            Ok(Some(status)) if status.code() == Some(EXIT_TAKEN.into()) => {
                if !taken {
                    deadline = Instant::now() + OTHER_TIMEOUT;
                }
                taken = true;
            }
            Ok(Some(status)) => {
                let said = tail(&folder.log(), begin);
                let of_plan = status.code() == Some(EXIT_PLAN.into());
                return Err(if of_plan { SpawnError::Plan(said) } else { SpawnError::Ended(said) });
            }
            _ => {}
        }
        if Instant::now() > deadline {
            return Err(match taken {
                true => SpawnError::Ended(tail(&folder.log(), begin)),
                false => SpawnError::Silent { pid, log: folder.log() },
            });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Opens the log for the engine to add to, with its length so far.
fn open_log(state: &Folder, log: &Path) -> io::Result<(File, u64)> {
    let name = log.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let file = state
        .own_file(name, OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND, 0o600)
        .map_err(|error| io::Error::new(error.kind(), format!("its log {name}: {error}")))?;
    let begin = file.metadata()?.len();
    Ok((file, begin))
}

/// The engine makes a session of its own as its first deed, so that nothing that happens to this terminal
/// reaches it. That it ended is noticed by the runtime, so that no defunct process stays behind.
fn start(program: &Path, arguments: &[OsString], log: File) -> Result<Child, SpawnError> {
    let spawned = log.try_clone().and_then(|out| {
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::from(out))
            .stderr(Stdio::from(log))
            .spawn()
    });
    spawned.map_err(|source| SpawnError::Program { source })
}

fn tail(log: &Path, begin: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(log)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(begin.max(end.saturating_sub(LOG_TAIL_BYTES))))?;
        let mut bytes = Vec::new();
        file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    match read() {
        Ok(text) if !text.is_empty() => text,
        _ => format!("it said nothing; look at {}", log.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_was_replaced_under_its_console_is_not_blamed_on_the_state_folder() {
        let log = tempfile::tempfile().unwrap();
        let error = start(Path::new("/nonexistent/lifeboat (deleted)"), &[], log).unwrap_err();
        let words = error.to_string();
        assert!(
            words.starts_with("this program cannot be run again (") && words.contains("open it anew"),
            "{words}"
        );
    }
}
