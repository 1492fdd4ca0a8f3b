//! Whether the instances of the other cluster stand still. What its operator wrote stays when the operator is gone, and an
//! annotation is a wish: the pods tell, by the word of their nodes.

use super::Postgres;
use crate::base::problem::Problem;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::workload::Pod;

const NAME_CHARS: usize = 120;
const STOP: &str = "See that its instances stand still: `kubectl cnpg fencing on` (all instances), or hibernation, and a look at \
                    its pods. Then confirm the step again.";

/// The pods of the instances that are there, or why nobody can say.
pub type Pods = Result<Vec<Pod>, Problem>;

/// Why a cluster that somebody keeps shut may take writes all the same.
pub fn runs(cluster: &Cluster, of: &Postgres, pods: &Pods) -> Option<Problem> {
    let shown = |text: &str| cluster.shown(text, NAME_CHARS);
    let pods = match pods {
        Ok(pods) => pods,
        Err(problem) => return Some(unseen(of, problem)),
    };
    if let Some(pod) = pods.iter().find(|pod| pod.is_ready) {
        let why = format!("{} is to be shut, and its instance {} is ready", of.words, shown(&pod.name));
        return Some(Problem::new(why, STOP));
    }
    let writes = |pod: &&Pod| of.reports.get(&pod.name).is_some_and(|report| report.is_primary);
    let pod = pods.iter().find(writes)?;
    let why = format!(
        "{} is to be shut, and its instance {} was a primary by its own last word, and is there",
        of.words,
        shown(&pod.name)
    );
    Some(Problem::new(why, STOP))
}

/// Why one that is demoted and gave no token may take writes: an instance that is ready has to say that it is in recovery.
pub fn writes(cluster: &Cluster, of: &Postgres, pods: &Pods) -> Option<Problem> {
    let pods = match pods {
        Ok(pods) => pods,
        Err(problem) => return Some(unseen(of, problem)),
    };
    let recovers = |pod: &Pod| {
        let report = of.reports.get(&pod.name);
        report.is_some_and(|report| !report.is_primary && report.timeline.is_some())
    };
    let pod = pods.iter().find(|pod| pod.is_ready && !recovers(pod))?;
    let why = format!(
        "{} is demoted without a token, and its instance {} is ready and does not say that it is in recovery",
        of.words,
        cluster.shown(&pod.name, NAME_CHARS)
    );
    Some(Problem::new(why, STOP))
}

fn unseen(of: &Postgres, problem: &Problem) -> Problem {
    let why = format!("whether an instance of {} runs cannot be seen: {}", of.words, problem.why);
    Problem::new(why, problem.next.clone())
}
