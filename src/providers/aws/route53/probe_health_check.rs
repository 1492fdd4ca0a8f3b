//! `route53-health-check`: what Route 53's checkers around the world say.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::aws::client::{AwsError, Call, Connection, Place};
use crate::providers::aws::probe::{GLOBAL, find};
use crate::providers::clients::Clients;
use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckObservation};
use futures::future::BoxFuture;
use std::collections::BTreeMap;

/// Route 53 takes an endpoint for healthy when more than this share of its checkers does:
/// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
const ENOUGH_PERCENT: f64 = 18.0;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "route53-health-check",
    sees: Sees::DnsHealthCheck,
    doc: "What Route 53's checkers say of an endpoint: how many of them reach it, and why others do not. The value \
          is the percentage that does; Route 53 takes the endpoint for healthy above 18 %. An inverted check is \
          healthy when the endpoint is not; a disabled one always counts as healthy, which is a warning here. \
          Calculated checks, those of CloudWatch alarms and those of routing controls have no checkers: the signal \
          is then unknown, and CloudWatch's metric `HealthCheckStatus` in `AWS/Route53` (us-east-1) tells. AWS \
          means this interface for looks now and then, and takes five requests a second for a whole account: \
          every run costs two.",
    unit: Unit::Number,
    keys: &[Key::required("health_check", Takes::Text, "The health check's id.")],
    fields: &[
        ("up", "how many checkers reach the endpoint"),
        ("checkers", "how many checkers there are"),
        ("healthy", "whether Route 53 takes it for healthy, `inverted` and `disabled` included"),
        ("inverted", "whether the check is inverted"),
        ("disabled", "whether the check is disabled"),
        ("type", "the check's type (`HTTPS`, `TCP`)"),
        ("reasons", "what the checkers that do not reach it say, with how many say it"),
    ],
    permissions: &["route53:GetHealthCheck", "route53:GetHealthCheckStatus"],
    example: r#"[probes.example]
kind = "route53-health-check"
title = "Route 53 sees api.sparc.com"
health_check = "abcdef11-2222-3333-4444-555555fedcba"
every = "30s"
timeout = "10s"
warn_below = 60
critical_below = 18
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(HealthCheck {
        place: find(GLOBAL, "aws_region", clients)?,
        id: spec.params.require_text("health_check")?.to_owned(),
    }))
}

struct HealthCheck {
    place: Place,
    id: String,
}

impl Probe for HealthCheck {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.place.reader().await;
            let config = config(&connection, &self.id).await.map_err(|error| error.unmeasured())?;
            if has_checkers(&config) && config.disabled() != Some(true) {
                let observed = observed(&connection, &self.id).await.map_err(|error| error.unmeasured())?;
                return Ok(judge(&config, &observed));
            }
            without_checkers(&self.id, &config)
        })
    }
}

async fn config(connection: &Connection, id: &str) -> Result<HealthCheckConfig, AwsError> {
    let call = Call::new("route53:GetHealthCheck", format!("health check {id}"));
    let send = connection.route53().get_health_check().health_check_id(id).send();
    let found = connection.call(&call, send).await?;
    let config = found.health_check.and_then(|check| check.health_check_config);
    config.ok_or_else(|| {
        AwsError::new(
            &call,
            crate::providers::aws::client::AwsErrorKind::NotFound,
            "the answer has no configuration",
        )
    })
}

async fn observed(connection: &Connection, id: &str) -> Result<Vec<HealthCheckObservation>, AwsError> {
    let call = Call::new("route53:GetHealthCheckStatus", format!("health check {id}"));
    let send = connection.route53().get_health_check_status().health_check_id(id).send();
    Ok(connection.call(&call, send).await?.health_check_observations)
}

