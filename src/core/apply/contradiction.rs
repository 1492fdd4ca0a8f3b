//! Contradictions: found, answered, over.

use crate::core::contradiction::{Answer, Open};
use crate::core::fact::{Event, Fact};
use crate::core::model::Model;

pub fn apply(model: &mut Model, event: &Event) {
    let open = &mut model.durable.contradictions;
    match &event.fact {
        Fact::ContradictionFound { contradiction } => {
            open.retain(|known| known.contradiction.id != contradiction.id);
            let contradiction = (**contradiction).clone();
            open.push(Open { contradiction, since: event.at, answered: None });
        }
        Fact::ContradictionAnswered { id, reason, .. } => {
            let answer = Answer { at: event.at, by: event.by.to_string(), reason: reason.clone() };
            if let Some(known) = open.iter_mut().find(|known| known.contradiction.id == *id) {
                known.answered = Some(answer);
            }
        }
        Fact::ContradictionEnded { id, .. } => open.retain(|known| known.contradiction.id != *id),
        _ => {}
    }
}
