//! Changing records of one zone: what `route53-upsert` and `route53-switch` have in common. They differ only in how
//! the wanted records come about.

mod check;
mod diff;
mod proof;
mod send;

use crate::base::problem::Problem;
pub use check::refusal;
pub use diff::Change;

use crate::base::text::clean;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{self, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::aws::action::{LOOK, caller, command};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, Place};
use crate::providers::aws::route53::client::{Record, Zone, canonical, records, zone};
use serde_json::json;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What the target is.
pub const KIND: &str = "Route 53 records";

/// The zone's id.
pub const ZONE: Key = Key::required("zone", Takes::Text, "The hosted zone's id (`Z1D633PJN98FT9`).");
/// For preflight.
pub const MAX_TTL: Key = Key::default(
    "max_ttl",
    Takes::Duration,
    "60s",
    "Preflight warns of a record with a longer TTL: resolvers keep the old answer for that long.",
);
/// For the proof.
pub const RESOLVERS: Key = Key::optional(
    "resolvers",
    Takes::List(&Takes::Text),
    "Resolvers (`1.1.1.1`) whose answers are shown with the proof. They may answer the old for its TTL.",
);
/// The permissions of both kinds.
pub const PERMISSIONS: &[&str] = &[
    "route53:GetHostedZone",
    "route53:ListResourceRecordSets",
    "route53:ChangeResourceRecordSets",
    "route53:GetChange",
];

/// How the wanted records come about.
pub trait Wanted: Send + Sync {
    /// The names that it is about, as the plan writes them.
    fn names(&self) -> Vec<String>;
    /// What the records are and would become, given every record set of those names by canonical name.
    ///
    /// # Errors
    /// Why it cannot be done.
    fn changes(&self, found: &HashMap<String, Vec<Record>>) -> Result<Vec<Change>, Problem>;
    /// The records as far as they are known without looking, for the manual card.
    fn outline(&self) -> Vec<Record>;
    /// What to do by hand, before the command.
    fn by_hand(&self) -> String;
}

/// A change of records.
pub struct RecordsAction<W> {
    place: Place,
    zone: String,
    wanted: W,
    max_ttl_s: i64,
    resolvers: Vec<SocketAddr>,
}

/// What a look at the zone shows.
pub struct Seen {
    zone: Zone,
    changes: Result<Vec<Change>, Problem>,
}

impl<W: Wanted> RecordsAction<W> {
    /// The action of a step.
    ///
    /// # Errors
    /// When a key has a value that does not do.
    pub fn new(
        params: &Params,
        wanted: W,
        clients: &crate::providers::clients::Clients,
    ) -> Result<Self, BuildError> {
        use crate::providers::aws::probe::{GLOBAL, find};
        use crate::providers::aws::route53::probe_record;
        Ok(Self {
            place: find(GLOBAL, "region", clients)?,
            zone: probe_record::zone_id(params.require_text("zone")?)?,
            wanted,
            max_ttl_s: params.duration("max_ttl").map_or(60, |ttl| ttl.as_secs()),
            resolvers: probe_record::addresses(&params.texts("resolvers"))?,
        })
    }

    /// What the operator types: the name of the records, or the zone where they have several.
    fn name(&self) -> String {
        let mut names: Vec<String> = self.wanted.names().iter().map(|name| canonical(name)).collect();
        names.dedup();
        match &names[..] {
            [one] => clean(one.trim_end_matches('.'), 260),
            _ => self.zone.clone(),
        }
    }

    async fn found(&self, connection: &Connection) -> Result<HashMap<String, Vec<Record>>, AwsError> {
        let names: Vec<String> = self.wanted.names().iter().map(|name| canonical(name)).collect();
        records(connection, &self.zone, &names).await
    }

    /// The zone, its records and the caller, within the time for a look.
    async fn inspect(&self, connection: &Connection) -> Result<(Target, Seen), AwsError> {
        let look = async {
            let zone = zone(connection, &self.zone).await?;
            let found = self.found(connection).await?;
            let changes = self.wanted.changes(&found);
            let mut identity =
                vec![("zone".to_owned(), self.zone.clone()), ("domain".to_owned(), zone.name.clone())];
            match &changes {
                Ok(changes) => identity.extend(changes.iter().map(Change::identity)),
                Err(refusal) => identity.push(("refused".into(), refusal.why.clone())),
            }
            identity.push(caller(connection).await?);
            let target = Target { name: self.name(), kind: KIND.into(), identity, reachable: true };
            Ok((target, Seen { zone, changes }))
        };
        match tokio::time::timeout(LOOK, look).await {
            Ok(seen) => seen,
            Err(_) => {
                let call = Call::new("route53:ListResourceRecordSets", format!("hosted zone {}", self.zone));
                Err(AwsError::new(&call, AwsErrorKind::Timeout, "the zone could not be read in time"))
            }
        }
    }

