//! By keys, at 80x24: what Argo CD sets back is not called done, and what is held first is.

use crate::home::Home;
use crate::kube::{Cluster, cluster};
use crate::operator::Operator;
use crate::owned::{Healer, application, define};
use std::time::Duration;

fn plan(east: &Cluster, namespace: &str, steps: &str) -> String {
    format!(
        "[plan]\nname = \"Shop\"\n[regions]\na = {{ role = \"primary\", kube_context = \"east\" }}\nb = {{ role = \"standby\" }}\n\
         [kube]\nkubeconfig = [{:?}]\n\
         [probes]\nweb = {{ kind = \"kube-workloads\", title = \"Web pods\", region = \"a\", namespace = \"{namespace}\", min_ready = 3, every = \"1s\", timeout = \"900ms\" }}\n\
         [[severity]]\nlevel = \"P0\"\nwhen = \"signals['web'].state == 'critical'\"\nwhy = \"Too few pods\"\n\
         [tree]\nroot = \"few\"\n[tree.few]\nask = \"Are there too few pods?\"\nevidence = [\"web\"]\n\
         suggest.yes = \"signals['web'].state == 'critical'\"\nanswers = {{ yes = \"up\" }}\n\
         [runbooks.up]\ntitle = \"Scale up\"\n{steps}",
        east.admin().display().to_string()
    )
}

fn scale(namespace: &str) -> String {
    format!(
        "[[runbooks.up.steps]]\nid = \"scale\"\ntitle = \"Scale the web up\"\naction = \"kube-scale\"\nwith.context = \"a\"\n\
         with.namespace = \"{namespace}\"\nwith.names = [\"web\"]\nwith.replicas = 3\nwith.hold = \"3s\"\n\
         confirm = \"type\"\ntimeout = \"1m\"\nverify_within = \"10s\"\n"
    )
}

/// A console on a plan, up to the open runbook.
fn begin(plan: &str) -> (Home, Operator) {
    let home = Home::new("plan.toml");
    std::fs::write(home.plan(), plan).unwrap();
    let console = home.open(&[("NO_PROXY", "127.0.0.1")]);
    let mut operator = Operator { console, patience: Duration::from_secs(90) };
    operator.sees("P0");
    operator.press("D");
    operator.sees("Declare an incident");
    operator.presses_for("\r", "Title");
    operator.types_into("Title", "pods", "pods");
    operator.presses_for("\r", "Declare this incident?");
    operator.press_until("y", |screen| screen.contains("LIVE"));
    operator.press("2");
    operator.sees("SUGGESTED \"yes\"");
    operator.press_until("y", |screen| screen.contains("steps settled") || screen.contains("Begin it?"));
    operator.press_until("y", |screen| screen.contains("steps settled"));
    (home, operator)
}

fn fire(operator: &mut Operator, phrase: &str) -> String {
    operator.opens("CONFIRM:");
    let shown =
        operator.waits_for("the whole confirmation", |screen| screen.contains("nothing happens then"));
    operator.types_phrase("CONFIRM:", phrase);
    operator.confirms("CONFIRM:", phrase, |screen| !screen.contains("CONFIRM:"));
    shown
}

#[test]
fn what_argo_cd_sets_back_is_never_verified() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("undone");
    east.deployment(&namespace, "web", 1, "runs");
    application(east, &namespace);
    let _healer = Healer::start(east, &namespace);
    let (_home, mut operator) = begin(&plan(east, &namespace, &scale(&namespace)));
    let shown = fire(&mut operator, &format!("{namespace}/web"));
    assert!(shown.contains("This will be undone within seconds by the Argo CD application"), "{shown}");
    operator.waits_for("that it is set back", |screen| screen.contains("is set to 1, not to 3"));
    operator.sees("0 of 1 steps settled");
    assert!(!operator.screen().contains("VERIFIED"), "{}", operator.screen());
}

#[test]
fn what_is_held_first_is_verified_once_it_has_held() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("held");
    east.deployment(&namespace, "web", 1, "runs");
    application(east, &namespace);
    let healer = Healer::start(east, &namespace);
    let hold = format!(
        "[[runbooks.up.steps]]\nid = \"hold\"\ntitle = \"Keep Argo CD off\"\naction = \"gitops-suspend\"\nwith.context = \"a\"\n\
         with.application = \"{namespace}/shop\"\nconfirm = \"type\"\ntimeout = \"1m\"\n"
    );
    let (home, mut operator) = begin(&plan(east, &namespace, &format!("{hold}{}", scale(&namespace))));
    let shown = fire(&mut operator, &format!("{namespace}/shop"));
    assert!(shown.contains("Temporary"), "{shown}");
    operator.sees("1 of 2 steps settled");
    let shown = fire(&mut operator, &format!("{namespace}/web"));
    assert!(!shown.contains("undone within"), "{shown}");
    operator.sees("2 of 2 steps settled");
    healer.looks_again(2);
    assert_eq!(east.field(&namespace, "deployment/web", "{.spec.replicas}"), "3");
    let journal = home.run("postmortem", &[]);
    let told = String::from_utf8_lossy(&journal.stdout).into_owned();
    assert!(told.contains("it held for 3s") || told.contains("it held for 3 s"), "{told}");
    assert!(!told.contains(crate::kube::ADMIN), "{told}");
}
