//! The names that conditions can read, with their types.

use super::condition::{Kind, Reference};
use crate::base::units::Unit;

/// A property that conditions can read.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// `signals`, `regions`, …
    pub root: &'static str,
    /// `state`, `value_s`, …
    pub field: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it means.
    pub doc: &'static str,
}

const fn property(root: &'static str, field: &'static str, kind: Kind, doc: &'static str) -> Property {
    Property { root, field, kind, doc }
}

const STATE: Kind = Kind::Word(&["ok", "warn", "critical"]);
const STATUS: Kind = Kind::Word(&["up", "degraded", "down"]);

/// Every property, in the order of the reference. `signals` also have `fields.<name>`, declared by the probe's kind.
pub static PROPERTIES: &[Property] = &[
    property("signals", "state", STATE, "The judged state. Not known while the signal is unknown."),
    property("signals", "known", Kind::Flag, "Whether the state is known."),
    property("signals", "value", Kind::Number, "The measured value, in the unit of the probe's kind."),
    property("signals", "value_s", Kind::Number, "The measured value of a kind that measures seconds."),
    property("signals", "value_ms", Kind::Number, "The measured value of a kind that measures milliseconds."),
    property("signals", "value_bytes", Kind::Number, "The measured value of a kind that measures bytes."),
    property("signals", "age_s", Kind::Number, "Seconds since the last reading."),
    property(
        "regions",
        "status",
        STATUS,
        "The region's status. Not known while its signals are unknown or the console is blind.",
    ),
    property("regions", "known", Kind::Flag, "Whether the status is known."),
    property("regions", "flapping", Kind::Flag, "Whether the status changed twice within the cooldown."),
    property("services", "status", STATUS, "The service's status."),
    property("services", "known", Kind::Flag, "Whether the status is known."),
    property("backups", "state", STATE, "The judged state of the backup."),
    property("backups", "known", Kind::Flag, "Whether the state is known."),
    property("backups", "age_s", Kind::Number, "Seconds since the last good backup."),
    property("incident", "open", Kind::Flag, "Whether an incident is open."),
    property("incident", "mode", Kind::Word(&["live", "drill"]), "Of the open incident."),
    property("incident", "severity", Kind::Word(&["P0", "P1", "P2", "P3"]), "Of the open incident."),
    property(
        "console",
        "blind",
        Kind::Flag,
        "Whether no reference probe is ok, so that nothing can be said of the regions.",
    ),
];

impl Unit {
    /// The name of the measured value in conditions.
    pub fn value_field(self) -> &'static str {
        match self {
            Self::Seconds => "value_s",
            Self::Milliseconds => "value_ms",
            Self::Bytes => "value_bytes",
            Self::Number => "value",
        }
    }
}

/// The type of a reference; `None` for fields of a probe, whose types are not declared.
pub(crate) fn kind_of(reference: &Reference) -> Option<Kind> {
    let is_it = |property: &&Property| property.root == reference.root && property.field == reference.field;
    PROPERTIES.iter().find(is_it).map(|property| property.kind)
}

/// The fields that a root's things have; for signals those of the unit.
pub(crate) fn fields_of(root: &str, unit: Option<Unit>) -> Vec<&'static str> {
    let fits = |field: &str| match unit {
        Some(unit) if field.starts_with("value_") => field == unit.value_field(),
        _ => true,
    };
    PROPERTIES.iter().filter(|p| p.root == root && fits(p.field)).map(|p| p.field).collect()
}
