//! `postgres-unfence`: takes a read-only fence back, and proves that new sessions write again.

use crate::base::problem::Problem;
use crate::base::text::ended;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::{Param, Params};
use crate::providers::clients::Clients;
use crate::providers::postgres::client::{PostgresErrorKind, ReadOnly};
use crate::providers::postgres::manager::Meddling;
use crate::providers::postgres::seen::Seen;
use crate::providers::postgres::server::{LOOK, Server, hidden, same_server, several, unreachable, unread};
use crate::providers::postgres::source::{Database, DatabaseError, dsn_words};
use std::time::Duration;

const RESET: &str = "alter system reset default_transaction_read_only";
const RELOAD: &str = "select pg_catalog.pg_reload_conf()";

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "postgres-unfence",
    does: Does::Unfences,
    simulated_target: "PostgreSQL server",
    sets: &[],
    doc: "Takes the fence of `postgres-fence` with `read-only` back: resets `default_transaction_read_only` in \
          `postgresql.auto.conf` and reloads. The proof: in a new session the setting is off, and a write is accepted \
          (and rolled back). It refuses a standby, and where one of `others` is a primary that takes writes: two of \
          them would lose rows. One of `others` that cannot be read is no proof that it is none; the confirmation \
          says so. The role needs to be a superuser.",
    keys: &[
        Key::required("dsn", Takes::ConnectionString, "Connection string of the fenced server."),
        Key::optional(
            "others",
            Takes::List(&Takes::ConnectionString),
            "Connection strings of the servers that may be the primary instead.",
        ),
        Key::default(
            "beside_a_primary",
            Takes::Choice(&["refuse", "allow"]),
            "refuse",
            "`allow` lifts the fence although another server takes writes; the step then needs `confirm = \"type\"`.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "unfence"
title = "Let the old primary write again"
action = "postgres-unfence"
with.dsn = { secret = "primary-db-admin" }
with.others = [{ secret = "dr-db-admin" }]
confirm = "type"
estimate = "5s"
timeout = "1m"
"#,
    call: |params| format!("{RESET}, on {}", dsn_words(params, "dsn")),
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let others = match params.get("others") {
        Some(Param::List(others)) => others.clone(),
        _ => Vec::new(),
    };
    let other = |dsn: Param| {
        let params = Params([("dsn".to_owned(), dsn)].into_iter().collect());
        Database::of(&params, "dsn", clients)
    };
    Ok(Box::new(Changing(Unfence {
        database: Database::of(params, "dsn", clients)?,
        others: others.into_iter().map(other).collect::<Result<_, _>>()?,
        beside_a_primary: params.text("beside_a_primary") == Some("allow"),
        words: dsn_words(params, "dsn"),
    })))
}

struct Unfence {
    database: Database,
    others: Vec<Database>,
    beside_a_primary: bool,
    words: String,
}

/// What the other servers are.
#[derive(Default)]
struct Others {
    writing: Vec<String>,
    unread: Vec<String>,
}

impl Change for Unfence {
    type Seen = (Seen, Others);

    const LOOK: Option<Duration> = None;

    fn what(&self, name: &str) -> String {
        format!("lifting the fence of {name}")
    }

    async fn unseen(&self) -> Target {
        unreachable(self.database.name(LOOK).await)
    }

    /// Whoever manages the server: a fence stands in a manager's way, so lifting it needs no leave of it.
    async fn read(&self) -> Result<(Target, Self::Seen), Unread> {
        let (target, seen) = Seen::read(&self.database, Meddling::Fences, true).await?;
        Ok((target, (seen, self.others().await)))
    }

    fn show(&self, seen: Option<&Self::Seen>) -> Shown {
        Shown {
            call: format!("{RESET}; {RELOAD}"),
            command: format!("psql -c \"{RESET}\" -c \"{RELOAD}\""),
            notes: seen.map(|(seen, others)| self.notes(&seen.server, others)).unwrap_or_default(),
            undo: vec![format!(
                "on {}: psql -c \"alter system set default_transaction_read_only = on\" -c \"{RELOAD}\"",
                self.words
            )],
            ..Shown::default()
        }
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        vec![format!("It cannot be read: {}", unread.why())]
    }

    fn same(&self, expected: &Target, _: &Target, (seen, _): &Self::Seen) -> Result<(), Failure> {
        seen.same(expected)
    }

    fn refuses(&self, (seen, others): &Self::Seen, _: &Context) -> Option<Problem> {
        if seen.server.in_recovery {
            let next = "A standby takes no writes: look for the primary, or skip the step with a reason.";
            return Some(Problem::new("it is a standby", next));
        }
        let other = others.writing.first().filter(|_| !self.beside_a_primary)?;
        Some(Problem::new(
            format!("{other}: rows would go to both, and be lost on one"),
            "Fence the other one first; or rebuild this one as its standby, which needs no lifting.",
        ))
    }

    async fn send(&self, confirmed: Confirmed<'_, Self::Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen: (Seen { server, .. }, _), expected, what, .. } = confirmed;
        (context.output)(RESET);
        let within = context.timeout.unsigned_abs().min(Duration::from_secs(20));
        for statement in [RESET, RELOAD] {
            let sent = server.session.batch(statement, within).await;
            sent.map_err(|error| match error.may_have_acted() || statement == RELOAD {
                true => {
                    let next = "Verify the step: it shows whether new sessions write.";
                    Failure::maybe_done(what.clone(), error.to_string(), next)
                }
                false => unread(what.clone(), &error),
            })?;
        }
        Ok(Done { summary: format!("{} takes writes by default again", expected.name) })
    }

    /// In a new session the setting is off and a write is accepted.
    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let server = Server::look(&self.database).await.map_err(|error| unread(what.clone(), &error))?;
        same_server(expected, &server)?;
        let not = |why: &str, next: &str| Err(Failure::not_done(what.clone(), why, next));
        if server.in_recovery {
            return not("it is a standby", "A standby takes no writes: look for the primary.");
        }
        if let Some(why) = server.read_only.hidden() {
            return not(&format!("whether new sessions may write is not known: {why}"), ReadOnly::NEXT);
        }
        if !server.read_only.may_write() {
            return not(
                "default_transaction_read_only is on in a new session",
                "Look for `alter role … set` or `alter database … set`, and for it in postgresql.conf.",
            );
        }
        // Always rolled back: nothing stays behind.
        let attempt =
            server.session.batch("begin; create table lifeboat_unfence_attempt (); rollback", LOOK).await;
        match attempt {
            Ok(()) => Ok(Proof {
                evidence: vec![
                    "it is a primary".into(),
                    "default_transaction_read_only is off in a new session".into(),
                    "a write was accepted, and rolled back".into(),
                ],
            }),
            Err(error) if refuses_writes(&error) => {
                not("a write was refused", "Look at the server's settings.")
            }
            Err(error) => Err(unread(what, &error)),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        // That it cannot be read is said of the target.
        let Ok(server) = Server::look(&self.database).await else { return Vec::new() };
        let right = match server.superuser {
            true => Check::pass("right", "the role is a superuser"),
            false => Check::warn(
                "right",
                "the role is no superuser: alter system may be refused",
                "Use a superuser's connection string for this step, or grant what it needs.",
            ),
        };
        let checks = [right].into_iter().chain(hidden(&server));
        checks.chain(several(&self.database.name(LOOK).await)).collect()
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![
                "see that no other server takes writes".into(),
                format!("on {}, as a superuser: psql -c \"{RESET}\" -c \"{RELOAD}\"", self.words),
            ],
            check:
                "`show default_transaction_read_only` is off in a new session, and a row can be committed."
                    .into(),
        }
    }
}

