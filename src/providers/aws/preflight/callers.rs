//! Who is calling in each region, and until when.

use crate::base::units;
use crate::core::words::preflight::{Check, DEADLINE, RegionChecks};
use crate::plan::Plan;
use crate::plan::params::Params;
use crate::providers::aws::client::{Connection, Place};
use crate::providers::clients::Clients;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

/// Credentials that end sooner than this may end in the middle of an incident.
const SHORT: SignedDuration = SignedDuration::from_mins(60);

/// Who is calling in each of these regions, and until when; none waits for another one.
pub async fn callers(places: Vec<Place>) -> Vec<RegionChecks> {
    join_all(places.into_iter().map(async |place| {
        let connection = place.reader().await;
        let checks = match timeout(DEADLINE, connection.caller_here()).await {
            Ok(Ok(caller)) => vec![Check::pass("caller", caller.arn), credentials(&connection).await],
            Ok(Err(error)) => vec![Check::fail("caller", error.to_string(), error.next_step())],
            Err(_) => {
                let why = format!("no answer within {} s", DEADLINE.as_secs());
                vec![Check::fail("caller", why, format!("See whether {} works at all.", place.region))]
            }
        };
        RegionChecks { region: place.region.clone(), checks }
    }))
    .await
}

/// The AWS regions of a plan that has probes or steps on AWS: its own, and those that its steps and probes
/// name.
pub fn places(plan: &Plan, clients: &Clients) -> Vec<Place> {
    let steps = plan.runbooks.values().flat_map(|book| book.steps.values());
    let acting: Vec<&Params> = steps
        .filter(|step| crate::providers::aws::PROVIDER.acts(&step.action))
        .map(|step| &step.params)
        .collect();
    let mut probing = plan.probes.values();
    let sees = probing.any(|spec| crate::providers::aws::PROVIDER.sees(&spec.kind));
    if acting.is_empty() && !sees {
        return Vec::new();
    }
    let own = plan.regions.keys().map(crate::base::ids::RegionId::as_str);
    let seeing = plan.probes.values().filter_map(|spec| spec.params.text("aws_region"));
    let named = acting.iter().filter_map(|params| params.text("region")).chain(seeing);
    let mut places: Vec<Place> = Vec::new();
    for place in own.chain(named).filter_map(|name| clients.aws.place(name).ok()) {
        if places.iter().all(|known| known.region != place.region) {
            places.push(place);
        }
    }
    places
}

async fn credentials(connection: &Connection) -> Check {
    match timeout(DEADLINE, connection.credentials_expiry()).await {
        Ok(Ok(expiry)) => judge_expiry(expiry, Timestamp::now()),
        Ok(Err(why)) => Check::fail("credentials", why, "Sign in again."),
        Err(_) => {
            Check::not_checkable("credentials", "where they come from did not say in time how long they last")
        }
    }
}

fn judge_expiry(expiry: Option<Timestamp>, now: Timestamp) -> Check {
    let Some(at) = expiry else {
        return Check::pass("credentials", "they do not say that they end");
    };
    let left = at.duration_since(now);
    let text = format!("they end in {} ({})", units::duration(left), at.strftime("%H:%M:%SZ"));
    let next = "Sign in again before you need them, or use credentials that renew themselves.";
    match left {
        left if left <= SignedDuration::ZERO => {
            Check::fail("credentials", "they have ended", "Sign in again.")
        }
        left if left < SHORT => Check::warn("credentials", text, next),
        _ => Check::pass("credentials", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::preflight::Checked;

    #[test]
    fn credentials_that_end_soon_are_said() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let left = |minutes| judge_expiry(Some(now + SignedDuration::from_mins(minutes)), now).result;
        assert!(matches!(left(0), Checked::Fail(_)));
        assert!(matches!(left(59), Checked::Warn(_)));
        assert!(matches!(left(61), Checked::Pass(_)));
        assert!(matches!(judge_expiry(None, now).result, Checked::Pass(_)));
    }
}
