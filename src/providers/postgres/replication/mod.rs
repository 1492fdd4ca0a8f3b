//! `postgres-replication`: how far a standby is behind, and what is lost if it is promoted now.

mod exposure;
mod history;
mod judge;
mod look;
mod memory;
mod progress;
mod synchronous;

use crate::base::moment::Moment;
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::postgres::source::{Database, DatabaseError};
use futures::future::BoxFuture;
use judge::{SETTLES, down, is_unsettled, judge};
use look::{OLDEST_QUERY, PRIMARY_QUERY, Primary, PrimaryLook, STANDBY_QUERY, Standby};
use memory::Memory;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "postgres-replication",
    sees: Sees::Standby,
    doc: "Reads a streaming standby (PostgreSQL 12 or newer; the role needs `pg_monitor`) and, where `primary` is \
          given, the primary as well. The value is how far the standby is behind: what would be lost, or not yet \
          be visible, if it were promoted now. An idle primary is no lag, and neither is \
          a delay on purpose (`recovery_min_apply_delay`), which `replay_lag_s` has. While nothing streams there is no value \
          and the signal is critical: read `exposure_s` and `replay_lag_s` then, which stay \
          known. WAL that was received and not replayed is not lost: a promotion replays it first, even while \
          replay is paused. Once the primary cannot be seen, the exposure is a range: from what is certainly missing \
          (`exposure_min_s`, if it died when it was last seen) up to what it may have accepted since (`exposure_s`), \
          which grows until a step that `fences` it is verified or attested. A standby that is fed by `restore_command` \
          is measured by what it replayed: by position with `primary`, else by the age of the last commit. Where it is \
          to stream as well, that it does not is a warning.",
    unit: Unit::Seconds,
    keys: &[
        Key::required("dsn", Takes::ConnectionString, "Connection string of the standby."),
        Key::optional(
            "primary",
            Takes::ConnectionString,
            "Connection string of the primary. When the roles change sides the probe turns round with them, and tells \
             how far this one is behind. Without it a loss can only be told from what the standby last heard from its \
             sender, and grows while that is silent. For a standby of a standby it has to be given: the server in \
             between goes on speaking when the primary is dead.",
        ),
    ],
    fields: &[
        ("receive_lsn", "the end of the WAL that the standby received"),
        ("replay_lsn", "the end of the WAL that its queries see"),
        (
            "at_end_of_wal",
            "the standby receives WAL or waits for some; else it may have more than these positions tell, which it has not \
             replayed since it restarted",
        ),
        ("receive_lag_bytes", "WAL of the primary that the standby does not have, as last heard"),
        ("replay_lag_bytes", "WAL received and not yet replayed"),
        ("replay_lag_s", "how far replay is behind; behind the last contact when nothing streams"),
        ("receiver_state", "`streaming`, another state of the WAL receiver, or `not running`"),
        ("receiver_silent_s", "time since the last message from the primary"),
        ("slot", "the replication slot in use"),
        ("sender", "the server that the standby receives from, `host:port`"),
        (
            "sender_matched",
            "whether that is known to be the primary; told while something streams, and that it is not only while the primary \
             is out of sight. Then commits that arrive break no word of a fence, and such a word closes no loss",
        ),
        (
            "known_sender",
            "the server that it received from last and that is the primary; told while nothing streams",
        ),
        (
            "sender_commits_s",
            "where it is not, the time since the last moment after which that server surely went on to send what is new, as \
             `primary_commits_s` is of the primary: counted where an engine before knew that it is the primary",
        ),
        ("sender_transactions_s", "the same by commits alone, as `primary_transactions_s`"),
        ("timeline", "the timeline that the standby follows"),
        ("system_identifier", "identifies the cluster"),
        (
            "started_at",
            "when the standby started, which tells it apart from others: a promotion of another one says that its loss is not \
             known",
        ),
        (
            "reversed",
            "the roles changed sides: what is measured is how far the server of `primary` is behind that of `dsn`",
        ),
        ("in_recovery", "false when it is not a standby any more"),
        ("replay_paused", "somebody paused replay"),
        ("primary_reachable", "whether the primary answered this probe"),
        ("primary_lsn", "the durable end of the primary's WAL"),
        ("primary_timeline", "the timeline that the primary writes"),
        ("primary_senders", "how many standbys and backups the primary sends to"),
        ("unreplicated_bytes", "WAL that the primary has and the standby does not, both seen now"),
        (
            "primary_read_only",
            "new transactions on the primary are read-only by default; not known where the role sets that for itself",
        ),
        ("primary_heard_s", "time since the primary was last seen or heard"),
        ("primary_writable_s", "time since the primary was last seen to accept writes"),
        (
            "primary_commits_s",
            "time since the last moment after which the primary surely went on to write (commits for longer than a round \
             of autovacuum takes, its `autovacuum_naptime` and 15 s, without a pause of over 10 s or two looks; or a MiB of \
             WAL that nobody replays), by what reached the standby and whatever the clocks say; told where the standby is \
             known to receive from the primary itself",
        ),
        (
            "primary_transactions_s",
            "the same by commits alone that go on for 5 min: upkeep of large tables writes much, and takes long",
        ),
        (
            "slot_status",
            "`wal_status` of that slot on the primary: `reserved`, `extended`, `unreserved`, `lost`",
        ),
        ("synchronous_standby_names", "for which standbys the primary's commits wait, where they do"),
        ("exposure_s", "commits of at most so many last seconds are lost if it is promoted now"),
        ("exposure_bytes", "WAL that is lost at most; not known while the primary is out of sight"),
        ("exposure_min_s", "commits of at least so many seconds, if the primary died when it was last seen"),
        ("exposure_min_bytes", "WAL that is certainly lost"),
        ("exposure_basis", "what the exposure rests on: measured, or estimated from what"),
    ],
    permissions: &[],
    example: r#"[probes.example]
