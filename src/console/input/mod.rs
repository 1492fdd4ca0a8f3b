//! Input: keys, pastes, sizes and the end of the terminal, as one stream in the order they were read.

mod decode;
mod gate;
mod reader;
mod stops;

pub use gate::{GRACE, Gate, PAUSE, Verdict};

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, channel};

use super::keymap::Chord;
use super::terminal::{self, Terminal};
pub(in crate::console) use decode::introduces;
use stops::{Resumes, Stops};

/// Events that wait to be taken; a reader that is further ahead waits.
const QUEUE: usize = 1024;

/// How a key was pressed, as far as a terminal lets one know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// On its own.
    Single,
    /// The same key again within 50 ms: a held key, or two strokes that a slow line brought close together.
    Quick,
    /// Together with one other key: two strokes that a slow line brought as one.
    Pair,
    /// Together with other keys, three or more: typed ahead, pasted without brackets, or held up on a slow line.
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
    /// Another signal that ends a program, by its number.
    Killed(i32),
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
    /// A paste or a key has begun to arrive and pauses: until its end nothing is taken for a key.
    Unfinished,
    /// What had begun to arrive never ended: it was dropped, with what came after a silence.
    GivenUp,
    /// The process was stopped and goes on: who had the terminal meanwhile left it in any state.
    Resumed,
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
    pub read_at: Instant,
}

/// The input of one terminal. While it lives, a thread of its own reads standard input.
#[derive(Debug)]
pub struct Input {
    keys: Receiver<Received>,
    stop: Option<OwnedFd>,
    reader: Option<JoinHandle<()>>,
    last_sequence: Arc<AtomicU64>,
    held_back: Option<Received>,
    signals: Signals,
    stops: Arc<Stops>,
    panicked: Arc<Notify>,
}

#[derive(Debug)]
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    resize: Signal,
    resume: Resumes,
    /// Others that would end the process with the terminal as it is, by number.
    deadly: Vec<(i32, Signal)>,
}

impl Signals {
    fn new(stops: &Stops) -> io::Result<Self> {
        use rustix::process::Signal as Number;
        let deadly = [Number::QUIT, Number::USR1, Number::USR2, Number::ALARM, Number::ABORT];
        let deadly = deadly.map(|number| number.as_raw());
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            resize: signal(SignalKind::window_change())?,
            resume: Resumes::watch(stops)?,
            deadly: deadly
                .into_iter()
                .map(|number| Ok((number, signal(SignalKind::from_raw(number))?)))
                .collect::<io::Result<_>>()?,
        })
    }
}

/// The number of the first of these signals that comes.
async fn any(signals: &mut [(i32, Signal)]) -> i32 {
    std::future::poll_fn(|context| {
        for (number, signal) in signals.iter_mut() {
            if signal.poll_recv(context).is_ready() {
                return Poll::Ready(*number);
            }
        }
        Poll::Pending
    })
    .await
}

impl Input {
    /// Starts to read the terminal that was entered. Call it inside a tokio runtime.
    pub fn start(terminal: &Terminal) -> io::Result<Self> {
        let stops = Arc::new(Stops::default());
        let signals = Signals::new(&stops)?;
        let (sender, keys) = channel(QUEUE);
        let (stopped, stop) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let last_sequence = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&last_sequence);
        let watched = Arc::clone(&stops);
        let reader = std::thread::Builder::new()
            .name("terminal-input".to_owned())
            .spawn(move || reader::run(&stopped, &sender, &counter, &watched))?;
        Ok(Self {
            keys,
            stop: Some(stop),
            reader: Some(reader),
            last_sequence,
            held_back: None,
            signals,
            stops,
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
            number = any(&mut signals.deadly) => Event::Ended(EndReason::Killed(number)),
            () = signals.resume.recv() => {
                self.drain_type_ahead();
                self.stops.deal_with();
                Event::Resumed
            }
            _ = signals.resize.recv() => match terminal::size() {
                Ok((width, height)) => Event::Resize { width, height },
                Err(_) => Event::Ended(EndReason::TerminalLost),
            },
            received = self.keys.recv() => match received {
                Some(received) => return received,
                None => Event::Ended(EndReason::TerminalLost),
            },
        };
        self.stamp(event)
    }

    /// An event that waits already, without waiting for one: many are taken between two frames.
    pub fn waiting(&mut self) -> Option<Received> {
        self.held_back.take().or_else(|| self.keys.try_recv().ok())
    }

    /// Discards every key and paste that was typed so far, those that the kernel still holds included, for what has
    /// just opened. Sizes and the end are kept. Returns the last key of them and when it was read: it may be held.
    pub fn drain_type_ahead(&mut self) -> Option<(Chord, Instant)> {
        let _ = rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
        let mut last = None;
        while let Ok(received) = self.keys.try_recv() {
            match received.event {
                Event::Key { chord, .. } => last = Some((chord, received.read_at)),
                Event::Paste(_) | Event::Unfinished | Event::GivenUp | Event::Resumed => {}
                Event::Resize { .. } | Event::Ended(_) => self.held_back = Some(received),
            }
        }
        last
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
