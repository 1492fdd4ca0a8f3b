//! What to do next, in one or two sentences with the keys: the answer to the first question at 3 a.m.

mod contradicted;
mod diverged;
mod held;
mod people;

use super::paint::{cut, labelled_with};
use super::words::{about, blind_since, clock_time, is_cut_off};
use super::{ROOMY, View};
use crate::base::ids::{ProbeId, QuestionId, RunId, StepId};
use crate::base::text::ended;
use crate::base::units;
use crate::console::keymap::{Action, Context};
use crate::console::theme::Role;
use crate::console::ui::{Connection, Screen};
use crate::core::ask::attested::{self, Unshown};
use crate::core::ask::contradiction::Open;
use crate::core::ask::{backup, escalation_status, in_force, names, oncall, promoting, tree};
use crate::core::decide::{proposed_in, target_of};
use crate::core::model::{Model, Status};
use crate::core::words::action::{Failure, UNMOVED};
use crate::core::words::incident::{Incident, Mode, Outcome, Position, Run, RunEnd, StepRun};
use crate::core::words::loss::LossEstimate;
use crate::core::words::signal::{SignalState, age, failing};
use crate::core::words::status::StepStatus;
use crate::plan::{Runbook, Step};
use ratatui::text::Line;

/// What to do, and how urgent it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Next {
    pub text: String,
    /// How it is drawn.
    pub role: Role,
}

/// How many rows of `width` cells it may take: how something is taken back is not cut off.
fn rows(next: &Next, width: u16) -> usize {
    let rows = if tells_left(&next.text) { 5 } else { 3 };
    if width < ROOMY.0 { rows + 2 } else { rows }
}

/// What to do next in the rows that it may take; where it is cut the key of the brief stands there.
pub fn lines(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    lines_in(view, rows(&next(view), width), width)
}

