//! Where what reaches outside runs: on threads beside the engine's own. A peer can keep a library busy without end
//! within one poll. Then one of these threads is lost to it for a while, and the engine goes on: it measures time, cuts
//! off what is late, records and answers.

use crate::base::lane::{Lane, Lanes};
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
/// Threads for steps.
const STEP_THREADS: usize = 4;
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
    pub steps: Pool,
    /// For messages to people: a thread for each. They are few, each retry of one that is late may lose its thread, and
    /// a page may not wait for that.
    pub messages: Pool,
    runtimes: Vec<Runtime>,
    lanes: Lanes,
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
        let lanes = Lanes::new();
        let steps = pool("steps", STEP_THREADS)?;
        let probes = Pool { lanes: Some(lanes.clone()), ..pool("probes", PROBE_THREADS)? };
        let messages =
            Pool { threads: Threads::Each, lanes: Some(lanes.clone()), ..Pool::on(steps.handle.clone()) };
        Ok(Self { probes, steps, messages, runtimes, lanes })
    }

    /// No threads of its own: all runs where `handle` says.
    pub fn on(handle: &Handle) -> Self {
        let pool = || Pool::on(handle.clone());
        let (runtimes, lanes) = (Vec::new(), Lanes::new());
        Self { probes: pool(), steps: pool(), messages: pool(), runtimes, lanes }
    }

    /// Measures how long each pool has no thread left, until it is dropped.
    pub fn watch(&self) -> impl Future<Output = ()> + Send + 'static {
        let pools = [&self.probes, &self.steps].map(Pool::clone);
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
        let (runtimes, lanes) = (std::mem::take(&mut self.runtimes), self.lanes.clone());
        let ending = tokio::task::spawn_blocking(move || {
            let mut all = lanes.end_within(END_WITHIN);
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

/// Threads for calls. Clones are the same.
#[derive(Clone)]
pub struct Pool {
    /// Its threads; also for calls for which the system gives no thread of their own.
    handle: Handle,
    threads: Threads,
    /// Where it gets further threads; none where it has only those.
    lanes: Option<Lanes>,
    /// Calls that have not ended.
    running: Arc<AtomicUsize>,
    stood: Arc<Mutex<Stood>>,
}

/// Which threads calls run on.
#[derive(Clone)]
enum Threads {
    /// They share the pool's.
    Shared,
    /// One for all calls of one peer.
    Own(Arc<Lane>),
    /// One for each call.
    Each,
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
        let (running, stood) = (Arc::default(), Arc::default());
        Self { handle, threads: Threads::Shared, lanes: None, running, stood }
    }

    /// A thread apart from the pool's, for the calls of one peer that may keep it: its task may go on after a call was cut
    /// off, and must keep nobody else's. The pool itself where there is none.
    pub fn apart(&self, name: &str) -> Self {
        let lane = self.lanes.as_ref().and_then(|lanes| lanes.open(name).ok());
        let threads = lane.map_or_else(|| self.threads.clone(), |lane| Threads::Own(Arc::new(lane)));
        Self { threads, ..self.clone() }
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
        let lane = match (&self.threads, &self.lanes) {
            (Threads::Own(lane), _) => Some(lane.clone()),
            (Threads::Each, Some(lanes)) => lanes.open("message").ok().map(Arc::new),
            _ => None,
        };
        let handle = lane.as_ref().map_or(&self.handle, |lane| lane.handle());
        Call { task: Some(handle.spawn(call)), _lane: lane }
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
    /// Where it runs, if that is no thread that others share.
    _lane: Option<Arc<Lane>>,
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
    async fn messages_that_keep_their_threads_keep_no_further_one() {
        let outside = Outside::start().unwrap();
        let held = Arc::new(AtomicBool::new(true));
        let mut hogs = Vec::new();
        for _ in 0..2 * PROBE_THREADS {
            hogs.push(hog(&outside.messages, &held).await);
        }
        drop(hogs);
        let told = tokio::time::timeout(Duration::from_secs(20), outside.messages.call(async { 3 })).await;
        assert_eq!(told.expect("a thread of its own"), Some(3));
        let waits = outside.messages.call(std::future::pending::<()>());
        held.store(false, Ordering::Relaxed);
        assert!(outside.end().await, "what can be cut off is, before the engine's end");
        assert_eq!(waits.await, None);
    }

    #[tokio::test]
    async fn a_peer_apart_keeps_its_own_thread_and_no_other() {
        let outside = Outside::start().unwrap();
        let held = Arc::new(AtomicBool::new(true));
        let (one, other) = (outside.probes.apart("one"), outside.probes.apart("other"));
        let cut = hog(&one, &held).await.cut().unwrap();
        let mut kept = one.call(async { 1 });
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut kept).await.is_err());
        assert_eq!(other.call(async { 2 }).await, Some(2));
        assert_eq!(outside.probes.call(async { 3 }).await, Some(3));
        held.store(false, Ordering::Relaxed);
        assert_eq!(kept.await, Some(1));
        drop((one, other));
        assert!(outside.end().await);
        assert!(cut.has_ended());
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
        let outside = Outside::start().unwrap();
        assert_eq!(outside.messages.call(async { panic!("in a call") }).await, None::<()>);
        assert!(outside.end().await);
    }
}
