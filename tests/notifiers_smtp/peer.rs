//! A mail server of the tests' own, with a certificate of their own authority.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long the server may take to start, and to tell what it got.
const PATIENCE: Duration = Duration::from_secs(60);

/// The user name and password that servers with a login know.
pub const USERNAME: &str = "lifeboat@example.com";
pub const PASSWORD: &str = "correct horse battery";

/// A running server (tests/support/smtp/server.py). It ends when it is dropped.
pub struct MailServer {
    child: Child,
    lines: Receiver<String>,
    pub port: u16,
    folder: tempfile::TempDir,
}

impl MailServer {
    /// Starts one with the settings that server.py lists.
    pub fn start(mut settings: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path());
        settings["cert"] = json!(folder.path().join("server.pem"));
        settings["key"] = json!(folder.path().join("server.key"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("tests/.venv/bin/python");
        assert!(python.exists(), "{} is missing; `tests/all.sh --setup-only` makes it", python.display());
        let mut child = Command::new(python)
            .arg(root.join("tests/support/smtp/server.py"))
            .arg(settings.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let port = lines.recv_timeout(PATIENCE).expect("the mail server did not start").parse().unwrap();
        Self { child, lines, port, folder }
    }

    /// One that works, with STARTTLS and a login.
    pub fn good() -> Self {
        Self::start(json!({"tls": "starttls", "login": [USERNAME, PASSWORD]}))
    }

    /// One with trouble at a stage.
    pub fn with_trouble(stage: &str, trouble: &str) -> Self {
        Self::start(json!({"tls": "starttls", "login": [USERNAME, PASSWORD], "at": {stage: trouble}}))
    }

    /// PEM file of the authority that its certificate is from.
    pub fn roots(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The next mail that it took, and the commands that it got before.
    pub fn mail(&self) -> (Value, Vec<Value>) {
        let mut commands = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the server got no mail");
            let mut told: Value = serde_json::from_str(&line).unwrap();
            match told.get_mut("mail") {
                Some(mail) => return (mail.take(), commands),
                None => commands.push(told),
            }
        }
    }

    /// Ends it, and gives all that it told.
    pub fn told(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        self.lines.iter().map(|line| serde_json::from_str(&line).unwrap()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn certify(folder: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("ca.pem"), issuer.pem()).unwrap();
    std::fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}
