//! How a backup is: from the signal of its probe, its allowed age, and what the plan asks of its copies.

use crate::base::units;
use crate::base::units::Unit;
use crate::core::model::Model;
use crate::core::words::reading::{Field, Measurement};
use crate::core::words::signal::{Recent, SignalState, age};
use crate::plan::Backup;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Fields of a measurement that tell the size of the copy before, or what is usual.
const PREVIOUS_SIZE: [&str; 2] = ["previous_size_bytes", "median_bytes"];

/// How a backup is.
#[derive(Clone, PartialEq, Debug)]
pub struct BackupStatus {
    /// The worse of its probe's signal and its age against the allowed one: what conditions see.
    pub state: SignalState,
    /// Age of the last good copy; none where it is not known.
    pub age: Option<SignedDuration>,
    /// Its size; none where the probe does not tell.
    pub size_bytes: Option<u64>,
    /// Size of the copy before, or the usual one; none where the probe does not tell.
    pub previous_bytes: Option<u64>,
    /// How it is encrypted, in the words of the probe; none where it does not tell.
    pub encryption: Option<String>,
    /// How long ago a restore was last proven; none where that never happened, as far as is known.
    pub restored: Option<SignedDuration>,
    /// When its probe last measured something.
    pub measured_at: Option<Timestamp>,
    /// Why it is in that state, in words.
    pub why: String,
    /// What else is wrong with its copies, worst first; it does not change the state.
    pub findings: Vec<Finding>,
}

/// Something that is wrong with a backup's copies besides their age.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub about: About,
    /// How bad it is.
    pub state: SignalState,
    /// What it is, in words.
    pub text: String,
}

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// Its size.
    Size,
    /// Its encryption.
    Encryption,
    /// The proof that it can be restored.
    Restore,
}

impl BackupStatus {
    /// The worst of everything that is known of it, for lists with the worst first.
    pub fn worst(&self) -> SignalState {
        let all = self.findings.iter().map(|finding| finding.state).chain([self.state]);
        all.max_by_key(|state| state.concern()).unwrap_or(self.state)
    }

    /// What is wrong with one side of it.
    pub fn finding(&self, about: About) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.about == about)
    }
}

/// How a backup is now.
pub fn standing(model: &Model, backup: &Backup, now: Timestamp) -> BackupStatus {
    let signal = model.durable.signals.get(&backup.probe);
    let (state, why) =
        signal.map_or((SignalState::Unknown, "no such probe".into()), |s| (s.state, s.why.clone()));
    let reading = model.live.recent.get(&backup.probe).and_then(Recent::measured);
    let measured = reading.and_then(|reading| Some((reading, reading.outcome.as_ref().ok()?)));
    let restored = restored(model, backup, measured.map(|(reading, m)| (reading.at, m)), now);
    let mut found = BackupStatus {
        state,
        age: None,
        size_bytes: None,
        previous_bytes: None,
        encryption: None,
        restored,
        measured_at: measured.map(|(reading, _)| reading.at),
        why,
        findings: Vec::new(),
    };
    if let Some((reading, measured)) = measured {
        let is_age = model.plan.probes.get(&backup.probe).is_some_and(|spec| spec.unit == Unit::Seconds);
        let at_reading = measured.value.filter(|_| is_age).and_then(span);
        found.age = at_reading.map(|then| then + age(reading.at, now));
        found.size_bytes = bytes(measured, "size_bytes");
        found.previous_bytes = PREVIOUS_SIZE.into_iter().find_map(|field| bytes(measured, field));
        found.encryption = encryption_words(measured);
        judge_age(&mut found, backup);
    }
    let findings = [size(backup, &found), encryption(backup, &found), restore(backup, &found)];
    found.findings = findings.into_iter().flatten().collect();
    found.findings.sort_by_key(|finding| std::cmp::Reverse(finding.state.concern()));
    found
}

fn bytes(measured: &Measurement, field: &str) -> Option<u64> {
    measured.number(field).map(|bytes| bytes.max(0.0) as u64)
}

