//! What the system allows this process: enough open files, and no dump of its memory.

use super::{Failure, too_few};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that a command needs: the runtime's own, the terminal, a connection.
pub(super) const COMMAND_FILES: u64 = 24;
/// Open files that an engine needs: journal, socket, runtime, a few clients, and the pipes of a few programs at once.
pub(super) const ENGINE_FILES: u64 = 64;

/// Says that too few open files are allowed, before something in the middle fails for want of one.
///
/// # Errors
/// When the limit is lower than `needed`.
pub(super) fn require_files(needed: u64) -> Result<(), Failure> {
    match getrlimit(Resource::Nofile).current {
        Some(allowed) if allowed < needed => {
            Err(too_few(format!("it may have {allowed} files open at once (ulimit -n), and needs {needed}")))
        }
        _ => Ok(()),
    }
}

/// Prepares an engine: as many open files as the system lets it have, and no dump of a memory that holds secrets.
///
/// # Errors
/// When too few open files are allowed.
pub(super) fn of_engine() -> Result<(), Failure> {
    let files = getrlimit(Resource::Nofile);
    // Where it is refused the lower limit stands, and is checked next.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum });
    // It ends with exec: the programs of steps and probes keep what they had. What else is there does not.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    require_files(ENGINE_FILES)
}
