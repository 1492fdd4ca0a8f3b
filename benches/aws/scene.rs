//! The emulated world, and a plan that watches all of it.

use std::fmt::Write;

/// In each region: metrics, instances (half of them a cluster's only one), clusters, node groups.
pub const METRICS: usize = 250;
pub const INSTANCES: usize = 50;
pub const CLUSTERS: usize = 25;
pub const NODEGROUPS: usize = 25;
/// Of both regions.
pub const SIGNALS: usize = 2 * (METRICS + INSTANCES + CLUSTERS + NODEGROUPS);

/// Makes the world. Values are of now; the plan looks back an hour.
pub fn world() -> String {
    WORLD
        .replace("{METRICS}", &METRICS.to_string())
        .replace("{INSTANCES}", &INSTANCES.to_string())
        .replace("{CLUSTERS}", &CLUSTERS.to_string())
        .replace("{NODEGROUPS}", &NODEGROUPS.to_string())
}

const WORLD: &str = r#"
role = "arn:aws:iam::123456789012:role/eks"
for region in ("us-east-1", "us-west-2"):
    client("cloudwatch", region).put_metric_data(Namespace="Own", MetricData=[
        {"MetricName": f"M{n}", "Dimensions": [{"Name": "D", "Value": "d"}], "Value": float(n)}
        for n in range({METRICS})])
    rds = client("rds", region)
    for n in range({CLUSTERS}):
        rds.create_db_cluster(DBClusterIdentifier=f"c{n}", Engine="aurora-postgresql", MasterUsername="admin",
            MasterUserPassword="not-secret", BackupRetentionPeriod=7)
        rds.create_db_instance(DBInstanceIdentifier=f"i{n}", DBClusterIdentifier=f"c{n}", Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large")
    for n in range({CLUSTERS}, {INSTANCES}):
        rds.create_db_instance(DBInstanceIdentifier=f"i{n}", DBInstanceClass="db.r6g.large", Engine="postgres",
            AllocatedStorage=100, MasterUsername="admin", MasterUserPassword="not-secret", BackupRetentionPeriod=7)
    eks = client("eks", region)
    eks.create_cluster(name=f"k-{region}", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    for n in range({NODEGROUPS}):
        eks.create_nodegroup(clusterName=f"k-{region}", nodegroupName=f"n{n}", nodeRole=role, subnets=["subnet-1"],
            scalingConfig={"minSize": 1, "maxSize": 60, "desiredSize": 2}, instanceTypes=["m6i.xlarge"])
"#;

const PLAN: &str = r#"[plan]
name = "Large"
strategy = "warm-standby"
[regions.primary]
name = "us-east-1"
role = "primary"
[regions.dr]
name = "us-west-2"
role = "standby"
[tree]
root = "q"
[tree.q]
ask = "Down?"
answers.no = "wait"
[leaves.wait]
title = "Wait"
advice = "Wait."
"#;

/// The plan that watches it.
pub fn plan(endpoint: &str) -> String {
    let mut text = format!("{PLAN}[aws]\nendpoint = \"{endpoint}\"\ndeadline = \"30s\"\n");
    for (region, name) in [("primary", "us-east-1"), ("dr", "us-west-2")] {
        let mut add = |id: String, kind: &str, keys: String| {
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "[probes.{region}-{id}]\nkind = \"{kind}\"\nregion = \"{region}\"\nevery = \"10s\"\ntimeout = \"30s\"\n\
                 fail_after = 1\n{keys}\n"
            );
        };
        for n in 0..METRICS {
            let metric =
                format!("namespace = \"Own\"\nmetric = \"M{n}\"\ndimensions.D = \"d\"\nlook_back = \"1h\"");
            add(format!("m{n}"), "cloudwatch-metric", metric);
        }
        for n in 0..INSTANCES {
            add(format!("i{n}"), "rds-instance", format!("instance = \"i{n}\""));
        }
        for n in 0..CLUSTERS {
            add(format!("c{n}"), "rds-cluster", format!("cluster = \"c{n}\""));
        }
        for n in 0..NODEGROUPS {
            add(format!("n{n}"), "eks-nodegroup", format!("cluster = \"k-{name}\"\nnodegroup = \"n{n}\""));
        }
    }
    text
}
