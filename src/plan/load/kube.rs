//! `[kube]`.

use super::fields::Fields;
use super::value::Read;
use crate::base::ids::RegionId;
use crate::plan::KubeSettings;
use crate::plan::types::Region;
use indexmap::IndexMap;

/// `[kube]` and each region's `kube_context`; what they do not say is as in the default.
pub(crate) fn read_kube(fields: &Fields, regions: &IndexMap<RegionId, Region>) -> KubeSettings {
    let default = KubeSettings::default();
    let context = |region: &Region| region.kube_context.clone();
    KubeSettings {
        kubeconfig: fields.list("kubeconfig").iter().filter_map(Read::text).map(str::to_owned).collect(),
        contexts: regions
            .iter()
            .filter_map(|(id, region)| Some((id.to_string(), context(region)?)))
            .collect(),
        deadline: fields.duration("deadline").unwrap_or(default.deadline),
        plugin_deadline: fields.duration("plugin_deadline").unwrap_or(default.plugin_deadline),
    }
}
