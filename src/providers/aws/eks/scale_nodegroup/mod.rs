//! `eks-scale-nodegroup`: changes how many nodes a managed node group has.

mod group;
mod quota;

use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, command, place};
use crate::providers::aws::client::{Connection, Place};
use crate::providers::clients::Clients;
use aws_sdk_eks::types::{Nodegroup, NodegroupStatus};
use group::{Limits, Size};
use jiff::SignedDuration;

/// How often a running update is looked at.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "eks-scale-nodegroup",
    does: Does::Scales,
    simulated_target: "simulated target",
    sets: &["desired", "min", "max"],
    doc: "Sets the desired size of a managed EKS node group with `UpdateNodegroupConfig`, waits until AWS says that the \
          update succeeded, and reads the size back. The confirmation shows from and to. It refuses a size below the \
          one now unless `allow_shrink` says so, and one outside of the group's limits unless `max` or `min` widens \
          them. The update carries a token of the attempt, so that AWS does it once. That the new nodes are ready is \
          Kubernetes' to tell: watch it with a probe. Before the night, preflight compares the vCPUs that the new \
          nodes need with the account's quota and its use.",
    keys: &[
        REGION,
        Key::required("cluster", Takes::Text, "The cluster's name."),
        Key::required("nodegroup", Takes::Text, "The node group's name."),
        Key::required("desired", Takes::Integer(0, 10_000), "How many nodes it shall have."),
        Key::optional(
            "max",
            Takes::Integer(1, 10_000),
            "The group's largest size is raised to this when it is lower; never lowered.",
        ),
        Key::optional(
            "min",
            Takes::Integer(0, 10_000),
            "The group's smallest size is raised to this when it is lower; with `allow_shrink` also lowered.",
        ),
        Key::default("allow_shrink", Takes::Flag, "false", "Whether it may have fewer nodes than now."),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["eks:DescribeNodegroup", "eks:UpdateNodegroupConfig", "eks:DescribeUpdate"],
    example: r#"[[runbooks.example.steps]]
id = "scale-dr-nodes"
title = "Scale the DR node group up"
action = "eks-scale-nodegroup"
with.region = "us-west-2"
with.cluster = "arka-dr"
with.nodegroup = "workers"
with.desired = 10
with.max = 20
confirm = "yes"
estimate = "5m"
timeout = "15m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        let wish = Limits::of(params);
        format!(
            "eks:UpdateNodegroupConfig clusterName={} nodegroupName={} {}",
            text("cluster"),
            text("nodegroup"),
            wish.words()
        )
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let limits = Limits::of(params);
    limits.check().map_err(|why| BuildError::Value {
        key: "desired".into(),
        value: limits.desired.to_string(),
        why,
    })?;
    params
        .integer("desired")
        .ok_or(crate::plan::params::ParamError { key: "desired".into(), expected: "a whole number" })?;
    Ok(Box::new(Changing(Scale {
        place: place(params, clients)?,
        cluster: params.require_text("cluster")?.to_owned(),
        group: params.require_text("nodegroup")?.to_owned(),
        limits,
    })))
}

struct Scale {
    place: Place,
    cluster: String,
    group: String,
    limits: Limits,
}

impl Change for Scale {
    type Seen = Nodegroup;

