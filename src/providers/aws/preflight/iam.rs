//! What IAM would say to a permission.

use crate::core::words::action::Target;
use crate::core::words::preflight::{Check, DEADLINE};
use crate::plan::params::Params;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Caller, Connection, Place};
use crate::providers::clients::Clients;
use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType as Decision};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

/// Simulations sent together; IAM takes few of them.
const TOGETHER: usize = 4;

/// IAM's policy simulator.
pub struct Iam {
    /// Whose policies are simulated, by caller; why not, where that cannot be told.
    principals: Mutex<HashMap<String, Result<String, String>>>,
    permits: Semaphore,
}

impl Default for Iam {
    fn default() -> Self {
        Self { principals: Mutex::default(), permits: Semaphore::new(TOGETHER) }
    }
}

impl Iam {
    /// One check for each permission, against the target's ARN where it has one; one for all where none can be told.
    pub async fn check(
        &self,
        clients: &Clients,
        params: &Params,
        permissions: &[&'static str],
        target: Option<&Target>,
    ) -> Vec<Check> {
        let unknown = |why: &str| {
            vec![Check::not_checkable("its permissions", format!("{why} ({})", permissions.join(", ")))]
        };
        let property = |name| {
            target.and_then(|target| {
                target.identity.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
            })
        };
        let names = params.text("region").or(property("region")).into_iter();
        let names = names.chain(clients.aws.settings().regions.keys().map(String::as_str));
        let Some(place) = names.filter_map(|name| clients.aws.place(name).ok()).next() else {
            return unknown("the plan names no AWS region to ask IAM from");
        };
        let asked = timeout(DEADLINE, self.simulate(&place, permissions, property("arn"))).await;
        match asked {
            Ok(Ok(results)) => {
                permissions.iter().map(|name| judge(name, &results, property("arn"))).collect()
            }
            Ok(Err(why)) => unknown(&why),
            Err(_) => unknown("IAM did not answer in time"),
        }
    }

    async fn simulate(
        &self,
        place: &Place,
        permissions: &[&'static str],
        arn: Option<&str>,
    ) -> Result<Vec<EvaluationResult>, String> {
        let connection = place.reader().await;
        let caller = connection.caller().await.map_err(|error| error.to_string())?;
        let principal = self.principal(&connection, &caller).await?;
        // Not before: a region that does not answer must not hold up the others. It is never closed.
        let _permit = self.permits.acquire().await.ok();
        let names = permissions.iter().map(|name| (*name).to_owned()).collect();
        let call = Call::new("iam:SimulatePrincipalPolicy", &*principal);
        let request = connection.iam().simulate_principal_policy().policy_source_arn(&principal);
        let request =
            request.set_action_names(Some(names)).set_resource_arns(arn.map(|arn| vec![arn.into()]));
        let answer = connection.call(&call, request.send()).await.map_err(|error| unasked(&error))?;
        Ok(answer.evaluation_results.unwrap_or_default())
    }

    async fn principal(&self, connection: &Arc<Connection>, caller: &Caller) -> Result<String, String> {
        let mut known = self.principals.lock().await;
        if let Some(principal) = known.get(&caller.arn) {
            return principal.clone();
        }
        let found = match principal_of(&caller.arn) {
            Principal::Is(arn) => Ok(arn),
            Principal::Cannot(why) => Err(why.to_owned()),
            // The session's ARN leaves out the role's path, which simulation needs.
            Principal::Role { name, without_path } => {
                let call = Call::new("iam:GetRole", &*name);
                let asked = connection.call(&call, connection.iam().get_role().role_name(&name).send()).await;
                Ok(asked.ok().and_then(|found| found.role).map_or(without_path, |role| role.arn))
            }
        };
        known.insert(caller.arn.clone(), found.clone());
        found
    }
}

/// Why IAM's simulator has no answer.
fn unasked(error: &AwsError) -> String {
    match error.kind {
        AwsErrorKind::Denied => "iam:SimulatePrincipalPolicy is denied to the caller".into(),
        AwsErrorKind::NotFound => {
            "IAM does not know the caller's role under that ARN: it may have a path, and iam:GetRole is denied".into()
        }
        _ => error.to_string(),
    }
}

/// Whose policies decide for a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Principal {
    Is(String),
    Role { name: String, without_path: String },
    Cannot(&'static str),
}

/// `arn:aws:sts::123456789012:assumed-role/Failover/ana` is the role `arn:aws:iam::123456789012:role/Failover`.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
fn principal_of(caller: &str) -> Principal {
    let parts: Vec<&str> = caller.splitn(6, ':').collect();
    let [_, partition, service, _, account, resource] = parts[..] else {
        return Principal::Cannot("the caller's ARN cannot be read");
    };
    match (service, resource.split_once('/')) {
        ("sts", Some(("assumed-role", rest))) => {
            let name = rest.split('/').next().unwrap_or(rest).to_owned();
            let without_path = format!("arn:{partition}:iam::{account}:role/{name}");
            Principal::Role { name, without_path }
        }
        ("iam", Some(("user" | "role", _))) => Principal::Is(caller.to_owned()),
        ("iam", None) if resource == "root" => {
            Principal::Cannot("the caller is the account's root user, which no policy limits")
        }
        _ => Principal::Cannot("only the policies of users and roles can be simulated"),
    }
}

/// What the simulator says to one permission. A permission that is not on the target's kind of thing, or that only
/// reads, can be refused by the simulator and granted in reality: that is said, and fails nothing.
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>
fn judge(permission: &'static str, results: &[EvaluationResult], arn: Option<&str>) -> Check {
    let on = arn.map_or_else(String::new, |arn| format!(" on {arn}"));
    let Some(result) = results.iter().find(|result| result.eval_action_name == permission) else {
        return Check::not_checkable(permission, "IAM did not answer for it");
    };
    // These are asked for by any of the caller's statements: one of them may deny.
    let missing = result.missing_context_values();
    let next = format!("Grant `{permission}` to the caller{on}.");
    match &result.eval_decision {
        Decision::Allowed if missing.is_empty() => {
            Check::pass(permission, format!("the caller's policies allow it{on}"))
        }
        Decision::ExplicitDeny if missing.is_empty() => {
            Check::fail(permission, format!("a policy of the caller denies it{on}"), next)
        }
        _ if !missing.is_empty() => Check::not_checkable(
            permission,
            format!("it depends on conditions that a simulation does not know: {}", missing.join(", ")),
        ),
        _ if reads(permission) || arn.is_none_or(|arn| service(permission) != arn.split(':').nth(2)) => {
            let why =
                format!("no policy of the caller allows it{on}; it may be allowed on what it really names");
            Check::not_checkable(permission, why)
        }
        _ => Check::fail(permission, format!("no policy of the caller allows it{on}"), next),
    }
}

fn service(permission: &str) -> Option<&str> {
    permission.split_once(':').map(|(service, _)| service)
}

fn reads(permission: &str) -> bool {
    let operation = permission.split_once(':').map_or(permission, |(_, operation)| operation);
    ["Describe", "Get", "List"].iter().any(|begin| operation.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::preflight::Checked;

    const ARN: &str = "arn:aws:rds:us-west-2:123456789012:db:arka-db-dr-replica";

    fn result(permission: &str, decision: Decision, missing: &[&str]) -> Vec<EvaluationResult> {
        let missing = missing.iter().map(|name| (*name).to_owned()).collect();
        let result = EvaluationResult::builder().eval_action_name(permission).eval_decision(decision);
        vec![result.set_missing_context_values(Some(missing)).build().unwrap()]
    }

    #[test]
    fn a_session_is_simulated_as_its_role() {
        let role = |caller| match principal_of(caller) {
            Principal::Role { name, without_path } => (name, without_path),
            other => panic!("{other:?}"),
        };
        let (name, arn) = role("arn:aws-us-gov:sts::123456789012:assumed-role/Failover/lifeboat-ana");
        assert_eq!((&*name, &*arn), ("Failover", "arn:aws-us-gov:iam::123456789012:role/Failover"));
        let user = "arn:aws:iam::123456789012:user/team/ana";
        assert_eq!(principal_of(user), Principal::Is(user.into()));
        for other in ["arn:aws:iam::1:root", "arn:aws:sts::1:federated-user/x", "x"] {
            assert!(matches!(principal_of(other), Principal::Cannot(_)), "{other}");
        }
    }

    #[test]
    fn what_the_simulator_says_is_not_taken_for_more_than_it_is() {
        let say = |permission: &'static str, decision, missing: &[&str], arn| {
            judge(permission, &result(permission, decision, missing), arn).result
        };
        let promote = "rds:PromoteReadReplica";
        assert!(matches!(say(promote, Decision::Allowed, &[], Some(ARN)), Checked::Pass(_)));
        assert!(matches!(say(promote, Decision::ImplicitDeny, &[], Some(ARN)), Checked::Fail(_)));
        assert!(matches!(say(promote, Decision::ExplicitDeny, &[], None), Checked::Fail(_)));
        let mfa = say(promote, Decision::ImplicitDeny, &["aws:MultiFactorAuthPresent"], Some(ARN));
        assert!(matches!(&mfa, Checked::NotCheckable(why) if why.contains("MultiFactorAuthPresent")));
        assert!(matches!(say(promote, Decision::ImplicitDeny, &[], None), Checked::NotCheckable(_)));
        let unless = say(promote, Decision::Allowed, &["aws:SourceIp"], Some(ARN));
        assert!(matches!(&unless, Checked::NotCheckable(why) if why.contains("aws:SourceIp")), "{unless:?}");
        let other = say("kms:CreateGrant", Decision::ImplicitDeny, &[], Some(ARN));
        assert!(matches!(other, Checked::NotCheckable(_)), "its resource is a key, not the instance");
        assert!(matches!(judge(promote, &[], Some(ARN)).result, Checked::NotCheckable(_)));
    }
}
