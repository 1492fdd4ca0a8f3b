//! The other cluster of a topology, as far as it can be read.

use super::Postgres;
use super::named::Named;
use crate::base::problem::Problem;
use crate::providers::kube::client::{KubeError, KubeErrorKind};

/// What a look at it shows.
pub enum Other {
    Is(Box<Postgres>),
    /// Its API server says that there is none.
    Absent(Problem),
    /// Nobody answers for it: it may be gone, and it may run.
    Lost(Problem),
    /// Its API server answers and does not show it, or the plan does not lead there: that is no loss of it.
    Hidden(Problem),
}

impl Other {
    /// Looks at it.
    pub async fn of(named: &Named) -> Self {
        match named.look().await {
            Ok(seen) => Self::Is(Box::new(seen)),
            Err(error) => Self::unread(&error),
        }
    }

    fn unread(error: &KubeError) -> Self {
        use KubeErrorKind as Kind;
        let problem = error.problem();
        match error.kind {
            Kind::NotFound => Self::Absent(problem),
            Kind::Internal
            | Kind::Timeout
            | Kind::Unreachable
            | Kind::Broken
            | Kind::NoWay
            | Kind::NoCredentials
            | Kind::Untrusted
            | Kind::NotKubernetes => Self::Lost(problem),
            Kind::NoConfig
            | Kind::Unauthorized
            | Kind::Denied
            | Kind::NoSuchKind
            | Kind::Conflict
            | Kind::Refused
            | Kind::Gone
            | Kind::Throttled => Self::Hidden(problem),
        }
    }

    /// As the target's identity keeps it: another object, or one that can be read again, is confirmed anew.
    pub fn identity(&self, named: &Named) -> (String, String) {
        let words = match self {
            Self::Is(seen) => {
                let shut = if seen.is_shut() { ", shut" } else { "" };
                format!("uid {}, generation {}{shut}", seen.object.uid, seen.object.generation)
            }
            Self::Absent(_) => "not there".to_owned(),
            Self::Lost(_) | Self::Hidden(_) => "not read".to_owned(),
        };
        let cluster = &named.place.cluster;
        (format!("{} of {}", named.name, cluster.context), cluster.shown(&words, 120))
    }
}
