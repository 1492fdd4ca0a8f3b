//! `arc-routing-control`, which no emulator has: five endpoints of one cluster in the shapes of
//! https://docs.aws.amazon.com/routing-control/latest/APIReference/Welcome.html

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lifeboat::core::words::action::Acted;
use lifeboat::core::words::preflight::Checked;
use lifeboat::core::words::reading::Verdict;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{action, clients, context, plan, run, signed_in};

const REGIONS: [&str; 5] = ["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2"];
const EAST: &str = "arn:aws:route53-recovery-control::123456789012:controlpanel/p1/routingcontrol/east";
const WEST: &str = "arn:aws:route53-recovery-control::123456789012:controlpanel/p1/routingcontrol/west";

/// What all endpoints of the cluster know.
#[derive(Default)]
struct World {
    states: BTreeMap<String, String>,
    updates: u32,
    /// Regions whose endpoint is unavailable.
    down: Vec<&'static str>,
    /// Regions whose endpoint takes a change and then loses its answer.
    lossy: Vec<&'static str>,
    /// Whether a safety rule asks for one control at least that is on.
    rule: bool,
}

struct Endpoint(&'static str, Arc<Mutex<World>>);

impl Respond for Endpoint {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut world = self.1.lock().unwrap();
        if world.down.contains(&self.0) {
            return error(
                503,
                "EndpointTemporarilyUnavailableException",
                "The cluster endpoint isn't available.",
            );
        }
        let body: Value = request.body_json().unwrap();
        let target = request.headers["x-amz-target"].to_str().unwrap();
        match target.rsplit('.').next().unwrap() {
            "GetRoutingControlState" => {
                let arn = body["RoutingControlArn"].as_str().unwrap();
                match world.states.get(arn) {
                    Some(state) => ok(json!({"RoutingControlArn": arn, "RoutingControlState": state,
                        "RoutingControlName": format!("cell-{}", arn.rsplit('/').next().unwrap())})),
                    None => error(400, "ResourceNotFoundException", "There is no such routing control."),
                }
            }
            "UpdateRoutingControlStates" => {
                let mut states = world.states.clone();
                for entry in body["UpdateRoutingControlStateEntries"].as_array().unwrap() {
                    let text = |key: &str| entry[key].as_str().unwrap().to_owned();
                    states.insert(text("RoutingControlArn"), text("RoutingControlState"));
                }
                let overridden =
                    body["SafetyRulesToOverride"].as_array().is_some_and(|rules| !rules.is_empty());
                if world.rule && !overridden && !states.values().any(|state| state == "On") {
                    let said = "Failed to meet the conditions of safety rule AtLeastOneOn";
                    return error(400, "ConflictException", said);
                }
                world.states = states;
                world.updates += 1;
                match world.lossy.contains(&self.0) {
                    true => ok(json!({})).set_delay(Duration::from_secs(30)),
                    false => ok(json!({})),
                }
            }
            other => panic!("{other}"),
        }
    }
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_string(), "application/x-amz-json-1.0")
}

fn error(status: u16, code: &str, message: &str) -> ResponseTemplate {
    let body = json!({"__type": format!("com.amazonaws.route53recoverycluster#{code}"), "message": message});
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/x-amz-json-1.0")
}

struct Cluster {
    world: Arc<Mutex<World>>,
    servers: Vec<MockServer>,
}

impl Cluster {
    async fn start() -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        world.lock().unwrap().states = [(EAST.into(), "On".into()), (WEST.into(), "Off".into())].into();
        let mut servers = Vec::new();
        for region in REGIONS {
            let server = MockServer::start().await;
            Mock::given(method("POST")).respond_with(Endpoint(region, world.clone())).mount(&server).await;
            servers.push(server);
        }
        Self { world, servers }
    }

    fn endpoints(&self) -> String {
        let one = |(region, server): (&&str, &MockServer)| {
            format!("cluster_endpoints.{region} = '{}'\n", server.uri())
        };
        REGIONS.iter().zip(&self.servers).map(one).collect()
    }

    fn with(&self, states: &str, more: &str) -> String {
        format!("{}{more}\nstates = {{ {states} }}", self.endpoints())
    }

    fn state(&self, arn: &str) -> String {
        self.world.lock().unwrap().states[arn].clone()
    }
}

fn failover() -> String {
    format!("'{EAST}' = 'Off', '{WEST}' = 'On'")
}

#[test]
fn states_are_set_in_one_call_and_proven_at_every_endpoint() {
    signed_in(async || {
        let cluster = Cluster::start().await;
        cluster.world.lock().unwrap().down = vec!["us-east-1"];
        let action =
            action("arc-routing-control", &cluster.with(&failover(), ""), &clients("http://127.0.0.1:9"));
        let (described, done) = run(&*action).await;
        done.unwrap();
        assert_eq!(
            described.notes,
            ["- cell-east On", "+ cell-east Off", "- cell-west Off", "+ cell-west On"]
        );
        assert!(described.command.starts_with("aws route53-recovery-cluster update-routing-control-states"));
        assert_eq!((cluster.state(EAST), cluster.state(WEST)), ("Off".into(), "On".into()));
        assert_eq!(cluster.world.lock().unwrap().updates, 1);
        let proof = action.verify(&described.target, &context().0).await.unwrap();
        assert!(proof.evidence.contains(&"eu-west-1: cell-west On".to_owned()), "{proof:?}");
        assert_eq!(proof.evidence.last().unwrap(), "4 of 5 endpoints answered, and agree");
        // It is so now: another step is refused, and what was so before proves nothing.
        let (now, failed) = run(&*action).await;
        assert!(failed.unwrap_err().why.contains("already"));
        action.verify(&now.target, &context().0).await.unwrap_err();
    });
}

