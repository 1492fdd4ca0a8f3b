//! A small plan with every kind of probe, and a world that the test moves.

mod actions;
mod readings;

use super::*;
use crate::base::ids::{ProbeId, RegionId};
use crate::base::units::Unit;
use crate::core::words::action::{Acted, Done, Failure};
use crate::core::words::reading::{Field, Verdict};
use crate::kinds::action::{Action, Conditions, Context};
use crate::plan::condition::{Condition, Truth};
use crate::plan::kinds::{Does, Sees};
use crate::plan::params::Param;
use crate::plan::{
    AwsSettings, ConfirmLevel, Policy, Region, RegionRole, Runbook, Service, Strategy, Thresholds, Tree,
};
use crate::world::ManualClock;
use jiff::SignedDuration;
use std::sync::Mutex as StdMutex;

const START: i64 = 1_790_000_000;

fn probe(id: &str, kind: &str, region: Option<&str>, unit: Unit, warn: Option<f64>) -> ProbeSpec {
    ProbeSpec {
        id: id.into(),
        kind: kind.into(),
        sees: crate::providers::probe(kind).map_or(Sees::Program, |kind| kind.sees),
        title: id.into(),
        region: region.map(RegionId::from),
        database: None,
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_secs(2),
        thresholds: Thresholds { warn, critical: warn.map(|warn| warn * 2.0), below: false },
        unit,
        fail_after: 3,
        recover_after: 2,
        stale_after: SignedDuration::from_secs(20),
        params: params(kind),
    }
}

/// What each kind cannot do without.
fn params(kind: &str) -> Params {
    let text = |key: &str, value: &str| (key.to_owned(), Param::Text(value.into()));
    let argv = || ("argv".to_owned(), Param::List(vec![Param::Text("/bin/tool".into())]));
    let given = match kind {
        "http" | "http-request" => vec![text("url", "https://web.example.com/health")],
        "tcp" => vec![text("address", "web.example.com:443")],
        "file-age" => vec![text("path", "/backup/*.dump")],
        "s3-latest" => vec![text("bucket", "backups"), text("prefix", "db/"), text("checksum", "metadata")],
        "cloudwatch-metric" => vec![text("preset", "rds-replica-lag"), text("of", "b-db")],
        "cloudwatch-alarms" => vec![("names".into(), Param::List(vec![Param::Text("a-5xx".into())]))],
        "alertmanager" => vec![text("url", "https://alerts.example.com")],
        "exec" => vec![argv(), text("target", "tool"), text("stdout", "number")],
        "rds-instance" => vec![text("instance", "orders")],
        "rds-cluster" | "msk-cluster" => vec![text("cluster", "orders")],
        "rds-snapshots" => vec![text("instance", "orders")],
        "aws-backup" => vec![text("vault", "prod")],
        "eks-nodegroup" => vec![text("cluster", "orders"), text("nodegroup", "workers")],
        "cloudfront-distribution" => vec![text("distribution", "E1"), text("expect_origin", "x.example.com")],
        "postgres-promote" => vec![text("dsn", "host=b.example.com")],
        "route53-record" => vec![text("zone", "Z1"), text("name", "web.example.com")],
        "route53-health-check" => vec![text("health_check", "check")],
        "arc-routing-control" => {
            let (region, url) = text("us-west-2", "https://cluster.example.com/v1");
            let endpoints = Param::Table([(region, url)].into_iter().collect());
            vec![text("routing_control", "arn"), ("cluster_endpoints".to_owned(), endpoints)]
        }
        _ => vec![text("dsn", "host=a.example.com")],
    };
    Params(given.into_iter().collect())
}

fn step(id: &str, action: &str) -> Step {
    Step {
        id: id.into(),
        title: id.into(),
        action: action.into(),
        does: crate::providers::action(action).map_or(Does::Changes, |kind| kind.does),
        params: params(action),
        needs: Vec::new(),
        guard: Vec::new(),
        confirm: ConfirmLevel::None,
        changes: !matches!(action, "manual" | "note" | "wait-for"),
        irreversible: false,
        switches: false,
        serves: Default::default(),
        safe_to_drill: false,
        fences: Vec::new(),
        unfences: Vec::new(),
        estimate: None,
        timeout: SignedDuration::from_secs(60),
        verify: None,
        verify_within: SignedDuration::from_secs(60),
        manual: None,
        undo: None,
        undoes: Vec::new(),
    }
}

