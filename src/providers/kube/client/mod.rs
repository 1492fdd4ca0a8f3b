//! Kubernetes: one [`Cluster`] for each context, with a session of its own, so that a dead API server, or a program that
//! signs in and hangs, never slows another one.
//!
//! No call is sent twice: one that may have arrived is not repeated blindly. The one exception is an answer that the
//! credentials do not count (401): nothing was done then, and they may only be old.

mod applied;
mod config;
mod discovery;
mod error;
mod exec;
mod judge;
mod log;
mod plugin;
mod request;
mod resource;
mod session;
mod stream;
mod watch;

pub use applied::{Applied, Conflict};
pub use discovery::Kind;
pub use error::{Call, KubeError, KubeErrorKind};
pub use exec::{Container, Ended};
pub use request::{MANAGER, Method, Sent};
pub use resource::*;
pub use session::Session;
pub use watch::{Change as Event, Events};

use crate::base::environment::Environment;
use crate::plan::KubeSettings;
use crate::secrets::Redactor;
use session::Opening;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Stands for the cluster that lifeboat itself runs in.
pub const IN_CLUSTER: &str = "in-cluster";

/// Where a plan's calls to Kubernetes go; cheap to clone, and clones share sessions.
#[derive(Clone)]
pub struct Kube {
    inner: Arc<Inner>,
}

struct Inner {
    settings: KubeSettings,
    environment: Environment,
    redactor: Redactor,
    clusters: Mutex<HashMap<String, Cluster>>,
}

/// A context that a plan names. Nothing is read or connected before the first call. Clones are the same.
#[derive(Clone)]
pub struct Cluster {
    /// Its name in the kubeconfig.
    pub context: Arc<str>,
    inner: Arc<Shared>,
}

struct Shared {
    settings: KubeSettings,
    environment: Environment,
    redactor: Redactor,
    opening: Mutex<Option<Opening>>,
    kept: Mutex<HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>>,
}

impl Kube {
    /// Nothing is read yet. `redactor` learns what is shown to the API servers.
    pub fn new(settings: KubeSettings, environment: Environment, redactor: Redactor) -> Self {
        Self { inner: Arc::new(Inner { settings, environment, redactor, clusters: Mutex::default() }) }
    }

    /// The cluster of a region of the plan, by its id, or of a context.
    pub fn cluster(&self, name: &str) -> Cluster {
        let Inner { settings, environment, redactor, clusters } = &*self.inner;
        let context = settings.contexts.get(name).map_or(name, String::as_str);
        let mut clusters = clusters.lock().unwrap_or_else(PoisonError::into_inner);
        let made = clusters.entry(context.to_owned()).or_insert_with(|| Cluster {
            context: context.into(),
            inner: Arc::new(Shared {
                settings: settings.clone(),
                environment: environment.clone(),
                redactor: redactor.clone(),
                opening: Mutex::default(),
                kept: Mutex::default(),
            }),
        });
        made.clone()
    }

    /// Whether a region of the plan has a context.
    pub fn has_context(&self, region: &str) -> bool {
        self.inner.settings.contexts.contains_key(region)
    }
}

impl Cluster {
    /// Deadline of one call.
    pub fn deadline(&self) -> Duration {
        self.inner.settings.deadline.unsigned_abs()
    }

    /// What the askers of the cluster share, by its type and a name: a watch that several probes read.
    pub fn kept<T: Send + Sync + 'static>(&self, name: &str, make: impl FnOnce() -> T) -> Arc<T> {
        let mut kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (TypeId::of::<T>(), name.to_owned());
        if let Some(Ok(known)) = kept.get(&key).map(|known| Arc::clone(known).downcast::<T>()) {
            return known;
        }
        let made = Arc::new(make());
        kept.insert(key, made.clone());
        made
    }

    /// What may be shown of the last lines of a text from outside. Secrets are taken out of all of it first: one may have
    /// several lines.
    pub(crate) fn shown_lines(&self, text: &str, lines: usize, max_chars: usize) -> Vec<String> {
        let text = self.inner.redactor.redact(text);
        let all: Vec<&str> = text.lines().collect();
        let last = &all[all.len().saturating_sub(lines)..];
        last.iter().map(|line| crate::base::text::clean(line, max_chars)).collect()
    }

    /// What may be shown of a text from outside.
    pub(crate) fn shown(&self, text: &str, max_chars: usize) -> String {
        crate::base::text::clean(&self.inner.redactor.redact(text), max_chars)
    }
}
