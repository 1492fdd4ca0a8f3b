//! A managed node group: its sizes, its identity, its updates.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::Target;
use crate::plan::params::Params;
use crate::providers::aws::action::caller;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection};
use aws_sdk_eks::types::{Nodegroup, NodegroupScalingConfig, UpdateStatus};
use std::fmt;

/// What an action acts on.
pub const KIND: &str = "EKS node group";

/// The sizes of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    pub min: i32,
    pub desired: i32,
    pub max: i32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "desired {}, min {}, max {}", self.desired, self.min, self.max)
    }
}

impl Size {
    /// The size of a group now.
    pub fn of(group: &Nodegroup) -> Self {
        let scaling = group.scaling_config();
        Self {
            min: scaling.and_then(|scaling| scaling.min_size()).unwrap_or_default(),
            desired: scaling.and_then(|scaling| scaling.desired_size()).unwrap_or_default(),
            max: scaling.and_then(|scaling| scaling.max_size()).unwrap_or_default(),
        }
    }

    /// Reads what [`fmt::Display`] writes: it is kept so in a target's identity.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(", ").filter_map(|part| part.split_once(' ')?.1.parse().ok());
        Some(Self { desired: numbers.next()?, min: numbers.next()?, max: numbers.next()? })
    }

    /// The parameters as AWS's tool takes them.
    pub fn words(self) -> String {
        format!("minSize={} desiredSize={} maxSize={}", self.min, self.desired, self.max)
    }

    /// From this to another, in words.
    pub fn to(self, next: Self) -> String {
        let part = |name: &str, from: i32, to: i32| match from == to {
            true => format!("{name} {from}"),
            false => format!("{name} {from} -> {to}"),
        };
        let parts = [
            part("desired", self.desired, next.desired),
            part("min", self.min, next.min),
            part("max", self.max, next.max),
        ];
        parts.join(", ")
    }
}

/// What the plan wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub desired: i32,
    min: Option<i32>,
    max: Option<i32>,
    shrink: bool,
}

impl Limits {
    /// As a step wants them.
    pub fn of(params: &Params) -> Self {
        let number = |key| params.integer(key).and_then(|number| i32::try_from(number).ok());
        Self {
            desired: number("desired").unwrap_or_default(),
            min: number("min"),
            max: number("max"),
            shrink: params.flag("allow_shrink"),
        }
    }

    /// What is wrong with the plan's numbers by themselves.
    pub fn check(&self) -> Result<(), String> {
        match (self.min, self.max) {
            (Some(min), _) if min > self.desired => Err(format!("it is below `min` ({min})")),
            (_, Some(max)) if max < self.desired => Err(format!("it is above `max` ({max})")),
            _ => Ok(()),
        }
    }

    /// The parameters as AWS's tool takes them.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.min.map(|min| format!("minSize={min}")));
        words.push(format!("desiredSize={}", self.desired));
        words.extend(self.max.map(|max| format!("maxSize={max}")));
        words.join(" ")
    }

    /// The sizes that a group of these sizes gets, or why not and what to do.
    pub fn next(&self, now: Size) -> Result<Size, Problem> {
        let max = self.max.map_or(now.max, |max| max.max(now.max));
        let min = match self.min {
            Some(min) if self.shrink => min,
            Some(min) => min.max(now.min),
            None => now.min,
        };
        let refuse = |why: String, next: &str| Err(Problem::new(why, next));
        if self.desired < now.desired && !self.shrink {
            return refuse(
                format!("{} nodes are fewer than the {} of now", self.desired, now.desired),
                "Skip the step when enough nodes are there; write `with.allow_shrink = true` when fewer are meant.",
            );
        }
        if self.desired > max {
            return refuse(
                format!("{} nodes are more than the group's largest size {max}", self.desired),
                "Write `with.max` in the plan, or choose a smaller `desired`.",
            );
        }
        if self.desired < min {
            return refuse(
                format!("{} nodes are fewer than the group's smallest size {min}", self.desired),
                "Write `with.min` and `with.allow_shrink = true` in the plan, or choose a larger `desired`.",
            );
        }
        Ok(Size { min, desired: self.desired, max })
    }
}

/// Reads a group.
///
/// # Errors
/// When it is not there or cannot be read.
pub async fn read(connection: &Connection, cluster: &str, group: &str) -> Result<Nodegroup, AwsError> {
    let call = Call::new("eks:DescribeNodegroup", format!("{cluster}/{group}"));
    let send = connection.eks().describe_nodegroup().cluster_name(cluster).nodegroup_name(group).send();
    let answer = connection.call(&call, send).await?;
    answer
        .nodegroup
        .ok_or_else(|| AwsError::new(&call, AwsErrorKind::NotFound, "the answer holds no node group"))
}

/// The group as a target: its sizes belong to it, because the confirmation shows from which to which it goes.
///
/// # Errors
/// When AWS does not say who is calling.
pub async fn target(connection: &Connection, name: &str, group: &Nodegroup) -> Result<Target, AwsError> {
    let text = |text: &str| clean(text, 300);
    let mut identity = vec![("region".to_owned(), connection.region.clone())];
    identity.push(("arn".into(), text(group.nodegroup_arn().unwrap_or_default())));
    identity.push(("size".into(), Size::of(group).to_string()));
    identity.push(("instance types".into(), text(&group.instance_types().join(", "))));
    if let Some(capacity) = group.capacity_type() {
        identity.push(("capacity".into(), text(capacity.as_str())));
    }
    let mut tags: Vec<String> =
        group.tags().into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    tags.sort();
    if !tags.is_empty() {
        identity.push(("tags".into(), clean(&tags.join(", "), 500)));
    }
    identity.push(caller(connection).await?);
    Ok(Target { name: name.to_owned(), kind: KIND.into(), identity, reachable: true })
}

