//! A plan as the loader would make it, after the warm standby of a compliance engine.

use crate::base::ids::*;
use crate::base::units::Unit;
use crate::plan::condition::Condition;
use crate::plan::kinds::Does;
use crate::plan::params::{Param, Params};
use crate::plan::*;
use indexmap::IndexMap;
use jiff::SignedDuration;
use jiff::civil::date;

pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub fn condition(source: &str) -> Condition {
    Condition::parse(source).unwrap()
}

fn probe(id: &str, kind: &str, title: &str, region: Option<&str>, unit: Unit) -> (ProbeId, ProbeSpec) {
    let spec = ProbeSpec {
        id: id.into(),
        kind: kind.into(),
        sees: crate::providers::probe(kind).unwrap().sees,
        title: title.into(),
        region: region.map(RegionId::from),
        database: None,
        every: seconds(5),
        timeout: seconds(3),
        thresholds: Thresholds::default(),
        unit,
        fail_after: 1,
        recover_after: 1,
        stale_after: seconds(60),
        params: Params::default(),
    };
    (id.into(), spec)
}

pub fn bounded(mut probe: (ProbeId, ProbeSpec), warn: f64, critical: f64) -> (ProbeId, ProbeSpec) {
    probe.1.thresholds = Thresholds { warn: Some(warn), critical: Some(critical), below: false };
    probe
}

fn probes() -> IndexMap<ProbeId, ProbeSpec> {
    use crate::base::units::Unit::{Milliseconds as Ms, Number, Seconds};
    IndexMap::from([
        bounded(
            probe("primary-health", "http", "Primary health endpoint", Some("primary"), Ms),
            500.0,
            2000.0,
        ),
        probe("primary-db", "postgres", "Primary database", Some("primary"), Number),
        probe("primary-queue", "tcp", "Primary event queue", Some("primary"), Number),
        bounded(probe("dr-health", "http", "DR health endpoint", Some("dr"), Ms), 500.0, 2000.0),
        probe("dr-db", "postgres", "DR database", Some("dr"), Number),
        bounded(
            probe("dr-lag", "postgres-replication", "DR replication lag", Some("dr"), Seconds),
            30.0,
            60.0,
        ),
        bounded(probe("full-backup", "file-age", "Full backup", None, Seconds), 90_000.0, 180_000.0),
        bounded(
            probe("wal-archive", "postgres-backup", "WAL archive", Some("primary"), Seconds),
            300.0,
            900.0,
        ),
        probe("outside", "http", "Internet reference", None, Ms),
        probe("office", "tcp", "Office reference", None, Number),
    ])
}

fn service(title: &str, tier: u8, rto: i64, rpo: Option<i64>, primary: &str, dr: &str) -> Service {
    let health = [("primary", primary), ("dr", dr)];
    let health = health.into_iter().filter(|(_, probe)| !probe.is_empty());
    Service {
        title: title.into(),
        tier,
        rto: seconds(rto),
        rpo: rpo.map(seconds),
        health: health.map(|(region, probe)| (region.into(), vec![probe.into()])).collect(),
    }
}

fn services() -> IndexMap<ServiceId, Service> {
    IndexMap::from([
        ("api".into(), service("API Gateway", 1, 900, Some(60), "primary-health", "dr-health")),
        ("rtvm".into(), service("RTVM (Decision Engine)", 1, 900, Some(60), "primary-health", "dr-health")),
        ("postgresql".into(), service("PostgreSQL", 1, 900, Some(60), "primary-db", "dr-db")),
        ("queue".into(), service("Event Queue (Kafka)", 1, 1800, Some(300), "primary-queue", "")),
        ("admin".into(), service("Admin Dashboard", 2, 3600, Some(900), "primary-health", "dr-health")),
        ("reporting".into(), service("Reporting Service", 2, 3600, Some(900), "primary-health", "")),
        ("analytics".into(), service("Analytics", 3, 14_400, Some(3600), "primary-db", "")),
    ])
}

