//! `tcp`: does something accept connections there, and how fast.

use crate::clients::{OWN_FAULT, is_own_fault};
use crate::core::reading::{Measurement, ProbeFailure};
use crate::plan::keys::{Key, Takes};
use crate::plan::{ProbeSpec, Unit};
use crate::probes::{BuildError, Built, Probe, ProbeKind, deadline};
use futures::future::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "tcp",
    doc: "Opens a TCP connection and closes it. The value is the time that the connection took. A connection \
          that is refused, unreachable or not answered within the time-out is critical; a name that does not \
          resolve makes the signal unknown, because the fault may be on this side. All addresses of a name are \
          tried in turn.",
    unit: Unit::Milliseconds,
    keys: &[Key::required(
        "address",
        Takes::Text,
        "Host and port, `db.example.com:5432`; an IPv6 address stands in brackets, `[::1]:5432`.",
    )],
    fields: &[("address", "the address that answered, after the name was resolved")],
    permissions: &[],
    example: r#"[probes.example]
kind = "tcp"
title = "Primary database port"
region = "primary"
address = "db.us-east-1.example.com:5432"
every = "5s"
timeout = "2s"
warn = "200ms"
critical = "1s"
"#,
    build,
};

fn build(spec: &ProbeSpec, _clients: &crate::clients::Clients) -> Built {
    let address = spec.params.require_text("address")?.to_owned();
    let port =
        address.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>()));
    if !matches!(port, Some(Ok(1..))) {
        return Err(BuildError::Value {
            key: "address".into(),
            value: address,
            why: "it takes host and port (`db.example.com:5432`, `[::1]:5432`)".into(),
        });
    }
    Ok(Box::new(Tcp { address, within: deadline(spec) }))
}

struct Tcp {
    address: String,
    within: Duration,
}

impl Probe for Tcp {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, ProbeFailure>> {
        Box::pin(self.measure())
    }
}

impl Tcp {
    async fn measure(&self) -> Result<Measurement, ProbeFailure> {
        let until = Instant::now() + self.within;
        let addresses = self.resolve(until).await?;
        let mut last = None;
        for (tried, address) in addresses.iter().enumerate() {
            // A silent address leaves time for the others.
            let share = (until - Instant::now()) / u32::try_from(addresses.len() - tried).unwrap_or(1);
            let started = Instant::now();
            match timeout_at(started + share, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Ok(connected(*address, started.elapsed())),
                Ok(Err(error)) if is_own_fault(&error) => {
                    return Err(ProbeFailure::new(format!("{}: {error}", self.address), OWN_FAULT));
                }
                Ok(Err(error)) => last = Some((*address, Some(error))),
                Err(_) => last = Some((*address, None)),
            }
        }
        Ok(self.down(last))
    }

    async fn resolve(&self, until: Instant) -> Result<Vec<SocketAddr>, ProbeFailure> {
        let why = match timeout_at(until, lookup_host(&self.address)).await {
            Ok(Ok(found)) => {
                let found: Vec<_> = found.collect();
                if !found.is_empty() {
                    return Ok(found);
                }
                "the name has no address".to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the resolver did not answer within {:?}", self.within),
        };
        Err(ProbeFailure::new(
            format!("cannot resolve {}: {why}", self.address),
            "Check the name in the plan, and name resolution on this host (`getent hosts NAME`).",
        ))
    }

    fn down(&self, last: Option<(SocketAddr, Option<io::Error>)>) -> Measurement {
        let why = match last {
            Some((address, Some(error))) => format!("{}: {}", named(&self.address, address), reason(&error)),
            Some((address, None)) => {
                format!("{}: no answer within {:?}", named(&self.address, address), self.within)
            }
            None => format!("{}: no answer within {:?}", self.address, self.within),
        };
        Measurement::critical(why)
    }
}

fn connected(address: SocketAddr, took: Duration) -> Measurement {
    let ms = took.as_secs_f64() * 1000.0;
    Measurement::good(format!("connected in {ms:.1} ms"))
        .with_value(ms)
        .with_text("address", address.to_string())
}

/// The name as written, and the address behind it where that says more.
fn named(name: &str, address: SocketAddr) -> String {
    if name == address.to_string() { name.to_owned() } else { format!("{name} ({address})") }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route to it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reading::Verdict;

    fn probe(address: &str) -> Tcp {
        Tcp { address: address.to_owned(), within: Duration::from_millis(500) }
    }

    #[tokio::test]
    async fn an_open_port_has_a_latency() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let measured = probe(&address).measure().await.unwrap();
        assert_eq!(measured.verdict, Verdict::Good);
        assert!(measured.value.unwrap() < 500.0);
    }

    #[tokio::test]
    async fn a_closed_port_is_critical_and_has_no_latency() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let measured = probe(&address).measure().await.unwrap();
        assert_eq!(measured.verdict.why(), Some(&*format!("{address}: connection refused")));
        assert_eq!(measured.value, None);
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_unknown() {
        let failure = probe("nowhere.invalid:80").measure().await.unwrap_err();
        assert!(failure.why.starts_with("cannot resolve nowhere.invalid:80"), "{}", failure.why);
    }
}
