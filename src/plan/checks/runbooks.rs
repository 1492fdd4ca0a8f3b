//! Steps: order, proof, confirmation.

use super::tree::cycle;
use crate::base::ids::{ProbeId, RegionId, RunbookId, ServiceId, StepId};
use crate::base::toml::{Diagnostic, Report};
use crate::plan::condition::Reference;
use crate::plan::kinds::Does;
use crate::plan::load::Draft;
use crate::plan::registry::Registry;
use crate::plan::types::{ConfirmLevel, Runbook, Step};
use crate::plan::units::format_duration;
use indexmap::IndexMap;
use jiff::SignedDuration;

pub(super) fn check(draft: &Draft, registry: &Registry, report: &Report) {
    for (id, runbook) in &draft.plan.runbooks {
        let path = format!("runbooks.{id}.steps");
        needs(&path, runbook, draft, report);
        switches(id, &path, runbook, draft, report);
        serves(id, &path, runbook, draft, report);
        undoes(&path, runbook, draft, report);
        restores(id, runbook, draft, report);
        for step in runbook.steps.values() {
            self::step(&format!("{path}.{}", step.id), step, draft, registry, report);
        }
        let promotes = |step: &&Step| step.irreversible && step.promotes();
        if let Some(step) = runbook.steps.values().find(promotes)
            && runbook.loss.is_empty()
        {
            let message = format!("runbook `{id}` promotes and does not say what tells the loss");
            let place = draft.places.of(&format!("{path}.{}.irreversible", step.id));
            let help =
                "name the replication probes in `loss`, so that the confirmation can say what would be lost";
            report.add(Diagnostic::warning("no-loss", place, message).help(help));
        }
    }
}

/// One step moves the traffic, to a region that the runbook names.
fn switches(id: &RunbookId, path: &str, runbook: &Runbook, draft: &Draft, report: &Report) {
    for (count, step) in runbook.steps.values().filter(|step| step.switches).enumerate() {
        let message = match (&runbook.activates, count) {
            (None, _) => {
                format!("step `{}` switches, and runbook `{id}` does not say to which region", step.id)
            }
            (Some(_), 0) => continue,
            (Some(_), _) => format!("step `{}` is not the only one of runbook `{id}` that switches", step.id),
        };
        let place = draft.places.of(&format!("{path}.{}.switches", step.id));
        let help = "one step moves the traffic, the runbook's `activates` names the region that serves then";
        report.add(Diagnostic::error("switches", place, message).help(help));
    }
    unsaid_switch(id, runbook, draft, report);
}

/// Without a step that switches a run moves nothing by itself.
fn unsaid_switch(id: &RunbookId, runbook: &Runbook, draft: &Draft, report: &Report) {
    let is_unsaid = draft.complete && !runbook.steps.values().any(|step| step.switches);
    let Some(region) = runbook.activates.as_ref().filter(|_| is_unsaid) else { return };
    let message = format!(
        "runbook `{id}` is for `{region}`, and no step says that it serves: the clocks run on, and services are looked at \
         where they were, until somebody records after the run which region serves"
    );
    let place = draft.places.of(&format!("runbooks.{id}.activates"));
    let help = "write `switches = true` at the step that moves the traffic";
    report.add(Diagnostic::warning("switches", place, message).help(help));
}

/// A service runs where a step moves it, and one run moves it to one place.
fn serves(id: &RunbookId, path: &str, runbook: &Runbook, draft: &Draft, report: &Report) {
    let mut moved: IndexMap<&ServiceId, (&RegionId, &Step)> = IndexMap::new();
    for step in runbook.steps.values() {
        let place = draft.places.of(&format!("{path}.{}.serves", step.id));
        if !step.serves.is_empty() && step.verify.is_none() {
            let message =
                format!("step `{}` moves services, and no `verify` shows that they serve there", step.id);
            let help = "write `verify` with a condition that holds once they do (`signals['public-api'].state == 'ok'`): \
                        without it they count as served there as soon as somebody attests the step";
            report.add(Diagnostic::warning("serves", place, message).help(help));
        }
        for (service, region) in &step.serves {
            let health = draft.plan.services.get(service).map(|service| &service.health);
            if health.is_some_and(|health| !health.contains_key(region)) {
                let message = format!(
                    "step `{}` moves service `{service}` to region `{region}`, where no probe watches it",
                    step.id
                );
                let help = format!(
                    "give `{service}` a `health.{region}`: without it nothing can show that it works there"
                );
                report.add(Diagnostic::error("serves", place, message).help(help));
            }
            match moved.get(service).copied() {
                Some((other, first)) if other != region => {
                    let message = format!(
                        "steps `{}` and `{}` of runbook `{id}` move service `{service}` to different regions, `{other}` \
                         and `{region}`",
                        first.id, step.id
                    );
                    let help = "the one that is done last counts; give each way a runbook of its own";
                    report.add(Diagnostic::warning("serves", place, message).help(help));
                }
                Some(_) => {}
                None => {
                    moved.insert(service, (region, step));
                }
            }
        }
    }
}

