//! A record set, as lifeboat compares, shows and sends it.

use super::name::{canonical, shown};
use crate::base::text::clean;
use crate::base::words::seconds;
use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{
    AliasTarget, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, ResourceRecordSetRegion,
    RrType,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A record set: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// As AWS or the plan writes it; compared by [`canonical`].
    pub name: String,
    /// `A`, `CNAME`, …
    pub kind: String,
    /// Tells record sets of one name and type apart; none for a simple record.
    pub set: Option<String>,
    /// How Route 53 chooses among them.
    pub routing: Routing,
    /// How long resolvers may keep it; none for an alias, which has its target's.
    pub ttl_s: Option<i64>,
    /// What it says; empty for an alias.
    pub values: Vec<String>,
    /// Where it points within AWS.
    pub alias: Option<Alias>,
    /// The health check that takes it out.
    pub health_check: Option<String>,
}

/// How Route 53 chooses among the record sets of one name and type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Routing {
    /// There is one.
    Simple,
    /// By weight, 0 to 255.
    Weighted(i64),
    /// `PRIMARY` or `SECONDARY`.
    Failover(String),
    /// By latency to this AWS region.
    Latency(String),
    /// Several healthy ones at random.
    MultiValue,
    /// A policy that lifeboat shows and never sends.
    Other(&'static str),
}

/// The target of an alias.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alias {
    /// The hosted zone of the target, which is the service's own for a load balancer.
    pub zone: String,
    /// Its DNS name.
    pub name: String,
    /// Whether an unhealthy target takes the record out.
    pub evaluate_target_health: bool,
}

impl From<&ResourceRecordSet> for Record {
    fn from(found: &ResourceRecordSet) -> Self {
        let text = |text: &str| clean(text, 4000);
        Self {
            name: text(found.name()),
            kind: text(found.r#type().as_str()),
            set: found.set_identifier().map(text),
            routing: Routing::of(found),
            ttl_s: found.ttl(),
            values: found.resource_records().iter().map(|record| text(record.value())).collect(),
            alias: found.alias_target().map(|alias| Alias {
                zone: text(alias.hosted_zone_id()),
                name: text(alias.dns_name()),
                evaluate_target_health: alias.evaluate_target_health(),
            }),
            health_check: found.health_check_id().map(text),
        }
    }
}

impl Routing {
    fn of(found: &ResourceRecordSet) -> Self {
        match found {
            _ if found.traffic_policy_instance_id().is_some() => Self::Other("traffic policy"),
            _ if found.geo_location().is_some() => Self::Other("geolocation"),
            _ if found.geo_proximity_location().is_some() => Self::Other("geoproximity"),
            _ if found.cidr_routing_config().is_some() => Self::Other("IP-based"),
            _ if found.multi_value_answer() == Some(true) => Self::MultiValue,
            _ => match (found.weight(), found.failover(), found.region()) {
                (Some(weight), ..) => Self::Weighted(weight),
                (_, Some(failover), _) => Self::Failover(clean(failover.as_str(), 20)),
                (_, _, Some(region)) => Self::Latency(clean(region.as_str(), 40)),
                _ => Self::Simple,
            },
        }
    }

    /// `weight 100`, `failover PRIMARY`; empty for a simple record.
    pub fn words(&self) -> String {
        match self {
            Self::Simple => String::new(),
            Self::Weighted(weight) => format!("weight {weight}"),
            Self::Failover(role) => format!("failover {role}"),
            Self::Latency(region) => format!("latency {region}"),
            Self::MultiValue => "multivalue".into(),
            Self::Other(policy) => (*policy).into(),
        }
    }

