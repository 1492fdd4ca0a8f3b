//! What a record and the resolvers' answers come to.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::words::seconds;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::aws::route53::client::{Record, Routing};
use crate::providers::net::dns::{Answer, canonical_value};

/// What the plan wants of a record.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) set: Option<String>,
    /// As [`comparable`]; empty where the plan is silent.
    pub(super) expect: Vec<String>,
    pub(super) elsewhere: Elsewhere,
}

/// How bad it is that a record points elsewhere.
pub(super) enum Elsewhere {
    Warn,
    Critical,
    Ok,
}

/// What one resolver says.
#[derive(Clone)]
pub(super) struct Heard {
    pub(super) resolver: String,
    pub(super) answer: Result<Answer, String>,
    /// What it says of the targets of aliases.
    pub(super) targets: Vec<Result<Answer, String>>,
}

/// What a resolver's answer is to the record.
#[derive(PartialEq, Debug)]
enum Standing {
    Agrees,
    /// It answers something else, for this long.
    Other(u32),
    /// It cannot be told, and why.
    Untold(String),
}

/// A place that a record points to, for comparing. An Application Load Balancer has its name with and without
/// `dualstack.`, which the console of AWS puts before it.
pub(super) fn comparable(place: &str) -> String {
    let place = place.trim().trim_end_matches('.').to_lowercase();
    place.strip_prefix("dualstack.").map_or(place.clone(), str::to_owned)
}

impl Wanted {
    /// The records of the name and type, or the one that the plan means.
    fn own<'a>(&self, found: &'a [Record]) -> Vec<&'a Record> {
        let of_type = found.iter().filter(|record| record.is_of(&self.name, &self.kind));
        of_type.filter(|record| self.set.is_none() || record.set == self.set).collect()
    }

    /// Those that Route 53 can answer with. Where all weights are 0, it answers with any:
    /// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-weighted.html
    pub(super) fn live<'a>(&self, found: &'a [Record]) -> Vec<&'a Record> {
        let of_type: Vec<&Record> =
            found.iter().filter(|record| record.is_of(&self.name, &self.kind)).collect();
        let used: Vec<&Record> =
            of_type.iter().copied().filter(|record| record.routing != Routing::Weighted(0)).collect();
        if used.is_empty() { of_type } else { used }
    }
}

/// The measurement.
pub(super) fn judge(wanted: &Wanted, zone: &str, found: &[Record], heard: &[Heard]) -> Measurement {
    let (own, live) = (wanted.own(found), wanted.live(found));
    let Some(first) = own.first() else {
        let set = wanted.set.as_ref().map_or(String::new(), |set| format!(" \"{set}\""));
        let others: Vec<&str> = found
            .iter()
            .filter(|record| record.is_of(&wanted.name, &record.kind))
            .map(|record| &*record.kind)
            .collect();
        let others = match others.is_empty() {
            true => String::new(),
            false => format!("; the name has {}", others.join(", ")),
        };
        let why = format!("no record {} {}{set} in zone {zone}{others}", wanted.name, wanted.kind);
        return Measurement::critical(clean(&why, 300)).with_number("records", 0.0);
    };
    // What a plan says of one record is about that record; of a name, about all that are in use.
    let pointing = if wanted.set.is_some() { &own } else { &live };
    let points_to: Vec<String> = pointing.iter().map(|record| record.points_to().join(", ")).collect();
    let routing: Vec<String> = own.iter().filter_map(|record| routing(record)).collect();
    let standings: Vec<Standing> = heard.iter().map(|heard| standing(heard, &live)).collect();
    let told = standings.iter().filter(|standing| !matches!(standing, Standing::Untold(_))).count();
    let agree = standings.iter().filter(|standing| **standing == Standing::Agrees).count();
    let left =
        standings.iter().map(|standing| if let Standing::Other(ttl_s) = standing { *ttl_s } else { 0 });
    let measured = Measurement::good(summary(&points_to, heard, &standings))
        .judged(judge_target(wanted, pointing))
        .judged(judge_resolvers(&standings))
        .with_text("points_to", clean(&points_to.join("; "), 1000))
        .with_number("records", own.len() as f64)
        .with_text("routing", (!routing.is_empty()).then(|| clean(&routing.join("; "), 500)))
        .with_number("ttl_s", first.ttl_s.map(|ttl_s| ttl_s as f64))
        .with_text("health_check", first.health_check.clone())
        .with_number("resolvers", told as f64)
        .with_number("agree", agree as f64)
        .with_number(
            "ttl_left_s",
            heard.iter().filter_map(|heard| Some(heard.answer.as_ref().ok()?.ttl_s)).max().map(f64::from),
        )
        .with_text("answers", (agree < heard.len()).then(|| answers(heard)));
    let measured = match wanted.expect.is_empty() {
        true => measured,
        false => measured.with_flag("as_expected", is_expected(wanted, pointing)),
    };
    match left.max().filter(|_| told > 0) {
        Some(left) => measured.with_value(f64::from(left)),
        None => measured,
    }
}

