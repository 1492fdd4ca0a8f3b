//! What to do about what cannot be right: which server, which step, which key.

use super::{Next, View, diverged, on_decide, on_step, say};
use crate::base::ids::{RunId, StepId};
use crate::base::text::ended;
use crate::console::keymap::{Action, Context};
use crate::console::screens::words;
use crate::console::theme::Role;
use crate::core::ask::contradiction::{self, Contradiction, Kind, Open, Remedy, remedy};
use crate::core::ask::managed;
use crate::core::model::Model;
use crate::core::words::incident::Position;
use crate::core::words::status::StepStatus;
use crate::plan::{Severity, Step};

/// The contradiction that comes before what the tree and the run lead to; none where none does.
pub(super) fn first(model: &Model) -> Option<&Open> {
    contradiction::of(model).iter().find(|open| comes_first(model, open))
}

/// That nobody accepts writes is what they are for, until they say that it is over; another region that serves can wait
/// for the end of an incident, unless it is where the run goes.
fn comes_first(model: &Model, open: &Open) -> bool {
    let incident = model.durable.incident.as_ref();
    let is_over = incident.is_some_and(|incident| {
        incident.resolved.is_some()
            || (incident.open_run().is_none() && matches!(incident.position, Position::Runbook(_)))
    });
    open.answered.is_none()
        && match open.contradiction.kind {
            Kind::NobodyWrites => is_over,
            // Somebody is to be told first that nobody accepts writes.
            Kind::ServesElsewhere if model.durable.proposal.is_some() => false,
            Kind::ServesElsewhere => {
                incident.is_none() || is_over || promoted_by_others(model, open).is_some()
            }
            Kind::TwoPrimaries | Kind::PrimaryAlive | Kind::FencedWrites | Kind::Undone => true,
        }
}

/// The step that ends the contradiction which NEXT begins with.
pub(super) fn step(model: &Model) -> Option<(RunId, StepId)> {
    let open = first(model).or_else(|| diverged::going_on(model))?;
    if let Some((_, step)) =
        promoted_by_others(model, open).filter(|_| open.contradiction.kind == Kind::ServesElsewhere)
    {
        return Some((model.moving()?.0.id.clone(), step.id.clone()));
    }
    let found = remedy(model, &open.contradiction).filter(is_to_do)?;
    Some((found.run.id.clone(), found.step.id.clone()))
}

/// It is not done, or the world denies it.
fn is_to_do(remedy: &Remedy<'_>) -> bool {
    let state = remedy.state;
    !state.status.is_settled() || state.status == StepStatus::Skipped || state.denied.is_some()
}

/// What cannot be right, what ends it, and the key that answers it.
pub(super) fn next(view: &View<'_>, open: &Open) -> Next {
    let contradiction = &open.contradiction;
    if contradiction.kind == Kind::ServesElsewhere {
        return elsewhere(view, open);
    }
    let model = view.model;
    let what = match remedy(model, contradiction) {
        Some(found) => by_step(view, contradiction, &found),
        None => by_other_means(view, contradiction),
    };
    let answer = match contradiction.blocks.is_empty() || open.answered.is_some() {
        true => String::new(),
        false => {
            let answer = view.key(Action::AnswerContradiction);
            format!(" {answer} answers it with a reason: until then it blocks.")
        }
    };
    say(Role::Critical, format!("{what}{answer}"))
}

/// The step of the run that fences the server.
fn by_step(view: &View<'_>, contradiction: &Contradiction, found: &Remedy<'_>) -> String {
    let server = server(view.model, contradiction, found.step);
    let name = format!("step {} \"{}\"", found.place, found.step.title);
    let retry = view.key_in(Context::Decide, Action::RetryStep);
    let word = words::step(found.state).word();
    match is_to_do(found) {
        true if found.state.status.is_settled() => format!(
            "Fence {server}: {name} is {word}, and it takes writes; {}{retry} does the step again.",
            on_decide(view)
        ),
        true if let Some(instead) = managed::instead(view.model, &found.run.runbook, &found.step.id) => {
            refused(&format!("Fence {server}"), &name, instead)
        }
        true => {
            let runbook = view.model.plan.runbooks.get(&found.run.runbook);
            let capital = format!("Step {} \"{}\"", found.place, found.step.title);
            let how = runbook.map_or_else(String::new, |runbook| {
                on_step(view, found.run, runbook, found.step, found.state, &capital).text
            });
            format!("Fence {server}. {how}")
        }
        false => format!("{server}: {name} is {word} since then. Wait for its next reading."),
    }
}

