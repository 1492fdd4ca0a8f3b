//! `cloudfront-distribution`: a CloudFront distribution and the origin that it fetches from.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::aws::client::{AwsErrorKind, Call, timestamp};
use crate::providers::aws::reader::Reader;
use crate::providers::clients::Clients;
use aws_sdk_cloudfront::types::{Distribution, DistributionConfig};
use futures::future::BoxFuture;
use jiff::Timestamp;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "cloudfront-distribution",
    sees: Sees::Distribution,
    doc: "Reads a CloudFront distribution: whether it is enabled, whether its last change has reached all edges, and \
          which origin its default behavior fetches from. The value is the time since its last change. One that is \
          disabled or not there is critical, so is another origin than `expect_origin`; a change that is still on its \
          way to the edges is a warning. CloudFront has one control plane, in us-east-1.",
    unit: Unit::Seconds,
    keys: &[
        Key::required("distribution", Takes::Text, "Id of the distribution (`E2QWRUHAPOMQZL`)."),
        Key::optional(
            "expect_origin",
            Takes::Text,
            "Domain name or id of the origin that the default behavior must use; for an origin group, its id or its \
             first member.",
        ),
    ],
    fields: &[
        ("status", "`Deployed`, or `InProgress` while a change is on its way to the edges"),
        ("enabled", "it answers viewers"),
        ("domain", "its domain name at CloudFront"),
        ("aliases", "its other domain names, separated by commas"),
        ("origin", "domain name of the origin that the default behavior uses"),
        ("origin_id", "id of that origin, or of its group"),
        ("origins", "all origins, as id and domain name"),
        ("as_expected", "the default behavior uses `expect_origin`"),
        ("etag", "what tells this configuration from the next"),
        ("last_modified", "when it was changed"),
        ("invalidations", "how many invalidations go on"),
        ("arn", "its ARN"),
    ],
    permissions: &["cloudfront:GetDistribution"],
    example: r#"[probes.example]
kind = "cloudfront-distribution"
title = "Video delivery"
distribution = "E2QWRUHAPOMQZL"
expect_origin = "sparc-videos-prod.s3.amazonaws.com"
every = "1m"
timeout = "10s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Edge {
        reader: Reader::global(spec, clients)?,
        id: spec.params.require_text("distribution")?.to_owned(),
        expected: spec.params.text("expect_origin").map(str::to_owned),
    }))
}

struct Edge {
    reader: Reader,
    id: String,
    expected: Option<String>,
}

impl Probe for Edge {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.reader.connection().await;
            let call = Call::new("cloudfront:GetDistribution", &self.id);
            let send = connection.cloudfront().get_distribution().id(&self.id).send();
            let missing = || Measurement::critical(format!("there is no distribution {}", self.id));
            match connection.call_within(&call, self.reader.within, send).await {
                Ok(found) => Ok(found.distribution().map_or_else(missing, |distribution| {
                    let etag = found.e_tag().map(|etag| clean(etag, 100));
                    judge(distribution, self.expected.as_deref(), Timestamp::now()).with_text("etag", etag)
                })),
                Err(error) if error.kind == AwsErrorKind::NotFound => Ok(missing()),
                Err(error) => Err(error.unmeasured()),
            }
        })
    }
}