fn replication(id: &str, primary: Option<&str>) -> ProbeSpec {
    let mut spec = probe(id, "postgres-replication", Some("b"), Unit::Seconds, Some(30.0));
    spec.params.0.extend(primary.map(|dsn| ("primary".to_owned(), Param::Text(dsn.into()))));
    spec
}

/// Two regions, a public endpoint, a reference, every kind of probe, and steps of several kinds.
pub(crate) fn plan() -> Plan {
    let probes = [
        probe("outside", "tcp", None, Unit::Milliseconds, None),
        probe("public", "http", None, Unit::Milliseconds, Some(10.0)),
        probe("a-web", "http", Some("a"), Unit::Milliseconds, Some(50.0)),
        probe("a-port", "tcp", Some("a"), Unit::Milliseconds, None),
        probe("a-db", "postgres", Some("a"), Unit::Milliseconds, None),
        probe("a-wal", "postgres-backup", Some("a"), Unit::Seconds, Some(300.0)),
        probe("a-dump", "file-age", Some("a"), Unit::Seconds, Some(90_000.0)),
        probe("b-db", "postgres", Some("b"), Unit::Milliseconds, None),
        replication("b-lag", Some("host=a")),
        replication("b-lag-alone", None),
        probe("b-copies", "s3-latest", Some("b"), Unit::Seconds, Some(90_000.0)),
        probe("b-metric", "cloudwatch-metric", Some("b"), Unit::Number, Some(30.0)),
        probe("b-alarms", "cloudwatch-alarms", Some("b"), Unit::Number, None),
        probe("b-alerts", "alertmanager", Some("b"), Unit::Number, None),
        probe("b-units", "exec", Some("b"), Unit::Number, Some(0.5)),
        probe("b-record", "route53-record", Some("b"), Unit::Seconds, None),
        probe("b-check", "route53-health-check", Some("b"), Unit::Number, None),
        probe("b-switch", "arc-routing-control", Some("b"), Unit::Number, None),
        probe("a-rds", "rds-instance", Some("a"), Unit::Seconds, Some(600.0)),
        probe("b-rds", "rds-instance", Some("b"), Unit::Seconds, Some(600.0)),
        probe("a-aurora", "rds-cluster", Some("a"), Unit::Seconds, Some(600.0)),
        probe("a-snapshots", "rds-snapshots", Some("a"), Unit::Seconds, Some(90_000.0)),
        probe("a-points", "aws-backup", Some("a"), Unit::Seconds, Some(90_000.0)),
        probe("b-nodes", "eks-nodegroup", Some("b"), Unit::Number, None),
        probe("a-kafka", "msk-cluster", Some("a"), Unit::Number, None),
        probe("edge", "cloudfront-distribution", None, Unit::Seconds, None),
    ];
    let steps =
        [step("promote", "postgres-promote"), step("fence", "postgres-fence"), step("switch", "exec")];
    let region =
        |name: &str, role| (RegionId::from(name), Region { name: name.into(), role, health: vec![] });
    let health = [("a".into(), vec![ProbeId::from("a-web")])].into_iter().collect();
    let web = Service { title: "Web".into(), tier: 1, rto: SignedDuration::from_mins(15), rpo: None, health };
    Plan {
        name: "Test".into(),
        strategy: Strategy::WarmStandby,
        digest: String::new(),
        policy: Policy {
            reference: vec!["outside".into()],
            cooldown: SignedDuration::from_mins(5),
            confirmation_expiry: SignedDuration::from_mins(2),
            monitor: SignedDuration::from_mins(30),
            unknown_after: SignedDuration::from_mins(15),
        },
        regions: [region("a", RegionRole::Primary), region("b", RegionRole::Standby)].into_iter().collect(),
        services: [("web".into(), web)].into_iter().collect(),
        probes: probes.into_iter().map(|spec| (spec.id.clone(), spec)).collect(),
        backups: Default::default(),
        severity: Vec::new(),
        tree: Tree { root: "none".into(), questions: Default::default(), leaves: Default::default() },
        runbooks: [(
            "failover".into(),
            Runbook {
                title: "Failover".into(),
                loss: vec!["b-lag".into()],
                restores: Vec::new(),
                activates: None,
                steps: steps.into_iter().map(|step| (step.id.clone(), step)).collect(),
            },
        )]
        .into_iter()
        .collect(),
        contacts: Default::default(),
        channels: Default::default(),
        rotations: Default::default(),
        policies: Default::default(),
        audiences: Default::default(),
        messages: Default::default(),
        notify: Default::default(),
        drills: Default::default(),
        secrets: Default::default(),
        aws: AwsSettings {
            regions: [("a", "us-east-1"), ("b", "us-west-2")]
                .map(|(id, name)| (id.into(), name.into()))
                .into(),
            ..AwsSettings::default()
        },
    }
}

