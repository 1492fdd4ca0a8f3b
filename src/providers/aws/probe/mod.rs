//! What every probe of AWS has in common: where it looks, and the keys for that.

use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::providers::aws::client::Place;
use crate::providers::clients::Clients;

/// Where a probe looks, when that is not the region that it is listed under.
pub const REGION: Key = Key::optional(
    "aws_region",
    Takes::Text,
    "A region of the plan or an AWS region's name (`us-west-2`); the probe's `region` where absent.",
);

/// Where a probe of a regional service looks.
///
/// # Errors
/// When the plan names no AWS region.
pub fn place(spec: &ProbeSpec, clients: &Clients) -> Result<Place, BuildError> {
    let own = spec.region.as_ref().map(|region| region.as_str());
    find(spec.params.text("aws_region").or(own).unwrap_or_default(), "aws_region", clients)
}

/// The region that a key of a plan means.
///
/// # Errors
/// When it means none.
pub fn find(name: &str, key: &str, clients: &Clients) -> Result<Place, BuildError> {
    clients.aws.place(name).map_err(|error| BuildError::Value {
        key: key.to_owned(),
        value: name.to_owned(),
        why: error.to_string(),
    })
}

/// The region of services that have one control plane for the whole world (Route 53, CloudFront, IAM).
pub const GLOBAL: &str = "us-east-1";

/// How old an answer that probes share may be: a little less than a probe's interval, so that each run sees the world
/// again, and one call is enough for all that run in the meantime.
pub fn fresh(spec: &ProbeSpec) -> std::time::Duration {
    spec.every.unsigned_abs().mul_f64(0.9)
}
