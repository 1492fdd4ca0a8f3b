//! The probes that see databases, copies of them, and what else AWS runs.

mod copies;
mod databases;
mod faults;
mod managed;

use lifeboat::base::problem::Problem;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::probing::PLAN;
use lifeboat::base::environment::Environment;
use lifeboat::core::words::reading::{Measurement, Verdict};
use lifeboat::plan::{Plan, load_texts};
use lifeboat::providers::clients::Clients;

/// A plan's probes, and the connections that they share.
struct Seer {
    plan: Plan,
    clients: Clients,
}

impl Seer {
    /// `aws` is the `[aws]` section, `probes` the probes' tables.
    fn new(aws: &str, probes: &str) -> Self {
        let files = [("base.toml", PLAN.to_owned()), ("see.toml", format!("[aws]\n{aws}\n{probes}"))];
        let files = files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        let plan = load_texts(files, &lifeboat::providers::registry())
            .unwrap_or_else(|problems| panic!("{problems}"))
            .plan;
        let none: [(String, String); 0] = [];
        let environment: Environment = none.into_iter().collect();
        let clients = Clients::new(Default::default(), Path::new("/nonexistent"), environment)
            .with_aws(plan.aws.clone(), "ana");
        Self { plan, clients }
    }

    /// All of AWS is at one address.
    fn at(endpoint: &str, probes: &str) -> Self {
        Self::new(&format!("endpoint = \"{endpoint}\""), probes)
    }

    /// Runs a probe once.
    async fn run(&self, id: &str) -> Result<Measurement, Problem> {
        let spec = &self.plan.probes[id];
        let kind = lifeboat::providers::probe(&spec.kind).unwrap();
        (kind.build)(spec, &self.clients).unwrap().run().await
    }

    /// What a probe measures.
    async fn see(&self, id: &str) -> Measurement {
        self.run(id).await.unwrap_or_else(|failure| panic!("{id}: {failure:?}"))
    }

    /// Runs a probe until it measures what is waited for.
    async fn await_seen(&self, id: &str, is: impl Fn(&Measurement) -> bool) -> Measurement {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let measured = self.see(id).await;
            if is(&measured) {
                return measured;
            }
            assert!(Instant::now() < deadline, "{id}: {measured:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A probe's table with an interval so short that each run asks anew.
fn probe(id: &str, kind: &str, region: &str, keys: &str) -> String {
    format!(
        "[probes.{id}]\nkind = \"{kind}\"\nregion = \"{region}\"\nevery = \"1s\"\ntimeout = \"5s\"\n{keys}\n"
    )
}

fn why(measured: &Measurement) -> &str {
    measured.verdict.why().unwrap_or_default()
}

fn is_critical(measured: &Measurement) -> bool {
    matches!(measured.verdict, Verdict::Critical(_))
}
