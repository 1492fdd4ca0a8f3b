//! What the forms say.

use crate::base::ids::{QuestionId, RunId, RunbookId, StepId};
use crate::base::text::{clean, ended};
use crate::console::overlays::against;
use crate::console::overlays::declare;
use crate::console::overlays::form::{Form, Purpose};
use crate::console::overlays::left;
use crate::console::ui::Remains;
use crate::core::ask::contradiction::{self, Open};
use crate::core::ask::divergence::{self, DIVERGED, may_throw_away};
use crate::core::ask::severity::own_rule;
use crate::core::ask::{attested, escalation_status, evidence, scope};
use crate::core::model::Model;
use crate::core::words::incident::Mode;
use crate::core::words::loss::LossEstimate;
use crate::plan::condition::Truth;
use crate::plan::{Goto, MessageTemplate, Occasion, Runbook, Step};
use jiff::Timestamp;

/// Longest paragraph of a form that comes from elsewhere; what does not fit is read in pages.
const LINE_CHARS: usize = 20_000;

/// The heading.
pub(super) fn title(form: &Form, model: Option<&Model>) -> String {
    let called = |run: &RunId, step: &StepId| {
        model.map_or_else(|| step.to_string(), |model| model.step_title(run, step))
    };
    match &form.purpose {
        Purpose::Declare => "Declare an incident".into(),
        Purpose::SetSeverity => "Set the severity".into(),
        Purpose::Answer { .. } => "Answer".into(),
        Purpose::Revisit => "Go back to a question".into(),
        Purpose::Retry(run, step) => format!("Try {} again", called(run, step)),
        Purpose::Skip(run, step) => format!("Skip {}", called(run, step)),
        Purpose::Override { run, step, .. } => format!("Go on against a guard of {}", called(run, step)),
        Purpose::Attest(run, step) => format!("{} was done by hand", called(run, step)),
        Purpose::Abort(_) => "Abort the run".into(),
        Purpose::Note => "Note".into(),
        Purpose::Page(_) => "Page somebody".into(),
        Purpose::Send(_) => "Send a message".into(),
        Purpose::SkipMessage => "Do without a message".into(),
        Purpose::HandOver => "Hand over".into(),
        Purpose::Resolve(id) => format!("Resolve {id}"),
        Purpose::Reopen(id) => format!("Reopen {id}"),
        Purpose::Dismiss(id) => format!("Dismiss {id}"),
        Purpose::AnswerContradiction(_) => "Answer what cannot be right".into(),
        Purpose::RecordServing(_) => "Record which region serves".into(),
        Purpose::Undone(_) => "Record that it is no longer in force".into(),
        Purpose::Close(id) => format!("Close {id}"),
        Purpose::Acknowledge => "Acknowledge".into(),
        Purpose::Quit { .. } => "Close this console".into(),
        Purpose::Gone { .. } => "The engine".into(),
    }
}

