//! What is behind a signal of workloads: pods, warnings and logs, by keys at 80x24 and as a probe finds them.

use crate::home::Home;
use crate::kube::{ADMIN, Asked, Cluster, Kit, Log, VIEWER, cluster, wait_until};
use crate::looks::{probe, until};
use crate::operator::Operator;
use jiff::Timestamp;
use lifeboat::core::words::diagnosis::Section;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

const PAGE_DOWN: &str = "\x1b[6~";
const ESC: &str = "\x1b";

fn plan(kubeconfig: &Path, namespace: &str) -> String {
    format!(
        "[plan]\nname = \"Shop\"\n[regions]\na = {{ role = \"primary\", kube_context = \"east\" }}\nb = {{ role = \"standby\" }}\n\
         [kube]\nkubeconfig = [{:?}]\n\
         [probes]\nweb = {{ kind = \"kube-workloads\", title = \"Web pods\", region = \"a\", namespace = \"{namespace}\", names = [\"web\"], every = \"1s\", timeout = \"900ms\" }}\n\
         [tree]\nroot = \"few\"\n[tree.few]\nask = \"Are there too few pods?\"\nanswers = {{ yes = \"up\" }}\n\
         [runbooks.up]\ntitle = \"Scale up\"\n[[runbooks.up.steps]]\nid = \"scale\"\ntitle = \"Scale the web up\"\n\
         action = \"kube-scale\"\nwith.context = \"a\"\nwith.namespace = \"{namespace}\"\nwith.names = [\"web\"]\n\
         with.replicas = 3\nconfirm = \"type\"\n",
        kubeconfig.display().to_string()
    )
}

fn open(plan: &str) -> (Home, Operator) {
    let home = Home::new("plan.toml");
    std::fs::write(home.plan(), plan).unwrap();
    let console = home.open(&[("NO_PROXY", "127.0.0.1")]);
    let operator = Operator { console, patience: Duration::from_secs(60) };
    operator.sees("Web pods");
    (home, operator)
}

/// Has a warning about an object, as a kubelet or controller tells it.
fn warn(cluster: &Cluster, namespace: &str, kind: &str, name: &str, message: &str) {
    let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    cluster.apply(&format!(
        "apiVersion: v1\nkind: Event\nmetadata: {{name: {name}.1, namespace: {namespace}}}\n\
         involvedObject: {{kind: {kind}, name: {name}, namespace: {namespace}}}\n\
         type: Warning\nreason: BackOff\nmessage: \"{message}\"\nsource: {{component: kubelet}}\n\
         count: 12\nfirstTimestamp: '{at}'\nlastTimestamp: '{at}'\n"
    ));
}

/// A namespace with a deployment whose pod crashes, on the host, and the pod.
fn crashing(test: &str) -> (&'static Cluster, String, String) {
    let east = cluster(0);
    let namespace = east.namespace(test);
    east.hosted(&namespace, "web", 1, &["crashes"]);
    wait_until("it crashes", || {
        let path = "{.items[0].status.containerStatuses[0].lastState.terminated.exitCode}";
        east.try_kubectl(&["-n", &namespace, "get", "pods", "-o", &format!("jsonpath={path}")])
            == Ok("137".into())
    });
    let pod = east.pods(&namespace, "web").remove(0);
    (east, namespace, pod)
}

/// The log of the container before says more than the one of now.
fn says(asked: &Asked, last: &str) -> Log {
    match asked.previous {
        true => Log::Text((0..30).map(|number| format!("before {number}\n")).collect::<String>() + last),
        false => Log::Text("now\n".to_owned()),
    }
}

async fn sections(kit: &Kit) -> Vec<Section> {
    kit.probe("w").diagnose().expect("there is more to tell").await
}

