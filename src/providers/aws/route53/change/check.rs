//! What Route 53 would refuse, or do and be wrong, seen before anything is sent.

use super::diff::Change;
use crate::base::problem::Problem;
use crate::base::words::seconds;
use crate::core::words::preflight::Check;
use crate::providers::aws::route53::client::{Record, Routing, Zone, canonical};

/// Why a change must not be sent.
pub fn refusal(change: &Change, zone: &Zone) -> Option<Problem> {
    let after = &change.after;
    let key = after.key_words();
    if after.is_empty() {
        return Some(Problem::new(
            format!("{key} would be empty: an empty set of values takes the name off the net"),
            "Nothing was sent. Give the record its values in the plan.",
        ));
    }
    let (name, domain) = (canonical(&after.name), canonical(&zone.name));
    if name != domain && !name.ends_with(&format!(".{domain}")) {
        return Some(Problem::new(
            format!("{key} is not in the zone {}", zone.name),
            "Nothing was sent. Check the zone's id and the record's name in the plan.",
        ));
    }
    conflict_of_types(change, &domain).or_else(|| conflict_of_routing(change))
}

/// A CNAME stands alone: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#CNAMEFormat
fn conflict_of_types(change: &Change, domain: &str) -> Option<Problem> {
    let after = &change.after;
    let next = "Nothing was sent. A person decides whether the other record may go; deleting it and making this one in \
                one batch leaves no gap.";
    if after.kind == "CNAME" && canonical(&after.name) == domain {
        return Some(Problem::new(
            format!("{} is the zone's own name, which can have no CNAME", after.key_words()),
            "Nothing was sent. Use an alias of type A instead.",
        ));
    }
    let other = change
        .others
        .iter()
        .find(|other| other.kind != after.kind && (other.kind == "CNAME" || after.kind == "CNAME"))?;
    let why = format!(
        "{} is there ({}): a name with a CNAME can have no other type",
        other.key_words(),
        other.content_words()
    );
    Some(Problem::new(why, next))
}

/// Record sets of one name and type are all simple, or all of one policy.
fn conflict_of_routing(change: &Change) -> Option<Problem> {
    let after = &change.after;
    let other = change
        .others
        .iter()
        .find(|other| other.kind == after.kind && !other.routing.goes_with(&after.routing))
        .or_else(|| change.before.as_ref().filter(|before| is_unsendable(before)))?;
    let words = |record: &Record| match record.routing.words() {
        words if words.is_empty() => "simple".to_owned(),
        words => words,
    };
    Some(Problem::new(
        format!("{} is {}, and this one would be {}", other.key_words(), words(other), words(after)),
        "Nothing was sent. Route 53 takes no mixture of policies for one name and type: see how the others are made.",
    ))
}

/// A record that lifeboat cannot write back as it is.
fn is_unsendable(record: &Record) -> bool {
    matches!(record.routing, Routing::Other(_))
}

/// What a preflight says of the records.
pub fn preflight(zone: &Zone, changes: Result<Vec<Change>, Problem>, max_ttl_s: i64) -> Vec<Check> {
    let what = format!("hosted zone {} is in the caller's account", zone.id);
    let mut checks = vec![Check::pass(what, format!("it is {}", zone.name))];
    let changes = match changes {
        Ok(changes) => changes,
        Err(refusal) => {
            checks.push(refusal.check("the records can be changed"));
            return checks;
        }
    };
    for change in &changes {
        let key = change.after.key_words();
        if let Some(refusal) = refusal(change, zone) {
            checks.push(refusal.check(format!("{key} can be changed")));
        }
        let exists = format!("{key} exists");
        match &change.before {
            Some(before) => checks.push(Check::pass(exists, before.content_words())),
            None => checks.push(Check::warn(
                exists,
                "it does not: the step would make it",
                "Check the name; resolvers keep the answer that there is none for the zone's negative TTL.",
            )),
        }
        let ttl_s = change.before.as_ref().map_or(change.after.ttl_s, |before| before.ttl_s);
        checks.push(ttl(&key, ttl_s, max_ttl_s));
    }
    checks
}

fn ttl(key: &str, ttl_s: Option<i64>, max_ttl_s: i64) -> Check {
    let what = format!("the TTL of {key} is low enough");
    let words = |ttl_s: i64| seconds(ttl_s as f64);
    match ttl_s {
        None => Check::pass(what, "an alias has the TTL of its target: 60 s for AWS's load balancers"),
        Some(ttl_s) if ttl_s <= max_ttl_s => Check::pass(what, words(ttl_s)),
        Some(ttl_s) => Check::warn(
            what,
            format!("{}, more than {}", words(ttl_s), words(max_ttl_s)),
            "Lower it now: resolvers keep the old answer for that long after a failover.",
        ),
    }
}
