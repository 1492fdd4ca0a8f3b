//! `eks-nodegroup`: a managed node group of an EKS cluster.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::aws::client::{AwsErrorKind, Call};
use crate::providers::aws::reader::Reader;
use crate::providers::clients::Clients;
use aws_sdk_eks::types::{Issue, Nodegroup, NodegroupStatus};
use futures::future::BoxFuture;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "eks-nodegroup",
    sees: Sees::NodeGroup,
    doc: "Reads a managed node group of an EKS cluster: its status, its sizes, and what EKS finds wrong with it. The \
          value is the desired size: what was asked for, not what is ready, which Kubernetes tells. A group that is \
          degraded, failed or not there is critical; other health issues are a warning.",
    unit: Unit::Number,
    keys: &[
        Key::required("cluster", Takes::Text, "Name of the cluster."),
        Key::required("nodegroup", Takes::Text, "Name of the node group."),
        crate::providers::aws::probe::REGION,
        Key::optional("min_nodes", Takes::Integer(1, 10_000), "A desired size below this is critical."),
    ],
    fields: &[
        ("status", "EKS's word for its state (`ACTIVE`)"),
        ("desired", "how many nodes are asked for"),
        ("min", "the least that the autoscaler may ask for"),
        ("max", "the most"),
        ("issues", "what EKS finds wrong, in words"),
        ("issue_count", "how many issues there are"),
        ("instance_types", "separated by commas"),
        ("capacity", "`ON_DEMAND`, `SPOT`, `CAPACITY_BLOCK`"),
        ("version", "the Kubernetes version"),
        ("release", "the version of the nodes' image"),
        ("autoscaling_group", "the Auto Scaling group behind it"),
        ("arn", "its ARN"),
    ],
    permissions: &["eks:DescribeNodegroup"],
    example: r#"[probes.example]
kind = "eks-nodegroup"
title = "DR nodes"
region = "dr"
cluster = "sparc-prod-us-west-2"
nodegroup = "workers"
min_nodes = 2
every = "1m"
timeout = "10s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Group {
        reader: Reader::of(spec, clients)?,
        cluster: spec.params.require_text("cluster")?.to_owned(),
        name: spec.params.require_text("nodegroup")?.to_owned(),
        least: spec.params.integer("min_nodes"),
    }))
}

struct Group {
    reader: Reader,
    cluster: String,
    name: String,
    least: Option<i64>,
}

impl Probe for Group {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.reader.connection().await;
            let call = Call::new("eks:DescribeNodegroup", format!("{} of {}", self.name, self.cluster));
            let asked = connection.eks().describe_nodegroup();
            let send = asked.cluster_name(&self.cluster).nodegroup_name(&self.name).send();
            match connection.call_within(&call, self.reader.within, send).await {
                Ok(found) => {
                    Ok(found.nodegroup().map_or_else(|| self.missing(), |group| judge(group, self.least)))
                }
                Err(error) if error.kind == AwsErrorKind::NotFound => Ok(self.missing()),
                Err(error) => Err(error.unmeasured()),
            }
        })
    }
}

impl Group {
    fn missing(&self) -> Measurement {
        let (name, cluster, region) = (&self.name, &self.cluster, self.reader.region());
        Measurement::critical(format!("there is no node group {name} in cluster {cluster} in {region}"))
    }
}

fn judge(group: &Nodegroup, least: Option<i64>) -> Measurement {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| clean(text, 300));
    let scaling = group.scaling_config();
    let desired = scaling.and_then(|scaling| scaling.desired_size());
    let (min, max) = (scaling.and_then(|it| it.min_size()), scaling.and_then(|it| it.max_size()));
    let issues = group.health().map(|health| health.issues()).unwrap_or_default();
    let words: Vec<String> = issues.iter().map(in_words).collect();
    let types: Vec<String> = group.instance_types().iter().map(|name| clean(name, 60)).collect();
    let asg = group.resources().and_then(|resources| resources.auto_scaling_groups().first());
    let status = text(group.status().map(NodegroupStatus::as_str)).unwrap_or_default();
    let measured = Measurement::good(summary(&status, desired, min, max, &types))
        .judged(judge_status(group.status()))
        .judged(judge_size(desired, least))
        .judged(words.first().map_or(Verdict::Good, |issue| Verdict::Warn(issue.clone())))
        .with_text("status", status)
        .with_number("desired", desired.map(f64::from))
        .with_number("min", min.map(f64::from))
        .with_number("max", max.map(f64::from))
        .with_number("issue_count", words.len() as f64)
        .with_text("issues", words.join("; "))
        .with_text("instance_types", types.join(", "))
        .with_text("capacity", text(group.capacity_type().map(|capacity| capacity.as_str())))
        .with_text("version", text(group.version()))
        .with_text("release", text(group.release_version()))
        .with_text("autoscaling_group", text(asg.and_then(|asg| asg.name())))
        .with_text("arn", text(group.nodegroup_arn()));
    match desired {
        Some(desired) => measured.with_value(f64::from(desired)),
        None => measured,
    }
}

fn summary(
    status: &str,
    desired: Option<i32>,
    min: Option<i32>,
    max: Option<i32>,
    types: &[String],
) -> String {
    let mut parts = vec![status.to_lowercase().replace('_', " ")];
    parts.extend(desired.map(|desired| format!("{desired} nodes wanted")));
    parts.extend(min.zip(max).map(|(min, max)| format!("{min} to {max} allowed")));
    parts.push(types.join(", "));
    parts.retain(|part| !part.is_empty());
    clean(&parts.join(", "), 200)
}