/// What stands in the frame of an overlay, and above it, as one line: the console breaks texts as it has room.
fn words(screen: &str) -> String {
    let rows = screen.lines().map(|row| row.split('│').nth(1).unwrap_or(row));
    rows.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Lets the viewer see pods and deployments of a namespace, and nothing else.
fn grant_few(cluster: &Cluster, namespace: &str) {
    let few = ["create", "role", "few", "--verb=get,list,watch", "--resource=pods,deployments.apps"];
    cluster.kubectl(&[&["-n", namespace][..], &few[..]].concat());
    cluster.kubectl(&["-n", namespace, "create", "rolebinding", "few", "--role=few", "--user=viewer"]);
}

/// What the section of that title says, whole.
fn told<'s>(sections: &'s [Section], title: &str) -> &'s Section {
    let found = sections.iter().find(|section| section.title.starts_with(title));
    found.unwrap_or_else(|| panic!("no {title} in {sections:#?}"))
}

fn why(section: &Section) -> String {
    let problem = section.unread.as_ref().unwrap_or_else(|| panic!("it was read: {section:#?}"));
    format!("{} {}", problem.why, problem.next)
}

#[test]
fn what_crashes_is_told_with_its_reason_its_warning_and_its_log_without_secrets_and_escapes() {
    let (east, namespace, pod) = crashing("diagnosed");
    warn(east, &namespace, "Pod", &pod, "Back-off restarting failed container");
    let hostile = format!("\x1b[2J\x1b]52;c;ZXZpbA==\x07 FINIS {ADMIN}\n");
    east.host().logs(&namespace, move |asked| says(asked, &hostile));
    let (home, mut operator) = open(&plan(&east.admin(), &namespace));
    operator.sees("none of 1 is ready");
    operator.press("v");
    operator.presses_for("i", "NEWEST WARNINGS");
    let first = words(&operator.screen());
    let crashed = "ends again and again; 7 restarts; main ended with 137 (OOMKilled)";
    for text in ["Behind Web pods, as of", crashed, "BackOff pod/web-"] {
        assert!(first.contains(text), "{text}\n{first}");
    }
    operator.presses_for(PAGE_DOWN, "FINIS");
    let log = operator.screen();
    // Without what begins it, the sequence is text.
    assert!(log.contains("before 29") && log.contains("[2J") && log.contains("]52;c;ZXZpbA=="), "{log}");
    operator.presses_for(PAGE_DOWN, "step 1: Scale the web up");
    let raw = String::from_utf8_lossy(&operator.console.raw_output()).into_owned();
    assert!(!raw.contains(ADMIN) && !raw.contains("\u{1b}]52;c;ZXZp"));
    operator.press(ESC);
    operator.waits_for("the overview", |screen| !screen.contains("Behind Web pods"));
    // It is shown, and kept nowhere.
    home.end();
    let mut journal = String::new();
    for file in std::fs::read_dir(home.journal()).unwrap() {
        journal.push_str(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap_or_default()));
    }
    assert!(!journal.is_empty() && !journal.contains("before 29"), "{journal}");
}

