//! `arc-routing-control`: turns switches of ARC on and off.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::{Param, Params};
use crate::providers::aws::action::{LOOK, command};
use crate::providers::aws::arc::client::{Cluster, Control, Refused};
use crate::providers::aws::arc::probe_routing_control::{ENDPOINTS, STATES, cluster};
use crate::providers::aws::client::AwsErrorKind;
use crate::providers::clients::Clients;
use serde_json::json;
use std::time::Duration;

/// What the target is.
const TARGET: &str = "ARC routing controls";

/// Longest that one endpoint may take for a change.
const EACH: Duration = Duration::from_secs(5);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "arc-routing-control",
    does: Does::Routes,
    simulated_target: "ARC routing controls",
    sets: &["states", "override_safety_rules"],
    doc: "Sets routing controls of ARC (Application Recovery Controller) on and off, all in one call. Routing \
          controls work in the data plane: they live in five regions and need neither Route 53's control plane nor \
          any one region, so that they are to be preferred to changing records. The endpoints are tried one after \
          the other, beginning with another one each time, as AWS asks; setting a state twice is harmless. A safety \
          rule that refuses is said in its own words, and `override_safety_rules` is shown in capitals. The proof \
          reads the states from every endpoint that answers. Who calls is not asked before, because no sign-in \
          service may stand in the way of this.",
    keys: &[
        ENDPOINTS,
        Key::required(
            "states",
            Takes::Table(&Takes::Choice(STATES)),
            "The state that each routing control gets, by its ARN (`\"arn:aws:…\" = \"On\"`).",
        ),
        Key::optional(
            "override_safety_rules",
            Takes::List(&Takes::Text),
            "ARNs of safety rules that are not to count for this change.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "route53-recovery-cluster:GetRoutingControlState",
        "route53-recovery-cluster:UpdateRoutingControlStates",
    ],
    example: r#"[[runbooks.example.steps]]
id = "switch-cells"
title = "Take the traffic from us-east-1 to us-west-2"
action = "arc-routing-control"
confirm = "type"
estimate = "30s"
timeout = "3m"
[runbooks.example.steps.with.states]
"arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef0123456789abcdef/routingcontrol/aaaaaaaaaaaaaaaa" = "Off"
"arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef0123456789abcdef/routingcontrol/bbbbbbbbbbbbbbbb" = "On"
[runbooks.example.steps.with.cluster_endpoints]
us-east-1 = "https://aaaaaaaa.v1.us-east-1.routing-control.amazonaws.com/v1"
us-west-2 = "https://bbbbbbbb.v1.us-west-2.routing-control.amazonaws.com/v1"
eu-west-1 = "https://cccccccc.v1.eu-west-1.routing-control.amazonaws.com/v1"
ap-northeast-1 = "https://dddddddd.v1.ap-northeast-1.routing-control.amazonaws.com/v1"
ap-southeast-2 = "https://eeeeeeee.v1.ap-southeast-2.routing-control.amazonaws.com/v1"
"#,
    call: |params| call_words(&states(params), &rules(params)),
};

fn states(params: &Params) -> Vec<(String, String)> {
    let state = |(arn, state): (&str, &Param)| Some((arn.to_owned(), state.as_text()?.to_owned()));
    params.table("states").filter_map(state).collect()
}

fn rules(params: &Params) -> Vec<String> {
    params.texts("override_safety_rules").into_iter().map(str::to_owned).collect()
}

fn call_words(states: &[(String, String)], rules: &[String]) -> String {
    let each: Vec<String> = states.iter().map(|(arn, state)| format!("{arn}={state}")).collect();
    let rules = match rules.is_empty() {
        true => String::new(),
        false => format!(" SafetyRulesToOverride={}", rules.join(",")),
    };
    format!("route53-recovery-cluster:UpdateRoutingControlStates {}{rules}", each.join(" "))
}

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let states = states(params);
    let wrong = |value: &str, why: &str| BuildError::Value {
        key: "states".into(),
        value: value.to_owned(),
        why: why.into(),
    };
    if states.is_empty() {
        return Err(wrong("", "it takes the wanted state of at least one routing control, by its ARN"));
    }
    if let Some((odd, _)) = states.iter().find(|(arn, _)| !arn.contains(":route53-recovery-control:")) {
        return Err(wrong(odd, "it takes ARNs of routing controls (`arn:aws:route53-recovery-control::…`)"));
    }
    Ok(Box::new(Changing(SetStates { cluster: cluster(params, clients)?, states, rules: rules(params) })))
}

struct SetStates {
    cluster: Cluster,
    states: Vec<(String, String)>,
    rules: Vec<String>,
}

