//! Contradictions: what the world shows, and what a person says to it.

use super::required;
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{Contradiction, Kind, Open, Sight, look, of};
use crate::core::ask::divergence;
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use jiff::Timestamp;

/// What began and what ended. One that was answered and cannot be seen any more is over: nobody is kept waiting for a
/// server that was taken away. When it is seen again it is another one, and has to be answered anew.
pub fn turned(model: &Model, now: Timestamp) -> Vec<Fact> {
    let (found, sights) = look(model, now);
    let ended = |(open, sight): (&Open, Sight)| {
        let (why, unseen) = match sight {
            Sight::Over(why) => (why, false),
            Sight::Unseen if open.answered.is_some() => {
                ("it cannot be seen any more, and was answered".into(), true)
            }
            Sight::Is | Sight::Unseen => return None,
        };
        let (id, what) = (open.contradiction.id.clone(), open.contradiction.what.clone());
        Some(Fact::ContradictionEnded { id, what, why, unseen })
    };
    let mut facts: Vec<Fact> = of(model).iter().zip(sights).filter_map(ended).collect();
    let known = |found: &Contradiction| of(model).iter().find(|open| open.contradiction.id == found.id);
    // Which server must go turns with what serves, and with who else accepts writes.
    let turned = |open: &Open, found: &Contradiction| {
        let known = &open.contradiction;
        matches!(found.kind, Kind::TwoPrimaries | Kind::FencedWrites | Kind::Undone)
            && (known.to_fence != found.to_fence || known.is_last != found.is_last)
    };
    let new = found.into_iter().filter(|found| known(found).is_none_or(|open| turned(open, found)));
    facts.extend(new.map(|found| Fact::ContradictionFound { contradiction: Box::new(found) }));
    facts
}

/// Answers one; or says what became of the data of one that is over and that two servers hold differently.
pub fn answer(model: &Model, id: &str, reason: &str) -> Result<Vec<Fact>, Problem> {
    if let Some(split) = divergence::over(model).into_iter().find(|split| split.id == id) {
        return Ok(vec![divergence::settled(split, required(reason, "what became of the data")?)]);
    }
    let open = of(model).iter().find(|open| open.contradiction.id == id).ok_or_else(|| {
        Problem::new("it is over, or it became another one", "Look again: answer what is there now.")
    })?;
    let what = open.contradiction.what.clone();
    Ok(vec![Fact::ContradictionAnswered { id: id.to_owned(), what, reason: required(reason, "the answer")? }])
}
