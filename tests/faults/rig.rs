//! A plan in a folder of its own, the program on it, and hands that ask its engine for things.

use crate::pty::{Program, Pty, wait_for};
use lifeboat::base::ids::{RunId, StepId};
use lifeboat::base::problem::Problem;
use lifeboat::core::apply::apply;
use lifeboat::core::model::Model;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::incident::{Mode, StepRun};
use lifeboat::core::words::status::StepStatus;
use lifeboat::engine::client::{Client, Receiver, Sender};
use lifeboat::engine::protocol::ToClient;
use lifeboat::engine::record;
use lifeboat::journal;
use rustix::process::{Pid, Signal};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

pub const LIFEBOAT: &str = env!("CARGO_BIN_EXE_lifeboat");

/// How long the engine may take for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A plan's folder, with something outside that answers.
pub struct Home {
    pub folder: tempfile::TempDir,
    pub state: PathBuf,
    pub reference: TcpListener,
    env: Vec<(String, String)>,
}

impl Home {
    /// A home with the usual plan.
    pub fn new() -> Self {
        Self::with(include_str!("plan.toml"))
    }

    /// A home with a plan, in which @folder and @reference are filled in.
    pub fn with(plan: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reference = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = Self { state: folder.path().join("state"), folder, reference, env: Vec::new() };
        home.write_plan(plan);
        home
    }

    /// Sets a variable of every program's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Keeps the state elsewhere.
    pub fn state(mut self, state: PathBuf) -> Self {
        self.state = state;
        self
    }

