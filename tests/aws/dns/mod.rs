//! Route 53 and ARC: probes and actions.

mod arc;
mod faults;
mod probes;
mod records;

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use lifeboat::base::environment::Environment;
use lifeboat::core::words::action::{Description, Failure};
use lifeboat::kinds::action::{Action, Context};
use lifeboat::plan::{AwsSettings, Plan, load_texts};
use lifeboat::providers::clients::Clients;

use crate::acting::Quick;
use crate::aws::{Emulator, isolate};
use crate::probing::PLAN;

/// Runs a test with emulated credentials and nothing else of AWS.
fn signed_in<F: Future<Output = ()>>(body: impl FnOnce() -> F) {
    isolate();
    tokio::runtime::Runtime::new().unwrap().block_on(body());
}

fn clients(endpoint: &str) -> Clients {
    let settings = AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        deadline: SignedDuration::from_secs(5),
        ..AwsSettings::default()
    };
    let nowhere = std::path::Path::new("/nonexistent");
    Clients::new(Default::default(), nowhere, Environment::default()).with_aws(settings, "ana")
}

fn plan(text: &str) -> Plan {
    let files = vec![("base.toml".to_owned(), PLAN.to_owned()), ("own.toml".to_owned(), text.to_owned())];
    load_texts(files, &lifeboat::providers::registry())
        .unwrap_or_else(|problems| panic!("{text}\n{problems}"))
        .plan
}

/// The action of a step with these keys under `with`.
fn action(kind: &str, with: &str, clients: &Clients) -> Box<dyn Action> {
    let text = format!(
        "[runbooks.example]\ntitle = \"Example\"\n[[runbooks.example.steps]]\nid = \"x\"\ntitle = \"X\"\n\
         action = \"{kind}\"\nconfirm = \"yes\"\n[runbooks.example.steps.with]\n{with}"
    );
    let step = plan(&text).runbooks["example"].steps[0].clone();
    (lifeboat::providers::action(kind).unwrap().build)(&step.params, clients).unwrap()
}

fn context() -> (Context, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = lines.clone();
    let context = Context {
        output: Arc::new(move |line| heard.lock().unwrap().push(line.to_owned())),
        conditions: Arc::new(Quick),
        timeout: SignedDuration::from_secs(600),
        token: "attempt-1".into(),
        ran: false,
    };
    (context, lines)
}

/// Describes the step and executes it.
async fn run(action: &dyn Action) -> (Description, Result<String, Failure>) {
    let described = action.describe().await.unwrap();
    let done = action.execute(&described.target, &context().0).await;
    (described, done.map(|done| done.summary))
}

/// A zone `sparc.com` with what `changes` makes, a Python list of record sets; gives its id.
fn zone(emulator: &Emulator, changes: &str) -> String {
    let script = format!(
        "r = client('route53')\nzone = r.create_hosted_zone(Name='sparc.com', CallerReference='1')['HostedZone']['Id']\n\
         sets = {changes}\n\
         if sets:\n    r.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={{'Changes': \
         [{{'Action': 'CREATE', 'ResourceRecordSet': s}} for s in sets]}})\n\
         result(zone.split('/')[-1])"
    );
    emulator.boto(&script).as_str().unwrap().to_owned()
}

/// Every record set of a zone but its own NS and SOA, by AWS's own client.
fn sets(emulator: &Emulator, zone: &str) -> Vec<serde_json::Value> {
    let script = format!(
        "sets = client('route53').list_resource_record_sets(HostedZoneId='{zone}')['ResourceRecordSets']\n\
         result([s for s in sets if s['Type'] not in ('NS', 'SOA')])"
    );
    emulator.boto(&script).as_array().unwrap().clone()
}

/// How often records were changed.
fn changes(emulator: &Emulator) -> u64 {
    emulator.calls().get("route53:ChangeResourceRecordSets@us-east-1").copied().unwrap_or_default()
}

/// `api.sparc.com` A as Python writes it.
const API: &str =
    "[{'Name': 'api.sparc.com', 'Type': 'A', 'TTL': 300, 'ResourceRecords': [{'Value': '192.0.2.1'}]}]";
