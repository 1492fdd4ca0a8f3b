//! Runbooks and their steps.

use super::Places;
use super::basics::things;
use super::document::Document;
use super::fields::{Fields, absent};
use super::ids::{bad_name, is_name};
use super::reader::{At, Reader};
use super::value::{Read, Value};
use crate::base::ids::{RegionId, RunbookId, ServiceId, StepId};
use crate::base::toml::Diagnostic;
use crate::base::toml::node::{Entry, Node, NodeValue};
use crate::plan::is_left_out;
use crate::plan::kinds::ActionKind;
use crate::plan::sections::STEP_KEYS;
use crate::plan::template::Later;
use crate::plan::types::{ConfirmLevel, Runbook, Step};
use indexmap::{IndexMap, IndexSet};

/// Most steps of a runbook.
const MAX_STEPS: usize = 500;

pub(super) fn runbooks(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<RunbookId, Runbook> {
    let mut runbooks = IndexMap::new();
    things(document, reader, "runbooks", |id, fields| {
        if fields.get("loss").is_some() {
            places.insert(format!("runbooks.{id}.loss"), fields.place_of("loss"));
        }
        let mut runbook = Runbook {
            title: fields.text("title"),
            loss: fields.names("loss"),
            restores: fields.names("restores"),
            activates: fields.get("activates").and_then(|read| read.text()).map(RegionId::from),
            steps: fields.node("steps").map(|node| steps(id, node, reader, places)).unwrap_or_default(),
        };
        if is_safe_to_drill(fields) {
            runbook.steps.values_mut().for_each(|step| step.safe_to_drill = true);
        }
        runbooks.insert(RunbookId::from(id), runbook);
    });
    runbooks
}

fn steps(runbook: &str, node: &Node, reader: &Reader<'_>, places: &mut Places) -> IndexMap<StepId, Step> {
    let NodeValue::List(rows) = &node.value else { return IndexMap::new() };
    if rows.is_empty() || rows.len() > MAX_STEPS {
        let message = match rows.len() {
            0 => format!("runbook `{runbook}` has no steps"),
            steps => format!("runbook `{runbook}` has {steps} steps, the limit is {MAX_STEPS}"),
        };
        reader.report.add(Diagnostic::error("steps", node.place, message));
        return IndexMap::new();
    }
    let Some(names) = step_names(rows, reader) else { return IndexMap::new() };
    let mut steps = IndexMap::with_capacity(rows.len());
    let mut previous: Option<StepId> = None;
    for row in rows {
        let entry = Entry { key_place: row.place, node: row.clone() };
        if let Some(step) = step(runbook, &entry, previous.take(), &names, reader, places) {
            previous = Some(step.id.clone());
            steps.insert(step.id.clone(), step);
        }
    }
    steps
}

/// The names of all steps; nothing where two have the same.
fn step_names(rows: &[Node], reader: &Reader<'_>) -> Option<IndexSet<String>> {
    let mut names = IndexMap::new();
    let mut unique = true;
    for id in rows.iter().filter_map(|row| row.table()?.get("id")) {
        let Some(name) = id.node.text() else { continue };
        if !is_name(name) {
            reader.report.add(bad_name(name, id.node.place));
        }
        match names.get(name) {
            Some(first) => {
                unique = false;
                reader.report.add(
                    Diagnostic::error(
                        "duplicate-name",
                        id.node.place,
                        format!("two steps are called `{}`", crate::base::text::clean(name, 80)),
                    )
                    .also(*first, "first here"),
                );
            }
            None => {
                names.insert(name.to_owned(), id.node.place);
            }
        }
    }
    unique.then(|| names.into_keys().collect())
}

fn step(
    runbook: &str,
    entry: &Entry,
    previous: Option<StepId>,
    names: &IndexSet<String>,
    reader: &Reader<'_>,
    places: &mut Places,
) -> Option<Step> {
    let named = entry.node.table().and_then(|table| table.get("id")).and_then(|id| id.node.text());
    let what = match named {
        Some(id) => format!("step `{}`", crate::base::text::clean(id, 80)),
        None => format!("a step of runbook `{runbook}`"),
    };
    let at = At { later: Later::Step, steps: Some(names), ..At::new(&what) };
    let fields = Fields::read(reader, &[STEP_KEYS], entry, &at);
    let kind = kind(&fields, reader);
    let with = with(kind, &fields, reader, &what, names);
    let (kind, with) = (kind.filter(|_| fields.complete)?, with?);
    let params = with.params(kind.keys);
    let id = fields.text("id");
    let path = format!("runbooks.{runbook}.steps.{id}");
    places.insert(path.clone(), fields.place_of("id"));
    for key in kind.keys.iter().filter(|key| with.get(key.name).is_some()) {
        places.insert(format!("{path}.with.{}", key.name), with.place_of(key.name));
    }
    for key in [
        "confirm",
        "irreversible",
        "switches",
        "serves",
        "undoes",
        "fences",
        "unfences",
        "verify",
        "verify_within",
        "needs",
        "timeout",
        "action",
    ] {
        if fields.get(key).is_some() {
            places.insert(format!("{path}.{key}"), fields.place_of(key));
        }
    }
    let text = |key: &str| fields.get(key).and_then(|read| read.text());
    Some(Step {
        id: StepId::from(&*id),
        title: fields.text("title"),
        action: kind.name.to_owned(),
        does: kind.does,
        params,
        needs: match fields.get("needs") {
            Some(_) => fields.names("needs"),
            None => previous.into_iter().collect(),
        },
        guard: guards(&fields),
        confirm: match text("confirm") {
            Some("none") => ConfirmLevel::None,
            Some("type") => ConfirmLevel::Type,
            Some(_) => ConfirmLevel::Yes,
            None if kind.changes => ConfirmLevel::Yes,
            None => ConfirmLevel::None,
        },
        changes: kind.changes,
        irreversible: fields.flag("irreversible"),
        switches: fields.flag("switches"),
        serves: serves(&fields),
        safe_to_drill: is_safe_to_drill(&fields),
        fences: fields.names("fences"),
        unfences: fields.names("unfences"),
        estimate: fields.duration("estimate"),
        timeout: fields.duration("timeout")?,
        verify: fields.condition("verify"),
        verify_within: fields.duration("verify_within")?,
        manual: text("manual").map(str::to_owned),
        undo: text("undo").map(str::to_owned),
        undoes: undoes(&fields),
    })
}

fn guards(fields: &Fields) -> Vec<crate::plan::condition::Condition> {
    let condition =
        |value: &Value| if let Value::Condition(condition) = value { Some(condition.clone()) } else { None };
    fields.list("guard").iter().filter_map(|read| condition(&read.value)).collect()
}

fn is_safe_to_drill(fields: &Fields) -> bool {
    fields.get("drill").and_then(|read| read.text()) == Some("safe")
}

fn serves(fields: &Fields) -> IndexMap<ServiceId, RegionId> {
    let row = |(service, region): (&String, &Read)| {
        Some((ServiceId::from(&**service), RegionId::from(region.text()?)))
    };
    fields.table("serves").filter_map(row).collect()
}

fn undoes(fields: &Fields) -> Vec<StepId> {
    fields.list("undoes").iter().filter_map(|read| read.text()).map(StepId::from).collect()
}

fn kind(fields: &Fields, reader: &Reader<'_>) -> Option<&'static ActionKind> {
    let name = fields.get("action")?.text()?;
    let kind = reader.registry.action(name);
    if kind.is_none() && is_left_out(name) {
        super::left_out::used(reader.report, fields.place_of("action"), name);
    } else if kind.is_none() {
        let message = format!("there is no action kind `{}`", crate::base::text::clean(name, 60));
        let problem = Diagnostic::error("unknown-kind", fields.place_of("action"), message);
        reader.report.add(problem.help(reader.registry.action_help(name)));
    }
    kind
}

/// The keys of `with.…`, against those of the action's kind.
fn with(
    kind: Option<&'static ActionKind>,
    fields: &Fields,
    reader: &Reader<'_>,
    step: &str,
    names: &IndexSet<String>,
) -> Option<Fields> {
    let kind = kind?;
    let what = format!("`with` of {step}");
    let entry = match fields.node("with") {
        Some(node) => Entry { key_place: node.place, node: node.clone() },
        None => Entry { key_place: fields.place, ..absent() },
    };
    let at = At { later: Later::Step, steps: Some(names), ..At::new(&what) };
    let mut read = Fields::read(reader, &[kind.keys], &entry, &at);
    read.read_rows(reader, kind.keys, &at);
    read.complete.then_some(read)
}