/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html>
fn judge_status(status: Option<&NodegroupStatus>) -> Verdict {
    use NodegroupStatus::*;
    match status {
        Some(Active | Updating) => Verdict::Good,
        Some(Creating) => Verdict::Warn("it is being created".into()),
        Some(Degraded) => Verdict::Critical("it is degraded".into()),
        Some(Deleting) => Verdict::Critical("it is being deleted".into()),
        Some(CreateFailed) => Verdict::Critical("it could not be created".into()),
        Some(DeleteFailed) => Verdict::Critical("it could not be deleted".into()),
        Some(other) => {
            let other = clean(other.as_str(), 60);
            Verdict::Warn(format!("its status is {other}, which is not a known one"))
        }
        None => Verdict::Warn("EKS tells no status of it".into()),
    }
}

fn judge_size(desired: Option<i32>, least: Option<i64>) -> Verdict {
    match (desired, least) {
        (Some(desired), Some(least)) if i64::from(desired) < least => {
            Verdict::Critical(format!("{desired} nodes wanted, at least {least} expected"))
        }
        (None, Some(_)) => Verdict::Warn("EKS tells no desired size".into()),
        _ => Verdict::Good,
    }
}

/// An issue, from <https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html>; AWS's own words follow.
fn in_words(issue: &Issue) -> String {
    let code = issue.code().map(|code| code.as_str()).unwrap_or_default();
    let meaning = match code {
        "AccessDenied" => "EKS or the nodes are not allowed to reach the cluster",
        "AsgInstanceLaunchFailures" => "instances cannot be launched",
        "AutoScalingGroupNotFound" => "its Auto Scaling group is gone",
        "AutoScalingGroupInvalidConfiguration" => "its Auto Scaling group was changed by hand",
        "ClusterUnreachable" => "EKS cannot reach the cluster's API server",
        "Ec2LaunchTemplateNotFound" => "its launch template is gone",
        "Ec2LaunchTemplateVersionMismatch" => "its launch template's version was changed by hand",
        "Ec2SecurityGroupNotFound" => "its security group is gone",
        "Ec2SubnetNotFound" => "a subnet of it is gone",
        "IamInstanceProfileNotFound" | "IamNodeRoleNotFound" => "its nodes' role is gone",
        "InstanceLimitExceeded" => "the account's limit of instances is reached",
        "InsufficientFreeAddresses" => "its subnets have no free addresses",
        "NodeCreationFailure" => "instances start but do not join the cluster",
        "PodEvictionFailure" => "pods cannot be moved away",
        "" => "EKS finds something wrong",
        other => other,
    };
    match issue.message().filter(|message| !message.is_empty()) {
        Some(message) => clean(&format!("{meaning}: {message}"), 300),
        None => clean(meaning, 300),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eks::types::builders::NodegroupBuilder;
    use aws_sdk_eks::types::{NodegroupHealth, NodegroupIssueCode, NodegroupScalingConfig};

    fn group(status: NodegroupStatus) -> NodegroupBuilder {
        let scaling = NodegroupScalingConfig::builder().desired_size(2).min_size(1).max_size(20);
        Nodegroup::builder().status(status).scaling_config(scaling.build()).instance_types("m6i.xlarge")
    }

    #[test]
    fn sizes_are_what_is_asked_for() {
        let measured = judge(&group(NodegroupStatus::Active).build(), Some(2));
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(2.0)));
        assert_eq!(measured.summary, "active, 2 nodes wanted, 1 to 20 allowed, m6i.xlarge");
        let few = judge(&group(NodegroupStatus::Active).build(), Some(10)).verdict;
        assert_eq!(few, Verdict::Critical("2 nodes wanted, at least 10 expected".into()));
    }

    #[test]
    fn a_group_that_changes_still_serves() {
        let verdict = |status| judge(&group(status).build(), None).verdict;
        assert_eq!(verdict(NodegroupStatus::Updating), Verdict::Good);
        assert!(matches!(verdict(NodegroupStatus::Creating), Verdict::Warn(_)));
        for lost in [NodegroupStatus::Degraded, NodegroupStatus::Deleting, NodegroupStatus::CreateFailed] {
            assert!(matches!(verdict(lost), Verdict::Critical(_)));
        }
        assert!(matches!(verdict(NodegroupStatus::from("DANCING")), Verdict::Warn(_)));
    }

    #[test]
    fn issues_are_said_in_words() {
        let issue = |code, message: Option<&str>| {
            Issue::builder().code(code).set_message(message.map(str::to_owned)).build()
        };
        let health = NodegroupHealth::builder()
            .issues(issue(NodegroupIssueCode::AsgInstanceLaunchFailures, Some("no m6i.xlarge in us-west-2a")))
            .issues(issue(NodegroupIssueCode::IamThrottling, None));
        let measured = judge(&group(NodegroupStatus::Active).health(health.build()).build(), None);
        let first = "instances cannot be launched: no m6i.xlarge in us-west-2a";
        assert_eq!(measured.verdict, Verdict::Warn(first.into()));
        assert_eq!(measured.text("issues"), Some(&*format!("{first}; IamThrottling")));
    }
}
