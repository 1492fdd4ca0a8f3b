//! Reading a scenario file.

use super::entry::Entry;
use super::select;
use super::sheet::Sheet;
use super::{
    Attempts, Change, Event, Fault, FaultKind, ProbeState, Reaction, RegionState, Scenario, Trigger,
};
use crate::base::ids::ProbeId;
use crate::base::toml::Diagnostics;
use crate::base::toml::node::{NodeValue, Table};
use crate::base::units::Unit;
use crate::plan::Plan;
use jiff::SignedDuration;

/// More than anyone writes by hand.
const MAX_BYTES: usize = 256 * 1024;
const MAX_ENTRIES: usize = 1000;

const SCENARIO_KEYS: &[&str] = &["name", "title", "steps_take", "at", "on"];
const AT_KEYS: &[&str] = &[
    "after",
    "region",
    "probe",
    "service",
    "traffic",
    "is",
    "lag",
    "age",
    "value",
    "grow_per_minute",
    "period",
];
const ON_KEYS: &[&str] = &[
    "step",
    "action",
    "takes",
    "output",
    "fails",
    "how",
    "why",
    "after",
    "region",
    "probe",
    "service",
    "traffic",
    "is",
    "lag",
    "age",
    "value",
    "grow_per_minute",
    "period",
];

/// As [`Scenario::parse`].
pub(super) fn parse(text: &str, file: &str, plan: &Plan) -> Result<Scenario, Diagnostics> {
    let mut sheet = Sheet::new(file, text);
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} KiB", MAX_BYTES / 1024);
        sheet.problem(sheet.head(), message, "is it a scenario?");
        return sheet.finish(None);
    }
    let root = sheet.parse();
    let scenario = root.map(|root| read(&root, plan, &mut sheet));
    sheet.finish(scenario)
}

fn read(root: &Table, plan: &Plan, sheet: &mut Sheet) -> Scenario {
    let head = Entry::new(root, sheet.head(), SCENARIO_KEYS, sheet);
    let text = |found: Option<(&str, _)>| found.map(|(text, _)| text.to_owned()).unwrap_or_default();
    Scenario {
        name: text(head.require_text("name", sheet)),
        title: text(head.require_text("title", sheet)),
        steps_take: head.duration("steps_take", sheet),
        events: entries(root, "at", AT_KEYS, sheet, |entry, sheet| event(entry, plan, sheet)),
        reactions: entries(root, "on", ON_KEYS, sheet, |entry, sheet| reaction(entry, plan, sheet)),
    }
}

/// Reads each `[[key]]` table; those with problems are left out.
fn entries<'t, T>(
    root: &'t Table,
    key: &str,
    known: &'static [&'static str],
    sheet: &mut Sheet,
    mut read: impl FnMut(&Entry<'t>, &mut Sheet) -> Option<T>,
) -> Vec<T> {
    let Some(value) = root.get(key).map(|entry| &entry.node) else { return Vec::new() };
    let NodeValue::List(list) = &value.value else {
        sheet.problem(value.place, format!("`{key}` is a list of tables"), format!("write `[[{key}]]`"));
        return Vec::new();
    };
    if list.len() > MAX_ENTRIES {
        sheet.problem(value.place, format!("more than {MAX_ENTRIES} `[[{key}]]` tables"), "");
        return Vec::new();
    }
    let mut found = Vec::new();
    for item in list {
        let Some(table) = item.table() else {
            sheet.problem(item.place, format!("`{key}` is a list of tables"), format!("write `[[{key}]]`"));
            continue;
        };
        let entry = Entry::new(table, item.place, known, sheet);
        found.extend(read(&entry, sheet));
    }
    found
}

fn event(entry: &Entry<'_>, plan: &Plan, sheet: &mut Sheet) -> Option<Event> {
    if subjects(entry) == 0 {
        sheet.problem(entry.span, "nothing happens here", "name a region, probe, service or traffic");
    }
    let changes = changes(entry, plan, sheet);
    Some(Event { after: entry.duration("after", sheet).unwrap_or_default(), changes })
}

fn reaction(entry: &Entry<'_>, plan: &Plan, sheet: &mut Sheet) -> Option<Reaction> {
    let trigger = match (entry.text("step", sheet), entry.text("action", sheet)) {
        (Some(step), None) => select::step(step, plan, sheet).map(Trigger::Step),
        (None, Some(action)) => select::action(action, plan, sheet).map(Trigger::Action),
        _ => {
            sheet.problem(entry.span, "`[[on]]` needs either `step` or `action`", "");
            None
        }
    };
    let fault = fault(entry, sheet);
    let changes = changes(entry, plan, sheet);
    let takes = entry.duration("takes", sheet);
    let output = entry.texts("output", sheet);
    let after = entry.duration("after", sheet).unwrap_or_default();
    if subjects(entry) == 0 && !["fails", "takes", "output"].iter().any(|key| entry.has(key)) {
        let help = "say what changes, how long it takes, what it prints or how it fails";
        sheet.problem(entry.span, "nothing follows from this", help);
    }
    Some(Reaction { trigger: trigger?, takes, output, fault, after, changes })
}

