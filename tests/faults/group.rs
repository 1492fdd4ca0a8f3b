//! A colleague with an account of their own: let in by the engine's group, and kept out without it.

use crate::pty::wait_for;
use crate::rig::{Home, LIFEBOAT};
use lifeboat::core::words::fact::Fact;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Debian's users without a login, and a group that neither is in by itself.
pub const ENGINE_UID: u32 = 65_534;
pub const COLLEAGUE_UID: u32 = 1;
pub const STRANGER_UID: u32 = 2;
pub const GROUP: &str = "users";
pub const GROUP_ID: u32 = 100;

/// A folder that all of them can enter, with the program and a plan.
pub struct Shared {
    pub home: Home,
    pub program: PathBuf,
    pub state: PathBuf,
    engine: Option<Child>,
}

impl Shared {
    pub fn new() -> Self {
        let home = Home::with(
            &include_str!("plan.toml").replace("[[severity]]", &format!("{PEOPLE}\n[[severity]]")),
        );
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(home.path(), 0o755);
        // The build's folder may be closed to other users. What this process wrote itself cannot be run as long as a child
        // of another test, between its fork and its exec, has it open.
        let program = home.path().join("lifeboat");
        let copied = Command::new("install").args(["-m", "755", LIFEBOAT]).arg(&program).status().unwrap();
        assert!(copied.success());
        let above = home.path().join("engine");
        std::fs::create_dir(&above).unwrap();
        let given = privileged("chown").arg(ENGINE_UID.to_string()).arg(&above).status().unwrap();
        assert!(given.success());
        let state = above.join("state");
        Self { home, program, state, engine: None }
    }

    pub fn start(&mut self, more: &[&str]) {
        let mut command = as_user(ENGINE_UID, Some(GROUP_ID), &self.program);
        command.arg("engine").arg(self.home.plan()).arg("--state").arg(&self.state).arg("--no-append-only");
        command.args(more).env("HOME", self.home.path()).stdin(Stdio::null()).stdout(Stdio::null());
        self.engine = Some(command.stderr(Stdio::null()).spawn().unwrap());
        let up = || self.run(0, None, &["status"]).status.code().filter(|code| *code != 3);
        wait_for(up).expect("the engine comes up");
    }

    pub fn run(&self, uid: u32, group: Option<u32>, arguments: &[&str]) -> Output {
        let mut command = as_user(uid, group, &self.program);
        command.arg(arguments[0]).arg(self.home.plan()).arg("--state").arg(&self.state);
        command.args(&arguments[1..]).env("HOME", self.home.path()).output().unwrap()
    }
}

impl Shared {
    fn stop(&mut self) {
        self.run(0, None, &["stop", "--force"]);
        if let Some(mut engine) = self.engine.take() {
            engine.wait().unwrap();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.run(0, None, &["stop", "--force"]);
        if let Some(engine) = &mut self.engine {
            let _ = engine.wait();
        }
    }
}

const PEOPLE: &str = r#"
[contacts.oncall]
name = "On call"
phone = "+1 555 0100"

[channels.hand]
kind = "command"
argv = ["true"]

[policies.all]
title = "All"
severities = ["P0"]

[[policies.all.levels]]
title = "On call"
methods = ["hand"]
"#;

pub fn privileged(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(program);
    command
}

pub fn as_user(uid: u32, group: Option<u32>, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = privileged("setpriv");
    command.args(["--reuid", &uid.to_string(), "--regid", &uid.to_string()]);
    match group {
        Some(group) => command.args(["--groups", &group.to_string()]),
        None => command.arg("--clear-groups"),
    };
    command.arg(program);
    command
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_colleague_of_the_group_acknowledges_under_their_own_name_and_a_stranger_does_not_get_in() {
    let mut shared = Shared::new();
    shared.start(&["--group", GROUP]);
    let status = shared.run(COLLEAGUE_UID, Some(GROUP_ID), &["status"]);
    assert!(said(&status).contains("Faults"), "{}", said(&status));
    let none = shared.run(COLLEAGUE_UID, Some(GROUP_ID), &["ack"]);
    assert!(said(&none).contains("nothing is being escalated"), "{}", said(&none));

    let stranger = shared.run(STRANGER_UID, None, &["status"]);
    assert!(said(&stranger).contains("ermission denied"), "{}", said(&stranger));

    crate::rig::Hands::attach_to(&shared.state.join("engine.sock")).declare_and_answer();
    let taken = wait_for(|| {
        let output = shared.run(COLLEAGUE_UID, Some(GROUP_ID), &["ack", "--note", "on my way"]);
        output.status.success().then(|| said(&output))
    });
    assert!(taken.expect("it is acknowledged").contains("Acknowledged: INC-"));
    let records = lifeboat::journal::read(&shared.state.join("journal")).unwrap();
    let events = records.map(|read| lifeboat::engine::record::event(&read.unwrap()).unwrap());
    let acknowledged = events.filter_map(|event| match event.fact {
        Fact::EscalationAcknowledged { who, via, .. } => Some((who, via, event.by.to_string())),
        _ => None,
    });
    let wanted = ("daemon".to_owned(), "console".to_owned(), "daemon".to_owned());
    assert_eq!(acknowledged.collect::<Vec<_>>(), [wanted]);

    let mode = |name: &str| {
        let metadata = std::fs::metadata(shared.state.join(name)).unwrap();
        (metadata.mode() & 0o777, metadata.gid())
    };
    assert_eq!((mode("."), mode("engine.sock")), ((0o750, GROUP_ID), (0o660, GROUP_ID)));
    assert_eq!(mode("journal"), (0o750, GROUP_ID), "they can read the journal");
    let journal = shared.state.join("journal");
    let mut verify = as_user(COLLEAGUE_UID, Some(GROUP_ID), &shared.program);
    let verified = verify.args(["journal", "verify", "--journal"]).arg(&journal).output().unwrap();
    assert!(said(&verified).contains("GOOD"), "{}", said(&verified));
}

#[test]
fn without_a_group_only_the_engines_user_and_root_get_in() {
    let mut shared = Shared::new();
    shared.start(&[]);
    let colleague = shared.run(COLLEAGUE_UID, Some(GROUP_ID), &["status"]);
    assert!(said(&colleague).contains("ermission denied"), "{}", said(&colleague));
}

#[test]
fn a_group_that_is_not_named_any_more_does_not_get_in_nor_at_the_journal() {
    let mut shared = Shared::new();
    shared.start(&["--group", GROUP]);
    shared.stop();
    shared.start(&[]);
    let colleague = shared.run(COLLEAGUE_UID, Some(GROUP_ID), &["status"]);
    assert!(said(&colleague).contains("ermission denied"), "{}", said(&colleague));
    let mut verify = as_user(COLLEAGUE_UID, Some(GROUP_ID), &shared.program);
    let verified = verify.args(["journal", "verify", "--journal"]).arg(shared.state.join("journal"));
    let verified = said(&verified.output().unwrap());
    assert!(verified.contains("ermission denied"), "{verified}");
}

#[test]
fn a_group_that_is_not_there_is_said() {
    let home = Home::new();
    let refused = home.run("engine", &["--no-append-only", "--group", "nobody-has-this"]);
    assert!(said(&refused).contains("the group nobody-has-this cannot be used"), "{}", said(&refused));
}
