//! Sections that are read key by key.

use super::document::Document;
use super::fields::{Fields, absent};
use super::reader::{At, Reader};
use super::value::Read;
use super::{Places, missing_section, single};
use crate::base::ids::*;
use crate::base::toml::Diagnostic;
use crate::base::toml::node::{Entry, NodeValue};
use crate::plan::sections;
use crate::plan::types::*;
use indexmap::IndexMap;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

/// Plan-wide names of templates, taken as they are written: they cannot use templates themselves.
pub(super) fn template_names(document: &Document) -> Value {
    let text = |entry: &Entry, key: &str| {
        entry.node.table().and_then(|table| table.get(key)?.node.text().map(str::to_owned))
    };
    let things = |section: &'static str, key: &str| {
        let one = |(id, entry): (&String, &Entry)| {
            let value = text(entry, key).unwrap_or_else(|| id.clone());
            (id.clone(), json!({ key: value }))
        };
        document.named(section).map(one).collect::<Map<String, Value>>()
    };
    let plan = document.single("plan").and_then(|entry| text(entry, "name")).unwrap_or_default();
    let vars = document.single("vars").and_then(|entry| entry.node.table());
    let var = |(name, entry): (&String, &Entry)| {
        let value = match &entry.node.value {
            NodeValue::Text(text) => json!(text),
            NodeValue::Integer(number) => json!(number),
            NodeValue::Number(number) => json!(number),
            _ => return None,
        };
        Some((name.clone(), value))
    };
    let vars: Map<String, Value> = vars.into_iter().flatten().filter_map(var).collect();
    json!({
        "plan": { "name": plan },
        "regions": things("regions", "name"),
        "services": things("services", "title"),
        "vars": vars,
    })
}

pub(super) fn vars(document: &Document, reader: &Reader<'_>) {
    let Some(entry) = document.single("vars") else { return };
    let Some(table) = entry.node.table() else {
        let problem = Diagnostic::error("wrong-type", entry.node.place, "`vars` takes a table: `[vars]`");
        return reader.report.add(problem);
    };
    for (name, entry) in table {
        if !super::ids::is_name(name) {
            reader.report.add(super::ids::bad_name(name, entry.key_place));
        }
        if !matches!(entry.node.value, NodeValue::Text(_) | NodeValue::Integer(_) | NodeValue::Number(_)) {
            let message = format!("`vars.{name}` takes text or a number, this is {}", entry.node.describe());
            reader.report.add(Diagnostic::error(
                "wrong-type",
                entry.node.place,
                crate::base::text::clean(&message, 200),
            ));
        }
        if let Some(text) = entry.node.text() {
            super::secrets::warn_of_credentials(
                reader,
                text,
                &entry.node,
                &At { key: name, ..At::new("`[vars]`") },
            );
        }
    }
}

pub(super) fn plan(document: &Document, reader: &Reader<'_>) -> (String, Strategy) {
    if document.single("plan").is_none() {
        missing_section(reader, "there is no `[plan]` table", "begin with `[plan]` and `name = \"…\"`");
        return (String::new(), Strategy::WarmStandby);
    }
    let fields = single(document, reader, "plan");
    let strategy = match &*fields.text("strategy") {
        "backup-restore" => Strategy::BackupRestore,
        "pilot-light" => Strategy::PilotLight,
        "hot-standby" => Strategy::HotStandby,
        _ => Strategy::WarmStandby,
    };
    (fields.text("name"), strategy)
}

pub(super) fn policy(document: &Document, reader: &Reader<'_>, places: &mut Places) -> Policy {
    let fields = single(document, reader, "policy");
    for key in ["reference", "cooldown", "confirmation_expiry", "unknown_after"] {
        if fields.get(key).is_some() && document.single("policy").is_some() {
            places.insert(format!("policy.{key}"), fields.place_of(key));
        }
    }
    Policy {
        reference: fields.names("reference"),
        cooldown: fields.duration("cooldown").unwrap_or_default(),
        confirmation_expiry: fields.duration("confirmation_expiry").unwrap_or_default(),
        monitor: fields.duration("monitor").unwrap_or_default(),
        unknown_after: fields.duration("unknown_after").unwrap_or_default(),
    }
}

/// Every thing of a section whose keys are all there and right.
pub(super) fn things(
    document: &Document,
    reader: &Reader<'_>,
    section: &'static str,
    mut take: impl FnMut(&str, &Fields),
) {
    let Some(schema) = sections::find(section) else { return };
    let sections::Shape::Named(word) = schema.shape else { return };
    for (name, entry) in document.named(section) {
        let what = format!("{word} `{}`", crate::base::text::clean(name, 80));
        let fields = Fields::read(reader, &[schema.keys], entry, &At::new(&what));
        if fields.complete {
            take(name, &fields);
        }
    }
}

