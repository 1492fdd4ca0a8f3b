//! Which certificate of a verified path ends first: on that day all clients fail, whatever the server's own says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::Error;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::around::{Looks, Presented};
use super::tls::verifier_of;

/// Ends that are tried, at most: a server can present any number of certificates.
const MAX_TRIED: usize = 32;

/// Servers that are remembered, at most.
const MAX_REMEMBERED: usize = 256;

/// The certificate of a verified path that ends first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathEnd {
    pub part: Part,
    /// Whom it is for; cleaned.
    pub subject: String,
    pub at: Timestamp,
}

/// A place in the path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The server's own.
    Server,
    /// One that the server presents besides its own.
    Intermediate,
    /// One of the file of trusted roots.
    Root,
}

/// The ends of the paths that were verified, by a digest of the server's certificate. Clones share them.
#[derive(Clone, Default, Debug)]
pub(crate) struct PathEnds(Arc<Mutex<HashMap<[u8; 32], PathEnd>>>);

impl PathEnds {
    /// The end of the path of a server's certificate, as it was last verified.
    pub(crate) fn of(&self, certificate: &[u8]) -> Option<PathEnd> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.get(&digest(certificate)).cloned()
    }

    fn keep(&self, certificate: &[u8], end: Option<PathEnd>) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.len() >= MAX_REMEMBERED {
            ends.clear();
        }
        match end {
            Some(end) => ends.insert(digest(certificate), end),
            None => ends.remove(&digest(certificate)),
        };
    }
}

fn digest(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// Verifies as another verifier does, and notes when that will fail.
#[derive(Debug)]
pub(crate) struct Foreseeing {
    pub(crate) inner: Arc<dyn ServerCertVerifier>,
    /// The file's roots, whose own ends this library does not look at and others do; none with the platform's.
    pub(crate) roots: Vec<CertificateDer<'static>>,
    pub(crate) ends: PathEnds,
}

impl Foreseeing {
    /// The first of the certificates' ends at which a client finds no path any more. One that no path needs, such as an
    /// old cross-signed root, is none.
    fn path_end(&self, presented: &Presented<'_>) -> Option<PathEnd> {
        let Presented { certificate, intermediates, name, now, .. } = *presented;
        let server = std::iter::once((Part::Server, certificate));
        let between = intermediates.iter().map(|der| (Part::Intermediate, der));
        let roots = self.roots.iter().map(|der| (Part::Root, der));
        let last = end_of(Part::Server, certificate)?.at;
        let ends = server.chain(between).chain(roots).filter_map(|(part, der)| end_of(part, der));
        let mut ends: Vec<PathEnd> = ends.filter(|end| end.at <= last).collect();
        ends.sort_by_key(|end| end.at);
        ends.truncate(MAX_TRIED);
        ends.into_iter().find(|end| {
            // What has ended already is of no use now.
            let after = Duration::from_secs(seconds(end.at).saturating_add(1).max(now.as_secs()));
            let after = UnixTime::since_unix_epoch(after);
            let then = Presented { certificate, intermediates, name, ocsp: &[], now: after };
            self.verifier_after(end.at).is_none_or(|verifier| then.to(&*verifier).is_err())
        })
    }

    /// What verifies after a moment, with the roots that last longer; none where no root does.
    fn verifier_after(&self, at: Timestamp) -> Option<Arc<dyn ServerCertVerifier>> {
        if self.roots.is_empty() {
            return Some(self.inner.clone());
        }
        let lasts = |root: &&CertificateDer<'_>| end_of(Part::Root, root).is_some_and(|end| end.at > at);
        verifier_of(self.roots.iter().filter(lasts).cloned().collect()).ok()
    }
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or_default()
}

fn end_of(part: Part, der: &CertificateDer<'_>) -> Option<PathEnd> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(PathEnd {
        part,
        subject: crate::base::text::clean(&certificate.subject().to_string(), 200),
        at: Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?,
    })
}

impl Looks for Foreseeing {
    fn inner(&self) -> &dyn ServerCertVerifier {
        &*self.inner
    }

    fn verify(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, Error> {
        let verified = presented.to(&*self.inner)?;
        self.ends.keep(presented.certificate, self.path_end(presented));
        Ok(verified)
    }
}

#[cfg(test)]
mod tests;