/// A world that the test moves.
struct Scene {
    plan: Arc<Plan>,
    world: SimulatedWorld,
    clock: Arc<ManualClock>,
    lines: Arc<StdMutex<Vec<String>>>,
    context: Context,
}

struct NoSignals;

impl Conditions for NoSignals {
    fn evaluate(&self, _: &Condition) -> Truth {
        Truth::Unknown("no signals here".into())
    }
    fn changed(&self) -> BoxFuture<'_, ()> {
        futures::future::pending().boxed()
    }
    fn sleep(&self, _: SignedDuration) -> BoxFuture<'_, ()> {
        futures::future::pending().boxed()
    }
}

fn scene(scenario: &str) -> Scene {
    scene_of(plan(), scenario)
}

fn scene_of(plan: Plan, scenario: &str) -> Scene {
    let plan = Arc::new(plan);
    let scenario = Scenario::parse(&format!("name = \"x\"\ntitle = \"x\"\n{scenario}"), "x.toml", &plan);
    let clock = Arc::new(ManualClock::new(Timestamp::from_second(START).unwrap()));
    let lines: Arc<StdMutex<Vec<String>>> = Arc::default();
    let heard = lines.clone();
    Scene {
        world: SimulatedWorld::with_clock(plan.clone(), scenario.unwrap(), clock.clone()),
        plan,
        clock,
        lines,
        context: Context {
            output: Arc::new(move |line| heard.lock().unwrap().push(line.to_owned())),
            conditions: Arc::new(NoSignals),
            timeout: SignedDuration::from_secs(60),
            token: "t".into(),
            ran: false,
        },
    }
}

impl Scene {
    fn run(&self, probe: &str) -> Result<Measurement, ProbeFailure> {
        let probe = self.world.probe(&self.plan.probes[probe]).unwrap();
        probe.run().now_or_never().unwrap()
    }

    fn read(&self, probe: &str) -> Measurement {
        self.run(probe).unwrap()
    }

    fn is_down(&self, probe: &str) -> bool {
        matches!(self.read(probe).verdict, Verdict::Critical(_))
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn action(&self, step: &str) -> Box<dyn Action> {
        let step = &self.plan.runbooks["failover"].steps[step];
        self.world.action(step, &step.params).unwrap()
    }

    /// Describes and executes a step, letting time pass until it ends; a new attempt each time.
    fn execute(&self, step: &str) -> Result<Done, Failure> {
        let action = self.action(step);
        let target = action.describe().now_or_never().unwrap()?.target;
        let mut running = action.execute(&target, &self.context);
        for _ in 0..100 {
            if let Some(ended) = (&mut running).now_or_never() {
                return ended;
            }
            self.pass(1);
        }
        panic!("{step} does not end");
    }

    fn verify(&self, step: &str) -> bool {
        let action = self.action(step);
        let target = action.describe().now_or_never().unwrap().unwrap().target;
        action.verify(&target, &self.context).now_or_never().unwrap().is_ok()
    }
}

fn number(measurement: &Measurement, field: &str) -> f64 {
    match measurement.fields.get(field) {
        Some(Field::Number(number)) => *number,
        other => panic!("{field} is {other:?}"),
    }
}

fn text<'m>(measurement: &'m Measurement, field: &str) -> &'m str {
    match measurement.fields.get(field) {
        Some(Field::Text(text)) => text,
        other => panic!("{field} is {other:?}"),
    }
}

const REGION_DOWN: &str = "[[at]]\nafter = \"20s\"\nregion = \"@primary\"\nis = \"down\"\n";
