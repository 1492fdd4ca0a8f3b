//! A restore of an attempt, made once and followed to its end, and what its end comes to.

use super::made::{Made, Stage, name_of, object};
use crate::core::words::action::{Failure, Target};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Call, Cluster, KubeError, KubeErrorKind, Method, RESTORES, Sent};
use crate::providers::kube::object::For;
use jiff::SignedDuration;
use serde_json::Value;

/// Between two looks at it.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// Where a restore is made, and how people read what Velero says of it.
pub struct Desk<'a> {
    pub cluster: &'a Cluster,
    pub namespace: &'a str,
    /// The attempt.
    pub token: &'a str,
    /// What is done, for failures.
    pub what: &'a str,
    /// `velero restore describe NAME --details`.
    pub describe: String,
    /// `kubectl get deployments`, where Velero runs.
    pub server: String,
}

/// Sends a restore, or has it judged; what the API server would keep of it.
///
/// # Errors
/// Also where one of that name is there already.
pub async fn create(
    cluster: &Cluster,
    namespace: &str,
    object: &Value,
    how: For,
) -> Result<Value, KubeError> {
    let call = Call::new("create restores.velero.io", format!("in {namespace}"));
    let query = if how == For::Trial { vec![("dryRun", "All".to_owned())] } else { Vec::new() };
    let path = RESTORES.path(Some(namespace), None);
    cluster
        .send(&call, Sent { method: Method::Post, path, query, body: Some(object) }, cluster.deadline())
        .await
}

