//! Who else changes a PostgreSQL server: a manager that decides which server is the primary, found by SQL.

use crate::core::words::action::{Failure, MANAGED};
use crate::core::words::preflight::Check;
use crate::plan::keys::{Key, Takes};
use crate::plan::params::Params;
use crate::providers::postgres::server::LOOK;
use crate::providers::postgres::source::{DatabaseError, Session};
use tokio_postgres::Row;

/// The key of actions that a manager would undo.
pub(crate) const KEY: Key = Key::default(
    "managed",
    Takes::Choice(&["refuse", "ignore"]),
    "refuse",
    "What to do where a manager (Patroni, repmgr, pg_auto_failover, CloudNativePG, Stolon, a cloud provider) runs the \
     server. `ignore` is for a manager that is known to be dead or away: the step is then possible, its confirmation \
     has to be typed, and says who the manager is and what it will do.",
);

/// The longest text of a server that is shown, in characters.
const TEXT_LIMIT_CHARS: usize = 120;
/// Hints that are named.
const HINTS: usize = 3;

/// One row: who, and by what each is seen, in two arrays; and whether this role sees all that could tell.
const QUERY: &str = r"
with s as (select name, setting, source, coalesce(sourcefile, '') as sourcefile from pg_catalog.pg_settings),
hints as (
  select 'Patroni' as who, 'a session of it, ' || pg_catalog.min(application_name) as why from pg_catalog.pg_stat_activity
   where application_name ~ '^Patroni( heartbeat| restapi)?$' having pg_catalog.count(*) > 0
  union all select 'Patroni', 'the server is started with cluster_name ' || setting || ' and wal_level' from s
   where name = 'cluster_name' and source = 'command line' and setting <> ''
     and exists (select from s where name = 'wal_level' and source = 'command line')
  union all select 'Patroni', 'postgresql.base.conf is included' from s
   where sourcefile like '%/postgresql.base.conf' having pg_catalog.count(*) > 0
  union all select 'repmgr', 'shared_preload_libraries has it' from s
   where name = 'shared_preload_libraries' and setting ~ '\mrepmgr\M'
  union all select 'repmgr', 'schema repmgr' where pg_catalog.to_regnamespace('repmgr') is not null
  union all select 'repmgr', 'database repmgr' from pg_catalog.pg_database where datname = 'repmgr'
  union all select 'pg_auto_failover', 'role ' || pg_catalog.min(rolname) from pg_catalog.pg_roles
   where rolname in ('pgautofailover_monitor', 'pgautofailover_replicator') having pg_catalog.count(*) > 0
  union all select 'pg_auto_failover', name || ' ' || setting from s
   where name = 'primary_slot_name' and setting like 'pgautofailover\_standby\_%'
  union all select 'CloudNativePG', name || ' ' || setting from s
   where (name = 'archive_command' and setting like '/controller/manager %')
      or (name = 'unix_socket_directories' and setting = '/controller/run')
      or (name = 'primary_slot_name' and setting like '\_cnpg\_%')
  union all select 'Stolon', 'slot ' || pg_catalog.min(slot_name) from pg_catalog.pg_replication_slots
   where slot_name like 'stolon\_%' having pg_catalog.count(*) > 0
  union all select 'Stolon', name || ' ' || setting from s
   where name = 'primary_slot_name' and setting like 'stolon\_%'
  union all select 'Amazon RDS', 'database rdsadmin' from pg_catalog.pg_database where datname = 'rdsadmin'
  union all select 'Google Cloud SQL', 'database ' || pg_catalog.min(datname) from pg_catalog.pg_database
   where datname in ('cloudsqladmin', 'alloydbadmin') having pg_catalog.count(*) > 0
  union all select 'Azure', 'database ' || pg_catalog.min(datname) from pg_catalog.pg_database
   where datname in ('azure_maintenance', 'azure_sys') having pg_catalog.count(*) > 0)