fn judge(distribution: &Distribution, expected: Option<&str>, now: Timestamp) -> Measurement {
    let text = |text: &str| clean(text, 300);
    let config = distribution.distribution_config();
    let default = config.map(Origin::of).unwrap_or_default();
    let enabled = config.is_some_and(|config| config.enabled());
    let modified = timestamp(distribution.last_modified_time());
    let age_s = modified.map(|time| now.duration_since(time).as_secs_f64().max(0.0));
    let as_expected = expected.map(|expected| default.is(expected));
    let aliases =
        config.and_then(|config| config.aliases()).map(|aliases| aliases.items()).unwrap_or_default();
    let mut measured = Measurement::good(summary(distribution, &default, age_s))
        .judged(judge_state(enabled, distribution.status()))
        .judged(judge_origin(&default, expected))
        .with_text("status", text(distribution.status()))
        .with_flag("enabled", enabled)
        .with_text("domain", text(distribution.domain_name()))
        .with_text("aliases", text(&aliases.join(", ")))
        .with_text("origin", default.domain.clone())
        .with_text("origin_id", default.id.clone())
        .with_text("origins", origins(config))
        .with_text("last_modified", modified.map(|time| time.to_string()))
        .with_number("invalidations", f64::from(distribution.in_progress_invalidation_batches()))
        .with_text("arn", text(distribution.arn()));
    if let Some(as_expected) = as_expected {
        measured = measured.with_flag("as_expected", as_expected);
    }
    match age_s {
        Some(age_s) => measured.with_value(age_s),
        None => measured,
    }
}

/// Where the default behavior fetches from.
#[derive(Clone, PartialEq, Debug, Default)]
struct Origin {
    /// Of the origin, or of a group of origins.
    id: Option<String>,
    /// Of the origin, or of the group's first member, which CloudFront tries first.
    first: Option<String>,
    domain: Option<String>,
}

impl Origin {
    fn of(config: &DistributionConfig) -> Self {
        let text = |text: &str| Some(clean(text, 300)).filter(|text| !text.is_empty());
        let Some(id) = config.default_cache_behavior().map(|behavior| behavior.target_origin_id()) else {
            return Self::default();
        };
        let groups = config.origin_groups().map(|groups| groups.items()).unwrap_or_default();
        let group = groups.iter().find(|group| group.id() == id);
        let members = group.and_then(|group| group.members()).map(|members| members.items());
        let first = members.and_then(|members| members.first()).map_or(id, |member| member.origin_id());
        let all = config.origins().map(|origins| origins.items()).unwrap_or_default();
        let domain =
            all.iter().find(|origin| origin.id() == first).and_then(|origin| text(origin.domain_name()));
        Self { id: text(id), first: text(first), domain }
    }

    fn is(&self, expected: &str) -> bool {
        let is =
            |name: &Option<String>| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(expected));
        is(&self.domain) || self.id.as_deref() == Some(expected) || self.first.as_deref() == Some(expected)
    }

    fn in_words(&self) -> String {
        let known = self.domain.as_ref().or(self.id.as_ref());
        known.cloned().unwrap_or_else(|| "no known origin".into())
    }
}

