//! Servers for tests: a certificate authority of their own, TLS, and sockets that misbehave.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::names::{Directory, Names};

/// What name servers answer, name by name.
#[derive(Clone, Default)]
pub(crate) struct NamesOfTest(Arc<Mutex<HashMap<String, Answer>>>, Arc<Mutex<Option<&'static str>>>);

/// Addresses, or the words of getaddrinfo.
type Answer = Result<Vec<IpAddr>, &'static str>;

impl NamesOfTest {
    /// Addresses with commas, or the words of getaddrinfo; `hangs` is no answer at all.
    pub(crate) fn answer(&self, host: &str, answer: Result<&str, &'static str>) {
        let answer =
            answer.map(|list| list.split(',').map(|address| address.trim().parse().unwrap()).collect());
        self.0.lock().unwrap().insert(host.to_owned(), answer);
    }

    /// What the name servers say instead of denying a name.
    pub(crate) fn deny_with(&self, words: &'static str) {
        *self.1.lock().unwrap() = Some(words);
    }

    pub(crate) fn directory(&self) -> Directory {
        Directory::new(Arc::new(self.clone()))
    }
}

impl Names for NamesOfTest {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let answer = self.0.lock().unwrap().get(host).cloned();
        Box::pin(async move {
            match answer.unwrap_or(Err("Temporary failure in name resolution")) {
                Ok(addresses) => Ok(addresses),
                Err("hangs") => std::future::pending().await,
                Err(words) => Err(io::Error::other(format!("failed to lookup address information: {words}"))),
            }
        })
    }

    fn denied<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        let words = *self.1.lock().unwrap();
        Box::pin(async move { words.map_or(Ok(()), |words| Err(words.to_owned())) })
    }

    fn is_own<'a>(&'a self, host: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move { host.starts_with("own.") })
    }
}

/// A certificate authority in a temporary folder.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// The PEM file of its root.
    pub(crate) fn roots(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Accepts TLS with a certificate for `name` that is valid until the first day of `until_year`.
    pub(crate) fn acceptor(&self, name: &str, until_year: i32) -> TlsAcceptor {
        self.acceptor_as(name, until_year, IsCa::NoCa)
    }

    /// The same, with a certificate that says whether it is an authority's.
    pub(crate) fn acceptor_as(&self, name: &str, until_year: i32, is_ca: IsCa) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = is_ca;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor_of(vec![certificate.der().clone()], &key)
    }

    /// The same behind an intermediate certificate that ends on the first day of another year.
    pub(crate) fn acceptor_behind(
        &self,
        name: &str,
        until_year: i32,
        between_until_year: i32,
    ) -> TlsAcceptor {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Between");
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(between_until_year, 1, 1);
        let between = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.issuer).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &between).unwrap();
        acceptor_of(vec![certificate.der().clone(), between.der().clone()], &key)
    }
}

fn acceptor_of(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap());
    Arc::new(config.unwrap()).into()
}

/// Serves each connection with `serve` on a port of its own, which is returned.
pub(crate) async fn listen<F, S>(serve: S) -> u16
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket));
        }
    });
    port
}

/// Accepts connections, reads what comes and never answers.
pub(crate) async fn listen_in_silence() -> u16 {
    listen(|mut socket| async move {
        // Ends when the client goes away.
        let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
    })
    .await
}

/// Takes the connections that its queue holds and answers no further one, as a dropped packet does: until what is
/// returned is dropped.
pub(crate) async fn deaf(address: std::net::SocketAddr) -> impl Sized {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(1).unwrap();
    let mut queue = Vec::new();
    let within = std::time::Duration::from_millis(300);
    while let Ok(taken) = tokio::time::timeout(within, TcpStream::connect(address)).await {
        queue.push(taken.unwrap());
    }
    (listener, queue)
}

/// A port of this host on which nobody listens.
pub(crate) fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