#[test]
fn a_safety_rule_refuses_and_an_override_is_loud() {
    signed_in(async || {
        let cluster = Cluster::start().await;
        cluster.world.lock().unwrap().rule = true;
        let clients = clients("http://127.0.0.1:9");
        let off = format!("'{EAST}' = 'Off'");
        let (_, failed) = run(&*action("arc-routing-control", &cluster.with(&off, ""), &clients)).await;
        let failure = failed.unwrap_err();
        assert_eq!(failure.acted, Acted::No);
        assert!(
            failure.why.contains("a safety rule refuses it") && failure.why.contains("AtLeastOneOn"),
            "{failure:?}"
        );
        assert_eq!(cluster.state(EAST), "On");
        let overriding = cluster.with(&off, "override_safety_rules = ['arn:rule']");
        let (described, done) = run(&*action("arc-routing-control", &overriding, &clients)).await;
        done.unwrap();
        assert_eq!(described.notes[0], "SAFETY RULES ARE OVERRIDDEN: arn:rule");
        assert_eq!(cluster.state(EAST), "Off");
    });
}

#[test]
fn a_lost_answer_is_followed_by_the_next_endpoint_and_a_state_that_moved_refuses() {
    signed_in(async || {
        let cluster = Cluster::start().await;
        cluster.world.lock().unwrap().lossy = vec!["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1"];
        let clients = clients("http://127.0.0.1:9");
        let action = action("arc-routing-control", &cluster.with(&failover(), ""), &clients);
        let confirmed = action.describe().await.unwrap().target;
        let (mut context, _) = context();
        context.timeout = jiff::SignedDuration::from_secs(6);
        action.execute(&confirmed, &context).await.unwrap();
        assert_eq!(cluster.state(WEST), "On");
        action.verify(&confirmed, &context).await.unwrap();
        cluster.world.lock().unwrap().states.insert(EAST.into(), "On".into());
        let failure = action.verify(&confirmed, &context).await.unwrap_err();
        assert!(failure.why.contains("cell-east On"), "{failure:?}");
        // Only one of two is as it was confirmed.
        let failure = action.execute(&confirmed, &context).await.unwrap_err();
        assert!(failure.what.contains("changed since it was confirmed"), "{failure:?}");
    });
}

#[test]
fn no_endpoint_is_not_done_and_preflight_counts_them() {
    signed_in(async || {
        let cluster = Cluster::start().await;
        let clients = clients("http://127.0.0.1:9");
        let action = action("arc-routing-control", &cluster.with(&failover(), ""), &clients);
        assert!(matches!(&action.preflight().await[0].result, Checked::Pass(seen) if seen == "5 of 5"));
        let target = action.describe().await.unwrap().target;
        cluster.world.lock().unwrap().down = vec!["eu-west-1", "us-west-2"];
        let checks = action.preflight().await;
        assert!(matches!(&checks[0].result, Checked::Warn(seen) if seen == "3 of 5"), "{checks:?}");
        assert!(checks[0].next.contains("eu-west-1: "), "{checks:?}");
        cluster.world.lock().unwrap().down = REGIONS.to_vec();
        assert!(matches!(action.preflight().await[0].result, Checked::Fail(_)));
        let failure = action.execute(&target, &context().0).await.unwrap_err();
        assert_eq!(failure.acted, Acted::No);
        assert!(failure.why.contains("none of 5 endpoints answered"), "{failure:?}");
        let described = action.describe().await.unwrap();
        assert!(!described.target.reachable, "{described:?}");
        let failure = action.verify(&target, &context().0).await.unwrap_err();
        assert!(failure.why.contains("no endpoint answers"), "{failure:?}");
    });
}

#[test]
fn the_probe_takes_the_next_endpoint_and_begins_with_another_each_time() {
    signed_in(async || {
        let cluster = Cluster::start().await;
        let text = format!(
            "[probes.example]\nkind = \"arc-routing-control\"\nevery = \"5s\"\ntimeout = \"4s\"\nexpect = 'On'\n\
             routing_control = '{EAST}'\n{}",
            cluster.endpoints()
        );
        let spec = plan(&text).probes["example"].clone();
        let kind = lifeboat::providers::probe("arc-routing-control").unwrap();
        let probe = (kind.build)(&spec, &clients("http://127.0.0.1:9")).unwrap();
        let mut asked = Vec::new();
        for _ in 0..5 {
            let measured = probe.run().await.unwrap();
            assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(1.0)));
            asked.push(measured.text("endpoint").unwrap().to_owned());
        }
        asked.sort();
        let mut all = REGIONS;
        all.sort();
        assert_eq!(asked, all);
        cluster.world.lock().unwrap().down = vec!["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1"];
        cluster.world.lock().unwrap().states.insert(EAST.into(), "Off".into());
        let measured = probe.run().await.unwrap();
        assert_eq!(measured.verdict.why(), Some("cell-east is Off, expected On"));
        assert_eq!(measured.text("endpoint"), Some("ap-southeast-2"));
        cluster.world.lock().unwrap().down = REGIONS.to_vec();
        let failure = probe.run().await.unwrap_err();
        assert!(failure.why.contains("none of 5 endpoints answered"), "{failure:?}");
        cluster.world.lock().unwrap().down = Vec::new();
        cluster.world.lock().unwrap().states.clear();
        let failure = probe.run().await.unwrap_err();
        assert!(failure.why.contains("no such routing control"), "{failure:?}");
    });
}