fn summary(distribution: &Distribution, origin: &Origin, age_s: Option<f64>) -> String {
    let status = match distribution.status() {
        "InProgress" => "in progress".to_owned(),
        status => status.to_lowercase(),
    };
    let changed = age_s.map(|age_s| format!(", changed {} ago", words::seconds(age_s)));
    let summary = format!("{status}, fetches from {}{}", origin.in_words(), changed.unwrap_or_default());
    clean(&summary, 200)
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Distribution.html>
fn judge_state(enabled: bool, status: &str) -> Verdict {
    match status {
        _ if !enabled => Verdict::Critical("it is disabled: it answers no viewer".into()),
        "Deployed" => Verdict::Good,
        "InProgress" => Verdict::Warn("its last change is still on its way to the edges".into()),
        other => Verdict::Warn(format!("its status is {}, which is not a known one", clean(other, 60))),
    }
}

fn judge_origin(origin: &Origin, expected: Option<&str>) -> Verdict {
    match expected {
        Some(expected) if !origin.is(expected) => {
            Verdict::Critical(format!("it fetches from {}, expected {expected}", origin.in_words()))
        }
        _ => Verdict::Good,
    }
}

fn origins(config: Option<&DistributionConfig>) -> String {
    let all = config.and_then(|config| config.origins()).map(|origins| origins.items()).unwrap_or_default();
    let words: Vec<String> =
        all.iter().map(|origin| format!("{} ({})", origin.id(), origin.domain_name())).collect();
    clean(&words.join(", "), 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudfront::types as cf;
    use aws_smithy_types::DateTime;

    const NOW_S: i64 = 1_700_000_000;
    const PROD: &str = "sparc-videos-prod.s3.amazonaws.com";

    fn origin(id: &str, domain: &str) -> cf::Origin {
        cf::Origin::builder().id(id).domain_name(domain).build().unwrap()
    }

    fn groups() -> cf::OriginGroups {
        let member = |id: &str| cf::OriginGroupMember::builder().origin_id(id).build().unwrap();
        let members =
            cf::OriginGroupMembers::builder().quantity(2).items(member("prod")).items(member("backup"));
        let codes = cf::StatusCodes::builder().quantity(1).items(500).build().unwrap();
        let group = cf::OriginGroup::builder()
            .id("both")
            .members(members.build().unwrap())
            .failover_criteria(cf::OriginGroupFailoverCriteria::builder().status_codes(codes).build());
        cf::OriginGroups::builder().quantity(1).items(group.build().unwrap()).build().unwrap()
    }

    fn distribution(target: &str, enabled: bool, status: &str) -> Distribution {
        let behavior = cf::DefaultCacheBehavior::builder()
            .target_origin_id(target)
            .viewer_protocol_policy(cf::ViewerProtocolPolicy::HttpsOnly);
        let origins = cf::Origins::builder()
            .quantity(2)
            .items(origin("prod", PROD))
            .items(origin("backup", "sparc-videos-backup.s3.amazonaws.com"));
        let config = DistributionConfig::builder()
            .caller_reference("1")
            .comment("")
            .enabled(enabled)
            .origins(origins.build().unwrap())
            .origin_groups(groups())
            .default_cache_behavior(behavior.build().unwrap());
        Distribution::builder()
            .id("E2QWRUHAPOMQZL")
            .arn("arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL")
            .status(status)
            .last_modified_time(DateTime::from_secs(NOW_S - 600))
            .in_progress_invalidation_batches(0)
            .domain_name("d111111abcdef8.cloudfront.net")
            .distribution_config(config.build().unwrap())
            .build()
            .unwrap()
    }

    fn measure(target: &str, enabled: bool, status: &str, expected: Option<&str>) -> Measurement {
        judge(&distribution(target, enabled, status), expected, Timestamp::from_second(NOW_S).unwrap())
    }

    #[test]
    fn the_default_behavior_tells_the_origin() {
        let measured = measure("prod", true, "Deployed", Some(PROD));
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(600.0)));
        assert_eq!(measured.summary, format!("deployed, fetches from {PROD}, changed 10 min ago"));
        assert_eq!(measured.fields["as_expected"], crate::core::words::reading::Field::Flag(true));
        let other = measure("backup", true, "Deployed", Some(PROD));
        let why = format!("it fetches from sparc-videos-backup.s3.amazonaws.com, expected {PROD}");
        assert_eq!(other.verdict, Verdict::Critical(why));
        assert_eq!(other.fields["as_expected"], crate::core::words::reading::Field::Flag(false));
        assert!(!measure("prod", true, "Deployed", None).fields.contains_key("as_expected"));
    }

    #[test]
    fn a_group_is_its_first_member() {
        for expected in [PROD, "prod", "both"] {
            assert_eq!(
                measure("both", true, "Deployed", Some(expected)).verdict,
                Verdict::Good,
                "{expected}"
            );
        }
        assert!(matches!(measure("both", true, "Deployed", Some("backup")).verdict, Verdict::Critical(_)));
        assert!(matches!(measure("gone", true, "Deployed", Some(PROD)).verdict, Verdict::Critical(_)));
    }

    #[test]
    fn a_change_on_its_way_warns_and_a_disabled_one_is_critical() {
        assert!(matches!(measure("prod", true, "InProgress", None).verdict, Verdict::Warn(_)));
        assert!(matches!(measure("prod", false, "Deployed", None).verdict, Verdict::Critical(_)));
    }
}
