//! Who plays which part in a plan.

use crate::base::ids::{ProbeId, RegionId};
use crate::plan::kinds::{Does, Sees};
use crate::plan::params::Params;
use crate::plan::{Plan, ProbeSpec, RegionRole, Step};
use indexmap::IndexSet;

/// The first region of that role.
pub(crate) fn first(plan: &Plan, role: RegionRole) -> Option<&RegionId> {
    plan.regions.iter().find(|(_, region)| region.role == role).map(|(id, _)| id)
}

/// The probes that tell how far a standby is behind: those that runbooks name for their loss, and those made
/// for it.
pub(crate) fn replication(plan: &Plan) -> impl Iterator<Item = &ProbeId> {
    let named = plan.runbooks.values().flat_map(|runbook| &runbook.loss);
    let made = plan.probes.values().filter(|spec| spec.sees == Sees::Standby).map(|spec| &spec.id);
    named.chain(made).collect::<IndexSet<_>>().into_iter()
}

/// Where the data of a replication probe come from: the first primary region that is not its own.
pub(super) fn upstream<'p>(plan: &'p Plan, spec: &ProbeSpec) -> Option<&'p RegionId> {
    let primary = |(_, region): &(&RegionId, &crate::plan::Region)| region.role == RegionRole::Primary;
    plan.regions.iter().filter(primary).map(|(id, _)| id).find(|id| Some(*id) != spec.region.as_ref())
}

/// Which database a server is a copy of: the first servers of all regions are copies of one, the second of another.
pub(super) fn database(plan: &Plan, spec: &ProbeSpec) -> String {
    let of_region =
        plan.probes.values().filter(|probe| probe.kind == spec.kind && probe.region == spec.region);
    let servers: IndexSet<_> =
        of_region.map(|probe| probe.params.get("dsn").map(|dsn| format!("{dsn:?}"))).collect();
    let own = spec.params.get("dsn").map(|dsn| format!("{dsn:?}"));
    match servers.get_index_of(&own) {
        None | Some(0) => plan.name.clone(),
        Some(place) => format!("{} {}", plan.name, place + 1),
    }
}

/// A public endpoint: outside of every region, and not there to tell whether this side can see at all.
/// It answers from the region that traffic goes to.
pub(super) fn follows_traffic(plan: &Plan, spec: &ProbeSpec) -> bool {
    spec.region.is_none()
        && matches!(spec.sees, Sees::Http | Sees::Tcp)
        && !plan.policy.reference.contains(&spec.id)
}

/// The region that a step or probe names: by its id, its name, or the context that reaches its cluster.
pub(super) fn region_named<'p>(plan: &'p Plan, named: &str) -> Option<&'p RegionId> {
    let is_named = |(id, region): &(&RegionId, &crate::plan::Region)| {
        id.as_str() == named || region.name == named || region.kube_context.as_deref() == Some(named)
    };
    plan.regions.iter().find(is_named).map(|(id, _)| id)
}

/// The region of the database that a step promotes or fences: that of a probe with the same `dsn`, the one that
/// the step names, otherwise the side where it is usually done. None for steps about something else.
pub(super) fn database_of(plan: &Plan, step: &Step, params: &Params) -> Option<RegionId> {
    let usual = match step.does {
        Does::Promotes => RegionRole::Standby,
        Does::Fences | Does::Unfences => RegionRole::Primary,
        _ => return None,
    };
    let dsn = params.get("dsn");
    let same = plan.probes.values().filter(|spec| dsn.is_some() && spec.params.get("dsn") == dsn);
    let named = params.text("region").or_else(|| params.text("context"));
    let named = named.and_then(|named| region_named(plan, named));
    same.filter_map(|spec| spec.region.as_ref()).next().or(named).or_else(|| first(plan, usual)).cloned()
}