fn fault(entry: &Entry<'_>, sheet: &mut Sheet) -> Option<Fault> {
    const ATTEMPTS: &[(&str, Attempts)] = &[("first", Attempts::First), ("always", Attempts::Always)];
    const KINDS: &[(&str, FaultKind)] = &[
        ("refused", FaultKind::Refused),
        ("hangs", FaultKind::Hangs),
        ("lost-answer", FaultKind::LostAnswer),
        ("target-changed", FaultKind::TargetChanged),
    ];
    for key in ["how", "why"] {
        if entry.has(key) && !entry.has("fails") {
            sheet.problem(entry.place(key), format!("`{key}` without `fails`"), "add `fails = \"first\"`");
        }
    }
    let how = if entry.has("how") { entry.choice("how", KINDS, sheet) } else { Some(FaultKind::Refused) };
    let why = entry.text("why", sheet).map_or("the scenario says so", |(why, _)| why).to_owned();
    Some(Fault { attempts: entry.choice("fails", ATTEMPTS, sheet)?, how: how?, why })
}

/// How many things an entry is about; a service with a region is one.
fn subjects(entry: &Entry<'_>) -> usize {
    let region = entry.has("region") && !entry.has("service");
    usize::from(region) + ["probe", "service", "traffic"].iter().filter(|key| entry.has(key)).count()
}

fn changes(entry: &Entry<'_>, plan: &Plan, sheet: &mut Sheet) -> Vec<Change> {
    if subjects(entry) > 1 {
        let help = "write one table for each";
        sheet.problem(entry.span, "more than one of region, probe, service and traffic", help);
        return Vec::new();
    }
    if subjects(entry) == 0 {
        for key in ["is", "lag", "age", "value", "grow_per_minute", "period"] {
            if entry.has(key) {
                sheet.problem(
                    entry.place(key),
                    format!("`{key}` of what?"),
                    "name a region, probe or service",
                );
            }
        }
        return Vec::new();
    }
    if let Some(to) = entry.text("traffic", sheet) {
        return select::region(to, plan, sheet).map(Change::Traffic).into_iter().collect();
    }
    let region = entry.text("region", sheet).and_then(|name| select::region(name, plan, sheet));
    if let Some(service) = entry.text("service", sheet) {
        return probe_changes(entry, select::service(service, region, plan, sheet), plan, sheet);
    }
    if let Some(probe) = entry.text("probe", sheet) {
        return probe_changes(entry, select::probes(probe, plan, sheet), plan, sheet);
    }
    let state = region_state(entry, sheet);
    region.zip(state).map(|(region, state)| Change::Region(region, state)).into_iter().collect()
}

fn region_state(entry: &Entry<'_>, sheet: &mut Sheet) -> Option<RegionState> {
    entry.require_text("is", sheet)?;
    let states = [
        ("up", RegionState::Up),
        ("down", RegionState::Down),
        ("partial", RegionState::Partial),
        ("unreachable", RegionState::Unreachable),
        ("flapping", RegionState::Flapping(period(entry, sheet))),
    ];
    entry.choice("is", &states, sheet)
}

fn probe_changes(entry: &Entry<'_>, probes: Vec<ProbeId>, plan: &Plan, sheet: &mut Sheet) -> Vec<Change> {
    let of_all = probes.into_iter().map(|probe| {
        let state = probe_state(entry, &probe, plan, sheet);
        state.map(|state| Change::Probe(probe, state))
    });
    of_all.flatten().collect()
}

fn probe_state(entry: &Entry<'_>, probe: &ProbeId, plan: &Plan, sheet: &mut Sheet) -> Option<ProbeState> {
    let states = [
        ("normal", Some(ProbeState::Normal)),
        ("down", Some(ProbeState::Down)),
        ("unreachable", Some(ProbeState::Unreachable)),
        ("flapping", Some(ProbeState::Flapping(period(entry, sheet)))),
        ("stale", None),
    ];
    if entry.has("is") {
        return match entry.choice("is", &states, sheet)? {
            Some(state) => Some(state),
            None => {
                Some(ProbeState::Value { value: stale_age_s(entry, probe, plan, sheet), per_second: 1.0 })
            }
        };
    }
    if let Some(key) = ["lag", "age"].into_iter().find(|key| entry.has(key)) {
        if plan.probes.get(probe).is_some_and(|spec| spec.unit != Unit::Seconds) {
            let help = "use `value`, in the probe's own unit";
            sheet.problem(entry.place(key), format!("probe `{probe}` does not measure time"), help);
        }
        let growth = entry.duration("grow_per_minute", sheet);
        let per_second =
            growth.map_or(if key == "age" { 1.0 } else { 0.0 }, |grow| grow.as_secs_f64() / 60.0);
        return entry
            .duration(key, sheet)
            .map(|value| ProbeState::Value { value: value.as_secs_f64(), per_second });
    }
    if entry.has("value") {
        let per_second = entry.number("grow_per_minute", sheet).unwrap_or(0.0) / 60.0;
        return entry.number("value", sheet).map(|value| ProbeState::Value { value, per_second });
    }
    sheet.problem(entry.span, "how is it?", "say `is`, `lag`, `age` or `value`");
    None
}

fn period(entry: &Entry<'_>, sheet: &mut Sheet) -> SignedDuration {
    entry
        .duration("period", sheet)
        .filter(|period| !period.is_zero())
        .unwrap_or(SignedDuration::from_secs(60))
}

/// Half as old again as the plan allows, where the scenario gives no age.
fn stale_age_s(entry: &Entry<'_>, probe: &ProbeId, plan: &Plan, sheet: &mut Sheet) -> f64 {
    if let Some(age) = entry.duration("age", sheet) {
        return age.as_secs_f64();
    }
    let backup =
        plan.backups.values().find(|backup| backup.probe == *probe).and_then(|backup| backup.max_age);
    let bounds = plan.probes.get(probe).map(|spec| spec.thresholds).unwrap_or_default();
    let allowed = [backup.map(|age| age.as_secs_f64()), bounds.critical, bounds.warn];
    1.5 * allowed.into_iter().flatten().fold(0.0, f64::max).max(3600.0)
}
