//! What every action on AWS has in common: where it acts, and who calls.

use crate::base::problem::Problem;
pub use crate::kinds::action::LOOK;

use crate::kinds::action::Unread;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::aws::client::{AwsError, Connection, Place};
use crate::providers::clients::Clients;

/// Where an action acts.
pub const REGION: Key =
    Key::required("region", Takes::Text, "A region of the plan, or an AWS region's name (`us-west-2`).");

/// Where an action of a regional service acts.
///
/// # Errors
/// When the plan names no AWS region.
pub fn place(params: &Params, clients: &Clients) -> Result<Place, BuildError> {
    crate::providers::aws::probe::find(params.require_text("region")?, "region", clients)
}

/// The caller as a property of a target's identity: the journal then tells whose credentials acted, and other
/// credentials at execution are another target.
pub async fn caller(connection: &Connection) -> Result<(String, String), AwsError> {
    Ok(("caller".into(), lasting(&connection.caller().await?.arn)))
}

/// A caller without the time in its session's name: a profile's role without `role_session_name`, a web identity and
/// other tools name their sessions by the clock (`assume-role-from-profile-1772366400000`), so that the same caller
/// would be another one with each new session.
fn lasting(arn: &str) -> String {
    const SHORTEST: usize = 10;
    let named_by_clock =
        |(_, time): &(&str, &str)| time.len() >= SHORTEST && time.bytes().all(|byte| byte.is_ascii_digit());
    match arn.rsplit_once('-').filter(named_by_clock) {
        Some((name, _)) if arn.contains(":assumed-role/") => format!("{name}-*"),
        _ => arn.to_owned(),
    }
}

impl From<AwsError> for Unread {
    fn from(error: AwsError) -> Self {
        Self::Failed(Problem::new(error.to_string(), error.next_step()))
    }
}

/// The equivalent command of AWS's own tool, quoted for a shell. No region for services that have none.
pub fn command(region: Option<&str>, words: &[&str]) -> String {
    let mut argv = vec!["aws".to_owned()];
    argv.extend(words.iter().map(|word| (*word).to_owned()));
    if let Some(region) = region {
        argv.extend(["--region".to_owned(), region.to_owned()]);
    }
    crate::providers::program::source::quoted(&argv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_session_of_the_same_role_is_the_same_caller() {
        let role = "arn:aws:sts::123456789012:assumed-role/Failover";
        for name in ["assume-role-from-profile", "web-identity-token", "botocore-session"] {
            let of = |time: &str| lasting(&format!("{role}/{name}-{time}"));
            assert_eq!(of("1772366400000"), of("1772370000000"), "{name}");
        }
        let other = "arn:aws:sts::123456789012:assumed-role/Reader/web-identity-token-1772366400000";
        assert_ne!(lasting(other), lasting(&format!("{role}/web-identity-token-1772366400000")));
        for person in ["lifeboat-ana", "i-0123456789abcdef0", "1772366400000", "ana-2026"] {
            assert_eq!(lasting(&format!("{role}/{person}")), format!("{role}/{person}"));
        }
        let user = "arn:aws:iam::123456789012:user/ci-1772366400";
        assert_eq!(lasting(user), user);
    }
}