/// What the form acts upon, a paragraph each.
pub(super) fn about(form: &Form, model: Option<&Model>, now: Timestamp) -> Vec<String> {
    let step = |run: &RunId, step: &StepId| {
        let found = model.and_then(|model| model.step(run, step));
        let status = found.map_or("not known", |(_, state)| state.status.as_str());
        format!("Step {step} of run {run}. Its status: {status}.")
    };
    let lines = match &form.purpose {
        Purpose::Declare => declare::about(form, model, now),
        Purpose::SetSeverity => {
            vec!["It counts instead of the derived one until the incident is closed.".into()]
        }
        Purpose::Answer { ask, suggested, question } => {
            let suggestion = match suggested {
                Some(answer) => format!("The evidence suggests {answer}. Another answer needs a reason."),
                None => "No suggestion: the evidence is not enough. Say why you answer so.".into(),
            };
            let begun = model.and_then(|model| Some((model, begun(form, model, question)?.1?)));
            let loss = begun.and_then(|(model, runbook)| loss_by_beginning(model, runbook, now));
            let diverged = begun.filter(|(_, runbook)| runbook.steps.values().any(may_throw_away));
            let diverged = diverged.map_or_else(Vec::new, |(model, _)| left::diverged(model));
            [ask.clone(), suggestion].into_iter().chain(diverged).chain(loss).collect()
        }
        Purpose::Revisit => vec!["The answers so far stay in the journal.".into()],
        Purpose::Retry(run, id) if form.choices.is_empty() => {
            let then = "It is made ready again; nothing runs before it is confirmed anew.".to_owned();
            let diverged = model.map_or_else(Vec::new, |model| left::thrown_away(model, run, id));
            let running = model.map_or_else(Vec::new, |model| left::running(model, run, id));
            [vec![step(run, id)], running, diverged, vec![then]].concat()
        }
        Purpose::Retry(run, id) => {
            let then = "Nobody knows whether it acted: look before it runs twice.".to_owned();
            let diverged = model.map_or_else(Vec::new, |model| left::thrown_away(model, run, id));
            let running = model.map_or_else(Vec::new, |model| left::running(model, run, id));
            [vec![step(run, id)], running, diverged, vec![then]].concat()
        }
        Purpose::Skip(run, id) => {
            let mut lines = vec![step(run, id)];
            lines.extend(model.map_or_else(Vec::new, |model| left::by_skipping(model, run, id, now)));
            lines
        }
        Purpose::Override { run, step: id, losses, .. } => {
            let mut lines = vec![step(run, id)];
            lines.extend(model.map_or_else(Vec::new, |model| left::thrown_away(model, run, id)));
            lines.extend(losses.iter().map(|loss| format!("Lost by it: {}", ended(loss))));
            lines
        }
        Purpose::Attest(run, id) => {
            let mut lines = vec![step(run, id)];
            lines.extend(model.map_or_else(Vec::new, |model| left::thrown_away(model, run, id)));
            lines
                .extend(model.and_then(|model| check(model, run, id)).map(|check| format!("Check: {check}")));
            lines.extend(model.map_or_else(Vec::new, |model| against::attesting(model, run, id, now)));
            lines.push("Your word stands for its verification, under your name.".into());
            lines
        }
        Purpose::Abort(run) => {
            let said = format!(
                "Run {run}: nothing further starts. What is running is told to end and may stay unknown."
            );
            std::iter::once(said).chain(model.map_or_else(Vec::new, |model| left::by_aborting(model, run))).collect()
        }
        Purpose::Note => vec!["It goes into the journal and the timeline.".into()],
        Purpose::Page(_) => vec![
            "At once, on every way that they have, whatever the policy says. They read the state of things and your \
             text, which may be empty."
                .into(),
        ],
        Purpose::Send(_) => vec!["You read it before it is sent.".into()],
        Purpose::SkipMessage => vec!["Those whom it is for are not told. The reason goes into the journal.".into()],
        Purpose::HandOver => {
            let mut lines = vec![
                "It is recorded and shown, and nobody is told by it: tell them, and read them the brief.".to_owned(),
            ];
            if !form.offers.is_empty() {
                lines.push(format!("Known: {}.", form.offers.join(", ")));
            }
            lines
        }
        Purpose::Undone(_) => left::undone(form, model),
        Purpose::Resolve(_) => {
            model.map_or_else(Vec::new, left::by_closing).into_iter().chain(resolving(model, now)).collect()
        }
        Purpose::Reopen(_) => vec!["The watch ends, and people are paged anew from the first level.".into()],
        Purpose::Dismiss(_) => {
            let proposal = model.and_then(|model| model.durable.proposal.as_ref());
            let what = proposal.map(|proposal| format!("{}: {}", proposal.severity.as_str(), ended(&proposal.title)));
            let then = "Nobody is paged further, and only something worse, or another reason, is proposed until all is well.";
            what.into_iter().chain([then.to_owned()]).collect()
        }
        Purpose::AnswerContradiction(ids) => model.map_or_else(Vec::new, |model| answering(model, ids)),
        Purpose::RecordServing(regions) => {
            let what = format!(
                "{}: its services, objectives and failback are looked at from there. Say what was done, and by whom.",
                regions.iter().map(|region| region.as_str()).collect::<Vec<_>>().join(", ")
            );
            let incident = model.and_then(|model| model.durable.incident.as_ref());
            let is_drill = incident.is_some_and(|incident| incident.mode == Mode::SafeDrill);
            let real = "THIS IS REAL and no part of the exercise: what is recorded here holds after the drill too.";
            is_drill.then(|| real.to_owned()).into_iter().chain([what]).collect()
        }
        Purpose::Close(_) => {
            let mut lines: Vec<String> = model.and_then(|model| standing(model, now)).into_iter().collect();
            if let Some(unproven) = model.and_then(|model| unproven(model, now)) {
                lines.push(format!("{unproven} A proof that comes after the close moves nothing."));
            }
            lines.extend(model.map_or_else(Vec::new, |model| escalation_status::unfinished(model, now)));
            lines.extend(model.map_or_else(Vec::new, left::by_closing));
            lines.push("The tree and its runs end with it; the journal keeps them.".into());
            lines
        }
        Purpose::Acknowledge => vec!["You take it on: no further level is paged.".into()],
        Purpose::Quit { remains: Remains::Nothing, .. } => {
            vec!["The simulation ends with this console, whatever is open in it, and nothing of it is kept.".into()]
        }
        Purpose::Quit { remains: Remains::Journal, .. } => vec![
            "The simulation ends with this console, whatever is open in it: the journal is kept, and nothing \
             goes on."
                .into(),
        ],
        Purpose::Quit { run, .. } => {
            let open = run.as_ref().map_or("The incident is open.".to_owned(), |run| format!("Run {run} is open."));
            let goes_on = "The engine goes on with what is running, and waits for people where the plan says so.";
            vec![format!("{open} {goes_on}"), "What attaches again is said when this ends.".into()]
        }
        Purpose::Gone { why, next } => vec![ended(why), next.clone()],
    };
    lines.iter().map(|line| clean(line, LINE_CHARS)).collect()
}

