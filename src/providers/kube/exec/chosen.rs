//! In which container of which pod a program is run, as the cluster has them now.

use crate::base::problem::Problem;
use crate::core::words::action::Target;
use crate::kinds::action::Unread;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::client::{Call, Cluster, Container, PODS, is_name};
use crate::providers::kube::place::checked;
use crate::providers::kube::said::{holds, text, time};
use crate::providers::kube::workload::{Found, Named, get, pods_of};
use serde_json::Value;

/// The container that `kubectl` takes where none is named.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// Lists of containers, and where each has what became of them. One that is not named is of the first list.
const LISTS: [(&str, &str); 3] = [
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
];

/// What a plan names.
pub enum What {
    /// This pod.
    Pod(String),
    /// One of the pods of this workload.
    Workload(Named),
}

/// A container of a pod, as it was read.
pub struct Chosen {
    pub namespace: String,
    pub pod: String,
    pub uid: String,
    pub container: String,
    /// How many pods of the workload are ready, this one too; none where the plan names the pod.
    pub ready: Option<usize>,
}

impl What {
    /// Of `deployment/api`, `pod/api-0`.
    ///
    /// # Errors
    /// When it names neither.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let text = params.require_text("target")?;
        match text.split_once('/') {
            Some(("pod" | "pods" | "po", name)) => Ok(Self::Pod(checked("target", name)?.to_owned())),
            Some(("deployment" | "deployments" | "deploy" | "statefulset" | "statefulsets" | "sts", _))
            | Some(("daemonset" | "daemonsets" | "ds", _))
            | None => Ok(Self::Workload(Named::of("target", text)?)),
            Some(_) => {
                let why = "it begins with `pod/`, `deployment/`, `statefulset/` or `daemonset/`";
                Err(BuildError::value("target", text, why))
            }
        }
    }

    /// Its name, without its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Pod(name) => name,
            Self::Workload(named) => &named.name,
        }
    }

    /// As `kubectl` takes it (`deployment/api`).
    pub fn words(&self) -> String {
        match self {
            Self::Pod(name) => format!("pod/{name}"),
            Self::Workload(named) => named.words(),
        }
    }

    /// Whether a permission of the kind is needed for it.
    pub fn needs(&self, permission: &str) -> bool {
        match self {
            Self::Pod(_) => !permission.ends_with(".apps") && permission != "list pods",
            Self::Workload(named) => !permission.ends_with(".apps") || permission == get(named.resource),
        }
    }

    /// Reads in which container a program would be run now.
    ///
    /// # Errors
    /// When it cannot be read, or no container of it runs.
    pub async fn read(
        &self,
        cluster: &Cluster,
        namespace: &str,
        container: Option<&str>,
    ) -> Result<Chosen, Unread> {
        let (pod, ready) = match self {
            Self::Pod(name) => (pod(cluster, namespace, name).await?, None),
            Self::Workload(named) => {
                let call = Call::new(get(named.resource), format!("{} in {namespace}", named.words()));
                let path = named.resource.path(Some(namespace), Some(&named.name));
                let object = cluster.get(&call, path, cluster.deadline()).await?;
                let found = Found { named: named.clone(), ..Found::of(named.resource, object) };
                let pods = pods_of(cluster, namespace, &found).await?;
                let (pod, ready) = longest_ready(pods).ok_or_else(|| none_ready(&named.words()))?;
                (pod, Some(ready))
            }
        };
        let name = text(&pod["metadata"]["name"]);
        let container =
            container_of(&pod, container).and_then(|container| match is_running(&pod, &container) {
                true => Ok(container),
                false => Err(Problem::new(
                    format!("the container {container} of pod {} does not run", cluster.shown(&name, 80)),
                    "See why by `kubectl describe pod`; a program can be run once it runs.",
                )),
            });
        let container = container.map_err(Unread::Absent)?;
        // Names become parts of a path and of a command.
        if !is_name(&name) {
            let why = "what answered names an object as none can be named: it is no API server";
            return Err(Unread::Failed(Problem::new(why, "Find out what answers there.")));
        }
        let uid = cluster.shown(&text(&pod["metadata"]["uid"]), 64);
        Ok(Chosen { namespace: namespace.to_owned(), pod: name, uid, container, ready })
    }
}

