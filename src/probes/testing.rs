//! For the registries' tests: examples as parameters, and servers that are dead or silent.

use crate::clients::{Clients, Environment};
use crate::ids::ProbeId;
use crate::plan::keys::{Key, Need, Takes};
use crate::plan::params::{Param, Params};
use crate::plan::{ProbeSpec, Thresholds, Unit};
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
    Clients::new(Default::default(), Path::new("/nonexistent"), environment)
}

/// The parameters that a table of a plan gives, as the loader would read them, with defaults.
pub fn params(keys: &[Key], table: &toml::Table) -> Params {
    let given = |key: &Key| table.get(key.name).map(|value| param(key.takes, value));
    let default = |key: &Key| match key.need {
        Need::Default(text) => Some(default_param(key.takes, text)),
        _ => None,
    };
    let read =
        keys.iter().filter_map(|key| Some((key.name.to_owned(), given(key).or_else(|| default(key))?)));
    Params(read.collect())
}

fn default_param(takes: Takes, text: &str) -> Param {
    let value = format!("x = {text}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("x"));
    param(takes, &value.filter(|value| !value.is_str()).unwrap_or_else(|| text.into()))
}

fn param(takes: Takes, value: &toml::Value) -> Param {
    match (takes, value) {
        (_, toml::Value::Table(table)) if table.contains_key("secret") => {
            let name = table["secret"].as_str().unwrap();
            Param::Secret(serde_json::from_value(serde_json::json!({ "secret": name })).unwrap())
        }
        (Takes::Table(takes), toml::Value::Table(table)) => {
            Param::Table(table.iter().map(|(name, value)| (name.clone(), param(*takes, value))).collect())
        }
        (Takes::List(takes), toml::Value::Array(values)) => {
            Param::List(values.iter().map(|value| param(*takes, value)).collect())
        }
        (Takes::Duration, toml::Value::String(text)) => Param::Duration(text.parse().unwrap()),
        (Takes::Size, toml::Value::String(text)) => {
            let (number, unit) = text.split_once(' ').unwrap();
            let factor = ["B", "kB", "MB", "GB"].iter().position(|known| *known == unit).unwrap();
            Param::Integer(number.parse::<i64>().unwrap() * 1000_i64.pow(factor as u32))
        }
        (Takes::Condition, toml::Value::String(text)) => {
            Param::Condition(serde_json::from_value(text.clone().into()).unwrap())
        }
        (Takes::Choice(words), toml::Value::String(text)) => {
            assert!(words.contains(&&**text), "{text}");
            Param::Text(text.clone())
        }
        (Takes::Integer(from, to), toml::Value::Integer(number)) => {
            assert!((from..=to).contains(number), "{number}");
            Param::Integer(*number)
        }
        (Takes::Number, toml::Value::Integer(number)) => Param::Number(*number as f64),
        (Takes::Number, toml::Value::Float(number)) => Param::Number(*number),
        (Takes::Flag, toml::Value::Boolean(flag)) => Param::Flag(*flag),
        (
            Takes::Text | Takes::RawText | Takes::TextOrSecret | Takes::Regex | Takes::Url | Takes::Name(_),
            toml::Value::String(text),
        ) => Param::Text(text.clone()),
        other => panic!("{other:?} does not fit"),
    }
}

/// A probe of a plan with a time-out of `timeout_ms`.
pub fn spec(kind: &str, params: Params, timeout_ms: i64) -> ProbeSpec {
    ProbeSpec {
        id: ProbeId::new("example"),
        kind: kind.into(),
        title: "Example".into(),
        region: None,
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
