//! What is asked of a whole plan before the night: who signs in to each cluster, and what RBAC would say to each verb that
//! the plan's probes and steps need.
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use super::client::{Call, Cluster, KubeError, Method, Sent};
use super::whoami;
use super::workload::diagnose;
use crate::core::words::action::Target;
use crate::core::words::preflight::{Check, Checked, DEADLINE, RegionChecks};
use crate::kinds::survey::Survey;
use crate::plan::Plan;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use futures::future::{BoxFuture, join_all};
use indexmap::IndexSet;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

/// A verb on a resource, as the kinds name what they need (`patch deployments.apps/scale`, `get /readyz`), and in which
/// namespace.
type Needed = (&'static str, Option<String>);

struct Access {
    clients: Clients,
}

/// The look at who signs in, and what it may do.
pub(super) fn survey(clients: &Clients) -> Box<dyn Survey> {
    Box::new(Access { clients: clients.clone() })
}

impl Survey for Access {
    fn regions<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Vec<RegionChecks>> {
        Box::pin(async move {
            join_all(clusters(plan, &self.clients).into_iter().map(async |wanted| {
                let cluster = &wanted.cluster;
                let checks = match timeout(DEADLINE, of_cluster(&wanted)).await {
                    Ok(checks) => checks,
                    Err(_) => {
                        let why = format!("no answer within {} s", DEADLINE.as_secs());
                        let next = format!("`kubectl --context {} version`", cluster.context);
                        vec![Check::fail("sign-in", why, next)]
                    }
                };
                RegionChecks { region: format!("Kubernetes {}", cluster.context), checks }
            }))
            .await
        })
    }

    fn permissions<'a>(
        &'a self,
        params: &'a Params,
        needed: &'a [&'static str],
        _: Option<&'a Target>,
    ) -> BoxFuture<'a, Vec<Check>> {
        Box::pin(async move {
            let cluster = self.clients.kube.cluster(params.text("context").unwrap_or_default());
            let of = |one: &&'static str| (*one, namespace(params));
            let needed: IndexSet<Needed> = needed.iter().map(of).collect();
            match timeout(DEADLINE, reviewed(&cluster, &needed)).await {
                Ok(checks) => checks,
                Err(_) => {
                    vec![Check::not_checkable("its permissions", "the API server did not answer in time")]
                }
            }
        })
    }
}

/// The namespace in which a step or probe needs its verbs; of all where it names none and acts on one by its full name.
fn namespace(params: &Params) -> Option<String> {
    let named = params.text("namespace").or(params.text("velero_namespace")).map(str::to_owned);
    let full = ["application", "kustomization", "autoscaler"].iter().find_map(|key| params.text(key));
    named.or_else(|| full.and_then(|name| name.split_once('/')).map(|(namespace, _)| namespace.to_owned()))
}

/// A cluster, and which verbs the plan asks for there.
struct Wanted {
    cluster: Cluster,
    /// Without these something in the plan does not work.
    needed: IndexSet<Needed>,
    /// Without these nobody sees what is behind a signal.
    to_diagnose: IndexSet<Needed>,
}

