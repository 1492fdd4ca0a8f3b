//! Where a backup lies, and whether Velero can read it there.
//! <https://velero.io/docs/main/api-types/backupstoragelocation/>

use super::{SAID_CHARS, SKEW};
use crate::base::words;
use crate::providers::kube::client::{BACKUP_LOCATIONS, Call, Cluster, KubeError, KubeErrorKind, is_name};
use crate::providers::kube::said::{text, time};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

/// Velero looks at a location each minute by default. After this time, or three of its rounds, it does not look any more.
const LOOKS_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// A storage location.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Location {
    /// Its name, for people.
    pub name: String,
    state: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    /// Velero could read it then; after which time that says nothing any more, where it looks again and again.
    Available { looked: Option<Timestamp>, counts_for: Option<SignedDuration> },
    /// Why nothing can be read there.
    Unreadable(String),
}

impl Location {
    /// Reads the one of that name.
    ///
    /// # Errors
    /// When the cluster does not say how it is.
    pub async fn read(
        cluster: &Cluster,
        namespace: &str,
        name: &str,
        until: Instant,
    ) -> Result<Self, KubeError> {
        let shown = cluster.shown(name, 80);
        let unreadable = |why: String| Self { name: shown.clone(), state: State::Unreadable(why) };
        if !is_name(name) {
            return Ok(unreadable("the backup names no storage location that there can be".to_owned()));
        }
        let call = Call::new("get backupstoragelocations.velero.io", format!("{name} in {namespace}"));
        let left = until.saturating_duration_since(Instant::now());
        match cluster.get(&call, BACKUP_LOCATIONS.path(Some(namespace), Some(name)), left).await {
            Ok(object) => Ok(Self { state: State::of(cluster, &shown, &object), name: shown }),
            Err(error) if error.kind == KubeErrorKind::NotFound => {
                Ok(unreadable(format!("its storage location {shown} is not there: nobody can read it")))
            }
            Err(error) => Err(error),
        }
    }

    /// Why nobody can restore what lies there.
    pub fn unreadable(&self) -> Option<&str> {
        match &self.state {
            State::Unreadable(why) => Some(why),
            State::Available { .. } => None,
        }
    }

    /// Why that it is available may not be so any more.
    pub fn doubt(&self, now: Timestamp) -> Option<String> {
        let State::Available { looked, counts_for: Some(counts_for) } = self.state else {
            return None;
        };
        let Some(looked) = looked else {
            return Some(format!("Velero does not say when it looked at its storage location {}", self.name));
        };
        let ago = now.duration_since(looked);
        if ago < -SKEW {
            return Some(format!(
                "Velero's last look at its storage location {} is dated in the future: the cluster's clock or this host's \
                 is wrong",
                self.name
            ));
        }
        (ago > counts_for).then(|| {
            format!(
                "Velero looked at its storage location {} {} ago for the last time: its server may not run",
                self.name,
                words::seconds(ago.as_secs_f64())
            )
        })
    }

    /// `available` or `unavailable`.
    pub fn word(&self) -> &'static str {
        if self.unreadable().is_some() { "unavailable" } else { "available" }
    }
}

impl State {
    fn of(cluster: &Cluster, name: &str, object: &Value) -> Self {
        let status = &object["status"];
        match text(&status["phase"]).as_str() {
            "Available" => Self::Available {
                looked: time(&status["lastValidationTime"]),
                counts_for: counts_for(&object["spec"]["validationFrequency"]),
            },
            "" => {
                let why = format!("Velero does not say that its storage location {name} can be read");
                Self::Unreadable(why)
            }
            phase => {
                let said = match text(&status["message"]).as_str() {
                    "" => String::new(),
                    message => format!(": {}", cluster.shown(message, SAID_CHARS)),
                };
                let phase = cluster.shown(phase, 40);
                Self::Unreadable(format!(
                    "its storage location {name} is {phase}, so nobody can read it{said}"
                ))
            }
        }
    }
}

/// How long a look counts; none where Velero is told not to look again.
fn counts_for(frequency: &Value) -> Option<SignedDuration> {
    let rounds = frequency.as_str().and_then(|text| text.parse::<SignedDuration>().ok());
    match rounds {
        Some(every) if every.is_zero() => None,
        Some(every) => Some(every.saturating_mul(3).max(LOOKS_WITHIN)),
        None => Some(LOOKS_WITHIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: &str = "2026-11-30T12:00:00Z";

    fn location(spec: Value, status: Value) -> Location {
        let cluster = crate::providers::kube::testing::cluster();
        let object = json!({"spec": spec, "status": status});
        Location { name: "default".into(), state: State::of(&cluster, "default", &object) }
    }

    #[test]
    fn what_velero_does_not_call_available_is_not() {
        let of = |status: Value| location(json!({}), status).unreadable().map(str::to_owned);
        assert_eq!(of(json!({"phase": "Available"})), None);
        let gone = of(json!({"phase": "Unavailable", "message": "no \u{1b}[2Jbucket"})).unwrap();
        assert_eq!(
            gone,
            "its storage location default is Unavailable, so nobody can read it: no \u{fffd}[2Jbucket"
        );
        assert!(of(json!({})).unwrap().contains("does not say"));
        assert!(of(json!({"phase": "available"})).is_some());
    }

    #[test]
    fn an_old_look_is_doubted_by_the_rounds_that_velero_makes() {
        let doubt = |spec: Value, looked: &str| {
            let status = json!({"phase": "Available", "lastValidationTime": looked});
            location(spec, status).doubt(NOW.parse().unwrap())
        };
        assert_eq!(doubt(json!({}), "2026-11-30T11:50:00Z"), None);
        let stale = doubt(json!({"validationFrequency": "1m0s"}), "2026-11-30T09:00:00Z").unwrap();
        assert!(stale.contains("3 h ago") && stale.contains("may not run"), "{stale}");
        assert_eq!(doubt(json!({"validationFrequency": "2h0m0s"}), "2026-11-30T09:00:00Z"), None);
        assert_eq!(doubt(json!({"validationFrequency": "0s"}), "2026-11-20T09:00:00Z"), None);
        let future = doubt(json!({}), "2026-12-01T12:00:00Z").unwrap();
        assert!(future.contains("in the future"), "{future}");
        let untold = location(json!({}), json!({"phase": "Available"})).doubt(NOW.parse().unwrap());
        assert!(untold.is_some_and(|doubt| doubt.contains("does not say when it looked")));
    }
}
