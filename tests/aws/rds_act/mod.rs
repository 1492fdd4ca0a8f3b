//! `rds-promote`, `rds-failover-cluster` and `rds-wait` against the emulated AWS; what they did is read back with AWS's
//! own client for Python.

mod clusters;
mod faults;
mod global;
mod promote;
mod waits;

use crate::acting::Quick;
use crate::aws::Emulator;
use jiff::SignedDuration;
use lifeboat::base::environment::Environment;
use lifeboat::core::words::action::{Description, Done, Failure, Proof};
use lifeboat::kinds;
use lifeboat::kinds::action::{Action, Context};
use lifeboat::plan::AwsSettings;
use lifeboat::plan::params::{Param, Params};
use lifeboat::providers::clients::Clients;
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const REPLICA: &str = "arka-db-dr-replica";

/// A primary in us-east-1 with a replica in us-west-2, and a cluster of two there.
const WORLD: &str = r#"
login = dict(MasterUsername="pact", MasterUserPassword="not-secret")
shape = dict(DBInstanceClass="db.r6g.large", Engine="postgres", EngineVersion="15.4", AllocatedStorage=100)
east, west = client("rds", "us-east-1"), client("rds", "us-west-2")
primary = east.create_db_instance(DBInstanceIdentifier="arka-db-primary", BackupRetentionPeriod=7, **shape, **login)
west.create_db_instance_read_replica(DBInstanceIdentifier="arka-db-dr-replica",
    SourceDBInstanceIdentifier=primary["DBInstance"]["DBInstanceArn"])
west.create_db_cluster(DBClusterIdentifier="market-scanning-prod", Engine="aurora-postgresql", EngineVersion="15.4",
    **login)
for name in ("market-scanning-prod-1", "market-scanning-prod-replica-1"):
    west.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.r6g.large", Engine="aurora-postgresql",
        DBClusterIdentifier="market-scanning-prod")
"#;

fn world() -> Emulator {
    let emulator = Emulator::start();
    emulator.set_up(WORLD);
    emulator
}

/// An action in the plan's region `dr`; `true` and whole numbers are taken as such.
fn action(endpoint: &str, kind: &str, keys: &[(&str, &str)]) -> Box<dyn Action> {
    build(endpoint, kind, keys).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn build(endpoint: &str, kind: &str, keys: &[(&str, &str)]) -> kinds::action::Built {
    let settings = AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        regions: [("dr".to_owned(), "us-west-2".to_owned())].into_iter().collect(),
        deadline: SignedDuration::from_secs(2),
        ..AwsSettings::default()
    };
    let clients = Clients::new(Default::default(), Path::new("/nonexistent"), Environment::default());
    let params = keys.iter().chain(&[("region", "dr")]).map(|(key, text)| {
        let param = match (*text, text.parse()) {
            ("true", _) => Param::Flag(true),
            (_, Ok(number)) => Param::Integer(number),
            _ => Param::Text((*text).to_owned()),
        };
        ((*key).to_owned(), param)
    });
    (lifeboat::providers::action(kind).unwrap().build)(
        &Params(params.collect()),
        &clients.with_aws(settings, "ana"),
    )
}

/// One confirmed step: the action with what its description showed, and what it says while it runs.
struct Step {
    action: Box<dyn Action>,
    described: Description,
    context: Context,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Step {
    async fn new(endpoint: &str, kind: &str, keys: &[(&str, &str)]) -> Self {
        Self::within(SignedDuration::from_hours(1), endpoint, kind, keys).await
    }

    async fn within(timeout: SignedDuration, endpoint: &str, kind: &str, keys: &[(&str, &str)]) -> Self {
        let action = action(endpoint, kind, keys);
        let described = action.describe().await.unwrap();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = lines.clone();
        let context = Context {
            output: Arc::new(move |line| heard.lock().unwrap().push(line.to_owned())),
            conditions: Arc::new(Quick),
            timeout,
            token: "attempt-1".into(),
            ran: false,
        };
        Self { action, described, context, lines }
    }

    async fn execute(&self) -> Result<Done, Failure> {
        self.action.execute(&self.described.target, &self.context).await
    }

    async fn verify(&self) -> Result<Proof, Failure> {
        self.action.verify(&self.described.target, &self.context).await
    }

    /// Verifies until it is proven, as the engine does.
    async fn prove(&self) -> Proof {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            match self.verify().await {
                Ok(proof) => return proof,
                Err(failure) => assert!(tokio::time::Instant::now() < deadline, "{failure:?}"),
            }
        }
    }

    fn said(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    fn is(&self, property: &str) -> &str {
        let found = self.described.target.identity.iter().find(|(name, _)| name == property);
        found.map_or("", |(_, value)| value)
    }

    fn notes(&self) -> String {
        self.described.notes.join("\n")
    }
}

/// How often lifeboat called an operation in us-west-2.
fn calls(emulator: &Emulator, operation: &str) -> u64 {
    emulator.calls().get(&format!("rds:{operation}@us-west-2")).copied().unwrap_or_default()
}

fn instance(emulator: &Emulator, region: &str, id: &str) -> Value {
    emulator.boto(&format!(
        "result(client('rds', '{region}').describe_db_instances(DBInstanceIdentifier='{id}')['DBInstances'][0])"
    ))
}

/// The writer of the cluster of two.
fn writer(emulator: &Emulator) -> Value {
    emulator.boto(
        "cluster = client('rds', 'us-west-2').describe_db_clusters(DBClusterIdentifier='market-scanning-prod')\n\
         members = cluster['DBClusters'][0]['DBClusterMembers']\n\
         result([m['DBInstanceIdentifier'] for m in members if m['IsClusterWriter']])",
    )
}
