//! An operator's night: a real primary dies, and the standby is promoted through the console, by keys only.

use crate::postgres::{Load, PATIENCE, Pair, Row, wait_until};
use crate::pty::{Program, Pty};
use lifeboat::core::confirmation::Confirmation;
use lifeboat::core::fact::Fact;
use lifeboat::engine::record;
use lifeboat::journal;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LIFEBOAT: &str = env!("CARGO_BIN_EXE_lifeboat");

/// A plan over a real pair, an engine, and a console at 80x24.
struct Night {
    home: tempfile::TempDir,
    pair: Pair,
    console: Pty,
    /// Something outside that answers, so that the console knows that it can see.
    _reference: TcpListener,
}

impl Night {
    fn begin() -> Self {
        let pair = Pair::start();
        let reference = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = tempfile::tempdir().unwrap();
        let plan = include_str!("plan.toml")
            .replace("@primary", &pair.primary.dsn())
            .replace("@standby", &pair.standby.dsn())
            .replace("@reference", &reference.local_addr().unwrap().to_string());
        std::fs::write(home.path().join("plan.toml"), plan).unwrap();
        let console = console(home.path());
        let night = Self { home, pair, console, _reference: reference };
        night.console.wait_until("everything is well", |screen| screen.contains("every service works"));
        night
    }

    fn lifeboat(&self, arguments: &[&str]) -> Output {
        let run = Command::new(LIFEBOAT).args(arguments).env_clear().env("HOME", self.home.path()).output();
        run.unwrap()
    }