/// How a copy is encrypted, from what the probes tell of it: an algorithm, a key, or only whether it is.
fn encryption_words(measured: &Measurement) -> Option<String> {
    let flag = measured.fields.get("encrypted").and_then(|field| match field {
        Field::Flag(true) => Some("encrypted"),
        Field::Flag(false) => Some("not encrypted"),
        _ => None,
    });
    let algorithm = measured.text("encryption").or(flag);
    let words: Vec<&str> = algorithm.into_iter().chain(measured.text("encryption_key")).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn span(seconds: f64) -> Option<SignedDuration> {
    SignedDuration::try_from_secs_f64(seconds).ok()
}

fn judge_age(found: &mut BackupStatus, backup: &Backup) {
    match (found.age, backup.max_age) {
        (Some(copy), Some(limit)) if copy > limit && found.state != SignalState::Critical => {
            found.state = SignalState::Critical;
            found.why = format!(
                "last good copy is {} old, allowed {}",
                units::duration(copy),
                units::duration(limit)
            );
        }
        (None, Some(_)) if matches!(found.state, SignalState::Ok | SignalState::Warn) => {
            found.state = SignalState::Unknown;
            found.why = format!("the age of the last good copy is not known: {}", found.why);
        }
        _ => {}
    }
}

/// How long ago a restore was last proven: the latest of what the plan, the backup's probe and the probe of its
/// restores say. A civil date counts from its begin, so that a proof never looks younger than it is.
fn restored(
    model: &Model,
    backup: &Backup,
    measured: Option<(Timestamp, &Measurement)>,
    now: Timestamp,
) -> Option<SignedDuration> {
    let written = backup.last_restore_test.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    let by_plan = written.map(|zoned| age(zoned.timestamp(), now));
    let told = measured.and_then(|(at, m)| Some(span(m.number("last_restore_age_s")?)? + age(at, now)));
    let probe = backup.restore_probe.as_ref();
    let seconds = probe.and_then(|id| model.plan.probes.get(id)).is_some_and(|s| s.unit == Unit::Seconds);
    let reading = probe.filter(|_| seconds).and_then(|id| model.live.recent.get(id)?.measured());
    let seen = reading.and_then(|r| Some(span(r.outcome.as_ref().ok()?.value?)? + age(r.at, now)));
    [by_plan, told, seen].into_iter().flatten().min()
}

/// An empty copy, or one whose size is far from that of the copy before.
fn size(backup: &Backup, found: &BackupStatus) -> Option<Finding> {
    let finding = |state, text| Some(Finding { about: About::Size, state, text });
    let bytes = found.size_bytes?;
    if bytes == 0 {
        return finding(SignalState::Critical, "the last copy is EMPTY".into());
    }
    let before = found.previous_bytes.filter(|before| *before > 0)?;
    let kept = 1.0 - f64::from(backup.size_change_percent) / 100.0;
    let share = bytes as f64 / before as f64;
    let is_odd = share < kept || share * kept > 1.0;
    let text = format!(
        "the last copy is {}, usual is {}: {}",
        units::bytes(bytes),
        units::bytes(before),
        change(share)
    );
    is_odd.then(|| finding(SignalState::Warn, text)).flatten()
}

/// `-62 %`, `+140 %`, `8 times`: a size against the one before.
pub fn change(share: f64) -> String {
    match share {
        share if share >= 3.0 => format!("{share:.0} times"),
        share => format!("{:+.0} %", (share - 1.0) * 100.0),
    }
}

/// Encrypted otherwise than the plan says, or nobody tells.
fn encryption(backup: &Backup, found: &BackupStatus) -> Option<Finding> {
    let wanted = backup.encryption.as_ref()?;
    let finding = |state, text| Some(Finding { about: About::Encryption, state, text });
    match &found.encryption {
        Some(is) if is.to_lowercase().contains(&wanted.to_lowercase()) => None,
        Some(is) => {
            let text = format!("encryption is \"{is}\", the plan says \"{wanted}\"");
            finding(SignalState::Critical, crate::base::text::clean(&text, 300))
        }
        None => None,
    }
}

/// No restore was proven, or too long ago.
fn restore(backup: &Backup, found: &BackupStatus) -> Option<Finding> {
    let finding = |text| Some(Finding { about: About::Restore, state: SignalState::Warn, text });
    match (found.restored, backup.test_every) {
        (None, _) => finding("no restore of it was ever proven".into()),
        (Some(ago), Some(every)) if ago > every => finding(format!(
            "a restore was last proven {} ago, due every {}",
            units::duration(ago),
            units::duration(every)
        )),
        _ => None,
    }
}
