//! What a change of an instance asks for, against what the instance has.

use crate::base::text::clean;
use crate::plan::params::Params;
use aws_sdk_rds::types::DbInstance;

/// What the plan asks for.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Class of the instance.
    pub class: Option<String>,
    /// How many days backups are kept.
    pub backup_retention_days: Option<i32>,
    /// Whether it has a standby.
    pub multi_az: Option<bool>,
    /// Size of its storage in GiB.
    pub storage_gib: Option<i32>,
    /// Operations per second of its storage.
    pub iops: Option<i32>,
}

impl Wishes {
    /// Reads them from a step.
    pub fn of(params: &Params) -> Self {
        let number = |key: &str| params.integer(key).and_then(|number| i32::try_from(number).ok());
        Self {
            class: params.text("class").map(str::to_owned),
            backup_retention_days: number("backup_retention_days"),
            multi_az: params.get("multi_az").map(|_| params.flag("multi_az")),
            storage_gib: number("storage_gib"),
            iops: number("iops"),
        }
    }
}

/// One wish against the instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it is about (`class`).
    pub name: &'static str,
    /// What the instance has.
    pub now: String,
    /// What is asked for.
    pub wanted: String,
    /// What it will have after its next maintenance window, where that differs.
    pub pending: Option<String>,
    /// What the change does to those who use it.
    effect: &'static str,
}

impl Line {
    /// Whether the instance has it, and keeps it.
    pub fn holds(&self) -> bool {
        self.now == self.wanted && self.pending.as_ref().is_none_or(|pending| *pending == self.wanted)
    }

    /// Whether it waits for the maintenance window.
    pub fn is_pending(&self) -> bool {
        self.pending.as_ref() == Some(&self.wanted)
    }

    /// Whether there is something to send.
    pub fn is_missing(&self, immediately: bool) -> bool {
        !self.holds() && (immediately || !self.is_pending())
    }

    /// `class db.r6g.large -> db.r6g.2xlarge`.
    pub fn words(&self) -> String {
        format!("{} {} -> {}", self.name, self.now, self.wanted)
    }

    /// Name, and from what to what, with its effect.
    pub fn set(&self) -> (String, String) {
        (self.name.into(), format!("{} -> {}: {}.", self.now, self.wanted, self.effect))
    }

    /// What is to be said where it holds.
    pub fn already(&self) -> String {
        format!("{} is {} already.", self.name, self.now)
    }
}

/// Downtimes: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html>
pub fn lines(wishes: &Wishes, instance: &DbInstance) -> Vec<Line> {
    let pending = instance.pending_modified_values();
    let multi_az = instance.multi_az() == Some(true);
    let retention = instance.backup_retention_period();
    let lines = [
        wishes.class.as_ref().map(|class| Line {
            name: "class",
            now: clean(instance.db_instance_class().unwrap_or("unknown"), 100),
            wanted: class.clone(),
            pending: pending.and_then(|values| values.db_instance_class()).map(|class| clean(class, 100)),
            effect: match multi_az {
                true => "its standby takes over, an OUTAGE of about a minute",
                false => "restarts the instance, an OUTAGE of minutes",
            },
        }),
        wishes.backup_retention_days.map(|days| Line {
            name: "backup retention",
            now: counted(retention, "days"),
            wanted: counted(Some(days), "days"),
            pending: pending
                .and_then(|values| values.backup_retention_period())
                .map(|days| counted(Some(days), "days")),
            effect: match retention {
                Some(0) | None => "turns backups on, with a short OUTAGE",
                _ if retention > Some(days) => "OLDER BACKUPS ARE DELETED",
                _ => "no outage",
            },
        }),
        wishes.multi_az.map(|wanted| Line {
            name: "multi-AZ",
            now: switched(multi_az),
            wanted: switched(wanted),
            pending: pending.and_then(|values| values.multi_az()).map(switched),
            effect: match wanted {
                true => "no outage; writes are slower while the standby is made",
                false => "no outage; NO STANDBY takes over afterwards",
            },
        }),
        wishes.storage_gib.map(|size| Line {
            name: "storage",
            now: counted(instance.allocated_storage(), "GiB"),
            wanted: counted(Some(size), "GiB"),
            pending: pending
                .and_then(|values| values.allocated_storage())
                .map(|size| counted(Some(size), "GiB")),
            effect: "no outage; cannot be undone, and storage cannot change again for 6 hours",
        }),
        wishes.iops.map(|iops| Line {
            name: "iops",
            now: counted(instance.iops(), "per second"),
            wanted: counted(Some(iops), "per second"),
            pending: pending.and_then(|values| values.iops()).map(|iops| counted(Some(iops), "per second")),
            effect: "no outage; slower for minutes to hours while it is made",
        }),
    ];
    lines.into_iter().flatten().collect()
}

