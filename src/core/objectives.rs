//! The RTO clocks.

use crate::core::model::Model;
use crate::core::signal::age;
use crate::ids::ServiceId;
use jiff::{SignedDuration, Timestamp};

/// Time since detection against a target.
#[derive(Clone, PartialEq, Debug)]
pub struct RtoClock {
    /// The service whose objective it is.
    pub service: ServiceId,
    /// Since when it runs.
    pub since: Timestamp,
    /// Time that passed.
    pub elapsed: SignedDuration,
    /// The target.
    pub target: SignedDuration,
}

impl RtoClock {
    /// What is left; negative once it is over.
    pub fn left(&self) -> SignedDuration {
        self.target - self.elapsed
    }
}

/// The clock of a service that does not work; none while it works.
pub fn service_clock(model: &Model, service: &ServiceId, now: Timestamp) -> Option<RtoClock> {
    let standing = model.durable.services.get(service)?;
    let target = model.plan.services.get(service)?.rto;
    standing.broken_since.map(|since| RtoClock {
        service: service.clone(),
        since,
        elapsed: age(since, now),
        target,
    })
}

/// The overall clock: that of the service which has the least left of its objective. A service that became unknown after
/// it broke keeps its clock running.
pub fn overall_clock(model: &Model, now: Timestamp) -> Option<RtoClock> {
    let clocks = model.durable.services.keys().filter_map(|service| service_clock(model, service, now));
    clocks.min_by_key(RtoClock::left)
}
