//! Where a probe reads, and how long it may take.

use crate::kinds::probe::deadline;
use crate::plan::ProbeSpec;
use crate::plan::kinds::BuildError;
use crate::providers::aws::client::{Connection, Place};
use crate::providers::aws::probe::{find, place};
use crate::providers::clients::Clients;
use std::sync::Arc;
use std::time::Duration;

/// A probe's way to AWS.
pub struct Reader {
    place: Place,
    /// How long all calls of a run may take together: less than the engine waits, so that the probe itself says what
    /// did not answer.
    pub within: Duration,
    /// How old an answer may be that another probe asked for.
    pub fresh: Duration,
}

impl Reader {
    /// For a service that each region has of its own.
    ///
    /// # Errors
    /// When the plan names no AWS region.
    pub fn of(spec: &ProbeSpec, clients: &Clients) -> Result<Self, BuildError> {
        Ok(Self::at(place(spec, clients)?, spec, clients))
    }

    /// For a service that has one control plane for the whole world.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn global(spec: &ProbeSpec, clients: &Clients) -> Result<Self, BuildError> {
        Ok(Self::at(find(crate::providers::aws::probe::GLOBAL, "aws_region", clients)?, spec, clients))
    }

    fn at(place: Place, spec: &ProbeSpec, clients: &Clients) -> Self {
        Self {
            place,
            within: deadline(spec).min(clients.aws.settings().deadline.unsigned_abs()),
            fresh: crate::providers::aws::probe::fresh(spec),
        }
    }

    /// The region's clients.
    pub async fn connection(&self) -> Arc<Connection> {
        self.place.reader().await
    }

    /// AWS's name of the region.
    pub fn region(&self) -> &str {
        &self.place.region
    }
}