    fn batch<'a>(records: impl Iterator<Item = &'a Record>) -> serde_json::Value {
        let change = |record: &Record| json!({"Action": "UPSERT", "ResourceRecordSet": record.to_json()});
        json!({"Changes": records.map(change).collect::<Vec<_>>()})
    }

    fn command<'a>(&self, records: impl Iterator<Item = &'a Record>) -> String {
        let batch = Self::batch(records).to_string();
        let words = ["route53", "change-resource-record-sets", "--hosted-zone-id", &self.zone];
        command(None, &[&words[..], &["--change-batch", &batch]].concat())
    }

    fn call<'a>(&self, records: impl Iterator<Item = &'a Record>) -> String {
        let each = records.map(|record| format!("UPSERT {} {}", record.key_words(), record.content_words()));
        let each: Vec<String> = each.collect();
        format!("route53:ChangeResourceRecordSets HostedZoneId={} {}", self.zone, each.join("; "))
    }

    /// As far as it is known without looking.
    fn outlined(&self) -> Shown {
        let outline = self.wanted.outline();
        Shown {
            call: self.call(outline.iter()),
            command: self.command(outline.iter()),
            sets: outline.iter().map(|record| (record.key_words(), record.content_words())).collect(),
            ..Shown::default()
        }
    }

    /// The records of before again; those that were not there go.
    fn undo(&self, changes: &[Change]) -> Vec<String> {
        let entry = |change: &Change| match &change.before {
            Some(before) => json!({"Action": "UPSERT", "ResourceRecordSet": before.to_json()}),
            None => json!({"Action": "DELETE", "ResourceRecordSet": change.after.to_json()}),
        };
        let entries: Vec<_> = changes.iter().filter(|change| !change.is_there()).map(entry).collect();
        if entries.is_empty() {
            return Vec::new();
        }
        let batch = json!({"Changes": entries}).to_string();
        let words = ["route53", "change-resource-record-sets", "--hosted-zone-id", &self.zone];
        vec![command(None, &[&words[..], &["--change-batch", &batch]].concat())]
    }
}

impl<W: Wanted> action::Change for RecordsAction<W> {
    type Seen = Seen;

    /// The look has an end of its own, with words of its own.
    const LOOK: Option<Duration> = None;

    fn what(&self, _: &str) -> String {
        format!("ChangeResourceRecordSets for {}", self.name())
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.name(), KIND)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        Ok(self.inspect(&*self.place.reader().await).await?)
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let refused = |refusal: &Problem| format!("THIS STEP WILL REFUSE: {}", refusal.why);
        match seen.map(|seen| (&seen.changes, &seen.zone)) {
            Some((Ok(changes), zone)) => {
                let mut notes = diff::notes(zone, changes);
                let refusals = changes.iter().filter_map(|change| refusal(change, zone));
                notes.extend(refusals.map(|refusal| refused(&refusal)));
                let after = || changes.iter().map(|change| &change.after);
                Shown {
                    call: self.call(after()),
                    command: self.command(after()),
                    notes,
                    undo: self.undo(changes),
                    sets: changes.iter().map(Change::set).collect(),
                }
            }
            Some((Err(refusal), _)) => Shown { notes: vec![refused(refusal)], ..self.outlined() },
            None => self.outlined(),
        }
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        vec![format!("It cannot be read: {}", unread.why())]
    }

    fn refuses_first(&self, seen: &Seen, expected: &Target) -> Option<Problem> {
        match &seen.changes {
            Ok(changes) if expected.reachable && changes.iter().all(Change::is_there) => Some(Problem::new(
                "the records already say so: nothing was sent",
                "Find out who changed them, and whether the rest of the failover is as far. Then attest the step.",
            )),
            changes => changes.as_ref().err().cloned(),
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.changes.iter().flatten().find_map(|change| refusal(change, &seen.zone))
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let what = &*confirmed.what;
        let changes = confirmed.seen.changes.map_err(|refusal| refusal.not_done(what))?;
        for line in diff::lines(&changes) {
            (context.output)(&line);
        }
        let id = self.upsert(&*self.place.writer().await, &changes, context, what).await?;
        (context.output)(&format!("Route 53 took the change as {id}"));
        self.wait_for_sync(&self.place.reader().await, &id, context, what).await?;
        let count = changes.iter().filter(|change| !change.is_there()).count();
        Ok(Done { summary: format!("{} changed ({count} records), {id} is INSYNC", self.name()) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        self.proof(expected).await
    }

    fn manual(&self) -> ManualCard {
        let name = self.wanted.names().into_iter().next().unwrap_or_default();
        let list = ["route53", "list-resource-record-sets", "--hosted-zone-id", &self.zone];
        let list = command(None, &[&list[..], &["--start-record-name", &name, "--max-items", "10"]].concat());
        let outline = self.wanted.outline();
        ManualCard {
            instructions: vec![
                format!("see what is there now: {list}"),
                self.wanted.by_hand(),
                self.command(outline.iter()),
                "aws route53 wait resource-record-sets-changed --id ID_OF_THE_ANSWER".into(),
            ],
            check: format!("`{list}` shows the new records, and `dig +noall +answer {name}` answers them."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let connection = self.place.reader().await;
        let zone = match zone(&connection, &self.zone).await {
            Ok(zone) => zone,
            Err(error) => {
                let what = format!("hosted zone {} answers", self.zone);
                return vec![Check::fail(what, error.to_string(), error.next_step())];
            }
        };
        match self.found(&connection).await {
            Ok(found) => check::preflight(&zone, self.wanted.changes(&found), self.max_ttl_s),
            Err(error) => {
                vec![Check::fail("the zone's records can be read", error.to_string(), error.next_step())]
            }
        }
    }
}
