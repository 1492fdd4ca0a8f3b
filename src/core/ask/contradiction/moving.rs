//! Nobody accepts writes while a run moves the primary: from its fence to its promotion that is as it should be.

use super::{Contradiction, Kind};
use crate::core::ask::servers::Database;
use crate::core::model::Model;
use crate::core::words::action::SYSTEM_IDENTIFIER;
use crate::core::words::incident::{Run, StepRun};
use crate::core::words::status::StepStatus;
use jiff::{SignedDuration, Timestamp};

/// A run in which nothing was begun or ended for so long moves nothing: whoever works on it is told.
const RESTS: SignedDuration = SignedDuration::from_mins(5);

/// A run is under way that moves the region that serves, and has not promoted anybody yet. Once it is known that nobody
/// writes to a database it stays so.
pub fn is_being_moved(model: &Model, database: &Database<'_>, now: Timestamp) -> bool {
    let is_of_it = |open: &Contradiction| {
        open.kind == Kind::NobodyWrites
            && database.iter().any(|server| open.servers.contains(&server.probe.id))
    };
    let is_known = model.durable.contradictions.iter().any(|open| is_of_it(&open.contradiction));
    let Some((run, _)) = model.moving() else { return false };
    let promotes = run.promotions(&model.plan).next().is_some();
    let leads_away = run.aim.region.as_ref() != model.serving();
    let last = run.steps.values().filter_map(|state| state.started_at.max(state.ended_at)).max();
    let works = run.steps.values().any(|state| state.status == StepStatus::Started);
    let goes_on = works || last.is_some_and(|last| now.duration_since(last) < RESTS);
    goes_on && rested(model, run, database).is_none() && (promotes || leads_away) && !is_known
}

/// When what runs did to move the primary last came to rest; the beginning of time where nothing did. From then on
/// somebody has to accept writes. What a clock that was ahead put into the future says nothing.
pub fn moved_at(model: &Model, database: &Database<'_>, now: Timestamp) -> Timestamp {
    let runs =
        model.real_incidents().flat_map(|incident| &incident.runs).filter(|run| run.aim.region.is_some());
    let rested = runs.filter_map(|run| rested(model, run, database));
    rested.filter(|at| *at <= now).max().unwrap_or(Timestamp::MIN)
}

/// When what a run did to move the primary came to rest, whatever came of it, or was proven. Without a promotion that is
/// the switch, and without one all that the run does: any step may be it.
fn rested(model: &Model, run: &Run, database: &Database<'_>) -> Option<Timestamp> {
    let of_it = run.promotions(&model.plan).filter(|state| !is_of_another(state, database));
    let promotions: Vec<&StepRun> = of_it.collect();
    let steps = match (promotions.is_empty(), run.switch()) {
        (false, _) => promotions,
        (true, Some(switch)) => vec![switch],
        (true, None) => {
            let is_open = run.steps.values().any(|state| !state.status.is_settled());
            run.steps.values().filter(|_| !is_open).collect()
        }
    };
    let at_rest = |status| matches!(status, StepStatus::Failed | StepStatus::Unknown);
    let rested = steps.into_iter().filter_map(|state| match &state.holding {
        Some(holding) => Some(holding.since),
        None if state.status.is_settled() || at_rest(state.status) => state.ended_at,
        None => None,
    });
    rested.max()
}

/// Whether a promotion is known to be of another database: by what its confirmation read.
fn is_of_another(promotion: &StepRun, database: &Database<'_>) -> bool {
    let target = promotion.confirmation.as_ref().map(|confirmation| &confirmation.description.target);
    let promoted = target.and_then(|target| target.property(SYSTEM_IDENTIFIER));
    let mut known = database.iter().filter_map(|server| server.seen?.database.as_deref()).peekable();
    promoted.is_some_and(|promoted| known.peek().is_some() && known.all(|system| system != promoted))
}
