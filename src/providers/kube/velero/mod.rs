//! Velero: which backups of a cluster there are, and what is restored from them. Its objects are read and made; its server
//! does the work.
//! <https://velero.io/docs/main/>

mod judge;
mod location;
pub mod probe;
pub mod restore;
mod seen;
mod volumes;
mod which;

use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::place::checked;
use jiff::SignedDuration;

/// Where Velero runs.
const VELERO_NAMESPACE: Key =
    Key::default("velero_namespace", Takes::Text, "velero", "The namespace that Velero runs in.");
/// How far two clocks may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(2);
/// A word of the cluster.
const SAID_CHARS: usize = 200;

/// The namespace that Velero runs in, as the plan says.
fn namespace(params: &Params) -> Result<String, BuildError> {
    let name = params.text("velero_namespace").unwrap_or("velero");
    checked("velero_namespace", name).map(str::to_owned)
}