impl Desk<'_> {
    /// Makes the restore of this attempt. One that this attempt made before is taken up.
    ///
    /// # Errors
    /// Also where somebody else has one of that name.
    pub async fn make(&self, backup_uid: &str, spec: &Value) -> Result<(), Failure> {
        let object = object(self.token, self.namespace, backup_uid, spec);
        match create(self.cluster, self.namespace, &object, For::Good).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == KubeErrorKind::Conflict => self.take_up(&error).await,
            Err(error) => Err(error.of_change(self.what)),
        }
    }

    async fn take_up(&self, conflict: &KubeError) -> Result<(), Failure> {
        match Made::read(self.cluster, self.namespace, self.token).await {
            Ok(made) if made.is_by(self.token) => Ok(()),
            Ok(made) => Err(self.of_another(&made)),
            Err(error) => Err(Failure::maybe_done(
                self.what,
                format!("{conflict}; and it cannot be read: {error}"),
                error.next_step(),
            )),
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it ended badly, or not in time.
    pub async fn follow(&self, context: &Context) -> Result<Made, Failure> {
        let late = |seen: String| {
            Failure::maybe_done(
                self.what,
                format!("it is not through: {seen}"),
                format!(
                    "Velero goes on by itself, if its server runs: `{}`. See `{}`, then verify the step.",
                    self.server, self.describe
                ),
            )
        };
        wait(context, PAUSE, late, || self.look()).await
    }

    async fn look(&self) -> Result<Progress<Made>, Unseen> {
        let made = match Made::read(self.cluster, self.namespace, self.token).await {
            Ok(made) => made,
            Err(error) if error.kind == KubeErrorKind::NotFound => {
                let next = "It was made, and somebody deleted it since: find out who, and what it restored.";
                return Ok(Progress::Lost(Failure::maybe_done(self.what, error.to_string(), next)));
            }
            Err(error) => return Err(error.into()),
        };
        if !made.is_by(self.token) {
            return Ok(Progress::Lost(self.of_another(&made)));
        }
        Ok(match made.stage {
            Stage::New => Progress::Waiting(format!(
                "restore/{} is New: Velero has not picked it up; it does one restore after the other",
                made.name
            )),
            Stage::Running => Progress::Waiting(made.progress()),
            Stage::Unknown => Progress::Waiting(format!("{}, which lifeboat does not know", made.progress())),
            Stage::Completed => Progress::Reached(made),
            Stage::InPart | Stage::Failed | Stage::Refused => Progress::Lost(self.ended_badly(&made)),
        })
    }

    /// What proves that it came of the backup that was confirmed, and that all of it came.
    ///
    /// # Errors
    /// When that is not so, or not yet.
    pub fn judge(&self, made: &Made, expected: &Target, accepts_warnings: bool) -> Result<String, Failure> {
        let not = |why: String, next: String| Err(Failure::not_done(self.what, why, next));
        if !made.is_by(self.token) {
            return Err(self.of_another(made));
        }
        let of = |name: &str, value: &str| expected.property(name) == Some(value);
        if !of("backup", &made.backup) || !of("uid", &made.backup_uid) {
            let why = format!("restore/{} is not of the backup that was confirmed", made.name);
            return not(why, "Find out who changed it.".to_owned());
        }
        match made.stage {
            Stage::Completed => {}
            Stage::InPart | Stage::Failed | Stage::Refused => return Err(self.ended_badly(made)),
            Stage::New | Stage::Running | Stage::Unknown => {
                let why = format!("restore/{} is not through: {}", made.name, made.progress());
                return not(why, "It still goes on: verify again.".to_owned());
            }
        }
        if made.errors > 0 {
            return Err(self.ended_badly(made));
        }
        if made.items.is_none_or(|(done, _)| done == 0) {
            let why =
                format!("restore/{} is Completed, and restored nothing that Velero tells of", made.name);
            return not(why, format!("Look what it left out: `{}`.", self.describe));
        }
        if let Some((done, all)) = made.items.filter(|(done, all)| done < all) {
            let why = format!("restore/{} is Completed, and restored {done} of {all} items", made.name);
            return not(why, format!("Look what it left out: `{}`.", self.describe));
        }
        if made.warnings > 0 && !accepts_warnings {
            let why = format!("restore/{} is Completed with {} warnings", made.name, made.warnings);
            let next =
                format!("Read them: `{}`. Then attest the step with what you accepted.", self.describe);
            return not(why, next);
        }
        Ok(format!("restore/{} of backup {}: {}", made.name, made.backup, made.words()))
    }

    fn ended_badly(&self, made: &Made) -> Failure {
        let why = format!("restore/{} is {}", made.name, made.words());
        let read = format!("Read what is missing: `{}`.", self.describe);
        match made.stage {
            Stage::Refused => Failure::not_done(
                self.what,
                why,
                "Velero restored nothing. Mend what it names, then retry the step.",
            ),
            Stage::Failed => Failure::maybe_done(
                self.what,
                why,
                format!("A part of it may be there. {read} Then retry, or attest what you did by hand."),
            ),
            _ => Failure::maybe_done(
                self.what,
                why,
                format!(
                    "Not all of it is there. {read} Bring that by hand and attest the step, or retry it."
                ),
            ),
        }
    }

    fn of_another(&self, made: &Made) -> Failure {
        let why = format!("restore/{} is there, and does not carry the mark of this attempt", made.name);
        Failure::not_done(self.what, why, "Look who made it; retry the step once it is gone.")
    }

    /// That nothing of this attempt is there.
    pub fn unmade(&self, error: &KubeError) -> Failure {
        match error.kind {
            KubeErrorKind::NotFound => Failure::not_done(
                self.what,
                format!("there is no restore/{} of this attempt", name_of(self.token)),
                "It was not made, or somebody deleted it since: find out which, then retry the step.",
            ),
            _ => error.of_change(self.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::action::Acted;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    const TOKEN: &str = "m/1/failover/restore/1";

    fn judged(uid: &str, status: Value, accepts_warnings: bool) -> Result<String, Failure> {
        let cluster = cluster();
        let what = "restore of b";
        let desk = Desk {
            cluster: &cluster,
            namespace: "velero",
            token: TOKEN,
            what,
            describe: "D".into(),
            server: "S".into(),
        };
        let mut object = object(TOKEN, "velero", "u1", &json!({"backupName": "b"}));
        object["status"] = status;
        let identity = vec![("backup".to_owned(), "b".to_owned()), ("uid".to_owned(), uid.to_owned())];
        let expected = Target { name: "b".into(), kind: "x".into(), identity, reachable: true };
        desk.judge(&Made::of(&cluster, &object), &expected, accepts_warnings)
    }

    fn completed(warnings: u64, errors: u64, items: u64) -> Value {
        let progress = json!({"itemsRestored": items, "totalItems": items});
        json!({"phase": "Completed", "warnings": warnings, "errors": errors, "progress": progress})
    }

    #[test]
    fn a_whole_restore_of_the_confirmed_backup_is_proven() {
        let proof = judged("u1", completed(0, 0, 40), false).unwrap();
        assert!(proof.ends_with("of backup b: Completed, 40 of 40 items, 0 errors, 0 warnings"), "{proof}");
        let other = judged("u2", completed(0, 0, 40), false).unwrap_err();
        assert!(other.why.contains("not of the backup that was confirmed"), "{other}");
    }

    #[test]
    fn warnings_are_for_a_person_unless_the_plan_accepts_them_and_errors_always_are() {
        let failure = judged("u1", completed(3, 0, 40), false).unwrap_err();
        assert!(failure.why.ends_with("is Completed with 3 warnings"), "{failure}");
        assert_eq!(failure.next, "Read them: `D`. Then attest the step with what you accepted.");
        assert!(judged("u1", completed(3, 0, 40), true).is_ok());
        let failure = judged("u1", completed(0, 1, 40), true).unwrap_err();
        assert_eq!(failure.acted, Acted::Maybe);
        let part = judged("u1", json!({"phase": "PartiallyFailed", "errors": 2}), true).unwrap_err();
        assert!(part.acted == Acted::Maybe && part.why.contains("2 errors"), "{part}");
    }

    #[test]
    fn what_restored_nothing_or_a_part_or_goes_on_is_not_proven() {
        let part = json!({"phase": "Completed", "progress": {"itemsRestored": 4, "totalItems": 40}});
        let failure = judged("u1", part, true).unwrap_err();
        assert!(failure.why.contains("restored 4 of 40 items"), "{failure}");
        for status in [completed(0, 0, 0), json!({"phase": "Completed"})] {
            let failure = judged("u1", status, true).unwrap_err();
            assert!(failure.why.contains("restored nothing"), "{failure}");
        }
        for phase in ["", "InProgress", "Finalizing", "Sideways"] {
            let failure = judged("u1", json!({"phase": phase}), true).unwrap_err();
            assert!(failure.why.contains("is not through"), "{failure}");
        }
        let refused = judged("u1", json!({"phase": "FailedValidation", "validationErrors": ["no"]}), true);
        assert_eq!(refused.unwrap_err().acted, Acted::No);
    }
}
