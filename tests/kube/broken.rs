//! What answers is no API server, answers nothing, or breaks off.

use crate::forward::Forwarder;
use crate::kube::{ADMIN, Kit, cluster, wait_until};
use lifeboat::core::words::reading::{Measurement, Verdict};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const API: &str = "api = { kind = \"kube-api\", region = \"a\", timeout = \"2s\" }\n\
                   w = { kind = \"kube-workloads\", region = \"a\", namespace = \"shop\", timeout = \"2s\" }";

/// A kubeconfig in a folder, for a server at an address.
pub fn config(folder: &tempfile::TempDir, server: &str, more: &str) -> PathBuf {
    let path = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: east, cluster: {{server: '{server}'{more}}}}}]\n\
         users: [{{name: east, user: {{token: {ADMIN}}}}}]\n\
         contexts: [{{name: east, context: {{cluster: east, user: east}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// Answers each request with this, by its path.
pub fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut head = vec![0; 8192];
                let read = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let said = answer(head.split(' ').nth(1).unwrap_or_default());
                let _ = stream.write_all(said.as_bytes());
                // One without an end goes on for as long as somebody listens.
                if !said.contains("Content-Length") {
                    let _ = stream.read(&mut [0]);
                }
            });
        }
    });
    address
}

pub fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn seen(kit: &Kit, probe: &str) -> String {
    match kit.measure(probe).await {
        Ok(seen) => format!("{:?}", seen.verdict),
        Err(problem) => format!("unknown: {}", problem.why),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_proxy_is_no_answer_of_the_cluster() {
    let folder = tempfile::tempdir().unwrap();
    for status in ["200 OK", "403 Forbidden", "502 Bad Gateway"] {
        let page = server(move |_| http(status, "<!DOCTYPE html><p>Please sign in to the network</p>"));
        let kit = Kit::new(&[config(&folder, &page, "")], API, "");
        let said = seen(&kit, "w").await;
        assert!(
            said.starts_with("unknown") && said.contains("what answered is no API server"),
            "{status}: {said}"
        );
        if status != "200 OK" {
            let said = seen(&kit, "api").await;
            assert!(said.starts_with("unknown"), "{status}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_gone_or_silent_is_critical_and_what_it_runs_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let dead = format!("https://127.0.0.1:{}", crate::port::free());
    let kit = Kit::new(&[config(&folder, &dead, "")], API, "");
    assert_eq!(seen(&kit, "api").await, r#"Critical("connection refused")"#);
    assert!(seen(&kit, "w").await.starts_with("unknown"));
    // It takes connections and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let kit = Kit::new(&[config(&folder, &silent, "")], API, "");
    let begun = Instant::now();
    assert!(seen(&kit, "api").await.starts_with("Critical(\"no answer within"));
    assert!(seen(&kit, "w").await.starts_with("unknown"));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_an_address_and_a_certificate_of_somebody_else_are_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::new(&[config(&folder, "https://api.nowhere.invalid:6443", "")], API, "");
    let said = seen(&kit, "api").await;
    assert!(said.starts_with("unknown") && said.contains("has no address"), "{said}");
    let (east, west) = (cluster(0), cluster(1));
    let other = format!(", certificate-authority: '{}'", west.folder.path().join("ca.pem").display());
    let kit = Kit::new(&[config(&folder, &format!("https://127.0.0.1:{}", east.port), &other)], API, "");
    let said = seen(&kit, "api").await;
    assert!(said.starts_with("unknown") && said.contains("its certificate does not count"), "{said}");
    // By another name than that of the address.
    let named = format!(
        ", certificate-authority: '{}', tls-server-name: api.example.com",
        east.folder.path().join("ca.pem").display()
    );
    let kit = Kit::new(&[config(&folder, &format!("https://127.0.0.1:{}", east.port), &named)], API, "");
    assert_eq!(seen(&kit, "api").await, "Good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_falls_silent_is_never_green_and_counts_again_once_it_is_back() {
    let east = cluster(0);
    let namespace = east.namespace("silent");
    east.deployment(&namespace, "web", 2, "runs");
    let folder = tempfile::tempdir().unwrap();
    let line = Forwarder::to(east.port);
    let authority = format!(", certificate-authority: '{}'", east.folder.path().join("ca.pem").display());
    let file = config(&folder, &format!("https://127.0.0.1:{}", line.port), &authority);
    let probes = format!(
        "w = {{ kind = \"kube-workloads\", region = \"a\", namespace = \"{namespace}\", every = \"1s\", timeout = \"1s\" }}"
    );
    let kit = Kit::new(&[file], &probes, "");
    let measured = |met: &dyn Fn(&Result<Measurement, lifeboat::base::problem::Problem>) -> bool| {
        tokio::task::block_in_place(|| met(&tokio::runtime::Handle::current().block_on(kit.measure("w"))))
    };
    let all_ready = |seen: &Result<Measurement, _>| {
        seen.as_ref().is_ok_and(|seen| seen.verdict == Verdict::Good && seen.number("ready") == Some(2.0))
    };
    wait_until("both are ready", || measured(&all_ready));
    line.go_silent();
    // What was answered within the last second may still be told.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let said = seen(&kit, "w").await;
    assert!(said.starts_with("unknown: get /version"), "{said}");
}

/// A server whose watch is too old once, and whose lists differ.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_is_too_old_or_breaks_is_read_anew() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let lists = std::sync::Arc::new(AtomicU32::new(0));
    let (counted, watches) = (lists.clone(), AtomicU32::new(0));
    let address = server(move |path| {
        let status = |code: u16| {
            format!("{{\"kind\":\"Status\",\"code\":{code},\"reason\":\"Expired\",\"message\":\"too old\"}}")
        };
        if path.contains("/version") {
            return http("200 OK", "{\"gitVersion\":\"v1.33.1\"}");
        }
        if path.contains("watch=true") {
            return match watches.fetch_add(u32::from(path.contains("/deployments?")), Ordering::Relaxed) {
                0 if path.contains("resourceVersion=1&") => {
                    http("200 OK", &format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", status(410)))
                }
                // Broken off within a line.
                1 => "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"type\":\"MOD".to_owned(),
                _ => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned(),
            };
        }
        let deployments = path.contains("/deployments?");
        let nth = if deployments { counted.fetch_add(1, Ordering::Relaxed) + 1 } else { 9 };
        let item = r#"{"metadata":{"name":"web","namespace":"shop","generation":1},"spec":{"replicas":NN},"status":{"observedGeneration":1,"readyReplicas":NN,"updatedReplicas":NN}}"#;
        let items = if deployments { item.replace("NN", &(nth + 1).to_string()) } else { String::new() };
        http("200 OK", &format!("{{\"metadata\":{{\"resourceVersion\":\"{nth}\"}},\"items\":[{items}]}}"))
    });
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::new(&[config(&folder, &address, "")], API, "");
    wait_until("it is listed anew", || {
        let seen =
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(kit.measure("w")));
        seen.is_ok_and(|seen| seen.number("ready") == Some(3.0))
    });
    assert!(lists.load(Ordering::Relaxed) >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_each_watch_at_once_is_not_asked_without_end() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let watches = std::sync::Arc::new(AtomicU32::new(0));
    let counted = watches.clone();
    let address = server(move |path| {
        if path.contains("watch=true") {
            counted.fetch_add(u32::from(path.contains("/pods?")), Ordering::Relaxed);
            return http("200 OK", "");
        }
        http("200 OK", "{\"gitVersion\":\"v1.33.1\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}")
    });
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::new(&[config(&folder, &address, "")], API, "");
    let begun = Instant::now();
    wait_until("it was asked several times", || {
        let _ = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(kit.measure("w")));
        watches.load(Ordering::Relaxed) >= 4
    });
    let each = begun.elapsed() / watches.load(Ordering::Relaxed);
    assert!(each >= Duration::from_millis(350), "{each:?}");
}