fn answer(goto: Goto, suggest: Option<&str>) -> Answer {
    Answer { goto, suggest: suggest.map(condition) }
}

fn tree() -> Tree {
    let down = Question {
        ask: "Is the primary region completely down?".into(),
        help: "Look from outside too: a status page, a colleague elsewhere. A failover crosses regions and \
               cannot be taken back quickly."
            .into(),
        evidence: ["primary-health", "primary-db", "primary-queue", "outside"].map(ProbeId::from).to_vec(),
        answers: IndexMap::from([
            (
                "yes".into(),
                answer(Goto::Question("dr-fit".into()), Some("regions['primary'].status == 'down'")),
            ),
            (
                "no".into(),
                answer(Goto::Question("partial".into()), Some("regions['primary'].status != 'down'")),
            ),
        ]),
    };
    let fit = Question {
        ask: "Is the DR region healthy and its data fresh enough?".into(),
        help: "Less than a minute of lag is what the business accepted.".into(),
        evidence: ["dr-health", "dr-db", "dr-lag"].map(ProbeId::from).to_vec(),
        answers: IndexMap::from([
            ("yes".into(), answer(Goto::Runbook("full".into()), Some("signals['dr-lag'].value_s < 60.0"))),
            ("no".into(), answer(Goto::Leaf("call".into()), None)),
        ]),
    };
    let partial = Question {
        ask: "Is it a partial outage?".into(),
        help: String::new(),
        evidence: ["primary-health", "primary-queue"].map(ProbeId::from).to_vec(),
        answers: IndexMap::from([
            ("yes".into(), answer(Goto::Leaf("selective".into()), None)),
            (
                "no".into(),
                answer(Goto::Leaf("watch".into()), Some("signals['primary-health'].state == 'ok'")),
            ),
        ]),
    };
    let leaf = |title: &str, advice: &str| Leaf { title: title.into(), advice: advice.into() };
    Tree {
        root: "down".into(),
        questions: IndexMap::from([
            ("down".into(), down),
            ("dr-fit".into(), fit),
            ("partial".into(), partial),
        ]),
        leaves: IndexMap::from([
            (
                "watch".into(),
                leaf("Do not fail over: keep watching", "Everything that matters answers. Watch it."),
            ),
            ("selective".into(), leaf("Recover single services", "Restart what is broken where it is.")),
            (
                "call".into(),
                leaf("Do not fail over: call the DBA", "Neither side is fit to serve. Get help."),
            ),
        ]),
    }
}

fn step(
    id: &str,
    title: &str,
    action: &str,
    needs: &[&str],
    confirm: ConfirmLevel,
    minutes: i64,
) -> (StepId, Step) {
    let step = Step {
        id: id.into(),
        title: title.into(),
        action: action.into(),
        does: crate::providers::action(action).map_or(Does::Changes, |kind| kind.does),
        params: Params::default(),
        needs: needs.iter().map(|need| StepId::from(*need)).collect(),
        guard: Vec::new(),
        confirm,
        changes: !matches!(action, "manual" | "note" | "wait-for"),
        irreversible: false,
        switches: false,
        serves: Default::default(),
        safe_to_drill: false,
        fences: Vec::new(),
        unfences: Vec::new(),
        estimate: Some(seconds(minutes * 60)),
        timeout: seconds(600),
        verify: None,
        verify_within: seconds(60),
        manual: None,
        undo: None,
        undoes: Vec::new(),
    };
    (id.into(), step)
}

