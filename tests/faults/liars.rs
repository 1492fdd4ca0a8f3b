//! Peers that say whatever they are told to say, and what they were sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Texts, of which each answer has the next.
#[derive(Clone)]
pub struct Said {
    texts: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
}

impl Said {
    pub fn new(texts: Vec<String>) -> Self {
        Self { texts: Arc::new(texts), next: Arc::default() }
    }

    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    fn next(&self) -> String {
        self.texts[self.next.fetch_add(1, Ordering::Relaxed) % self.texts.len()].clone()
    }
}

fn server(handle: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            // A client that goes away in the middle is none of the test's business.
            std::thread::spawn(move || drop(handle(stream)));
        }
    });
    address
}

/// A text without its colours: what is left of their digits where the rest of them cannot be held would be another text.
fn without_colours(text: &str) -> String {
    let colours = ["\u{1b}[0m\n\u{1b}[32m", "\u{1b}[1;31m", "\u{9b}0m"];
    colours.iter().fold(text.to_owned(), |text, colour| text.replace(colour, ""))
}

/// What the name of a host or header can hold of a text.
fn word(text: &str) -> String {
    without_colours(text).chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect()
}

/// Says back the request's head: at `/echo` in JSON and as the name of a header, at `/away` as the address of a
/// redirect, at `/host` as its host, below `/no` as a refusal, elsewhere as names of alerts.
pub fn http(said: &Said) -> String {
    let said = said.clone();
    server(move |mut stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 {}
        let said = said.next();
        let both = format!("{said} {head}");
        let answer = |status: &str, headers: &str, body: &str| {
            format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
                body.len()
            )
        };
        let answer = match head.split(' ').nth(1).unwrap_or_default() {
            path if path.starts_with("/echo") => {
                let name = format!("X-{}: odd\r\n", word(&said));
                answer("200 OK", &name, &serde_json::json!({ "said": both }).to_string())
            }
            path if path.starts_with("/host") => {
                answer("302 Found", &format!("Location: http://{}.invalid/\r\n", word(&said)), "")
            }
            path if path.starts_with("/away") => {
                let both = without_colours(&both);
                let visible: String = both.chars().filter(|c| c.is_ascii_graphic()).take(4_000).collect();
                answer("302 Found", &format!("Location: http://127.0.0.1:1/x/{visible}\r\n"), "")
            }
            path if path.starts_with("/no") => answer("403 Forbidden", "", &both),
            _ => {
                let alert = serde_json::json!({
                    "labels": { "alertname": both, "severity": "critical" },
                    "startsAt": "2026-01-01T00:00:00Z",
                });
                answer(
                    "200 OK",
                    "Content-Type: application/json\r\n",
                    &serde_json::json!([alert]).to_string(),
                )
            }
        };
        stream.write_all(answer.as_bytes())
    })
}

/// An API server of Kubernetes whose objects, refusals and words say back the request's head, in every field that is one of
/// text. What changes something is refused.
pub fn kubernetes(said: &Said) -> String {
    let said = said.clone();
    server(move |mut stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 {}
        let both = format!("{} {head}", said.next());
        let (method, path) = head.split_once(' ').unwrap_or_default();
        let path = path.split([' ', '?']).next().unwrap_or_default().to_owned();
        let (status, body) = match (method, &*path) {
            ("GET", "/readyz") => ("500 Internal Server Error", format!("[-]{both} failed\n")),
            ("GET", "/version") => ("200 OK", serde_json::json!({ "gitVersion": both }).to_string()),
            // Of a watch the server has nothing more to say.
            ("GET", _) if head.contains("watch=true") => ("200 OK", String::new()),
            ("GET", path) => ("200 OK", kube_answer(path, &both).to_string()),
            // What it would make of a change that is only tried, of one kind.
            ("PATCH", path) if path.contains("/configmaps/") && head.contains("dryRun=All") => {
                ("200 OK", kube_answer(path, &both).to_string())
            }
            _ => {
                let refusal = serde_json::json!({
                    "kind": "Status", "code": 422, "reason": word(&both), "message": both });
                ("422 Unprocessable Entity", refusal.to_string())
            }
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes())
    })
}