kind = "postgres-replication"
title = "Replication to the DR region"
region = "dr"
dsn = { secret = "dr-db" }
primary = { secret = "primary-db" }
every = "5s"
timeout = "4s"
warn = "30s"
critical = "60s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let primary = spec.params.get("primary").map(|_| Database::of(&spec.params, "primary", clients));
    Ok(Box::new(Replication {
        standby: Database::of(&spec.params, "dsn", clients)?,
        primary: primary.transpose()?,
        within: deadline(spec),
        memory: Mutex::default(),
        turned: AtomicBool::new(false),
    }))
}

struct Replication {
    standby: Database,
    primary: Option<Database>,
    within: Duration,
    memory: Mutex<Memory>,
    /// The roles changed sides: what the plan calls the primary follows what it calls the standby.
    turned: AtomicBool,
}

impl Probe for Replication {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let began = Instant::now();
            let is_first = self.memory().history.newest().is_none();
            let measured = self.measure(began).await?;
            let left = self.within.saturating_sub(began.elapsed());
            if is_first && is_unsettled(&measured) && left > SETTLES {
                tokio::time::sleep(SETTLES / 2).await;
                return self.measure(began).await;
            }
            Ok(measured)
        })
    }
}

/// Both were read, and each is what the other should be.
fn is_turned(standby: &Result<Standby, DatabaseError>, primary: &PrimaryLook) -> bool {
    let (Ok(standby), PrimaryLook::Seen(primary)) = (standby, primary) else { return false };
    !standby.in_recovery && primary.in_recovery && standby.system == primary.system
}

impl Replication {
    /// One look at both servers, in what is left of the time since `began`.
    async fn measure(&self, began: Instant) -> Result<Measurement, Problem> {
        let left = || self.within.saturating_sub(began.elapsed());
        // Together: a primary that does not answer must not cost the look at the standby its time.
        let (mut standby, mut primary, mut address) = tokio::join!(
            self.look_at_standby(left()),
            self.look_at_primary(left()),
            self.primary_address(left())
        );
        if is_turned(&standby, &primary) {
            self.turned.fetch_xor(true, Ordering::Relaxed);
            *self.memory() = Memory::default();
            (standby, primary, address) = tokio::join!(
                self.look_at_standby(left()),
                self.look_at_primary(left()),
                self.primary_address(left())
            );
        }
        let turned = self.turned.load(Ordering::Relaxed);
        if let (Ok(standby), PrimaryLook::Seen(primary)) = (&standby, &mut primary)
            && !standby.streams()
        {
            primary.oldest = self.oldest(left()).await;
        }
        let mut memory = self.memory();
        memory.learn_address(address);
        let standby = match standby {
            Ok(standby) => standby,
            Err(error) if error.is_down() => {
                return Ok(down(&mut memory, &error.to_string(), Moment::now(), &primary));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(judge(&mut memory, &standby, &primary)?.with_flag("reversed", turned))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server that should follow, and the one that it should follow, as the roles are.
    fn ends(&self) -> (&Database, Option<&Database>) {
        match (&self.primary, self.turned.load(Ordering::Relaxed)) {
            (Some(primary), true) => (primary, Some(&self.standby)),
            (primary, _) => (&self.standby, primary.as_ref()),
        }
    }

    async fn look_at_standby(&self, within: Duration) -> Result<Standby, DatabaseError> {
        let row = self.ends().0.row(STANDBY_QUERY, within).await?;
        Standby::of(&row, Moment::now())
    }

    /// Where the plan finds the primary, `host:port`.
    async fn primary_address(&self, within: Duration) -> Option<String> {
        Some(self.ends().1?.name(within).await)
    }

    /// Where the primary's oldest WAL begins; none where that cannot be had in time, or not by this role.
    async fn oldest(&self, within: Duration) -> Option<u64> {
        let row = self.ends().1?.row(OLDEST_QUERY, within / 2).await.ok()?;
        look::oldest(&row).ok().flatten()
    }

    async fn look_at_primary(&self, within: Duration) -> PrimaryLook {
        let Some(primary) = self.ends().1 else { return PrimaryLook::NotAsked };
        let began = Moment::now();
        let seen = match primary.row(PRIMARY_QUERY, within).await {
            Ok(row) => Primary::of(&row, Moment::now()),
            Err(error) => Err(error),
        };
        match seen {
            Ok(primary) => PrimaryLook::Seen(primary),
            Err(error) if error.is_down() => PrimaryLook::Unreachable(error.to_string(), began),
            Err(error) => PrimaryLook::Unreadable(error.to_string()),
        }
    }
}
