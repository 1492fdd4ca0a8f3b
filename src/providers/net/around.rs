//! A verifier around another one: it looks at the server's certificate in its own way, and leaves the handshake to the
//! one within.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use std::fmt::Debug;

/// What a server shows of itself, to be looked at for a moment.
pub(crate) struct Presented<'a> {
    pub(crate) certificate: &'a CertificateDer<'a>,
    pub(crate) intermediates: &'a [CertificateDer<'a>],
    pub(crate) name: &'a ServerName<'a>,
    pub(crate) ocsp: &'a [u8],
    pub(crate) now: UnixTime,
}

impl Presented<'_> {
    /// What a verifier says to it.
    pub(crate) fn to(&self, verifier: &dyn ServerCertVerifier) -> Result<ServerCertVerified, Error> {
        verifier.verify_server_cert(self.certificate, self.intermediates, self.name, self.ocsp, self.now)
    }
}

/// A way to look at a server's certificate that rests on another verifier.
pub(crate) trait Looks: Debug + Send + Sync {
    /// The verifier within.
    fn inner(&self) -> &dyn ServerCertVerifier;
    /// Whether the certificate is taken.
    fn verify(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, Error>;
}

/// Such a way as rustls takes it.
#[derive(Debug)]
pub(crate) struct Around<L>(pub(crate) L);

impl<L: Looks> ServerCertVerifier for Around<L> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.verify(&Presented { certificate, intermediates, name, ocsp, now })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.inner().verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.inner().verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.inner().supported_verify_schemes()
    }
}
