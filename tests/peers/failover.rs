//! An operator's night: a real primary dies, and the standby is promoted through the console, by keys only.

use crate::home::Home;
use crate::operator::Operator;
use crate::postgres::{Load, PATIENCE, Pair, Row, wait_until};
use lifeboat::core::words::fact::Fact;
use std::net::TcpListener;

/// A plan over a real pair, an engine, and a console at 80x24.
pub struct Night {
    pub home: Home,
    pub pair: Pair,
    pub operator: Operator,
    /// Something outside that answers, so that the console knows that it can see.
    _reference: TcpListener,
}

impl Night {
    pub fn begin() -> Self {
        Self::begin_with(Pair::start(), |plan| plan)
    }

    /// With changes to the plan.
    pub fn begin_with(pair: Pair, change: impl FnOnce(String) -> String) -> Self {
        let reference = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = Home::new("plan.toml");
        let plan = change(include_str!("plan.toml").to_owned())
            .replace("@primary", &pair.primary.dsn())
            .replace("@standby", &pair.standby.dsn())
            .replace("@reference", &reference.local_addr().unwrap().to_string());
        std::fs::write(home.plan(), plan).unwrap();
        let operator = Operator { console: home.open(&[]), patience: PATIENCE };
        let night = Self { home, pair, operator, _reference: reference };
        night.operator.waits_for("everything is well", |screen| screen.contains("every service works"));
        night
    }

    pub(crate) fn keys(&mut self, keys: &str) {
        self.operator.press(keys);
    }

    pub(crate) fn sees(&self, text: &str) {
        self.operator.sees(text);
    }

    /// From the first alarm to the open runbook.
    pub fn decide(&mut self) {
        self.operator.declares();
        self.keys("2");
        self.sees("Is the primary completely down?");
        self.sees("SUGGESTED \"yes\"");
        self.operator.press_until("y", |screen| screen.contains("Begin it?"));
        self.operator.press_until("y", |screen| screen.contains("POINT OF NO RETURN"));
    }

    /// The dead primary cannot be fenced: the step fails, and a person says what was done instead.
    pub fn fence_by_hand(&mut self) {
        self.sees("Stop writes on the old primary\" is ready");
        self.operator.opens("CONFIRM: Stop writes");
        // What the gate keeps out is the reflex; a person reads first.
        self.operator.press_until("y", |screen| screen.contains("FAILED"));
        self.keys("a");
        self.sees("What was done, and how it was checked");
        let how = "the process was killed, its port is closed";
        self.operator.types_into("What was done", how, "its port is closed");
        self.keys("\r");
        self.sees("done?");
        self.operator.console.gives_word("done");
        self.sees("attested");
    }

    /// Opens the promotion's confirmation and returns what it says.
    pub fn open_promotion(&mut self) -> String {
        // Ready, or held by a guard.
        self.sees("Step 2 \"Promote the standby\" is");
        // NEXT names it, and the key acts on what NEXT names.
        self.operator.opens("CONFIRM: Promote the standby");
        // A frame may come in pieces: its last row closes it.
        self.operator.waits_for("the whole confirmation", |screen| {
            screen.contains("CONFIRM: Promote the standby")
                && screen.lines().any(|line| line.starts_with('└'))
        })
    }

    /// Closes the confirmation that a guard blocks, overrides the guard, and opens the new one.
    pub fn override_guard(&mut self, reason: &str) {
        // What is typed in the moment in which a dialog opens is thrown away: whoever still sees it presses again.
        self.operator.press_until("\x1b", |screen| !screen.contains("CONFIRM"));
        // O within a second of Esc may be the rest of a sequence.
        self.operator.console.decide("O");
        self.operator.waits_for("the override names the loss", |screen| {
            screen.contains("verrid") && screen.contains("Lost by it")
        });
        self.operator.press_until("\r", |screen| screen.contains("Reason"));
        self.operator.types_into("Reason", reason, &reason[reason.len() - 12..]);
        self.keys("\r");
        self.sees("Type it here");
        self.operator.console.gives_word("override");
        self.operator.waits_for("it is overridden", |screen| {
            screen.contains("overrid") && !screen.contains("esc back")
        });
        // The override makes a confirmation of its own; one that is asked for before it is there would be withdrawn.
        self.sees("waits for your confirmation");
        self.operator.opens("CONFIRM: Promote the standby");
    }

