//! `postgres-fence`: makes the old primary take no more writes, and proves it.

mod stop;

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
use crate::providers::postgres::server::{LOOK, Server, hidden, same_server, several, unreachable, unread};
use crate::providers::postgres::source::{Database, DatabaseError, Session, dsn_words};
use crate::providers::program::source::Program;
use crate::providers::program::step;
use jiff::SignedDuration;
use std::time::Duration;

const SET_READ_ONLY: &str = "alter system set default_transaction_read_only = on";
/// Two statements of their own: neither runs within a transaction with another.
const UNDO: &str =
    "psql -c \"alter system reset default_transaction_read_only\" -c \"select pg_reload_conf()\"";

/// Every session that could write, but not the senders of WAL: the standby still gets what is left.
const WRITERS: &str =
    "backend_type in ('client backend', 'logical replication worker') and pid <> pg_catalog.pg_backend_pid()";

/// Longer than a supervisor waits with a restart.
const DEFAULT_HOLD: SignedDuration = SignedDuration::from_secs(10);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "postgres-fence",
    does: Does::Fences,
    simulated_target: "PostgreSQL server",
    sets: &[],
    doc: "Stops writes on the old primary, so that no two primaries accept them. `read-only` sets \
          `default_transaction_read_only` for all new transactions and ends all client sessions; WAL senders stay, \
          so that the standby gets the rest. `stop` runs a program that stops the server, its host or its network, \
          also where the server does not answer. The proof is a write that is refused; after `stop` the \
          program's end and a port that refuses connections. A host that is only silent proves nothing: the step \
          is then unknown. With `read-only` a server that cannot be reached is not fenced, and the step says so; \
          a session can still ask for `read write` explicitly. A server that a manager runs is refused: the \
          manager would start it again, or let nobody write. The role needs to be a superuser for `read-only`, \
          and `pg_monitor` to see who manages the server.",
    keys: &[
        Key::required("dsn", Takes::ConnectionString, "Connection string of the old primary."),
        Key::default("method", Takes::Choice(&["read-only", "stop"]), "read-only", "How writes are stopped."),
        Key::optional(
            "argv",
            Takes::List(&Takes::Text),
            "With `stop`: program and arguments that stop the server.",
        ),
        Key::optional("env", Takes::Table(&Takes::TextOrSecret), "Environment variables of that program."),
        Key::optional(
            "pass_env",
            Takes::List(&Takes::Text),
            "Variables to pass on to it, besides PATH, HOME, LANG and the like.",
        ),
        Key::optional("folder", Takes::Text, "The folder to run it in."),
        Key::default(
            "hold",
            Takes::Duration,
            "10s",
            "With `stop`: how long the port has to go on refusing before the step counts as verified: what supervises \
             the server may start it again.",
        ),
        manager::KEY,
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "fence"
title = "Stop writes on the old primary"
action = "postgres-fence"
with.dsn = { secret = "primary-db-admin" }
with.method = "read-only"
confirm = "type"
estimate = "10s"
timeout = "1m"
"#,
    call: |params| {
        let server = dsn_words(params, "dsn");
        match params.text("method") {
            Some("stop") => {
                format!("stop {server}: {}", crate::providers::program::source::program_words(params, "argv"))
            }
            _ => format!("{SET_READ_ONLY}, and end all sessions, on {server}"),
        }
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let stop = match params.text("method") {
        Some("stop") => Some(Program::of(params, "argv")?),
        _ => None,
    };
    if let (None, Some(program)) = (&stop, params.texts("argv").first()) {
        return Err(BuildError::value("argv", program, "it is run with `method = \"stop\"` only"));
    }
    Ok(Box::new(Changing(Fence {
        database: Database::of(params, "dsn", clients)?,
        stop,
        clients: clients.clone(),
        words: dsn_words(params, "dsn"),
        ignores_manager: is_ignored(params),
        hold: params.duration("hold").unwrap_or(DEFAULT_HOLD).max(SignedDuration::ZERO),
    })))
}

struct Fence {
    database: Database,
    stop: Option<Program>,
    clients: Clients,
    words: String,
    ignores_manager: bool,
    hold: SignedDuration,
}

/// What a look shows; without an answer too it may be stopped.
enum Look {
    Answers(Seen),
    Silent(DatabaseError),
}

impl Change for Fence {
    type Seen = Look;

    const LOOK: Option<Duration> = None;

    fn what(&self, name: &str) -> String {
        what(name)
    }

    async fn unseen(&self) -> Target {
        unreachable(self.database.name(LOOK).await)
    }

    async fn read(&self) -> Result<(Target, Look), Unread> {
        let seen = Seen::read(&self.database, self.meddling(), self.ignores_manager);
        // At the same time: where its secret is not to be had, that takes no longer than once.
        let (seen, name) = tokio::join!(seen, self.database.name(LOOK));
        Ok(match seen {
            Ok((target, seen)) => (target, Look::Answers(seen)),
            Err(error) => (unreachable(name), Look::Silent(error)),
        })
    }

    fn show(&self, look: Option<&Look>) -> Shown {
        let (call, command) = match &self.stop {
            Some(program) => (program.words(), program.words()),
            None => {
                let terminate = format!(
                    "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where {WRITERS}"
                );
                let call = format!("{SET_READ_ONLY}; select pg_reload_conf(); {terminate}");
                let command =
                    format!("psql -c \"{SET_READ_ONLY}\" -c \"select pg_reload_conf()\" -c \"{terminate}\"");
                (call, command)
            }
        };
        let notes = match look {
            Some(Look::Answers(seen)) => {
                let mut notes = seen.management.notes(self.meddling());
                notes.extend(self.notes(&seen.server));
                notes
            }
            Some(Look::Silent(error)) => vec![self.unreachable_note(error)],
            None => Vec::new(),
        };
        Shown { call, command, notes, undo: self.undo(), ..Shown::default() }
    }

    fn refuses_first(&self, look: &Look, _: &Target) -> Option<Problem> {
        match look {
            Look::Silent(error) if !self.runs_blind(error) => Some(not_fenced(error)),
            _ => None,
        }
    }

    fn forbids(&self, look: &Look) -> Option<Problem> {
        match look {
            Look::Answers(seen) => seen.forbidden.clone(),
            Look::Silent(_) => None,
        }
    }

    /// What the program stops is what the plan says: of a server that does not answer nothing can be compared.
    fn same(&self, expected: &Target, _: &Target, look: &Look) -> Result<(), Failure> {
        match look {
            Look::Answers(seen) => seen.same(expected),
            Look::Silent(_) => Ok(()),
        }
    }

    fn refuses(&self, look: &Look, _: &Context) -> Option<Problem> {
        match look {
            Look::Answers(seen) if seen.server.in_recovery => Some(Problem::new(
                "it is a standby: it takes no writes, and is not the old primary",
                "Check the connection string in the plan; skip the step with a reason if this is as it should be.",
            )),
            _ => None,
        }
    }

    async fn send(&self, confirmed: Confirmed<'_, Look>, context: &Context) -> Result<Done, Failure> {
        let expected = confirmed.expected;
        if let Look::Silent(error) = &confirmed.seen {
            (context.output)(&format!("it does not answer, so the program runs: {error}"));
        }
        match (&self.stop, confirmed.seen) {
            (Some(program), _) => self.run_stop(program, expected, context).await,
            (None, Look::Answers(seen)) => set_read_only(&seen.server.session, expected, context).await,
            (None, Look::Silent(error)) => Err(not_fenced(&error).not_done(confirmed.what)),
        }
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        match &self.stop {
            Some(_) => self.prove_stopped(expected, context).await,
            None => self.prove_read_only(expected, context).await,
        }
    }

    async fn goes_on(&self, context: &Context) -> Option<Failure> {
        self.stop.as_ref()?;
        step::goes_on(what(&self.words), context).await
    }

    fn hold(&self) -> SignedDuration {
        if self.stop.is_some() { self.hold } else { SignedDuration::ZERO }
    }

    async fn found(&self, expected: &Target) -> Option<Found> {
        self.stop.as_ref()?;
        Some(self.found_stopped(expected).await)
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(program) = &self.stop {
            checks.push(program.exists(&self.clients.environment).await);
        }
        checks.extend(several(&self.database.name(LOOK).await));
        // That it cannot be read is said of the target.
        let Ok((_, Look::Answers(seen))) = self.read().await else { return checks };
        let server = &seen.server;
        // A manager that is not ignored is said of the target, which it refuses.
        if seen.forbidden.is_none() {
            checks.push(seen.management.check(self.meddling()));
        }
        let role = match server.in_recovery {
            false => Check::pass("role", "it is a primary"),
            true => {
                let (what, seen) = crate::kinds::action::STANDBY_NOW;
                Check::warn(what, seen, "Fence the primary: check the plan.")
            }
        };
        checks.push(role);
        if self.stop.is_some() {
            return checks;
        }
        let right = match server.superuser {
            true => Check::pass("right", "the role is a superuser"),
            false => Check::warn(
                "right",
                "the role is no superuser: alter system may be refused",
                "Use a superuser's connection string for this step, or grant what it needs.",
            ),
        };
        checks.push(right);
        checks.extend(hidden(server));
        checks
    }

    fn manual(&self) -> ManualCard {
        let server = &self.words;
        let fence = match &self.stop {
            Some(program) => program.words(),
            None => {
                format!(
                    "on {server}, as a superuser: psql -c \"{SET_READ_ONLY}\" -c \"select pg_reload_conf()\"; then end its sessions"
                )
            }
        };
        let undo = match &self.stop {
            Some(_) => {
                format!(
                    "to undo the fence later: start {server} again, only as a standby or as the only primary"
                )
            }
            None => format!(
                "to undo the fence later, only once it is a standby or the only primary, on {server}: {UNDO} \
                 (the action `postgres-unfence` does that)"
            ),
        };
        ManualCard {
            instructions: vec![
                "where a manager (Patroni, repmgr, an operator, a cloud) runs the server: by the manager's own command; \
                 it would undo what is done below"
                    .into(),
                fence,
                format!(
                    "where {server} cannot be reached: cut its network (security group, firewall) or stop its host from the provider's console"
                ),
                undo,
            ],
            check: format!(
                "A write to {server} is refused, or the server is off or cut off, seen there. That it takes no further connection \
                 is no proof: those that it has go on writing."
            ),
        }
    }
}

fn what(name: &str) -> String {
    format!("fencing {name}")
}

/// It could not be reached or read: never a success, even when nothing listens there now.
fn not_fenced(error: &DatabaseError) -> Problem {
    let why = match error.kind() {
        Some(PostgresErrorKind::Refused) => {
            format!("it is NOT fenced: {error}. It accepts writes as soon as it starts again")
        }
        _ => format!("it is NOT fenced: {error}. It may be accepting writes from others"),
    };
    Problem::new(
        why,
        "Fence it by other means: cut its network (security group, firewall), or stop its host from the provider's \
         console and keep it from starting. Then attest the step with what you did.",
    )
}

impl Fence {
    /// What takes the fence back. What starts a stopped server nobody but its administrator knows.
    fn undo(&self) -> Vec<String> {
        match &self.stop {
            Some(_) => Vec::new(),
            None => vec![format!("on {}: {UNDO}", self.words)],
        }
    }

    fn meddling(&self) -> Meddling {
        if self.stop.is_some() { Meddling::Stops } else { Meddling::Fences }
    }

    fn runs_blind(&self, error: &DatabaseError) -> bool {
        self.stop.is_some() && stop::runs_blind(error)
    }

    fn unreachable_note(&self, error: &DatabaseError) -> String {
        match self.runs_blind(error) {
            true => format!(
                "It does not answer: the program runs all the same, and what it stops is what the plan says; which \
                 server that is cannot be checked ({error})"
            ),
            false => format!("It cannot be reached, so it cannot be fenced from here: {error}"),
        }
    }

    fn notes(&self, server: &Server) -> Vec<String> {
        let mut notes = Vec::new();
        if server.in_recovery {
            notes.push("It is a standby and takes no writes: this step will refuse.".into());
        } else if self.stop.is_none() {
            notes.push("All client sessions end; WAL senders stay.".into());
            notes.push(
                "A session can still ask for `read write` explicitly; stopping the server is stronger."
                    .into(),
            );
            notes.push(format!("Undo: {UNDO}"));
        }
        if self.stop.is_none() && !server.superuser {
            notes.push("This role is no superuser and will probably be refused.".into());
        }
        notes
    }

    /// A write of a new session is refused, and no session is left that writes.
    async fn prove_read_only(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let server = Server::look(&self.database)
            .await
            .map_err(|error| not_fenced(&error).not_done(what(&expected.name)))?;
        same_server(expected, &server)?;
        let open = |why: String, next: &str| Err(Failure::not_done(what(&expected.name), why, next));
        if let Some(why) = server.read_only.hidden() {
            return open(format!("whether the server is read-only is not known: {why}"), ReadOnly::NEXT);
        }
        if server.read_only.may_write() {
            return open(
                "default_transaction_read_only is off in a new session".into(),
                "Run the step again; look for `alter role … set` or `alter database … set` that overrides it.",
            );
        }
        // Always rolled back: where it is not refused, nothing stays behind.
        let attempt = "begin; create table lifeboat_fence_attempt (); rollback";
        let attempt = server.session.batch(attempt, LOOK).await;
        match attempt {
            Err(error) if error.kind() == Some(PostgresErrorKind::ReadOnly) => {}
            Err(error) => return Err(unread(what(&expected.name), &error)),
            Ok(()) => return open("a write was accepted".into(), "It is NOT fenced: stop the server."),
        }
        server.session.batch("rollback", LOOK).await.map_err(|error| unread(what(&expected.name), &error))?;
        let left = left(&server.session, expected).await?;
        if left.writers > 0 {
            (context.output)(&format!("{} sessions are still writing", left.writers));
            let why = format!("{} transactions that write are still open", left.writers);
            return open(why, "Verify again in a moment; end what stays with pg_terminate_backend().");
        }
        if left.overrides > 0 {
            let why =
                format!("{} roles or databases set default_transaction_read_only to off", left.overrides);
            return open(
                why,
                "`select * from pg_db_role_setting` shows them: reset them, or stop the server.",
            );
        }
        Ok(Proof {
            evidence: vec![
                "default_transaction_read_only is on in a new session".into(),
                "a write was refused (SQLSTATE 25006)".into(),
                "no other session has a transaction that writes".into(),
                "no role or database overrides it".into(),
            ],
        })
    }
}

async fn left(session: &Session, expected: &Target) -> Result<Left, Failure> {
    let query = format!(
        "select (select pg_catalog.count(*) from pg_catalog.pg_stat_activity where {WRITERS} and backend_xid is not null)::int8,
                (select pg_catalog.count(*) from pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) as setting
                  where setting ~* '^default_transaction_read_only=(off|false|no|0)$')::int8"
    );
    let read = session.row(&query, LOOK).await;
    let read = read.and_then(|row| Ok(Left { writers: row.try_get(0)?, overrides: row.try_get(1)? }));
    read.map_err(|error| unread(what(&expected.name), &error))
}

