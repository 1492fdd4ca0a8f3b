//! What can go wrong with a call to a cluster, told apart so that the operator knows whose fault it is.

use crate::base::problem::Problem;
use crate::core::words::action::Failure;
use crate::kinds::action::Unread;
use std::borrow::Cow;

/// A call, for messages and for access reviews.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Verb and resource, as RBAC names them (`patch deployments.apps/scale`).
    pub permission: Cow<'static, str>,
    /// What it is about (`web in shop`).
    pub on: String,
}

impl Call {
    /// A call that needs `permission`, on a thing.
    pub fn new(permission: impl Into<Cow<'static, str>>, on: impl Into<String>) -> Self {
        Self { permission: permission.into(), on: on.into() }
    }
}

/// What went wrong, as far as it makes a difference to the operator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KubeErrorKind {
    /// The kubeconfig cannot be read, or has no such context.
    NoConfig,
    /// The program that signs in is missing, failed or hangs; nothing was sent.
    NoCredentials,
    /// The API server does not take the credentials; nothing was done.
    Unauthorized,
    /// The caller may not do this.
    Denied,
    /// There is no such object.
    NotFound,
    /// The cluster has no such kind of object.
    NoSuchKind,
    /// Somebody else changed the object in between, or it is there already.
    Conflict,
    /// The request is wrong, a quota is reached, or an admission webhook refuses.
    Refused,
    /// A watch is too old to go on.
    Gone,
    /// Too many calls; this one was not done.
    Throttled,
    /// The API server itself, or a webhook that it asks, failed.
    Internal,
    /// No complete answer within the deadline.
    Timeout,
    /// No connection could be made; nothing was sent.
    Unreachable,
    /// The name of the API server has no address, or a proxy stands in the way: nothing is known of the cluster.
    NoWay,
    /// The certificate of the API server is not the one that the kubeconfig trusts.
    Untrusted,
    /// The connection broke before the answer was complete.
    Broken,
    /// What answered is no API server: a proxy's page, a portal.
    NotKubernetes,
}

/// A call without the answer that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{permission} {on} (context {context}): {message}")]
pub struct KubeError {
    pub kind: KubeErrorKind,
    /// Verb and resource.
    pub permission: Cow<'static, str>,
    /// What it was about.
    pub on: Box<str>,
    /// Which cluster was asked.
    pub context: Box<str>,
    /// Why, in words; cleaned and without secrets.
    pub message: Box<str>,
    /// What to do, where it is known better than by the kind.
    pub hint: Option<Box<str>>,
}

impl KubeError {
    /// Of a call to a cluster.
    pub fn new(context: &str, call: &Call, kind: KubeErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            permission: call.permission.clone(),
            on: call.on.as_str().into(),
            context: context.into(),
            message: message.into().into(),
            hint: None,
        }
    }

    /// With what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into().into()), ..self }
    }

    /// The same, of another call: one sign-in serves many.
    #[must_use]
    pub(super) fn of(&self, call: &Call) -> Self {
        Self { permission: call.permission.clone(), on: call.on.as_str().into(), ..self.clone() }
    }

    /// Whether the cluster itself said it, or did not answer although a way to it is there: then it tells of the
    /// cluster's health.
    pub fn is_clusters_own(&self) -> bool {
        matches!(
            self.kind,
            KubeErrorKind::Internal
                | KubeErrorKind::Timeout
                | KubeErrorKind::Unreachable
                | KubeErrorKind::Broken
        )
    }

    /// Whether it says only that nobody can try the change without making it: a webhook with effects of its own.
    fn is_untriable(&self) -> bool {
        self.message.contains("does not support dry run")
    }

    /// Whether a call that changes something may have been done.
    pub fn may_have_acted(&self) -> bool {
        matches!(self.kind, KubeErrorKind::Internal | KubeErrorKind::Timeout | KubeErrorKind::Broken)
            || self.kind == KubeErrorKind::NotKubernetes
    }

    /// What the operator can do next.
    pub fn next_step(&self) -> String {
        if let Some(hint) = &self.hint {
            return hint.to_string();
        }
        let context = &self.context;
        match self.kind {
            KubeErrorKind::NoConfig => {
                "Look at `[kube] kubeconfig`, KUBECONFIG and `kubectl config get-contexts`.".into()
            }
            KubeErrorKind::NoCredentials | KubeErrorKind::Unauthorized => {
                format!("Sign in again; `kubectl --context {context} version` shows whether it helped.")
            }
            KubeErrorKind::Denied => format!(
                "Have `{}` granted; `kubectl --context {context} auth can-i --list` shows what is.",
                self.permission
            ),
            KubeErrorKind::NotFound => {
                "Compare its name, its namespace and the context with the plan.".into()
            }
            KubeErrorKind::NoSuchKind => {
                "The cluster does not have what defines it (a CRD, or a version of the API): see \
                 `kubectl api-resources`."
                    .into()
            }
            KubeErrorKind::Conflict => "Look who changes it, then confirm the step again.".into(),
            KubeErrorKind::Refused => "Mend what it names, then confirm the step again.".into(),
            KubeErrorKind::Gone => "It is read anew by itself.".into(),
            KubeErrorKind::Throttled => "Wait a minute, then try again.".into(),
            KubeErrorKind::Internal => {
                format!("Look at the control plane: `kubectl --context {context} get --raw /readyz?verbose`.")
            }
            KubeErrorKind::Timeout | KubeErrorKind::Unreachable | KubeErrorKind::Broken => {
                format!(
                    "See whether its API server can be reached from here: `kubectl --context {context} version`."
                )
            }
            KubeErrorKind::NoWay => "Look at this host's name servers and proxies.".into(),
            KubeErrorKind::Untrusted => {
                "Find out what answers there; where its certificate was renewed, get the kubeconfig anew."
                    .into()
            }
            KubeErrorKind::NotKubernetes => {
                "Find out what stands between: a proxy, a portal, a wrong `server` in the kubeconfig.".into()
            }
        }
    }

    /// Why, and what to do.
    pub fn problem(&self) -> Problem {
        Problem::new(self.to_string(), self.next_step())
    }

    /// Why the API server would not take a change that was only tried; none where nobody can try it.
    pub fn refusal(&self) -> Option<Problem> {
        (!self.is_untriable()).then(|| self.problem())
    }

    /// As the failure of a change.
    pub fn of_change(&self, what: &str) -> Failure {
        match self.may_have_acted() {
            true => Failure::maybe_done(
                what,
                self.to_string(),
                "It is not known whether the cluster took it: verify the step before anything else.",
            ),
            false => Failure::not_done(what, self.to_string(), self.next_step()),
        }
    }
}

impl From<KubeError> for Unread {
    fn from(error: KubeError) -> Self {
        let problem = error.problem();
        match error.kind {
            KubeErrorKind::NotFound | KubeErrorKind::NoSuchKind => Self::Absent(problem),
            _ => Self::Failed(problem),
        }
    }
}
