//! Whose fault it is when nobody gets in.

use crate::kube::{ADMIN, Kit, VIEWER, cluster};
use std::path::PathBuf;

const API: &str = "api = { kind = \"kube-api\", region = \"a\", timeout = \"4s\" }";

async fn refused(kubeconfig: PathBuf) -> (String, String) {
    refused_with(kubeconfig, "").await
}

async fn refused_with(kubeconfig: PathBuf, more: &str) -> (String, String) {
    let problem = Kit::with(&[kubeconfig], more, API, "").measure("api").await.unwrap_err();
    (problem.why, problem.next)
}

fn plugin(script: &str) -> String {
    format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: sh, args: ['-c', '{script}'], \
         interactiveMode: IfAvailable}}}}"
    )
}

fn prints(token: &str) -> String {
    format!(
        "printf %s \"{{\\\"kind\\\":\\\"ExecCredential\\\",\\\"apiVersion\\\":\\\"client.authentication.k8s.io/v1beta1\\\",\
         \\\"status\\\":{{\\\"token\\\":\\\"{token}\\\"}}}}\""
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_signs_in() {
    let east = cluster(0);
    let config = east.config("plugin", &plugin(&prints(ADMIN)));
    let seen = Kit::new(&[config], API, "").measure("api").await.unwrap();
    assert_eq!(seen.summary, "ready, v1.20.2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_signs_in() {
    let east = cluster(0);
    let folder = east.folder.path().display();
    let user = format!("{{client-certificate: {folder}/client.pem, client-key: {folder}/client.key}}");
    let seen = Kit::new(&[east.config("certificate", &user)], API, "").measure("api").await.unwrap();
    assert_eq!(seen.summary, "ready, v1.20.2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_missing_fails_hangs_or_asks_is_said_and_not_the_clusters_fault() {
    let east = cluster(0);
    let missing = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws-of-nobody, \
                   installHint: 'Install it from example.com.', interactiveMode: Never}}";
    let (why, next) = refused(east.config("missing", missing)).await;
    assert!(
        why.contains("the program that signs in cannot be run") && why.contains("aws-of-nobody"),
        "{why}"
    );
    assert_eq!(next, "Install it from example.com.");
    let (why, _) = refused(east.config("fails", &plugin("echo the SSO session is over >&2; exit 255"))).await;
    assert!(why.contains("ended with exit code 255: the SSO session is over"), "{why}");
    let (why, next) =
        refused_with(east.config("hangs", &plugin("sleep 600")), "plugin_deadline = \"1s\"").await;
    assert!(why.contains("the program that signs in gave no answer within 1 s"), "{why}");
    assert!(next.contains("`sh`, with the arguments") && !next.contains("sleep 600"), "{next}");
    let (why, _) = refused(east.config("asks", &plugin("read -r name && echo $name"))).await;
    assert!(why.contains("ended with exit code 1"), "its input ends at once: {why}");
    let person =
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Always}}";
    let (why, _) = refused(east.config("person", person)).await;
    assert!(why.contains("has to ask a person"), "{why}");
    let (why, _) = refused(east.config("noise", &plugin("echo hello"))).await;
    assert!(why.contains("printed is no credential"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_count_is_unknown_and_one_that_is_renewed_counts() {
    let east = cluster(0);
    let (why, next) = refused(east.config("expired", "{token: some-old-token-0123}")).await;
    assert!(why.contains("the credentials do not count"), "{why}");
    assert!(next.contains("Sign in again") && next.contains("--context east"), "{next}");
    assert!(!why.contains("some-old-token"), "{why}");
    // A token in a file that somebody writes anew.
    let file = east.folder.path().join("token");
    std::fs::write(&file, "some-old-token-0123").unwrap();
    let config = east.config("rotates", &format!("{{tokenFile: '{}'}}", file.display()));
    let kit = Kit::new(&[config], API, "");
    assert!(kit.measure("api").await.is_err());
    std::fs::write(&file, format!("{ADMIN}\n")).unwrap();
    crate::kube::wait_until("the new token counts", || {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(kit.measure("api")).is_ok())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_verb_is_named_and_unknown() {
    let east = cluster(0);
    let namespace = east.namespace("forbidden");
    let config = east.config("viewer", &format!("{{token: {VIEWER}}}"));
    let probe = format!("w = {{ kind = \"kube-workloads\", region = \"a\", namespace = \"{namespace}\" }}");
    let problem = Kit::new(&[config], &probe, "").measure("w").await.unwrap_err();
    assert!(
        problem.why.contains("not allowed") && problem.why.contains("cannot list resource \"deployments\""),
        "{problem}"
    );
    assert!(problem.next.contains("Have `list deployments.apps` granted"), "{}", problem.next);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_is_not_there_says_which_ones_are() {
    let east = cluster(0);
    let probes = "api = { kind = \"kube-api\", region = \"b\" }";
    let problem = Kit::new(&[east.admin()], probes, "").measure("api").await.unwrap_err();
    assert!(problem.why.contains("has no context `west`: it has east"), "{problem}");
    let none = [PathBuf::from("/nonexistent/config")];
    let problem = Kit::new(&none, API, "").measure("api").await.unwrap_err();
    assert!(problem.why.contains("there is no kubeconfig: /nonexistent/config is not there"), "{problem}");
    let broken = east.folder.path().join("broken");
    std::fs::write(&broken, "users: [{name: x, user: {token: hunter22-secret\n").unwrap();
    let problem = Kit::new(&[broken], API, "").measure("api").await.unwrap_err();
    assert!(problem.why.contains("it is no YAML") && !problem.why.contains("hunter22"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_are_one_kubeconfig() {
    let (east, west) = (cluster(0), cluster(1));
    let probes =
        "api = { kind = \"kube-api\", region = \"a\" }\nother = { kind = \"kube-api\", region = \"b\" }";
    let kit = Kit::new(&[east.admin(), PathBuf::from("/nonexistent"), west.admin()], probes, "");
    let server = |seen: &lifeboat::core::words::reading::Measurement| seen.text("server").unwrap().to_owned();
    let (seen, other) = (kit.measure("api").await.unwrap(), kit.measure("other").await.unwrap());
    assert_eq!(server(&seen), format!("127.0.0.1:{}", east.port));
    assert_eq!(server(&other), format!("127.0.0.1:{}", west.port));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_no_header_can_hold_is_said_and_a_line_end_after_it_does_not_matter() {
    let east = cluster(0);
    let (why, next) = refused(east.config("two-lines", "{token: \"abc\\nX\"}")).await;
    assert!(why.contains("the token holds what no token can"), "{why}");
    assert!(next.contains("in one line"), "{next}");
    let config = east.config("line-end", &format!("{{token: \"{ADMIN}\\n\"}}"));
    assert_eq!(Kit::new(&[config], API, "").measure("api").await.unwrap().summary, "ready, v1.20.2");
}
