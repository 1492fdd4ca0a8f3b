//! `postgres-promote`: makes a standby the primary, and proves it by a write.

use crate::base::problem::Problem;
use crate::core::ask::watch::Found;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::postgres::client::{PostgresErrorKind, ReadOnly};
use crate::providers::postgres::manager;
use crate::providers::postgres::manager::{Meddling, is_ignored};
use crate::providers::postgres::seen::Seen;
use crate::providers::postgres::server::{
    LOOK, Server, found, hidden, same_process, several, unreachable, unread,
};
use crate::providers::postgres::source::{Database, Session, dsn_words};
use jiff::SignedDuration;
use regex::Regex;
use std::time::Duration;

/// How long the proof by a write may take.
const WRITE: Duration = Duration::from_secs(10);

const DEFAULT_WAIT_S: i64 = 60;
/// Three loops of a manager with Patroni's defaults.
const DEFAULT_HOLD: SignedDuration = SignedDuration::from_secs(30);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "postgres-promote",
    does: Does::Promotes,
    simulated_target: "PostgreSQL server",
    sets: &[],
    doc: "Promotes a standby with `pg_promote()` (PostgreSQL 12 or newer). It refuses a server that is already a \
          primary, and one whose identity changed since it was confirmed: another cluster, server or process, or less \
          WAL than it held. WAL that was received is replayed \
          first, also while replay is paused. The proof: the server is out of recovery, on a higher timeline, of \
          the same cluster, takes writes by default, commits and reads back a row in `verify_table`, and stays so for `hold`. A server \
          that a manager runs (Patroni, repmgr, a cloud provider) is refused: the manager would undo it, and \
          what was written in between would be lost. The role needs `execute` on `pg_promote(boolean, integer)`, \
          `pg_monitor` to see who manages the server, and may create the table.",
    keys: &[
        Key::required("dsn", Takes::ConnectionString, "Connection string of the standby."),
        Key::default("wait", Takes::Duration, "60s", "How long `pg_promote` waits for the promotion to end."),
        Key::default("verify_write", Takes::Flag, "true", "Prove it by a committed row as well."),
        Key::default(
            "verify_table",
            Takes::Text,
            "lifeboat.write_proof",
            "Schema and table of that row; made when it is not there. Another table needs a text column `token` \
             and a column `id` with a default.",
        ),
        Key::optional("data_directory", Takes::Text, "The server's data directory, for the manual card."),
        Key::default(
            "hold",
            Takes::Duration,
            "30s",
            "How long role, timeline and writability have to stay so before the step counts as verified: a manager that \
             nobody saw takes a promotion back at its next look, 10 s later by Patroni's default. `0s` does without.",
        ),
        manager::KEY,
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "promote"
title = "Promote the DR database"
action = "postgres-promote"
with.dsn = { secret = "dr-db-admin" }
with.wait = "60s"
with.hold = "30s"
with.data_directory = "/var/lib/postgresql/15/main"
guard = ["signals['dr-lag'].fields.exposure_s < 60.0"]
confirm = "type"
irreversible = true
estimate = "1m"
timeout = "3m"
"#,
    call: |params| format!("{} on {}", call(wait_s(params)), dsn_words(params, "dsn")),
};

fn wait_s(params: &Params) -> i64 {
    params.duration("wait").map_or(DEFAULT_WAIT_S, |wait| wait.as_secs().clamp(1, 86_400))
}

fn call(wait_s: i64) -> String {
    format!("select pg_catalog.pg_promote(true, {wait_s})")
}

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let table = params.text("verify_table").unwrap_or("lifeboat.write_proof");
    // It becomes part of a statement.
    let name = Regex::new(r"\A([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)\z").ok();
    let Some(parts) = name.as_ref().and_then(|name| name.captures(table)) else {
        return Err(BuildError::Value {
            key: "verify_table".into(),
            value: table.to_owned(),
            why: "it takes schema and table in lower case (`lifeboat.write_proof`)".into(),
        });
    };
    Ok(Box::new(Changing(Promote {
        database: Database::of(params, "dsn", clients)?,
        wait_s: wait_s(params),
        write_to: params
            .get("verify_write")
            .is_none_or(|_| params.flag("verify_write"))
            .then(|| (parts[1].to_owned(), parts[2].to_owned())),
        words: dsn_words(params, "dsn"),
        folder: params.text("data_directory").unwrap_or("DATA_DIRECTORY").to_owned(),
        ignores_manager: is_ignored(params),
        hold: params.duration("hold").unwrap_or(DEFAULT_HOLD).max(SignedDuration::ZERO),
    })))
}

