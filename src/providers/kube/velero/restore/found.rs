//! The backup that a step means, as the cluster has it now, and what stands in the way of its restore.

use super::change::Restore;
use super::follow::create;
use super::made::{Made, object};
use crate::base::problem::Problem;
use crate::base::words;
use crate::core::words::action::Target;
use crate::kinds::action::Unread;
use crate::providers::kube::client::{BACKUPS, Cluster, Scope, is_name};
use crate::providers::kube::object::For;
use crate::providers::kube::told::told;
use crate::providers::kube::velero::SKEW;
use crate::providers::kube::velero::location::Location;
use crate::providers::kube::velero::seen::{Backup, newest_complete, none_complete};
use crate::providers::kube::velero::which::Which;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

/// Stands for the token of an attempt that there is not yet.
const TRIAL: &str = "trial";

/// What one look saw.
pub struct Seen {
    pub backup: Backup,
    pub location: Location,
    /// A newer one that cannot be restored, and how it is.
    newer: Option<String>,
    /// Restores that are not over, whoever made them.
    pub under_way: Vec<Made>,
    /// Why it would not be done, or come to nothing.
    pub refused: Option<Problem>,
    now: Timestamp,
}

impl Seen {
    /// Reads the backup, where it lies, and what the API server says of its restore.
    ///
    /// # Errors
    /// When it cannot be read, or there is none that can be restored.
    pub async fn read(restore: &Restore) -> Result<Self, Unread> {
        let (cluster, namespace) = (&restore.place.cluster, &*restore.namespace);
        let now = Timestamp::now();
        let (backup, newer) = complete(cluster, namespace, &restore.which, now).await?;
        let until = Instant::now() + cluster.deadline();
        let location = Location::read(cluster, namespace, &backup.location, until).await?;
        let under_way = Made::under_way(cluster, namespace).await?;
        let mut refused = obstacle(restore, &backup, &location, now);
        if refused.is_none() {
            refused = trial(restore, &backup).await;
        }
        Ok(Self { backup, location, newer, under_way, refused, now })
    }

    /// The backup as the target of the step.
    pub fn target(&self, restore: &Restore, kind: &str) -> Target {
        let (backup, cluster) = (&self.backup, &restore.place.cluster);
        let identity = vec![
            ("context".to_owned(), cluster.context.to_string()),
            ("namespace".to_owned(), restore.namespace.clone()),
            ("backup".to_owned(), backup.name.clone()),
            ("uid".to_owned(), cluster.shown(&backup.uid, 80)),
            ("began".to_owned(), backup.started.map_or("not known".to_owned(), |at| at.to_string())),
        ];
        Target { name: backup.name.clone(), kind: kind.into(), identity, reachable: true }
    }

    /// `3 h old, complete, 412 of 412 items, 0 errors, 2 warnings`.
    pub fn words(&self) -> String {
        let backup = &self.backup;
        let age = backup.started.map_or("of an age that nobody tells".to_owned(), |started| {
            format!("{} old", words::seconds(self.now.duration_since(started).as_secs_f64().max(0.0)))
        });
        let items = backup.items.map_or_else(String::new, |(done, all)| format!(", {done} of {all} items"));
        format!("{age}, complete{items}, {} errors, {} warnings", backup.errors, backup.warnings)
    }

    /// What to know of it before saying yes.
    pub fn notes(&self, cluster: &Cluster) -> Vec<String> {
        let backup = &self.backup;
        let expires =
            backup.expires.map_or("nobody says when it expires".to_owned(), |at| format!("it expires {at}"));
        let has = match backup.namespaces.as_slice() {
            [] => "all namespaces".to_owned(),
            names => format!("the namespaces {}", told(cluster, names.iter().cloned())),
        };
        let lacks = match backup.excluded.as_slice() {
            [] => String::new(),
            names => format!(" but {}", told(cluster, names.iter().cloned())),
        };
        let mut notes = vec![
            format!("{}: {}; {expires}. What was written since is not in it.", backup.name, self.words()),
            format!(
                "It has {has}{lacks}, and lies in the storage location {}, which is {}.",
                self.location.name,
                self.location.word()
            ),
        ];
        notes.extend(self.newer.as_ref().map(|newer| format!("A newer one cannot be restored: {newer}.")));
        notes.extend(self.doubt().map(|doubt| format!("{doubt}.")));
        if !self.under_way.is_empty() {
            let all =
                told(cluster, self.under_way.iter().map(|made| format!("{} is {}", made.name, made.said)));
            notes.push(format!("Velero does one restore after the other, and these are under way: {all}."));
        }
        notes
    }

    /// Why what lies in the location may not be readable any more.
    pub fn doubt(&self) -> Option<String> {
        self.location.doubt(self.now)
    }

