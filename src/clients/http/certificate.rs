//! What a server's certificate says about itself.

use jiff::{SignedDuration, Timestamp};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The parts of a server's certificate that an operator watches. Texts are cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// When it begins to be valid.
    pub not_before: Timestamp,
    /// When it ends to be valid.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads a DER-encoded certificate; `None` when it is not one.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            subject: crate::text::clean(&certificate.subject().to_string(), 200),
            issuer: crate::text::clean(&certificate.issuer().to_string(), 200),
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
        })
    }

    /// How long it stays valid after `now`; negative once it has expired.
    pub fn valid_for(&self, now: Timestamp) -> SignedDuration {
        self.not_after.duration_since(now)
    }
}
