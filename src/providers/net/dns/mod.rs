//! What DNS resolvers answer, asked one by one and without a cache of our own: the TTL is what the resolver has left.

use crate::base::text::clean;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// Most resolvers of a system that are asked.
const MAX_RESOLVERS: usize = 8;

/// One resolver.
#[derive(Clone)]
pub struct Resolver {
    /// Its address, with its port where that is not 53.
    pub name: String,
    inner: TokioResolver,
    within: Duration,
}

/// What a resolver says of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Values in their canonical form, sorted; empty where it says that there are none.
    pub values: Vec<String>,
    /// For how much longer it will say so.
    pub ttl_s: u32,
}

/// An address with the port 53 where it names none (`1.1.1.1`, `[2606:4700::1111]:5353`).
pub fn address(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53)))
}

/// The resolvers of this system.
///
/// # Errors
/// When its configuration cannot be read, in words.
pub fn system() -> Result<Vec<SocketAddr>, String> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| format!("this system's resolvers cannot be read: {error}"))?;
    let port =
        |server: &NameServerConfig| server.connections.first().map_or(53, |connection| connection.port);
    let mut found: Vec<SocketAddr> =
        config.name_servers().iter().map(|server| SocketAddr::new(server.ip, port(server))).collect();
    found.dedup();
    found.truncate(MAX_RESOLVERS);
    Ok(found)
}

impl Resolver {
    /// The resolver at an address; each question has the deadline `within`.
    ///
    /// # Errors
    /// When it cannot be set up, in words.
    pub fn at(address: SocketAddr, within: Duration) -> Result<Self, String> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = address.port();
            connection
        });
        let server = NameServerConfig::new(address.ip(), true, connections.into());
        let config = ResolverConfig::from_name_servers(vec![server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = within.mul_f64(0.45);
        options.attempts = 1;
        options.edns0 = true;
        options.preserve_intermediates = true;
        let inner = builder.build().map_err(|error| clean(&error.to_string(), 200))?;
        let name = if address.port() == 53 { address.ip().to_string() } else { address.to_string() };
        Ok(Self { name, inner, within })
    }

    /// What it says of a name and type now.
    ///
    /// # Errors
    /// When it does not answer within the deadline, or not with an answer; in words.
    pub async fn ask(&self, name: &str, kind: &str) -> Result<Answer, String> {
        let kind = RecordType::from_str(kind).map_err(|_| format!("no resolver can be asked for {kind}"))?;
        let mut name = Name::from_ascii(name).map_err(|_| format!("{} is no DNS name", clean(name, 100)))?;
        name.set_fqdn(true);
        match tokio::time::timeout(self.within, self.inner.lookup(name, kind)).await {
            Err(_) => Err("no answer in time".into()),
            Ok(Ok(lookup)) => {
                // The chain to an answer lives as long as its shortest link.
                let ttl_s = lookup.answers().iter().map(|record| record.ttl).min().unwrap_or_default();
                let own = lookup.answers().iter().filter(|record| record.record_type() == kind);
                let mut values: Vec<String> = own.map(|record| shown(&record.data)).collect();
                values.sort();
                Ok(Answer { values, ttl_s })
            }
            Ok(Err(error)) => none(&error).ok_or_else(|| why(&error)),
        }
    }
}

/// The answer that there is no such name, or nothing of that type.
fn none(error: &NetError) -> Option<Answer> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if [ResponseCode::NXDomain, ResponseCode::NoError].contains(&none.response_code) =>
        {
            Some(Answer { values: Vec::new(), ttl_s: none.negative_ttl.unwrap_or_default() })
        }
        _ => None,
    }
}

fn why(error: &NetError) -> String {
    match error {
        NetError::Timeout => "no answer in time".into(),
        NetError::NoConnections => "it cannot be reached".into(),
        NetError::Dns(DnsError::NoRecordsFound(none)) => format!("it answers {}", none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => format!("it answers {code}"),
        other => clean(&other.to_string(), 200),
    }
}

/// A value in the form in which answers are compared; text that is no such value stays as it is.
pub fn canonical_value(kind: &str, text: &str) -> String {
    let kind = RecordType::from_str(kind).ok();
    let parsed = kind.and_then(|kind| RData::try_from_str(kind, text).ok());
    parsed.map_or_else(|| clean(text, 4000), |value| shown(&value))
}

fn shown(value: &RData) -> String {
    // Names compare in any case and always end with the root.
    let text = match value {
        RData::CNAME(_) | RData::NS(_) | RData::PTR(_) | RData::MX(_) | RData::SRV(_) => {
            let text = value.to_string().to_lowercase();
            if text.ends_with('.') { text } else { format!("{text}.") }
        }
        _ => value.to_string(),
    };
    clean(&text, 4000)
}

#[cfg(test)]
mod tests;
