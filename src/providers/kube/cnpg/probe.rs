//! `cnpg-cluster`: whether a cluster of CloudNativePG serves, and as what.

use super::judge::judge;
use super::named::{GET, LIST_PODS, NAME, Named};
use super::seen::OPERATOR;
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::client::KubeErrorKind;
use crate::providers::kube::place::{NAMESPACE, PROBE_CONTEXT, Place, Reader, checked};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "cnpg-cluster",
    sees: Sees::OperatedCluster,
    doc: "Reads one `Cluster` of CloudNativePG and its pods. The value is how many instances are ready, by the word of their \
          nodes. Critical: it is not there, it has no primary instance or none that is ready, no instance is ready, its \
          primary is in recovery although it is to take writes, two instances say that they are primaries, its operator cannot go on with it. A warning: fewer are \
          ready than wanted, its primary changes, its phase is not healthy, instances are fenced, it cannot archive, its \
          operator counts other pods than there are. Unknown: its operator wrote no status of it. In a replica cluster the \
          primary is the designated one, which follows the other cluster; how far it is behind is not in the status: \
          `postgres-replication` asks the servers. With the key `database` those of one database are compared as \
          other servers are: two that take writes are a split brain, none that does is an outage.",
    unit: Unit::Number,
    keys: &[PROBE_CONTEXT, NAMESPACE, NAME],
    fields: &[
        ("ready", "how many instances are ready"),
        ("instances", "how many are asked for"),
        ("phase", "what its operator does with it, in its words"),
        ("role", "`primary`, or `replica` where it follows another cluster"),
        ("primary", "its primary instance; of a replica the designated one"),
        ("target_primary", "the instance that is to be the primary"),
        ("switching", "whether these two are not the same instance, or there is none"),
        ("topology_primary", "the cluster that its distributed topology names as the primary"),
        ("source", "where it takes its data from while it is a replica"),
        ("timeline", "the timeline of its primary instance; of a replica as of its last checkpoint"),
        ("demotion_token", "the token of its last demotion, in short; there while it is a replica"),
        ("last_promotion_token", "the token of its last promotion, in short"),
        ("archiving", "whether its archive takes what it is given; absent where nobody says"),
        ("fenced", "the instances that somebody keeps shut; `*` is all of them"),
        ("hibernated", "whether somebody has it hibernate"),
        (
            "accepts_writes",
            "whether an instance of it is, or may be, out of recovery, whatever is asked of it",
        ),
        ("system_identifier", "which database it is a copy of"),
        ("started_at", "the uid of the object, which tells it apart from others"),
    ],
    permissions: &[GET, LIST_PODS],
    example: r#"[probes.example]
kind = "cnpg-cluster"
title = "PostgreSQL in DR"
context = "dr"
namespace = "shop"
name = "db"
every = "10s"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let Reader { cluster, namespace, within } = Reader::of(spec, clients)?;
    let name = checked("name", spec.params.require_text("name")?)?.to_owned();
    Ok(Box::new(OneCluster { named: Named { place: Place { cluster, namespace }, name }, within }))
}

struct OneCluster {
    named: Named,
    within: Duration,
}

impl Probe for OneCluster {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(self.look())
    }
}

impl OneCluster {
    async fn look(&self) -> Result<Measurement, Problem> {
        let until = Instant::now() + self.within;
        let seen = match self.named.read(until).await {
            Ok(seen) => seen,
            Err(error) if error.kind == KubeErrorKind::NotFound => {
                return Ok(Measurement::critical(format!("{} is not there", error.on)));
            }
            Err(error) => return Err(error.problem()),
        };
        if seen.phase.is_empty() {
            let why = format!("the operator of CloudNativePG wrote no status of {}", seen.words);
            return Err(Problem::new(why, OPERATOR));
        }
        let pods = self.named.pods(until).await.map_err(|error| error.problem())?;
        Ok(judge(&self.named.place.cluster, &seen, &pods))
    }
}