    /// Whether two record sets of one name and type can have these: Route 53 takes no mixture.
    pub fn goes_with(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && !matches!(self, Self::Simple)
    }
}

/// A TTL in short words where they lose nothing, else in seconds.
fn exactly(ttl_s: i64) -> String {
    let unit_s = if ttl_s < 172_800 { 60 } else { 86_400 };
    match ttl_s >= 120 && ttl_s % unit_s == 0 {
        true => seconds(ttl_s as f64),
        false => format!("{ttl_s} s"),
    }
}

/// At most as long as a confirmation shows; what is cut off counts by its digest.
fn cut(words: &str) -> String {
    const MOST_CHARS: usize = 500;
    if words.chars().count() <= MOST_CHARS {
        return clean(words, MOST_CHARS);
    }
    let digest: String =
        Sha256::digest(words.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{} (all of it: SHA-256 {digest}…)", clean(words, MOST_CHARS))
}

impl Record {
    /// Whether it is the record set of that name, type and set identifier.
    pub fn is(&self, other: &Self) -> bool {
        self.is_of(&other.name, &other.kind) && self.set == other.set
    }

    /// Whether it is one of that name and type.
    pub fn is_of(&self, name: &str, kind: &str) -> bool {
        self.kind == kind && canonical(&self.name) == canonical(name)
    }

    /// Whether it says nothing: such a record set takes a name off the net.
    pub fn is_empty(&self) -> bool {
        match &self.alias {
            Some(alias) => alias.name.trim_matches(['.', ' ']).is_empty() || alias.zone.trim().is_empty(),
            None => self.values.is_empty() || self.values.iter().any(|value| value.trim().is_empty()),
        }
    }

    /// Whether it says the same: values in any order, names in any case.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.is(other) && self.comparable() == other.comparable()
    }

    /// Itself with names and values in one form, so that equal is equal.
    fn comparable(&self) -> Self {
        let mut plain = self.clone();
        plain.name = canonical(&self.name);
        plain.values = self.values.iter().map(|value| self.comparable_value(value)).collect();
        plain.values.sort();
        if let Some(alias) = &mut plain.alias {
            alias.name = canonical(&alias.name);
        }
        plain
    }

    fn comparable_value(&self, value: &str) -> String {
        match &*self.kind {
            "CNAME" | "NS" | "PTR" => canonical(value),
            "AAAA" => value.parse::<std::net::Ipv6Addr>().map_or_else(|_| value.into(), |ip| ip.to_string()),
            _ => value.to_owned(),
        }
    }

    /// Where it points: its values, or its alias's target without the trailing dot.
    pub fn points_to(&self) -> Vec<String> {
        match &self.alias {
            Some(alias) => vec![shown(&alias.name)],
            None if self.kind == "CNAME" => self.values.iter().map(|value| shown(value)).collect(),
            None => self.values.clone(),
        }
    }

    /// `api.sparc.com A`, and the set identifier where it has one.
    pub fn key_words(&self) -> String {
        let set = self.set.as_ref().map_or(String::new(), |set| format!(" \"{set}\""));
        format!("{} {}{set}", shown(&self.name), self.kind)
    }

    /// What it says, in words (`weight 100, TTL 60 s, 192.0.2.1`); record sets that say something else have other words.
    pub fn content_words(&self) -> String {
        let mut words = vec![self.routing.words()];
        words.extend(self.ttl_s.map(|ttl_s| format!("TTL {}", exactly(ttl_s))));
        match &self.alias {
            Some(alias) => {
                let health = if alias.evaluate_target_health { ", evaluates its health" } else { "" };
                words.push(format!("alias {} (zone {}{health})", shown(&alias.name), alias.zone));
            }
            None => words.push(self.values.join(" ")),
        }
        words.extend(self.health_check.as_ref().map(|check| format!("health check {check}")));
        words.retain(|word| !word.is_empty());
        cut(&words.join(", "))
    }

    /// As the API takes it.
    ///
    /// # Errors
    /// When a part is missing.
    pub fn to_sdk(&self) -> Result<ResourceRecordSet, BuildError> {
        let mut set = ResourceRecordSet::builder()
            .name(&self.name)
            .r#type(RrType::from(&*self.kind))
            .set_set_identifier(self.set.clone())
            .set_ttl(self.ttl_s)
            .set_health_check_id(self.health_check.clone());
        set = match &self.routing {
            Routing::Weighted(weight) => set.weight(*weight),
            Routing::Failover(role) => set.failover(ResourceRecordSetFailover::from(&**role)),
            Routing::Latency(region) => set.region(ResourceRecordSetRegion::from(&**region)),
            Routing::MultiValue => set.multi_value_answer(true),
            Routing::Simple | Routing::Other(_) => set,
        };
        for value in &self.values {
            set = set.resource_records(ResourceRecord::builder().value(value).build()?);
        }
        if let Some(alias) = &self.alias {
            set = set.alias_target(
                AliasTarget::builder()
                    .hosted_zone_id(&alias.zone)
                    .dns_name(&alias.name)
                    .evaluate_target_health(alias.evaluate_target_health)
                    .build()?,
            );
        }
        set.build()
    }

    /// As `aws route53 change-resource-record-sets` takes it.
    pub fn to_json(&self) -> Value {
        let mut set = json!({"Name": self.name, "Type": self.kind});
        if let Some(id) = &self.set {
            set["SetIdentifier"] = json!(id);
        }
        match &self.routing {
            Routing::Weighted(weight) => set["Weight"] = json!(weight),
            Routing::Failover(role) => set["Failover"] = json!(role),
            Routing::Latency(region) => set["Region"] = json!(region),
            Routing::MultiValue => set["MultiValueAnswer"] = json!(true),
            Routing::Simple | Routing::Other(_) => {}
        }
        if let Some(ttl_s) = self.ttl_s {
            set["TTL"] = json!(ttl_s);
        }
        match &self.alias {
            Some(alias) => {
                set["AliasTarget"] = json!({
                    "HostedZoneId": alias.zone,
                    "DNSName": alias.name,
                    "EvaluateTargetHealth": alias.evaluate_target_health,
                });
            }
            None => {
                let values = self.values.iter().map(|value| json!({"Value": value}));
                set["ResourceRecords"] = values.collect();
            }
        }
        if let Some(check) = &self.health_check {
            set["HealthCheckId"] = json!(check);
        }
        set
    }
}
