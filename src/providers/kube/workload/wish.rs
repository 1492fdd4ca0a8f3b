//! How many pods a plan wants of a workload.

use super::change::read;
use super::chosen::Found;
use super::moves::{BEFORE, MOST, before};
use super::peak::Peak;
use crate::base::problem::Problem;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::Cluster;

/// How many.
pub enum Wish {
    Number(u32),
    /// As many as the same workload is set to there.
    Like(Cluster),
    /// As many as ran at most lately.
    Peak(Box<Peak>),
    /// As many as before lifeboat scaled it.
    Before,
}

impl Wish {
    /// As a step says it.
    ///
    /// # Errors
    /// When it says it in no way, or in two.
    pub fn of(params: &Params, clients: &Clients) -> Result<Self, BuildError> {
        let peak = Peak::of(params, clients)?;
        match (params.integer("replicas"), params.text("like"), peak, params.flag("restore")) {
            (Some(replicas), None, None, false) => {
                Ok(Self::Number(u32::try_from(replicas).unwrap_or_default()))
            }
            (None, Some(like), None, false) => Ok(Self::Like(clients.kube.cluster(like))),
            (None, None, Some(peak), false) => Ok(Self::Peak(Box::new(peak))),
            (None, None, None, true) => Ok(Self::Before),
            _ => {
                let why = "exactly one of `replicas`, `like`, `peak` and `restore` says how many";
                Err(BuildError::value("replicas", "", why))
            }
        }
    }

    /// How many one shall become that is set to `from`, or why nobody can say.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn number(&self, namespace: &str, found: &Found, from: u32) -> Result<u32, Problem> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Like(other) => like(other, namespace, found, from).await,
            Self::Peak(peak) => peak.number(namespace, found).await,
            Self::Before => match before(found.annotation(BEFORE)) {
                Some((first, _)) if first <= MOST => Ok(first),
                Some((first, _)) => Err(Problem::new(
                    format!("the note of what was there before says {first} pods, which is beyond {MOST}"),
                    "Somebody wrote it by hand: look who, and say `replicas` in the plan.",
                )),
                None => Err(Problem::new(
                    format!(
                        "{} carries no note of lifeboat's of what was there before; it runs {from}",
                        found.named.words()
                    ),
                    "Say `replicas` in the plan, or scale it by hand.",
                )),
            },
        }
    }
}

async fn like(other: &Cluster, namespace: &str, found: &Found, from: u32) -> Result<u32, Problem> {
    match read(other, namespace, &found.named).await.map(|there| there.workload().wanted) {
        Err(error) => Err(Problem::new(
            format!("how many run in {} cannot be read: {error}", other.context),
            "Say `replicas` in the plan, or scale it by hand and attest the step.",
        )),
        Ok(0) if from > 0 => Err(Problem::new(
            format!(
                "{} is set to 0 in {}: nothing of it is asked for there any more",
                found.named.words(),
                other.context
            ),
            "Say `replicas` in the plan.",
        )),
        Ok(there) => Ok(there),
    }
}
