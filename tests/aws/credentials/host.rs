//! A host on which nobody is signed in, and the program on it.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A user's home, a plan, and the program.
pub struct Host {
    home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Host {
    /// A host without any credentials, whose plan has this in its `[aws]`.
    pub fn new(aws: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let plan = format!(
            "[plan]\nname = \"Test\"\nstrategy = \"warm-standby\"\n[regions.primary]\nname = \"us-east-1\"\n\
             role = \"primary\"\n[regions.dr]\nname = \"us-west-2\"\nrole = \"standby\"\n[tree]\nroot = \"down\"\n\
             [tree.down]\nask = \"Is it down?\"\nanswers.no = \"stay\"\n[leaves.stay]\ntitle = \"Stay\"\n\
             advice = \"Watch.\"\n[aws]\n{aws}\n"
        );
        fs::write(home.path().join("plan.toml"), plan).unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        Self { home, variables: vec![("AWS_EC2_METADATA_DISABLED".into(), "true".into())] }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.into(), value.into()));
        self
    }

    pub fn with_keys(self) -> Self {
        self.with("AWS_ACCESS_KEY_ID", "testing").with("AWS_SECRET_ACCESS_KEY", "testing")
    }

    /// With a default profile of these lines.
    pub fn with_profile(self, lines: &str) -> Self {
        fs::write(self.path(".aws/config"), format!("[default]\n{lines}\n")).unwrap();
        self
    }

    /// With a default profile that runs a script for its credentials.
    pub fn with_process(self, script: &str) -> Self {
        let path = self.path("credentials.sh");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        self.with_profile(&format!("credential_process = {}", path.display()))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.env_clear().env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(words).arg(self.path("plan.toml")).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, words: &[&str], input: &str) -> Output {
        let mut child = self.command(words).spawn().unwrap();
        // It may end without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What `lifeboat aws whoami --json` says of each region, its exit code, and how long it took.
    pub fn whoami(&self) -> (Vec<Value>, Option<i32>, Duration) {
        let begun = Instant::now();
        let output = self.run(&["aws", "whoami", "--json"], "");
        let took = begun.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        let answers =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        (answers, output.status.code(), took)
    }

    /// Why the first region does not know who calls, and what to do; fails when it took longer than `within`.
    pub fn failure(&self, within: Duration) -> (String, String) {
        let (answers, code, took) = self.whoami();
        assert_eq!(code, Some(1), "{answers:?}");
        assert!(took < within, "it took {took:?}: {answers:?}");
        let text = |key: &str| answers[0][key].as_str().unwrap_or_default().to_owned();
        (text("error"), text("next"))
    }
}
