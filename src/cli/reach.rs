//! An engine that runs and cannot be attached to: found by the journal that it holds.

use super::{Failure, moved};
use crate::engine::client::ClientError;
use crate::engine::paths::StateFolder;
use crate::journal;

/// The process of an engine whose socket is not there; none when no engine runs.
pub(super) fn without_socket(folder: &StateFolder, error: &ClientError) -> Option<u32> {
    match error {
        ClientError::NotRunning(_) => journal::holder(&folder.journal()),
        _ => None,
    }
}

/// Why an engine cannot be attached to, and what to do.
pub(super) fn failure(folder: &StateFolder, error: ClientError) -> Failure {
    match without_socket(folder, &error) {
        Some(pid) => Failure::new(lost(folder, pid), LOST_NEXT),
        None if matches!(error, ClientError::NotRunning(_)) && !folder.path().exists() => {
            without_folder(folder)
        }
        None => Failure::new(error, ""),
    }
}

/// There is no state folder: whose it was, where it is now.
fn without_folder(folder: &StateFolder) -> Failure {
    let path = folder.path().display();
    let Some(moved) = moved::away_from(folder) else {
        return Failure::new(format!("no engine runs: there is no state folder {path}"), NO_FOLDER_NEXT);
    };
    let (to, pid) = (moved.to.display(), moved.pid);
    let what = format!(
        "the state folder {path} was moved to {to}, and its engine (process {pid}) stopped acting: nothing is recorded, \
         run or paged until it is back"
    );
    let next = format!(
        "Move it back: the engine goes on within seconds. `lifeboat status --state {to}` asks it, `lifeboat stop --state \
         {to}` ends it. `lifeboat open` would start another one here, with a new journal."
    );
    Failure::new(what, next)
}

/// What is the matter.
pub(super) fn lost(folder: &StateFolder, pid: u32) -> String {
    let socket = folder.socket();
    format!(
        "an engine runs (process {pid} holds the journal) and cannot be reached: its socket {} is gone",
        socket.display()
    )
}

const NO_FOLDER_NEXT: &str = "`lifeboat open` starts one there. Where one runs with another folder, name that with --state; \
                              one whose folder was moved away stopped acting, and says so in its consoles.";
const LOST_NEXT: &str = "It makes its socket again within seconds: ask once more. Where it was started with another \
                         TMPDIR, set the same. `lifeboat stop --force` ends it by a signal.";