select coalesce((select pg_catalog.array_agg(who::pg_catalog.text order by who, why) from hints where why is not null), '{}') as who,
       coalesce((select pg_catalog.array_agg(why::pg_catalog.text order by who, why) from hints where why is not null), '{}') as why,
       pg_catalog.current_setting('is_superuser') = 'on' or pg_catalog.pg_has_role('pg_monitor', 'usage') as sees_all";

/// Who manages a server, as far as it can be seen.
pub(crate) enum Management {
    /// Nobody; the role sees all that would tell.
    Nobody,
    /// Nothing tells of a manager, and this role does not see all.
    NotSeen,
    /// A manager.
    By(Manager),
}

/// A manager of a server.
pub(crate) struct Manager {
    /// As its makers write it.
    name: String,
    hints: Vec<String>,
}

/// What a step does that a manager does not know of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meddling {
    Promotes,
    Fences,
    Stops,
}

/// Looks who manages the server that a session is with.
async fn look(session: &Session) -> Result<Management, DatabaseError> {
    of(&session.row(QUERY, LOOK).await?)
}

/// Looks who manages the server, and refuses a manager that the plan does not ignore. Nothing was done.
pub(crate) async fn allowed(
    session: &Session,
    what: &str,
    meddling: Meddling,
    ignored: bool,
) -> Result<Management, Failure> {
    match look(session).await {
        Ok(management) => match management.manager() {
            Some(manager) if !ignored => Err(manager.refusal(what, meddling)),
            _ => Ok(management),
        },
        Err(_) if ignored => Ok(Management::NotSeen),
        Err(error) => {
            let why = format!("it cannot be told whether a manager runs it: {error}");
            Err(Failure::not_done(what, why, error.next_step()))
        }
    }
}

fn of(row: &Row) -> Result<Management, DatabaseError> {
    let (who, why): (Vec<String>, Vec<String>) = (row.try_get("who")?, row.try_get("why")?);
    let sees_all: bool = row.try_get("sees_all")?;
    let Some(name) = who.first().cloned() else {
        return Ok(if sees_all { Management::Nobody } else { Management::NotSeen });
    };
    let own = who.iter().zip(&why).filter(|(manager, _)| **manager == name);
    let hints = own.map(|(_, why)| crate::base::text::clean(why, TEXT_LIMIT_CHARS)).take(HINTS).collect();
    Ok(Management::By(Manager { name, hints }))
}

/// Whether the plan lets a step act around a manager.
pub(crate) fn is_ignored(params: &Params) -> bool {
    params.text("managed") == Some("ignore")
}

impl Manager {
    /// `Patroni (a session of it, Patroni restapi)`.
    fn words(&self) -> String {
        format!("{} ({})", self.name, self.hints.join("; "))
    }

