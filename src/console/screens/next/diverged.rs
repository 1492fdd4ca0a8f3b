//! What to do about data that two servers hold differently: it comes before anything is rebuilt or thrown away.

use super::{Next, View, say};
use crate::console::keymap::Action;
use crate::console::theme::Role;
use crate::core::ask::contradiction::{self, Kind, Open};
use crate::core::ask::divergence::{self, DIVERGED};
use crate::core::model::Model;

/// That data went apart and what to do about it; none where nobody has to do anything, or both still take writes.
pub fn open(view: &View<'_>) -> Option<String> {
    let over = divergence::over(view.model);
    let last = over.last()?;
    let more = match over.len() {
        1 => String::new(),
        count => format!(" ({} more times before, {} tells all)", count - 1, view.key(Action::Brief)),
    };
    let answer = view.key(Action::AnswerContradiction);
    Some(format!(
        "DATA {DIVERGED} since {}: two servers took writes{more}. Compare both from then on before one is rebuilt or \
         thrown away; {answer} records what became of it.",
        last.begin()
    ))
}

/// The same of data that goes on going apart, in one row: its split brain is told of at length.
pub fn in_progress(model: &Model) -> Option<String> {
    let last = divergence::open(model).into_iter().next_back()?;
    Some(format!("DATA {DIVERGED} since {}, and goes on", last.begin()))
}

/// Whether a text begins with data that went apart: what comes later in it may be cut off.
pub fn tells(text: &str) -> bool {
    text.starts_with(&format!("DATA {DIVERGED}"))
}

/// What to do next after what has to be compared. What cannot wait for that stays first.
pub(super) fn first(view: &View<'_>, next: Next) -> Next {
    if let Some(goes_on) = goes_on(view) {
        return say(Role::Critical, format!("{goes_on} Then: {}", next.text));
    }
    match open(view) {
        Some(apart) if !matches!(next.role, Role::Critical | Role::Unknown) => {
            say(Role::Critical, format!("{apart} Then: {}", next.text))
        }
        _ => next,
    }
}

/// A split brain that somebody answered and that goes on all the same: what was written is missing on the other, more
/// of it with every write.
pub(super) fn going_on(model: &Model) -> Option<&Open> {
    let both = |open: &&Open| open.answered.is_some() && open.contradiction.kind == Kind::TwoPrimaries;
    contradiction::of(model).iter().find(both)
}

fn goes_on(view: &View<'_>) -> Option<String> {
    let answered = going_on(view.model)?;
    let fence = super::contradicted::next(view, answered).text;
    Some(format!("(answered) {}, NOW: their data goes on going apart. {fence}", answered.contradiction.what))
}
