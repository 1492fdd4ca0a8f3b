//! `route53-record`: what a record says, and what resolvers still answer.

mod judge;

use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, faults};
use crate::providers::aws::client::{AwsErrorKind, Place};
use crate::providers::aws::probe::{GLOBAL, find};
use crate::providers::aws::route53::client::{Record, Zones, canonical, records};
use crate::providers::clients::Clients;
use crate::providers::net::dns;
use crate::providers::net::dns::Resolver;
use futures::future::{BoxFuture, join, join_all};
use judge::{Elsewhere, Heard, Wanted};
use std::net::SocketAddr;
use std::time::Duration;

/// Longest that one question to a resolver may take.
const ASK: Duration = Duration::from_secs(3);

/// Types of records that both Route 53 and resolvers know.
pub(crate) const TYPES: &[&str] =
    &["A", "AAAA", "CNAME", "TXT", "MX", "SRV", "NS", "CAA", "PTR", "HTTPS", "SVCB", "NAPTR"];

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "route53-record",
    sees: Sees::DnsRecord,
    doc: "What a record of Route 53 says now, and what resolvers still answer. The value is how long the oldest \
          other answer lives: the highest TTL left among resolvers that answer something else than the record \
          says, 0 when all agree. No such record is critical; no such zone makes the signal unknown. All records \
          of one zone are read together, because Route 53 takes five requests a second for a whole account. An \
          alias is compared by its target's addresses, asked of the same resolver: they agree when they share \
          one. A record of a private zone needs a resolver within its VPC.",
    unit: Unit::Seconds,
    keys: &[
        Key::required("zone", Takes::Text, "The hosted zone's id (`Z1D633PJN98FT9`)."),
        Key::required("name", Takes::Text, "The record's name (`api.sparc.com`)."),
        Key::default("type", Takes::Choice(TYPES), "A", "The record's type."),
        Key::optional(
            "set_identifier",
            Takes::Text,
            "The one of several weighted, failover or latency records; all of them where absent.",
        ),
        Key::optional(
            "expect",
            Takes::List(&Takes::Text),
            "Values, or names of alias targets, that the record may point to.",
        ),
        Key::default(
            "elsewhere",
            Takes::Choice(&["warn", "critical", "ok"]),
            "warn",
            "What it is when the record points to something that `expect` does not have.",
        ),
        Key::optional(
            "resolvers",
            Takes::List(&Takes::Text),
            "Addresses of the resolvers to ask (`1.1.1.1`, `10.0.0.2:5353`); this system's where absent.",
        ),
    ],
    fields: &[
        (
            "points_to",
            "the record's values or alias target; several records that are in use, separated by `;`",
        ),
        ("as_expected", "whether each of them is in `expect`; absent without `expect`"),
        ("records", "how many record sets there are of the name and type"),
        ("routing", "weight, failover role or latency region, with the set identifier"),
        ("ttl_s", "the record's own TTL; absent for an alias"),
        ("health_check", "the health check that takes the record out"),
        ("resolvers", "how many resolvers answered"),
        ("agree", "how many of them answer what the record says"),
        ("ttl_left_s", "the highest TTL left of any answer"),
        ("answers", "what each resolver answers, with its TTL left, where they disagree"),
    ],
    permissions: &["route53:ListResourceRecordSets"],
    example: r#"[probes.example]
kind = "route53-record"
title = "Where api.sparc.com points"
zone = "Z1D633PJN98FT9"
name = "api.sparc.com"
type = "A"
expect = ["sparc-alb.us-east-1.elb.amazonaws.com"]
resolvers = ["1.1.1.1", "8.8.8.8"]
every = "30s"
timeout = "10s"
warn = "2m"
"#,
    check,
};

fn check(spec: &ProbeSpec) -> Vec<BuildError> {
    let zone = zone_id(spec.params.text("zone").unwrap_or_default()).err();
    faults([zone, addresses(&spec.params.texts("resolvers")).err()])
}

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let params = &spec.params;
    let within = deadline(spec);
    let (zone, name) = (params.require_text("zone")?, params.require_text("name")?);
    Ok(Box::new(RecordProbe {
        place: find(GLOBAL, "aws_region", clients)?,
        zone: zone_id(zone)?,
        wanted: Wanted {
            name: name.to_owned(),
            kind: params.require_text("type")?.to_owned(),
            set: params.text("set_identifier").map(str::to_owned),
            expect: params.texts("expect").into_iter().map(judge::comparable).collect(),
            elsewhere: match params.text("elsewhere") {
                Some("critical") => Elsewhere::Critical,
                Some("ok") => Elsewhere::Ok,
                _ => Elsewhere::Warn,
            },
        },
        resolvers: addresses(&params.texts("resolvers"))?,
        fresh: spec.every.unsigned_abs().mul_f64(0.9),
        ask: within.mul_f64(0.45).min(ASK),
        within,
    }))
}

