//! `[aws]`: how this plan reaches AWS.

use indexmap::IndexMap;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How this plan reaches AWS. What it does not say is found as every AWS tool finds it: environment, the shared
/// `config` and `credentials` files, SSO, web identity, container and instance metadata.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AwsSettings {
    /// The profile of the shared files.
    pub profile: Option<String>,
    /// The role that is assumed on top of those credentials, an ARN.
    pub role: Option<String>,
    /// What the role's trust policy asks of outsiders.
    pub external_id: Option<String>,
    /// The MFA device that the role's trust policy asks for: its serial number or ARN.
    pub mfa_serial: Option<String>,
    /// How long an assumed role's session lasts.
    pub session: SignedDuration,
    /// Where every service answers, instead of the public addresses.
    pub endpoint: Option<String>,
    /// Where every service of a region answers, by the region's id in the plan.
    pub endpoints: IndexMap<String, String>,
    /// The provider's name of each region of the plan (`dr` is `us-west-2`).
    pub regions: IndexMap<String, String>,
    /// Deadline of one call.
    pub deadline: SignedDuration,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            profile: None,
            role: None,
            external_id: None,
            mfa_serial: None,
            session: SignedDuration::from_hours(1),
            endpoint: None,
            endpoints: IndexMap::new(),
            regions: IndexMap::new(),
            deadline: SignedDuration::from_secs(10),
        }
    }
}
