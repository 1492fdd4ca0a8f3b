//! The RTO clocks.

use crate::core::model::Model;
use crate::core::signal::age;
use crate::ids::ServiceId;
use jiff::{SignedDuration, Timestamp};

/// Time since detection against a target.
#[derive(Clone, PartialEq, Debug)]
pub struct RtoClock {
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
    standing.broken_since.map(|since| RtoClock { since, elapsed: age(since, now), target })
}

/// The overall clock: from the detection of the open incident, or else from the first service that went down,
/// against the tightest target among the services that do not work. A service that became unknown
/// after it broke keeps it running.
pub fn overall_clock(model: &Model, now: Timestamp) -> Option<RtoClock> {
    let (mut since, mut target): (Option<Timestamp>, Option<SignedDuration>) = (None, None);
    for (id, standing) in &model.durable.services {
        let Some(broken) = standing.broken_since else { continue };
        since = since.into_iter().chain([broken]).min();
        target = target.into_iter().chain(model.plan.services.get(id).map(|service| service.rto)).min();
    }
    let since =
        model.durable.incident.as_ref().map(|incident| incident.detected_at).into_iter().chain(since).min();
    let (since, target) = (since?, target?);
    Some(RtoClock { since, elapsed: age(since, now), target })
}
