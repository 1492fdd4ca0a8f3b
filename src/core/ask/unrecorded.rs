//! The one message that may go out without a record: that nothing can be recorded.
//!
//! Everything else that the engine does is the reaction to a durable fact. While the journal cannot be written that
//! rule would leave nobody told, so this page is sent first and recorded as soon as there is a journal again.

use crate::base::text::ended;
use crate::core::ask::recipients::{self, Recipient};
use crate::core::model::Model;
use crate::core::words::notification::{Message, Way};
use crate::journal::spoken;
use crate::plan::EscalationPolicy;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long the journal has to fail before somebody is woken up: what mends itself at once wakes nobody.
pub const AFTER: SignedDuration = SignedDuration::from_secs(10);
/// Between two such pages while it lasts.
pub const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// A page that was sent without a record, as it is recorded later.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UnrecordedPage {
    pub sent_at: Timestamp,
    pub why: String,
    /// To whom, in words.
    pub who: String,
    pub way: Way,
    /// What the provider said, or why it did not get there; cleaned and redacted.
    pub result: Result<String, String>,
}

/// Who is told: the first level that reaches somebody, of the policy that is followed now, else of the one for the
/// worst severity. An exercise changes nothing: this is real.
pub fn recipients(model: &Model, now: Timestamp) -> Vec<Recipient> {
    let policies = &model.plan.policies;
    let followed = model.durable.escalation.as_ref().and_then(|escalation| escalation.policy.as_ref());
    let worst = || policies.values().min_by_key(|policy| policy.severities.iter().min().copied());
    let Some(policy) = followed.and_then(|id| policies.get(id)).or_else(worst) else { return Vec::new() };
    first_that_reaches(model, policy, now)
}

fn first_that_reaches(model: &Model, policy: &EscalationPolicy, now: Timestamp) -> Vec<Recipient> {
    let mut levels = policy.levels.iter().map(|level| {
        let mut people = recipients::in_earnest(model, &level.who, &level.methods, now).people;
        people.retain(|recipient| !recipient.ways.is_empty());
        people
    });
    levels.find(|people| !people.is_empty()).unwrap_or_default()
}

/// What it says.
pub fn message(model: &Model, why: &str) -> Message {
    let plan = &model.plan.name;
    let body = format!(
        "The engine of {plan} cannot write its journal: {}\nUntil it can, nothing runs, no answer is taken and \
         nobody else is paged by it, whatever happens. Mend the disk or the folder on its host; it goes on by itself. \
         `lifeboat status` says how it is.\nThis page is not recorded yet.",
        ended(why)
    );
    Message {
        subject: format!("[lifeboat] {plan}: the journal cannot be written"),
        body: crate::core::prose::message::clean_lines(&body),
        witness: format!("Journal {}", spoken::words(model.durable.head.as_ref())),
        severity: model.severity(),
        drill: false,
        page_status: None,
        component_status: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ask::escalation_status::tests::Desk;

    #[test]
    fn the_first_level_that_reaches_somebody_is_told_also_without_an_incident() {
        let mut desk = Desk::declared();
        desk.model.durable.escalation = None;
        desk.model.durable.incident = None;
        let told = recipients(&desk.model, desk.now);
        assert!(!told.is_empty() && told.iter().all(|recipient| !recipient.ways.is_empty()), "{told:?}");
    }

    #[test]
    fn it_says_what_does_not_happen_until_it_is_mended() {
        let desk = Desk::declared();
        let message = message(&desk.model, "No space left on device");
        assert!(message.subject.contains("the journal cannot be written"), "{message:?}");
        assert!(message.body.contains("No space left") && message.body.contains("nobody else is paged"));
        assert!(!message.drill);
    }
}
