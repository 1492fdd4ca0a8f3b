//! What the system gives this process: enough open files, a clock that can be true, and no dump of its memory.

use super::{Failure, too_few};
use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Everything that lifeboat reckons ahead lies within.
const HORIZON: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Open files that a command needs: the runtime's own, the terminal, a connection.
pub(super) const COMMAND_FILES: u64 = 24;
/// Open files that an engine needs: journal, socket, runtime, a few clients, and the pipes of a few programs at once.
pub(super) const ENGINE_FILES: u64 = 64;

/// Open files that an engine asks for: room for thousands of probes. Not more, because programs inherit it, and some
/// close every file up to their limit one by one.
const WANTED_FILES: u64 = 8_192;

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

/// Says that the clock is beyond what can be reckoned with, before something does.
///
/// # Errors
/// When it is within a hundred years of the year 9999, where times end.
pub(super) fn require_clock(now: SystemTime) -> Result<(), Failure> {
    let end = now.checked_add(HORIZON).map(Timestamp::try_from);
    match (Timestamp::try_from(now), end) {
        (Ok(_), Some(Ok(_))) => Ok(()),
        _ => Err(Failure::new(
            "this host's clock is set to a time that cannot be (the year 9900 or later)",
            "Set it (`timedatectl`, chrony), then try again.",
        )),
    }
}

/// Prepares an engine: as many open files as the system lets it have, and no dump of a memory that holds secrets.
///
/// # Errors
/// When too few open files are allowed, or the system takes no handler.
pub(super) fn of_engine() -> Result<(), Failure> {
    let files = getrlimit(Resource::Nofile);
    let wanted = files.maximum.map_or(WANTED_FILES, |most| most.min(WANTED_FILES));
    if files.current.is_some_and(|allowed| allowed < wanted) {
        // Where it is refused the lower limit stands, and is checked next.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: files.maximum });
    }
    // A file size limit is answered by an error, which the journal knows how to take, instead of the engine's end without
    // a word. A handler, unlike a signal that is ignored, does not reach the programs of steps and probes.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(too_few)?;
    // It ends with exec: the programs of steps and probes keep what they had. What else is there does not.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    require_files(ENGINE_FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_at_the_end_of_time_is_a_message() {
        assert!(require_clock(SystemTime::now()).is_ok());
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        assert!(require_clock(end).unwrap_err().to_string().contains("clock"));
    }
}
