//! One step: its secrets, its target, what its action itself needs, its permissions.

use super::{Looks, broken};
use crate::base::unanswered::{ENDLESS, Unanswered};
use crate::core::ask::scope;
use crate::core::words::action::{Description, Failure, Target};
use crate::core::words::preflight::{Check, DEADLINE};
use crate::kinds::action::Action;
use crate::plan::Step;
use crate::plan::kinds::Does;
use crate::plan::params::{Param, Params};
use crate::secrets::SecretRef;
use futures::future::join_all;
use std::sync::Arc;
use tokio::time::timeout;

/// Properties of a target that say nothing to a person here.
const NOT_SHOWN: [&str; 4] = ["arn", "caller", "tags", "url"];
/// Properties that are shown.
const SHOWN: usize = 5;
/// The name of the check of a step's target.
pub(super) const TARGET: &str = "target";

impl Looks<'_> {
    /// All checks of a step.
    pub(super) async fn look(&self, step: &Step) -> Vec<Check> {
        match step.does {
            Does::ByHand => return vec![Check::not_checkable("by hand", "a person does it")],
            Does::Notes | Does::Waits => {
                return vec![Check::pass("itself", "it needs nothing outside of lifeboat")];
            }
            _ => {}
        }
        let unusable =
            |why: String| vec![Check::fail("plan", why, "Correct the plan; `lifeboat check` helps.")];
        let params = match scope::placeholders(step) {
            Ok(params) => params,
            Err(why) => return unusable(why),
        };
        let action = match self.world.action(step, &params) {
            Ok(action) => action,
            Err(error) => return unusable(error.to_string()),
        };
        let mut checks = self.secrets(&params.secrets()).await;
        let action: Arc<dyn Action> = action.into();
        let asked = action.clone();
        let answers = self.pool.within(DEADLINE, async move {
            let (described, own) =
                tokio::join!(timeout(DEADLINE, asked.describe()), timeout(DEADLINE, asked.preflight()));
            (described.ok(), own.ok())
        });
        let (described, own, more) = match answers.await {
            Ok((described, own)) => (described, own, String::new()),
            Err(Unanswered::Endless) => (None, None, format!(": {ENDLESS}")),
            Err(Unanswered::Broken) => return checks.into_iter().chain([broken()]).collect(),
        };
        let late = |what: &str| {
            let of = peer(&params).map_or_else(String::new, |peer| format!(" from {peer}"));
            let why = format!("no answer{of} within {} s{more}", DEADLINE.as_secs());
            Check::fail(what, why, "See whether its region, its name and this host's network work.")
        };
        // Names that only an incident gives can lead to something that is not there yet.
        let named_later = params != step.params;
        match &described {
            None => checks.push(late(TARGET)),
            Some(Err(failure)) => checks.push(undescribed(failure, named_later)),
            Some(Ok(description)) => checks.push(self.target(step, description, named_later)),
        }
        match own {
            Some(own) => checks.extend(own),
            None => checks.push(late("its own checks")),
        }
        let target = described.and_then(Result::ok).map(|description| description.target);
        checks.extend(self.permissions(step, action.as_ref(), &params, target.as_ref()).await);
        checks
    }

    /// Each of these secrets can be had. Its value is looked up and dropped.
    pub(super) async fn secrets(&self, named: &[SecretRef]) -> Vec<Check> {
        let Some(resolver) = self.world.secrets() else {
            let simulated = |secret: &SecretRef| {
                Check::not_checkable(format!("secret {}", secret.name), "simulated: no secret is looked up")
            };
            return named.iter().map(simulated).collect();
        };
        let looks = named.iter().map(async |secret| {
            let what = format!("secret {}", secret.name);
            match timeout(DEADLINE, resolver.resolve(secret)).await {
                Ok(Ok(secret)) => match secret.remarks().as_slice() {
                    [] => Check::pass(what, "it can be had"),
                    odd => {
                        let next = format!("Store it again with `lifeboat secret set {}`.", secret.label());
                        Check::warn(what, format!("it can be had, and {}", odd.join("; ")), next)
                    }
                },
                Ok(Err(error)) => Check::fail(what, error.to_string(), error.next_step()),
                Err(_) => {
                    let why = format!("its source did not answer within {} s", DEADLINE.as_secs());
                    Check::fail(what, why, "Check the source of the secret (`lifeboat secret list`).")
                }
            }
        });
        join_all(looks).await
    }

    fn target(&self, step: &Step, description: &Description, named_later: bool) -> Check {
        let target = &description.target;
        let simulated = if self.world.simulation().is_none() { "" } else { "simulated: " };
        let name = format!("{simulated}{} {}", target.kind, target.name);
        if step.does == Does::Runs {
            let why = format!("{name}: only the plan says what it acts on; lifeboat cannot read it");
            return Check::not_checkable(TARGET, why);
        }
        if target.reachable {
            return Check::pass(TARGET, format!("{name}{}", identity(target)));
        }
        let why = match description.notes.is_empty() {
            true => format!("{name} cannot be read"),
            false => format!("{name}: {}", description.notes.join(" ")),
        };
        unread(
            why,
            "Check its name, its credentials and the way to it; the step would meet the same.",
            named_later,
        )
    }

    /// Nothing where nobody can be asked: in a simulated world.
    async fn permissions(
        &self,
        step: &Step,
        action: &dyn Action,
        params: &Params,
        target: Option<&Target>,
    ) -> Vec<Check> {
        let needed = needed(step, action);
        let of_it = self.surveys.iter().find(|(provider, _)| provider.acts(&step.action));
        match of_it.filter(|_| !needed.is_empty()) {
            Some((_, survey)) => survey.permissions(params, &needed, target).await,
            None => Vec::new(),
        }
    }
}

/// Who is asked, as far as the plan names it.
pub(super) fn peer(params: &Params) -> Option<String> {
    let url = params.text("url").map(|url| url.split(['?', '#']).next().unwrap_or(url).to_owned());
    url.or_else(|| match params.get("dsn")? {
        Param::Text(dsn) => crate::providers::database(dsn).ok(),
        Param::Secret(secret) => Some(format!("what secret {} leads to", secret.name)),
        _ => None,
    })
}

/// The permissions that this step needs.
fn needed(step: &Step, action: &dyn Action) -> Vec<&'static str> {
    let known = crate::providers::action(&step.action).map_or(&[][..], |row| row.kind.permissions);
    known.iter().copied().filter(|permission| action.needs(permission)).collect()
}

/// What was seen of a target, without what only machines read.
fn identity(target: &Target) -> String {
    let shown = target.identity.iter().filter(|(name, _)| !NOT_SHOWN.contains(&&**name)).take(SHOWN);
    let shown: Vec<String> = shown.map(|(name, value)| format!("{name} {value}")).collect();
    if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) }
}

fn undescribed(failure: &Failure, named_later: bool) -> Check {
    unread(failure.to_string(), &failure.next, named_later)
}

fn unread(why: String, next: &str, named_later: bool) -> Check {
    match named_later {
        true => Check::not_checkable(TARGET, format!("it depends on names that an incident gives ({why})")),
        false => Check::fail(TARGET, why, next),
    }
}