fn steps() -> IndexMap<StepId, Step> {
    use ConfirmLevel::{None as Auto, Type, Yes};
    let mut promote = step("promote", "Promote the DR database", "postgres-promote", &["fence"], Type, 5);
    promote.1.irreversible = true;
    promote.1.guard =
        vec![condition("signals['dr-lag'].value_s < 60.0"), condition("signals['dr-db'].state == 'ok'")];
    let mut dns = step("dns", "Point DNS to us-west-2", "exec", &["scale-api"], Yes, 2);
    dns.1.switches = true;
    let mut tell = step("tell", "Tell the customers", "manual", &["promote"], Auto, 2);
    let post = Param::Text("Post on the status page: we moved to us-west-2, writes work again.".into());
    let check = Param::Text("The page shows it.".into());
    let params = [("instructions".into(), Param::List(vec![post])), ("check".into(), check)];
    tell.1.params = Params(params.into_iter().collect());
    IndexMap::from([
        step("check-dr", "Check the DR region's health", "wait-for", &[], Auto, 1),
        step("fence", "Stop writes on the old primary", "postgres-fence", &["check-dr"], Yes, 2),
        promote,
        step("scale-api", "Scale up the DR API", "kube-scale", &["promote"], Yes, 3),
        step("scale-worker", "Scale up the DR workers", "kube-scale", &["promote"], Yes, 3),
        dns,
        tell,
        step("verify", "Verify that the DR region serves", "http-request", &["dns"], Auto, 2),
    ])
}

fn runbooks() -> IndexMap<RunbookId, Runbook> {
    let full = Runbook {
        title: "Full region failover".into(),
        loss: vec!["dr-lag".into()],
        restores: vec!["api".into(), "postgresql".into()],
        activates: Some("dr".into()),
        steps: steps(),
    };
    IndexMap::from([("full".into(), full)])
}

fn backup(title: &str, probe: &str, max_age: i64, tested: Option<jiff::civil::Date>) -> Backup {
    Backup {
        title: title.into(),
        method: "pg_dump + WAL".into(),
        location: "S3".into(),
        probe: probe.into(),
        max_age: Some(seconds(max_age)),
        frequency: String::new(),
        retention: None,
        kept: String::new(),
        encryption: None,
        size_change_percent: 50,
        test_every: None,
        restore_probe: None,
        last_restore_test: tested,
    }
}

fn region(name: &str, role: RegionRole, health: &[&str]) -> Region {
    Region { name: name.into(), role, health: health.iter().map(|probe| ProbeId::from(*probe)).collect() }
}

/// The plan of all fixtures.
pub fn plan() -> Plan {
    let rule = |level, when: &str, why: &str| SeverityRule { level, when: condition(when), why: why.into() };
    Plan {
        name: "ARKA Engine".into(),
        strategy: Strategy::WarmStandby,
        digest: "3f9ac1d2".into(),
        policy: Policy {
            reference: vec!["outside".into(), "office".into()],
            cooldown: seconds(300),
            confirmation_expiry: seconds(120),
            monitor: seconds(1800),
            unknown_after: SignedDuration::from_mins(15),
        },
        regions: IndexMap::from([
            (
                "primary".into(),
                region("us-east-1", RegionRole::Primary, &["primary-health", "primary-db", "primary-queue"]),
            ),
            ("dr".into(), region("us-west-2", RegionRole::Standby, &["dr-health", "dr-db"])),
        ]),
        services: services(),
        probes: probes(),
        backups: IndexMap::from([
            ("full".into(), backup("PostgreSQL full", "full-backup", 93_600, Some(date(2026, 1, 4)))),
            ("wal".into(), backup("PostgreSQL WAL", "wal-archive", 600, None)),
        ]),
        severity: vec![
            rule(
                Severity::P0,
                "regions['primary'].status == 'down'",
                "the primary region is completely down",
            ),
            rule(Severity::P1, "services['api'].status != 'up'", "the API does not work as it should"),
            rule(Severity::P2, "signals['dr-lag'].value_s > 30.0", "the standby falls behind"),
        ],
        tree: tree(),
        runbooks: runbooks(),
        contacts: IndexMap::new(),
        channels: IndexMap::new(),
        rotations: IndexMap::new(),
        policies: IndexMap::new(),
        audiences: IndexMap::new(),
        messages: IndexMap::new(),
        notify: Default::default(),
        drills: IndexMap::new(),
        secrets: Default::default(),
        aws: Default::default(),
    }
}