/// A failure to read the record, with what resolvers answer: that is all there is when the control plane is down.
pub(super) fn with_answers(mut failure: Problem, heard: &[Heard]) -> Problem {
    if heard.iter().any(|heard| heard.answer.is_ok()) {
        failure.why = format!("{}; resolvers answer: {}", failure.why, answers(heard));
    }
    failure
}

fn routing(record: &Record) -> Option<String> {
    let set = record.set.as_ref()?;
    Some(format!("{set}: {}", record.routing.words()))
}

fn is_expected(wanted: &Wanted, pointing: &[&Record]) -> bool {
    let places = pointing.iter().flat_map(|record| record.points_to());
    places.into_iter().all(|place| wanted.expect.contains(&comparable(&place)))
}

fn judge_target(wanted: &Wanted, pointing: &[&Record]) -> Verdict {
    if wanted.expect.is_empty() || is_expected(wanted, pointing) {
        return Verdict::Good;
    }
    let places: Vec<String> = pointing.iter().flat_map(|record| record.points_to()).collect();
    let why = clean(&format!("points to {}, not as expected", places.join(", ")), 300);
    match wanted.elsewhere {
        Elsewhere::Warn => Verdict::Warn(why),
        Elsewhere::Critical => Verdict::Critical(why),
        Elsewhere::Ok => Verdict::Good,
    }
}

fn judge_resolvers(standings: &[Standing]) -> Verdict {
    match standings.first() {
        None => Verdict::Warn("there is no resolver to ask".into()),
        Some(Standing::Untold(why))
            if standings.iter().all(|standing| matches!(standing, Standing::Untold(_))) =>
        {
            Verdict::Warn(format!("no resolver tells what it answers: {why}"))
        }
        Some(_) => Verdict::Good,
    }
}

fn standing(heard: &Heard, live: &[&Record]) -> Standing {
    let answer = match &heard.answer {
        Ok(answer) => answer,
        Err(why) => return Standing::Untold(why.clone()),
    };
    let plain = live.iter().filter(|record| record.alias.is_none());
    let agrees = plain.clone().any(|record| {
        let mut says: Vec<String> =
            record.values.iter().map(|value| canonical_value(&record.kind, value)).collect();
        says.sort();
        says.dedup();
        match record.routing {
            // At most eight of all are in one answer, of several records.
            Routing::MultiValue => says.iter().any(|value| answer.values.contains(value)),
            _ => says == answer.values,
        }
    });
    // A load balancer answers with some of its addresses: one in common is enough.
    let known = heard.targets.iter().filter_map(|target| target.as_ref().ok());
    let shared = known.clone().any(|target| target.values.iter().any(|value| answer.values.contains(value)));
    if agrees || shared {
        return Standing::Agrees;
    }
    let aliases = live.iter().filter(|record| record.alias.is_some()).count();
    let untold = heard.targets.iter().find_map(|target| target.as_ref().err());
    match untold {
        Some(why) => Standing::Untold(format!("the alias's target: {why}")),
        None if heard.targets.len() < aliases => {
            Standing::Untold("the alias's target was not asked for".into())
        }
        None => Standing::Other(answer.ttl_s),
    }
}

fn summary(points_to: &[String], heard: &[Heard], standings: &[Standing]) -> String {
    let target = points_to.join("; ");
    let told = standings.iter().filter(|standing| !matches!(standing, Standing::Untold(_))).count();
    let others = heard.iter().zip(standings).filter_map(|(heard, standing)| match standing {
        Standing::Other(ttl_s) => Some((*ttl_s, heard)),
        _ => None,
    });
    let words = match others.max_by_key(|(ttl_s, _)| *ttl_s) {
        Some((ttl_s, heard)) => {
            let says = heard.answer.as_ref().map_or(String::new(), values);
            format!("{target}; {} answers {says} for {} more", heard.resolver, seconds(f64::from(ttl_s)))
        }
        None if told == 0 => format!("{target}; no resolver answers"),
        None => format!("{target}; {told} of {} resolvers agree", heard.len()),
    };
    clean(&words, 300)
}

fn answers(heard: &[Heard]) -> String {
    let one = |heard: &Heard| match &heard.answer {
        Ok(answer) => {
            format!("{}: {} ({} left)", heard.resolver, values(answer), seconds(f64::from(answer.ttl_s)))
        }
        Err(why) => format!("{}: {why}", heard.resolver),
    };
    clean(&heard.iter().map(one).collect::<Vec<_>>().join("; "), 1000)
}

fn values(answer: &Answer) -> String {
    if answer.values.is_empty() { "no such record".into() } else { answer.values.join(", ") }
}

#[cfg(test)]
mod tests;