/// What is answered, and what the answer opens.
fn answering(model: &Model, ids: &[String]) -> Vec<String> {
    let asked = |open: &&Open| ids.contains(&open.contradiction.id);
    let mut lines: Vec<String> = contradiction::of(model)
        .iter()
        .filter(asked)
        .map(|open| format!("{}: {}", open.contradiction.what, ended(&open.contradiction.why)))
        .collect();
    if !lines.is_empty() {
        lines.push("An answer is good for this one only, and lifts what it blocks; it mends nothing.".into());
    }
    let apart = divergence::over(model).into_iter().filter(|split| ids.contains(&split.id));
    let apart: Vec<String> = apart.map(|split| format!("{DIVERGED}: {}", split.sentence())).collect();
    if !apart.is_empty() {
        let said = "Say what became of it: both compared, what was missing brought over, or why it may be lost. Your \
                    word takes it off every screen.";
        lines.extend(apart.into_iter().chain([said.to_owned()]));
    }
    lines
}

/// What holds right now although somebody is about to say that it is over.
fn standing(model: &Model, now: Timestamp) -> Option<String> {
    let (severity, _, why) = model.durable.severity.as_ref()?;
    Some(match own_rule(model, now) {
        Some(Truth::Unknown(because)) => {
            format!("It was {}, and CANNOT BE TOLD RIGHT NOW ({because}): {}", severity.as_str(), ended(why))
        }
        _ => format!("{} HOLDS RIGHT NOW: {}", severity.as_str(), ended(why)),
    })
}