/// Its status, cleaned.
pub fn status(group: &Nodegroup) -> String {
    clean(group.status().map_or("not told", |status| status.as_str()), 40)
}

/// What is wrong with it, in words.
pub fn troubles(group: &Nodegroup) -> Vec<String> {
    let mut notes = Vec::new();
    if status(group) != "ACTIVE" {
        notes.push(format!("Its status is {}: AWS may refuse an update now.", status(group)));
    }
    let issues = group.health().map(|health| health.issues()).unwrap_or_default();
    notes.extend(issues.iter().map(|issue| {
        let code = issue.code().map_or("trouble", |code| code.as_str());
        clean(&format!("Its health: {code}: {}", issue.message().unwrap_or_default()), 300)
    }));
    if group.capacity_type().is_some_and(|capacity| capacity.as_str() == "SPOT") {
        notes.push("Spot capacity: AWS may have none when everybody fails over.".into());
    }
    notes
}

/// Asks for other sizes; gives the update's id.
///
/// # Errors
/// When AWS does not take it, or it is not known whether it did.
pub async fn resize(
    connection: &Connection,
    cluster: &str,
    group: &str,
    next: Size,
    token: &str,
) -> Result<String, AwsError> {
    let scaling = NodegroupScalingConfig::builder()
        .min_size(next.min)
        .desired_size(next.desired)
        .max_size(next.max)
        .build();
    let send = connection
        .eks()
        .update_nodegroup_config()
        .cluster_name(cluster)
        .nodegroup_name(group)
        .scaling_config(scaling)
        .client_request_token(token)
        .send();
    let call = Call::new("eks:UpdateNodegroupConfig", format!("{cluster}/{group}"));
    let answer = connection.call(&call, send).await?;
    Ok(answer.update.and_then(|update| update.id).unwrap_or_default())
}

/// Where an update is.
pub enum Update {
    Going(String),
    Done,
    /// With AWS's reasons.
    Failed(String),
}

/// Looks at an update of a group.
///
/// # Errors
/// When it cannot be read.
pub async fn update(
    connection: &Connection,
    cluster: &str,
    group: &str,
    id: &str,
) -> Result<Update, AwsError> {
    let call = Call::new("eks:DescribeUpdate", format!("update {id} of {cluster}/{group}"));
    let send = connection.eks().describe_update().name(cluster).nodegroup_name(group).update_id(id).send();
    let answer = connection.call(&call, send).await?;
    let update = answer.update.as_ref();
    let reasons = update.map(|update| update.errors()).unwrap_or_default().iter().map(|error| {
        let code = error.error_code().map_or("error", |code| code.as_str());
        format!("{code}: {}", error.error_message().unwrap_or_default())
    });
    let reasons = clean(&reasons.collect::<Vec<_>>().join("; "), 500);
    let reasons = if reasons.is_empty() { "AWS gives no reason".to_owned() } else { reasons };
    Ok(match update.and_then(|update| update.status()) {
        Some(UpdateStatus::Successful) => Update::Done,
        Some(UpdateStatus::Failed) => Update::Failed(reasons),
        Some(UpdateStatus::Cancelled) => Update::Failed(format!("it was cancelled ({reasons})")),
        Some(status) => Update::Going(clean(&format!("update {id}: {}", status.as_str()), 120)),
        None => Update::Going(format!("update {id}: no status yet")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Size = Size { min: 2, desired: 2, max: 4 };

    fn limits(desired: i32, min: Option<i32>, max: Option<i32>, shrink: bool) -> Limits {
        Limits { desired, min, max, shrink }
    }

    #[test]
    fn limits_are_widened_only_when_the_plan_says_so() {
        let next = |wish: Limits| wish.next(NOW).map_err(|refusal| refusal.why);
        assert_eq!(next(limits(4, None, None, false)), Ok(Size { desired: 4, ..NOW }));
        assert_eq!(next(limits(10, None, Some(20), false)), Ok(Size { desired: 10, max: 20, ..NOW }));
        assert_eq!(next(limits(3, Some(1), Some(3), false)), Ok(Size { desired: 3, ..NOW }), "never lowered");
        assert_eq!(next(limits(3, Some(3), None, false)), Ok(Size { desired: 3, min: 3, ..NOW }));
        assert!(next(limits(10, None, None, false)).unwrap_err().contains("largest size 4"));
        assert!(next(limits(1, None, None, false)).unwrap_err().contains("fewer than the 2 of now"));
        assert!(next(limits(1, None, None, true)).unwrap_err().contains("smallest size 2"));
        assert_eq!(next(limits(0, Some(0), None, true)), Ok(Size { min: 0, desired: 0, max: 4 }));
    }

    #[test]
    fn a_size_is_read_as_it_is_written_and_told_from_to() {
        assert_eq!(Size::parse(&NOW.to_string()), Some(NOW));
        assert_eq!(Size::parse("desired x, min 2, max 4"), None);
        let next = Size { desired: 10, max: 20, ..NOW };
        assert_eq!(NOW.to(next), "desired 2 -> 10, min 2, max 4 -> 20");
        assert_eq!(limits(10, None, Some(20), false).words(), "desiredSize=10 maxSize=20");
    }

    #[test]
    fn numbers_that_contradict_each_other_are_found_in_the_plan() {
        assert!(limits(5, Some(6), None, false).check().is_err());
        assert!(limits(5, None, Some(4), false).check().is_err());
        assert!(limits(5, Some(5), Some(5), false).check().is_ok());
    }
}