pub(super) fn regions(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<RegionId, Region> {
    let mut regions = IndexMap::new();
    things(document, reader, "regions", |id, fields| {
        places.insert(format!("regions.{id}.role"), fields.place_of("role"));
        let role = match &*fields.text("role") {
            "primary" => RegionRole::Primary,
            "standby" => RegionRole::Standby,
            _ => RegionRole::Other,
        };
        let region = Region {
            name: fields.text_or("name", id),
            role,
            health: fields.names("health"),
            kube_context: fields.get("kube_context").and_then(Read::text).map(str::to_owned),
        };
        regions.insert(RegionId::from(id), region);
    });
    regions
}

pub(super) fn services(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<ServiceId, Service> {
    let mut services = IndexMap::new();
    things(document, reader, "services", |id, fields| {
        for key in ["rto", "rpo", "health"] {
            places.insert(format!("services.{id}.{key}"), fields.place_of(key));
        }
        let health = fields.table("health").map(|(region, probes)| {
            let probes = match &probes.value {
                super::value::Value::List(list) => list.iter().filter_map(super::value::Read::text),
                _ => return (RegionId::from(&**region), Vec::new()),
            };
            (RegionId::from(&**region), probes.map(ProbeId::from).collect())
        });
        let service = Service {
            title: fields.text_or("title", id),
            tier: fields.integer("tier").and_then(|tier| u8::try_from(tier).ok()).unwrap_or(9),
            rto: fields.duration("rto").unwrap_or_default(),
            rpo: fields.duration("rpo"),
            health: health.collect(),
        };
        services.insert(ServiceId::from(id), service);
    });
    services
}

pub(super) fn backups(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<BackupId, Backup> {
    let mut backups = IndexMap::new();
    things(document, reader, "backups", |id, fields| {
        places.insert(format!("backups.{id}.max_age"), fields.place_of("max_age"));
        let backup = Backup {
            title: fields.text_or("title", id),
            method: fields.text("method"),
            location: fields.text("location"),
            probe: ProbeId::from(&*fields.text("probe")),
            max_age: fields.duration("max_age"),
            frequency: fields.text("frequency"),
            retention: fields.duration("retention"),
            kept: fields.text("kept"),
            encryption: Some(fields.text("encryption")).filter(|text| !text.is_empty()),
            size_change_percent: fields
                .integer("size_change")
                .and_then(|p| u8::try_from(p).ok())
                .unwrap_or(50),
            last_restore_test: fields.date("last_restore_test"),
            restore_probe: fields.get("restore_probe").and_then(|read| read.text()).map(ProbeId::from),
            test_every: fields.duration("test_every"),
        };
        backups.insert(BackupId::from(id), backup);
    });
    backups
}

/// `P0` to `P3`.
pub(super) fn severity_of(word: &str) -> Option<Severity> {
    [Severity::P0, Severity::P1, Severity::P2, Severity::P3].into_iter().find(|level| level.as_str() == word)
}

/// The severities of a list.
pub(super) fn severities(fields: &Fields, key: &str) -> Vec<Severity> {
    fields.list(key).iter().filter_map(|read| severity_of(read.text()?)).collect()
}

pub(super) fn severity(document: &Document, reader: &Reader<'_>, places: &mut Places) -> Vec<SeverityRule> {
    let Some(entry) = document.single("severity") else { return Vec::new() };
    let keys = sections::find("severity").map_or(&[][..], |section| section.keys);
    let NodeValue::List(rows) = &entry.node.value else {
        let message = format!("`severity` takes a list of tables, this is {}", entry.node.describe());
        reader.report.add(
            Diagnostic::error("wrong-type", entry.node.place, message)
                .help("write each rule as `[[severity]]`"),
        );
        return Vec::new();
    };
    let mut rules = Vec::new();
    for row in rows {
        let row = Entry { key_place: row.place, node: row.clone() };
        let fields = Fields::read(reader, &[keys], &row, &At::new("a severity rule"));
        let Some(when) = fields.condition("when").filter(|_| fields.complete) else { continue };
        let level = severity_of(&fields.text("level")).unwrap_or(Severity::P3);
        places.insert(format!("severity.{}", rules.len()), fields.place_of("level"));
        rules.push(SeverityRule { level, when, why: fields.text("why") });
    }
    rules
}

pub(super) fn drills(document: &Document, reader: &Reader<'_>) -> IndexMap<DrillId, Drill> {
    let mut drills = IndexMap::new();
    things(document, reader, "drills", |id, fields| {
        let drill = Drill {
            title: fields.text("title"),
            runbook: fields.get("runbook").and_then(|read| read.text()).map(RunbookId::from),
            every: fields.duration("every").unwrap_or(SignedDuration::ZERO),
            last: fields.date("last"),
        };
        drills.insert(DrillId::from(id), drill);
    });
    drills
}

/// Keys of a section itself.
pub(super) fn own(document: &Document, reader: &Reader<'_>, section: &'static str) -> Fields {
    let what = format!("`[{section}]`");
    let keys = sections::find(section).map_or(&[][..], |section| section.own);
    let absent = absent();
    let entry = document.single(section).unwrap_or(&absent);
    Fields::read(reader, &[keys], entry, &At::new(&what))
}