    /// What it does about a change that it does not know of.
    fn does(&self, meddling: Meddling) -> &'static str {
        match (&*self.name, meddling) {
            ("Patroni", Meddling::Promotes) => {
                "Patroni makes it a standby again at its next loop (`loop_wait`, 10 s by default): all that was \
                 written in between is LOST. While it is paused it leaves two primaries."
            }
            ("Patroni", Meddling::Fences) => {
                "Patroni goes on calling it the leader, so that nobody can write anywhere, and cannot rewind the others from it."
            }
            ("Patroni", Meddling::Stops) => {
                "Patroni starts it again, as a primary, at its next loop (`loop_wait`, 10 s by default)."
            }
            ("repmgr" | "pg_auto_failover", Meddling::Promotes) => {
                "It keeps its own idea of the primary: two primaries stay, and nothing repairs that."
            }
            (_, Meddling::Promotes) => {
                "It keeps its own idea of the primary: it may undo this, with the loss of what was written since, or leave two primaries."
            }
            (_, Meddling::Fences) => {
                "It does not know of this: it goes on calling the server the primary, or undoes it."
            }
            (_, Meddling::Stops) => "It takes this for a failure: it starts the server again, or fails over.",
        }
    }

    /// How the same is done through it.
    fn instead(&self, meddling: Meddling) -> &'static str {
        let promotes = meddling == Meddling::Promotes;
        match &*self.name {
            "Patroni" if promotes => {
                "Let Patroni do it: `patronictl -c FILE switchover` (leader well) or `failover`; for a standby cluster \
                 `patronictl -c FILE edit-config --set standby_cluster=null`, or the same by its REST with `http-request`"
            }
            "Patroni" => {
                "Let Patroni do it: `patronictl -c FILE switchover` moves the leader; `edit-config --set \
                 standby_cluster.host=…` makes a whole site a standby; else cut the site's network"
            }
            "repmgr" if promotes => {
                "Let repmgr do it: `repmgr standby switchover` or `repmgr standby promote`"
            }
            "repmgr" => {
                "Let repmgr do it: `repmgr standby switchover` on the standby stops writes on the old primary"
            }
            "pg_auto_failover" => {
                "Let its monitor do it: `pg_autoctl perform switchover` or `perform failover`, `pg_autoctl enable maintenance` on the node to stop"
            }
            "CloudNativePG" if promotes => {
                "Let the operator do it: `kubectl cnpg promote CLUSTER INSTANCE`; for a replica cluster change `.spec.replica`"
            }
            "CloudNativePG" => "Let the operator do it: `kubectl cnpg fencing on CLUSTER INSTANCE`",
            "Stolon" => {
                "Let Stolon do it: `stolonctl failkeeper KEEPER`, or `stolonctl promote` for a standby cluster"
            }
            "Amazon RDS" if promotes => {
                "Let RDS do it: the action `rds-promote`, or `aws rds promote-read-replica`"
            }
            "Amazon RDS" => "Cut it off in AWS: take its security group's rules away, or stop the instance",
            "Google Cloud SQL" if promotes => "Let Cloud SQL do it: `gcloud sql instances promote-replica`",
            "Azure" if promotes => "Let Azure do it: `az postgres flexible-server replica promote`",
            _ => "Use the provider's console or command line, or cut its network there",
        }
    }

    /// The refusal of a step that would act around the manager. Nothing was done.
    fn refusal(&self, what: &str, meddling: Meddling) -> Failure {
        let next = format!(
            "{}. Only where the manager is known to be dead: `with.managed = \"ignore\"` in the plan.",
            self.instead(meddling)
        );
        Failure::not_done(what, format!("{MANAGED}{}. {}", self.words(), self.does(meddling)), next)
    }
}

impl Management {
    /// What a confirmation says of it, first of all; nothing where nobody manages it.
    pub(crate) fn notes(&self, meddling: Meddling) -> Vec<String> {
        match self {
            Self::Nobody => Vec::new(),
            Self::NotSeen => vec![
                "Whether a manager (Patroni, …) runs it cannot be told for certain: this role has no pg_monitor.".into(),
            ],
            Self::By(manager) => vec![format!(
                "It is managed by {}, and the plan says to ignore that. {}",
                manager.words(),
                manager.does(meddling)
            )],
        }
    }

    /// The manager's name, where there is one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.manager().map(|manager| &*manager.name)
    }

    fn manager(&self) -> Option<&Manager> {
        match self {
            Self::By(manager) => Some(manager),
            Self::Nobody | Self::NotSeen => None,
        }
    }

    /// The result of a preflight. A manager that the step refuses is said of the target.
    pub(crate) fn check(&self, meddling: Meddling) -> Check {
        match self {
            Self::Nobody => Check::pass("manager", "nobody else decides which server is the primary"),
            Self::NotSeen => Check::warn(
                "manager",
                "no manager is seen, and this role does not see all that would tell",
                "grant pg_monitor to it.",
            ),
            Self::By(manager) => Check::warn(
                "manager",
                format!("managed by {}, which the plan ignores. {}", manager.words(), manager.does(meddling)),
                "Be sure that the manager is dead before this step runs.",
            ),
        }
    }
}
