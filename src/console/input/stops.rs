//! That the process was stopped and goes on. What was typed meanwhile is dropped: the signal handler says so before
//! any thread reads on, the event of it comes later.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use signal_hook::SigId;
use signal_hook::consts::SIGCONT;

/// Wakes who deals with it.
#[derive(Debug)]
pub(super) struct Resumes {
    bell: tokio::net::UnixStream,
    handlers: [SigId; 2],
}

/// What the reader knows of it.
#[derive(Debug, Default)]
pub(super) struct Stops {
    /// Set by the handler, until the stop is dealt with.
    goes_on: Arc<AtomicBool>,
    dealt_with: AtomicU64,
}

/// When something was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(u64);

impl Stops {
    /// Now.
    pub fn moment(&self) -> Moment {
        Moment(self.dealt_with.load(Ordering::SeqCst))
    }

    /// Whether what was read since then may have been typed while the process was stopped.
    pub fn happened_since(&self, moment: Moment) -> bool {
        self.goes_on.load(Ordering::SeqCst) || self.dealt_with.load(Ordering::SeqCst) != moment.0
    }

    /// The queue of the terminal was emptied: what comes from here on is new.
    pub fn deal_with(&self) {
        self.dealt_with.fetch_add(1, Ordering::SeqCst);
        self.goes_on.store(false, Ordering::SeqCst);
    }
}

impl Resumes {
    /// Handlers run in the order of their registration: who hears the bell finds `stops` set.
    pub fn watch(stops: &Stops) -> io::Result<Self> {
        let (ring, bell) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        let bell = tokio::net::UnixStream::from_std(bell)?;
        let flag = signal_hook::flag::register(SIGCONT, Arc::clone(&stops.goes_on))?;
        let pipe = signal_hook::low_level::pipe::register(SIGCONT, ring)?;
        Ok(Self { bell, handlers: [flag, pipe] })
    }

    /// Waits until the process goes on after a stop. Safe to cancel.
    pub async fn recv(&mut self) {
        loop {
            if self.bell.readable().await.is_err() {
                return std::future::pending().await;
            }
            match self.bell.try_read(&mut [0; 64]) {
                Ok(rung) if rung > 0 => return,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return std::future::pending().await,
            }
        }
    }
}

impl Drop for Resumes {
    fn drop(&mut self) {
        for handler in self.handlers {
            signal_hook::low_level::unregister(handler);
        }
    }
}
