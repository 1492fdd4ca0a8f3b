//! Every PostgreSQL kind of probe and action, and the Alertmanager's, against real servers.

mod alertmanager;
mod backup;
mod fence;
mod manager;
mod moved;
mod promote;
mod replication;
mod role;

use futures::future::BoxFuture;
use jiff::SignedDuration;
use lifeboat::base::environment::Environment;
use lifeboat::base::ids::ProbeId;
use lifeboat::base::units::Unit;
use lifeboat::core::words::reading::Measurement;
use lifeboat::kinds::action::{Action, Conditions, Context};
use lifeboat::kinds::probe::Probe;
use lifeboat::plan::condition::{Condition, Truth};
use lifeboat::plan::params::{Param, Params};
use lifeboat::plan::{ProbeSpec, Thresholds};
use lifeboat::providers::clients::Clients;
use std::path::Path;
use std::sync::Arc;

fn clients() -> Clients {
    let environment: Environment = [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")].into_iter().collect();
    Clients::new(Default::default(), Path::new("/nonexistent"), environment)
}

fn params(keys: &[(&str, &str)]) -> Params {
    Params(keys.iter().map(|(key, value)| ((*key).to_owned(), Param::Text((*value).to_owned()))).collect())
}

fn probe(kind: &str, keys: &[(&str, &str)]) -> Box<dyn Probe> {
    probe_of(kind, params(keys), Thresholds::default())
}

fn probe_of(kind: &str, params: Params, thresholds: Thresholds) -> Box<dyn Probe> {
    (lifeboat::providers::probe(kind).unwrap().build)(&spec_of(kind, params, thresholds), &clients()).unwrap()
}

fn spec_of(kind: &str, params: Params, thresholds: Thresholds) -> ProbeSpec {
    ProbeSpec {
        id: ProbeId::new("example"),
        kind: kind.into(),
        sees: lifeboat::providers::probe(kind).unwrap().sees,
        title: kind.into(),
        region: None,
        database: None,
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_secs(3),
        thresholds,
        unit: Unit::Seconds,
        fail_after: 1,
        recover_after: 1,
        stale_after: SignedDuration::from_secs(60),
        params,
    }
}

/// Measures, and checks that the kind declares every field.
async fn measure(kind: &str, probe: &dyn Probe) -> Measurement {
    let measured = probe.run().await.unwrap_or_else(|failure| panic!("{kind}: {failure:?}"));
    let declared = lifeboat::providers::probe(kind).unwrap().fields;
    for field in measured.fields.keys() {
        assert!(declared.iter().any(|(name, _)| name == field), "{kind}: {field} is not declared");
    }
    measured
}

fn action(kind: &str, keys: &[(&str, &str)]) -> Box<dyn Action> {
    action_of(kind, &params(keys))
}

fn action_of(kind: &str, params: &Params) -> Box<dyn Action> {
    (lifeboat::providers::action(kind).unwrap().build)(params, &clients()).unwrap()
}

struct Nothing;

impl Conditions for Nothing {
    fn evaluate(&self, _: &Condition) -> Truth {
        Truth::Unknown("nothing is measured".into())
    }
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
    fn sleep(&self, duration: SignedDuration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration.unsigned_abs()))
    }
}

fn context() -> Context {
    Context {
        output: Arc::new(|_| {}),
        conditions: Arc::new(Nothing),
        timeout: SignedDuration::from_secs(30),
        token: "attempt-1".into(),
        ran: false,
    }
}
