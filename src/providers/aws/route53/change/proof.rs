//! Reading the records back.

use super::{Change, RecordsAction, Wanted};
use crate::core::words::action::{Failure, Proof, Target};
use crate::providers::aws::route53::client::canonical;
use crate::providers::net::dns::Resolver;
use std::time::Duration;

/// How long a resolver may take.
const ASK: Duration = Duration::from_secs(3);

impl<W: Wanted> RecordsAction<W> {
    /// Whether the records are as wanted, and were not before the step.
    pub(super) async fn proof(&self, expected: &Target) -> Result<Proof, Failure> {
        let what = format!("change of {}", self.name());
        let connection = self.place.reader().await;
        let found = self.found(&connection).await.map_err(|error| error.not_done(&*what))?;
        let changes = match self.wanted.changes(&found) {
            Ok(changes) => changes,
            Err(refusal) => return Err(refusal.not_done(what)),
        };
        if let Some(change) = changes.iter().find(|change| !change.is_there()) {
            return Err(Failure::not_done(
                what,
                format!(
                    "{} is {}, wanted {}",
                    change.after.key_words(),
                    change.before_words(),
                    change.after.content_words()
                ),
                "The change is not there. Look who else changes this zone, then confirm the step again.",
            ));
        }
        let was_so = |change: &Change| {
            let (name, value) = change.identity();
            expected.property(&name) == Some(&*value)
        };
        if !expected.reachable || changes.iter().all(was_so) {
            return Err(Failure::not_done(
                what,
                "the records said so before the step, or could not be read then: that they do proves nothing",
                "Find out who changed them, then attest the step.",
            ));
        }
        let mut evidence: Vec<String> = changes
            .iter()
            .map(|change| format!("{} is {}", change.after.key_words(), change.after.content_words()))
            .collect();
        evidence.extend(self.ask_resolvers(&changes).await);
        Ok(Proof { evidence })
    }

    /// What resolvers answer now: shown, and no condition, because they may keep the old answer for its TTL.
    async fn ask_resolvers(&self, changes: &[Change]) -> Vec<String> {
        let mut asked: Vec<(&str, &str)> =
            changes.iter().map(|change| (&*change.after.name, &*change.after.kind)).collect();
        asked.dedup();
        let questions =
            self.resolvers.iter().flat_map(|address| asked.iter().map(move |asked| (address, asked)));
        let answers = questions.map(async |(address, (name, kind))| {
            let answer = match Resolver::at(*address, ASK) {
                Ok(resolver) => resolver.ask(&canonical(name), kind).await,
                Err(why) => Err(why),
            };
            match answer {
                Ok(answer) if answer.values.is_empty() => {
                    format!("{address} answers that {name} has no {kind}")
                }
                Ok(answer) => format!(
                    "{address} answers {name} {kind} {} for {} s",
                    answer.values.join(", "),
                    answer.ttl_s
                ),
                Err(why) => format!("{address} does not tell {name} {kind}: {why}"),
            }
        });
        futures::future::join_all(answers).await
    }
}