    fn what(&self, name: &str) -> String {
        format!("scaling of {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.name(), group::KIND)
    }

    async fn read(&self) -> Result<(Target, Nodegroup), Unread> {
        let connection = self.place.reader().await;
        let group = group::read(&connection, &self.cluster, &self.group).await?;
        let target = group::target(&connection, &self.name(), &group).await?;
        Ok((target, group))
    }

    fn show(&self, group: Option<&Nodegroup>) -> Shown {
        let now = group.map(Size::of);
        let next = now.and_then(|now| self.limits.next(now).ok());
        let scaling = next.map_or_else(|| self.limits.words(), Size::words);
        Shown {
            call: self.call(&scaling),
            command: self.command(&scaling),
            notes: group.map(|group| self.notes(group)).unwrap_or_default(),
            undo: now.map(|now| self.command(&now.words())).into_iter().collect(),
            sets: now.zip(next).map(|(now, next)| ("scaling".into(), now.to(next))).into_iter().collect(),
        }
    }

    fn refuses(&self, group: &Nodegroup, _: &Context) -> Option<Problem> {
        let now = Size::of(group);
        match self.limits.next(now) {
            Ok(next) if next == now => Some(Problem::new(
                format!("it has this size already ({now}): nothing was sent"),
                "Skip the step with this as the reason.",
            )),
            next => next.err(),
        }
    }

    async fn send(&self, confirmed: Confirmed<'_, Nodegroup>, context: &Context) -> Result<Done, Failure> {
        let what = &*confirmed.what;
        let now = Size::of(&confirmed.seen);
        let next = self.limits.next(now).map_err(|refusal| refusal.not_done(what))?;
        (context.output)(&now.to(next));
        let connection = self.place.writer().await;
        let update = group::resize(&connection, &self.cluster, &self.group, next, &context.token).await;
        self.follow(what, &update.map_err(|error| error.of_change(what))?, context).await?;
        Ok(Done { summary: format!("{}: {}", confirmed.expected.name, now.to(next)) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = format!("new size of {}", expected.name);
        let (found, group) = self.read().await.map_err(|unread| unread.not_done(&*what))?;
        let not_yet = |why: String, next: &str| Err(Failure::not_done(&*what, why, next));
        if expected.property("arn") != found.property("arn") || expected.property("arn").is_none() {
            return not_yet(
                "it is not the node group that was confirmed".into(),
                "Find out which one answers.",
            );
        }
        let Some(before) = expected.property("size").and_then(Size::parse) else {
            return not_yet("its size before is not known".into(), "Compare by hand, then attest the step.");
        };
        let now = Size::of(&group);
        let wished = self.limits.next(before);
        if wished.as_ref().is_ok_and(|wished| *wished == before) {
            return not_yet(format!("it had this size before ({before})"), "Skip the step.");
        }
        if wished.as_ref().ok() != Some(&now) {
            let next =
                "If an autoscaler moved it on, compare by hand and attest; else it was not done: retry.";
            return not_yet(format!("its size is {now}, it was {before}"), next);
        }
        if group.status() != Some(&NodegroupStatus::Active) {
            return not_yet(
                format!("its status is {}", group::status(&group)),
                "It still goes on: verify again.",
            );
        }
        Ok(Proof {
            evidence: vec![
                format!("DescribeNodegroup: {now}, before {before}"),
                "the node group is ACTIVE".into(),
                "that nodes are Ready was not looked at: Kubernetes tells it".into(),
            ],
        })
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.command(&self.limits.words())],
            check: format!(
                "`{}` shows status ACTIVE and the new scalingConfig; `kubectl get nodes` shows the nodes Ready.",
                command(Some(&self.place.region), &self.words("describe-nodegroup"))
            ),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let connection = self.place.reader().await;
        let group = match group::read(&connection, &self.cluster, &self.group).await {
            Ok(group) => group,
            Err(error) => return vec![Check::not_checkable("the EC2 vCPU quota", error.to_string())],
        };
        let more = self.limits.desired - Size::of(&group).desired;
        let mut checks: Vec<Check> = quota::check(&connection, &group, more).await.into_iter().collect();
        let refused = self.limits.next(Size::of(&group)).err();
        checks.extend(refused.map(|refusal| refusal.check("the node group takes the size")));
        checks
    }
}

impl Scale {
    fn name(&self) -> String {
        format!("{}/{}", self.cluster, self.group)
    }

    fn call(&self, scaling: &str) -> String {
        format!(
            "eks:UpdateNodegroupConfig clusterName={} nodegroupName={} {scaling} clientRequestToken=(this attempt)",
            self.cluster, self.group
        )
    }

    fn words<'a>(&'a self, operation: &'a str) -> [&'a str; 6] {
        ["eks", operation, "--cluster-name", &self.cluster, "--nodegroup-name", &self.group]
    }

    fn command(&self, scaling: &str) -> String {
        let scaling = scaling.replace(' ', ",");
        let words = self.words("update-nodegroup-config");
        command(Some(&self.place.region), &[&words[..], &["--scaling-config", &scaling]].concat())
    }

    fn notes(&self, group: &Nodegroup) -> Vec<String> {
        let mut notes = match self.limits.next(Size::of(group)) {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal.notes(),
        };
        notes.extend(group::troubles(group));
        notes.push(
            "Whether the new nodes are Ready is Kubernetes' to tell: this step proves the group's size."
                .into(),
        );
        notes
    }

    /// Until the update succeeded and the group is active again.
    async fn follow(&self, what: &str, update: &str, context: &Context) -> Result<(), Failure> {
        let connection = self.place.reader().await;
        let late = |seen: String| {
            Failure::maybe_done(
                what,
                format!("AWS took it, and is not through: {seen}"),
                "Verify the step until it is.",
            )
        };
        wait(context, PAUSE, late, || self.progress(&connection, what, update)).await
    }

    async fn progress(
        &self,
        connection: &Connection,
        what: &str,
        update: &str,
    ) -> Result<Progress<()>, Unseen> {
        let seen = group::update(connection, &self.cluster, &self.group, update).await?;
        Ok(match seen {
            group::Update::Failed(why) => Progress::Lost(Failure::maybe_done(
                what,
                format!("AWS took it and could not do it: {why}"),
                "Look at the node group's health and its Auto Scaling group; then retry, or use another group.",
            )),
            group::Update::Going(words) => Progress::Waiting(words),
            group::Update::Done => {
                let group = group::read(connection, &self.cluster, &self.group).await?;
                match group.status() {
                    Some(NodegroupStatus::Active) => Progress::Reached(()),
                    _ => Progress::Waiting(format!("update successful; group {}", group::status(&group))),
                }
            }
        })
    }
}
