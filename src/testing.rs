//! For the registries' tests: examples as parameters, and servers that are dead or silent.

use crate::base::environment::Environment;
use crate::base::ids::{ProbeId, RegionId};
use crate::base::units::Unit;
use crate::plan::keys::Key;
use crate::plan::params::{Param, Params};
use crate::plan::{
    AwsSettings, Channel, Level, Plan, ProbeSpec, Problem, Problems, Step, Thresholds, load_texts,
};
use crate::providers::clients::Clients;
use jiff::SignedDuration;
use std::path::Path;
use tokio::net::TcpListener;

/// What stands for every secret.
pub const SECRET: &str = "hunter22-never-shown";

/// Clients whose every secret is [`SECRET`], from the environment.
pub fn clients(secrets: &[&str]) -> Clients {
    let environment: Environment = secrets
        .iter()
        .map(|name| (format!("LIFEBOAT_SECRET_{}", name.to_uppercase().replace('-', "_")), SECRET))
        .chain([("PATH".to_owned(), "/usr/bin:/bin")])
        .collect();
    let regions = [("primary", "us-east-1"), ("dr", "us-west-2")].map(|(id, name)| (id.into(), name.into()));
    // A profile that nobody has, and an address where nothing listens: no test reaches the account of who runs it.
    let settings = AwsSettings {
        profile: Some("of-no-test".into()),
        endpoint: Some("http://127.0.0.1:1".into()),
        regions: regions.into_iter().collect(),
        ..AwsSettings::default()
    };
    Clients::new(Default::default(), Path::new("/nonexistent"), environment).with_aws(settings, "ana")
}

/// A plan with this in it, read by the loader.
fn plan(text: &str) -> Plan {
    loaded(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// The same, or what the loader finds wrong with it.
fn loaded(text: &str) -> Result<Plan, Problems> {
    let base = r#"
        [plan]
        name = "Test"
        strategy = "warm-standby"
        [regions.primary]
        name = "us-east-1"
        role = "primary"
        [regions.dr]
        name = "us-west-2"
        role = "standby"
        [probes.dr-api]
        kind = "tcp"
        region = "dr"
        address = "dr.example.com:443"
        [probes.dr-lag]
        kind = "postgres-replication"
        region = "dr"
        dsn = { secret = "dr-db" }
        [tree]
        root = "down"
        [tree.down]
        ask = "Is it down?"
        answers.no = "stay"
        [leaves.stay]
        title = "Stay"
        advice = "Watch."
    "#;
    let files = vec![("base.toml".to_owned(), base.to_owned()), ("example.toml".to_owned(), text.to_owned())];
    Ok(load_texts(files, &crate::providers::registry())?.plan)
}

/// The probe of `[probes.example]`, or what the loader finds wrong with it.
pub fn try_probe(text: &str) -> Result<ProbeSpec, Problems> {
    Ok(loaded(text)?.probes["example"].clone())
}

/// What the loader finds wrong with a probe with these keys: for each error its code, line and words. The first of the
/// keys is in line 3.
pub fn refused(kind: &str, keys: &str) -> Vec<(&'static str, usize, String)> {
    let problems = match try_probe(&format!("[probes.example]\nkind = \"{kind}\"\n{keys}")) {
        Ok(_) => return Vec::new(),
        Err(problems) => problems,
    };
    let line = |problem: &Problem| {
        problem.place.as_ref().map_or(0, |(place, _)| problems.sources().position(*place).line)
    };
    let errors = problems.iter().filter(|problem| problem.level == Level::Error);
    errors.map(|problem| (problem.code, line(problem), problem.message.clone())).collect()
}

/// The probe of `[probes.example]`.
pub fn probe(text: &str) -> ProbeSpec {
    plan(text).probes["example"].clone()
}

/// The parameters of a probe with these keys.
pub fn probe_params(kind: &str, keys: &str) -> Params {
    probe(&format!("[probes.example]\nkind = \"{kind}\"\n{keys}")).params
}

/// The first step of `runbooks.example`.
pub fn step(text: &str) -> Step {
    try_step(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// The same, or what the loader finds wrong with it.
pub fn try_step(text: &str) -> Result<Step, Problems> {
    let text = format!("{text}\n[runbooks.example]\ntitle = \"Example\"\n");
    Ok(loaded(&text)?.runbooks["example"].steps[0].clone())
}

/// The channel of `[channels.example]`.
pub fn channel(text: &str) -> Channel {
    plan(text).channels["example"].clone()
}

/// A probe of the plan's standby region with a time-out of `timeout_ms`.
pub fn spec(kind: &str, params: Params, timeout_ms: i64) -> ProbeSpec {
    ProbeSpec {
        id: ProbeId::new("example"),
        kind: kind.into(),
        sees: crate::providers::probe(kind).unwrap().sees,
        title: "Example".into(),
        region: Some(RegionId::new("dr")),
        database: None,
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_millis(timeout_ms),
        thresholds: Thresholds::default(),
        unit: Unit::Number,
        fail_after: 1,
        recover_after: 1,
        stale_after: SignedDuration::from_secs(60),
        params,
    }
}

/// An address where nothing listens.
pub fn dead_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A server that takes connections and never answers.
pub async fn silent_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            kept.push(socket);
        }
    });
    address
}

/// Puts an address into every parameter that reaches out: connection strings, addresses, URLs.
pub fn aim(params: &mut Params, keys: &[Key], address: &str) {
    let (host, port) = address.split_once(':').unwrap();
    for key in keys {
        let value = match key.name {
            "dsn" | "primary" => format!("host={host} port={port} user=u password={SECRET} sslmode=disable"),
            "address" => address.to_owned(),
            "url" | "verify_url" => format!("http://{address}/x"),
            _ => continue,
        };
        if let Some(known) = params.0.get_mut(key.name) {
            *known = Param::Text(value);
        }
    }
}
