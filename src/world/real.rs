//! Reality: the system's clock, and probes and actions from the registries.

use crate::core::ask::own_clock::ClockOff;
use crate::core::words::simulation::Simulation;
use crate::kinds;
use crate::kinds::survey::Survey;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::plan::{Channel, ProbeSpec, Step};
use crate::providers::Provider;
use crate::providers::clients::Clients;
use crate::secrets::Resolver;
use crate::world::{Clock, RealClock, World};
use jiff::Timestamp;
use std::sync::Arc;

/// The world that plans are written for.
pub struct RealWorld {
    clients: Clients,
    clock: Arc<RealClock>,
}

impl RealWorld {
    /// Probes and actions share `clients`.
    pub fn new(clients: Clients) -> Self {
        Self { clients, clock: Arc::new(RealClock::new()) }
    }
}

impl World for RealWorld {
    fn simulation(&self) -> Option<Simulation> {
        None
    }

    fn secrets(&self) -> Option<&Resolver> {
        Some(&self.clients.secrets)
    }

    fn survey(&self, provider: &Provider) -> Option<Box<dyn Survey>> {
        provider.survey.map(|survey| survey(&self.clients))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn own_clock(&self) -> Option<ClockOff> {
        let off = self.clients.clock.off(Timestamp::now())?;
        Some(ClockOff { ahead: off.ahead, peers: off.servers })
    }

    fn probe(&self, spec: &ProbeSpec) -> kinds::probe::Built {
        let kind = crate::providers::probe(&spec.kind)
            .ok_or_else(|| BuildError::UnknownKind { what: "probe", kind: spec.kind.clone() })?;
        (kind.build)(spec, &self.clients)
    }

    fn notifier(&self, channel: &Channel) -> kinds::channel::Built {
        let kind = crate::providers::channel(&channel.kind)
            .ok_or_else(|| BuildError::UnknownKind { what: "channel", kind: channel.kind.clone() })?;
        (kind.build)(channel, &self.clients)
    }

    fn action(&self, step: &Step, params: &Params) -> kinds::action::Built {
        let kind = crate::providers::action(&step.action)
            .ok_or_else(|| BuildError::UnknownKind { what: "action", kind: step.action.clone() })?;
        (kind.build)(params, &self.clients)
    }
}
