//! The thread that reads the terminal: nothing else does.
//!
//! It polls before it reads, so it notices a hang-up at once. (crossterm's reader takes end of file and EIO for
//! "nothing yet" and turns at full speed from then on.)

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::Sender;

use super::decode::{Decoded, Decoder};
use super::stops::{Moment, Stops};
use super::{EndReason, Event, Manner, Received};
use crate::console::keymap::Chord;

/// The same key again within this time is a keyboard's doing: nobody presses twenty times a second.
const REPEAT_WITHIN: Duration = Duration::from_millis(50);

/// What comes within this time came together: nobody types two keys this close, and a line that brings a paste in
/// pieces does.
const TOGETHER: Duration = Duration::from_millis(8);
/// The most bytes that are taken together.
const BATCH_BYTES: usize = 64 * 1024;

/// What came together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// When the first of them was read.
    read_at: Option<Moment>,
    /// The process was stopped meanwhile.
    stopped: bool,
}

impl Batch {
    fn drop_if_stopped(&mut self, stops: &Stops) {
        if self.read_at.take_if(|read_at| stops.happened_since(*read_at)).is_some() {
            self.stopped = true;
            self.bytes.clear();
        }
    }
}

/// What one turn of waiting came to.
enum Turn {
    Bytes,
    Quiet,
    Stop,
    Lost,
}

/// Reads standard input until `stop` is closed, the receiver is gone or the terminal is lost.
pub(super) fn run(stop: &OwnedFd, events: &Sender<Received>, last_sequence: &Arc<AtomicU64>, stops: &Stops) {
    let mut decoder = Decoder::default();
    let mut stamper = Stamper { last_sequence, last_key: None };
    loop {
        let mut decoded = Vec::new();
        let mut batch = Batch::default();
        let end = read_together(stop, decoder.patience(), &mut batch, stops);
        batch.drop_if_stopped(stops);
        if batch.stopped {
            decoder = Decoder::default();
        }
        let bytes = batch.bytes;
        match (bytes.is_empty(), &end) {
            (false, _) => decoder.feed(&bytes, &mut decoded),
            (true, Turn::Quiet) => decoder.idle(&mut decoded),
            (true, _) => {}
        }
        for received in stamper.stamp_all(decoded, Instant::now()) {
            if events.blocking_send(received).is_err() {
                return;
            }
        }
        match end {
            Turn::Bytes | Turn::Quiet => {}
            Turn::Stop => return,
            Turn::Lost => {
                let lost = stamper.stamp(Event::Ended(EndReason::TerminalLost), Instant::now());
                let _ = events.blocking_send(lost);
                return;
            }
        }
    }
}

/// Waits for bytes, then takes all that come in one go, and says how the waiting ended.
fn read_together(stop: &OwnedFd, patience: Option<Duration>, batch: &mut Batch, stops: &Stops) -> Turn {
    let mut timeout = patience;
    loop {
        match wait_and_read(stop, batch, timeout, stops) {
            Turn::Bytes if batch.bytes.len() >= BATCH_BYTES => return Turn::Bytes,
            Turn::Bytes => timeout = Some(TOGETHER),
            end => return end,
        }
    }
}

fn wait_and_read(stop: &OwnedFd, batch: &mut Batch, timeout: Option<Duration>, stops: &Stops) -> Turn {
    let tty = rustix::stdio::stdin();
    let until = timeout.map(|timeout| Instant::now() + timeout);
    loop {
        let mut watched = [
            PollFd::from_borrowed_fd(tty, PollFlags::IN),
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
        ];
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut watched, left.as_ref()) {
            Err(Errno::INTR) => continue,
            Err(_) => return Turn::Lost,
            Ok(0) => return Turn::Quiet,
            Ok(_) => {}
        }
        if !watched[1].revents().is_empty() {
            return Turn::Stop;
        }
        if !watched[0].revents().contains(PollFlags::IN) {
            return Turn::Lost;
        }
        let mut buffer = [0_u8; 4096];
        match rustix::io::read(tty, &mut buffer) {
            Ok(0) => return Turn::Lost,
            Ok(count) => {
                batch.drop_if_stopped(stops);
                // Not before the read: it waits for the next key where the queue was emptied meanwhile.
                batch.read_at.get_or_insert_with(|| stops.moment());
                batch.bytes.extend_from_slice(&buffer[..count]);
                return Turn::Bytes;
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return Turn::Lost,
        }
    }
}

