//! The other cluster of a topology, as far as it can be read.

use super::Postgres;
use super::named::Named;
use super::shut::{self, Pods};
use crate::base::problem::Problem;
use crate::providers::kube::client::{KubeError, KubeErrorKind};
use tokio::time::Instant;

/// What a look at it shows.
pub enum Other {
    Is(Box<Postgres>, Pods),
    /// Its API server says that there is none, and which clusters there are.
    Absent(Problem, Vec<Postgres>),
    /// Nobody answers for it although a way leads there: it may be gone, and it may run.
    Lost(Problem),
    /// Its API server answers and does not show it, or nobody came to it for a reason on this side: that is no loss of it.
    Hidden(Problem),
}

impl Other {
    /// Looks at it.
    pub async fn of(named: &Named) -> Self {
        let until = Instant::now() + named.place.cluster.deadline();
        let (seen, pods) = futures::join!(named.read(until), named.pods(until));
        match seen {
            Ok(seen) => Self::Is(Box::new(seen), pods.map_err(|error| error.problem())),
            Err(error) if error.kind == KubeErrorKind::NotFound => {
                let neighbours = named.neighbours(until).await;
                match (pods, neighbours) {
                    (Ok(pods), Ok(neighbours)) => match pods.iter().find(|pod| pod.is_ready) {
                        Some(pod) => Self::Hidden(orphan(named, &pod.name)),
                        None => Self::Absent(error.problem(), neighbours),
                    },
                    // Its API server answers: what it does not tell is no loss.
                    (Err(error), _) | (_, Err(error)) => Self::Hidden(error.problem()),
                }
            }
            Err(error) => Self::unread(&error),
        }
    }

    fn unread(error: &KubeError) -> Self {
        match error.is_clusters_own() {
            true => Self::Lost(error.problem()),
            false => Self::Hidden(error.problem()),
        }
    }

    /// As the target's identity keeps it: another object, or one that can be read again, is confirmed anew.
    pub fn identity(&self, named: &Named) -> (String, String) {
        let cluster = &named.place.cluster;
        let words = match self {
            Self::Is(seen, pods) => {
                let is_shut = seen.is_shut() && shut::runs(cluster, seen, pods).is_none();
                let shut = if is_shut { ", shut" } else { "" };
                format!("uid {}, generation {}{shut}", seen.object.uid, seen.object.generation)
            }
            Self::Absent(..) => "not there".to_owned(),
            Self::Lost(_) | Self::Hidden(_) => "not read".to_owned(),
        };
        (format!("{} of {}", named.name, cluster.context), cluster.shown(&words, 120))
    }
}

fn orphan(named: &Named, pod: &str) -> Problem {
    let pod = named.place.cluster.shown(pod, 120);
    let why = format!("{} is not there, and its instance {pod} is ready", named.whole());
    Problem::new(why, "Find out who deleted it and left its instances: one of them may take writes.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::client::Call;

    #[test]
    fn only_a_cluster_that_a_way_leads_to_can_be_lost() {
        let is_lost = |kind| {
            let error = KubeError::new("east", &Call::new("get x", "db"), kind, "m");
            matches!(Other::unread(&error), Other::Lost(_))
        };
        use KubeErrorKind as Kind;
        for kind in [Kind::Timeout, Kind::Unreachable, Kind::Broken, Kind::Internal] {
            assert!(is_lost(kind), "{kind:?}");
        }
        let ours =
            [Kind::NoCredentials, Kind::Untrusted, Kind::NotKubernetes, Kind::NoWay, Kind::Unauthorized];
        for kind in ours.into_iter().chain([Kind::NoConfig, Kind::Denied, Kind::NoSuchKind]) {
            assert!(!is_lost(kind), "{kind:?}");
        }
    }
}