    /// A restore under way that this one must not be beside: of an earlier attempt of the step, or of the same backup.
    pub fn rival(&self, token: &str) -> Option<Problem> {
        let is_rival = |made: &&Made| {
            !made.is_by(token) && (made.is_earlier_than(token) || made.backup == self.backup.name)
        };
        let made = self.under_way.iter().find(is_rival)?;
        let whose = if made.is_earlier_than(token) {
            "an earlier attempt of this step"
        } else {
            "another restore of it"
        };
        Some(Problem::new(
            format!("{whose} is under way: restore/{} is {}", made.name, made.progress()),
            "Wait for its end, then see whether it did what this step is for.",
        ))
    }
}

/// The backup that is meant, and what is newer and cannot be restored.
async fn complete(
    cluster: &Cluster,
    namespace: &str,
    which: &Which,
    now: Timestamp,
) -> Result<(Backup, Option<String>), Unread> {
    let call = which.call(namespace);
    let objects = match which {
        Which::Named(name) => {
            vec![cluster.get(&call, BACKUPS.path(Some(namespace), Some(name)), cluster.deadline()).await?]
        }
        Which::Schedule(_) | Which::Prefix(_) | Which::Selected(_) => {
            let selector = which.selector();
            let scope = Scope { selector: selector.as_deref(), ..Scope::all(BACKUPS, Some(namespace)) };
            cluster.list(&call, scope, cluster.deadline()).await?.0
        }
    };
    let mut all: Vec<Backup> = objects.iter().map(Backup::of).collect();
    match which {
        // By the plan's own word, whatever it answers to.
        Which::Named(name) => all.iter_mut().for_each(|backup| backup.name.clone_from(name)),
        _ => all.retain(|backup| which.fits(backup)),
    }
    let Some(newest) = newest_complete(all.iter(), now) else {
        let all: Vec<&Backup> = all.iter().collect();
        let why = none_complete(cluster, &format!("{} in {namespace}", which.words()), &all, now);
        let next = "See `velero backup get`; another one can be named in the plan, or restored by hand.";
        return Err(Unread::Absent(Problem::new(why, next)));
    };
    // A name becomes part of a command and of what is typed; by its uid the backup is known again.
    if !is_name(&newest.name) || newest.uid.is_empty() {
        let why = "what answered has a backup without a uid, or named as none can be: it is no API server";
        return Err(Unread::Failed(Problem::new(why, "Find out what answers there.")));
    }
    let newer = all.iter().filter(|backup| backup.since() > newest.started);
    let newer = newer.max_by_key(|backup| backup.since()).map(|backup| backup.words(cluster));
    Ok((newest.clone(), newer))
}

/// Why Velero would not restore it, or not what the plan means.
fn obstacle(restore: &Restore, backup: &Backup, location: &Location, now: Timestamp) -> Option<Problem> {
    if let Some(why) = location.unreadable() {
        let next = "See `velero backup-location get` and the credentials of that location.";
        return Some(Problem::new(why, next));
    }
    if backup.started.is_some_and(|started| started.duration_since(now) > SKEW) {
        let why = format!("the backup {} is dated in the future", backup.name);
        return Some(Problem::new(why, "Set the clock of the cluster or of this host right first."));
    }
    let missing = restore.wanted.missing_of(&backup.namespaces, &backup.excluded);
    (!missing.is_empty()).then(|| {
        Problem::new(
            format!("the backup {} does not have {}", backup.name, missing.join(", ")),
            "Compare the namespaces in the plan with those of the backup, or take another one.",
        )
    })
}

/// What the API server says of the restore.
async fn trial(restore: &Restore, backup: &Backup) -> Option<Problem> {
    let spec = restore.wanted.spec(&backup.name);
    let trial = object(TRIAL, &restore.namespace, &backup.uid, &spec);
    match create(&restore.place.cluster, &restore.namespace, &trial, For::Trial).await {
        Ok(kept) => dropped(&spec, &kept["spec"]),
        Err(error) => error.refusal(),
    }
}

/// That something of a restore is not kept: an older Velero does not know it, or a webhook changes it.
fn dropped(sent: &Value, kept: &Value) -> Option<Problem> {
    let sent = sent.as_object()?;
    let name = sent.iter().find_map(|(name, value)| (kept[name] != *value).then_some(name))?;
    Some(Problem::new(
        format!("the cluster does not keep `{name}` of a restore as it is sent"),
        "An older Velero does not know it, or an admission webhook changes it: restore by hand, and attest the step.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_cluster_does_not_keep_of_a_restore_is_found() {
        let sent = json!({"backupName": "b", "existingResourcePolicy": "update"});
        let mut kept = json!({"backupName": "b", "existingResourcePolicy": "update", "hooks": {}});
        assert!(dropped(&sent, &kept).is_none());
        kept.as_object_mut().unwrap().remove("existingResourcePolicy");
        assert!(dropped(&sent, &kept).unwrap().why.contains("does not keep `existingResourcePolicy`"));
        assert!(dropped(&sent, &Value::Null).is_some());
    }
}