/// What it restores can be seen to work where it serves then.
fn restores(id: &RunbookId, runbook: &Runbook, draft: &Draft, report: &Report) {
    let Some(region) = &runbook.activates else { return };
    let services = runbook.restores.iter().filter_map(|id| Some((id, draft.plan.services.get(id)?)));
    let blind: Vec<&str> = services
        .filter(|(_, service)| !service.health.is_empty() && !service.health.contains_key(region))
        .map(|(id, _)| id.as_str())
        .collect();
    if !blind.is_empty() {
        let message = format!(
            "runbook `{id}` restores {} in region `{region}`, where no probe watches it",
            blind.join(", ")
        );
        let help = format!("give each a `health.{region}`: without it nothing can show that it works there");
        let place = draft.places.of(&format!("runbooks.{id}.restores"));
        report.add(Diagnostic::warning("restores", place, message).help(help));
    }
}

/// What a step takes back is there, and is another step.
fn undoes(path: &str, runbook: &Runbook, draft: &Draft, report: &Report) {
    let known = |id: &StepId| draft.plan.runbooks.values().any(|runbook| runbook.steps.contains_key(id));
    for step in runbook.steps.values() {
        for undone in step.undoes.iter().filter(|id| **id == step.id || !known(id)) {
            let message = match *undone == step.id {
                true => format!("step `{}` takes back itself", step.id),
                false => format!("step `{}` undoes `{undone}`, and no runbook has such a step", step.id),
            };
            let place = draft.places.of(&format!("{path}.{}.undoes", step.id));
            let help = "name steps by their `id`, of this or of another runbook";
            report.add(Diagnostic::error("undoes", place, message).help(help));
        }
        own_step_meant(path, runbook, step, draft, report);
    }
}

/// Says which step is meant where another runbook has one of that name too.
fn own_step_meant(path: &str, runbook: &Runbook, step: &Step, draft: &Draft, report: &Report) {
    for undone in step.undoes.iter().filter(|id| **id != step.id && runbook.steps.contains_key(*id)) {
        let mut others = draft.plan.runbooks.iter().filter(|(_, other)| !std::ptr::eq(*other, runbook));
        let Some((other, _)) = others.find(|(_, other)| other.steps.contains_key(undone)) else { continue };
        let message = format!(
            "step `{}` undoes `{undone}`, which is a step of this runbook and of `{other}`: this runbook's is meant",
            step.id
        );
        let place = draft.places.of(&format!("{path}.{}.undoes", step.id));
        let help = format!("where that of `{other}` is meant, give one of them another id");
        report.add(Diagnostic::warning("undoes", place, message).help(help));
    }
}

fn needs(path: &str, runbook: &Runbook, draft: &Draft, report: &Report) {
    let next = |index: usize| {
        let step = runbook.steps.get_index(index).map(|(_, step)| &step.needs);
        step.into_iter().flatten().filter_map(|need| runbook.steps.get_index_of(need)).collect()
    };
    let Some(cycle) = cycle(runbook.steps.len(), next) else { return };
    let names: Vec<&str> =
        cycle.iter().filter_map(|index| runbook.steps.get_index(*index)).map(|(id, _)| id.as_str()).collect();
    let first = names.first().copied().unwrap_or_default();
    let message = format!("these steps wait for each other: {} → {first}", names.join(" → "));
    let place = draft.places.of(&format!("{path}.{first}.needs"));
    report.add(
        Diagnostic::error("cycle", place, message)
            .help("a step needs the previous one unless `needs` says otherwise; `needs = []` is none"),
    );
}