    pub fn write_plan(&self, plan: &str) {
        let text = plan
            .replace("@folder", self.path().to_str().unwrap())
            .replace("@reference", &self.reference.local_addr().unwrap().to_string());
        std::fs::write(self.plan(), text).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn plan(&self) -> PathBuf {
        self.path().join("plan.toml")
    }

    pub fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// Opens a console.
    pub fn open(&self, columns: u16, rows: u16) -> Pty {
        let program = Program::new(LIFEBOAT).arg("open").arg(self.plan()).arg("--state").arg(&self.state);
        let program = program.arg("--no-append-only").env("HOME", self.path()).size(columns, rows);
        self.env.iter().fold(program, |program, (name, value)| program.env(name, value)).spawn()
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("HOME", self.path()).env("PATH", path).envs(self.env.iter().cloned());
        command
    }

    /// Runs a subcommand on the plan and its state.
    pub fn run(&self, subcommand: &str, flags: &[&str]) -> Output {
        // What should end at once and does not is a failure, not a test that hangs.
        let mut command = self.command("timeout");
        command
            .args(["60", LIFEBOAT, subcommand])
            .arg(self.plan())
            .arg("--state")
            .arg(&self.state)
            .args(flags);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command line that names its own plan.
    pub fn run_bare(&self, arguments: &[&str]) -> Output {
        let mut command = self.command("timeout");
        command.args(["60", LIFEBOAT]).args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Starts an engine of this test's own, after a line of shell.
    pub fn engine_after(&self, shell: &str) -> Engine {
        let mut command = self.command("sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\""), LIFEBOAT, "engine"]).arg(self.plan());
        command.arg("--state").arg(&self.state).arg("--no-append-only").stdin(Stdio::null());
        Engine(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub fn engine(&self) -> Engine {
        self.engine_after(":")
    }

    /// Runs a line of shell in which `$0` is the program, `$1` the plan and `$2` the state folder.
    pub fn shell(&self, script: &str) -> Command {
        let mut command = self.command("sh");
        command.args(["-c", script, LIFEBOAT]).arg(self.plan()).arg(&self.state).stdin(Stdio::null());
        command
    }

    /// The process of the engine that serves the socket; none when there is none.
    pub fn pid(&self) -> Option<i32> {
        let output = self.run("status", &["--json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
        status["engine_pid"].as_i64()?.try_into().ok()
    }

    /// Waits for the engine.
    pub fn wait_pid(&self) -> i32 {
        wait_for(|| self.pid()).expect("no engine came up")
    }

    pub fn status(&self) -> String {
        String::from_utf8(self.run("status", &[]).stdout).unwrap()
    }

    /// Waits until `lifeboat status` says something.
    pub fn wait_status(&self, text: &str) -> String {
        wait_for(|| Some(self.status()).filter(|status| status.contains(text)))
            .unwrap_or_else(|| panic!("never said {text:?}:\n{}", self.status()))
    }

    /// Kills the engine without a word.
    pub fn kill_engine(&self) {
        let pid = self.wait_pid();
        kill(pid, Signal::KILL);
        wait_for(|| self.pid().is_none().then_some(())).expect("the engine is still there");
    }

    /// The facts in the journal.
    pub fn facts(&self) -> Vec<Fact> {
        let records = journal::read(&self.journal()).unwrap();
        records.map(|read| record::event(&read.unwrap()).unwrap().fact).collect()
    }

    pub fn assert_journal_good(&self) {
        let verified = journal::verify(&self.journal()).unwrap();
        assert!(verified.is_good(), "{:?}", verified.bad);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            kill(pid, Signal::KILL);
        }
    }
}

pub fn kill(pid: i32, signal: Signal) {
    // It may have ended by itself.
    let _ = rustix::process::kill_process(Pid::from_raw(pid).unwrap(), signal);
}

/// An engine that this test started and ends.
pub struct Engine(pub Child);

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client without a screen.
pub struct Hands {
    runtime: tokio::runtime::Runtime,
    sender: Sender,
    receiver: Receiver,
    pub model: Model,
}

impl Hands {
    /// Attaches, as soon as the engine is there.
    pub fn attach(home: &Home) -> Self {
        home.wait_pid();
        let folder =
            lifeboat::engine::paths::StateFolder::of_plan(Some(&home.state), home.path(), &home.plan());
        Self::attach_to(&folder.socket())
    }

    /// Attaches to the engine of a socket that is there.
    pub fn attach_to(socket: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (client, model) = runtime.block_on(async {
            let mut client = Client::connect(socket).await.unwrap();
            let ToClient::Welcome { model, .. } = client.answer().await.unwrap() else {
                panic!("no welcome")
            };
            (client, Arc::unwrap_or_clone(model))
        });
        let (sender, receiver) = client.split();
        Self { runtime, sender, receiver, model }
    }

    /// Asks and waits for the reply; what happens meanwhile is folded.
    pub fn ask(&mut self, ask: Ask) -> Result<(), Problem> {
        let asked = self.runtime.block_on(self.sender.ask(ask)).unwrap();
        loop {
            if let ToClient::Reply { id, result } = self.next()
                && id == asked
            {
                return result;
            }
        }
    }

    fn next(&mut self) -> ToClient {
        let next = async { tokio::time::timeout(PATIENCE, self.receiver.next()).await };
        let message = self.runtime.block_on(next).expect("the engine says nothing").unwrap();
        if let ToClient::Events(events) = &message {
            for event in events {
                apply(&mut self.model, event);
            }
        }
        message
    }

    /// Folds until the model is as wanted.
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Model) -> bool) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while !wanted(&self.model) {
            assert!(std::time::Instant::now() < deadline, "never: {what}");
            self.next();
        }
    }

    /// Declares an incident and gives the suggested answer to its first question.
    pub fn declare_and_answer(&mut self) {
        self.wait("the suggestion", |model| model.durable.severity.is_some());
        self.ask(Ask::Declare { title: "fault".into(), mode: Mode::Live }).unwrap();
        let deadline = std::time::Instant::now() + PATIENCE;
        let (answer, suggested) = ("yes".to_owned(), Some("yes".to_owned()));
        // On a busy host the evidence is late for a moment, and takes the suggestion with it: somebody looks again.
        while let Err(refused) = self.ask(Ask::Answer {
            question: "down".into(),
            answer: answer.clone(),
            suggested: suggested.clone(),
            reason: None,
        }) {
            let is_moment = refused.why.contains("the suggestion changed");
            assert!(is_moment && std::time::Instant::now() < deadline, "{refused:?}");
            self.next();
        }
    }

    /// The same, where that begins the runbook.
    pub fn begin_run(&mut self) {
        self.declare_and_answer();
        self.wait("a run", |model| model.durable.incident.as_ref().is_some_and(|i| i.open_run().is_some()));
    }

    pub fn run_id(&self) -> RunId {
        self.model.durable.incident.as_ref().unwrap().open_run().unwrap().id.clone()
    }

    /// A step of the last run, which may have ended with it.
    pub fn step(&self, id: &str) -> &StepRun {
        let run = self.model.durable.incident.as_ref().unwrap().runs.last().unwrap();
        &run.steps[&StepId::new(id)]
    }

    pub fn wait_step(&mut self, id: &str, status: StepStatus) {
        let step = StepId::new(id);
        self.wait(&format!("{id} is {}", status.as_str()), |model| {
            let incident = model.durable.incident.as_ref();
            let run = incident.and_then(|incident| incident.runs.last());
            run.and_then(|run| run.steps.get(&step)).is_some_and(|state| state.status == status)
        });
    }

    /// Prepares and confirms a step, and waits until it runs.
    pub fn fire(&mut self, id: &str) {
        let (run, step) = (self.run_id(), StepId::new(id));
        self.ask(Ask::Prepare { run, step }).unwrap();
        self.wait_step(id, StepStatus::Confirming);
        let confirmation = self.step(id).confirmation.as_ref().unwrap();
        let typed = confirmation.phrase().map(str::to_owned);
        self.ask(Ask::Confirm { confirmation: confirmation.id.clone(), typed }).unwrap();
    }
}
