//! Other users of the host: who puts an engine where another's is expected, and who prepares a folder for one.

use crate::group::{
    COLLEAGUE_UID, ENGINE_UID, GROUP, GROUP_ID, STRANGER_UID, Shared, as_user, privileged, said,
};
use crate::pty::wait_for;
use crate::rig::Home;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// An engine of some user in a state folder that this user made, until it is dropped.
struct Foreign {
    engine: Child,
    state: PathBuf,
    shared: Shared,
}

impl Foreign {
    /// In a folder that everybody can write to, as `/tmp` is.
    fn in_a_sticky_folder(uid: u32, more: &[&str]) -> Self {
        let shared = Shared::new();
        let anybody = shared.home.path().join("anybody");
        std::fs::create_dir(&anybody).unwrap();
        std::fs::set_permissions(&anybody, std::fs::Permissions::from_mode(0o1777)).unwrap();
        let state = anybody.join("lifeboat");
        let mut command = as_user(uid, Some(GROUP_ID), &shared.program);
        command.arg("engine").arg(shared.home.plan()).arg("--state").arg(&state).arg("--no-append-only");
        command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let engine = command.spawn().unwrap();
        wait_for(|| state.join("engine.sock").exists().then_some(())).expect("the engine comes up");
        Self { engine, state, shared }
    }

    fn ask(&self, uid: u32, subcommand: &str) -> (Option<i32>, String) {
        let mut command = as_user(uid, Some(GROUP_ID), &self.shared.program);
        let output = command.arg(subcommand).arg(self.shared.home.plan()).arg("--state").arg(&self.state);
        let output = output.output().unwrap();
        (output.status.code(), said(&output))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let pid = i32::try_from(self.engine.id()).unwrap();
        let _ = privileged("kill").args(["-KILL", &pid.to_string()]).status();
        let _ = self.engine.wait();
    }
}

#[test]
fn an_unprivileged_user_cannot_stand_in_for_roots_engine() {
    let foreign = Foreign::in_a_sticky_folder(STRANGER_UID, &[]);
    for subcommand in ["status", "ack", "brief", "stop"] {
        let (code, text) = foreign.ask(0, subcommand);
        assert_ne!(code, Some(0), "{subcommand}: {text}");
        assert!(text.contains("(user 2)") && text.contains("anybody could have put it there"), "{text}");
        assert!(text.contains("--state"), "it says what to do: {text}");
    }
}

#[test]
fn a_colleague_cannot_stand_in_for_an_engine_where_whoever_comes_first_makes_the_folder() {
    let foreign = Foreign::in_a_sticky_folder(COLLEAGUE_UID, &["--group", GROUP]);
    let (code, text) = foreign.ask(ENGINE_UID, "status");
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("(user 1)") && text.contains("anybody could have put it there"), "{text}");
}

#[test]
fn the_engine_of_another_user_in_a_folder_that_only_that_user_could_make_is_named_as_theirs() {
    let mut shared = Shared::new();
    shared.start(&["--group", GROUP]);
    for uid in [0, COLLEAGUE_UID] {
        let text = said(&shared.run(uid, Some(GROUP_ID), &["status"]));
        assert!(text.contains("engine       of nobody, not yours"), "{text}");
    }
}

/// What a stranger prepares in a folder, and what an engine of another user makes of it.
fn prepared(lay: impl Fn(&Path, &Path)) -> (String, String) {
    let shared = Shared::new();
    let precious = shared.home.path().join("precious");
    std::fs::write(&precious, "keys").unwrap();
    let (engine, stranger) = (ENGINE_UID.to_string(), STRANGER_UID.to_string());
    assert!(privileged("chown").arg(engine).arg(&precious).status().unwrap().success());
    let state = shared.home.path().join("prepared");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o777)).unwrap();
    lay(&state, &precious);
    assert!(privileged("chown").args(["-hR", &stranger]).arg(&state).status().unwrap().success());
    let mut command = as_user(ENGINE_UID, None, &shared.program);
    command.arg("engine").arg(shared.home.plan()).arg("--state").arg(&state).arg("--no-append-only");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success(), "{}", said(&output));
    (said(&output), std::fs::read_to_string(precious).unwrap())
}

#[test]
fn a_folder_that_a_stranger_prepared_is_refused_before_anything_in_it_is_touched() {
    let (text, precious) = prepared(|state, precious| {
        std::fs::create_dir(state.join("journal")).unwrap();
        symlink(precious, state.join("journal/lock")).unwrap();
        symlink(precious, state.join("engine.log")).unwrap();
    });
    assert!(text.contains("it belongs to") && text.contains("(user 2)"), "{text}");
    assert_eq!(precious, "keys");
}

/// A state folder of this user's own with a link in it, and whether an engine starts over it.
fn linked(lay: impl Fn(&Path, &Path)) -> (String, String) {
    let home = Home::new();
    std::fs::create_dir(&home.state).unwrap();
    let precious = home.path().join("precious");
    std::fs::write(&precious, "keys").unwrap();
    lay(&home.state, &precious);
    let mut console = home.open(80, 24);
    let screen = console.wait_for_text("symbolic link");
    assert_eq!(console.wait_for_end().exit_code(), 1);
    (screen, std::fs::read_to_string(precious).unwrap())
}

#[test]
fn links_in_the_place_of_the_lock_the_log_and_the_journal_lead_nowhere() {
    let (_, precious) = linked(|state, precious| {
        std::fs::create_dir(state.join("journal")).unwrap();
        symlink(precious, state.join("journal/lock")).unwrap();
    });
    assert_eq!(precious, "keys");
    let (_, precious) = linked(|state, precious| symlink(precious, state.join("engine.log")).unwrap());
    assert_eq!(precious, "keys");
    linked(|state, precious| {
        let elsewhere = precious.with_file_name("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, state.join("journal")).unwrap();
    });
}
