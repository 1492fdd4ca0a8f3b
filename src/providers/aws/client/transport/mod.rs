//! The SDK's requests, with the addresses of a name tried in turn: the SDK gives the first one all the time that a
//! connection may take, so that one that is silent hides those that answer. The name is looked up for each request, and a
//! connection is kept only while the name has its address and answers come.

use super::connection::CONNECT;
use crate::providers::net::names::{Directory, NameError};
use crate::providers::net::share::LEAST_PATIENCE;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use reqwest::Url;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// The SDK's HTTP client. Clones share connections.
#[derive(Clone)]
pub(super) struct Transport {
    names: Directory,
    hosts: Arc<Mutex<HashMap<String, Host>>>,
}

/// What is known of a host.
#[derive(Default)]
struct Host {
    /// What the last look-up found.
    addresses: Vec<IpAddr>,
    /// The address of the last answer: it is tried first while the name has it.
    answered: Option<IpAddr>,
    kept: HashMap<Way, SharedHttpConnector>,
}

/// A way to a host, which keeps its own connections.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Way {
    /// The address, and beside one of IPv6 one of IPv4: the library tries that one too before long (RFC 8305).
    addresses: Vec<IpAddr>,
    /// How long a connection may take.
    patience: Duration,
    /// How long an answer may take to begin, where the SDK limits it.
    read: Option<Duration>,
}

impl Transport {
    /// Nothing is connected.
    pub fn new(names: Directory) -> Self {
        Self { names, hosts: Arc::default() }
    }

    async fn send(
        self,
        mut request: HttpRequest,
        settings: HttpConnectorSettings,
    ) -> Result<HttpResponse, ConnectorError> {
        let within = settings.connect_timeout().unwrap_or(CONNECT);
        let host = host(request.uri())?;
        let addresses = self.addresses(&host, within).await.map_err(of_name)?;
        let mut failed = None;
        for way in ways(&addresses, within, settings.read_timeout()) {
            let copy = copy(&request);
            // Without a copy nobody else can be asked.
            let only = copy.is_none();
            let sent = std::mem::replace(&mut request, copy.unwrap_or_else(HttpRequest::empty));
            let using = Using { transport: &self, host: &host, way, answered: false };
            match using.send(sent).await {
                Err(error) if !only && is_unconnected(&error) => failed = Some(telling(failed, error)),
                result => return result,
            }
        }
        let nothing = || of_name(NameError::NoAddress { host });
        Err(failed.unwrap_or_else(nothing))
    }

    /// The addresses of a host in the order in which they are tried. While no name server answers, those of before.
    async fn addresses(&self, host: &str, within: Duration) -> Result<Vec<IpAddr>, NameError> {
        let found = timeout(within, self.names.addresses(host)).await;
        let found = found.unwrap_or_else(|_| Err(NameError::late(host)));
        let mut hosts = self.hosts();
        let known = hosts.entry(host.to_owned()).or_default();
        match found {
            Ok(addresses) => known.addresses = addresses,
            Err(NameError::Silent { .. } | NameError::ThisHost { .. }) if !known.addresses.is_empty() => {}
            Err(error) => return Err(error),
        }
        let Host { addresses, kept, .. } = known;
        kept.retain(|way, _| way.addresses.iter().all(|address| addresses.contains(address)));
        let mut addresses = addresses.clone();
        // The order of the others stays.
        addresses.sort_by_key(|address| Some(*address) != known.answered);
        Ok(addresses)
    }

    fn connector(&self, host: &str, way: &Way) -> SharedHttpConnector {
        let mut hosts = self.hosts();
        let kept = &mut hosts.entry(host.to_owned()).or_default().kept;
        kept.entry(way.clone()).or_insert_with(|| way.connector()).clone()
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Way {
    fn connector(&self) -> SharedHttpConnector {
        let settings = HttpConnectorSettings::builder().connect_timeout(self.patience);
        let settings = match self.read {
            Some(read) => settings.read_timeout(read),
            None => settings,
        };
        let connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .connector_settings(settings.build())
            .build_with_resolver(Fixed(self.addresses.clone()));
        SharedHttpConnector::new(connector)
    }
}

/// A request on its way. One that ends without an answer, by an error or because nobody waits for it any more, leaves no
/// connection for the next one.
struct Using<'a> {
    transport: &'a Transport,
    host: &'a str,
    way: Way,
    answered: bool,
}

impl Using<'_> {
    async fn send(mut self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let result = self.transport.connector(self.host, &self.way).call(request).await;
        self.answered = result.is_ok();
        result
    }
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        let mut hosts = self.transport.hosts();
        let Some(known) = hosts.get_mut(self.host) else { return };
        let address = self.way.addresses.first().copied();
        if self.answered {
            known.answered = address;
            return;
        }
        known.kept.remove(&self.way);
        if known.answered == address {
            known.answered = None;
        }
    }
}

impl HttpClient for Transport {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(InTurn { transport: self.clone(), settings: settings.clone() })
    }
}

/// With the time-outs of one client.
#[derive(Debug)]
struct InTurn {
    transport: Transport,
    settings: HttpConnectorSettings,
}

impl HttpConnector for InTurn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.transport.clone().send(request, self.settings.clone()))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

/// Gives the library the addresses that are to be tried now.
#[derive(Clone, Debug)]
struct Fixed(Vec<IpAddr>);

impl ResolveDns for Fixed {
    fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(Ok(self.0.clone()))
    }
}

fn host(url: &str) -> Result<String, ConnectorError> {
    let url = Url::parse(url).map_err(|error| ConnectorError::user(error.into()))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    Ok(host.to_owned())
}

/// Each address gets the same part of the time, so that its connections are found again; what has more addresses than that
/// gives is tried at the first of them.
fn ways(addresses: &[IpAddr], within: Duration, read: Option<Duration>) -> impl Iterator<Item = Way> {
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let patience = (within / count).max(LEAST_PATIENCE).min(within);
    let most = within.as_millis() / patience.as_millis().max(1);
    addresses.iter().enumerate().take(usize::try_from(most).unwrap_or(1).max(1)).map(
        move |(number, address)| {
            let other =
                addresses[number..].iter().find(|other| other.is_ipv4() && address.is_ipv6()).copied();
            Way { addresses: [*address].into_iter().chain(other).collect(), patience, read }
        },
    )
}

/// The same request for another address. The SDK's hold on the connection goes with it.
fn copy(request: &HttpRequest) -> Option<HttpRequest> {
    let mut copy = request.try_clone()?;
    if let Some(capture) = request.extension::<CaptureSmithyConnection>() {
        copy.add_extension(capture.clone());
    }
    Some(copy)
}

/// Whether certainly nothing was sent: the libraries say so in words of their own, which no server can put into them.
fn is_unconnected(error: &ConnectorError) -> bool {
    super::error::chain(error).map(ToString::to_string).any(|words| {
        words == "client error (Connect)" || words.starts_with("HTTP connect timeout occurred after ")
    })
}

/// The one of two that says more: silence says least.
fn telling(before: Option<ConnectorError>, error: ConnectorError) -> ConnectorError {
    match before {
        Some(before) if !before.is_timeout() || error.is_timeout() => before,
        _ => error,
    }
}

fn of_name(error: NameError) -> ConnectorError {
    ConnectorError::io(error.into()).never_connected()
}

#[cfg(test)]
mod tests;