/// The clusters of a plan, with what its probes need there.
fn clusters(plan: &Plan, clients: &Clients) -> Vec<Wanted> {
    let mut found: Vec<Wanted> = Vec::new();
    let mut add = |name: &str, needed: Vec<Needed>, to_diagnose: Vec<Needed>| {
        let cluster = clients.kube.cluster(name);
        let known = found.iter().position(|known| known.cluster.context == cluster.context);
        let place = known.unwrap_or_else(|| {
            found.push(Wanted { cluster, needed: IndexSet::new(), to_diagnose: IndexSet::new() });
            found.len() - 1
        });
        found[place].needed.extend(needed);
        found[place].to_diagnose.extend(to_diagnose);
    };
    for spec in plan.probes.values() {
        let Some(row) = super::PROVIDER.probes.iter().find(|row| row.kind.name == spec.kind) else {
            continue;
        };
        let region = spec.region.as_ref().map(|region| region.as_str());
        let Some(context) = spec.params.text("context").or(region) else { continue };
        let namespace = namespace(&spec.params);
        let of = |all: &[&'static str]| all.iter().map(|one| (*one, namespace.clone())).collect();
        let to_diagnose = if spec.sees.has_diagnosis() { diagnose::PERMISSIONS } else { &[] };
        add(context, of(row.kind.permissions), of(to_diagnose));
    }
    for step in plan.runbooks.values().flat_map(|book| book.steps.values()) {
        if super::PROVIDER.acts(&step.action)
            && let Some(context) = step.params.text("context")
        {
            add(context, Vec::new(), Vec::new());
        }
    }
    for Wanted { needed, to_diagnose, .. } in &mut found {
        to_diagnose.retain(|one| !needed.contains(one));
    }
    found
}

async fn of_cluster(Wanted { cluster, needed, to_diagnose }: &Wanted) -> Vec<Check> {
    let call = Call::new("get /version", "of the API server");
    let version = match cluster.get(&call, "/version".to_owned(), cluster.deadline()).await {
        Ok(version) => cluster.shown(version["gitVersion"].as_str().unwrap_or("?"), 40),
        Err(error) => return vec![Check::fail("sign-in", error.to_string(), error.next_step())],
    };
    let (who, needed, to_diagnose) =
        tokio::join!(whoami::of(cluster), reviewed(cluster, needed), reviewed(cluster, to_diagnose));
    let mut checks = vec![whoami::check(cluster, &version, who)];
    checks.extend(needed);
    checks.extend(to_diagnose.into_iter().filter_map(for_diagnosis));
    checks
}

/// What is not granted and only needed where somebody looks behind a signal.
fn for_diagnosis(check: Check) -> Option<Check> {
    match check.result {
        Checked::Pass(_) => None,
        Checked::Fail(seen) => {
            let seen = format!("{seen}: only what is behind a signal needs it");
            Some(Check::warn(check.what, seen, check.next))
        }
        Checked::Warn(_) | Checked::NotCheckable(_) => Some(check),
    }
}

/// One check for what is granted, and one for each verb that is not.
async fn reviewed(cluster: &Cluster, needed: &IndexSet<Needed>) -> Vec<Check> {
    let asked = join_all(needed.iter().map(async |one| (one, review(cluster, one).await))).await;
    let mut checks = Vec::new();
    let mut granted = 0;
    for ((permission, namespace), answer) in asked {
        let place = namespace.as_deref().map_or(String::new(), |namespace| format!(" in {namespace}"));
        match answer {
            Ok(true) => granted += 1,
            Ok(false) => checks.push(Check::fail(
                format!("may `{permission}`{place}"),
                "RBAC says no",
                format!("Have it granted; `kubectl --context {} auth can-i --list`.", cluster.context),
            )),
            Err(error) => {
                checks.push(Check::not_checkable(format!("may `{permission}`{place}"), error.to_string()));
            }
        }
    }
    if granted > 0 {
        checks.insert(
            0,
            Check::pass("its permissions", format!("RBAC grants {granted} of {} verbs", needed.len())),
        );
    }
    checks
}

async fn review(cluster: &Cluster, (permission, namespace): &Needed) -> Result<bool, KubeError> {
    let call =
        Call::new("create selfsubjectaccessreviews.authorization.k8s.io", format!("of `{permission}`"));
    let until = Instant::now() + cluster.deadline();
    // Nodes are of no namespace.
    let namespace = match namespace {
        _ if permission.ends_with(" nodes") => None,
        named => Some(cluster.namespace(named.as_deref(), &call, until).await?),
    };
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": spec(permission, namespace.as_deref()),
    });
    let sent = Sent {
        method: Method::Post,
        path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned(),
        query: Vec::new(),
        body: Some(&body),
    };
    let answer = cluster.send(&call, sent, cluster.deadline()).await?;
    Ok(answer["status"]["allowed"] == true)
}

fn spec(permission: &str, namespace: Option<&str>) -> Value {
    let (verb, what) = permission.split_once(' ').unwrap_or((permission, ""));
    if what.starts_with('/') {
        return json!({"nonResourceAttributes": {"verb": verb, "path": what}});
    }
    let (resource, sub) = what.split_once('/').unwrap_or((what, ""));
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    json!({"resourceAttributes": {
        "verb": verb, "group": group, "resource": plural, "subresource": sub, "namespace": namespace.unwrap_or_default()}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_asked_for_as_rbac_knows_it() {
        let asked = spec("patch deployments.apps/scale", Some("shop"));
        let attributes = json!({"verb": "patch", "group": "apps", "resource": "deployments", "subresource": "scale",
                                "namespace": "shop"});
        assert_eq!(asked["resourceAttributes"], attributes);
        assert_eq!(spec("list pods", None)["resourceAttributes"]["group"], "");
        assert_eq!(
            spec("get /readyz", None),
            json!({"nonResourceAttributes": {"verb": "get", "path": "/readyz"}})
        );
        let custom = spec("get kustomizations.kustomize.toolkit.fluxcd.io", None);
        assert_eq!(custom["resourceAttributes"]["group"], "kustomize.toolkit.fluxcd.io");
    }
}
