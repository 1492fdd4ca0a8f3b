//! Probes as a plan has them, against emulated AWS.

use lifeboat::base::environment::Environment;
use lifeboat::base::problem::Problem;
use lifeboat::core::words::reading::Measurement;
use lifeboat::kinds::probe::Probe;
use lifeboat::plan::{AwsSettings, load_texts};
use lifeboat::providers::clients::Clients;
use std::path::Path;
use tokio::runtime::Runtime;

/// What a run of a probe ends in.
pub type Outcome = Result<Measurement, Problem>;

/// The least that a plan has.
pub const PLAN: &str = r#"
[plan]
name = "Test"
strategy = "warm-standby"
[regions.primary]
name = "us-east-1"
role = "primary"
[regions.dr]
name = "us-west-2"
role = "standby"
[tree]
root = "down"
[tree.down]
ask = "Is it down?"
answers.no = "stay"
[leaves.stay]
title = "Stay"
advice = "Watch."
"#;

/// One engine's view: what it connected to and what its probes share.
pub struct Site {
    clients: Clients,
    runtime: Runtime,
}

impl Site {
    /// With the endpoint of an emulator or a proxy.
    pub fn of(endpoint: &str) -> Self {
        let regions =
            [("primary", "us-east-1"), ("dr", "us-west-2")].map(|(id, name)| (id.into(), name.into()));
        let settings = AwsSettings {
            endpoint: Some(endpoint.into()),
            regions: regions.into_iter().collect(),
            ..AwsSettings::default()
        };
        let clients = Clients::new(Default::default(), Path::new("/nonexistent"), Environment::default());
        Self { clients: clients.with_aws(settings, "ana"), runtime: Runtime::new().unwrap() }
    }

    /// Makes probes of the keys of their tables.
    pub fn probes(&self, tables: &[&str]) -> Vec<Box<dyn Probe>> {
        let mut plan = PLAN.to_owned();
        for (number, table) in tables.iter().enumerate() {
            plan.push_str(&format!("[probes.p{number}]\n{table}\n"));
        }
        let files = vec![("plan.toml".to_owned(), plan)];
        let plan = load_texts(files, &lifeboat::providers::registry())
            .unwrap_or_else(|problems| panic!("{problems}"))
            .plan;
        let made = (0..tables.len()).map(|number| {
            let spec = &plan.probes[&*format!("p{number}")];
            (lifeboat::providers::probe(&spec.kind).unwrap().build)(spec, &self.clients)
                .unwrap_or_else(|error| panic!("{error}"))
        });
        made.collect()
    }

    /// Runs one once.
    pub fn run(&self, probe: &dyn Probe) -> Outcome {
        self.runtime.block_on(probe.run())
    }

    /// Runs all of them at a time.
    pub fn run_all(&self, probes: &[Box<dyn Probe>]) -> Vec<Outcome> {
        self.runtime.block_on(futures::future::join_all(probes.iter().map(|probe| probe.run())))
    }

    /// Makes one and runs it once, which gives a measurement.
    pub fn measure(&self, table: &str) -> Measurement {
        self.run(&*self.probes(&[table])[0]).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    /// Makes one and runs it once, which gives none.
    pub fn fail(&self, table: &str) -> Problem {
        match self.run(&*self.probes(&[table])[0]) {
            Ok(measured) => panic!("{measured:?}"),
            Err(failure) => failure,
        }
    }
}

/// A field that must be there.
pub fn number(measured: &Measurement, field: &str) -> f64 {
    measured.number(field).unwrap_or_else(|| panic!("no {field}: {measured:?}"))
}

/// A field that must be there.
pub fn text<'a>(measured: &'a Measurement, field: &str) -> &'a str {
    measured.text(field).unwrap_or_else(|| panic!("no {field}: {measured:?}"))
}