/// What follows from calling it resolved: what is sent by itself.
fn resolving(model: Option<&Model>, now: Timestamp) -> Vec<String> {
    let mut lines = vec!["Nobody is paged further, and the providers' alerts are closed.".to_owned()];
    let Some(model) = model else { return lines };
    lines.splice(0..0, standing(model, now));
    lines.splice(0..0, unproven(model, now));
    let watch = crate::base::units::duration(model.plan.policy.monitor);
    lines.push(format!("The watch of {watch} begins. A new P0 or P1 reopens it by itself."));
    let sent = model.plan.messages.values().filter(|template| template.on.contains(&Occasion::Resolved));
    let (by_itself, due): (Vec<_>, Vec<_>) = sent.partition(|template| template.automatic);
    let titles = |templates: Vec<&MessageTemplate>| -> String {
        templates.iter().map(|template| template.title.as_str()).collect::<Vec<_>>().join(", ")
    };
    if !by_itself.is_empty() {
        lines.push(format!("SENT BY ITSELF then: {}", ended(&titles(by_itself))));
    }
    if !due.is_empty() {
        lines.push(format!("Due then: {}", ended(&titles(due))));
    }
    lines
}

/// The step, of any run of the incident, that a person says is done and that its own proof does not show.
fn unproven(model: &Model, now: Timestamp) -> Option<String> {
    let unshown = attested::unshown_of_any(model, now)?;
    Some(format!("NOT PROVEN: {} ({}).", unshown.words(), unshown.runbook.title))
}

/// How to see that a step that a person does worked.
fn check(model: &Model, run: &RunId, id: &StepId) -> Option<String> {
    let (step, _) = model.step(run, id).filter(|(step, _)| step.is_by_hand())?;
    let params = scope::render(model, run, step).ok()?;
    params.text("check").map(str::to_owned)
}

/// What the text is; none where the form, with what is chosen now, asks for none.
pub(super) fn label(form: &Form) -> Option<&'static str> {
    if form.takes_word() {
        return Some("Type it here");
    }
    form.writes().then_some(match form.purpose {
        Purpose::Declare => "Title",
        Purpose::Note => "Note",
        Purpose::Attest(..) | Purpose::Undone(_) => "What was done, and how it was checked",
        Purpose::Close(_) => "How it ended",
        Purpose::Page(_) => "What they shall know besides; may be empty",
        Purpose::HandOver => "Name",
        Purpose::Resolve(_) => "How it was mended",
        _ => "Reason",
    })
}

/// The last question before it happens; `confirm` is the key that ends a typed yes.
pub(super) fn sure(form: &Form, model: Option<&Model>, confirm: &str) -> String {
    let question = match &form.purpose {
        Purpose::Declare if form.choice() == Some(declare::ACTING_DRILL) => {
            "ITS STEPS ACT FOR REAL. Begin this drill?"
        }
        Purpose::Declare if declare::mode(form).is_drill() => "Begin this drill?",
        Purpose::Declare => "Declare this incident?",
        Purpose::SetSeverity => "Set this severity?",
        Purpose::Answer { question, .. } => &giving(form, model, question),
        Purpose::Revisit => "Go back to this question?",
        Purpose::Retry(..) if form.choice() == Some("recheck") => "Read the world again?",
        Purpose::Retry(..) => "Try it again?",
        Purpose::Skip(run, step) => &of_step("Skip", model, (run, step), ""),
        Purpose::Override { run, step, .. } => &of_step("Let", model, (run, step), " run against this guard"),
        Purpose::Attest(run, step) => &of_step("Is", model, (run, step), " done"),
        Purpose::Undone(_) => "Is it undone, or to stay as it is?",
        Purpose::Abort(_) => "Abort this run?",
        Purpose::Note => "Write this note?",
        Purpose::Page(_) => "Page them now?",
        Purpose::Send(_) => "Write this message?",
        Purpose::SkipMessage => "Do without this message?",
        Purpose::HandOver => "Hand it over?",
        Purpose::Resolve(_) => "Call it resolved?",
        Purpose::Reopen(_) => "Reopen it?",
        Purpose::Dismiss(_) => "Is it no incident?",
        Purpose::Close(_) => "Close this incident?",
        Purpose::AnswerContradiction(_) => "Is that your answer?",
        Purpose::RecordServing(_) => "Does it serve?",
        Purpose::Acknowledge => "Take it on?",
        Purpose::Quit { remains: Remains::Engine, .. } | Purpose::Gone { .. } => "Close this console?",
        Purpose::Quit { .. } => "End this simulation?",
    };
    match form.word() {
        Some(word) => format!("{question} Type {word}, then {confirm}."),
        None => question.to_owned(),
    }
}