/// Numbers events and judges in what manner keys were pressed.
struct Stamper<'s> {
    last_sequence: &'s Arc<AtomicU64>,
    last_key: Option<(Chord, Instant)>,
}

impl Stamper<'_> {
    fn stamp(&self, event: Event, read_at: Instant) -> Received {
        let sequence = self.last_sequence.fetch_add(1, Ordering::SeqCst) + 1;
        Received { event, sequence, read_at }
    }

    fn stamp_all(&mut self, decoded: Vec<Decoded>, read_at: Instant) -> Vec<Received> {
        let together = Together::of(&decoded);
        let events = decoded.into_iter().map(|decoded| match decoded {
            Decoded::Paste(text) => Event::Paste(text),
            Decoded::Unfinished => Event::Unfinished,
            Decoded::GivenUp => Event::GivenUp,
            Decoded::Key { chord, repeat } => {
                let quick = self.last_key.is_some_and(|(last, at)| {
                    last == chord && read_at.saturating_duration_since(at) < REPEAT_WITHIN
                });
                self.last_key = Some((chord, read_at));
                let manner = match (repeat, together, quick) {
                    (true, ..) => Manner::Repeat,
                    (_, Together::Many, _) => Manner::Burst,
                    (_, Together::Two, _) => Manner::Pair,
                    (_, Together::Held, _) | (_, _, true) => Manner::Quick,
                    (_, Together::One, false) => Manner::Single,
                };
                Event::Key { chord, manner }
            }
        });
        let events: Vec<Event> = events.collect();
        events.into_iter().map(|event| self.stamp(event, read_at)).collect()
    }
}

/// What came together in one read.
#[derive(Clone, Copy)]
enum Together {
    One,
    Two,
    /// One key, several times: held down, and delivered late.
    Held,
    Many,
}

impl Together {
    fn of(decoded: &[Decoded]) -> Self {
        let keys: Vec<&Decoded> = decoded.iter().filter(|d| !matches!(d, Decoded::GivenUp)).collect();
        match keys.as_slice() {
            [] | [_] => Self::One,
            [first, rest @ ..] if rest.iter().all(|key| key == first) => Self::Held,
            [_, _] => Self::Two,
            _ => Self::Many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manners(presses: &[(&[&str], u64)]) -> Vec<Manner> {
        let sequence = Arc::new(AtomicU64::new(0));
        let mut stamper = Stamper { last_sequence: &sequence, last_key: None };
        let start = Instant::now();
        let mut manners = Vec::new();
        for (keys, millis) in presses {
            let keys =
                keys.iter().map(|key| Decoded::Key { chord: Chord::parse(key).unwrap(), repeat: false });
            for received in stamper.stamp_all(keys.collect(), start + Duration::from_millis(*millis)) {
                let Event::Key { manner, .. } = received.event else { panic!("not a key") };
                manners.push(manner);
            }
        }
        manners
    }

    #[test]
    fn a_held_key_and_a_burst_are_told_from_single_presses() {
        use Manner::{Burst, Pair, Quick, Single};
        assert_eq!(
            manners(&[(&["y"], 0), (&["y"], 500), (&["y"], 533), (&["y"], 566)]),
            [Single, Single, Quick, Quick]
        );
        assert_eq!(manners(&[(&["y", "e", "s"], 0), (&["y"], 10)]), [Burst, Burst, Burst, Single]);
        assert_eq!(manners(&[(&["l"], 0), (&["l"], 90)]), [Single, Single]);
        assert_eq!(manners(&[(&["j", "p"], 0)]), [Pair, Pair], "two honest keys of a slow line");
        assert_eq!(manners(&[(&["j", "j", "j", "j"], 0)]), [Quick; 4], "a held key on a slow line");
    }

    #[test]
    fn numbers_grow_by_one() {
        let sequence = Arc::new(AtomicU64::new(0));
        let stamper = Stamper { last_sequence: &sequence, last_key: None };
        let numbers = [(); 3].map(|()| stamper.stamp(Event::Paste(String::new()), Instant::now()).sequence);
        assert_eq!(numbers, [1, 2, 3]);
    }
}
