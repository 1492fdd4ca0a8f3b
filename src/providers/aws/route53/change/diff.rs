//! A change of a record, and a batch of them as a diff.

use crate::providers::aws::route53::client::{Record, Zone};

/// What a record is, and what it becomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// None where it is not there yet.
    pub before: Option<Record>,
    /// The wanted one.
    pub after: Record,
    /// The other record sets of the same name.
    pub others: Vec<Record>,
}

impl Change {
    /// The change to a wanted record, given every record set of its name.
    pub fn to(after: Record, found: &[Record]) -> Self {
        let (own, others): (Vec<Record>, Vec<Record>) =
            found.iter().cloned().partition(|record| record.is(&after));
        Self { before: own.into_iter().next(), after, others }
    }

    /// Whether the record already is as wanted.
    pub fn is_there(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.says_the_same(&self.after))
    }

    /// What the record is now, in words.
    pub fn before_words(&self) -> String {
        self.before.as_ref().map_or("not there".into(), Record::content_words)
    }

    /// What it sets, with what it is now.
    pub fn set(&self) -> (String, String) {
        (self.after.key_words(), format!("{} (now {})", self.after.content_words(), self.before_words()))
    }

    /// What must be the same at execution: what the record says now. Names of other types count as well.
    pub fn identity(&self) -> (String, String) {
        (self.after.key_words(), self.before_words())
    }
}

/// `- api.sparc.com A alias old…`, `+ api.sparc.com A alias new…`, `= …` for what stays.
pub fn lines(changes: &[Change]) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes {
        let key = change.after.key_words();
        match &change.before {
            Some(before) if change.is_there() => lines.push(format!("= {key} {}", before.content_words())),
            Some(before) => lines.push(format!("- {key} {}", before.content_words())),
            None => {}
        }
        if !change.is_there() {
            lines.push(format!("+ {key} {}", change.after.content_words()));
        }
    }
    lines
}

/// The diff, and what else to know of it.
pub fn notes(zone: &Zone, changes: &[Change]) -> Vec<String> {
    let mut notes = lines(changes);
    let private = if zone.private { ", PRIVATE: only VPCs see it" } else { "" };
    notes.push(format!("In the zone {} ({}{private}).", zone.name, zone.id));
    let ttl_s = changes.iter().filter_map(|change| change.before.as_ref()?.ttl_s).max();
    if let Some(ttl_s) = ttl_s {
        notes.push(format!(
            "Resolvers may answer the old for up to {}.",
            crate::base::words::seconds(ttl_s as f64)
        ));
    }
    for change in changes {
        let lost = change.before.as_ref().and_then(|before| before.health_check.as_ref());
        if let Some(check) = lost.filter(|_| change.after.health_check.is_none()) {
            notes.push(format!("{} LOSES its health check {check}.", change.after.key_words()));
        }
    }
    if changes.iter().all(Change::is_there) {
        notes.push("The records already say so: this step will refuse.".into());
    }
    notes
}
