//! `postgres-fence`: makes the old primary take no more writes, and proves it.

use crate::actions::postgres_server::{LOOK, Server, same_cluster, same_target, unreachable, unread};
use crate::actions::{Action, ActionKind, Built, Context};
use crate::clients::postgres::PostgresErrorKind;
use crate::clients::{Clients, process};
use crate::core::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::preflight::Check;
use crate::plan::keys::{Key, Takes};
use crate::plan::params::Params;
use crate::probes::source::{Database, DatabaseError, Program, dsn_words};
use futures::future::BoxFuture;
use std::time::Duration;

const SET_READ_ONLY: &str = "alter system set default_transaction_read_only = on";
/// Two statements of their own: neither runs within a transaction with another.
const UNDO: &str =
    "psql -c \"alter system reset default_transaction_read_only\" -c \"select pg_reload_conf()\"";

/// Every session that could write, but not the senders of WAL: the standby still gets what is left.
const WRITERS: &str =
    "backend_type in ('client backend', 'logical replication worker') and pid <> pg_backend_pid()";

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "postgres-fence",
    doc: "Stops writes on the old primary, so that no two primaries accept them. `read-only` sets \
          `default_transaction_read_only` for all new transactions and ends all client sessions; WAL senders stay, \
          so that the standby gets the rest. `stop` runs a program that stops the server. The proof is a write \
          that is refused, or a port that refuses connections after `stop`. A server that cannot be reached is \
          not fenced, and the step says so. A session can still ask for `read write` explicitly: `stop` is the \
          stronger fence. The role needs to be a superuser for `read-only`.",
    keys: &[
        Key::required("dsn", Takes::TextOrSecret, "Connection string of the old primary."),
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
                format!("stop {server}: {}", crate::probes::source::program_words(params, "argv"))
            }
            _ => format!("{SET_READ_ONLY}, and end all sessions, on {server}"),
        }
    },
    build,
};

fn build(params: &Params, clients: &Clients) -> Built {
    let stop = match params.text("method") {
        Some("stop") => Some(Program::of(params, "argv")?),
        _ => None,
    };
    Ok(Box::new(Fence {
        database: Database::of(params, "dsn", clients)?,
        stop,
        clients: clients.clone(),
        words: dsn_words(params, "dsn"),
    }))
}

struct Fence {
    database: Database,
    stop: Option<Program>,
    clients: Clients,
    words: String,
}

impl Action for Fence {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        Box::pin(async move {
            let name = self.database.name(LOOK).await;
            let (call, command) = match &self.stop {
                Some(program) => (program.words(), program.words()),
                None => {
                    let terminate =
                        format!("select pg_terminate_backend(pid) from pg_stat_activity where {WRITERS}");
                    let call = format!("{SET_READ_ONLY}; select pg_reload_conf(); {terminate}");
                    let command = format!(
                        "psql -c \"{SET_READ_ONLY}\" -c \"select pg_reload_conf()\" -c \"{terminate}\""
                    );
                    (call, command)
                }
            };
            let (target, notes) = match Server::look(&self.database).await {
                Ok(server) => {
                    let notes = self.notes(&server);
                    (server.target(name), notes)
                }
                Err(error) => (
                    unreachable(name),
                    vec![format!("It cannot be reached, so it cannot be fenced from here: {error}")],
                ),
            };
            Ok(Description { call, command, target, notes, undo: Vec::new(), sets: Vec::new() })
        })
    }

    fn execute<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let what = what(expected);
            let server = Server::look(&self.database).await.map_err(|error| not_fenced(expected, &error))?;
            same_target(expected, &server)?;
            if server.in_recovery {
                return Err(Failure::not_done(
                    what,
                    "it is a standby: it takes no writes, and is not the old primary",
                    "Check the connection string in the plan; skip the step with a reason if this is as it should be.",
                ));
            }
            match &self.stop {
                Some(program) => self.run_stop(program, expected, context).await,
                None => self.set_read_only(expected, context).await,
            }
        })
    }

    fn verify<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(async move {
            match &self.stop {
                Some(_) => self.prove_stopped(expected).await,
                None => self.prove_read_only(expected, context).await,
            }
        })
    }

    fn preflight(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(async move {
            if let Some(program) = &self.stop {
                return vec![program.exists(&self.clients.environment).await];
            }
            // That it cannot be read is said of the target.
            let Ok(server) = Server::look(&self.database).await else { return Vec::new() };
            let role = match server.in_recovery {
                false => Check::pass("role", "it is a primary"),
                true => Check::warn("role", "it is a standby now", "Fence the primary: check the plan."),
            };
            let right = match server.superuser {
                true => Check::pass("right", "the role is a superuser"),
                false => Check::warn(
                    "right",
                    "the role is no superuser: alter system may be refused",
                    "Use a superuser's connection string for this step, or grant what it needs.",
                ),
            };
            vec![role, right]
        })
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
        ManualCard {
            instructions: vec![
                fence,
                format!(
                    "where {server} cannot be reached: cut its network (security group, firewall) or stop its host from the provider's console"
                ),
                format!(
                    "to undo the fence later, only once it is a standby or the only primary, on {server}: {UNDO}"
                ),
            ],
            check: format!(
                "A write to {server} is refused, or nothing can connect to it; applications cannot either."
            ),
        }
    }
}

fn what(expected: &Target) -> String {
    format!("fencing {}", expected.name)
}

