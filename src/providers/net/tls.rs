//! TLS for all clients: one cryptography provider, certificates checked by the platform or by a file of roots.

use crate::base::problem::Problem;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::around::{Around, Looks, Presented};
use super::path_end::{Foreseeing, PathEnds};
use super::pinned::Pinned;
use crate::base::shortage::{OWN_FAULT, own_shortage};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// How much of a server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Verification {
    /// Chain and host name.
    #[default]
    Full,
    /// The chain only (libpq's `verify-ca`).
    ChainOnly,
    /// Nothing (libpq's `require` and `prefer`): safe from listeners, not from an impostor.
    None,
}

/// What TLS trusts. Clients keep one configuration for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct TlsProfile {
    /// How much is checked.
    pub verification: Verification,
    /// PEM file with the trusted roots; the platform's roots when absent.
    pub roots: Option<PathBuf>,
    /// What shows the server who the client is, where it asks.
    pub identity: Option<Identity>,
}

/// A client's certificate and its key, PEM files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The certificate, with those that lead to its authority.
    pub certificate: PathBuf,
    /// Its key, not encrypted.
    pub key: PathBuf,
}

/// The one cryptography provider.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

impl TlsProfile {
    /// The configuration of a client that trusts what the profile says. Reads the file of roots.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, Problem> {
        self.config_with(self.verifier()?.0)
    }

    /// The same, which also notes when a path that it verifies ends. Every connection is verified: a resumed session
    /// would go on with what was presented before.
    pub(crate) fn foreseeing_config(&self, ends: &PathEnds) -> Result<ClientConfig, Problem> {
        let (inner, roots) = self.verifier()?;
        let mut config = match self.verification {
            Verification::None => self.config_with(inner)?,
            _ => self.config_with(Arc::new(Around(Foreseeing { inner, roots, ends: ends.clone() })))?,
        };
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// What verifies, and the file's roots, where it is by these.
    fn verifier(&self) -> Result<(Arc<dyn ServerCertVerifier>, Vec<CertificateDer<'static>>), Problem> {
        let (chain, roots): (Arc<dyn ServerCertVerifier>, _) = match (self.verification, &self.roots) {
            (Verification::None, _) => (Arc::new(Unchecked(provider())), Vec::new()),
            (_, None) => (Arc::new(platform_verifier().map_err(or_shortage)?), Vec::new()),
            (_, Some(path)) => file_verifier(path).map_err(or_shortage)?,
        };
        match self.verification {
            Verification::ChainOnly => Ok((Arc::new(Around(AnyName(chain))), roots)),
            _ => Ok((chain, roots)),
        }
    }

    fn config_with(&self, verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Problem> {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| setup_error(&error))?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let Some(identity) = &self.identity else { return Ok(builder.with_no_client_auth()) };
        let (certificates, key) = identity.read()?;
        builder
            .with_client_auth_cert(certificates, key)
            .map_err(|error| identity.unusable(&error.to_string()))
    }
}

impl Identity {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Problem> {
        let certificates = CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect);
        let certificates: Vec<_> = certificates
            .map_err(|error| self.unusable(&format!("{}: {error}", self.certificate.display())))?;
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|error| self.unusable(&format!("{}: {error}", self.key.display())))?;
        Ok((certificates, key))
    }

    fn unusable(&self, why: &str) -> Problem {
        Problem {
            why: format!("the client certificate {} cannot be used: {why}", self.certificate.display()),
            next: format!(
                "put the certificate's key into {}, as PEM and not encrypted, readable for the engine's user alone",
                self.key.display()
            ),
        }
    }
}

/// Roots that cannot be read for want of open files say nothing of the roots.
fn or_shortage(error: Problem) -> Problem {
    match own_shortage() {
        Some(why) => Problem { why, next: OWN_FAULT.to_owned() },
        None => error,
    }
}

fn platform_verifier() -> Result<rustls_platform_verifier::Verifier, Problem> {
    rustls_platform_verifier::Verifier::new(provider()).map_err(|error| Problem {
        why: format!("the host's trusted root certificates cannot be loaded ({error})"),
        next: "install the host's root certificates (Debian: `apt-get install ca-certificates`)".to_owned(),
    })
}

fn file_verifier(
    path: &PathBuf,
) -> Result<(Arc<dyn ServerCertVerifier>, Vec<CertificateDer<'static>>), Problem> {
    let unusable = |why: String| Problem {
        why: format!("the root certificates in {} cannot be used: {why}", path.display()),
        next: format!("put PEM certificates into {}, readable for the engine's user", path.display()),
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates = certificates.map_err(|error| unusable(error.to_string()))?;
    Ok((verifier_of(certificates.clone()).map_err(unusable)?, certificates))
}

/// Verifies by these roots.
pub(crate) fn verifier_of(
    certificates: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|error| error.to_string())?;
    }
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
    let inner = inner.build().map_err(|error| error.to_string())?;
    Ok(Arc::new(Around(Pinned { trusted: certificates, inner })))
}

fn setup_error(error: &rustls::Error) -> Problem {
    Problem { why: error.to_string(), next: "report this as a defect of lifeboat".to_owned() }
}

/// Accepts any certificate; the handshake's own signature is still checked.
struct Unchecked(Arc<CryptoProvider>);

impl fmt::Debug for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unchecked")
    }
}

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Checks everything but the host name. Verifiers look at the name last, so a complaint about the name means
/// that the chain is good.
#[derive(Debug)]
struct AnyName(Arc<dyn ServerCertVerifier>);

impl Looks for AnyName {
    fn inner(&self) -> &dyn ServerCertVerifier {
        &*self.0
    }

    fn verify(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match presented.to(&*self.0) {
            Err(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }
}

/// A rustls error anywhere in an error's chain, also inside an I/O error.
pub(crate) fn tls_error_in<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inside_io = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = inside_io.and_then(|inner| tls_error_in(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What is wrong with a server's certificate, in words, and what to do about it.
pub(crate) fn explain(error: &rustls::Error) -> (String, String) {
    let rustls::Error::InvalidCertificate(fault) = error else {
        return (
            crate::base::text::clean(&error.to_string(), 300),
            "check that the server speaks TLS on this port, with a version from 1.2 on".to_owned(),
        );
    };
    // `openssl req -x509` makes such certificates, so they are met often.
    if fault.to_string().contains("CaUsedAsEndEntity") {
        return (
            "the server presents a certificate authority's certificate as its own".to_owned(),
            "give the server a certificate made with `basicConstraints=CA:FALSE`".to_owned(),
        );
    }
    let next_step = match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "renew the server's certificate, and check this host's clock"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "check this host's clock, then the server's certificate"
        }
        CertificateError::UnknownIssuer => {
            "give the certificate authority's file in the plan, or install it on this host"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "use the host name that the certificate is for"
        }
        _ => "look at the certificate with `openssl s_client -connect HOST:PORT -showcerts`",
    };
    (crate::base::text::clean(&fault.to_string(), 300), next_step.to_owned())
}
