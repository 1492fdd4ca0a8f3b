//! A thread with a runtime of its own: what keeps it busy keeps nothing else.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};

/// Between two looks whether all lanes have ended.
const LOOK: Duration = Duration::from_millis(5);

/// Where calls run. The thread ends with it, or with all lanes, once what runs there lets itself be interrupted.
pub(crate) struct Lane {
    handle: Handle,
    _ends: oneshot::Sender<()>,
}

impl Lane {
    /// Where tasks are spawned.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// All lanes of an engine. Clones are the same.
#[derive(Clone)]
pub(crate) struct Lanes {
    ending: Arc<watch::Sender<bool>>,
    open: Arc<AtomicUsize>,
}

impl Lanes {
    /// None is open.
    pub(crate) fn new() -> Self {
        Self { ending: Arc::new(watch::Sender::new(false)), open: Arc::default() }
    }

    /// A new thread.
    ///
    /// # Errors
    /// When the system gives none, or no descriptors for it.
    pub(crate) fn open(&self, name: &str) -> io::Result<Lane> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, mut ending) = (runtime.handle().clone(), self.ending.subscribe());
        let (ends, end) = oneshot::channel::<()>();
        let open = Open::count(&self.open);
        std::thread::Builder::new().name(name.into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = end => {}
                    _ = ending.wait_for(|ending| *ending) => {}
                }
            });
            runtime.shutdown_background();
            drop(open);
        })?;
        Ok(Lane { handle, _ends: ends })
    }

    /// Cuts off what runs in them; whether all ended in time. It blocks.
    pub(crate) fn end_within(&self, limit: Duration) -> bool {
        self.ending.send_replace(true);
        let began = Instant::now();
        while self.open.load(Ordering::Relaxed) > 0 {
            if began.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }
}

/// A lane that has not ended.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