struct Promote {
    database: Database,
    wait_s: i64,
    write_to: Option<(String, String)>,
    words: String,
    folder: String,
    ignores_manager: bool,
    hold: SignedDuration,
}

impl Change for Promote {
    type Seen = Seen;

    const LOOK: Option<Duration> = None;

    fn what(&self, name: &str) -> String {
        format!("pg_promote on {name}")
    }

    async fn unseen(&self) -> Target {
        unreachable(self.database.name(LOOK).await)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        Ok(Seen::read(&self.database, Meddling::Promotes, self.ignores_manager).await?)
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        Shown {
            call: call(self.wait_s),
            command: format!("pg_ctl promote -D {}", self.folder),
            notes: seen.map(notes).unwrap_or_default(),
            ..Shown::default()
        }
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        vec![format!("It cannot be read: {}", unread.why())]
    }

    fn refuses_first(&self, Seen { server, .. }: &Seen, expected: &Target) -> Option<Problem> {
        (!server.in_recovery && !server.is_another(expected)).then(|| {
            Problem::new(
                format!(
                    "it is already a primary, on timeline {}: pg_promote was not called",
                    server.timeline
                ),
                "Find out who promoted it, and whether the old primary is fenced. Then attest the step.",
            )
        })
    }

    fn forbids(&self, seen: &Seen) -> Option<Problem> {
        seen.forbidden.clone()
    }

    fn same(&self, expected: &Target, _: &Target, seen: &Seen) -> Result<(), Failure> {
        seen.same(expected)
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen: Seen { server, .. }, expected, what, .. } = confirmed;
        (context.output)(&call(self.wait_s));
        let wait = u64::try_from(self.wait_s).unwrap_or_default();
        let within = Duration::from_secs(wait.saturating_add(5)).min(context.timeout.unsigned_abs());
        let promoted = server.session.row(&call(self.wait_s), within).await;
        let promoted = promoted.and_then(|row| Ok(row.try_get::<_, bool>(0)?));
        match promoted {
            Ok(true) => Ok(Done { summary: format!("{} is promoted", expected.name) }),
            Ok(false) => Err(Failure::maybe_done(
                what,
                format!("the promotion did not end within {} s and goes on", self.wait_s),
                "Watch the server's log, and verify the step until it is out of recovery. Do not promote again.",
            )),
            Err(error) if error.may_have_acted() => Err(Failure::maybe_done(
                what,
                error.to_string(),
                "It is not known whether the promotion began. Verify the step; do not promote again before that.",
            )),
            Err(error) => Err(unread(what, &error)),
        }
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = format!("promotion of {}", expected.name);
        let server = Server::look(&self.database).await.map_err(|error| unread(what.clone(), &error))?;
        same_process(expected, &server)?;
        let not_yet = |why: &str, next: &str| Failure::not_done(what.clone(), why, next);
        if server.in_recovery {
            return Err(not_yet(
                "it is still in recovery",
                "Look at its log: it replays what it received first.",
            ));
        }
        let before = expected.property("timeline").and_then(|timeline| timeline.parse::<u32>().ok());
        if expected.property("role") != Some("standby") {
            return Err(not_yet(
                "it was not seen as a standby when the step was confirmed: that it is a primary proves no promotion",
                "Find out which server this is and who promoted it, then attest the step.",
            ));
        }
        if before.is_some_and(|before| server.timeline <= before) {
            let why = format!("it writes timeline {}, which is not above the one before", server.timeline);
            return Err(not_yet(
                &why,
                "This is not the result of a promotion: find out which server answers.",
            ));
        }
        if let Some(why) = server.read_only.hidden() {
            let why = format!("whether applications can write is not known: {why}");
            return Err(not_yet(&why, ReadOnly::NEXT));
        }
        if !server.read_only.may_write() {
            return Err(not_yet(
                "default_transaction_read_only is on: applications cannot write",
                "`psql -c \"alter system reset default_transaction_read_only\" -c \"select pg_reload_conf()\"`, then verify again.",
            ));
        }
        let before = before.map_or(String::new(), |before| format!(", before {before}"));
        let mut evidence = vec![
            "pg_is_in_recovery() is false".to_owned(),
            format!("timeline is {}{before}", server.timeline),
            format!("system identifier is {}", server.system),
            "default_transaction_read_only is off".to_owned(),
        ];
        if let Some((schema, table)) = &self.write_to {
            evidence.push(Self::write(&server.session, schema, table, &what, &context.token).await?);
        }
        Ok(Proof { evidence })
    }

    fn hold(&self) -> SignedDuration {
        self.hold
    }

    async fn found(&self, expected: &Target) -> Option<Found> {
        Some(found(&self.database, expected).await)
    }

    async fn checks(&self) -> Vec<Check> {
        // That it cannot be read is said of the target.
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let server = &seen.server;
        let role = match server.in_recovery {
            true => Check::pass(crate::kinds::action::ALREADY_PRIMARY.0, "it is a standby"),
            false => {
                let (what, seen) = crate::kinds::action::ALREADY_PRIMARY;
                Check::fail(what, seen, "Name the standby in the plan.")
            }
        };
        let right = match server.may_promote {
            true => Check::pass("right", "it may call pg_promote()"),
            false => Check::fail(
                "right",
                "the role may not call pg_promote()",
                "grant execute on function pg_promote(boolean, integer) to it.",
            ),
        };
        let mut checks = vec![role, right];
        let unwritable = server.unwritable().into_iter();
        checks.extend(unwritable.map(|(what, why, next)| match what {
            "writes" => Check::fail(what, why, next),
            _ => Check::warn(what, why, next),
        }));
        checks.extend(several(&self.database.name(LOOK).await));
        // A manager that is not ignored is said of the target, which it refuses.
        if seen.forbidden.is_none() {
            checks.push(seen.management.check(Meddling::Promotes));
        }
        checks.extend(hidden(server));
        checks
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![
                "where a manager (Patroni, repmgr, an operator, a cloud) runs the server: by the manager's own command, \
                 never as below; it would undo that"
                    .into(),
                format!("on {}, as a superuser: psql -c \"{}\"", self.words, call(self.wait_s)),
                format!("or on its host, as the user postgres: pg_ctl promote -D {}", self.folder),
            ],
            check: "`select pg_is_in_recovery()` is false, and a row can be committed and read back.".into(),
        }
    }
}