/// A list of one object, or the object, where the path ends with a name.
fn kube_answer(path: &str, both: &str) -> serde_json::Value {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut object = kube_object(both);
    // What is asked for of Velero can be restored, as far as its phases tell.
    if path.ends_with("/backups") || path.contains("/backups/") {
        object["status"]["phase"] = "Completed".into();
        object["spec"]["storageLocation"] = "web".into();
    } else if path.contains("/backupstoragelocations/") {
        object["status"]["phase"] = "Available".into();
    }
    if name == "web" {
        return object;
    }
    let kind = serde_json::json!({ "name": "configmaps", "kind": "ConfigMap", "namespaced": true });
    serde_json::json!({ "metadata": { "resourceVersion": "1" }, "items": [object], "resources": [kind] })
}

/// Pod, workload, node, event, job, claim and application at once: whoever reads it finds its fields.
fn kube_object(both: &str) -> serde_json::Value {
    let condition = |kind: &str, status: &str| {
        serde_json::json!({ "type": kind, "status": status, "reason": both, "message": both,
                            "lastTransitionTime": "2026-01-01T00:00:00Z" })
    };
    let conditions = [
        condition("Progressing", "False"),
        condition("PodScheduled", "False"),
        condition("Ready", "False"),
        condition("Failed", "True"),
        condition("MemoryPressure", "True"),
    ];
    serde_json::json!({
        "kind": both, "reason": both, "message": both, "type": "Warning", "count": 3,
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "involvedObject": { "kind": both, "name": both, "namespace": both },
        "metadata": {
            "name": both, "namespace": both, "uid": both, "resourceVersion": "1", "generation": 1,
            "labels": { "app": "web" },
            "annotations": { "argocd.argoproj.io/tracking-id": both, "meta.helm.sh/release-name": both,
                             "lifeboat.dev/scaled": both, "cnpg.io/fencedInstances": both },
            "ownerReferences": [{ "kind": both, "name": both, "uid": both, "controller": true }],
        },
        "spec": {
            "replicas": 2, "selector": { "matchLabels": { "app": "web" } }, "schedule": both, "unschedulable": true,
            "minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": { "kind": "Deployment", "name": both },
            "resources": { "requests": { "storage": both } },
            "backupName": both, "includedNamespaces": [both], "excludedNamespaces": [both],
            "externalClusters": [{ "name": both }],
            "replica": { "self": both, "primary": both, "source": both, "promotionToken": both },
        },
        "status": {
            "phase": both, "conditions": conditions, "failed": 1,
            "containerStatuses": [{ "state": { "waiting": { "reason": "CreateContainerError", "message": both } } }],
            "nodeInfo": { "kubeletVersion": both },
            "startTimestamp": "2026-01-01T00:00:00Z", "failureReason": both, "validationErrors": [both],
            "phaseReason": both, "currentPrimary": both, "targetPrimary": word(both), "demotionToken": both,
            "lastPromotionToken": both, "systemID": both, "readyInstances": 1,
            "instancesReportedState": { both: { "isPrimary": true, "timeLineID": 3 } },
        },
    })
}

/// Refuses every session of PostgreSQL's protocol in its own words (`ErrorResponse`).
pub fn postgres(said: &Said) -> String {
    let said = said.clone();
    server(move |mut stream| {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut startup = vec![0; (u32::from_be_bytes(length) as usize).saturating_sub(4).min(10_000)];
        stream.read_exact(&mut startup)?;
        let message = said.next().replace('\0', "");
        let fields = format!("SFATAL\0VFATAL\0CXX000\0M{message}\0\0");
        let mut answer = vec![b'E'];
        answer.extend_from_slice(&(fields.len() as u32 + 4).to_be_bytes());
        answer.extend_from_slice(fields.as_bytes());
        stream.write_all(&answer)
    })
}

/// Refuses every mail in its own words.
pub fn smtp(said: &Said) -> String {
    let said = said.clone();
    server(move |mut stream| {
        let said = said.next().replace(['\r', '\n'], " ");
        stream.write_all(b"220 mail\r\n")?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 {
            let short: String = said.chars().take(900).collect();
            let answer =
                if line.starts_with("EHLO") { "250 mail\r\n".to_owned() } else { format!("550 {short}\r\n") };
            stream.write_all(answer.as_bytes())?;
            line.clear();
        }
        Ok(())
    })
}
