//! What the backups of a schedule come to.

use super::location::Location;
use super::seen::{Backup, Phase, newest_complete, none_complete};
use super::volumes::Volumes;
use super::{SAID_CHARS, SKEW};
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use crate::providers::kube::told::told;
use jiff::{SignedDuration, Timestamp};

/// What one look saw.
pub(super) struct Seen<'a> {
    pub cluster: &'a Cluster,
    /// Which backups are meant, for people.
    pub which: String,
    pub backups: Vec<&'a Backup>,
    /// Of the newest complete one.
    pub location: Option<Location>,
    pub volumes: Volumes,
    /// A backup that runs longer than this is worth a look.
    pub longest_run: SignedDuration,
    pub now: Timestamp,
}

impl Seen<'_> {
    /// What they come to.
    pub fn judge(&self) -> Measurement {
        let newest = self.backups.iter().max_by_key(|backup| backup.since());
        let running = self.backups.iter().filter(|backup| backup.is_running()).count();
        let measured = match newest_complete(self.backups.iter().copied(), self.now) {
            Some(complete) => self.of_complete(complete),
            None => Measurement::critical(none_complete(self.cluster, &self.which, &self.backups, self.now)),
        };
        let measured = self.with_running(measured);
        measured
            .with_number("backups", self.backups.len() as f64)
            .with_number("running", running as f64)
            .with_text("newest", newest.map(|backup| self.shown(&backup.name)))
            .with_text("phase", newest.map(|backup| self.shown(&backup.said)))
    }

    fn of_complete(&self, complete: &Backup) -> Measurement {
        let name = self.shown(&complete.name);
        let age = complete.started.map(|started| self.now.duration_since(started));
        let is_ahead = age.is_some_and(|age| age < -SKEW);
        let old = age.filter(|_| !is_ahead).map(|age| age.as_secs_f64().max(0.0));
        let mut parts = vec![match old {
            Some(old) => format!("{name} is complete and {} old", words::seconds(old)),
            None => format!("{name} is complete"),
        }];
        let failed = self.failed_since(complete);
        parts.extend(failed.map(|backup| backup.words(self.cluster)));
        let mut measured = Measurement::good(parts.join("; "));
        if let Some(failed) = failed {
            let why = format!("the newest one that ended, {}", failed.words(self.cluster));
            measured = measured.judged(Verdict::Critical(why));
        }
        for verdict in [self.odd_time(complete, is_ahead), self.found_fault(complete), self.odd_place()] {
            measured = measured.judged(verdict);
        }
        if let Some(old) = old {
            measured = measured.with_value(old);
        }
        self.with_fields(measured, complete, name)
    }

    /// One that ended after the newest complete one began, and is not complete: newer data is not in any backup.
    fn failed_since(&self, complete: &Backup) -> Option<&Backup> {
        let failed = self.backups.iter().copied().filter(|backup| {
            matches!(backup.phase, Phase::Failed | Phase::Unknown)
                && !backup.is_deleted()
                && backup.since() >= complete.started
        });
        failed.max_by_key(|backup| backup.since())
    }

    fn odd_time(&self, complete: &Backup, is_ahead: bool) -> Verdict {
        if is_ahead {
            let why =
                "the newest complete one is dated in the future: the cluster's clock or this host's is wrong";
            return Verdict::Critical(why.to_owned());
        }
        match complete.started {
            Some(_) => Verdict::Good,
            None => Verdict::Critical("the newest complete one does not say when it began".to_owned()),
        }
    }

    fn found_fault(&self, complete: &Backup) -> Verdict {
        if complete.errors > 0 {
            return Verdict::Critical(format!("the newest complete one has {} errors", complete.errors));
        }
        let mut odd = Vec::new();
        if complete.warnings > 0 {
            odd.push(format!("the newest complete one has {} warnings", complete.warnings));
        }
        if self.volumes.failed > 0 {
            let Volumes { failed, copies, .. } = self.volumes;
            odd.push(format!("{failed} of its {copies} copies of volumes are not complete"));
        }
        if complete.items.is_some_and(|(done, _)| done == 0) {
            odd.push("the newest complete one has no item".to_owned());
        }
        if let Some((done, all)) = complete.items.filter(|(done, all)| *done > 0 && done < all) {
            odd.push(format!("the newest complete one has {done} of {all} items"));
        }
        if odd.is_empty() { Verdict::Good } else { Verdict::Warn(odd.join("; ")) }
    }

    fn odd_place(&self) -> Verdict {
        let Some(location) = &self.location else { return Verdict::Good };
        match (location.unreadable(), location.doubt(self.now)) {
            (Some(why), _) => Verdict::Critical(why.to_owned()),
            (None, Some(doubt)) => Verdict::Warn(doubt),
            (None, None) => Verdict::Good,
        }
    }

    /// Those that are made now: told, and no reason to worry unless they take too long.
    fn with_running(&self, measured: Measurement) -> Measurement {
        let running = || self.backups.iter().filter(|backup| backup.is_running());
        let told = told(self.cluster, running().map(|backup| self.run_words(backup)));
        let mut measured = running().fold(measured, |measured, backup| measured.judged(self.odd_run(backup)));
        if !told.is_empty() {
            measured.summary = format!("{}; {told}", measured.summary);
        }
        measured
    }

    fn run_words(&self, backup: &Backup) -> String {
        let items = backup.items.map_or_else(String::new, |(done, all)| format!(" ({done} of {all} items)"));
        let span = self
            .run_of(backup)
            .map_or_else(String::new, |run| format!(" for {}", words::seconds(run.as_secs_f64().max(0.0))));
        format!("{} is {}{span}{items}", self.shown(&backup.name), self.shown(&backup.said))
    }

    fn odd_run(&self, backup: &Backup) -> Verdict {
        let words = self.run_words(backup);
        match (backup.phase, self.run_of(backup)) {
            (Phase::Failing, _) => Verdict::Warn(format!("{words}: it will end in part")),
            (_, Some(run)) if run <= self.longest_run => Verdict::Good,
            (_, Some(_)) => Verdict::Warn(format!("{words}: Velero may be stuck")),
            (_, None) => Verdict::Warn(format!("{words}, and nobody says since when")),
        }
    }

    fn run_of(&self, backup: &Backup) -> Option<SignedDuration> {
        backup.since().map(|since| self.now.duration_since(since))
    }

    fn with_fields(&self, measured: Measurement, complete: &Backup, name: String) -> Measurement {
        let when = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let snapshots = (complete.snapshots > 0).then(|| {
            format!("the size of {} snapshots of volumes: the cluster does not have it", complete.snapshots)
        });
        let unknown: Vec<String> = self.volumes.unknown.clone().into_iter().chain(snapshots).collect();
        measured
            .with_text("name", name)
            .with_number("warnings", complete.warnings as f64)
            .with_number("errors", complete.errors as f64)
            .with_number("items", complete.items.map(|(done, _)| done as f64))
            .with_number("items_total", complete.items.map(|(_, all)| all as f64))
            .with_number("volume_bytes", self.volumes.bytes.map(|bytes| bytes as f64))
            .with_text("not_known", Some(unknown.join("; ")).filter(|text| !text.is_empty()))
            .with_text("started", when(complete.started))
            .with_text("completed", when(complete.completed))
            .with_text("expires", when(complete.expires))
            .with_text("location", self.location.as_ref().map(|location| location.name.clone()))
    }

    fn shown(&self, text: &str) -> String {
        self.cluster.shown(text, SAID_CHARS)
    }
}

#[cfg(test)]
mod tests;
