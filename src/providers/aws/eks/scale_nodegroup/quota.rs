//! Whether the account may run the vCPUs of more nodes: its quota against its use.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html#ec2-on-demand-instances-limits>

use crate::core::words::preflight::Check;
use crate::providers::aws::client::{AwsErrorKind, Call, Connection, date_time};
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_eks::types::{CapacityTypes, Nodegroup};
use jiff::{SignedDuration, Timestamp};

const WHAT: &str = "the EC2 vCPU quota takes the new nodes";

/// Families of the quota for standard instances.
const STANDARD: [&str; 11] = ["a", "c", "d", "h", "i", "m", "r", "t", "z", "im", "is"];

/// Which quota counts, with the class that CloudWatch gives its use.
struct Quota {
    code: &'static str,
    class: &'static str,
}

const ON_DEMAND: Quota = Quota { code: "L-1216C47A", class: "Standard/OnDemand" };
const SPOT: Quota = Quota { code: "L-34B43A08", class: "Standard/Spot" };

/// Compares what `more` nodes of the group need with what is left; none when it does not grow.
pub async fn check(connection: &Connection, group: &Nodegroup, more: i32) -> Option<Check> {
    let more = u32::try_from(more).ok().filter(|more| *more > 0)?;
    let each = match vcpus_each(group.instance_types()) {
        Ok(each) => each,
        Err(why) => return Some(Check::not_checkable(WHAT, why)),
    };
    let spot = group.capacity_type() == Some(&CapacityTypes::Spot);
    let quota = if spot { SPOT } else { ON_DEMAND };
    let (limit, used) = tokio::join!(limit(connection, &quota), used(connection, &quota));
    Some(match (limit, used) {
        (Err(why), _) | (_, Err(why)) => Check::not_checkable(WHAT, why),
        (Ok(limit), Ok(used)) => judge(f64::from(more) * f64::from(each), used, limit, quota.code),
    })
}

fn judge(needed: f64, used: f64, limit: f64, code: &str) -> Check {
    let seen = format!("{needed} more vCPUs, {used} of {limit} in use (quota {code})");
    let next =
        format!("Ask for a higher EC2 quota {code} now: it can take days. Or choose fewer or smaller nodes.");
    match used + needed {
        total if total > limit => Check::fail(WHAT, seen, next),
        total if total > 0.9 * limit => Check::warn(WHAT, seen, next),
        _ => Check::pass(WHAT, seen),
    }
}

async fn limit(connection: &Connection, quota: &Quota) -> Result<f64, String> {
    let call = Call::new("servicequotas:GetServiceQuota", quota.code);
    let send = connection.quotas().get_service_quota().service_code("ec2").quota_code(quota.code).send();
    let answer = match connection.call(&call, send).await {
        Ok(answer) => answer,
        Err(error) if error.kind == AwsErrorKind::NotFound => {
            return Err(format!("this region tells no quota {}", quota.code));
        }
        Err(error) => return Err(error.to_string()),
    };
    answer.quota.and_then(|quota| quota.value).ok_or_else(|| "the quota has no value".into())
}

/// What runs now. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Quotas-Visualize-Alarms.html>
async fn used(connection: &Connection, quota: &Quota) -> Result<f64, String> {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let now = Timestamp::now();
    let begin = now.checked_sub(SignedDuration::from_mins(30)).unwrap_or(now);
    let send = connection
        .cloudwatch()
        .get_metric_statistics()
        .namespace("AWS/Usage")
        .metric_name("ResourceCount")
        .dimensions(dimension("Service", "EC2"))
        .dimensions(dimension("Resource", "vCPU"))
        .dimensions(dimension("Type", "Resource"))
        .dimensions(dimension("Class", quota.class))
        .start_time(date_time(begin))
        .end_time(date_time(now))
        .period(300)
        .statistics(Statistic::Maximum)
        .send();
    let call = Call::new("cloudwatch:GetMetricStatistics", "AWS/Usage ResourceCount vCPU");
    let answer = connection.call(&call, send).await.map_err(|error| error.to_string())?;
    let points = answer.datapoints.unwrap_or_default();
    let newest = points.iter().max_by_key(|point| point.timestamp().map(|at| at.secs()));
    let used = newest.and_then(|point| point.maximum());
    used.ok_or_else(|| "CloudWatch tells no use of vCPUs here in the last 30 minutes".into())
}

/// The vCPUs of the largest of a group's instance types.
fn vcpus_each(types: &[String]) -> Result<u32, String> {
    let mut most = None;
    for instance_type in types {
        let vcpus = vcpus(instance_type).ok_or_else(|| {
            format!(
                "the vCPUs of {instance_type} do not follow from its name, or another quota counts for it"
            )
        })?;
        most = most.max(Some(vcpus));
    }
    most.ok_or_else(|| "the group's launch template has the instance type".into())
}

/// The vCPUs of a standard instance type by its size: `large` has 2, `xlarge` 4, `Nxlarge` 4 N; below `large` at most 2.
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>
fn vcpus(instance_type: &str) -> Option<u32> {
    let (name, size) = instance_type.split_once('.')?;
    let family = name.split(|c: char| c.is_ascii_digit()).next()?;
    if !STANDARD.contains(&family) {
        return None;
    }
    match size {
        "nano" | "micro" | "small" | "medium" | "large" => Some(2),
        "xlarge" => Some(4),
        _ => size.strip_suffix("xlarge")?.parse::<u32>().ok()?.checked_mul(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::preflight::Checked;

    #[test]
    fn vcpus_follow_from_the_size_of_standard_types() {
        for (name, expected) in [
            ("m6g.large", Some(2)),
            ("r6g.xlarge", Some(4)),
            ("c7gn.16xlarge", Some(64)),
            ("t3.medium", Some(2)),
            ("im4gn.4xlarge", Some(16)),
            ("m5.metal", None),
            ("m7i.metal-24xl", None),
            ("g5.xlarge", None),
            ("p4d.24xlarge", None),
            ("inf2.xlarge", None),
            ("mystery", None),
        ] {
            assert_eq!(vcpus(name), expected, "{name}");
        }
        let types = |names: &[&str]| vcpus_each(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(types(&["m5.large", "m5.2xlarge"]), Ok(8));
        assert!(types(&["m5.large", "g5.xlarge"]).unwrap_err().contains("g5.xlarge"));
        assert!(types(&[]).unwrap_err().contains("launch template"));
    }

    #[test]
    fn what_does_not_fit_fails_and_what_hardly_fits_warns() {
        let result = |needed| judge(needed, 40.0, 100.0, "L-1216C47A").result;
        assert!(matches!(result(40.0), Checked::Pass(_)));
        assert!(matches!(result(55.0), Checked::Warn(_)));
        assert!(matches!(result(61.0), Checked::Fail(seen) if seen.contains("61 more vCPUs, 40 of 100")));
    }
}
