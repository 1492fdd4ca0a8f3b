//! A JSON schema of plan files, for completion and help in editors (Taplo, Even Better TOML).

use super::keys::{Key, Need, Takes};
use super::registry::Registry;
use super::sections::{SECTIONS, STEP_KEYS, Section, Shape};
use serde_json::{Map, Value, json};

/// The schema (draft 7, which the TOML editors understand). It knows keys, types and kinds; names and conditions
/// are `lifeboat check`'s.
pub fn schema(registry: &Registry) -> Value {
    let sections =
        SECTIONS.iter().map(|section| (section.name.to_owned(), section_schema(section, registry)));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "lifeboat plan",
        "type": "object",
        "additionalProperties": false,
        "properties": sections.collect::<Map<_, _>>(),
    })
}

fn section_schema(section: &Section, registry: &Registry) -> Value {
    let mut schema = match (section.name, section.shape) {
        ("probes", _) => {
            let kinds = registry.probes.iter().map(|kind| (kind.name, kind.keys));
            json!({"type": "object", "additionalProperties": by_kind(section, kinds, registry)})
        }
        ("channels", _) => {
            let kinds = registry.notifiers.iter().map(|kind| (kind.name, kind.keys));
            json!({"type": "object", "additionalProperties": by_kind(section, kinds, registry)})
        }
        (_, Shape::Named(_)) => {
            let thing = table(section.keys.iter(), registry);
            let own: Map<String, Value> = section.own.iter().map(|key| property(key, registry)).collect();
            json!({"type": "object", "properties": own, "additionalProperties": thing})
        }
        (_, Shape::Rows) => json!({"type": "array", "items": table(section.keys.iter(), registry)}),
        (_, Shape::Free) => json!({"type": "object", "additionalProperties": {"type": ["string", "number"]}}),
        (_, Shape::Single) => table(section.keys.iter(), registry),
    };
    schema["description"] = json!(section.doc);
    schema
}

/// A table with these keys and no others.
fn table<'a>(keys: impl Iterator<Item = &'a Key> + Clone, registry: &Registry) -> Value {
    let properties: Map<String, Value> = keys.clone().map(|key| property(key, registry)).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required(keys),
        "properties": properties,
    })
}

fn required<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<&'static str> {
    keys.filter(|key| key.need == Need::Required).map(|key| key.name).collect()
}

fn property(key: &Key, registry: &Registry) -> (String, Value) {
    let mut value = value(key.takes, registry);
    value["description"] = json!(match key.need {
        Need::Default(default) => format!("{} Default: {default}", key.doc),
        _ => key.doc.to_owned(),
    });
    (key.name.to_owned(), value)
}

fn value(takes: Takes, registry: &Registry) -> Value {
    let secret = || {
        json!({
            "type": "object",
            "required": ["secret"],
            "additionalProperties": false,
            "properties": {"secret": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$"}},
        })
    };
    match takes {
        Takes::Integer(low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
        Takes::Number => json!({"type": "number"}),
        Takes::Flag => json!({"type": "boolean"}),
        Takes::Duration => json!({"type": "string", "pattern": r"^\s*([0-9.]+ ?(ms|s|m|h|d|w)\s*)+$"}),
        Takes::Size => {
            json!({"type": "string", "pattern": "^\\s*[0-9.]+ ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)\\s*$"})
        }
        Takes::Threshold => json!({"type": ["string", "number"]}),
        Takes::Secret => secret(),
        Takes::TextOrSecret | Takes::ConnectionString => json!({"oneOf": [{"type": "string"}, secret()]}),
        Takes::Choice(words) => json!({"enum": words}),
        Takes::List(of) => json!({"type": "array", "items": value(*of, registry)}),
        Takes::Table(of) | Takes::TableBy(_, of) => {
            json!({"type": "object", "additionalProperties": value(*of, registry)})
        }
        Takes::Rows(keys) if std::ptr::eq(keys, STEP_KEYS) => {
            json!({"type": "array", "minItems": 1, "items": step_schema(registry)})
        }
        Takes::Rows(keys) => json!({"type": "array", "items": table(keys.iter(), registry)}),
        Takes::KindKeys => json!({"type": "object"}),
        Takes::Date => json!({}), // a TOML date has no JSON type
        Takes::Text
        | Takes::MessageText
        | Takes::Path
        | Takes::RawText
        | Takes::Condition
        | Takes::Regex
        | Takes::Url
        | Takes::Name(_) => json!({"type": "string"}),
    }
}

/// A probe or channel: the common keys, and those of the kind that it names.
fn by_kind(
    section: &Section,
    kinds: impl Iterator<Item = (&'static str, &'static [Key])> + Clone,
    registry: &Registry,
) -> Value {
    let common: Map<String, Value> = section.keys.iter().map(|key| property(key, registry)).collect();
    let names: Vec<&str> = kinds.clone().map(|(name, _)| name).collect();
    let of_kind = |(name, keys): (&str, &'static [Key])| {
        let keys = section.keys.iter().chain(keys);
        json!({"if": {"properties": {"kind": {"const": name}}}, "then": table(keys, registry)})
    };
    let cases: Vec<Value> = kinds.map(of_kind).collect();
    let mut schema =
        json!({"type": "object", "required": required(section.keys.iter()), "properties": common});
    schema["properties"]["kind"]["enum"] = json!(names);
    with_cases(schema, cases)
}

/// A step: its keys, and in `with` those of the action that it names.
fn step_schema(registry: &Registry) -> Value {
    let kinds: Vec<&str> = registry.actions.iter().map(|kind| kind.name).collect();
    let of_kind = |kind: &&crate::plan::kinds::ActionKind| {
        let with = table(kind.keys.iter(), registry);
        json!({"if": {"properties": {"action": {"const": kind.name}}}, "then": {"properties": {"with": with}}})
    };
    let cases: Vec<Value> = registry.actions.iter().map(of_kind).collect();
    let mut schema = table(STEP_KEYS.iter(), registry);
    schema["properties"]["action"]["enum"] = json!(kinds);
    with_cases(schema, cases)
}

/// `allOf` must not be empty.
fn with_cases(mut schema: Value, cases: Vec<Value>) -> Value {
    if !cases.is_empty() {
        schema["allOf"] = json!(cases);
    }
    schema
}
