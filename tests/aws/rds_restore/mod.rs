//! `rds-restore-pitr`, `rds-restore-snapshot`, `rds-snapshot` and `rds-modify` against the emulated AWS; what they did is
//! read back with AWS's own client for Python.

mod faults;
mod modify;
mod pitr;
mod preflight;
mod snapshot;

use crate::acting::Quick;
use crate::aws::Emulator;
use jiff::{SignedDuration, Timestamp};
use lifeboat::base::environment::Environment;
use lifeboat::core::words::action::{Description, Done, Failure, Proof};
use lifeboat::kinds::action::{Action, Context};
use lifeboat::plan::AwsSettings;
use lifeboat::plan::params::{Param, Params};
use lifeboat::providers::clients::Clients;
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const REGION: &str = "us-west-2";

const INSTANCE: &str = r#"
rds = client("rds", "us-west-2")
login = dict(MasterUsername="pact", MasterUserPassword="not-secret")
rds.create_db_instance(DBInstanceIdentifier="arka-db-primary", DBInstanceClass="db.r6g.large", Engine="postgres",
    EngineVersion="15.4", AllocatedStorage=100, BackupRetentionPeriod=7, Tags=[{"Key": "team", "Value": "pact"}], **login)
"#;

/// After [`INSTANCE`].
const CLUSTER: &str = r#"
rds.create_db_cluster(DBClusterIdentifier="market-scanning-prod", Engine="aurora-postgresql", EngineVersion="15.4",
    BackupRetentionPeriod=7, **login)
rds.create_db_instance(DBInstanceIdentifier="market-scanning-prod-1", DBInstanceClass="db.r6g.large",
    Engine="aurora-postgresql", DBClusterIdentifier="market-scanning-prod")
"#;

struct World {
    emulator: Emulator,
}

impl World {
    fn start() -> Self {
        let emulator = Emulator::start();
        emulator.set_up(&format!("{INSTANCE}{CLUSTER}"));
        Self { emulator }
    }

    fn action(&self, kind: &str, keys: &[(&str, &str)]) -> Box<dyn Action> {
        action(&self.emulator.endpoint(), kind, keys)
    }

    /// How often an operation was called by lifeboat.
    fn calls(&self, operation: &str) -> u64 {
        self.emulator.calls().get(&format!("rds:{operation}@{REGION}")).copied().unwrap_or_default()
    }

    fn instance(&self, id: &str) -> Value {
        self.emulator.boto(&format!(
            "found = [i for i in client('rds', '{REGION}').describe_db_instances()['DBInstances'] \
             if i['DBInstanceIdentifier'] == '{id}']\nresult(found[0] if found else None)"
        ))
    }

    fn cluster(&self, id: &str) -> Value {
        self.emulator.boto(&format!(
            "found = [c for c in client('rds', '{REGION}').describe_db_clusters()['DBClusters'] \
             if c['DBClusterIdentifier'] == '{id}']\nresult(found[0] if found else None)"
        ))
    }
}

fn tag(thing: &Value, key: &str) -> Value {
    let tags = thing["TagList"].as_array().cloned().unwrap_or_default();
    tags.into_iter().find(|tag| tag["Key"] == key).map_or(Value::Null, |tag| tag["Value"].clone())
}

/// An action of the plan's region; `true`, `false` and whole numbers are taken as such.
fn action(endpoint: &str, kind: &str, keys: &[(&str, &str)]) -> Box<dyn Action> {
    let settings = AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        regions: [("dr".to_owned(), REGION.to_owned())].into_iter().collect(),
        deadline: SignedDuration::from_secs(4),
        ..AwsSettings::default()
    };
    let clients = Clients::new(Default::default(), Path::new("/nonexistent"), Environment::default());
    let params = keys.iter().chain(&[("region", "dr")]).map(|(key, text)| {
        let param = match (*text, text.parse()) {
            ("true" | "false", _) => Param::Flag(*text == "true"),
            (_, Ok(number)) => Param::Integer(number),
            _ if *key == "security_groups" => Param::List(vec![Param::Text((*text).to_owned())]),
            _ => Param::Text((*text).to_owned()),
        };
        ((*key).to_owned(), param)
    });
    let params = Params(params.collect());
    let kind = lifeboat::providers::action(kind).unwrap();
    let built = (kind.build)(&params, &clients.with_aws(settings, "ana"));
    built.unwrap_or_else(|error| panic!("{}: {error}", kind.name))
}

struct Run {
    context: Context,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Run {
    fn of(token: &str) -> Self {
        Self::within(token, SignedDuration::from_hours(1))
    }

    fn within(token: &str, timeout: SignedDuration) -> Self {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = lines.clone();
        let context = Context {
            output: Arc::new(move |line| heard.lock().unwrap().push(line.to_owned())),
            conditions: Arc::new(Quick),
            timeout,
            token: token.into(),
            ran: false,
        };
        Self { context, lines }
    }

    fn said(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Describes, then executes what was described.
    async fn confirmed(&self, action: &dyn Action) -> (Description, Result<Done, Failure>) {
        let described = action.describe().await.unwrap();
        let done = action.execute(&described.target, &self.context).await;
        (described, done)
    }

    async fn verify(&self, action: &dyn Action, described: &Description) -> Result<Proof, Failure> {
        action.verify(&described.target, &self.context).await
    }
}

fn property<'a>(described: &'a Description, name: &str) -> &'a str {
    let found = described.target.identity.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

fn ago(hours: i64) -> String {
    let time = Timestamp::now() - SignedDuration::from_hours(hours);
    Timestamp::from_second(time.as_second()).unwrap().to_string()
}
