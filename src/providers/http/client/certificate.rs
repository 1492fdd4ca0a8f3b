//! What a server's certificate says about itself.

use crate::providers::net::path_end::PathEnd;
use jiff::{SignedDuration, Timestamp};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The parts of a server's certificate that an operator watches. Texts are cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// When it begins to be valid.
    pub not_before: Timestamp,
    /// When it ends to be valid.
    pub not_after: Timestamp,
    /// What of the verified path ends first, itself or another one; none where nothing was verified.
    pub path_end: Option<PathEnd>,
}

impl Certificate {
    /// Reads a DER-encoded certificate; `None` when it is not one.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            subject: crate::base::text::clean(&certificate.subject().to_string(), 200),
            issuer: crate::base::text::clean(&certificate.issuer().to_string(), 200),
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            path_end: None,
        })
    }

    /// How long clients can verify it after `now`; negative once it, or what leads to it, has expired.
    pub fn valid_for(&self, now: Timestamp) -> SignedDuration {
        self.ends_at().duration_since(now)
    }

    /// When clients can verify it no more.
    pub fn ends_at(&self) -> Timestamp {
        self.path_end.as_ref().map_or(self.not_after, |end| end.at)
    }
}
