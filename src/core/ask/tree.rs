//! Walking the decision tree: what is suggested, and why.

use crate::base::units;
use crate::core::ask::blind;
use crate::core::ask::names::View;
use crate::core::model::Model;
use crate::plan::Question;
use crate::plan::condition::Truth;
use jiff::Timestamp;

/// What the console suggests for a question.
#[derive(Clone, PartialEq, Debug)]
pub enum Suggestion {
    /// This answer, and why.
    Answer {
        answer: String,
        /// The condition that holds.
        because: String,
    },
    /// Nothing, and why not.
    Withheld(String),
}

impl Suggestion {
    /// The suggested answer.
    pub fn answer(&self) -> Option<&str> {
        match self {
            Self::Answer { answer, .. } => Some(answer),
            Self::Withheld(_) => None,
        }
    }
}

/// The first answer whose condition holds. An earlier one that cannot be told withholds the suggestion, and
/// so do blindness and flapping: a person must then decide.
pub fn suggest(model: &Model, question: &Question, now: Timestamp) -> Suggestion {
    if blind::since(model).is_some() {
        return Suggestion::Withheld(
            "no reference probe answers: the console may be blind, not the region down".into(),
        );
    }
    if let Some(why) = flapping(model, question, now) {
        return Suggestion::Withheld(why);
    }
    let view = View { model, now };
    for (name, answer) in &question.answers {
        let Some(condition) = &answer.suggest else { continue };
        match condition.evaluate(&view) {
            Truth::True => {
                return Suggestion::Answer { answer: name.clone(), because: condition.source().into() };
            }
            Truth::Unknown(why) => return Suggestion::Withheld(format!("cannot tell \"{name}\": {why}")),
            Truth::False => {}
        }
    }
    Suggestion::Withheld("no answer's condition holds".into())
}

/// Why nothing is suggested while a region that the question reads flaps, or a failover just happened.
fn flapping(model: &Model, question: &Question, now: Timestamp) -> Option<String> {
    let cooldown = model.plan.policy.cooldown;
    let references =
        question.answers.values().filter_map(|a| a.suggest.as_ref()).flat_map(|c| c.references());
    for reference in references.filter(|reference| reference.root == "regions") {
        let name = reference.name.as_deref().unwrap_or_default();
        let Some(standing) = model.durable.regions.get(name) else { continue };
        if let Some(until) = standing.flapping_until(cooldown, now) {
            return Some(format!(
                "region {name} is flapping ({} turns): wait {} more for it to settle",
                standing.turns.len(),
                units::duration(until.duration_since(now))
            ));
        }
    }
    let last = model.durable.last_failover()?;
    let left = cooldown - crate::core::words::signal::age(last, now);
    left.is_positive().then(|| {
        format!(
            "a failover completed {} ago: wait {} more",
            units::duration(cooldown - left),
            units::duration(left)
        )
    })
}
