//! `route53-switch`: moves traffic between weighted records that were made in advance.

use crate::base::problem::Problem;
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::{Param, Params};
use crate::providers::aws::route53::change::{
    Change, MAX_TTL, PERMISSIONS, RESOLVERS, RecordsAction, Wanted, ZONE,
};
use crate::providers::aws::route53::client::{Record, Routing, canonical};
use crate::providers::aws::route53::probe_record::TYPES;
use crate::providers::clients::Clients;
use std::collections::HashMap;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "route53-switch",
    does: Does::Routes,
    simulated_target: "Route 53 records",
    sets: &["records", "to", "weights"],
    doc: "Moves traffic between weighted records that were made in advance: the record `to` gets all of the weight, \
          or each gets its own of `weights`. Only weights change, so that nothing has to be known of the targets at \
          3 a.m. It refuses when a set identifier is not there, and when all weights would be 0, which Route 53 takes \
          for all being equal. Diff, waiting and proof are those of `route53-upsert`. Changing weights needs Route \
          53's control plane, which lives in us-east-1 and was impaired for hours more than once. Health checks \
          that fail over by themselves, and ARC routing controls, work in its data plane, in every region: prefer \
          `arc-routing-control` where the plan has one, and keep this for when there is none.",
    keys: &[
        ZONE,
        Key::required("name", Takes::Text, "The records' name (`api.sparc.com`)."),
        Key::default("type", Takes::Choice(TYPES), "A", "The records' type."),
        Key::optional(
            "to",
            Takes::Text,
            "The set identifier that gets the weight 100; all others of the name get 0.",
        ),
        Key::optional(
            "weights",
            Takes::Table(&Takes::Integer(0, 255)),
            "The weight of each set identifier, instead of `to`; those that it does not name stay as they are.",
        ),
        MAX_TTL,
        RESOLVERS,
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: PERMISSIONS,
    example: r#"[[runbooks.example.steps]]
id = "switch"
title = "Send api.sparc.com to the DR region"
action = "route53-switch"
with.zone = "Z1D633PJN98FT9"
with.name = "api.sparc.com"
with.to = "us-west-2"
confirm = "type"
estimate = "1m"
timeout = "5m"
"#,
    call: |params| {
        let (name, zone) = (params.text("name").unwrap_or("?"), params.text("zone").unwrap_or("?"));
        format!("route53:ChangeResourceRecordSets weights of {name} in {zone}: {}", goal_words(params))
    },
};

fn goal_words(params: &Params) -> String {
    match params.text("to") {
        Some(to) => format!("{to} 100, all others 0"),
        None => weights(params)
            .iter()
            .map(|(set, weight)| format!("{set} {weight}"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn weights(params: &Params) -> Vec<(String, i64)> {
    let weight = |param: &Param| if let Param::Integer(weight) = param { Some(*weight) } else { None };
    params.table("weights").filter_map(|(set, param)| Some((set.to_owned(), weight(param)?))).collect()
}

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    params.require_text("zone")?;
    let weights = weights(params);
    let goal = match (params.text("to"), weights.is_empty()) {
        (Some(to), true) => Goal::All(to.to_owned()),
        (None, false) => Goal::Weights(weights),
        (to, _) => {
            return Err(BuildError::Value {
                key: "to".into(),
                value: to.unwrap_or_default().to_owned(),
                why: "it takes either `to` or `weights`".into(),
            });
        }
    };
    let switch = Switch {
        name: params.require_text("name")?.to_owned(),
        kind: params.require_text("type")?.to_owned(),
        goal,
    };
    Ok(Box::new(Changing(RecordsAction::new(params, switch, clients)?)))
}

struct Switch {
    name: String,
    kind: String,
    goal: Goal,
}

enum Goal {
    /// This one gets all.
    All(String),
    Weights(Vec<(String, i64)>),
}

impl Goal {
    /// The weight that a record gets; none where it keeps its own.
    fn weight(&self, set: &str) -> Option<i64> {
        match self {
            Self::All(to) => Some(if set == to { 100 } else { 0 }),
            Self::Weights(weights) => {
                weights.iter().find(|(known, _)| known == set).map(|(_, weight)| *weight)
            }
        }
    }

    fn sets(&self) -> Vec<&str> {
        match self {
            Self::All(to) => vec![to],
            Self::Weights(weights) => weights.iter().map(|(set, _)| &**set).collect(),
        }
    }
}

impl Wanted for Switch {
    fn names(&self) -> Vec<String> {
        vec![self.name.clone()]
    }

    fn changes(&self, found: &HashMap<String, Vec<Record>>) -> Result<Vec<Change>, Problem> {
        let all = found.get(&canonical(&self.name)).map_or(&[][..], Vec::as_slice);
        let own: Vec<&Record> = all.iter().filter(|record| record.is_of(&self.name, &self.kind)).collect();
        let name = format!("{} {}", self.name, self.kind);
        let known: Vec<&str> = own.iter().filter_map(|record| record.set.as_deref()).collect();
        if let Some(missing) = self.goal.sets().into_iter().find(|set| !known.contains(set)) {
            let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Problem::new(
                format!("{name} has no record \"{missing}\"; its set identifiers are: {there}"),
                "Nothing was sent. Check the set identifiers in the plan, or make the record with `route53-upsert`.",
            ));
        }
        let mut changes = Vec::new();
        let mut total = 0;
        for record in own {
            let Routing::Weighted(before) = record.routing else {
                return Err(Problem::new(
                    format!("{} is {}, not weighted", record.key_words(), record.routing.words()),
                    "Nothing was sent. This step only changes weights; use `route53-upsert`.",
                ));
            };
            let after = self.goal.weight(record.set.as_deref().unwrap_or_default());
            total += after.unwrap_or(before);
            if let Some(after) = after {
                let wanted = Record { routing: Routing::Weighted(after), ..record.clone() };
                changes.push(Change::to(wanted, all));
            }
        }
        if total == 0 {
            return Err(Problem::new(
                format!("all weights of {name} would be 0, which Route 53 takes for all being equal"),
                "Nothing was sent. Give the record that should take the traffic a weight above 0.",
            ));
        }
        Ok(changes)
    }

    /// What a record says besides its weight is not known without looking.
    fn outline(&self) -> Vec<Record> {
        let record = |set: &str| Record {
            name: self.name.clone(),
            kind: self.kind.clone(),
            set: Some(set.to_owned()),
            routing: Routing::Weighted(self.goal.weight(set).unwrap_or_default()),
            ttl_s: None,
            values: vec!["AS_IT_IS_NOW".into()],
            alias: None,
            health_check: None,
        };
        self.goal.sets().into_iter().map(record).collect()
    }

    fn by_hand(&self) -> String {
        let others =
            if matches!(self.goal, Goal::All(_)) { "; every other record of the name gets 0" } else { "" };
        format!(
            "then send each record as it is now, with only its Weight changed (as a batch like this{others}):"
        )
    }
}

#[cfg(test)]
mod tests;