/// A question about a step by its name: which one is meant is not left to the eye.
fn of_step(verb: &str, model: Option<&Model>, (run, step): (&RunId, &StepId), rest: &str) -> String {
    let title = model.map_or_else(|| step.to_string(), |model| model.step_title(run, step));
    clean(&format!("{verb} {title}{rest}?"), LINE_CHARS)
}

/// What begins with an answer is said before it begins.
fn giving(form: &Form, model: Option<&Model>, question: &QuestionId) -> String {
    let answer = form.choice().unwrap_or_default();
    let text = match model.and_then(|model| begun(form, model, question)) {
        Some((id, runbook)) => {
            let title = runbook.map_or(id.as_str(), |runbook| &runbook.title);
            format!("\"{answer}\" begins {} Begin it?", ended(title))
        }
        None => format!("Answer \"{answer}\"?"),
    };
    clean(&text, LINE_CHARS)
}

/// The runbook that the chosen answer begins; none where it leads elsewhere.
fn begun<'m>(
    form: &Form,
    model: &'m Model,
    question: &QuestionId,
) -> Option<(&'m RunbookId, Option<&'m Runbook>)> {
    let answer = model.plan.tree.questions.get(question)?.answers.get(form.choice()?)?;
    let Goto::Runbook(id) = &answer.goto else { return None };
    Some((id, model.plan.runbooks.get(id)))
}

/// What is said of a runbook whose plan names no probe that tells what it loses: loud where one of its steps may lose
/// data. None of a runbook that only does what can be taken back.
fn without_loss(runbook: &Runbook) -> Option<String> {
    let lasting = || runbook.steps.values().filter(|step| step.irreversible || step.promotes());
    if lasting().any(Step::may_lose_data) {
        let what = what_would_lose(runbook);
        return Some(format!("What {what} would lose IS NOT KNOWN: the plan names no probe that tells it."));
    }
    let step = lasting().next()?;
    Some(format!("The plan names no loss for it: \"{}\" cannot be undone, and touches no data.", step.title))
}

/// A runbook that makes no other server or region serve, as one that rebuilds a server, is no failover.
fn is_failover(runbook: &Runbook) -> bool {
    runbook.activates.is_some() || runbook.steps.values().any(Step::promotes)
}

fn what_would_lose(runbook: &Runbook) -> &'static str {
    if is_failover(runbook) { "its failover" } else { "it" }
}

/// What a runbook would lose as it is now; none of one that can lose nothing.
fn loss_by_beginning(model: &Model, runbook: &Runbook, now: Timestamp) -> Option<String> {
    match LossEstimate::worst(evidence::losses(model, runbook, now)) {
        Some(loss) if loss.is_known() => {
            let what = if is_failover(runbook) { "Its failover" } else { "It" };
            Some(format!("{what} would lose: {}", ended(&loss.sentence())))
        }
        Some(loss) => {
            Some(format!("What {} would lose IS NOT KNOWN: {}", what_would_lose(runbook), ended(&loss.basis)))
        }
        None => without_loss(runbook),
    }
}
