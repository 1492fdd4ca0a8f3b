//! Input: keys, pastes, sizes and the end of the terminal, as one stream in the order they were read.

mod decode;
mod gate;
mod reader;

pub use gate::{GRACE, Gate};

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, channel};

use super::keymap::Chord;
use super::terminal::{self, Terminal};

/// Events that wait to be taken; a reader that is further ahead waits.
const QUEUE: usize = 1024;

/// How a key was pressed, as far as a terminal lets one know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// On its own.
    Single,
    /// The same key again within 50 ms: a held key, or two strokes that a slow line brought close together.
    Quick,
    /// Together with other keys in one read: typed ahead, pasted without brackets, or held up on a slow line.
    Burst,
    /// The terminal reported a repetition.
    Repeat,
}

/// Why input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The terminal is gone: hang-up, end of file, or an error of the line.
    TerminalLost,
    /// SIGHUP.
    Hangup,
    /// SIGTERM.
    Terminated,
    /// SIGINT from outside; Ctrl-C at the keyboard is a key.
    Interrupted,
    /// Something in this process panicked, and the terminal was given back.
    Panicked,
}

/// What happened at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key was pressed. Releases are not reported.
    Key {
        /// The key with its modifiers.
        chord: Chord,
        /// How it was pressed.
        manner: Manner,
    },
    /// Text was pasted, 64 KiB of it at most. It comes from outside: clean it before it is shown.
    Paste(String),
    /// The terminal has another size, in cells.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// Nothing further will come; the console ends.
    Ended(EndReason),
}

/// An event with its place in the order of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What happened.
    pub event: Event,
    /// Its number; grows by one with each event.
    pub sequence: u64,
    /// When it was read.
    pub read_at: Instant,
}

/// The input of one terminal. While it lives, a thread of its own reads standard input.
#[derive(Debug)]
pub struct Input {
    keys: Receiver<Received>,
    stop: Option<OwnedFd>,
    reader: Option<JoinHandle<()>>,
    last_sequence: Arc<AtomicU64>,
    last_key: Option<(Chord, Instant)>,
    held_back: Option<Received>,
    signals: Signals,
    panicked: Arc<Notify>,
}

#[derive(Debug)]
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    resize: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            resize: signal(SignalKind::window_change())?,
        })
    }
}

impl Input {
    /// Starts to read the terminal that was entered. Call it inside a tokio runtime.
    pub fn start(terminal: &Terminal) -> io::Result<Self> {
        let signals = Signals::new()?;
        let (sender, keys) = channel(QUEUE);
        let (stopped, stop) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let last_sequence = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&last_sequence);
        let reader = std::thread::Builder::new()
            .name("terminal-input".to_owned())
            .spawn(move || reader::run(&stopped, &sender, &counter))?;
        Ok(Self {
            keys,
            stop: Some(stop),
            reader: Some(reader),
            last_sequence,
            last_key: None,
            held_back: None,
            signals,
            panicked: terminal.panicked(),
        })
    }

    /// The next event. Safe to cancel: no event is lost.
    pub async fn next(&mut self) -> Received {
        if let Some(received) = self.held_back.take() {
            return received;
        }
        let signals = &mut self.signals;
        let event = tokio::select! {
            biased;
            () = self.panicked.notified() => Event::Ended(EndReason::Panicked),
            _ = signals.hangup.recv() => Event::Ended(EndReason::Hangup),
            _ = signals.terminate.recv() => Event::Ended(EndReason::Terminated),
            _ = signals.interrupt.recv() => Event::Ended(EndReason::Interrupted),
            _ = signals.resize.recv() => match terminal::size() {
                Ok((width, height)) => Event::Resize { width, height },
                Err(_) => Event::Ended(EndReason::TerminalLost),
            },
            received = self.keys.recv() => match received {
                Some(received) => {
                    if let Event::Key { chord, .. } = received.event {
                        self.last_key = Some((chord, received.read_at));
                    }
                    return received;
                }
                None => Event::Ended(EndReason::TerminalLost),
            },
        };
        self.stamp(event)
    }

    /// Discards every key and paste that was typed so far, those that the kernel still holds included, and
    /// returns the gate for the confirmation that has just opened. Sizes and the end are kept.
    pub fn drain_type_ahead(&mut self, opened: Instant, grace: Duration) -> Gate {
        let _ = rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
        while let Ok(received) = self.keys.try_recv() {
            match received.event {
                Event::Key { chord, .. } => self.last_key = Some((chord, received.read_at)),
                Event::Paste(_) => {}
                Event::Resize { .. } | Event::Ended(_) => self.held_back = Some(received),
            }
        }
        Gate::new(self.last_sequence.load(Ordering::SeqCst), opened, grace, self.last_key)
    }

    fn stamp(&self, event: Event) -> Received {
        let sequence = self.last_sequence.fetch_add(1, Ordering::SeqCst) + 1;
        Received { event, sequence, read_at: Instant::now() }
    }
}

impl Drop for Input {
    /// Ends the reader before anyone else reads the terminal.
    fn drop(&mut self) {
        self.keys.close();
        self.stop = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
