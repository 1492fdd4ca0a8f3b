//! `tcp`: does something accept connections there, and how fast.

use crate::base::host::host_fault;
use crate::base::problem::Problem;
use crate::base::shortage::{OWN_FAULT, is_own_fault};
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, faults};
use crate::providers::clients::Clients;
use crate::providers::net::names::{Directory, NameError};
use futures::future::BoxFuture;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "tcp",
    sees: Sees::Tcp,
    doc: "Opens a TCP connection and closes it. The value is the time that the connection took. A connection \
          that is refused, unreachable or not answered within the time-out is critical. So is a \
          name that is gone: name servers know no address of it, and answer for other names. Name servers that do \
          not answer make the signal unknown, because the fault is on this side. All addresses of a name are tried \
          in turn.",
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
    check: |spec| faults([address(spec).err()]),
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let address = spec.params.require_text("address")?.to_owned();
    let (host, port) = self::address(spec)?;
    let host = host.to_owned();
    Ok(Box::new(Tcp { address, host, port, names: clients.names.clone(), within: deadline(spec) }))
}

fn address(spec: &ProbeSpec) -> Result<(&str, u16), BuildError> {
    let address = spec.params.require_text("address")?;
    let (host, port) = host_and_port(address).ok_or_else(|| {
        let why = "it takes host and port (`db.example.com:5432`, `[::1]:5432`)";
        BuildError::value("address", address, why)
    })?;
    match host_fault(host) {
        Some(why) => Err(BuildError::value("address", address, why)),
        None => Ok((host, port)),
    }
}

/// Host, without the brackets of an IPv6 address, and port.
fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.split('%').next()?.parse::<Ipv6Addr>().ok().map(|_| host)?,
        None => {
            Some(host).filter(|host| !host.contains(|c: char| c.is_whitespace() || "/:@[]".contains(c)))?
        }
    };
    (!host.is_empty()).then_some((host, port))
}

struct Tcp {
    address: String,
    host: String,
    port: u16,
    names: Directory,
    within: Duration,
}

impl Probe for Tcp {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(self.measure())
    }
}

impl Tcp {
    async fn measure(&self) -> Result<Measurement, Problem> {
        let until = Instant::now() + self.within;
        let found = timeout_at(until, self.names.addresses(&self.host)).await;
        let addresses: Vec<SocketAddr> = match found.unwrap_or_else(|_| Err(NameError::late(&self.host))) {
            Ok(found) => found.into_iter().map(|address| SocketAddr::new(address, self.port)).collect(),
            Err(error @ NameError::Gone { .. }) => return Ok(Measurement::critical(error.to_string())),
            Err(error) => return Err(Problem::new(error.to_string(), error.next_step())),
        };
        let mut last = None;
        for (tried, address) in addresses.iter().enumerate() {
            // A silent address leaves time for the others.
            let share = (until - Instant::now()) / u32::try_from(addresses.len() - tried).unwrap_or(1);
            let started = Instant::now();
            match timeout_at(started + share, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Ok(connected(*address, started.elapsed())),
                Ok(Err(error)) if is_own_fault(&error) => {
                    return Err(Problem::new(format!("{}: {error}", self.address), OWN_FAULT));
                }
                Ok(Err(error)) => last = Some((*address, Some(error))),
                Err(_) => last = Some((*address, None)),
            }
        }
        Ok(self.down(last))
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
    use crate::core::words::reading::Verdict;
    use crate::providers::net::names::SystemNames;
    use crate::providers::net::testing::NamesOfTest;
    use std::sync::Arc;

    fn probe(address: &str) -> Tcp {
        probe_by(address, Directory::new(Arc::new(SystemNames)))
    }

    fn probe_by(address: &str, names: Directory) -> Tcp {
        let (host, port) = host_and_port(address).unwrap();
        Tcp { address: address.into(), host: host.into(), port, names, within: Duration::from_millis(500) }
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
    async fn a_name_that_is_gone_is_critical_and_silent_name_servers_make_it_unknown() {
        let names = NamesOfTest::default();
        names.answer("status.example.net", Ok("127.0.0.1"));
        names.answer("db.example.com", Err("Name or service not known"));
        let probe = probe_by("db.example.com:5432", names.directory());
        let nobody = probe.measure().await.unwrap_err();
        assert!(nobody.why.contains("no address of db.example.com"), "{nobody}");
        probe.names.addresses("status.example.net").await.unwrap();
        let gone = probe.measure().await.unwrap();
        let why = gone.verdict.why().unwrap();
        assert!(
            why.starts_with("the name db.example.com is gone") && why.contains("status.example.net"),
            "{why}"
        );
        names.answer("db.example.com", Err("Temporary failure in name resolution"));
        let silent = probe.measure().await.unwrap_err();
        assert!(silent.why.contains("name servers of this host do not answer"), "{silent}");
        names.answer("db.example.com", Err("hangs"));
        assert!(probe.measure().await.unwrap_err().why.contains("no answer in time"));
    }

    #[test]
    fn an_address_is_host_and_port() {
        assert_eq!(host_and_port("[::1]:5432"), Some(("::1", 5432)));
        assert_eq!(host_and_port("db:1"), Some(("db", 1)));
        for bad in ["db", ":5432", "db:0", "db:65536", "[]:1", "db:x"] {
            assert_eq!(host_and_port(bad), None, "{bad}");
        }
    }
}
