//! What goes to the terminal. What it does not take at once is written by a thread of its own: a stalled line never
//! stops the console, which can still hear a signal and end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::QueueSelector;
use tokio::sync::Notify;

/// How often a stalled write looks whether it was given up.
const LOOK_UP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The queue between the console and the writing thread.
#[derive(Debug)]
pub(super) struct Outlet {
    tty: OwnedFd,
    /// A write that the terminal does not take returns.
    nonblocking: bool,
    state: Mutex<State>,
    changed: Condvar,
    idle: Notify,
}

#[derive(Debug, Default)]
struct State {
    queued: Vec<u8>,
    writing: bool,
    closed: bool,
    given_up: bool,
    failed: Option<Errno>,
}

impl State {
    fn is_idle(&self) -> bool {
        self.queued.is_empty() && !self.writing
    }
}

impl Outlet {
    /// An outlet to the terminal of standard output, and the thread that writes to it until it is closed.
    pub(super) fn start() -> io::Result<Arc<Self>> {
        let (tty, nonblocking) = open()?;
        let outlet = Arc::new(Self {
            tty,
            nonblocking,
            state: Mutex::default(),
            changed: Condvar::new(),
            idle: Notify::new(),
        });
        let writer = Arc::clone(&outlet);
        std::thread::Builder::new().name("terminal-output".to_owned()).spawn(move || writer.run())?;
        Ok(outlet)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if !state.queued.is_empty() {
                let bytes = std::mem::take(&mut state.queued);
                state.writing = true;
                drop(state);
                let result = self.write_all(&bytes);
                state = self.lock();
                state.writing = false;
                state.failed = result.err().or(state.failed);
                self.changed.notify_all();
                self.idle.notify_one();
            } else if state.closed {
                return;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Sends bytes; an error of an earlier write is reported here.
    pub(super) fn send(&self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        if state.closed {
            // ratatui shows the cursor once more when it is dropped; the terminal has it back already.
            bytes.clear();
            return Ok(());
        }
        if let Some(error) = state.failed {
            return Err(error.into());
        }
        state.queued.append(bytes);
        if self.nonblocking && !state.writing {
            self.write_now(&mut state)?;
        }
        if !state.queued.is_empty() {
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Writes what the terminal takes at once, which is nearly always all of it, and spares the way over the thread.
    fn write_now(&self, state: &mut State) -> io::Result<()> {
        while !state.queued.is_empty() {
            match rustix::io::write(&self.tty, &state.queued) {
                Ok(count @ 1..) => drop(state.queued.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                failed => {
                    let error = failed.err().unwrap_or(Errno::IO);
                    state.failed = Some(error);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Whether everything sent was written, or why it cannot be.
    pub(super) fn is_idle(&self) -> io::Result<bool> {
        let state = self.lock();
        match state.failed {
            Some(error) => Err(error.into()),
            None => Ok(state.is_idle()),
        }
    }

    /// Waits until everything sent was written, or failed.
    pub(super) async fn idle(&self) {
        while self.is_idle().is_ok_and(|idle| !idle) {
            self.idle.notified().await;
        }
    }

    /// Takes nothing further, gives the rest up to `patience` to be written, then drops it.
    pub(super) fn close(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        state.closed = true;
        self.changed.notify_all();
        while !state.is_idle() && state.failed.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() && !state.given_up {
                state.given_up = true;
                // What the kernel still holds would only keep the escape sequences of the end waiting.
                let _ = rustix::termios::tcflush(&self.tty, QueueSelector::OFlush);
            }
            // A write that was given up ends within one look; the wait is short then.
            let wait = if state.given_up { patience } else { left };
            let (next, timeout) =
                self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if state.given_up && timeout.timed_out() {
                return;
            }
        }
    }

    /// Writes all bytes, unless they are given up.
    fn write_all(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() && !self.lock().given_up {
            match rustix::io::write(&self.tty, bytes) {
                Ok(0) => return Err(Errno::IO),
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    wait_writable(self.tty.as_fd(), &LOOK_UP)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes a few bytes after the outlet was closed, if the terminal takes them within `patience`.
    pub(super) fn write_last(&self, bytes: &[u8], patience: Duration) -> Result<(), Errno> {
        write_soon(self.tty.as_fd(), bytes, patience)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic happens under the lock, and the panic hook itself needs it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The terminal of standard output, opened again: non-blocking mode belongs to the open file, and the shell shares
/// the one that we were given. Where opening is not permitted (another user's terminal, after su), the shared one
/// has to do, in the mode it has. The second value says whether it is non-blocking.
fn open() -> io::Result<(OwnedFd, bool)> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::open("/proc/self/fd/1", flags, Mode::empty()) {
        Ok(tty) => Ok((tty, true)),
        Err(_) => Ok((rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?, false)),
    }
}

/// Writes a few bytes if the terminal takes them within `patience`.
pub(super) fn write_soon(tty: BorrowedFd<'_>, bytes: &[u8], patience: Duration) -> Result<(), Errno> {
    let timeout = Timespec::try_from(patience).map_err(|_| Errno::INVAL)?;
    if !wait_writable(tty, &timeout)? {
        return Err(Errno::TIMEDOUT);
    }
    rustix::io::write(tty, bytes).map(|_| ())
}

/// Waits until the terminal takes more; false when it did not within `timeout`.
fn wait_writable(tty: BorrowedFd<'_>, timeout: &Timespec) -> Result<bool, Errno> {
    let mut watched = [PollFd::from_borrowed_fd(tty, PollFlags::OUT)];
    match poll(&mut watched, Some(timeout)) {
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error),
        Ok(_) if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => Err(Errno::IO),
        Ok(count) => Ok(count > 0),
    }
}

/// The writer that drawing fills: bytes are kept until a flush sends them.
#[derive(Debug)]
pub(super) struct Buffered {
    outlet: Arc<Outlet>,
    bytes: Vec<u8>,
}

impl Buffered {
    pub(super) fn new(outlet: Arc<Outlet>) -> Self {
        Self { outlet, bytes: Vec::new() }
    }
}

impl io::Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outlet.send(&mut self.bytes)
    }
}