/// Over the session by which the server was found to be the confirmed one.
async fn set_read_only(session: &Session, expected: &Target, context: &Context) -> Result<Done, Failure> {
    let within = context.timeout.unsigned_abs().min(Duration::from_secs(20));
    (context.output)(SET_READ_ONLY);
    sent(expected, session.batch(SET_READ_ONLY, within).await)?;
    let begun = |error: DatabaseError| {
        let why = format!("it was set and did not take effect everywhere: {error}");
        Failure::maybe_done(what(&expected.name), why, "Verify the step: it shows what is still open.")
    };
    session.batch("select pg_catalog.pg_reload_conf()", within).await.map_err(begun)?;
    let terminate = format!(
        "select pg_catalog.count(*) filter (where pg_catalog.pg_terminate_backend(pid))::int8 from pg_catalog.pg_stat_activity where {WRITERS}"
    );
    let ended = session.row(&terminate, within).await.and_then(|row| Ok(row.try_get::<_, i64>(0)?));
    let ended = ended.map_err(begun)?;
    let summary = format!("{} is read-only by default, {ended} sessions ended", expected.name);
    (context.output)(&summary);
    Ok(Done { summary })
}

/// Sorts the failure of a statement that was sent.
fn sent<T>(expected: &Target, result: Result<T, DatabaseError>) -> Result<T, Failure> {
    result.map_err(|error| {
        if error.may_have_acted() {
            let next = "Verify the step: it shows whether writes are refused.";
            return Failure::maybe_done(what(&expected.name), error.to_string(), next);
        }
        unread(what(&expected.name), &error)
    })
}

/// What could still write.
struct Left {
    writers: i64,
    overrides: i64,
}
