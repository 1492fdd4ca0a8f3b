//! A folder with a plan and the state of its engine, and the program on them.

#![allow(dead_code)]

use crate::pty::{Program, Pty};
use lifeboat::core::words::confirmation::Confirmation;
use lifeboat::core::words::fact::Fact;
use lifeboat::engine::record;
use lifeboat::journal;
use std::path::PathBuf;
use std::process::{Command, Output};

const LIFEBOAT: &str = env!("CARGO_BIN_EXE_lifeboat");

/// Its engine is gone when it is dropped.
pub struct Home {
    pub folder: tempfile::TempDir,
    /// The plan's file or folder, within the folder.
    pub plan: &'static str,
}

impl Home {
    pub fn new(plan: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), plan }
    }

    pub fn plan(&self) -> PathBuf {
        self.folder.path().join(self.plan)
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn journal(&self) -> PathBuf {
        self.state().join("journal")
    }

    /// Opens a console at 80x24 with this much in its environment.
    pub fn open(&self, environment: &[(&str, &str)]) -> Pty {
        let program = Program::new(LIFEBOAT)
            .arg("open")
            .arg(self.plan())
            .arg("--state")
            .arg(self.state())
            .arg("--no-append-only")
            .env("HOME", self.folder.path())
            .size(80, 24);
        environment.iter().fold(program, |program, (name, value)| program.env(name, value)).spawn()
    }

    /// Runs a subcommand on the plan and its state.
    pub fn run(&self, subcommand: &str, flags: &[&str]) -> Output {
        let mut command = self.command();
        command.arg(subcommand).args(flags).arg(self.plan()).arg("--state").arg(self.state());
        command.output().unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(LIFEBOAT);
        command.env_clear().env("HOME", self.folder.path());
        command
    }

    /// The process of the engine that serves; none when there is none.
    pub fn engine(&self) -> Option<i32> {
        let status: serde_json::Value =
            serde_json::from_slice(&self.run("status", &["--json"]).stdout).ok()?;
        status["engine_pid"].as_i64()?.try_into().ok()
    }

    pub fn facts(&self) -> Vec<Fact> {
        let records = journal::read(&self.journal()).unwrap();
        records.map(|read| record::event(&read.unwrap()).unwrap().fact).collect()
    }

    pub fn confirmations(&self) -> Vec<Confirmation> {
        let confirmation = |fact| match fact {
            Fact::StepPrepared { confirmation } => Some(*confirmation),
            _ => None,
        };
        self.facts().into_iter().filter_map(confirmation).collect()
    }

    /// Ends the engine, and checks the journal with the program's own verifier.
    pub fn end(&self) {
        let stopped = self.run("stop", &[]);
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
        let verified =
            self.command().args(["journal", "verify", "--journal"]).arg(self.journal()).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.run("stop", &["--force"]);
    }
}
