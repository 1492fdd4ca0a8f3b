//! The RTO clocks: one for each service, from its loss until it works again.

use crate::base::ids::ServiceId;
use crate::core::model::{Model, Status};
use crate::core::words::signal::age;
use jiff::{SignedDuration, Timestamp};

/// Time that a service did not work, against its target.
#[derive(Clone, PartialEq, Debug)]
pub struct RtoClock {
    /// The service whose objective it is.
    pub service: ServiceId,
    /// Since when it runs, or ran.
    pub since: Timestamp,
    /// Since when the service works again; none while the clock runs.
    pub stopped: Option<Timestamp>,
    /// Time that passed.
    pub elapsed: SignedDuration,
    pub target: SignedDuration,
}

impl RtoClock {
    /// What is left, or was; negative once the target is missed.
    pub fn left(&self) -> SignedDuration {
        self.target - self.elapsed
    }
}

/// The clock of a service that does not work; none while it works.
pub fn service_clock(model: &Model, service: &ServiceId, now: Timestamp) -> Option<RtoClock> {
    let since = model.durable.services.get(service)?.broken_since?;
    let target = model.plan.services.get(service)?.rto;
    Some(RtoClock { service: service.clone(), since, stopped: None, elapsed: age(since, now), target })
}

/// The clock of a service that did not work in the open incident and is known to work again: its longest outage.
pub fn stopped_clock(model: &Model, service: &ServiceId) -> Option<RtoClock> {
    let detected = model.durable.incident.as_ref()?.detected_at;
    let standing = model.durable.services.get(service)?;
    let outage = standing.longest.filter(|outage| outage.until >= detected)?;
    let target = model.plan.services.get(service)?.rto;
    (standing.status == Status::Up).then(|| RtoClock {
        service: service.clone(),
        since: outage.from,
        // The longest outage may have been followed by another one.
        stopped: Some(standing.outage.map_or(outage.until, |last| last.until.max(outage.until))),
        elapsed: outage.lasted(),
        target,
    })
}

/// The overall clock: that of the service which has the least left of its objective. A service that became unknown after
/// it broke keeps its clock running.
pub fn overall_clock(model: &Model, now: Timestamp) -> Option<RtoClock> {
    let clocks = model.durable.services.keys().filter_map(|service| service_clock(model, service, now));
    clocks.min_by_key(RtoClock::left)
}

/// Of the clocks that stopped, of some services, that which had the least left.
pub fn overall_stopped<'s>(
    model: &Model,
    services: impl IntoIterator<Item = &'s ServiceId>,
) -> Option<RtoClock> {
    let clocks = services.into_iter().filter_map(|service| stopped_clock(model, service));
    clocks.min_by_key(RtoClock::left)
}