/// It could not be reached or read: never a success, even when nothing listens there now.
fn not_fenced(expected: &Target, error: &DatabaseError) -> Failure {
    let why = match error.kind() {
        Some(PostgresErrorKind::Refused) => {
            format!("it is NOT fenced: {error}. It accepts writes as soon as it starts again")
        }
        _ => format!("it is NOT fenced: {error}. It may be accepting writes from others"),
    };
    Failure::not_done(
        what(expected),
        why,
        "Fence it by other means: cut its network (security group, firewall), or stop its host from the provider's \
         console and keep it from starting. Then attest the step with what you did.",
    )
}

impl Fence {
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

    async fn set_read_only(&self, expected: &Target, context: &Context) -> Result<Done, Failure> {
        let within = context.timeout.unsigned_abs().min(Duration::from_secs(20));
        (context.output)(SET_READ_ONLY);
        self.sent(expected, self.database.batch(SET_READ_ONLY, within).await)?;
        let begun = |error: DatabaseError| {
            let why = format!("it was set and did not take effect everywhere: {error}");
            Failure::maybe_done(what(expected), why, "Verify the step: it shows what is still open.")
        };
        self.database.batch("select pg_reload_conf()", within).await.map_err(begun)?;
        let terminate = format!(
            "select count(*) filter (where pg_terminate_backend(pid))::int8 from pg_stat_activity where {WRITERS}"
        );
        let ended = self.database.row(&terminate, within).await.and_then(|row| Ok(row.try_get::<_, i64>(0)?));
        let ended = ended.map_err(begun)?;
        let summary = format!("{} is read-only by default, {ended} sessions ended", expected.name);
        (context.output)(&summary);
        Ok(Done { summary })
    }

    /// Sorts the failure of a statement that was sent.
    fn sent<T>(&self, expected: &Target, result: Result<T, DatabaseError>) -> Result<T, Failure> {
        result.map_err(|error| {
            if error.may_have_acted() {
                let next = "Verify the step: it shows whether writes are refused.";
                return Failure::maybe_done(what(expected), error.to_string(), next);
            }
            unread(what(expected), &error)
        })
    }

    async fn run_stop(
        &self,
        program: &Program,
        expected: &Target,
        context: &Context,
    ) -> Result<Done, Failure> {
        let failed = |why: String, next: String| Failure::not_done(what(expected), why, next);
        let spec = program.spec(&self.clients, context.timeout.unsigned_abs()).await;
        let spec = spec.map_err(|error| failed(error.to_string(), error.next_step()))?;
        let ran = process::run(&spec, &self.clients.redactor, |_, line| (context.output)(line)).await;
        let ran = ran.map_err(|error| failed(error.to_string(), error.next_step.clone()))?;
        if ran.success() {
            return Ok(Done { summary: format!("{} was told to stop", expected.name) });
        }
        let ended = super::exec::ending_words(&ran);
        let next = "Verify the step: it shows whether the server still listens.";
        Err(Failure::maybe_done(what(expected), format!("the program that stops it {ended}"), next))
    }

    /// Nothing listens where the server was.
    async fn prove_stopped(&self, expected: &Target) -> Result<Proof, Failure> {
        let next = "Look at the server's host. If it is stopped by other means, attest the step.";
        let why = match Server::look(&self.database).await {
            Err(error) if !expected.reachable => {
                format!("it was out of reach when the step was confirmed and still is: {error}")
            }
            Err(error) if error.kind() == Some(PostgresErrorKind::Refused) => {
                let evidence = vec![format!("{} refuses connections", expected.name)];
                return Ok(Proof { evidence });
            }
            Err(error) => format!("it is not proven that it stopped: {error}"),
            Ok(server) => format!("it still answers, as a {}", server.role()),
        };
        Err(Failure::not_done(what(expected), why, next))
    }

    /// A write of a new session is refused, and no session is left that writes.
    async fn prove_read_only(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let server = Server::look(&self.database).await.map_err(|error| not_fenced(expected, &error))?;
        same_cluster(expected, &server)?;
        let open = |why: String, next: &str| Err(Failure::not_done(what(expected), why, next));
        if !server.read_only {
            return open(
                "default_transaction_read_only is off in a new session".into(),
                "Run the step again; look for `alter role … set` or `alter database … set` that overrides it.",
            );
        }
        // Always rolled back: where it is not refused, nothing stays behind.
        let attempt = "begin; create table lifeboat_fence_attempt (); rollback";
        let attempt = self.database.batch(attempt, LOOK).await;
        self.database.disconnect(LOOK).await;
        match attempt {
            Err(error) if error.kind() == Some(PostgresErrorKind::ReadOnly) => {}
            Err(error) => return Err(unread(what(expected), &error)),
            Ok(()) => return open("a write was accepted".into(), "It is NOT fenced: stop the server."),
        }
        let left = self.left(expected).await?;
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

    async fn left(&self, expected: &Target) -> Result<Left, Failure> {
        let query = format!(
            "select (select count(*) from pg_stat_activity where {WRITERS} and backend_xid is not null)::int8,
                    (select count(*) from pg_db_role_setting, unnest(setconfig) as setting
                      where setting ~* '^default_transaction_read_only=(off|false|no|0)$')::int8"
        );
        let read = self.database.row(&query, LOOK).await;
        let read = read.and_then(|row| Ok(Left { writers: row.try_get(0)?, overrides: row.try_get(1)? }));
        read.map_err(|error| unread(what(expected), &error))
    }
}

/// What could still write.
struct Left {
    writers: i64,
    overrides: i64,
}
