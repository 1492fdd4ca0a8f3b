//! What the names in a scenario mean in a plan, also the parts that any plan has (`@primary`).

use super::entry::Text;
use super::sheet::{Sheet, meant};
use crate::base::ids::{ProbeId, RegionId, ServiceId, StepId};
use crate::plan::{Plan, RegionRole, is_left_out};
use crate::simulation::simulated::roles;
use indexmap::IndexSet;

const REGION_PARTS: [&str; 2] = ["@primary", "@standby"];
const PROBE_PARTS: [&str; 3] = ["@replication", "@backup", "@reference"];

/// A region by name, or the first with a role.
pub(super) fn region(name: Text, plan: &Plan, sheet: &mut Sheet) -> Option<RegionId> {
    let (text, span) = name;
    let found = match text {
        "@primary" => roles::first(plan, RegionRole::Primary),
        "@standby" => roles::first(plan, RegionRole::Standby),
        _ => plan.regions.keys().find(|id| id.as_str() == text),
    };
    if found.is_none() {
        let known =
            plan.regions.keys().map(RegionId::as_str).chain(REGION_PARTS).filter(|known| *known != text);
        sheet.problem(span, format!("the plan has no region `{text}`"), meant(text, known));
    }
    found.cloned()
}

/// A probe by name, or all that play a part.
pub(super) fn probes(name: Text, plan: &Plan, sheet: &mut Sheet) -> Vec<ProbeId> {
    let (text, span) = name;
    let found: IndexSet<ProbeId> = match text {
        "@replication" => roles::replication(plan).cloned().collect(),
        "@backup" => plan.backups.values().map(|backup| backup.probe.clone()).collect(),
        "@reference" => plan.policy.reference.iter().cloned().collect(),
        _ => plan.probes.keys().filter(|id| id.as_str() == text).cloned().collect(),
    };
    if found.is_empty() {
        let known = plan.probes.keys().map(ProbeId::as_str).chain(PROBE_PARTS).filter(|known| *known != text);
        sheet.problem(span, format!("the plan has no probe `{text}`"), meant(text, known));
    }
    found.into_iter().collect()
}

/// The probes that tell a service's health, in one region or in all.
pub(super) fn service(name: Text, at: Option<RegionId>, plan: &Plan, sheet: &mut Sheet) -> Vec<ProbeId> {
    let (text, span) = name;
    let Some(service) = plan.services.get(text) else {
        let known = plan.services.keys().map(ServiceId::as_str);
        sheet.problem(span, format!("the plan has no service `{text}`"), meant(text, known));
        return Vec::new();
    };
    let cells = service.health.iter().filter(|(region, _)| at.as_ref().is_none_or(|at| at == *region));
    let found: IndexSet<ProbeId> = cells.flat_map(|(_, probes)| probes).cloned().collect();
    if found.is_empty() {
        let place = at.map_or_else(String::new, |region| format!(" in region `{region}`"));
        let help = "name a probe instead, or give the service `health` in the plan";
        sheet.problem(span, format!("no probe tells the health of service `{text}`{place}"), help);
    }
    found.into_iter().collect()
}

/// A step of any runbook.
pub(super) fn step(name: Text, plan: &Plan, sheet: &mut Sheet) -> Option<StepId> {
    let (text, span) = name;
    let mut steps = plan.runbooks.values().flat_map(|runbook| runbook.steps.keys());
    let found = steps.find(|id| id.as_str() == text);
    if found.is_none() {
        let known = plan.runbooks.values().flat_map(|runbook| runbook.steps.keys().map(StepId::as_str));
        sheet.problem(span, format!("no runbook of the plan has a step `{text}`"), meant(text, known));
    }
    found.cloned()
}

/// A kind of action: of this build, one that it left out, or one that the plan uses.
pub(super) fn action(name: Text, plan: &Plan, sheet: &mut Sheet) -> Option<String> {
    let (text, span) = name;
    let used = plan.runbooks.values().flat_map(|runbook| runbook.steps.values());
    let mut known: IndexSet<&str> = used.map(|step| &*step.action).collect();
    known.extend(crate::providers::actions().map(|row| row.kind.name));
    if !known.contains(text) && !is_left_out(text) {
        let message = format!("there is no kind of action `{text}`");
        sheet.problem(span, message, meant(text, known.iter().copied()));
        return None;
    }
    Some(text.to_owned())
}
