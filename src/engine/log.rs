//! The engine's own log, for what is not a fact. A thread of its own writes it, so that a disk that is full, a closed
//! pipe or a reader that hangs costs lines and never the engine.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Lines that wait for the log before further ones are dropped.
const WAITING_LINES: usize = 1_024;
/// How long an engine that ends waits for its last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

enum Entry {
    Line(Vec<u8>),
    /// Everything before was written.
    Flush(SyncSender<()>),
}

/// The log of this process; its last lines are written when this is dropped.
pub struct Log(SyncSender<Entry>);

impl Log {
    /// Sends what is traced to standard error. `wanted` is a filter as of `LIFEBOAT_LOG`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn to_stderr(wanted: &str) -> io::Result<Self> {
        let (entries, taken) = sync_channel(WAITING_LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = dropped.clone();
        std::thread::Builder::new()
            .name("log".into())
            .spawn(move || write_all(&taken, &lost, io::stderr()))?;
        let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("info"));
        let sink = Sink { entries: entries.clone(), dropped };
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(move || sink.clone())
            .with_ansi(false)
            .log_internal_errors(false);
        // It fails where one was set already, which a process does once.
        let _ = log.try_init();
        Ok(Self(entries))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        if self.0.try_send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// Takes a line at once, or drops it.
#[derive(Clone)]
struct Sink {
    entries: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.entries.try_send(Entry::Line(line.to_owned())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(entries: &Receiver<Entry>, dropped: &AtomicU64, mut out: impl Write) {
    while let Ok(entry) = entries.recv() {
        match entry {
            Entry::Line(line) => {
                let lost = dropped.swap(0, Ordering::Relaxed);
                let told =
                    if lost > 0 { writeln!(out, "{lost} lines could not be written here") } else { Ok(()) };
                if told.and_then(|()| out.write_all(&line)).is_err() {
                    dropped.fetch_add(lost + 1, Ordering::Relaxed);
                }
            }
            // Nobody waits any more where this fails.
            Entry::Flush(done) => drop(done.try_send(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as a full disk does, until there is room.
    struct Disk {
        fails: u32,
        written: Vec<u8>,
    }

    impl Write for &mut Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.fails > 0 {
                self.fails -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_cost_nothing_else() {
        let (entries, taken) = sync_channel(2);
        let dropped = Arc::new(AtomicU64::new(0));
        let mut sink = Sink { entries: entries.clone(), dropped: dropped.clone() };
        for line in ["one\n", "two\n", "no room\n"] {
            sink.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(dropped.load(Ordering::Relaxed), 1, "a writer that hangs holds nobody up");
        drop((sink, entries));
        let mut disk = Disk { fails: 1, written: Vec::new() };
        write_all(&taken, &dropped, &mut disk);
        assert_eq!(String::from_utf8(disk.written).unwrap(), "2 lines could not be written here\ntwo\n");
    }
}
