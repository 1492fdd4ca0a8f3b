//! A run on a thread of its own: what keeps that one busy within one poll keeps nobody else, and whether it has ended says
//! nothing of anybody else.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The most threads of this kind: what is over that shares a pool.
const THREADS: usize = 32;

/// How many more runs may have a thread of their own. Clones share them.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(THREADS)))
    }

    /// A place, which is free again once the run has ended.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// A run that has a thread of its own. It is cut off when this is dropped: it ends when it lets itself be interrupted.
pub(super) struct Alone<T> {
    answer: oneshot::Receiver<T>,
    running: Option<Arc<Running>>,
}

/// Is there for as long as the thread is, and tells it when nobody waits any more.
struct Running {
    cut: tokio::sync::Notify,
}

/// A run that was cut off.
pub(super) struct Ending(std::sync::Weak<Running>);

impl<T: Send + 'static> Alone<T> {
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        place: OwnedSemaphorePermit,
        run: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (done, answer) = oneshot::channel();
        let running = Arc::new(Running { cut: tokio::sync::Notify::new() });
        let held = running.clone();
        std::thread::Builder::new().name("late".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    value = run => drop(done.send(value)),
                    () = held.cut.notified() => {}
                }
            });
            // What the run left behind ends before it counts as ended.
            drop((runtime, held, place));
        })?;
        Ok(Self { answer, running: Some(running) })
    }
}

impl<T> Alone<T> {
    /// Cuts it off.
    pub(super) fn cut(mut self) -> Option<Ending> {
        let running = self.running.take()?;
        running.cut.notify_one();
        Some(Ending(Arc::downgrade(&running)))
    }
}

impl<T> Drop for Alone<T> {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.cut.notify_one();
        }
    }
}

impl Ending {
    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl<T> Future for Alone<T> {
    /// None where lifeboat itself failed in it.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(Result::ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn a_run_that_cannot_be_interrupted_has_not_ended_and_keeps_no_other() {
        let room = Room::new();
        let held = Arc::new(AtomicBool::new(true));
        let until = held.clone();
        let busy = Alone::start(room.place().unwrap(), async move {
            while until.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let ending = busy.unwrap().cut().unwrap();
        assert_eq!(Alone::start(room.place().unwrap(), async { 2 }).unwrap().await, Some(2));
        assert!(!ending.has_ended());
        let waiting = Alone::start(room.place().unwrap(), std::future::pending::<()>()).unwrap();
        let interrupted = waiting.cut().unwrap();
        held.store(false, Ordering::Relaxed);
        let ended = async {
            while !ending.has_ended() || !interrupted.has_ended() || room.0.available_permits() < THREADS {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("both have ended");
    }

    #[tokio::test]
    async fn a_panic_is_no_value_and_gives_its_place_back() {
        let room = Room::new();
        let broken = Alone::start(room.place().unwrap(), async { panic!("in a run") }).unwrap();
        assert_eq!(broken.await, None::<()>);
    }
}
