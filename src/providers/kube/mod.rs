//! Kubernetes: what runs there, what changes it, and who would take a change back.

mod alive;
mod api;
pub mod client;
mod cnpg;
mod event;
mod exec;
mod gitops;
mod job;
mod manifest;
mod node;
mod object;
mod objects;
mod owner;
mod place;
mod quantity;
mod said;
mod survey;
#[cfg(test)]
mod testing;
mod told;
mod velero;
mod volume;
mod wait;
mod watched;
mod whoami;
mod workload;

use super::{Provider, row};

/// Kubernetes.
pub(super) static PROVIDER: Provider = Provider {
    probes: &[
        row!(api::probe),
        row!(cnpg::probe),
        row!(event::probe),
        row!(job::cron_probe),
        row!(job::probe),
        row!(node::probe),
        row!(velero::probe),
        row!(volume::probe),
        row!(workload::probe),
    ],
    actions: &[
        row!(gitops::suspend),
        row!(gitops::resume),
        row!(workload::env),
        row!(workload::restart),
        row!(workload::scale),
        row!(workload::undo),
        row!(exec::action),
        row!(velero::restore),
        row!(cnpg::demote),
        row!(cnpg::promote),
        row!(manifest::apply),
        row!(objects::delete),
        row!(objects::patch),
        row!(job::create),
        row!(node::cordon),
        row!(wait),
    ],
    survey: Some(survey::survey),
    ..Provider::NONE
};
