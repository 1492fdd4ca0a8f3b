//! `kube-events`: how much a cluster complains.

use super::judge::judge;
use super::named::named;
use super::{Named, Warning};
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Call, EVENTS, KubeError, Scope};
use crate::providers::kube::place::{NAMESPACE, PROBE_CONTEXT, Reader};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "kube-events",
    sees: Sees::Warnings,
    doc: "Reads the warnings among a namespace's events. The value is how many there are: of each event that last happened \
          within `within`, how often it happened in all, also before that time. The probe finds none of them bad by \
          itself: `warn` and `critical` say how many are too many. The newest are told in words. A cluster keeps its \
          events for an hour, where nobody has it keep them longer. More than 20 000 of them are unknown.",
    unit: Unit::Number,
    keys: &[
        PROBE_CONTEXT,
        NAMESPACE,
        Key::optional(
            "names",
            Takes::List(&Takes::Text),
            "Only those about these objects: `web`, of whatever kind, or with the kind, as in `pod/web-0`. Pods of a \
             deployment have names of their own. All of the namespace where absent.",
        ),
        Key::default("within", Takes::Duration, "15m", "How long ago one may have happened last."),
    ],
    fields: &[
        ("warnings", "how many warnings: what the value is"),
        ("events", "how many different ones"),
        ("newest", "the newest few: reason, object and message"),
        ("newest_at", "when the newest happened last (RFC 3339)"),
    ],
    permissions: &["list events"],
    example: r#"[probes.example]
kind = "kube-events"
title = "Warnings in DR"
context = "dr"
namespace = "shop"
within = "10m"
warn = 10
critical = 100
every = "30s"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let reader = Reader::of(spec, clients)?;
    let within = spec.params.require_duration("within")?;
    Ok(Box::new(Warnings { reader, names: named(&spec.params)?, within }))
}

struct Warnings {
    reader: Reader,
    names: Vec<Named>,
    within: SignedDuration,
}

impl Probe for Warnings {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move { self.look().await.map_err(|error| error.problem()) })
    }
}

impl Warnings {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let until = Instant::now() + self.reader.within;
        let cluster = &self.reader.cluster;
        let namespace = self.reader.namespace(&Call::new("list events", ""), until).await?;
        let call = Call::new("list events", format!("in {namespace}"));
        let left = until.saturating_duration_since(Instant::now());
        let scope = Scope::all(EVENTS, Some(&namespace));
        let (events, _) = cluster.list_where(&call, scope, Some("type=Warning"), left).await?;
        let is_asked = |one: &Warning| self.names.is_empty() || self.names.iter().any(|name| name.is_of(one));
        let warnings = events.iter().map(Warning::of).filter(is_asked).collect();
        Ok(judge(cluster, warnings, self.within, Timestamp::now()))
    }
}
