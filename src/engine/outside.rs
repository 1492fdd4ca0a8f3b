//! Where what reaches outside runs: on threads beside the engine's own. A peer can keep a library busy without end
//! within one poll. Then one of these threads is lost to it for a while, and the engine goes on: it measures time, cuts
//! off what is late, records and answers.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Threads for probes: so many peers less one can keep one busy each, and the others are still measured.
const PROBE_THREADS: usize = 8;
/// Threads for steps, and for messages.
const OTHER_THREADS: usize = 4;
/// Between two looks whether a pool that has work has a thread left.
const BEAT: Duration = Duration::from_millis(250);
/// A wait for a thread that is no more than the system's own scheduling.
const PROMPT: Duration = Duration::from_millis(50);
/// How long the engine's end waits for each pool: what runs there ends its programs and connections.
const END_WITHIN: Duration = Duration::from_millis(500);

/// The pools of an engine: what keeps one busy keeps no other.
pub struct Outside {
    /// For measurements, and for what the plan's secrets and targets are looked at for.
    pub probes: Pool,
    /// For probes whose last run was late: a library's task may go on after the run was cut off, and the
    /// next ones would fill the threads of those that are well.
    pub late: Pool,
    /// For steps.
    pub steps: Pool,
    /// For messages to people.
    pub messages: Pool,
    runtimes: Vec<Runtime>,
}

impl Outside {
    /// New threads.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start() -> io::Result<Self> {
        let mut runtimes = Vec::new();
        let mut pool = |name: &str, threads: usize| -> io::Result<Pool> {
            let runtime =
                Builder::new_multi_thread().worker_threads(threads).thread_name(name).enable_all().build()?;
            let pool = Pool::on(runtime.handle().clone());
            runtimes.push(runtime);
            Ok(pool)
        };
        let late = pool("late", OTHER_THREADS)?;
        let steps = pool("steps", OTHER_THREADS)?;
        let messages = pool("messages", OTHER_THREADS)?;
        let probes = pool("probes", PROBE_THREADS)?;
        Ok(Self { probes, late, steps, messages, runtimes })
    }

    /// No threads of its own: all runs where `handle` says.
    pub fn on(handle: &Handle) -> Self {
        let pool = || Pool::on(handle.clone());
        Self { probes: pool(), late: pool(), steps: pool(), messages: pool(), runtimes: Vec::new() }
    }

    /// Measures how long each pool has no thread left, until it is dropped.
    pub fn watch(&self) -> impl Future<Output = ()> + Send + 'static {
        let pools = [&self.probes, &self.late, &self.steps, &self.messages].map(Pool::clone);
        async move {
            loop {
                tokio::time::sleep(BEAT).await;
                for pool in pools.iter().filter(|pool| pool.is_to_be_asked()) {
                    tokio::spawn(pool.clone().ask());
                }
            }
        }
    }

    /// Cuts off what still runs; whether all of it ended. What does not let itself be cut off goes with the process.
    pub async fn end(mut self) -> bool {
        let runtimes = std::mem::take(&mut self.runtimes);
        let ending = tokio::task::spawn_blocking(move || {
            let mut all = true;
            for runtime in runtimes {
                let began = Instant::now();
                runtime.shutdown_timeout(END_WITHIN);
                all &= began.elapsed() < END_WITHIN;
            }
            all
        });
        // An error means that this runtime ends as well.
        ending.await.unwrap_or(false)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.runtimes.drain(..).for_each(Runtime::shutdown_background);
    }
}

/// Threads that share their work. Clones are the same.
#[derive(Clone)]
pub struct Pool {
    handle: Handle,
    /// Calls that have not ended.
    running: Arc<AtomicUsize>,
    stood: Arc<Mutex<Stood>>,
}

/// How long nothing went on.
#[derive(Default)]
struct Stood {
    total: Duration,
    /// Since when a thread is waited for.
    waiting: Option<Instant>,
}

impl Pool {
    fn on(handle: Handle) -> Self {
        Self { handle, running: Arc::default(), stood: Arc::default() }
    }