/// Kinds that AWS computes instead of asking an endpoint.
fn has_checkers(config: &HealthCheckConfig) -> bool {
    !["CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"].contains(&config.r#type().as_str())
}

fn without_checkers(id: &str, config: &HealthCheckConfig) -> Result<Measurement, Problem> {
    if config.disabled() == Some(true) {
        // Inverted and disabled is unhealthy: Route 53 inverts what it takes for granted.
        let inverted = config.inverted() == Some(true);
        let what = if inverted {
            "unhealthy: disabled and inverted"
        } else {
            "disabled: it always counts as healthy"
        };
        let verdict = if inverted { Verdict::Critical(what.into()) } else { Verdict::Warn(what.into()) };
        return Ok(with_config(Measurement::good(what), config)
            .judged(verdict)
            .with_flag("healthy", !inverted));
    }
    Err(Problem::new(
        format!(
            "health check {id} is of type {}, which has no checkers of its own",
            config.r#type().as_str()
        ),
        "Watch the checks, alarm or routing control that it is made of, or the metric HealthCheckStatus of \
         AWS/Route53 in us-east-1.",
    ))
}

fn judge(config: &HealthCheckConfig, observed: &[HealthCheckObservation]) -> Measurement {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut up = 0;
    for seen in observed {
        let status = seen.status_report().and_then(|report| report.status()).unwrap_or("no report");
        match status.starts_with("Success") {
            true => up += 1,
            false => *reasons.entry(clean(status, 160)).or_default() += 1,
        }
    }
    let checkers = observed.len();
    if checkers == 0 {
        let nothing = "no checker has reported yet".to_owned();
        return with_config(Measurement::good(&*nothing), config).judged(Verdict::Warn(nothing));
    }
    let percent = 100.0 * f64::from(up) / checkers as f64;
    let inverted = config.inverted() == Some(true);
    let healthy = (percent > ENOUGH_PERCENT) != inverted;
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let reasons: Vec<String> =
        reasons.into_iter().map(|(reason, count)| format!("{count}x {reason}")).collect();
    let mut summary = format!("{up} of {checkers} checkers reach it");
    if inverted {
        summary.push_str(", inverted");
    }
    if let Some(reason) = reasons.first() {
        summary = format!("{summary}; {reason}");
    }
    let measured = Measurement::good(&*clean(&summary, 200))
        .with_value(percent)
        .with_number("up", f64::from(up))
        .with_number("checkers", checkers as f64)
        .with_flag("healthy", healthy)
        .with_text("reasons", (!reasons.is_empty()).then(|| clean(&reasons.join("; "), 1000)));
    let verdict = match healthy {
        true => Verdict::Good,
        false => Verdict::Critical(clean(&format!("Route 53 takes it for unhealthy: {summary}"), 240)),
    };
    with_config(measured, config).judged(verdict)
}

fn with_config(measured: Measurement, config: &HealthCheckConfig) -> Measurement {
    measured
        .with_flag("inverted", config.inverted() == Some(true))
        .with_flag("disabled", config.disabled() == Some(true))
        .with_text("type", Some(clean(config.r#type().as_str(), 40)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_route53::types::{HealthCheckType, StatusReport};

    fn config(kind: &str) -> aws_sdk_route53::types::builders::HealthCheckConfigBuilder {
        HealthCheckConfig::builder().r#type(HealthCheckType::from(kind))
    }

    fn seen(up: usize, down: usize) -> Vec<HealthCheckObservation> {
        let one = |status: &str| {
            let report = StatusReport::builder().status(status).build();
            HealthCheckObservation::builder().status_report(report).build()
        };
        let up = std::iter::repeat_n("Success: HTTP Status Code 200, OK", up);
        up.chain(std::iter::repeat_n("Failure: Connection timed out.", down)).map(one).collect()
    }

    #[test]
    fn more_than_18_percent_is_healthy_as_route_53_counts() {
        let https = config("HTTPS").build().unwrap();
        let measured = judge(&https, &seen(3, 13));
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(18.75)));
        assert_eq!(measured.summary, "3 of 16 checkers reach it; 13x Failure: Connection timed out.");
        let measured = judge(&https, &seen(2, 14));
        assert!(matches!(measured.verdict, Verdict::Critical(_)), "{measured:?}");
        assert_eq!(measured.text("reasons"), Some("14x Failure: Connection timed out."));
        assert_eq!(judge(&https, &seen(16, 0)).value, Some(100.0));
    }

    #[test]
    fn an_inverted_check_is_unhealthy_when_the_endpoint_is_up() {
        let inverted = config("TCP").inverted(true).build().unwrap();
        assert!(matches!(judge(&inverted, &seen(16, 0)).verdict, Verdict::Critical(_)));
        assert_eq!(judge(&inverted, &seen(0, 16)).verdict, Verdict::Good);
    }

    #[test]
    fn what_has_no_checkers_is_unknown_and_a_disabled_one_says_so() {
        let failure = without_checkers("x", &config("CALCULATED").build().unwrap()).unwrap_err();
        assert!(failure.why.contains("CALCULATED, which has no checkers"), "{failure:?}");
        let disabled = without_checkers("x", &config("HTTP").disabled(true).build().unwrap()).unwrap();
        assert!(matches!(disabled.verdict, Verdict::Warn(_)), "{disabled:?}");
        let both = config("HTTP").disabled(true).inverted(true).build().unwrap();
        assert!(matches!(without_checkers("x", &both).unwrap().verdict, Verdict::Critical(_)));
    }

    #[test]
    fn nobody_has_reported() {
        let measured = judge(&config("HTTP").build().unwrap(), &[]);
        assert_eq!(measured.value, None);
        assert!(matches!(measured.verdict, Verdict::Warn(_)));
    }
}
