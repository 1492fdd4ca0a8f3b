//! Looks up all secrets that the plan names, so that they are known before somebody else says one of them: a peer can
//! echo a password that no probe or step has needed yet.

use crate::base::pool::Pool;
use crate::plan::Plan;
use crate::secrets::{Resolver, SecretError, SecretRef};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the probes wait for the first round. Files and variables need no time; a store that hangs must not keep
/// the system unwatched.
const FIRST_ROUND: Duration = Duration::from_secs(2);
/// Between two rounds for what could not be had, from the first to the longest.
const PAUSES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(300)];

/// Begins, and returns once the first round is over, or has taken too long.
pub async fn learn(plan: &Arc<Plan>, resolver: Option<Resolver>, pool: &Pool) {
    let (done, first_round) = oneshot::channel();
    let Some(resolver) = resolver else { return };
    pool.spawn(rounds(plan.clone(), resolver, done, PAUSES));
    // An error means that the task has ended, which is after its first round.
    let _ = tokio::time::timeout(FIRST_ROUND, first_round).await;
}

async fn rounds(plan: Arc<Plan>, resolver: Resolver, done: oneshot::Sender<()>, pauses: [Duration; 2]) {
    let named = plan.secrets();
    let mut wanted: Vec<SecretRef> = named.keys().cloned().collect();
    let (mut said, mut pause, mut done) = (HashSet::new(), pauses[0], Some(done));
    while !wanted.is_empty() {
        let missing = resolver.learn_all(wanted.clone()).await;
        drop(done.take());
        wanted.retain(|secret| missing.iter().any(|error| error.name() == Some(&secret.name)));
        for (secret, users) in named.iter().filter(|(secret, _)| wanted.contains(*secret)) {
            if let Some(error) = missing.iter().find(|error| error.name() == Some(&secret.name))
                && said.insert(secret.clone())
            {
                say(error, &users.join(", "));
            }
        }
        for secret in said.iter().filter(|secret| !wanted.contains(*secret)) {
            tracing::info!(secret = %secret.name, "the secret can be had now");
        }
        said.retain(|secret| wanted.contains(secret));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(pauses[1]);
    }
}

/// Once for each: it is asked for again without a word.
fn say(error: &SecretError, users: &str) {
    let next = error.next_step();
    tracing::error!(%error, %next, needed_by = users, "a secret of the plan cannot be had: what needs it fails, and it is not masked where somebody says it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::environment::Environment;
    use crate::secrets::{SecretsConfig, Source};

    const PLAN: &str = r#"
[plan]
name = "Test"
[regions.primary]
role = "primary"
[probes.db]
kind = "postgres"
region = "primary"
dsn = { secret = "db" }
[contacts.ana]
name = "Ana"
email = "ana@example.com"
[channels.hook]
kind = "slack-webhook"
webhook = { secret = "hook" }
[tree]
root = "down"
[tree.down]
ask = "Is it down?"
answers.yes = "failover"
answers.no = "stay"
[leaves.stay]
title = "Stay"
advice = "Watch."
[runbooks.failover]
title = "Fail over"
[[runbooks.failover.steps]]
id = "scale"
title = "Scale up"
action = "exec"
with.target = "workers"
with.argv = ["true"]
with.verify_argv = ["true"]
with.env.TOKEN = { secret = "token" }
confirm = "yes"
"#;

    fn plan() -> Arc<Plan> {
        Arc::new(crate::testing::plan_of(&[PLAN]))
    }

    #[tokio::test]
    async fn every_secret_of_the_plan_is_known_before_anything_needs_it() {
        let environment: Environment = [
            ("LIFEBOAT_SECRET_DB", "postgres://app:hunter22@db/x"),
            ("LIFEBOAT_SECRET_HOOK", "https://hooks.example.com/T0AB12CD3/x9Y8z7W6v5U4"),
        ]
        .into_iter()
        .collect();
        let folder = tempfile::tempdir().unwrap();
        let sources = vec![Source::Environment, Source::File];
        let config = SecretsConfig { sources, ..SecretsConfig::default() };
        let resolver = Resolver::new(config, folder.path(), environment);
        let (done, first_round) = oneshot::channel();
        let soon = [Duration::from_millis(10); 2];
        let rounds = tokio::spawn(rounds(plan(), resolver.clone(), done, soon));
        let _ = first_round.await;
        let redactor = resolver.redactor();
        assert_eq!(redactor.redact("hunter22 at x9Y8z7W6v5U4"), "[secret db] at [secret hook]");
        assert_eq!(redactor.redact("t0k3n-of-it"), "t0k3n-of-it");
        assert!(!rounds.is_finished());
        // What was missing is looked for again, until it is there.
        crate::secrets::file::write_named(folder.path(), "token", "t0k3n-of-it").unwrap();
        tokio::time::timeout(Duration::from_secs(30), rounds).await.unwrap().unwrap();
        assert_eq!(redactor.redact("t0k3n-of-it"), "[secret token]");
    }
}