/// What waits for the maintenance window and is applied together with a change that is applied immediately.
pub fn pending(instance: &DbInstance) -> Vec<String> {
    let Some(values) = instance.pending_modified_values() else { return Vec::new() };
    let text = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {}", clean(value, 200)));
    let number = |name: &str, value: Option<i32>| value.map(|value| format!("{name} {value}"));
    [
        text("class", values.db_instance_class()),
        text("engine version", values.engine_version()),
        text("engine", values.engine()),
        text("name", values.db_instance_identifier()),
        text("storage type", values.storage_type()),
        text("certificate authority", values.ca_certificate_identifier()),
        text("subnet group", values.db_subnet_group_name()),
        text("license model", values.license_model()),
        number("storage (GiB)", values.allocated_storage()),
        number("iops", values.iops()),
        number("storage throughput", values.storage_throughput()),
        number("backup retention (days)", values.backup_retention_period()),
        number("port", values.port()),
        values.multi_az().map(|on| format!("multi-AZ {}", switched(on))),
        values.master_user_password().map(|_| "the master password".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Why AWS would not take it.
pub fn impossible(wishes: &Wishes, instance: &DbInstance) -> Option<String> {
    let (now, wanted) = (instance.allocated_storage()?, wishes.storage_gib?);
    (wanted < now).then(|| format!("storage only grows: it has {now} GiB, and {wanted} GiB are asked for"))
}

fn counted(number: Option<i32>, unit: &str) -> String {
    number.map_or("not set".into(), |number| format!("{number} {unit}"))
}

fn switched(on: bool) -> String {
    if on { "on" } else { "off" }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::PendingModifiedValues;

    fn instance(pending: Option<PendingModifiedValues>) -> DbInstance {
        DbInstance::builder()
            .db_instance_class("db.r6g.large")
            .multi_az(false)
            .backup_retention_period(7)
            .allocated_storage(100)
            .set_pending_modified_values(pending)
            .build()
    }

    fn class() -> Wishes {
        Wishes { class: Some("db.r6g.2xlarge".into()), ..Wishes::default() }
    }

    #[test]
    fn a_difference_says_from_what_to_what_and_what_it_costs() {
        let wishes = Wishes {
            backup_retention_days: Some(3),
            storage_gib: Some(200),
            multi_az: Some(true),
            ..class()
        };
        let sets: Vec<_> = lines(&wishes, &instance(None)).iter().map(Line::set).collect();
        let sets: Vec<_> = sets.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            sets,
            [
                ("class", "db.r6g.large -> db.r6g.2xlarge: restarts the instance, an OUTAGE of minutes."),
                ("backup retention", "7 days -> 3 days: OLDER BACKUPS ARE DELETED."),
                ("multi-AZ", "off -> on: no outage; writes are slower while the standby is made."),
                (
                    "storage",
                    "100 GiB -> 200 GiB: no outage; cannot be undone, and storage cannot change again for 6 hours."
                ),
            ]
        );
    }

    #[test]
    fn what_is_there_is_no_difference() {
        let wishes = Wishes { class: Some("db.r6g.large".into()), iops: None, ..Wishes::default() };
        let line = &lines(&wishes, &instance(None))[0];
        assert!(line.holds() && !line.is_missing(true) && !line.is_missing(false));
        assert_eq!(line.already(), "class is db.r6g.large already.");
    }

    #[test]
    fn what_is_pending_is_missing_only_when_it_is_wanted_now() {
        let pending = PendingModifiedValues::builder().db_instance_class("db.r6g.2xlarge").build();
        let line = &lines(&class(), &instance(Some(pending)))[0];
        assert!(line.is_pending() && !line.holds() && line.is_missing(true) && !line.is_missing(false));
    }

    #[test]
    fn what_holds_but_is_about_to_change_does_not_hold() {
        let wishes = Wishes { class: Some("db.r6g.large".into()), ..Wishes::default() };
        let pending = PendingModifiedValues::builder().db_instance_class("db.t4g.micro").build();
        let line = &lines(&wishes, &instance(Some(pending)))[0];
        assert!(!line.holds() && line.is_missing(true) && line.is_missing(false));
    }

    #[test]
    fn everything_pending_is_told_and_no_password() {
        let values = PendingModifiedValues::builder()
            .engine_version("15.7")
            .port(6432)
            .master_user_password("hunter2");
        let told = pending(&instance(Some(values.build())));
        assert_eq!(told, ["engine version 15.7", "port 6432", "the master password"]);
    }

    #[test]
    fn storage_never_shrinks() {
        let shrunk = Wishes { storage_gib: Some(50), ..Wishes::default() };
        assert!(impossible(&shrunk, &instance(None)).unwrap().contains("storage only grows"));
        assert_eq!(impossible(&class(), &instance(None)), None);
    }
}