fn notes(seen: &Seen) -> Vec<String> {
    let server = &seen.server;
    let mut notes = seen.management.notes(Meddling::Promotes);
    if !server.in_recovery {
        notes.push("It is already a primary: this step will refuse.".into());
    } else {
        let unwritable = server.unwritable().into_iter();
        notes.extend(unwritable.map(|(_, why, next)| format!("{why}. {next}")));
        notes.extend(server.position_notes());
        if !server.may_promote {
            notes.push("This role may not call pg_promote(): grant it first.".into());
        }
    }
    notes
}

impl Promote {
    /// Commits a row and reads it back in a transaction of its own.
    async fn write(
        session: &Session,
        schema: &str,
        table: &str,
        what: &str,
        token: &str,
    ) -> Result<String, Failure> {
        let failed = |error: crate::providers::postgres::source::DatabaseError| {
            let next = if error.kind() == Some(PostgresErrorKind::Timeout) {
                "A commit that hangs mostly waits for a synchronous standby that is gone: look at \
                 `show synchronous_standby_names`, `alter system reset` it and reload, then verify again."
                    .to_owned()
            } else {
                error.next_step()
            };
            Failure::not_done(what, format!("no row could be committed: {error}"), next)
        };
        let name = format!("{schema}.{table}");
        // Checked first: `create … if not exists` wants the right to create even where there is nothing to do.
        let there = session.row_with("select pg_catalog.to_regclass($1) is not null", &[&name], WRITE).await;
        if !there.and_then(|row| Ok(row.try_get::<_, bool>(0)?)).map_err(failed)? {
            let create = format!(
                "create schema if not exists {schema}; create table if not exists {name} (id bigint generated \
                 always as identity primary key, token text not null, at timestamptz not null default now())"
            );
            session.batch(&create, WRITE).await.map_err(failed)?;
        }
        let insert = format!("insert into {name} (token) values ($1) returning id::text");
        let inserted = session.row_with(&insert, &[&token], WRITE).await;
        let id = inserted.and_then(|row| Ok(row.try_get::<_, String>(0)?)).map_err(failed)?;
        let select = format!("select token from {name} where id::text = $1");
        let read = session.row_with(&select, &[&id], WRITE).await;
        let read = read.and_then(|row| Ok(row.try_get::<_, String>(0)?)).map_err(failed)?;
        if read != token {
            let next = "Look at triggers and rules of the table, or give another `verify_table`.";
            return Err(Failure::not_done(what, format!("the row in {name} does not read as written"), next));
        }
        Ok(format!("row {id} was committed to {name} and read back"))
    }
}