impl SetStates {
    /// What the operator types: the end of the first ARN, which is the control's id.
    fn name(&self) -> String {
        let ids: Vec<&str> = self.states.iter().filter_map(|(arn, _)| arn.rsplit('/').next()).collect();
        clean(&ids.join(" "), 200)
    }

    fn each(&self) -> Duration {
        LOOK / u32::try_from(self.cluster.len()).unwrap_or(1).max(1)
    }

    fn target(&self, controls: &[Control]) -> Target {
        let property = |control: &Control| (control.arn.clone(), words(control));
        let mut identity: Vec<(String, String)> = controls.iter().map(property).collect();
        if !self.rules.is_empty() {
            identity.push(("overrides safety rules".into(), self.rules.join(", ")));
        }
        Target { name: self.name(), kind: TARGET.into(), identity, reachable: true }
    }

    fn command(&self, states: &[(String, String)]) -> String {
        let entry =
            |(arn, state): &(String, String)| json!({"RoutingControlArn": arn, "RoutingControlState": state});
        let entries = json!(states.iter().map(entry).collect::<Vec<_>>()).to_string();
        let (region, url) = self.cluster.first().unwrap_or_default();
        let mut words = vec!["route53-recovery-cluster", "update-routing-control-states"];
        words.extend(["--update-routing-control-state-entries", &entries]);
        if !self.rules.is_empty() {
            words.push("--safety-rules-to-override");
            words.extend(self.rules.iter().map(String::as_str));
        }
        words.extend(["--endpoint-url", url]);
        command(Some(region), &words)
    }

    fn overrides(&self) -> Vec<String> {
        match self.rules.is_empty() {
            true => Vec::new(),
            false => vec![format!("SAFETY RULES ARE OVERRIDDEN: {}", self.rules.join(", "))],
        }
    }

    fn notes(&self, controls: &[Control]) -> Vec<String> {
        let mut notes = self.overrides();
        for (control, (_, wanted)) in controls.iter().zip(&self.states) {
            match control.state == *wanted {
                true => notes.push(format!("= {}", words(control))),
                false => {
                    notes.extend([format!("- {}", words(control)), format!("+ {} {wanted}", name(control))])
                }
            }
        }
        if self.is_there(controls) {
            notes.push("All are in these states already: this step will refuse.".into());
        }
        notes
    }

    fn is_there(&self, controls: &[Control]) -> bool {
        controls.iter().zip(&self.states).all(|(control, (_, wanted))| control.state == *wanted)
    }
}

fn name(control: &Control) -> &str {
    if control.name.is_empty() { &control.arn } else { &control.name }
}

/// `cell-us-east-1 On`.
fn words(control: &Control) -> String {
    format!("{} {}", name(control), control.state)
}

/// https://docs.aws.amazon.com/routing-control/latest/APIReference/API_UpdateRoutingControlStates.html
fn failure(refused: &Refused, what: String) -> Failure {
    let mut failure = refused.error.not_done(what);
    if refused.error.kind == AwsErrorKind::Conflict {
        failure.why = format!("a safety rule refuses it: {}", refused.error.message);
        failure.next =
            "Nothing was changed. See what the rule guards (too many or too few cells on at once), and set \
                        the other controls in the same step. `override_safety_rules` is the last resort."
                .into();
    }
    if refused.may_have_acted {
        failure.acted = crate::core::words::action::Acted::Maybe;
        failure.next =
            format!("Verify the step before anything else: an endpoint may have taken it. {}", failure.next);
    }
    failure
}

impl Change for SetStates {
    /// The controls as they are now, in the plan's order.
    type Seen = Vec<Control>;

    /// Each endpoint has its part of a look.
    const LOOK: Option<Duration> = None;

