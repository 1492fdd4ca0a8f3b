//! AWS for tests: emulators of others, corrected where they differ from AWS (see emulator.py), and a proxy that puts
//! faults before them. All listen on 127.0.0.1 and are gone when they are dropped.

mod http;
mod isolation;
mod nursery;
mod proxy;
mod shapes;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[allow(unused_imports)]
pub use isolation::isolate;
#[allow(unused_imports)]
pub use proxy::{Fault, FaultProxy, Match, Seen, Times};

/// How long a server may take to start, and a script to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// moto with the corrections of emulator.py: RDS, Route 53, S3, SNS, EKS, CloudFront, MSK, CloudWatch, STS, IAM.
pub struct Emulator {
    port: u16,
    /// It ends when this is closed, also when the test is killed.
    _life: UnixStream,
    log: tempfile::NamedTempFile,
}

impl Emulator {
    /// Starts one; returns once it answers. Its world is empty.
    ///
    /// The test program may begin anew with emulated credentials: start it before anything else is made.
    pub fn start() -> Self {
        isolate();
        let log = tempfile::NamedTempFile::new().unwrap();
        let request = serde_json::json!({"do": "emulator", "log": log.path()});
        let (life, line) = nursery::ask(&request, PATIENCE);
        let said = fs::read_to_string(log.path()).unwrap_or_default();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the emulator did not start: {said}"));
        Self { port, _life: life, log }
    }

    /// Where it listens, such as `http://127.0.0.1:40123`; all services and regions are there.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Runs a Python script with `client(service, region)` and `result(value)`; gives what `result` got.
    pub fn boto(&self, script: &str) -> serde_json::Value {
        boto(&self.endpoint(), script)
    }

    /// Sets what emulator.py lists under `/lifeboat/control`, for example `{"transition_ms": 1500}`; gives all settings.
    pub fn control(&self, settings: serde_json::Value) -> serde_json::Value {
        let (status, body) = http::call(self.port, "POST", "/lifeboat/control", &settings.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Sets all up at once, without transitions, then gives them their time again.
    pub fn set_up(&self, script: &str) -> serde_json::Value {
        let before = self.control(serde_json::json!({}));
        self.control(serde_json::json!({"transition_ms": 0}));
        let found = self.boto(script);
        self.control(serde_json::json!({"transition_ms": before["transition_ms"]}));
        found
    }

    /// How often each operation was called, such as `rds:DescribeDBInstances@eu-west-1`; those of `boto` do not count.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        let (status, body) = http::call(self.port, "GET", "/lifeboat/calls", "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The text messages that phones got, with their attributes.
    pub fn texts(&self) -> serde_json::Value {
        let (status, body) = http::call(self.port, "GET", "/lifeboat/texts", "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Counts from zero again.
    pub fn forget_calls(&self) {
        let (status, body) = http::call(self.port, "POST", "/lifeboat/calls", "");
        assert_eq!(status, 200, "{body}");
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let said = fs::read_to_string(self.log.path()).unwrap_or_default();
        if thread::panicking() && !said.is_empty() {
            eprintln!("what the emulator said:\n{said}");
        }
    }
}

/// ministack, for what moto lacks: failover and switchover of global clusters, and simulated IAM policies.
pub struct Ministack {
    server: Server,
}

impl Ministack {
    /// Starts one; returns once it answers.
    pub fn start() -> Self {
        isolate();
        let port = crate::port::free();
        let mut server = Server::spawn(&["ministack_server.py", &port.to_string()]);
        server.port = port;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.child.try_wait().unwrap().is_some();
            assert!(!ended && Instant::now() < deadline, "ministack did not start: {}", server.log());
            thread::sleep(Duration::from_millis(20));
        }
        Self { server }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// As [`Emulator::boto`].
    pub fn boto(&self, script: &str) -> serde_json::Value {
        boto(&self.endpoint(), script)
    }
}

/// A server's process; it ends when its standard input closes, also when the test is killed.
struct Server {
    child: Child,
    port: u16,
    log: tempfile::NamedTempFile,
}

impl Server {
    fn spawn(arguments: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let child = python()
            .arg(support(arguments[0]))
            .args(&arguments[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        Self { child, port: 0, log }
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log();
        if thread::panicking() && !log.is_empty() {
            eprintln!("what the emulator said:\n{log}");
        }
    }
}

fn boto(endpoint: &str, script: &str) -> serde_json::Value {
    let request = serde_json::json!({"do": "boto", "endpoint": endpoint, "script": script});
    let (_, line) = nursery::ask(&request, PATIENCE);
    let mut answer: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
    match answer.get_mut("result") {
        Some(result) => result.take(),
        None => {
            panic!("the script failed:\n{}\nscript:\n{script}", answer["failed"].as_str().unwrap_or(&line))
        }
    }
}

fn python() -> Command {
    let program = root().join("tests/.venv/bin/python");
    assert!(program.exists(), "{} is missing; `tests/all.sh --setup-only` makes it", program.display());
    let mut command = Command::new(program);
    isolation::clean(&mut command);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn support(file: &str) -> PathBuf {
    root().join("tests/support/aws").join(file)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
