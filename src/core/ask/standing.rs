//! The status of regions and services, from the signals of their health probes.

use crate::base::ids::{ProbeId, RegionId, ServiceId};
use crate::core::ask::{blind, contradiction, placement};
use crate::core::model::{Model, Outage, Standing, Status};
use crate::core::words::signal::{REMEMBERED_CHANGES, SignalState};
use crate::plan::Service;
use jiff::{SignedDuration, Timestamp};

/// The status that a set of health probes amounts to. Something is down only when everything is known to be
/// critical and the console itself can see; one probe that cannot tell is enough for unknown, unless another
/// one shows that something works.
pub fn status<'a>(model: &Model, probes: impl IntoIterator<Item = &'a ProbeId>) -> Status {
    let (mut ok, mut warn, mut critical, mut unknown) = (0, 0, 0, 0);
    for probe in probes {
        match model.state(probe) {
            SignalState::Ok => ok += 1,
            SignalState::Warn => warn += 1,
            SignalState::Critical => critical += 1,
            SignalState::Unknown => unknown += 1,
        }
    }
    let works = ok + warn;
    if works > 0 && warn + critical > 0 {
        Status::Degraded
    } else if works > 0 && unknown == 0 {
        Status::Up
    } else if critical > 0 && works + unknown == 0 && blind::since(model).is_none() {
        Status::Down
    } else {
        Status::Unknown
    }
}

/// The status of a service in one region; none where it does not run there.
pub fn cell(model: &Model, service: &Service, region: &RegionId) -> Option<Status> {
    service.health.get(region).map(|probes| status(model, probes))
}

/// The status of a service where it serves from, or anywhere when it does not run there.
pub fn service(model: &Model, id: &ServiceId, service: &Service) -> Status {
    service_in(model, service, placement::region_of(model, id))
}

/// The status of a service if it serves from a region.
pub fn service_in(model: &Model, service: &Service, region: Option<&RegionId>) -> Status {
    let measured = status(model, looked_at(service, region));
    // What answers while two servers take writes, or none does, does not work.
    let denied = contradiction::denies_service(model, service.health.values().flatten());
    if denied && measured == Status::Up { Status::Degraded } else { measured }
}

/// The probes that tell of a service where it serves from: all of them where it has none there.
pub fn looked_at<'p>(service: &'p Service, region: Option<&RegionId>) -> Vec<&'p ProbeId> {
    match region.and_then(|region| service.health.get(region)) {
        Some(probes) => probes.iter().collect(),
        None => service.health.values().flatten().collect(),
    }
}

/// What an outage of a service belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Course {
    /// When the trouble of the open incident was noticed; none where no incident is open.
    pub detected: Option<Timestamp>,
    /// A service that breaks again within this time was not recovered, and its clock goes on.
    pub settles_after: SignedDuration,
}

impl Course {
    /// Whether an outage that is over belongs to the open incident.
    fn has(&self, outage: &Outage) -> bool {
        self.detected.is_some_and(|detected| outage.until >= detected)
    }

    fn goes_on(&self, outage: &Outage, now: Timestamp) -> bool {
        self.has(outage) && now.duration_since(outage.until) < self.settles_after
    }
}

impl Standing {
    /// Takes in a status found at `now`. Where the last outage was not recovered from, another one goes on with it.
    pub fn update(&mut self, status: Status, now: Timestamp, course: Course) {
        if status == self.status {
            return;
        }
        self.status = status;
        self.since = now;
        match status {
            Status::Up => {
                if let Some(over) = self.broken_since.take().map(|from| Outage { from, until: now }) {
                    let longer = |longest: &Outage| course.has(longest) && longest.lasted() >= over.lasted();
                    self.longest = self.longest.filter(longer).or(Some(over));
                    self.outage = Some(over);
                }
            }
            Status::Degraded | Status::Down => {
                let before =
                    self.outage.filter(|outage| course.goes_on(outage, now)).map(|outage| outage.from);
                self.broken_since = self.broken_since.or(before).or(Some(now));
            }
            Status::Unknown => {}
        }
        if status == Status::Unknown || self.last_known == Some(status) {
            return;
        }
        let worsens =
            self.last_known.map(|before| status.as_signal().concern() > before.as_signal().concern());
        if worsens.is_some() && worsens != self.worsened {
            if self.turns.len() == REMEMBERED_CHANGES {
                self.turns.pop_front();
            }
            self.turns.push_back(now);
            self.worsened = worsens;
        }
        self.last_known = Some(status);
    }

    /// Until when it counts as flapping: it turned from worse to better or back at least twice within the
    /// cooldown, which then runs from the last turn.
    pub fn flapping_until(&self, cooldown: SignedDuration, now: Timestamp) -> Option<Timestamp> {
        let mut latest = self.turns.iter().rev();
        let (last, before) = (latest.next()?, latest.next()?);
        let until = last.checked_add(cooldown).ok()?;
        (last.duration_since(*before) <= cooldown && until > now).then_some(until)
    }
}
