//! What keeps a step from running, and what can be done instead of confirming it.

use super::{View, on_decide};
use crate::base::ids::StepId;
use crate::base::text::ended;
use crate::console::keymap::{Action, Context};
use crate::core::ask::contradiction::{Blocked, blocking, moves_the_primary};
use crate::core::ask::{evidence, managed};
use crate::core::decide::{done_again_before, guards};
use crate::core::words::confirmation::GuardResult;
use crate::core::words::incident::{Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::condition::Truth;
use crate::plan::{Runbook, Step};

/// Why a step that is ready could not be confirmed, and what to do; none where it could.
pub(super) fn now(
    view: &View<'_>,
    run: &Run,
    runbook: &Runbook,
    step: &Step,
    state: &StepRun,
) -> Option<String> {
    let guards = guards(view.model, step, state, view.now);
    let guard = guards.iter().find(|guard| !guard.allows());
    blocked(view, run, step).or_else(|| Some(guarded(view, run, runbook, step, guard?)))
}

/// The same of a confirmation that is open: by its guards, as they were when it was made.
pub(super) fn frozen(
    view: &View<'_>,
    run: &Run,
    runbook: &Runbook,
    step: &Step,
    state: &StepRun,
) -> Option<String> {
    let guard = || state.confirmation.as_ref()?.blocking_guard().map(|(_, guard)| guard);
    blocked(view, run, step).or_else(|| Some(guarded(view, run, runbook, step, guard()?)))
}

fn blocked(view: &View<'_>, run: &Run, step: &Step) -> Option<String> {
    if let Some(before) = done_again_before(view.model, run, step) {
        return Some(format!("waits for \"{}\", which is done again.", before.title));
    }
    let open = blocking(view.model, Blocked::Promote)?;
    let what = &open.contradiction.what;
    let answer = view.key(Action::AnswerContradiction);
    moves_the_primary(view.model, &run.id, step)
        .then(|| format!("is BLOCKED until that is over, or {answer} answers it: {}", ended(what)))
}

/// The last step before one that would have changed something, and that only a person's word says to be done.
fn on_a_word<'p>(runbook: &'p Runbook, run: &Run, step: &Step) -> Option<(usize, &'p Step)> {
    let before = runbook.before(step);
    let attested = |id: &StepId| run.steps.get(id).is_some_and(|state| state.status == StepStatus::Attested);
    let mut steps = runbook.steps.values().enumerate();
    steps.rfind(|(_, other)| before.contains(&&other.id) && attested(&other.id) && !other.is_for_people())
}

fn guarded(view: &View<'_>, run: &Run, runbook: &Runbook, step: &Step, guard: &GuardResult) -> String {
    let place = on_decide(view);
    let key = |action| view.key_in(Context::Decide, action);
    let (prepare, retry) = (key(Action::PrepareStep), key(Action::RetryStep));
    let over = key(Action::OverrideGuard);
    let how = match &guard.truth {
        Truth::Unknown(_) => "cannot be told",
        _ => "does not hold",
    };
    let steps = runbook.steps.values().enumerate();
    let open = |step: &Step| {
        let state = run.steps.get(&step.id);
        state.is_some_and(|state| !state.status.is_settled() || state.denied.is_some())
    };
    // What may be lost grows until the old primary is fenced.
    let mut fences = steps.filter(|(_, step)| step.is_fence() && open(step));
    let of_loss = guard.condition.contains("exposure_");
    let loss = |probe| evidence::loss(view.model, probe, view.now);
    let mut closed = runbook.loss.iter().filter_map(loss).filter(|loss| of_loss && loss.fenced_at.is_some());
    let closed = closed.next();
    let skipped = |(_, step): &(usize, &Step)| {
        run.steps.get(&step.id).is_some_and(|state| state.status == StepStatus::Skipped)
    };
    let left_out = || runbook.steps.values().enumerate().filter(|(_, step)| step.is_fence()).find(skipped);
    let first = match fences.next().filter(|_| of_loss) {
        Some((at, step)) if let Some(instead) = managed::instead(view.model, &run.runbook, &step.id) => {
            format!(
                "Fence first: its manager refuses step {} \"{}\". {} Or",
                at + 1,
                step.title,
                ended(instead)
            )
        }
        Some((at, step)) => format!("Fence first: step {} \"{}\" ({prepare} there), or", at + 1, step.title),
        None if of_loss
            && closed.is_none()
            && let Some((at, step)) = left_out() =>
        {
            format!(
                "Nothing fences the primary, so the loss only grows: {retry} on step {} \"{}\", which was \
             skipped, tries it again, or",
                at + 1,
                step.title
            )
        }
        None if !of_loss && let Some((at, before)) = on_a_word(runbook, run, step) => format!(
            "Step {} \"{}\" was attested: is it done? {retry} on it takes it up again, or",
            at + 1,
            before.title
        ),
        None if let Some(closed) = closed => format!("{}, so waiting changes nothing:", closed.fence_words()),
        None => "Wait until it holds, or".to_owned(),
    };
    // The keys first: a long condition may be cut.
    format!(
        "is HELD by a guard. {first} {place}{over} overrides it with a reason: {} {how}.",
        guard.condition
    )
}