impl Unfence {
    fn notes(&self, server: &Server, others: &Others) -> Vec<String> {
        let mut notes = Vec::new();
        if server.in_recovery {
            notes.push("It is a standby: this step will refuse.".into());
        } else if let Some(why) = server.read_only.hidden() {
            notes.push(format!("Whether it is read-only is not known: {}", ended(&why)));
        } else if server.read_only.may_write() {
            notes.push("default_transaction_read_only is off already.".into());
        }
        for name in &others.writing {
            let then = if self.beside_a_primary {
                "two primaries will take writes"
            } else {
                "this step will refuse"
            };
            notes.push(format!("{name}: {then}."));
        }
        for why in &others.unread {
            notes.push(format!("Whether another server takes writes is not known: {why}"));
        }
        if self.others.is_empty() {
            notes.push(
                "The plan names no `others`: whether another server takes writes is not looked at.".into(),
            );
        }
        notes
    }

    async fn others(&self) -> Others {
        let mut others = Others::default();
        let looks = self
            .others
            .iter()
            .map(async |database| (database.name(LOOK).await, Server::look(database).await));
        for (name, look) in futures::future::join_all(looks).await {
            match look {
                Ok(server) if !server.in_recovery && server.read_only.may_write() => {
                    others.writing.push(match server.read_only.hidden() {
                        Some(why) => format!("{name} is a primary that may take writes ({why})"),
                        None => format!("{name} is a primary that takes writes"),
                    });
                }
                Ok(_) => {}
                Err(error) => others.unread.push(format!("{name}: {error}")),
            }
        }
        others
    }
}

fn refuses_writes(error: &DatabaseError) -> bool {
    error.kind() == Some(PostgresErrorKind::ReadOnly)
}
