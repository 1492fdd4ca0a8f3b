//! `arc-routing-control`: whether a switch of ARC is on.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, unchecked};
use crate::plan::params::{Param, Params};
use crate::providers::aws::arc::client::{Answered, Cluster, Control};
use crate::providers::clients::Clients;
use futures::future::BoxFuture;
use std::time::Duration;

/// Longest that one endpoint may take, where the probe's deadline leaves more.
const EACH: Duration = Duration::from_secs(4);

/// The states of a routing control.
pub(crate) const STATES: &[&str] = &["On", "Off"];

/// The endpoints, for probe and action.
pub(crate) const ENDPOINTS: Key = Key::required(
    "cluster_endpoints",
    Takes::Table(&Takes::Url),
    "The cluster's endpoints by AWS region (`us-west-2 = \"https://….v1.us-west-2.routing-control.amazonaws.com/v1\"`), \
     all five: `aws route53-recovery-control-config describe-cluster` lists them. Keep them in the plan: that command \
     needs us-west-2.",
);

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "arc-routing-control",
    sees: Sees::RoutingControls,
    doc: "Whether a routing control of ARC (Application Recovery Controller) is on. The cluster's endpoints are \
          tried one after the other, beginning with another one each time, as AWS asks. The value is 1 for on and 0 \
          for off. A control that is not in `expect` is a warning. When no endpoint answers, the signal is unknown.",
    unit: Unit::Number,
    keys: &[
        ENDPOINTS,
        Key::required("routing_control", Takes::Text, "The routing control's ARN."),
        Key::optional("expect", Takes::Choice(STATES), "The state that it should be in."),
    ],
    fields: &[
        ("state", "`On` or `Off`"),
        ("name", "the routing control's name"),
        ("as_expected", "whether it is in the expected state; absent without `expect`"),
        ("endpoint", "the region of the endpoint that answered"),
        ("silent", "the regions of the endpoints that were asked before it and did not answer"),
    ],
    permissions: &["route53-recovery-cluster:GetRoutingControlState"],
    example: r#"[probes.example]
kind = "arc-routing-control"
title = "Primary cell takes traffic"
routing_control = "arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef0123456789abcdef/routingcontrol/abcdef1234567890"
expect = "On"
every = "30s"
timeout = "10s"
[probes.example.cluster_endpoints]
us-east-1 = "https://aaaaaaaa.v1.us-east-1.routing-control.amazonaws.com/v1"
us-west-2 = "https://bbbbbbbb.v1.us-west-2.routing-control.amazonaws.com/v1"
eu-west-1 = "https://cccccccc.v1.eu-west-1.routing-control.amazonaws.com/v1"
ap-northeast-1 = "https://dddddddd.v1.ap-northeast-1.routing-control.amazonaws.com/v1"
ap-southeast-2 = "https://eeeeeeee.v1.ap-southeast-2.routing-control.amazonaws.com/v1"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let cluster = cluster(&spec.params, clients)?;
    let share = deadline(spec) / u32::try_from(cluster.len()).unwrap_or(1).max(1);
    Ok(Box::new(RoutingControl {
        arn: spec.params.require_text("routing_control")?.to_owned(),
        expect: spec.params.text("expect").map(str::to_owned),
        each: share.min(EACH),
        cluster,
    }))
}

/// The cluster of a plan, for probe and action.
///
/// # Errors
/// When it has no endpoint, or one of a region that is none.
pub(crate) fn cluster(params: &Params, clients: &Clients) -> Result<Cluster, BuildError> {
    let wrong = |value: String, why: &str| BuildError::Value {
        key: "cluster_endpoints".into(),
        value,
        why: why.into(),
    };
    let endpoints =
        params.table("cluster_endpoints").filter_map(|(region, url)| Some((region, Param::as_text(url)?)));
    let cluster = Cluster::new(&clients.aws, endpoints)
        .map_err(|region| wrong(region, "each endpoint stands under the name of its AWS region"))?;
    match cluster.is_empty() {
        true => Err(wrong(String::new(), "it takes the cluster's endpoints by AWS region")),
        false => Ok(cluster),
    }
}

struct RoutingControl {
    cluster: Cluster,
    arn: String,
    expect: Option<String>,
    each: Duration,
}

impl Probe for RoutingControl {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let answered = self.cluster.state(&self.arn, self.each).await;
            answered
                .map(|answered| judge(&answered, self.expect.as_deref()))
                .map_err(|error| error.unmeasured())
        })
    }
}

fn judge(answered: &Answered<Control>, expect: Option<&str>) -> Measurement {
    let control = &answered.value;
    let name = if control.name.is_empty() { "it" } else { &control.name };
    let said = format!("{name} is {}", control.state);
    let measured = Measurement::good(clean(&format!("{said}, {} answered", answered.by), 200))
        .with_text("state", control.state.clone())
        .with_text("name", Some(control.name.clone()).filter(|name| !name.is_empty()))
        .with_text("endpoint", answered.by.clone())
        .with_text("silent", Some(answered.silent.join(", ")).filter(|silent| !silent.is_empty()));
    let measured = match &*control.state {
        "On" => measured.with_value(1.0),
        "Off" => measured.with_value(0.0),
        other => {
            measured.judged(Verdict::Warn(format!("its state is {other}, which lifeboat does not know")))
        }
    };
    let Some(expect) = expect else { return measured };
    let measured = measured.with_flag("as_expected", expect == control.state);
    match expect == control.state {
        true => measured,
        false => measured.judged(Verdict::Warn(clean(&format!("{said}, expected {expect}"), 200))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(state: &str) -> Answered<Control> {
        let control = Control { arn: "arn".into(), name: "cell-1".into(), state: state.into() };
        Answered { value: control, by: "us-west-2".into(), silent: vec!["us-east-1".into()] }
    }

    #[test]
    fn a_control_is_on_or_off_and_as_expected_or_not() {
        let on = judge(&answered("On"), Some("On"));
        assert_eq!((&on.verdict, on.value), (&Verdict::Good, Some(1.0)));
        assert_eq!(on.summary, "cell-1 is On, us-west-2 answered");
        assert_eq!(on.text("silent"), Some("us-east-1"));
        let off = judge(&answered("Off"), Some("On"));
        assert_eq!((off.verdict.why(), off.value), (Some("cell-1 is Off, expected On"), Some(0.0)));
        assert_eq!(judge(&answered("Off"), None).verdict, Verdict::Good);
    }

    #[test]
    fn a_state_that_nobody_knows_is_not_green() {
        let odd = judge(&answered("Maybe"), None);
        assert_eq!(odd.value, None);
        assert!(matches!(odd.verdict, Verdict::Warn(_)));
    }
}
