//! A server's certificate that is trusted by itself: it stands in the file of roots.

use std::sync::Arc;

use super::around::{Looks, Presented};
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Takes a certificate of an authority for a server's own where that very certificate is trusted, as OpenSSL does: what
/// `openssl req -x509` makes is such a one. Its dates and its name are checked as of any other.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) trusted: Vec<CertificateDer<'static>>,
    pub(crate) inner: Arc<dyn ServerCertVerifier>,
}

impl Looks for Pinned {
    fn inner(&self) -> &dyn ServerCertVerifier {
        &*self.inner
    }

    fn verify(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, Error> {
        let certificate = presented.certificate;
        match presented.to(&*self.inner) {
            Err(Error::InvalidCertificate(fault))
                if fault.to_string().contains("CaUsedAsEndEntity") && self.trusted.contains(certificate) =>
            {
                check_dates(certificate, presented.now)?;
                verify_server_name(&ParsedCertificate::try_from(certificate)?, presented.name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }
}

fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    match parsed.validity() {
        dates if now < dates.not_before.timestamp() => Err(CertificateError::NotValidYet.into()),
        dates if now > dates.not_after.timestamp() => Err(CertificateError::Expired.into()),
        _ => Ok(()),
    }
}
