//! Which runbooks act on what a probe of a cluster looks at: by the plan alone.

use crate::base::ids::RunbookId;
use crate::plan::params::Params;
use crate::plan::{Plan, ProbeSpec, Step};

/// A runbook, and which of its steps name it.
#[derive(Clone, PartialEq, Debug)]
pub struct Naming<'p> {
    pub id: &'p RunbookId,
    pub title: &'p str,
    /// Their numbers and titles.
    pub steps: Vec<(usize, &'p str)>,
}

/// The runbooks of the plan with a step that acts on what the probe looks at, in the same namespace of the same cluster.
pub fn runbooks<'p>(plan: &'p Plan, probe: &ProbeSpec) -> Vec<Naming<'p>> {
    let named = plan.runbooks.iter().map(|(id, runbook)| {
        let steps = runbook.steps.values().enumerate().filter(|(_, step)| names(plan, step, probe));
        let steps = steps.map(|(place, step)| (place + 1, &*step.title)).collect();
        Naming { id, title: &runbook.title, steps }
    });
    named.filter(|naming| !naming.steps.is_empty()).collect()
}

fn names(plan: &Plan, step: &Step, probe: &ProbeSpec) -> bool {
    let context = |name: &str| plan.kube.contexts.get(name).map_or_else(|| name.to_owned(), String::clone);
    let region = probe.region.as_ref().map(|region| region.as_str());
    let Some(own) = probe.params.text("context").or(region) else { return false };
    let is_there = step.params.text("context").is_some_and(|of_step| context(of_step) == context(own));
    let is_in = step.params.text("namespace") == probe.params.text("namespace");
    is_there && is_in && meets(&step.params, &probe.params)
}

/// Whether a step's workloads can be among a probe's. Who names none means all, or those that a selector fits: which ones
/// these are, only the cluster knows.
fn meets(step: &Params, probe: &Params) -> bool {
    let (of_step, of_probe) = (workloads(step), workloads(probe));
    let means_any = step.flag("all") || step.text("selector").is_some();
    match (of_step.is_empty(), of_probe.is_empty()) {
        (true, _) => means_any,
        (false, true) => true,
        (false, false) => of_step.iter().any(|name| of_probe.contains(name)),
    }
}

/// Kind and name of each.
fn workloads(params: &Params) -> Vec<(&'static str, &str)> {
    let one = ["target", "name"].into_iter().filter_map(|key| params.text(key));
    let of = |text| {
        let (kind, name): (&str, &str) = str::split_once(text, '/').unwrap_or(("deployment", text));
        let kind = match kind {
            "statefulset" | "statefulsets" | "sts" => "stateful set",
            "daemonset" | "daemonsets" | "ds" => "daemon set",
            "deployment" | "deployments" | "deploy" => "deployment",
            _ => "another one",
        };
        (kind, name)
    };
    params.texts("names").into_iter().chain(one).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;

    fn params(pairs: &[(&str, &str)]) -> Params {
        let value = |text: &str| match text.split_once(' ') {
            Some(("list", names)) => {
                Param::List(names.split(' ').map(|name| Param::Text(name.into())).collect())
            }
            _ if text == "true" => Param::Flag(true),
            _ => Param::Text(text.into()),
        };
        Params(pairs.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect())
    }

    /// Whether a step with these parameters names what a probe of `web` and `sts/db` in `shop` of the region `primary` sees.
    fn is_named(step: &[(&str, &str)], probe: &[(&str, &str)]) -> bool {
        let mut plan = crate::testing::demo();
        plan.kube.contexts.insert("primary".into(), "east".into());
        plan.runbooks.values_mut().flat_map(|book| book.steps.values_mut()).for_each(|of| {
            of.params = Params::default();
        });
        let mut spec = plan.probes.values().next().unwrap().clone();
        (spec.region, spec.params) = (Some("primary".into()), params(probe));
        plan.runbooks.values_mut().next().unwrap().steps.values_mut().next().unwrap().params = params(step);
        match &*runbooks(&plan, &spec) {
            [] => false,
            [one] => one.steps.len() == 1 && one.steps[0].0 == 1,
            more => panic!("{more:?}"),
        }
    }

    #[test]
    fn a_step_names_what_a_probe_sees_in_the_same_namespace_of_the_same_cluster() {
        let probe = [("namespace", "shop"), ("names", "list web sts/db")];
        let here = [("context", "east"), ("namespace", "shop")];
        let with = |key, value| [here[0], here[1], (key, value)];
        assert!(is_named(&with("names", "list api deployment/web"), &probe));
        assert!(is_named(&with("target", "statefulset/db"), &probe));
        assert!(is_named(&with("all", "true"), &probe) && is_named(&with("selector", "tier=front"), &probe));
        assert!(!is_named(&with("names", "list api db"), &probe), "that one is a deployment");
        assert!(!is_named(&with("target", "pod/web"), &probe));
        assert!(!is_named(&here, &probe), "it names no workload");
        let region = [("context", "primary"), ("namespace", "shop"), ("names", "list web")];
        assert!(is_named(&region, &probe), "the region has that context");
        let elsewhere = |context, namespace| {
            is_named(&[("context", context), ("namespace", namespace), ("names", "list web")], &probe)
        };
        assert!(elsewhere("east", "shop") && !elsewhere("west", "shop") && !elsewhere("east", "other"));
    }

    #[test]
    fn a_probe_that_names_none_sees_all_of_its_namespace() {
        let step = [("context", "east"), ("names", "list web")];
        assert!(is_named(&step, &[]));
        assert!(
            !is_named(&step, &[("namespace", "shop")]),
            "which one the context has, the plan does not say"
        );
    }
}