    fn plan(&self) -> PathBuf {
        self.home.path().join("plan.toml")
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    fn keys(&mut self, keys: &str) {
        self.console.press(keys);
    }

    fn sees(&self, text: &str) {
        self.console.wait_for_text(text);
    }

    /// From the first alarm to the open runbook.
    fn decide(&mut self) {
        self.sees("P0");
        self.keys("D");
        self.sees("Declare an incident");
        self.keys("1\r");
        self.sees("Title");
        self.keys("\r");
        self.sees("LIVE");
        self.keys("2");
        self.sees("Is the primary completely down?");
        self.sees("SUGGESTED \"yes\"");
        self.press_until("y", |screen| screen.contains("POINT OF NO RETURN"));
    }

    /// The dead primary cannot be fenced: the step fails, and a person says what was done instead.
    fn fence_by_hand(&mut self) {
        self.sees("Stop writes on the old primary\" is ready");
        self.keys("p");
        self.sees("CONFIRM: Stop writes");
        // What the gate keeps out is the reflex; a person reads first.
        self.press_until("y", |screen| screen.contains("FAILED"));
        self.keys("a");
        self.sees("What was done, and how it was checked");
        self.types("the process was killed, its port is closed", "its port is closed");
        self.keys("\r");
        self.sees("Is it done?");
        self.press_until("y", |screen| screen.contains("attested"));
    }

    /// Presses a key again while the gate of a new dialog may still be closed: it takes a key for held until it was
    /// silent for a second.
    fn press_until(&mut self, key: &str, done: impl Fn(&str) -> bool) {
        let mut last = std::time::Instant::now() - std::time::Duration::from_secs(2);
        let started = std::time::Instant::now();
        wait_until(&format!("{key} was taken"), || {
            let screen = self.console.screen();
            if done(&screen) {
                return true;
            }
            assert!(
                started.elapsed() < PATIENCE - std::time::Duration::from_secs(5),
                "{key} was not taken:\n{screen}"
            );
            let asks = ["CONFIRM", "Is it done?", "SUGGESTED", "Go on against a guard"]
                .iter()
                .any(|text| screen.contains(text));
            if asks && last.elapsed().as_millis() > 1_300 {
                last = std::time::Instant::now();
                self.console.press(key);
            }
            false
        });
    }

    /// Opens the promotion's confirmation and returns what it says.
    fn open_promotion(&mut self) -> String {
        self.sees("Promote the standby\" is ready");
        self.keys("ggjp");
        self.console.wait_for_text("CONFIRM: Promote the standby")
    }

    /// Types a text until `shown` says that it arrived: a dialog that just opened takes keys for typed ahead.
    fn types(&mut self, text: &str, shown: &str) {
        let mut last = std::time::Instant::now() - std::time::Duration::from_secs(2);
        let started = std::time::Instant::now();
        wait_until(&format!("{text} is typed"), || {
            let screen = self.console.screen();
            if screen.contains(shown) {
                return true;
            }
            assert!(started.elapsed() < PATIENCE / 2, "{text} was not typed:\n{screen}");
            if last.elapsed().as_millis() > 1_000 {
                last = std::time::Instant::now();
                self.console.press("\x15");
                self.console.press(text);
            }
            false
        });
    }

    /// Types the target's name and fires.
    fn promote(&mut self) {
        let phrase = self.pair.standby.address();
        self.types(&phrase, "matches");
        self.keys("\r");
        // Enter confirms nothing.
        self.sees("CONFIRM: Promote the standby");
        let started =
            |fact: &Fact| matches!(fact, Fact::StepStarted { step, .. } if step.as_str() == "promote");
        assert!(!self.facts().iter().any(started));
        self.press_until("\x19", |screen| screen.contains("verified") && !screen.contains("CONFIRM"));
    }

    fn confirmations(&self) -> Vec<Confirmation> {
        let records = journal::read(&self.state().join("journal")).unwrap();
        records
            .filter_map(|read| match record::event(&read.unwrap()).unwrap().fact {
                Fact::StepPrepared { confirmation } => Some(*confirmation),
                _ => None,
            })
            .collect()
    }

    fn facts(&self) -> Vec<Fact> {
        let records = journal::read(&self.state().join("journal")).unwrap();
        records.map(|read| record::event(&read.unwrap()).unwrap().fact).collect()
    }

    /// Ends the engine, and checks the journal with the program's own verifier.
    fn end(&mut self) {
        let (plan, state) = (self.plan(), self.state());
        let stopped = self.lifeboat(&["stop", plan.to_str().unwrap(), "--state", state.to_str().unwrap()]);
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
        let journal = state.join("journal");
        let verified = self.lifeboat(&["journal", "verify", "--journal", journal.to_str().unwrap()]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

impl Drop for Night {
    fn drop(&mut self) {
        let (plan, state) = (self.plan(), self.state());
        self.lifeboat(&["stop", "--force", plan.to_str().unwrap(), "--state", state.to_str().unwrap()]);
    }
}

fn console(home: &Path) -> Pty {
    Program::new(LIFEBOAT)
        .arg("open")
        .arg(home.join("plan.toml"))
        .arg("--state")
        .arg(home.join("state"))
        .arg("--no-append-only")
        .env("HOME", home)
        .size(80, 24)
        .spawn()
}

/// Rows that clients of the dead primary hold a commit for and that the new primary does not have.
fn lost(pair: &Pair, rows: &[Row]) -> Vec<Row> {
    let kept = pair.standby.sql("select coalesce(string_agg(id::text, ','), '') from load");
    let kept: std::collections::HashSet<i64> =
        kept.trim().split(',').filter_map(|id| id.parse().ok()).collect();
    rows.iter().filter(|row| !kept.contains(&row.id)).copied().collect()
}

#[test]
fn a_killed_primary_is_replaced_through_the_console_and_nothing_acknowledged_is_lost() {
    let mut night = Night::begin();
    let load = Load::start(&night.pair.primary, 50);
    wait_until("there are rows", || load.acknowledged().len() > 100);
    // The standby has these: it says so itself.
    night.pair.wait_received();
    let safe = load.acknowledged();
    night.pair.wait_received();
    night.pair.primary.kill();
    let rows = load.stop();

    night.decide();
    night.fence_by_hand();
    let shown = night.open_promotion();
    night.promote();

    night.pair.standby.sql("insert into load (id, pad) values (-1, 'after')");
    assert_eq!(night.pair.standby.sql("select pg_is_in_recovery()").trim(), "f");
    let gone = lost(&night.pair, &rows);
    assert!(gone.iter().all(|row| row.id > safe.last().unwrap().id), "rows that the standby had are gone");

    // What the screen said is lost, and what is.
    let promotion = night.confirmations().into_iter().rev().find(|c| c.step.as_str() == "promote").unwrap();
    let loss = &promotion.losses[0];
    let (span, bytes) = (loss.span.unwrap(), loss.bytes.unwrap());
    assert!(shown.contains("YOU LOSE about"), "{shown}");
    let lost_span =
        gone.last().map_or(0.0, |last| last.acknowledged.duration_since(gone[0].acknowledged).as_secs_f64());
    assert!(span.as_secs_f64() >= lost_span, "{span:?} was shown, {lost_span} s are gone");
    assert!(span.as_secs_f64() < 10.0, "a streaming standby is seconds behind, not {span:?}");
    assert!(bytes >= gone.len() as u64 * 1_000, "{bytes} bytes were shown, {} rows are gone", gone.len());
    assert!(bytes < 2_000_000, "a streaming standby is not {bytes} bytes behind");
    night.end();
}

#[test]
fn the_loss_on_the_screen_is_what_is_lost() {
    let mut night = Night::begin();
    let load = Load::start(&night.pair.primary, 50);
    night.pair.wait_received();
    // The stream breaks, the primary goes on: from here on everything is at risk.
    night.pair.standby.sql("alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
    night.pair.standby.sql("select pg_reload_conf()");
    night.pair.standby.wait_for("select count(*) = 0 from pg_stat_wal_receiver");
    let cut = load.acknowledged().len();
    wait_until("six seconds of rows are at risk", || load.acknowledged().len() > cut + 300);
    night.pair.primary.kill();
    let rows = load.stop();

    night.decide();
    night.fence_by_hand();
    let shown = night.open_promotion();
    assert!(shown.contains("YOU LOSE about"), "{shown}");
    night.promote();

    let gone = lost(&night.pair, &rows);
    assert!(gone.len() >= 250, "only {} rows are gone", gone.len());
    let last = gone.last().unwrap().acknowledged;
    let lost_s = last.duration_since(gone[0].acknowledged).as_secs_f64();
    let promotion = night.confirmations().into_iter().rev().find(|c| c.step.as_str() == "promote").unwrap();
    let loss = &promotion.losses[0];
    let (span_s, bytes) = (loss.span.unwrap().as_secs_f64(), loss.bytes.unwrap() as f64);
    assert!((lost_s - 0.2..lost_s + 4.0).contains(&span_s), "{span_s} s were shown, {lost_s} s are gone");
    let row_bytes = 1_000.0;
    let lost_bytes = gone.len() as f64 * row_bytes;
    assert!(
        (lost_bytes..lost_bytes * 3.0).contains(&bytes),
        "{bytes} bytes were shown, {lost_bytes} are gone"
    );
    night.end();
}

#[test]
fn a_standby_that_does_not_replay_is_refused_until_the_loss_is_named() {
    let mut night = Night::begin();
    let load = Load::start(&night.pair.primary, 50);
    wait_until("there are rows", || load.acknowledged().len() > 50);
    night.pair.standby.pause_replay();
    night
        .console
        .wait_until("the lag shows", |screen| screen.contains("✘ critical") || screen.contains("▲ warn"));
    let behind = "select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > 200000";
    night.pair.standby.wait_for(behind);
    night.pair.primary.kill();
    let rows = load.stop();

    night.decide();
    night.fence_by_hand();
    let shown = night.open_promotion();
    assert!(shown.contains("DOES NOT HOLD"), "{shown}");
    night.keys("\x1b");
    night.console.wait_until("the confirmation is closed", |screen| !screen.contains("CONFIRM"));
    night.keys("O");
    night.console.wait_until("the override names the loss", |screen| {
        screen.contains("verrid") && screen.contains("not yet replicated")
    });
    night.press_until("\r", |screen| screen.contains("Reason"));
    night.types("all of it was received, replay is paused", "replay is paused");
    night.keys("\r");
    night.press_until("y", |screen| screen.contains("overrid") && !screen.contains("esc back"));
    night.keys("p");
    night.sees("CONFIRM: Promote the standby");
    night.promote();

    let overridden = night.facts().into_iter().find_map(|fact| match fact {
        Fact::GuardOverridden { reason, losses, .. } => Some((reason, losses)),
        _ => None,
    });
    let (reason, losses) = overridden.unwrap();
    assert!(reason.contains("replay is paused"));
    assert!(!losses.is_empty(), "the override names the loss");
    assert_eq!(lost(&night.pair, &rows).len(), 0, "what was received is replayed by the promotion");
    night.end();
}