fn step(path: &str, step: &Step, draft: &Draft, registry: &Registry, report: &Report) {
    let Some(kind) = registry.action(&step.action) else { return };
    let id = &step.id;
    let place = |key: &str| draft.places.of(&format!("{path}.{key}"));
    if kind.changes && !kind.proves(&step.params) && step.verify.is_none() {
        let message = format!("step `{id}` changes the world and nothing proves it");
        let problem = Diagnostic::error("no-verification", place("action"), message);
        report.add(problem.help(match kind.verifies_with {
            Some(key) => {
                format!("write `with.{key}`, or `verify` with a condition that holds once it worked")
            }
            None => format!(
                "`{}` cannot verify itself: write `verify` with a condition that holds once it worked",
                kind.name
            ),
        }));
    }
    if kind.does == Does::Fences && step.fences.is_empty() {
        let message = format!("step `{id}` fences a server that no probe is known to watch");
        let help = "what a failover would lose grows until the old primary is fenced: name its probes, and the \
                    replication probes of its standbys, in `fences`";
        report.add(Diagnostic::warning("no-fence", place("action"), message).help(help));
    }
    if step.irreversible && step.confirm != ConfirmLevel::Type {
        let message = format!("step `{id}` is irreversible and is not confirmed by typing");
        let problem = Diagnostic::error("confirmation", place("irreversible"), message);
        report
            .add(problem.help("write `confirm = \"type\"`: the operator then types the name of the target"));
    }
    if kind.changes && step.confirm == ConfirmLevel::None {
        let message = format!("step `{id}` changes the world without being confirmed");
        let problem = Diagnostic::warning("confirmation", place("confirm"), message);
        report.add(
            problem
                .help("it runs as soon as the steps before it are settled; `confirm = \"yes\"` asks first"),
        );
    }
    if step.timeout.is_zero() || step.verify_within.is_zero() && step.verify.is_some() {
        report.add(Diagnostic::error("out-of-range", place("timeout"), format!("step `{id}` gets no time")));
    }
    proof_in_time(path, step, draft, report);
    if let Some(estimate) = step.estimate
        && estimate > step.timeout
        && step.timeout > SignedDuration::ZERO
    {
        let message = format!("step `{id}` usually takes longer than its deadline");
        let problem = Diagnostic::warning("out-of-range", place("timeout"), message);
        report.add(problem.help("make `timeout` longer than `estimate`; it is 5m where absent"));
    }
}

/// A proof is read after the step's end: a probe that runs less often than the proof is waited for may never bring one.
fn proof_in_time(path: &str, step: &Step, draft: &Draft, report: &Report) {
    let Some(condition) = &step.verify else { return };
    let read = condition.references().iter().flat_map(|reference| probes(draft, reference));
    let slow = read.filter_map(|probe| draft.plan.probes.get(probe)).max_by_key(|probe| probe.every);
    let Some(probe) = slow.filter(|probe| probe.every > step.verify_within && !step.verify_within.is_zero())
    else {
        return;
    };
    let (within, every) = (format_duration(step.verify_within), format_duration(probe.every));
    let message =
        format!("the proof of step `{}` may take {within}, probe `{}` runs every {every}", step.id, probe.id);
    let least = format_duration(probe.every.saturating_add(probe.timeout));
    let help = format!(
        "a proof needs a reading of after the step: make `verify_within` longer ({least} or more; it is 60s where absent), or \
         `every` of that probe shorter"
    );
    let place = draft.places.of(&format!("{path}.verify_within"));
    let every = draft.places.of(&format!("probes.{}.every", probe.id));
    report.add(Diagnostic::warning("slow-proof", place, message).also(every, "less often").help(help));
}

/// The probes on which rests what a condition reads; of a service it depends on where that serves then.
fn probes<'d>(draft: &'d Draft, reference: &'d Reference) -> Vec<&'d ProbeId> {
    let plan = &draft.plan;
    let Some(name) = reference.name.as_deref() else { return Vec::new() };
    match reference.root.as_str() {
        "signals" => plan.probes.get_key_value(name).map(|(id, _)| id).into_iter().collect(),
        "regions" => plan.regions.get(name).map_or(Vec::new(), |region| region.health.iter().collect()),
        "backups" => plan.backups.get(name).map(|backup| &backup.probe).into_iter().collect(),
        _ => Vec::new(),
    }
}
