//! An engine that runs and cannot be attached to: found by the journal that it holds.

use super::Failure;
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
        None => Failure::new(error, ""),
    }
}

/// What is the matter.
pub(super) fn lost(folder: &StateFolder, pid: u32) -> String {
    let socket = folder.socket();
    format!(
        "an engine runs (process {pid} holds the journal) and cannot be reached: its socket {} is gone",
        socket.display()
    )
}

const LOST_NEXT: &str = "It makes its socket again within seconds: ask once more. Where it was started with another \
                         TMPDIR, set the same. `lifeboat stop --force` ends it by a signal.";