    fn what(&self, _: &str) -> String {
        format!("UpdateRoutingControlStates of {}", self.name())
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.name(), TARGET)
    }

    async fn read(&self) -> Result<(Target, Vec<Control>), Unread> {
        let asked = self.states.iter().map(|(arn, _)| self.cluster.state(arn, self.each()));
        let found: Result<Vec<_>, _> = futures::future::join_all(asked).await.into_iter().collect();
        let controls: Vec<Control> = found?.into_iter().map(|answered| answered.value).collect();
        Ok((self.target(&controls), controls))
    }

    fn show(&self, controls: Option<&Vec<Control>>) -> Shown {
        let mut shown = Shown {
            call: call_words(&self.states, &self.rules),
            command: self.command(&self.states),
            sets: self.states.clone(),
            ..Shown::default()
        };
        if let Some(controls) = controls {
            let before: Vec<_> =
                controls.iter().map(|control| (control.arn.clone(), control.state.clone())).collect();
            let set = |(control, (_, wanted)): (&Control, &(String, String))| {
                (name(control).to_string(), format!("{wanted} (now {})", control.state))
            };
            shown.notes = self.notes(controls);
            shown.undo = vec![self.command(&before)];
            shown.sets = controls.iter().zip(&self.states).map(set).collect();
        }
        shown
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        let mut notes = self.overrides();
        notes.push(format!("They cannot be read: {}", unread.why()));
        notes
    }

    fn refuses_first(&self, controls: &Vec<Control>, expected: &Target) -> Option<Problem> {
        (expected.reachable && self.is_there(controls)).then(|| {
            Problem::new(
                "all are in these states already: nothing was sent",
                "Find out who set them, then attest the step.",
            )
        })
    }

    async fn send(&self, confirmed: Confirmed<'_, Vec<Control>>, context: &Context) -> Result<Done, Failure> {
        for note in self.notes(&confirmed.seen) {
            (context.output)(&note);
        }
        let each = EACH.min(context.timeout.unsigned_abs() / 6);
        match self.cluster.set(&self.states, &self.rules, each).await {
            Ok(answered) => {
                let silent = match answered.silent.is_empty() {
                    true => String::new(),
                    false => format!("; {} did not answer", answered.silent.join(", ")),
                };
                Ok(Done { summary: format!("{} took the states of {}{silent}", answered.by, self.name()) })
            }
            Err(refused) => Err(failure(&refused, confirmed.what)),
        }
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = format!("states of {}", self.name());
        let arns: Vec<&str> = self.states.iter().map(|(arn, _)| &**arn).collect();
        let everywhere = self.cluster.everywhere(&arns, self.each()).await;
        let mut evidence = Vec::new();
        for (region, answer) in &everywhere {
            let Ok(controls) = answer else { continue };
            if !self.is_there(controls) {
                let seen: Vec<String> = controls.iter().map(words).collect();
                return Err(Failure::not_done(
                    what,
                    format!("{region} says: {}", seen.join(", ")),
                    "Look at the other endpoints and at who else sets these controls; verify again, then retry.",
                ));
            }
            evidence.extend(controls.iter().map(|control| format!("{region}: {}", words(control))));
        }
        if evidence.is_empty() {
            let why = everywhere.iter().filter_map(|(region, answer)| {
                answer.as_ref().err().map(|error| format!("{region}: {}", error.message))
            });
            let why: Vec<String> = why.collect();
            return Err(Failure::not_done(
                what,
                format!("no endpoint answers ({})", why.join("; ")),
                "See whether AWS can be reached from here at all; verify again.",
            ));
        }
        let was_so = |(arn, wanted): &(String, String)| {
            expected.property(arn).is_some_and(|before| before.ends_with(&format!(" {wanted}")))
        };
        if !expected.reachable || self.states.iter().all(was_so) {
            return Err(Failure::not_done(
                what,
                "they were so before the step, or could not be read then: that they are proves nothing",
                "Find out who set them, then attest the step.",
            ));
        }
        let answered = everywhere.iter().filter(|(_, answer)| answer.is_ok()).count();
        evidence.push(format!("{answered} of {} endpoints answered, and agree", everywhere.len()));
        Ok(Proof { evidence })
    }

    fn manual(&self) -> ManualCard {
        let (region, url) = self.cluster.first().unwrap_or_default();
        let arn = self.states.first().map_or("", |(arn, _)| arn);
        let words = ["route53-recovery-cluster", "get-routing-control-state", "--routing-control-arn", arn];
        let check = command(Some(region), &[&words[..], &["--endpoint-url", url]].concat());
        ManualCard {
            instructions: vec![
                "with any of the cluster's five endpoints; where one does not answer, take the next, with its region:"
                    .into(),
                self.command(&self.states),
            ],
            check: format!("`{check}` shows the wanted state, for each routing control."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let arns: Vec<&str> = self.states.iter().map(|(arn, _)| &**arn).collect();
        let everywhere = self.cluster.everywhere(&arns, self.each()).await;
        let answering = everywhere.iter().filter(|(_, answer)| answer.is_ok()).count();
        let what = "the cluster's endpoints answer";
        let seen = format!("{answering} of {}", everywhere.len());
        let silent: Vec<String> = everywhere
            .iter()
            .filter_map(|(region, answer)| Some(format!("{region}: {}", answer.as_ref().err()?.message)))
            .collect();
        let next = format!("These do not: {}.", silent.join("; "));
        vec![match answering {
            0 => Check::fail(what, seen, next),
            // A cluster has five, and is made for two of them being gone.
            _ if !silent.is_empty() || everywhere.len() < 5 => Check::warn(
                what,
                seen,
                if silent.is_empty() { "Name all five endpoints in the plan.".into() } else { next },
            ),
            _ => Check::pass(what, seen),
        }]
    }
}

#[cfg(test)]
mod tests;