impl Chosen {
    /// The container as it was confirmed, where it still runs in the very pod that was.
    ///
    /// # Errors
    /// When the pod is gone or another one by now, or the container does not run.
    pub async fn confirmed(cluster: &Cluster, namespace: &str, expected: &Target) -> Result<Self, Unread> {
        let of = |name: &str| expected.property(name).map(str::to_owned);
        let absent = |why: String| Unread::Absent(Problem::new(why, "Check by hand what the step did."));
        let (Some(name), Some(uid), Some(container)) = (of("pod"), of("uid"), of("container")) else {
            return Err(absent("which pod it was is not known".to_owned()));
        };
        let now = What::Pod(name).read(cluster, namespace, Some(&container)).await?;
        match now.uid == uid {
            true => Ok(now),
            false => Err(absent(format!("the pod {} is not the one that was confirmed", now.pod))),
        }
    }

    /// Where a program is run.
    pub fn place(&self) -> Container<'_> {
        Container { namespace: &self.namespace, pod: &self.pod, name: &self.container }
    }

    /// What has to be the same when it is run.
    pub fn identity(&self, cluster: &Cluster) -> Vec<(String, String)> {
        let all = [
            ("context", &*cluster.context),
            ("pod", &self.pod),
            ("uid", &self.uid),
            ("container", &self.container),
        ];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

async fn pod(cluster: &Cluster, namespace: &str, name: &str) -> Result<Value, Unread> {
    let call = Call::new("get pods", format!("{name} in {namespace}"));
    Ok(cluster.get(&call, PODS.path(Some(namespace), Some(name)), cluster.deadline()).await?)
}

fn none_ready(workload: &str) -> Unread {
    let why = format!("no pod of {workload} is ready");
    Unread::Absent(Problem::new(why, "Wait until one is, or name a pod: `target = \"pod/NAME\"`."))
}

/// The pod that takes traffic for the longest time, as `kubectl exec` chooses; of how many that do. One that is to end is none.
fn longest_ready(mut pods: Vec<Value>) -> Option<(Value, usize)> {
    pods.retain(|pod| holds(pod, "Ready").is_some() && pod["metadata"]["deletionTimestamp"].is_null());
    let since = |pod: &Value| holds(pod, "Ready").and_then(|one| time(&one["lastTransitionTime"]));
    let ready = pods.len();
    // One that does not say since when comes last.
    let rank = |pod: &Value| (since(pod).is_none(), since(pod), text(&pod["metadata"]["name"]));
    pods.into_iter().min_by_key(rank).map(|pod| (pod, ready))
}

/// The container of that name; without one the default one, or else the first.
fn container_of(pod: &Value, named: Option<&str>) -> Result<String, Problem> {
    let names = |list: &str| {
        let all = pod["spec"][list].as_array().into_iter().flatten();
        all.map(|one| text(&one["name"])).filter(|name| is_name(name)).collect::<Vec<_>>()
    };
    let own = names(LISTS[0].0);
    let marked = pod["metadata"]["annotations"][DEFAULT_CONTAINER].as_str();
    let known = |name: &str| LISTS.iter().any(|(list, _)| names(list).iter().any(|known| known == name));
    let found = match named.or(marked) {
        Some(name) => known(name).then(|| name.to_owned()),
        None => own.first().cloned(),
    };
    found.ok_or_else(|| {
        let why = format!("the pod has no such container; it has {}", own.join(", "));
        Problem::new(why, "Name one of these in `with.container`.")
    })
}

fn is_running(pod: &Value, container: &str) -> bool {
    let all = LISTS.iter().filter_map(|(_, list)| pod["status"][list].as_array()).flatten();
    all.into_iter().any(|one| one["name"] == container && one["state"]["running"].is_object())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;
    use serde_json::json;

    fn what(target: &str) -> Result<What, String> {
        let mut params = Params::default();
        params.0.insert("target".into(), Param::Text(target.into()));
        What::of(&params).map_err(|error| error.to_string())
    }

    fn pod(name: &str, ready: &str, since: &str) -> Value {
        let ready = json!({"type": "Ready", "status": ready, "lastTransitionTime": since});
        json!({"metadata": {"name": name}, "status": {"conditions": [ready]}})
    }

    #[test]
    fn a_pod_or_a_workload_is_named() {
        let words = |target: &str| what(target).map(|what| what.words());
        assert_eq!(words("pod/api-0").unwrap(), "pod/api-0");
        assert_eq!(words("api").unwrap(), "deployment/api");
        assert_eq!(words("sts/db").unwrap(), "statefulset/db");
        for bad in ["service/api", "pod/../x", "pod/", "deployment/Api"] {
            assert!(words(bad).is_err(), "{bad}");
        }
        let needs = |target: &str, permission: &str| what(target).unwrap().needs(permission);
        assert!(needs("pod/api-0", "create pods/exec") && !needs("pod/api-0", "list pods"));
        assert!(!needs("pod/api-0", "get deployments.apps") && needs("api", "get deployments.apps"));
        assert!(!needs("api", "get statefulsets.apps") && needs("sts/db", "get statefulsets.apps"));
    }

    #[test]
    fn the_pod_that_is_ready_for_the_longest_time_is_chosen() {
        let mut ending = pod("a", "True", "2026-01-01T00:00:00Z");
        ending["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
        let pods = vec![
            pod("b", "True", "2026-01-04T00:00:00Z"),
            pod("c", "False", "2026-01-01T00:00:00Z"),
            pod("e", "True", "2026-01-03T00:00:00Z"),
            pod("d", "True", "2026-01-03T00:00:00Z"),
            pod("f", "True", "once"),
            ending,
        ];
        let (chosen, ready) = longest_ready(pods.clone()).unwrap();
        assert_eq!((chosen["metadata"]["name"].as_str(), ready), (Some("d"), 4));
        assert!(longest_ready(vec![pods[1].clone(), pods[5].clone()]).is_none());
    }

    #[test]
    fn the_container_is_the_named_or_the_marked_one_or_the_first() {
        let mut pod = json!({"metadata": {}, "spec": {
            "containers": [{"name": "app"}, {"name": "proxy"}], "initContainers": [{"name": "init"}],
        }});
        let of = |pod: &Value, named: Option<&str>| container_of(pod, named);
        assert_eq!(of(&pod, None).unwrap(), "app");
        assert_eq!(of(&pod, Some("init")).unwrap(), "init");
        assert!(of(&pod, Some("db")).unwrap_err().why.contains("it has app, proxy"));
        pod["metadata"]["annotations"] = json!({DEFAULT_CONTAINER: "proxy"});
        assert_eq!(of(&pod, None).unwrap(), "proxy");
        assert_eq!(of(&pod, Some("app")).unwrap(), "app");
        pod["metadata"]["annotations"] = json!({DEFAULT_CONTAINER: "../x"});
        assert!(of(&pod, None).is_err());
        assert!(of(&json!({}), None).is_err());
    }

    #[test]
    fn only_a_container_that_runs_by_its_own_word_runs() {
        let with = |state: Value| json!({"status": {"containerStatuses": [{"name": "app", "state": state}]}});
        assert!(is_running(&with(json!({"running": {"startedAt": "x"}})), "app"));
        assert!(!is_running(&with(json!({"running": {}})), "proxy"));
        assert!(!is_running(&with(json!({"waiting": {}})), "app") && !is_running(&json!({}), "app"));
    }
}
