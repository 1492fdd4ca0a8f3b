//! One request on a connection of its own: a kept connection would go on measuring the old region after DNS was moved.
//! The addresses of a name are tried one after another, each with its share of the time, so that one that is silent
//! does not cost those after it theirs.

use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url, redirect};
use tokio::time::{Instant, timeout_at};

use super::error::{HttpError, HttpErrorKind};
use super::{Http, HttpRequest, Place, target};
use crate::providers::net::names::{Directory, NameError};
use crate::providers::net::share::{LEAST_PATIENCE, share};
use crate::providers::net::tls::TlsProfile;

/// A request to one URL.
pub(super) struct Exchange<'a> {
    pub(super) http: &'a Http,
    pub(super) request: &'a HttpRequest,
    pub(super) url: &'a Url,
    /// What is sent besides the body.
    pub(super) headers: HeaderMap,
    pub(super) until: Instant,
}

/// The headers of an answer, and the way to it.
pub(super) struct Answered {
    pub(super) response: Response,
    /// The look-up, and the connection that answered.
    pub(super) latency: Duration,
    /// Addresses that gave no connection, tried before.
    pub(super) passed_over: Vec<IpAddr>,
}

impl Exchange<'_> {
    pub(super) async fn run(mut self) -> Result<Answered, HttpError> {
        let begun = Instant::now();
        let url = self.aimed()?;
        if self.proxied() {
            return self.through_proxy(&url, begun).await;
        }
        let addresses = self.addresses().await?;
        let looked_up = begun.elapsed();
        let mut failed: Vec<(IpAddr, HttpError)> = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let begun = Instant::now();
            let others = addresses.len() - number - 1;
            // One share more: the answer takes its time as well.
            let patience =
                (others > 0).then(|| share(self.until, others + 2).duration_since(begun).max(LEAST_PATIENCE));
            let fixed = Fixed(self.sockets(&addresses[number..]));
            let client = self.client(&self.request.tls, patience, fixed.clone())?;
            let passed_over =
                |failed: Vec<(IpAddr, _)>| failed.into_iter().map(|(address, _)| address).collect();
            let error = match timeout_at(self.until, self.send(&client, &url)).await {
                Ok(Ok(response)) => {
                    let latency = looked_up + begun.elapsed();
                    return Ok(Answered { response, latency, passed_over: passed_over(failed) });
                }
                Ok(Err(error)) => (error.is_connect(), self.blamed(error, &url, fixed).await),
                Err(_) => (false, HttpError::late(self.request.deadline, &self.target())),
            };
            match error {
                (true, error) if error.is_of_one_address() => failed.push((*address, error)),
                // The request may have gone out, or a server answered wrongly: nobody else is asked.
                (_, error) => return Err(error.after(passed_over(failed))),
            }
        }
        let nothing = || HttpError::new(HttpErrorKind::NoSuchHost, &self.target(), "the name has no address");
        Err(HttpError::most_telling(failed).unwrap_or_else(nothing))
    }

    /// The proxy's own addresses share half of the time.
    async fn through_proxy(&self, url: &Url, begun: Instant) -> Result<Answered, HttpError> {
        let patience = share(self.until, 2).duration_since(begun);
        let found = Found(self.http.names.clone());
        let client = self.client(&self.request.tls, Some(patience), found.clone())?;
        let response = match self.send(&client, url).await {
            Ok(response) => response,
            Err(error) => return Err(self.blamed(error, url, found).await),
        };
        Ok(Answered { response, latency: begun.elapsed(), passed_over: Vec::new() })
    }

    async fn send(&self, client: &Client, url: &Url) -> Result<Response, reqwest::Error> {
        let building = client.request(self.request.method.clone(), url.clone()).headers(self.headers.clone());
        match &self.request.body {
            Some(body) => building.body(body.clone()).send().await,
            None => building.send().await,
        }
    }

    /// The URL with the port of the place to connect to: the library takes a port that the URL names for that of the
    /// connection. The server is told the URL's own.
    fn aimed(&mut self) -> Result<Url, HttpError> {
        let mut url = self.url.clone();
        let Some((place, port)) = self.request.connect_to.as_ref().zip(url.port()) else { return Ok(url) };
        let wrong =
            || HttpError::new(HttpErrorKind::Configuration, &self.target(), "its host cannot be sent");
        let host = format!("{}:{port}", url.host_str().unwrap_or_default());
        let host = HeaderValue::from_str(&host).map_err(|_| wrong())?;
        url.set_port(Some(place.port())).map_err(|()| wrong())?;
        self.headers.entry(HOST).or_insert(host);
        Ok(url)
    }

    /// Where the connection may go to.
    async fn addresses(&self) -> Result<Vec<IpAddr>, HttpError> {
        let host = match &self.request.connect_to {
            Some(place) => place.host(),
            None => self.url.host_str().unwrap_or_default().trim_matches(['[', ']']),
        };
        let found = timeout_at(self.until, self.http.names.addresses(host)).await;
        let found = found.unwrap_or_else(|_| Err(NameError::late(host)));
        found.map_err(|error| HttpError::of_name(&error, &self.target()))
    }

    /// The first address, and beside one of IPv6 the first of IPv4: the library tries that one too before long (RFC
    /// 8305), so that a broken IPv6 costs less than a share of the time.
    fn sockets(&self, addresses: &[IpAddr]) -> Vec<SocketAddr> {
        let port = self.request.connect_to.as_ref().map_or(0, Place::port);
        let first = addresses.first();
        let other = addresses.iter().find(|other| other.is_ipv4() && first.is_some_and(IpAddr::is_ipv6));
        first.into_iter().chain(other).map(|address| SocketAddr::new(*address, port)).collect()
    }

    /// A client that trusts what `tls` says and connects within `patience` (TLS included) to what `names` says.
    pub(super) fn client(
        &self,
        tls: &TlsProfile,
        patience: Option<Duration>,
        names: impl Resolve + 'static,
    ) -> Result<Client, HttpError> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.http.tls(tls, &self.target())?)
            .tls_info(true)
            .redirect(redirect::Policy::none())
            .dns_resolver(names)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("lifeboat/", env!("CARGO_PKG_VERSION")));
        if !self.proxied() {
            builder = builder.no_proxy();
        }
        if let Some(patience) = patience {
            builder = builder.connect_timeout(patience);
        }
        builder.build().map_err(|error| self.failed(error))
    }

    /// Whether the library may find a proxy for it.
    fn proxied(&self) -> bool {
        self.request.proxy_of_environment && self.request.connect_to.is_none() && self.http.proxies
    }

    pub(super) fn failed(&self, error: reqwest::Error) -> HttpError {
        HttpError::of(error, &self.target())
    }

    pub(super) fn target(&self) -> String {
        target(self.url, self.request.connect_to.as_ref())
    }
}

/// Gives the library the addresses that are to be tried now.
#[derive(Clone)]
struct Fixed(Vec<SocketAddr>);

impl Resolve for Fixed {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(ready(Ok(addresses)))
    }
}

/// Looks up what the library asks for: a proxy, or a server that needs none.
#[derive(Clone)]
struct Found(Directory);

impl Resolve for Found {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.0.clone();
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
