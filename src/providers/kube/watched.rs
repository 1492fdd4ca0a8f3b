//! What a cluster has of one kind, kept up to date by a watch: probes look at it as often as they like, at the price of one
//! connection.

use super::client::{Call, Cluster, Event, KubeError, KubeErrorKind, Resource, Scope};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long one list may take: it may have thousands of objects.
const LIST: Duration = Duration::from_secs(30);
/// Between two tries, at first and at most.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The objects of a kind, of one namespace or of all, each as far as somebody needs it.
pub struct Watched<T> {
    cluster: Cluster,
    call: Call,
    resource: Resource,
    namespace: Option<String>,
    selector: Option<String>,
    /// What is kept of an object.
    keep: fn(&Value) -> T,
    state: Arc<State<T>>,
}

struct State<T> {
    known: Mutex<Known<T>>,
    changed: Notify,
}

struct Known<T> {
    /// By namespace and name.
    objects: HashMap<(String, String), Arc<T>>,
    /// Whether all objects were listed.
    is_complete: bool,
    /// Why nothing is heard any more.
    error: Option<KubeError>,
    /// Whether a task watches. It ends once nobody looks.
    runs: bool,
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Watches once somebody looks.
    pub fn new(cluster: &Cluster, call: Call, scope: Scope<'_>, keep: fn(&Value) -> T) -> Self {
        let (namespace, selector) = (scope.namespace.map(str::to_owned), scope.selector.map(str::to_owned));
        let known = Known { objects: HashMap::new(), is_complete: false, error: None, runs: false };
        let state = Arc::new(State { known: Mutex::new(known), changed: Notify::new() });
        Self { cluster: cluster.clone(), call, resource: scope.resource, namespace, selector, keep, state }
    }

    /// All objects as they are now.
    ///
    /// # Errors
    /// When they could not be listed in time, or nothing is heard of the cluster any more.
    pub async fn read(&self, until: Instant) -> Result<Vec<Arc<T>>, KubeError> {
        self.ensure_runs();
        loop {
            let changed = self.state.changed.notified();
            {
                let known = self.state.known();
                if let Some(error) = &known.error {
                    return Err(error.clone());
                }
                if known.is_complete {
                    return Ok(known.objects.values().cloned().collect());
                }
            }
            if timeout_at(until, changed).await.is_err() {
                let why = "they are not all listed yet";
                return Err(KubeError::new(&self.cluster.context, &self.call, KubeErrorKind::Timeout, why));
            }
        }
    }

    fn ensure_runs(&self) {
        let mut known = self.state.known();
        if known.runs {
            return;
        }
        (known.runs, known.is_complete, known.error) = (true, false, None);
        let watch = Watch {
            cluster: self.cluster.clone(),
            call: self.call.clone(),
            resource: self.resource,
            namespace: self.namespace.clone(),
            selector: self.selector.clone(),
            keep: self.keep,
            state: Arc::downgrade(&self.state),
        };
        tokio::spawn(watch.run(Ended(Arc::downgrade(&self.state))));
    }
}

impl<T> State<T> {
    fn known(&self) -> MutexGuard<'_, Known<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// However the task ends, the next look begins another one.
struct Ended<T>(Weak<State<T>>);

impl<T> Drop for Ended<T> {
    fn drop(&mut self) {
        if let Some(state) = self.0.upgrade() {
            state.known().runs = false;
        }
    }
}

struct Watch<T> {
    cluster: Cluster,
    call: Call,
    resource: Resource,
    namespace: Option<String>,
    selector: Option<String>,
    keep: fn(&Value) -> T,
    state: Weak<State<T>>,
}

impl<T: Send + Sync + 'static> Watch<T> {
    async fn run(self, _ended: Ended<T>) {
        let (mut version, mut pause, mut failures) = (None::<String>, PAUSE, 0_u32);
        while self.state.strong_count() > 0 {
            let begun = Instant::now();
            match self.follow(&mut version).await {
                Ok(()) => (pause, failures) = (PAUSE, 0),
                // Read anew.
                Err(error) if error.kind == KubeErrorKind::Gone && version.take().is_some() => {}
                Err(error) => {
                    failures += 1;
                    // A connection may break at any time: it is told once a second one does not come about.
                    if failures > 1 || version.is_none() {
                        self.update(|known| known.error = Some(error));
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
            // What ends each watch at once, or calls each version too old, is not asked without end.
            if begun.elapsed() < PAUSE {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Lists what is there where no version is known, then follows what changes until the watch ends.
    async fn follow(&self, version: &mut Option<String>) -> Result<(), KubeError> {
        let scope = Scope {
            resource: self.resource,
            namespace: self.namespace.as_deref(),
            selector: self.selector.as_deref(),
        };
        if version.is_none() {
            let mut objects = HashMap::new();
            let keep = |object: Value| _ = objects.insert(key(&object), Arc::new((self.keep)(&object)));
            let listed = self.cluster.each(&self.call, scope, None, LIST, keep).await?;
            self.update(|known| (known.objects, known.is_complete, known.error) = (objects, true, None));
            *version = Some(listed);
        }
        let from = version.clone().unwrap_or_default();
        let within = self.cluster.deadline();
        let mut events = self.cluster.watch(&self.call, scope, &from, within).await?;
        self.update(|known| known.error = None);
        while let Some(event) = events.next().await? {
            if self.state.strong_count() == 0 {
                return Ok(());
            }
            match event {
                Event::Is(object) => {
                    let kept = Arc::new((self.keep)(&object));
                    self.update(|known| _ = known.objects.insert(key(&object), kept));
                    *version =
                        object["metadata"]["resourceVersion"].as_str().map(str::to_owned).or(version.take());
                }
                Event::Gone(object) => {
                    self.update(|known| _ = known.objects.remove(&key(&object)));
                    *version =
                        object["metadata"]["resourceVersion"].as_str().map(str::to_owned).or(version.take());
                }
                Event::Reached(reached) => *version = Some(reached),
            }
        }
        Ok(())
    }

    fn update(&self, change: impl FnOnce(&mut Known<T>)) {
        if let Some(state) = self.state.upgrade() {
            change(&mut state.known());
            state.changed.notify_waiters();
        }
    }
}

fn key(object: &Value) -> (String, String) {
    let of = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    (of("namespace"), of("name"))
}
