//! The RTO clocks.

use crate::core::model::{Model, Status};
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
    matches!(standing.status, Status::Down | Status::Degraded).then(|| RtoClock {
        since: standing.since,
        elapsed: age(standing.since, now),
        target,
    })
}

/// The overall clock: from the detection of the open incident, or else from the first service that went down,
/// against the tightest target among the services that do not work. Unknown services keep it running.
pub fn overall_clock(model: &Model, now: Timestamp) -> Option<RtoClock> {
    let affected = model
        .durable
        .services
        .iter()
        .filter(|(_, standing)| standing.status == Status::Down || standing.status == Status::Degraded);
    let (mut since, mut target): (Option<Timestamp>, Option<SignedDuration>) = (None, None);
    for (id, standing) in affected {
        let rto = model.plan.services.get(id).map(|service| service.rto);
        since = Some(since.map_or(standing.since, |earliest| earliest.min(standing.since)));
        target = target.into_iter().chain(rto).min();
    }
    let since =
        model.durable.incident.as_ref().map(|incident| incident.detected_at).into_iter().chain(since).min();
    let (since, target) = (since?, target?);
    Some(RtoClock { since, elapsed: age(since, now), target })
}