    /// Types the target's name and fires. What was prepared may be withdrawn while it is typed, because what it
    /// rests on has changed: it is opened again then.
    pub fn promote(&mut self) {
        let phrase = self.pair.standby.address();
        while !self.operator.screen().contains("matches") {
            let waits = |screen: &str| screen.contains("CONFIRM: Promote") || screen.contains("p opens");
            if !self
                .operator
                .waits_for("the confirmation, or the way to it", waits)
                .contains("CONFIRM: Promote")
            {
                // What was typed for the one that has gone was dropped; keys count again after a pause.
                self.operator.console.decide("p");
            }
            self.operator.types_phrase("CONFIRM: Promote", &phrase);
        }
        self.keys("\r");
        // Enter confirms nothing.
        self.sees("CONFIRM: Promote the standby");
        let started =
            |fact: &Fact| matches!(fact, Fact::StepStarted { step, .. } if step.as_str() == "promote");
        assert!(!self.home.facts().iter().any(started));
        let verified = |screen: &str| screen.contains("verified") && !screen.contains("CONFIRM");
        self.operator.confirms("CONFIRM: Promote", &phrase, verified);
    }
}

/// Rows that clients of the dead primary hold a commit for and that the new primary does not have.
pub fn lost(pair: &Pair, rows: &[Row]) -> Vec<Row> {
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
    let promotion =
        night.home.confirmations().into_iter().rev().find(|c| c.step.as_str() == "promote").unwrap();
    let loss = &promotion.losses[0];
    let span = loss.span.unwrap();
    assert!(shown.contains("YOU LOSE between"), "{shown}");
    let lost_span =
        gone.last().map_or(0.0, |last| last.acknowledged.duration_since(gone[0].acknowledged).as_secs_f64());
    assert!(span.as_secs_f64() >= lost_span, "{span:?} was shown, {lost_span} s are gone");
    let least = loss.span_min.unwrap().as_secs_f64();
    assert!(least <= lost_span, "at least {least} s were shown, {lost_span} s are gone");
    assert!(least < 2.0, "a streaming standby is not {least} s behind");
    assert_eq!(loss.bytes, None, "nobody saw how much it wrote in the end");
    assert!(
        loss.bytes_min.unwrap() < 2_000_000,
        "a streaming standby is not {:?} bytes behind",
        loss.bytes_min
    );
    night.home.end();
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
    assert!(shown.contains("YOU LOSE between"), "{shown}");
    night.promote();

    let gone = lost(&night.pair, &rows);
    assert!(gone.len() >= 250, "only {} rows are gone", gone.len());
    let last = gone.last().unwrap().acknowledged;
    let lost_s = last.duration_since(gone[0].acknowledged).as_secs_f64();
    let promotion =
        night.home.confirmations().into_iter().rev().find(|c| c.step.as_str() == "promote").unwrap();
    let loss = &promotion.losses[0];
    let (least_s, span_s) = (loss.span_min.unwrap().as_secs_f64(), loss.span.unwrap().as_secs_f64());
    assert!(
        (least_s..=span_s).contains(&lost_s),
        "{least_s} s to {span_s} s were shown, {lost_s} s are gone"
    );
    assert!(least_s > lost_s - 4.0, "{least_s} s were certain, {lost_s} s are gone");
    let row_bytes = 1_000.0;
    let lost_bytes = gone.len() as f64 * row_bytes;
    let least = loss.bytes_min.unwrap() as f64;
    assert!(
        loss.bytes.is_none() && least > 0.0 && least <= lost_bytes * 3.0,
        "{least} bytes were certain, {lost_bytes} are gone"
    );
    night.home.end();
}

#[test]
fn a_standby_that_does_not_replay_is_refused_until_the_loss_is_named() {
    let mut night = Night::begin();
    let load = Load::start(&night.pair.primary, 50);
    wait_until("there are rows", || load.acknowledged().len() > 50);
    night.pair.standby.pause_replay();
    night
        .operator
        .waits_for("the lag shows", |screen| screen.contains("✘ critical") || screen.contains("▲ warn"));
    let behind = "select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > 200000";
    night.pair.standby.wait_for(behind);
    let rows = load.stop();
    let end = night.pair.primary.sql("select pg_current_wal_lsn()");
    night.pair.standby.wait_for(&format!("select pg_last_wal_receive_lsn() >= '{}'", end.trim()));
    night.pair.primary.kill();

    night.decide();
    night.fence_by_hand();
    let shown = night.open_promotion();
    assert!(shown.contains("DOES NOT HOLD"), "{shown}");
    night.override_guard("all of it was received, replay is paused");
    night.promote();

    let overridden = night.home.facts().into_iter().find_map(|fact| match fact {
        Fact::GuardOverridden { reason, losses, .. } => Some((reason, losses)),
        _ => None,
    });
    let (reason, losses) = overridden.unwrap();
    assert!(reason.contains("replay is paused"));
    assert!(!losses.is_empty(), "the override names the loss");
    assert_eq!(lost(&night.pair, &rows).len(), 0, "what was received is replayed by the promotion");
    night.home.end();
}
