//! A Prometheus, started by a test on its own port and folder, that scrapes what the test says every second.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running server; it ends with this value.
pub struct Prometheus {
    process: Child,
    pub url: String,
    metrics: Arc<Mutex<String>>,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one and waits until it is ready.
    pub fn start(metrics: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (metrics, exporter) = exporter(metrics);
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: state\n  honor_labels: true\n  \
             static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]\n"
        );
        std::fs::write(&config, text).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let address = format!("127.0.0.1:{}", crate::port::free());
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is not installed: run tests/all.sh --setup-only");
        let server = Self { process, url: format!("http://{address}"), metrics, _folder: folder };
        let began = Instant::now();
        while get(&address, "/-/ready").is_none_or(|answer| !answer.contains(" 200 ")) {
            assert!(began.elapsed() < READY_WITHIN, "it is not ready after {READY_WITHIN:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// What it scrapes from now on.
    pub fn metrics(&self, text: &str) {
        text.clone_into(&mut self.metrics.lock().unwrap());
    }

    /// The answer to a query of now, as the API gives it.
    pub fn query(&self, query: &str) -> String {
        let address = self.url.trim_start_matches("http://");
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        get(address, &format!("/api/v1/query?query={query}")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn exporter(metrics: &str) -> (Arc<Mutex<String>>, u16) {
    let metrics = Arc::new(Mutex::new(metrics.to_owned()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = metrics.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let text = said.lock().unwrap().clone();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            );
        }
    });
    (metrics, port)
}
