//! The primary is cut off and lives: nobody sees it, and it goes on acknowledging commits.

use crate::failover::{Night, lost};
use crate::forward::Forwarder;
use crate::postgres::{Load, Pair, wait_until};
use lifeboat::core::ask::contradiction::Kind;
use lifeboat::core::words::fact::Fact;
use std::time::{Duration, Instant};

/// What the guard of the promotion allows; the objective is a minute, for which nobody wants to wait in a test.
const ALLOWED: Duration = Duration::from_secs(12);
/// What one probe takes to see it, with its looks, deadlines and failures in a row, and as much again for a busy machine.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn what_a_cut_off_primary_goes_on_to_acknowledge_lies_within_the_range_on_the_screen() {
    let pair = Pair::start();
    let (ours, its) = (Forwarder::to(pair.primary.port), Forwarder::to(pair.primary.port));
    pair.standby
        .sql(&format!("alter system set primary_conninfo = 'host=127.0.0.1 port={} user=repl'", its.port));
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for(&format!(
        "select exists (select from pg_stat_wal_receiver where status = 'streaming' and sender_port = {})",
        its.port
    ));
    let dsn = pair.primary.dsn().replace(&pair.primary.port.to_string(), &ours.port.to_string());
    let mut night = Night::begin_with(pair, |plan| {
        let guard = format!("guard = [\"signals['dr-lag'].fields.exposure_s < {}.0\", ", ALLOWED.as_secs());
        plan.replace("@primary", &dsn).replacen("guard = [", &guard, 1)
    });
    let load = Load::start(&night.pair.primary, 50);
    wait_until("there are rows", || load.acknowledged().len() > 50);
    night.pair.wait_received();
    ours.go_silent();
    its.go_silent();
    let cut = load.acknowledged().last().unwrap().acknowledged;

    night.decide();
    night.operator.waits_for("a range that is not well", |screen| {
        let line = screen.lines().find(|line| line.contains(" RPO ")).unwrap_or_default();
        let rpo = line.split(" RPO ").nth(1).unwrap_or_default();
        rpo.contains(" to ") && !rpo.contains('✓')
    });
    // It serves and acknowledges all the while, for longer than the guard allows.
    wait_until("much was acknowledged", || {
        let acknowledged = load.acknowledged().last().unwrap().acknowledged;
        acknowledged.duration_since(cut) > ALLOWED + Duration::from_secs(3)
    });
    night.pair.primary.kill();
    let rows = load.stop();
    night.fence_by_hand();

    let shown = night.open_promotion();
    assert!(shown.contains("YOU LOSE between") && shown.contains("DOES NOT HOLD"), "{shown}");
    let loss = |night: &Night| {
        let confirmations = night.home.confirmations();
        confirmations.into_iter().rev().find(|c| c.step.as_str() == "promote").unwrap().losses[0].clone()
    };
    let at_first = loss(&night);
    let shown_at = Instant::now();
    std::thread::sleep(Duration::from_secs(3));
    night.override_guard("the primary was powered off, the rest is lost");
    let at_last = loss(&night);
    assert!(at_last.grows_from.is_none());
    let (first, last) = (at_first.span.unwrap().as_secs_f64(), at_last.span.unwrap().as_secs_f64());
    // Each look dates it anew, by as much as the look took; what grows with the clock grows by all of the time.
    let passed = shown_at.elapsed().as_secs_f64();
    assert!(
        last < first + passed / 2.0,
        "it grew from {first} s to {last} s in {passed} s although the primary is fenced"
    );
    night.promote();

    let gone = lost(&night.pair, &rows);
    let gone_s = gone.last().unwrap().acknowledged.duration_since(gone[0].acknowledged).as_secs_f64();
    assert!(gone_s > ALLOWED.as_secs_f64(), "only {gone_s} s are gone: it was not cut off");
    let least = at_last.span_min.unwrap().as_secs_f64();
    assert!((least..=last).contains(&gone_s), "{least} s to {last} s were shown, {gone_s} s are gone");
    night.home.end();
}

/// Every look of the one probe, and its deadline, is longer than the other's.
#[test]
fn a_cut_off_primary_that_two_probes_watch_is_a_p0_as_soon_as_with_one() {
    let pair = Pair::start();
    let ours = Forwarder::to(pair.primary.port);
    let dsn = pair.primary.dsn().replace(&pair.primary.port.to_string(), &ours.port.to_string());
    let night = Night::begin_with(pair, |plan| {
        let looks = |every: &str, timeout: &str| {
            format!("primary = \"@primary\"\nevery = \"{every}\"\ntimeout = \"{timeout}\"")
        };
        let slow = plan.replace(&looks("1s", "900ms"), &looks("10s", "10s"));
        assert_ne!(slow, plan);
        slow.replace("@primary", &dsn)
    });
    ours.go_silent();
    let cut = Instant::now();
    night.operator.waits_for("a P0", |screen| screen.contains("P0"));
    let took = cut.elapsed();
    assert!(took < SOON, "it came after {took:?}");
    night.home.end();
}

/// Only lifeboat's line to it is cut: what it commits goes on to the standby.
struct Cut {
    night: Night,
    load: Load,
    _ours: Forwarder,
}

/// A person says then that it is fenced, and it is not.
fn cut_off_and_said_to_be_fenced(pair: Pair) -> Cut {
    // It is found out once commits go on for longer than a round of upkeep takes.
    for server in [&pair.primary, &pair.standby] {
        server.sql("alter system set autovacuum_naptime = '5s'");
        server.sql("select pg_reload_conf()");
    }
    let ours = Forwarder::to(pair.primary.port);
    let dsn = pair.primary.dsn().replace(&pair.primary.port.to_string(), &ours.port.to_string());
    let mut night = Night::begin_with(pair, |plan| plan.replace("@primary", &dsn));
    let load = Load::start(&night.pair.primary, 20);
    night.pair.wait_replayed();
    ours.go_silent();
    night.decide();
    night.fence_by_hand();
    Cut { night, load, _ours: ours }
}

impl Cut {
    fn is_broken(&self) -> bool {
        let is_it = |fact: &Fact| matches!(fact, Fact::ContradictionFound { contradiction } if contradiction.kind == Kind::FencedWrites);
        self.night.home.facts().iter().any(is_it)
    }

    fn ends_found_out(self) {
        wait_until("the word is found to be wrong", || self.is_broken());
        self.night.sees("and it takes writes;");
        assert!(self.load.stop().len() > 50);
        self.night.home.end();
    }
}

/// Its commits have times of ten minutes later.
#[test]
fn a_word_of_a_fence_is_broken_by_the_commits_of_a_primary_whose_clock_is_ahead() {
    let pair = Pair::start();
    pair.primary.stop();
    pair.primary.start_with_clock_ahead(600);
    pair.standby.wait_for("select exists (select from pg_stat_wal_receiver where status = 'streaming')");
    cut_off_and_said_to_be_fenced(pair).ends_found_out();
}

/// The plan and the standby have other addresses of it, so that only an engine that saw it can know that it is one server.
#[test]
fn a_word_of_a_fence_is_broken_by_an_engine_that_has_never_seen_the_primary() {
    let mut cut = cut_off_and_said_to_be_fenced(Pair::start());
    assert!(!cut.is_broken());
    cut.night.home.end();
    cut.night.operator.console = cut.night.home.open(&[]);
    cut.night.sees("attested");
    cut.ends_found_out();
}