/// The id of a zone, also from `/hostedzone/…` as Route 53 itself writes it.
pub(crate) fn zone_id(zone: &str) -> Result<String, BuildError> {
    let id = zone.trim().trim_start_matches("/hostedzone/");
    if !id.is_empty() && id.len() <= 32 && id.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(id.to_owned());
    }
    Err(BuildError::Value {
        key: "zone".into(),
        value: zone.to_owned(),
        why: "it takes the id of a hosted zone (`Z1D633PJN98FT9`), not its domain".into(),
    })
}

/// The resolvers that a plan names.
pub(crate) fn addresses(texts: &[&str]) -> Result<Vec<SocketAddr>, BuildError> {
    let one = |text: &&str| {
        dns::address(text).ok_or_else(|| BuildError::Value {
            key: "resolvers".into(),
            value: (*text).to_owned(),
            why: "it takes an IP address, with a port where that is not 53".into(),
        })
    };
    texts.iter().map(one).collect()
}

struct RecordProbe {
    place: Place,
    zone: String,
    wanted: Wanted,
    /// None for this system's.
    resolvers: Vec<SocketAddr>,
    fresh: Duration,
    ask: Duration,
    within: Duration,
}

impl Probe for RecordProbe {
    fn shares_its_call(&self) -> bool {
        true
    }

    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            // The plan's deadline also covers the targets of aliases, which are asked for afterwards.
            let look = tokio::time::timeout(self.within.mul_f64(0.5), self.look());
            let (look, heard) = join(look, self.hear()).await;
            let found = match look {
                Ok(Ok(found)) => found,
                Ok(Err(failure)) => return Err(judge::with_answers(failure, &heard)),
                Err(_) => return Err(judge::with_answers(self.late(), &heard)),
            };
            let heard = self.hear_targets(&found, heard).await;
            Ok(judge::judge(&self.wanted, &self.zone, &found, &heard))
        })
    }
}

impl RecordProbe {
    /// Every record set of the name, with those of the zone's other probes.
    async fn look(&self) -> Result<Vec<Record>, Problem> {
        let connection = self.place.reader().await;
        let shared = connection.kept::<Zones>().of(&self.zone);
        let key = canonical(&self.wanted.name);
        shared.enrol(key.clone());
        let fetch = async |names: Vec<String>| records(&connection, &self.zone, &names).await;
        match shared.get(&key, self.fresh, fetch).await {
            Ok(found) => Ok(found.unwrap_or_default()),
            Err(error) if error.kind == AwsErrorKind::NotFound => Err(Problem::new(
                format!("there is no hosted zone {} in the caller's account", self.zone),
                "Check the zone's id in the plan (`aws route53 list-hosted-zones`) and whose credentials are used.",
            )),
            Err(error) => Err(error.unmeasured()),
        }
    }

    fn late(&self) -> Problem {
        Problem::new(
            format!("ListResourceRecordSets on hosted zone {}: no answer in time", self.zone),
            "See whether Route 53's control plane works; give the probe a longer `timeout`.",
        )
    }

    /// What each resolver answers.
    async fn hear(&self) -> Vec<Heard> {
        let addresses = match self.resolvers.is_empty() {
            false => Ok(self.resolvers.clone()),
            true => dns::system(),
        };
        let addresses = match addresses {
            Ok(addresses) => addresses,
            Err(why) => {
                return vec![Heard { resolver: "system".into(), answer: Err(why), targets: Vec::new() }];
            }
        };
        join_all(addresses.into_iter().map(|address| async move {
            let answer = match Resolver::at(address, self.ask) {
                Ok(resolver) => resolver.ask(&canonical(&self.wanted.name), &self.wanted.kind).await,
                Err(why) => Err(why),
            };
            Heard { resolver: address.to_string(), answer, targets: Vec::new() }
        }))
        .await
    }

    /// With what the same resolvers say of the targets of aliases.
    async fn hear_targets(&self, found: &[Record], heard: Vec<Heard>) -> Vec<Heard> {
        let targets: Vec<&str> =
            self.wanted.live(found).iter().filter_map(|record| Some(&*record.alias.as_ref()?.name)).collect();
        let one = |mut heard: Heard| {
            let targets = &targets;
            async move {
                let resolver = heard.resolver.parse().ok().filter(|_| heard.answer.is_ok());
                let resolver = resolver.and_then(|address| Resolver::at(address, self.ask).ok());
                if let Some(resolver) = &resolver {
                    let asked = targets.iter().map(|target| resolver.ask(target, &self.wanted.kind));
                    heard.targets = join_all(asked).await;
                    heard.resolver.clone_from(&resolver.name);
                }
                heard
            }
        };
        join_all(heard.into_iter().map(one)).await
    }
}