#[test]
fn an_api_server_that_gives_no_answer_is_said_and_keys_and_screen_go_on_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: east, cluster: {{server: 'http://{}'}}}}]\n\
         users: [{{name: east, user: {{token: {ADMIN}}}}}]\n\
         contexts: [{{name: east, context: {{cluster: east, user: east}}}}]\n",
        listener.local_addr().unwrap()
    );
    std::fs::write(&config, text).unwrap();
    let (_home, mut operator) = open(&plan(&config, "shop"));
    operator.presses_for("i", "READING");
    assert!(operator.screen().contains("step 1: Scale the web up"), "what the plan tells is there at once");
    operator.press(ESC);
    operator.waits_for("the overview", |screen| !screen.contains("Behind Web pods"));
    operator.presses_for("2", "Are there too few pods?");
    operator.presses_for("1", "SIGNALS");
    let begun = Instant::now();
    operator.presses_for("i", "Behind Web pods");
    let shown = words(&operator.sees("PODS: NOT READ"));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(shown.contains("no answer within") && shown.contains("LOG: NOT READ"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_of_what_is_gone_are_told_and_those_of_others_are_not() {
    let (east, namespace, pod) = crashing("warned-of");
    let gone = pod.replace(&pod[pod.len() - 5..], "bcdfg");
    warn(east, &namespace, "Pod", &gone, "it is gone");
    warn(east, &namespace, "Deployment", "web", "of its own");
    warn(east, &namespace, "Pod", "other-1", "of another");
    let kit = Kit::new(&[east.admin()], &probe("kube-workloads", &namespace, "names = [\"web\"],"), "");
    let sections = sections(&kit).await;
    let warnings = told(&sections, "NEWEST WARNINGS").lines.join("\n");
    assert!(warnings.contains(&format!("BackOff pod/{gone}: it is gone (12 times)")), "{warnings}");
    assert!(
        warnings.contains("BackOff deployment/web: of its own") && !warnings.contains("other-1"),
        "{warnings}"
    );
    let pods = &told(&sections, "PODS").lines;
    assert!(
        pods[0]
            .starts_with(&format!("{pod} ends again and again; 7 restarts; main ended with 137 (OOMKilled)"))
    );
    assert!(pods[0].ends_with("; on host"), "{pods:?}");
    assert_eq!(pods[1], "no pod is ready; asked for: 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_the_container_before_comes_first_and_one_that_hangs_holds_up_nothing_else() {
    let (east, namespace, pod) = crashing("logged");
    let kit = Kit::new(&[east.admin()], &probe("kube-workloads", &namespace, "names = [\"web\"],"), "");
    east.host().logs(&namespace, |asked| says(asked, "last words\n"));
    let found = sections(&kit).await;
    let before = &found[2];
    assert!(
        before.title.starts_with(&format!("LOG of main in {pod}, the one before, which ended")),
        "{before:?}"
    );
    assert_eq!((before.lines.len(), &*before.lines[19]), (20, "last words"));
    assert_eq!(told(&found[3..], "LOG").lines, ["now"]);
    // Until another one has begun, both are the same log.
    east.host().logs(&namespace, |_| Log::Text("once\n".to_owned()));
    let found = sections(&kit).await;
    assert_eq!((found.len(), &*found[2].lines), (3, &["once".to_owned()][..]));
    east.host().logs(&namespace, |asked| if asked.previous { Log::Floods } else { Log::Hangs });
    let begun = Instant::now();
    let found = sections(&kit).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(told(&found, "PODS").unread.is_none());
    assert!(found[2].lines.len() <= 20 && found[2].lines.iter().all(|line| line.chars().count() <= 401));
    assert!(
        why(&found[3]).contains("get pods/log") && why(&found[3]).contains("no answer within"),
        "{found:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_verb_is_named_where_it_is_missing_and_the_rest_is_told() {
    let (east, namespace, _) = crashing("half");
    grant_few(east, &namespace);
    let config = east.config("viewer-of-pods", &format!("{{token: {VIEWER}}}"));
    let kit = Kit::new(&[config], &probe("kube-workloads", &namespace, "names = [\"web\"],"), "");
    until(&kit, "it measures", |seen| seen.number("restarts") == Some(7.0)).await;
    let found = sections(&kit).await;
    assert!(told(&found, "PODS").lines[0].contains("OOMKilled"));
    assert!(why(told(&found, "NEWEST WARNINGS")).contains("Have `list events` granted"), "{found:#?}");
    assert!(found[2..].iter().all(|log| why(log).contains("Have `get pods/log` granted")), "{found:#?}");
}

#[test]
fn preflight_warns_of_what_only_the_diagnosis_lacks() {
    let east = cluster(0);
    let namespace = east.namespace("foreseen");
    grant_few(east, &namespace);
    let config = east.config("viewer-before", &format!("{{token: {VIEWER}}}"));
    let home = Home::new("plan.toml");
    std::fs::write(home.plan(), plan(&config, &namespace)).unwrap();
    let mut preflight = std::process::Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    preflight.env_clear().env("HOME", home.folder.path()).arg("preflight").arg(home.plan());
    let told = String::from_utf8_lossy(&preflight.output().unwrap().stdout).into_owned();
    let line = |verb: &str| {
        let found = told.lines().find(|line| line.contains(&format!("may `{verb}`")));
        found.unwrap_or_else(|| panic!("no {verb} in\n{told}"))
    };
    assert!(line("list events").contains("only what is behind a signal needs it"), "{told}");
    assert!(line("get pods/log").contains("warn"), "{told}");
    assert!(line("list statefulsets.apps").contains("fail"), "{told}");
}
