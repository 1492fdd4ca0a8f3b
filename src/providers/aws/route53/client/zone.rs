//! Reading a zone with few calls: Route 53 takes five requests a second for a whole account
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests>).

use super::name::{canonical, order, shown};
use super::record::Record;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, Shared};
use aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsOutput;
use aws_sdk_route53::types::RrType;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Most pages of one name: 300 record sets each, more than a name can have.
const MAX_PAGES: usize = 50;

/// A hosted zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// `Z1D633PJN98FT9`.
    pub id: String,
    /// Its domain, without the trailing dot.
    pub name: String,
    /// Whether it answers only within VPCs.
    pub private: bool,
}

/// The zone of that id.
///
/// # Errors
/// When there is none in the caller's account, or it cannot be told.
pub async fn zone(connection: &Connection, id: &str) -> Result<Zone, AwsError> {
    let call = Call::new("route53:GetHostedZone", format!("hosted zone {id}"));
    let answer = connection.call(&call, connection.route53().get_hosted_zone().id(id).send()).await?;
    let Some(zone) = answer.hosted_zone else {
        return Err(AwsError::new(&call, AwsErrorKind::NotFound, "the answer names no zone"));
    };
    let private = zone.config.as_ref().is_some_and(|config| config.private_zone);
    Ok(Zone { id: id.to_owned(), name: shown(&zone.name), private })
}

/// What the askers of one zone share: every record set of a canonical name.
type Names = Shared<String, Vec<Record>>;

/// The probes of each zone ask together; by the zone's id.
#[derive(Default)]
pub struct Zones(Mutex<HashMap<String, Arc<Names>>>);

impl Zones {
    /// What the askers of one zone share.
    pub fn of(&self, zone: &str) -> Arc<Names> {
        let mut zones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        zones.entry(zone.to_owned()).or_default().clone()
    }
}

/// Every record set of these canonical names, whatever type; a name without any has an empty list. The names are
/// asked for in the order of the zone, so that those that stand together come with one page.
///
/// # Errors
/// When there is no such zone, or it cannot be told.
pub async fn records(
    connection: &Connection,
    zone: &str,
    names: &[String],
) -> Result<HashMap<String, Vec<Record>>, AwsError> {
    let mut found: HashMap<String, Vec<Record>> =
        names.iter().map(|name| (canonical(name), Vec::new())).collect();
    let mut left: BTreeSet<(String, String)> = found.keys().map(|name| (order(name), name.clone())).collect();
    while let Some((_, name)) = left.pop_first() {
        found.insert(name.clone(), Vec::new());
        let mut from = Cursor { name: name.clone(), ..Cursor::default() };
        for _ in 0..MAX_PAGES {
            let page = page(connection, zone, &from).await?;
            let mut seen = HashSet::new();
            for set in page.resource_record_sets() {
                let own = canonical(set.name());
                let wanted = own == name || left.contains(&(order(&own), own.clone()));
                if let Some(sets) = found.get_mut(&own).filter(|_| wanted) {
                    sets.push(Record::from(set));
                    seen.insert(own);
                }
            }
            let Some(next) = Cursor::after(&page) else {
                left.retain(|(_, name)| !seen.contains(name));
                break;
            };
            // A name is complete once another one follows; one that goes on is asked for again from its begin.
            let goes_on = canonical(&next.name);
            for unfinished in seen.iter().filter(|seen| **seen == goes_on && **seen != name) {
                found.insert(unfinished.clone(), Vec::new());
            }
            left.retain(|(_, name)| !seen.contains(name) || *name == goes_on);
            if goes_on != name {
                break;
            }
            from = next;
        }
    }
    Ok(found)
}

/// Where a page begins.
#[derive(Default)]
struct Cursor {
    name: String,
    kind: Option<RrType>,
    set: Option<String>,
}

impl Cursor {
    fn after(page: &ListResourceRecordSetsOutput) -> Option<Self> {
        let name = page.next_record_name().filter(|_| page.is_truncated())?;
        Some(Self {
            name: name.to_owned(),
            kind: page.next_record_type().cloned(),
            set: page.next_record_identifier().map(str::to_owned),
        })
    }
}

async fn page(
    connection: &Connection,
    zone: &str,
    from: &Cursor,
) -> Result<ListResourceRecordSetsOutput, AwsError> {
    let call = Call::new("route53:ListResourceRecordSets", format!("hosted zone {zone}"));
    let send = connection
        .route53()
        .list_resource_record_sets()
        .hosted_zone_id(zone)
        .start_record_name(&from.name)
        .set_start_record_type(from.kind.clone())
        .set_start_record_identifier(from.set.clone())
        .max_items(300)
        .send();
    connection.call(&call, send).await
}