    /// Runs a call there. Its deadline is the caller's, who is not kept by what keeps the pool.
    pub fn call<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> Call<T> {
        let running = self.running.clone();
        running.fetch_add(1, Ordering::Relaxed);
        let counted = Running(running);
        let call = async move {
            let _counted = counted;
            call.await
        };
        Call { task: Some(self.handle.spawn(call)) }
    }

    /// Runs there what nobody waits for.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }

    /// For how long it had no thread left since it began: what was late by that is not late by its peer.
    pub fn stood_still(&self) -> Duration {
        let stood = self.stood();
        stood.total + stood.waiting.map_or(Duration::ZERO, over_prompt)
    }

    /// Whether somebody waits for a call, and nobody for a thread yet.
    fn is_to_be_asked(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0 && self.stood().waiting.is_none()
    }

    /// Asks for a thread. It also wakes one, where the last one that watched timers and connections is kept busy.
    async fn ask(self) {
        let asked = Instant::now();
        self.stood().waiting = Some(asked);
        // An error means that the pool has ended.
        let _ = self.handle.spawn(async {}).await;
        let mut stood = self.stood();
        stood.total += over_prompt(asked);
        stood.waiting = None;
    }

    fn stood(&self) -> MutexGuard<'_, Stood> {
        self.stood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that has not ended.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn over_prompt(asked: Instant) -> Duration {
    let waited = asked.elapsed();
    if waited > PROMPT { waited } else { Duration::ZERO }
}

/// A call that runs in a pool. Its value is none where lifeboat itself failed in it. It is cut off when this is dropped.
pub struct Call<T> {
    task: Option<JoinHandle<T>>,
}

impl<T> Call<T> {
    /// Cuts it off. It ends when it lets itself be interrupted.
    pub fn cut(mut self) -> Option<Cut> {
        let task = self.task.take()?.abort_handle();
        task.abort();
        Some(Cut(task))
    }
}

impl<T> Future for Call<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.task {
            Some(task) => Pin::new(task).poll(context).map(Result::ok),
            None => Poll::Ready(None),
        }
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A call that was cut off.
pub struct Cut(tokio::task::AbortHandle);

impl Cut {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.0.is_finished()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    /// Keeps a thread busy within one poll, until it is told to end; returns once it does.
    async fn hog(pool: &Pool, held: &Arc<AtomicBool>) -> Call<()> {
        let held = held.clone();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let call = pool.call(async move {
            let _ = begun.send(());
            while held.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        begins.await.unwrap();
        call
    }

    #[tokio::test]
    async fn who_keeps_every_thread_of_a_pool_keeps_neither_the_caller_nor_another_pool() {
        let outside = Outside::start().unwrap();
        let watch = tokio::spawn(outside.watch());
        let held = Arc::new(AtomicBool::new(true));
        assert_eq!(outside.probes.call(async { 1 }).await, Some(1));
        let mut hogs = Vec::new();
        for _ in 0..PROBE_THREADS {
            hogs.push(hog(&outside.probes, &held).await);
        }
        let mut late = outside.probes.call(async { 2 });
        let waited = tokio::time::timeout(Duration::from_millis(300), &mut late).await;
        assert!(waited.is_err(), "there is no thread left");
        assert_eq!(outside.messages.call(async { 3 }).await, Some(3));
        let told = async {
            while outside.probes.stood_still() < Duration::from_millis(300) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told).await.expect("it says that it stands still");
        let cut: Vec<Cut> = hogs.into_iter().filter_map(Call::cut).collect();
        assert!(cut.iter().all(|cut| !cut.has_ended()));
        held.store(false, Ordering::Relaxed);
        assert_eq!(late.await, Some(2));
        watch.abort();
        assert!(outside.end().await);
        assert!(cut.iter().all(Cut::has_ended));
    }

    #[tokio::test]
    async fn the_end_does_not_wait_for_what_cannot_be_cut_off() {
        let outside = Outside::start().unwrap();
        let held = Arc::new(AtomicBool::new(true));
        let _hog = hog(&outside.steps, &held).await;
        let began = Instant::now();
        assert!(!outside.end().await);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        held.store(false, Ordering::Relaxed);
    }

    #[tokio::test]
    async fn a_panic_in_a_call_is_no_value() {
        let outside = Outside::on(&Handle::current());
        assert_eq!(outside.steps.call(async { panic!("in a call") }).await, None::<()>);
    }
}