/// The servers that a step fences, of those that the contradiction is about.
fn server(model: &Model, contradiction: &Contradiction, step: &Step) -> String {
    let meant = contradiction.servers.iter().filter(|probe| step.fences.contains(probe));
    let titles: Vec<&str> =
        meant.filter_map(|probe| model.plan.probes.get(probe)).map(|probe| probe.title.as_str()).collect();
    if titles.is_empty() { "it".to_owned() } else { titles.join(" and ") }
}

/// No step of the run does it: what a person does, and the way to a runbook that has such a step.
fn by_other_means(view: &View<'_>, contradiction: &Contradiction) -> String {
    let model = view.model;
    let fences =
        |step: &Step| contradiction.to_fence.as_ref().is_some_and(|probe| step.fences.contains(probe));
    let mut runbooks = model.plan.runbooks.iter();
    let found =
        runbooks.find_map(|(id, book)| Some((id, book, book.steps.values().find(|step| fences(step))?)));
    let way = match &model.durable.incident {
        None if contradiction.severity == Severity::P0 => {
            format!(" {} declares an incident.", view.key(Action::DeclareIncident))
        }
        Some(incident) if incident.open_run().is_none() && found.is_some() => {
            let other = view.key_in(Context::Decide, Action::AnswerOther);
            format!(" {}{other} goes to the question that leads there.", on_decide(view))
        }
        _ => String::new(),
    };
    let managed = found.and_then(|(id, _, step)| managed::instead(model, id, &step.id));
    let way = if managed.is_some() { String::new() } else { way };
    let step = match (found, &contradiction.to_fence) {
        (Some((_, book, step)), _) if let Some(instead) = managed => {
            let name = format!("\"{}\" of \"{}\"", step.title, book.title);
            format!(" {}", refused("A manager decides there", &name, instead))
        }
        (Some((_, book, step)), _) => format!(" \"{}\" of \"{}\" does that.", step.title, book.title),
        (None, Some(_)) => " No runbook of the plan has a step for that: do it by hand.".to_owned(),
        (None, None) => String::new(),
    };
    format!("{}{step}{way}", contradiction.next)
}

/// What works where the plan's own step is refused by the manager of its server.
fn refused(what: &str, step: &str, instead: &str) -> String {
    format!("{what}: its manager refuses {step}. {instead}")
}

/// Another region has the primary than the one that is recorded to serve.
fn elsewhere(view: &View<'_>, open: &Open) -> Next {
    let contradiction = &open.contradiction;
    let text = match promoted_by_others(view.model, open) {
        Some((place, step)) => {
            let attest = view.key_in(Context::Decide, Action::AttestStep);
            format!(
                "{} Step {place} \"{}\" has nothing left to promote: find out who did it, then {}{attest} attests it.",
                ended(&contradiction.what),
                step.title,
                on_decide(view)
            )
        }
        None => {
            let record = view.key(Action::RecordServing);
            format!("{} {} ({record})", ended(&contradiction.what), contradiction.next)
        }
    };
    say(Role::Warn, text)
}

/// The promotion of the open run that somebody else has done already, with its place from 1.
fn promoted_by_others<'m>(model: &'m Model, open: &Open) -> Option<(usize, &'m Step)> {
    let (run, runbook) = model.moving()?;
    let is_there =
        |step: &&Step| step.unfences.iter().any(|probe| open.contradiction.servers.contains(probe));
    let is_open = |step: &&Step| run.steps.get(&step.id).is_some_and(|state| !state.status.is_settled());
    let mut steps = runbook.steps.values().enumerate().map(|(place, step)| (place + 1, step));
    let leads = runbook.activates.as_ref().is_some_and(|region| model.serving() == Some(region));
    steps.find(|(_, step)| {
        leads && step.promotes() && is_open(step) && (step.unfences.is_empty() || is_there(step))
    })
}
