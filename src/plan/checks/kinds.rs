//! What kinds refuse of their own keys: each probe, step and channel is made once, connected to nothing, so
//! that what could not be made in the night is found when the plan is loaded.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::keys::{Key, Need, Takes};
use crate::plan::kinds::{BuildError, keys};
use crate::plan::load::Draft;
use crate::plan::params::{Param, Params};
use crate::plan::registry::Registry;
use crate::plan::types::Step;
use crate::plan::units::format_duration;

/// The keys that hold a program and its arguments.
const PROGRAMS: [&str; 2] = ["argv", "verify_argv"];

pub(super) fn check(draft: &Draft, registry: &Registry, report: &Report) {
    let trial = (registry.trial)(&draft.plan);
    let told = |(prefix, what): (&str, &str), path: &str, params: &Params, found: Vec<BuildError>| {
        let mut told: Vec<&str> = Vec::new();
        let faults: Vec<(&str, String)> = found.iter().filter_map(BuildError::fault).collect();
        for (key, why) in &faults {
            let key = key.split('.').next().unwrap_or(key);
            // What a run fills in is not known yet, and one fault of a value is enough.
            if told.contains(&key) || params.get(key).is_some_and(is_open) {
                continue;
            }
            told.push(key);
            let place = draft.places.of(&format!("{path}.{key}"));
            report.add(Diagnostic::error(
                "bad-value",
                place,
                format!("`{prefix}{key}` of {what} does not do: {why}"),
            ));
        }
    };
    for (id, spec) in &draft.plan.probes {
        // What its own check found is told already.
        let is_told = registry.probe(&spec.kind).is_none_or(|kind| !(kind.check)(spec).is_empty());
        let built = trial.probe(spec).filter(|_| !is_told);
        told(
            ("", &format!("probe `{id}`")),
            &format!("probes.{id}"),
            &spec.params,
            built.into_iter().collect(),
        );
    }
    for (runbook, steps) in draft.plan.runbooks.iter().map(|(id, runbook)| (id, &runbook.steps)) {
        for step in steps.values() {
            let Some(kind) = registry.action(&step.action) else { continue };
            let built = trial.action(step);
            let found = general(kind.keys, &step.params).into_iter().chain(built).chain(too_long(step));
            let what = format!("step `{}`", step.id);
            let path = format!("runbooks.{runbook}.steps.{}.with", step.id);
            told(("with.", &what), &path, &step.params, found.collect());
        }
    }
    for (id, channel) in &draft.plan.channels {
        let Some(kind) = registry.notifier(&channel.kind) else { continue };
        let what = format!("channel `{id}`");
        let found = general(kind.keys, &channel.params).into_iter().chain(trial.channel(channel)).collect();
        told(("", &what), &format!("channels.{id}"), &channel.params, found);
    }
}

/// What is wrong whatever the kind.
fn general(all: &[Key], params: &Params) -> Vec<BuildError> {
    let empty = |key: &Key| {
        let text = matches!(key.takes, Takes::Text | Takes::MessageText | Takes::TextOrSecret);
        let text = params.text(key.name).filter(|_| text && key.need == Need::Required)?;
        text.trim().is_empty().then(|| BuildError::value(key.name, text, "it is empty"))
    };
    let empty = all.iter().filter_map(empty);
    let roots = keys::home_of(params, "tls_roots");
    empty.chain(keys::headers(params)).chain(keys::program(params, &PROGRAMS)).chain(roots).collect()
}

/// A state that has to last for longer than its step may take is never reached.
fn too_long(step: &Step) -> Option<BuildError> {
    let sustain = step.params.duration("sustain").filter(|sustain| *sustain >= step.timeout)?;
    let why = format!(
        "the step ends after {} (`timeout`), before anything has lasted for so long",
        format_duration(step.timeout)
    );
    Some(BuildError::value("sustain", &format_duration(sustain), why))
}

/// Whether a run fills in a part of it.
fn is_open(param: &Param) -> bool {
    match param {
        Param::Text(text) => text.contains("{{"),
        Param::List(list) => list.iter().any(is_open),
        Param::Table(table) => table.values().any(is_open),
        _ => false,
    }
}