/// The same in so many rows.
pub fn lines_in(view: &View<'_>, rows: usize, width: u16) -> Vec<Line<'static>> {
    let next = next(view);
    let styles = &view.styles;
    let label = styles.span(Role::Title, " NEXT");
    let all = labelled_with(styles, label, INDENT, next.role, &next.text, width);
    if all.len() <= rows {
        return all;
    }
    let rest = format!("{} tells all", view.key(Action::Brief));
    let rest = styles.span(Role::Muted, format!(" {rest}"));
    let room = width.saturating_sub(u16::try_from(rest.width()).unwrap_or(u16::MAX));
    let mut lines = cut(styles, all, rows, room);
    if let Some(last) = lines.last_mut() {
        last.push_span(rest);
    }
    lines
}

const INDENT: usize = 7;

fn say(role: Role, text: impl Into<String>) -> Next {
    Next { text: text.into(), role }
}

/// The one thing to do next.
pub fn next(view: &View<'_>) -> Next {
    let model = view.model;
    if let Connection::Silent { .. } = view.ui.connection {
        let text = "Trust nothing here, and look at what serves by other means: while the engine hangs nothing is \
                    measured and nobody is paged. Mend its disk, or end its process and open it again.";
        return say(Role::Critical, text);
    }
    if is_cut_off(view) {
        let text = "Nothing can be done from here until the connection is back; this console tries again by \
                    itself. From another terminal: `lifeboat status`, `lifeboat open`.";
        return say(Role::Critical, text);
    }
    if model.live.journal_failure.is_some() {
        let text = "Make the journal writable again (space, permissions, the file itself): nothing is run, \
                    answered or declared before that.";
        return say(Role::Critical, text);
    }
    let open = contradicted::first(model);
    let Some(incident) = &model.durable.incident else {
        return open.map_or_else(|| without_incident(view), |open| contradicted::next(view, open));
    };
    let next = diverged::first(view, besides(view, in_incident(view, incident)));
    if let Some(open) = open {
        let first = contradicted::next(view, open);
        let run = incident.open_run();
        let most = run.and_then(|run| Some((run.id.clone(), most_urgent(run)?.1.0.clone())));
        if most.is_some() && most == contradicted::step(model) {
            return first;
        }
        return say(first.role, format!("{} Then: {}", first.text, next.text));
    }
    match people::first(view, incident) {
        // A failed step or an open confirmation comes before telling people.
        Some(_) if is_pressing(&next, incident) => next,
        Some(first) => say(first.role, format!("{} Then: {}", first.text, next.text)),
        None => next,
    }
}

fn in_incident(view: &View<'_>, incident: &Incident) -> Next {
    let resolved = incident.resolved.is_some();
    if let Some(run) = incident.open_run().filter(|_| resolved) {
        let next = in_run(view, run);
        return say(next.role, format!("It is called resolved, and a runbook goes on. {}", next.text));
    }
    if resolved {
        let next = people::resolved(view, incident);
        return match unproven(view) {
            Some(left) => say(Role::Warn, format!("{left} Then: {}", next.text)),
            None => next,
        };
    }
    match (incident.open_run(), &incident.position) {
        (Some(run), _) => in_run(view, run),
        (None, Position::Question(question)) => open_question(view, question),
        (None, Position::Leaf(leaf)) => {
            let advice = view.model.plan.tree.leaves.get(leaf).map_or("", |leaf| &leaf.advice);
            let resolve = view.key(Action::Resolve);
            say(Role::Accent, format!("{advice} Nothing is run. {resolve} resolves it once it is mended."))
        }
        (None, Position::Runbook(_)) => after_run(view, incident),
    }
}

/// Whether something waits that cannot wait for people to be told.
fn is_pressing(next: &Next, incident: &Incident) -> bool {
    let run = incident.open_run();
    let confirming =
        run.is_some_and(|run| run.steps.values().any(|step| step.status == StepStatus::Confirming));
    confirming || matches!(next.role, Role::Critical | Role::Unknown)
}

fn without_incident(view: &View<'_>) -> Next {
    let model = view.model;
    if let Some(proposal) = &model.durable.proposal {
        return people::proposed(view, proposal);
    }
    if let Some(waiting) = people::waiting(view) {
        return waiting;
    }
    if blind_since(view).is_some() {
        let text = "Check this host's own network first: the console sees nothing at all, which does not mean \
                    that they are down.";
        return say(Role::Unknown, text);
    }
    if model.live.recent.is_empty() {
        return say(Role::Running, "Wait for the first readings: nothing was measured yet.");
    }
    let next = match unproven(view) {
        Some(left) => {
            let then = of_signals(view);
            let then = if then.role == Role::Ok { String::new() } else { format!(" {}", then.text) };
            say(Role::Warn, format!("{left}{then}"))
        }
        None => of_signals(view),
    };
    match diverged::open(view) {
        Some(apart) if next.role == Role::Ok => say(Role::Critical, apart),
        Some(apart) => say(Role::Critical, format!("{apart} Then: {}", next.text)),
        None => next,
    }
}

/// What a run of before left undecided is not forgotten over what is to be done.
fn besides(view: &View<'_>, next: Next) -> Next {
    match unproven(view) {
        Some(left) if !next.text.contains(&left) => say(next.role, format!("{} Besides: {left}", next.text)),
        _ => next,
    }
}

/// What makes something serve and moved nothing, and nothing gives effect to any more; none where nothing is left so.
fn unproven(view: &View<'_>) -> Option<String> {
    let left = attested::left(view.model);
    let said = left.last()?.sentence(view.model, &view.key(Action::RecordServing));
    let more = if left.len() > 1 { format!(" And {} more.", left.len() - 1) } else { String::new() };
    Some(format!("{said}{more}"))
}

/// What to do next outside of an incident, by what is measured and what was left behind.
fn of_signals(view: &View<'_>) -> Next {
    let model = view.model;
    let declare = view.key(Action::DeclareIncident);
    let worst = model.durable.services.values().map(|s| s.status.as_signal().concern()).max();
    if let Some(left) = proposed_in(model, view.now).filter(|left| left.is_positive()) {
        let pages = escalation_status::declaring(model, Mode::Live, view.now);
        let text = format!(
            "If it lasts it is proposed and paged in {}. {declare} declares it now. {pages}",
            units::clock(left)
        );
        return say(Role::Warn, text);
    }
    if model.durable.severity.is_some() {
        let pages = escalation_status::declaring(model, Mode::Live, view.now);
        let text =
            format!("Nobody is paged until {declare} declares an incident; the tree then leads on. {pages}");
        return say(Role::Accent, text);
    }
    if worst == Some(SignalState::Critical.concern()) {
        return say(
            Role::Accent,
            format!("Press {declare} to declare an incident; the decision tree then leads on."),
        );
    }
    if model.durable.services.values().any(|standing| standing.status == Status::Unknown) {
        let text = format!(
            "Not everything can be seen: look at the unknown signals. {declare} declares an incident."
        );
        return say(Role::Unknown, text);
    }
    if let Some(left) = still_in_force(view) {
        return say(Role::Warn, left);
    }
    if let Some(anomalies) = anomalies(view) {
        let text = format!(
            "Look at what is not ok ({anomalies}). {declare} declares an incident or begins a drill."
        );
        return say(Role::Warn, text);
    }
    say(Role::Ok, format!("Nothing to do. {declare} declares an incident or begins a drill."))
}

/// What is not as it should be although no rule gives it a severity; none when all is well.
pub fn anomalies(view: &View<'_>) -> Option<String> {
    let (mut unknown, mut bad, mut failing) = (0, 0, 0);
    for (id, signal) in &view.model.durable.signals {
        match signal.state {
            SignalState::Ok if is_failing(view.model, id) => failing += 1,
            SignalState::Ok => {}
            SignalState::Unknown => unknown += 1,
            SignalState::Warn | SignalState::Critical => bad += 1,
        }
    }
    let backups = view.model.plan.backups.values();
    let old =
        backups.filter(|spec| backup::standing(view.model, spec, view.now).state == SignalState::Critical);
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let cooldown = view.model.plan.policy.cooldown;
    let regions = view.model.durable.regions.values();
    let flapping = regions.filter(|region| region.flapping_until(cooldown, view.now).is_some());
    let parts = [
        counted(flapping.count(), "region flapping", "regions flapping"),
        counted(bad, "signal not ok", "signals not ok"),
        counted(unknown, "signal unknown", "signals unknown"),
        counted(failing, "signal ok whose last reading failed", "signals ok whose last readings failed"),
        counted(
            oncall::troubles(view.model).count(),
            "on-call calendar with faults",
            "on-call calendars with faults",
        ),
        counted(old.count(), "backup not usable or too old", "backups not usable or too old"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Whether the latest reading of a signal is worse than the signal says, so that it may turn.
fn is_failing(model: &Model, id: &ProbeId) -> bool {
    let known = || Some((model.plan.probes.get(id)?, model.live.recent.get(id)?));
    known().is_some_and(|(spec, recent)| failing(spec, model.state(id), recent).is_some())
}

pub use diverged::{in_progress as goes_apart, open as still_diverged, tells as tells_diverged};

/// Whether a text says what was left behind.
pub fn tells_left(text: &str) -> bool {
    [in_force::STILL, in_force::NO_LONGER].iter().any(|heading| text.contains(heading))
}

/// What runs that ended left behind in the world, with how it is taken back; none where nothing is.
pub fn still_in_force(view: &View<'_>) -> Option<String> {
    let left = in_force::left_behind(view.model);
    let first = left.iter().min_by_key(|left| left.order())?;
    let more = match left.len() {
        1 => String::new(),
        count => format!(" And {} more, {} tells all.", count - 1, view.key(Action::Brief)),
    };
    let on = first.target.as_ref().map_or_else(String::new, |target| format!(" on {target}"));
    let undo = first.undo_words();
    let record = view.key(Action::RecordUndone);
    Some(format!(
        "{}: {}{on}. Undo: {undo}.{more} {record} records that it is undone.",
        first.heading(),
        first.words()
    ))
}

fn open_question(view: &View<'_>, id: &QuestionId) -> Next {
    let Some(question) = view.model.plan.tree.questions.get(id) else {
        let (palette, close) = (view.key(Action::Palette), view.key(Action::CloseIncident));
        let text = format!(
            "The plan was changed: it has no question {id} any more. \"revisit\" among the commands ({palette}) \
             goes to another one, {close} closes the incident."
        );
        return say(Role::Critical, text);
    };
    let suggestion = match tree::suggest(view.model, question, view.now) {
        tree::Suggestion::Answer { answer, .. } => format!("The evidence suggests \"{answer}\"."),
        tree::Suggestion::Withheld(_) => "No suggestion: the evidence is not enough, you decide.".to_owned(),
    };
    let begin = match view.ui.screen {
        Screen::Decide => "Answer".to_owned(),
        _ => format!("Press {} and answer", view.key(Action::GotoDecide)),
    };
    say(Role::Accent, format!("{begin}: {} {suggestion}", question.ask))
}

fn after_run(view: &View<'_>, incident: &Incident) -> Next {
    let (resolve, close) = (view.key(Action::Resolve), view.key(Action::CloseIncident));
    let ended = incident.runs.last().and_then(|run| run.ended.as_ref());
    match ended {
        Some((_, RunEnd::Completed)) => {
            let watch = units::age(view.model.plan.policy.monitor);
            let unshown = attested::unshown_of_any(view.model, view.now);
            if let Some(unshown) = unshown.filter(|unshown| unshown.is_false) {
                let text = format!(
                    "See whether step {} \"{}\" was done: {}. {resolve} resolves it only once that is so.{}",
                    unshown.place,
                    unshown.step.title,
                    unshown.why(),
                    recorded_instead(view, unshown)
                );
                return say(Role::Critical, text);
            }
            let doubt = unshown.map_or_else(String::new, |unshown| {
                format!(
                    " But see step {} \"{}\": {}.{}",
                    unshown.place,
                    unshown.step.title,
                    unshown.why(),
                    recorded_instead(view, unshown)
                )
            });
            let left = unproven(view).map(|left| format!("{left} Then: "));
            let role = if left.is_some() { Role::Warn } else { Role::Accent };
            let text = format!(
                "{}Every step is settled.{doubt} {resolve} resolves it once it holds; the watch of {watch} begins then.",
                left.unwrap_or_default()
            );
            say(role, text)
        }
        Some((_, RunEnd::Aborted(_))) => {
            let other = view.key_in(Context::Decide, Action::AnswerOther);
            let left = [unproven(view), still_in_force(view)].into_iter().flatten();
            let left: String = left.map(|left| format!("{left} Then: ")).collect();
            let text = format!(
                "{left}The run was aborted; no further step starts. {}{other} answers a question of the tree again, \
                 {close} closes the incident.",
                on_decide(view)
            );
            say(Role::Warn, text)
        }
        None => {
            say(Role::Warn, "The tree ended in a runbook, but no run of it is known: look at the timeline.")
        }
    }
}

/// The way out where the proof of a word does not come although its region serves.
fn recorded_instead(view: &View<'_>, unshown: Unshown<'_>) -> String {
    let region = unshown.region.filter(|region| view.model.serving() != Some(region));
    let name = region.and_then(|region| view.model.plan.regions.get(region)).map(|region| &region.name);
    name.map_or_else(String::new, |name| {
        format!(" If {name} serves all the same, {} records it.", view.key(Action::RecordServing))
    })
}

/// A run that began under another plan: its steps may not mean what they did.
fn under_another_plan(view: &View<'_>, run: &Run, next: Next) -> Next {
    match view.model.durable.plan_changed_at {
        Some(at) if at > run.started_at => {
            let at = clock_time(at);
            say(
                Role::Critical,
                format!(
                    "THE PLAN CHANGED at {at}, in the middle of this run: read each step anew. {}",
                    next.text
                ),
            )
        }
        _ => next,
    }
}

/// The contradiction that NEXT begins with; none where it is about something else.
pub fn told(model: &Model) -> Option<&Open> {
    contradicted::first(model)
}

/// The step that NEXT is about: the one that ends what cannot be right, or else the one of the open run that needs a
/// person most.
pub fn step(model: &Model) -> Option<(RunId, StepId)> {
    if let Some(step) = contradicted::step(model) {
        return Some(step);
    }
    let run = model.durable.incident.as_ref()?.open_run()?;
    let (_, (step, _)) = most_urgent(run)?;
    Some((run.id.clone(), step.clone()))
}

fn most_urgent(run: &Run) -> Option<(usize, (&StepId, &StepRun))> {
    let urgency = |state: &StepRun| match state.status {
        StepStatus::Unknown => 0,
        StepStatus::Failed => 1,
        StepStatus::Ready if state.obstacle.is_some() => 2,
        StepStatus::Confirming => 3,
        StepStatus::Ready => 4,
        StepStatus::Started => 5,
        StepStatus::Finished => 6,
        StepStatus::Pending => 7,
        StepStatus::Verified | StepStatus::Skipped | StepStatus::Attested => 8,
    };
    run.steps.iter().enumerate().min_by_key(|(place, (_, state))| (urgency(state), *place))
}

/// The step that needs a person most.
fn in_run(view: &View<'_>, run: &Run) -> Next {
    let Some(runbook) = view.model.plan.runbooks.get(&run.runbook) else {
        return say(Role::Critical, taken_out(view, &format!("runbook {}", run.runbook)));
    };
    let most = most_urgent(run);
    let found = most.and_then(|(place, (id, state))| runbook.steps.get(id).map(|step| (place, step, state)));
    match found {
        Some((place, step, state)) => {
            let place = place + 1;
            let next = on_step(view, run, runbook, step, state, &format!("Step {place} \"{}\"", step.title));
            under_another_plan(view, run, next)
        }
        None => match most {
            Some((_, (id, _))) => say(Role::Critical, taken_out(view, &format!("step {id}"))),
            None => say(Role::Muted, "The run has no steps."),
        },
    }
}

/// A run goes on while the plan it was started from was changed.
fn taken_out(view: &View<'_>, what: &str) -> String {
    let abort = view.key_in(crate::console::keymap::Context::Decide, Action::AbortRun);
    format!(
        "The plan was changed: it has no {what} any more. Put it back and start the engine again, or {abort} \
         aborts the run."
    )
}

fn on_step(view: &View<'_>, run: &Run, runbook: &Runbook, step: &Step, state: &StepRun, name: &str) -> Next {
    let place = on_decide(view);
    let key = |action| view.key_in(Context::Decide, action);
    let (retry, skip, attest) = (key(Action::RetryStep), key(Action::SkipStep), key(Action::AttestStep));
    let prepare = key(Action::PrepareStep);
    match state.status {
        StepStatus::Unknown if is_unmoved(state) => say(
            Role::Warn,
            format!(
                "{name} ran, and THIS SIMULATION does not move what its proof reads, which is no fault of the plan: \
                 {place}{attest} attests it, and the rehearsal goes on."
            ),
        ),
        StepStatus::Unknown if matches!(state.outcome, Some(Outcome::Done(_))) => say(
            Role::Unknown,
            format!(
                "{name} ran to its end and is NOT PROVEN. {place}{retry} checks again or retries, {attest} attests, {skip} skips."
            ),
        ),
        StepStatus::Unknown => say(
            Role::Unknown,
            format!(
                "{name}: nobody knows whether it acted. {place}{retry} checks or retries, {attest} attests, {skip} skips."
            ),
        ),
        StepStatus::Failed if let Some(failure) = managers(failed(state)) => {
            by_its_manager(failure, name, &place, &attest, &skip)
        }
        StepStatus::Failed if is_out_of_reach(state) => say(
            Role::Critical,
            format!(
                "{name} FAILED and its target is out of reach: do it BY HAND as it says there, then {place}{attest} \
                 attests it. {retry} retries, {skip} skips."
            ),
        ),
        StepStatus::Failed => say(
            Role::Critical,
            format!(
                "{name} FAILED: {place}{retry} retries; or do it by hand and {attest} attests it; {skip} skips."
            ),
        ),
        StepStatus::Ready
            if let Some(failure) = managers(state.obstacle.as_ref().map(|(found, _)| found)) =>
        {
            by_its_manager(failure, name, &place, &attest, &skip)
        }
        StepStatus::Ready if state.obstacle.is_some() => say(
            Role::Critical,
            format!(
                "{name} cannot be prepared. {place}{retry} tries again, or do it by hand and {attest} attests."
            ),
        ),
        StepStatus::Ready | StepStatus::Confirming if step.is_by_hand() => {
            say(Role::Accent, format!("{name} is yours to do by hand: {place}{attest} attests it."))
        }
        StepStatus::Confirming if let Some(why) = held::frozen(view, run, runbook, step, state) => {
            say(Role::Warn, format!("{name} {why}"))
        }
        StepStatus::Confirming => confirming(view, state, name, &place, &prepare),
        StepStatus::Ready if is_being_read(view.model, run, &step.id) => {
            say(Role::Running, format!("{name}: its target is being read, a moment."))
        }
        StepStatus::Ready if let Some(why) = held::now(view, run, runbook, step, state) => {
            say(Role::Warn, format!("{name} {why}{}", loss_if_irreversible(view, runbook, step, state)))
        }
        StepStatus::Ready => {
            let loss = loss_if_irreversible(view, runbook, step, state);
            say(Role::Accent, format!("{name} is ready: {place}{prepare} opens its confirmation.{loss}"))
        }
        StepStatus::Started => {
            let passed = state.started_at.map_or_else(String::new, |at| units::clock(age(at, view.now)));
            let of = step.estimate.map_or_else(String::new, |estimate| format!(" of {}", about(estimate)));
            say(Role::Running, format!("Wait: {name} runs, {passed}{of}.{}", waited_for(view, step)))
        }
        StepStatus::Finished if is_unmoved(state) => say(
            Role::Running,
            format!(
                "{name} ran, and THIS SIMULATION does not move what its proof reads, which is no fault of the plan. \
                 Once it is given up, {place}{attest} attests it. {}",
                proof_awaited(view, step, state)
            ),
        ),
        StepStatus::Finished => {
            say(Role::Running, format!("Wait: {name} ran. {}", proof_awaited(view, step, state)))
        }
        _ => say(Role::Muted, "Wait: nothing needs you at the moment."),
    }
}

fn failed(state: &StepRun) -> Option<&Failure> {
    match &state.outcome {
        Some(Outcome::Failed(failure)) => Some(failure),
        _ => None,
    }
}

fn managers(failure: Option<&Failure>) -> Option<&Failure> {
    failure.filter(|failure| failure.is_managed())
}

/// Its target has a manager: another attempt meets the same, and so does whoever does the same by hand.
fn by_its_manager(failure: &Failure, name: &str, place: &str, attest: &str, skip: &str) -> Next {
    let text = format!(
        "{name} is refused: the manager of its server would take it back. {} Once it is done so, {place}{attest} attests \
         it; {skip} skips it.",
        ended(&failure.next)
    );
    say(Role::Critical, text)
}

/// Whether it is simulated and its proof waits for what no step of the simulation changes.
fn is_unmoved(state: &StepRun) -> bool {
    let notes = state.confirmation.iter().flat_map(|bundle| &bundle.description.notes);
    notes.into_iter().any(|note| note.starts_with(UNMOVED))
}

/// Whether another attempt can hardly help: the target could not be read. One that answered, whatever it said, is there.
fn is_out_of_reach(state: &StepRun) -> bool {
    state.confirmation.as_ref().is_some_and(|bundle| !bundle.description.target.reachable)
}

/// How to get to the decide screen from elsewhere, before one of its keys is named.
fn on_decide(view: &View<'_>) -> String {
    match view.ui.screen {
        Screen::Decide => String::new(),
        _ => format!("{}, then ", view.key(Action::GotoDecide)),
    }
}

fn confirming(view: &View<'_>, state: &StepRun, name: &str, place: &str, prepare: &str) -> Next {
    let Some(confirmation) = &state.confirmation else {
        return say(Role::Accent, format!("{name}: {place}{prepare} opens its confirmation."));
    };
    let left = confirmation.expires_at.duration_since(view.now);
    say(
        Role::Accent,
        format!(
            "{name} waits for your confirmation ({} left): {place}{prepare} opens it.",
            units::clock(left)
        ),
    )
}

/// What a step waits for and what that is now; empty for a step that waits for nothing.
fn waited_for(view: &View<'_>, step: &Step) -> String {
    let Some(condition) = step.params.condition("condition") else { return String::new() };
    let values = names::values(&names::View { model: view.model, now: view.now }, condition);
    format!(" It waits for {}; now {}.", condition.source(), values.join(", "))
}

/// Which proof a step that ran waits for, what it shows now, and when it is given up.
pub fn proof_awaited(view: &View<'_>, step: &Step, state: &StepRun) -> String {
    let until = state.ended_at.and_then(|at| at.checked_add(step.verify_within).ok());
    let left = until.map(|until| age(view.now, until));
    let left = left.map_or_else(String::new, |left| format!(" It is given up in {}.", units::clock(left)));
    let what = match &step.verify {
        Some(condition) => {
            let values = names::values(&names::View { model: view.model, now: view.now }, condition);
            format!("Its proof is {}; now {}.", condition.source(), values.join(", "))
        }
        None => "Its effect is read back.".to_owned(),
    };
    format!("{what}{left}")
}

fn is_being_read(model: &Model, run: &Run, step: &StepId) -> bool {
    model.live.preparing.contains(&(run.id.clone(), step.clone()))
}

fn loss_if_irreversible(view: &View<'_>, runbook: &Runbook, step: &Step, state: &StepRun) -> String {
    if !step.irreversible {
        return String::new();
    }
    let losses = promoting::losses(view.model, runbook, step, target_of(state), view.now);
    let worst = LossEstimate::worst(losses);
    worst.map_or_else(String::new, |loss| format!(" It would lose {}.", loss.sentence()))
}
