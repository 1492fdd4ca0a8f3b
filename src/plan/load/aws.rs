//! `[aws]`.

use super::fields::Fields;
use super::value::Read;
use crate::base::ids::RegionId;
use crate::plan::AwsSettings;
use crate::plan::types::Region;
use indexmap::IndexMap;

/// `[aws]`; what it does not say is as in the default.
pub(crate) fn read_aws(fields: &Fields, regions: &IndexMap<RegionId, Region>) -> AwsSettings {
    let default = AwsSettings::default();
    let text = |key: &str| fields.get(key).and_then(Read::text).map(str::to_owned);
    AwsSettings {
        profile: text("profile"),
        role: text("role"),
        external_id: text("external_id"),
        mfa_serial: text("mfa_serial"),
        session: fields.duration("session").unwrap_or(default.session),
        endpoint: text("endpoint"),
        endpoints: fields
            .table("endpoints")
            .filter_map(|(name, read)| Some((name.to_owned(), read.text()?.to_owned())))
            .collect(),
        regions: regions.iter().map(|(id, region)| (id.to_string(), region.name.clone())).collect(),
        deadline: fields.duration("deadline").unwrap_or(default.deadline),
    }
}
