//! Prometheus' Alertmanager, started by a test on its own port and folder.

use jiff::{SignedDuration, Timestamp};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// An alert of `RegionDown` inhibits warnings of the same cluster.
const CONFIG: &str = r#"
route:
  receiver: nobody
receivers:
  - name: nobody
inhibit_rules:
  - source_matchers: ['alertname="RegionDown"']
    target_matchers: ['severity="warning"']
    equal: [cluster]
"#;

/// A running server; it ends with this value.
pub struct Alertmanager {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one and waits until it is ready.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(&config, CONFIG).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let address = format!("127.0.0.1:{}", crate::port::free());
        let process = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus-alertmanager is not installed: run tests/all.sh --setup-only");
        let server = Self { process, address, _folder: folder };
        let began = Instant::now();
        while server.call("GET", "/-/ready", "").is_none_or(|(status, _)| status != 200) {
            assert!(began.elapsed() < READY_WITHIN, "it is not ready after {READY_WITHIN:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Posts an alert that began `age_s` ago, and that ends in an hour or ended a second ago.
    pub fn alert(&self, labels: &[(&str, &str)], age_s: i64, over: bool) {
        let now = Timestamp::now();
        let ends = now + SignedDuration::from_secs(if over { -1 } else { 3600 });
        let labels: serde_json::Map<_, _> = labels.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let alert = serde_json::json!([{
            "labels": labels,
            "startsAt": (now - SignedDuration::from_secs(age_s)).to_string(),
            "endsAt": ends.to_string(),
        }]);
        self.post("/api/v2/alerts", &alert);
    }

    /// Silences alerts of this name for an hour.
    pub fn silence(&self, name: &str) {
        let now = Timestamp::now();
        let silence = serde_json::json!({
            "matchers": [{ "name": "alertname", "value": name, "isRegex": false, "isEqual": true }],
            "startsAt": now.to_string(),
            "endsAt": (now + SignedDuration::from_secs(3600)).to_string(),
            "createdBy": "a test",
            "comment": "being worked on",
        });
        self.post("/api/v2/silences", &silence);
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn post(&self, path: &str, body: &serde_json::Value) {
        let answer = self.call("POST", path, &body.to_string());
        assert!(matches!(&answer, Some((200, _))), "{path}: {answer:?}");
    }

    /// A request by hand: what the product's own client does is what is tested.
    fn call(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let (host, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer))
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.kill();
    }
}
