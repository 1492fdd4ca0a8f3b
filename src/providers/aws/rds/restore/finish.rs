//! The way from an accepted restore to a database that can be used, and the proof that it is there.

use super::database::{Database, find, is_lost};
use super::{Backup, DatabaseKind, Restore, Seen, Wanted, marks};
use crate::core::words::action::{Done, Failure, Proof};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, wait as look_until};
use crate::providers::aws::client::{AwsError, Call, Connection};
use jiff::SignedDuration;
use tokio::time::Instant;

/// How often AWS is asked: a restore takes many minutes.
const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// Waits until the database can be used; makes a cluster's first instance on the way.
pub async fn wait<B: Backup>(restore: &Restore<B>, seen: &Seen, context: &Context) -> Result<Done, Failure> {
    let wanted = &restore.wanted;
    let what = restore.subject();
    let reader = restore.place.reader().await;
    let begun = Instant::now();
    let database = until_usable(&reader, wanted.sort, &wanted.target, &what, context).await?;
    let mut summary = format!("{} is restored", wanted.target);
    if let Some(first) = wanted.first_instance() {
        let writer = restore.place.writer().await;
        make_first(&reader, &writer, wanted, seen, context).await.map_err(|error| {
            Failure::maybe_done(
                what.clone(),
                format!("the cluster is restored, but its first instance could not be made: {error}"),
                by_hand(wanted, &seen.engine, &reader.region),
            )
        })?;
        let context = context.remaining(begun.elapsed());
        until_usable(&reader, DatabaseKind::Instance, &first, &what, &context).await?;
        summary = format!("{summary}, with its first instance {first}");
    }
    let endpoint = database.endpoint.map_or(String::new(), |endpoint| format!(": {endpoint}"));
    Ok(Done { summary: format!("{summary}{endpoint}") })
}

async fn until_usable(
    reader: &Connection,
    sort: DatabaseKind,
    id: &str,
    what: &str,
    context: &Context,
) -> Result<Database, Failure> {
    let late = |seen: String| {
        Failure::maybe_done(
            what,
            format!("it is not there yet, and goes on by itself: {seen}"),
            "Verify the step until it can be used. Do not restore again before that.",
        )
    };
    look_until(context, EVERY, late, async || {
        Ok(match find(reader, sort, id).await? {
            Some(database) if database.is_usable() => Progress::Reached(database),
            Some(database) if is_lost(&database.status) => Progress::Lost(lost(what, &database)),
            Some(database) => Progress::Waiting(format!("{id} is {}", database.status)),
            None => Progress::Waiting(format!("{id} is not listed yet")),
        })
    })
    .await
}

/// Sends the call for a cluster's first instance, unless it is there.
async fn make_first(
    reader: &Connection,
    writer: &Connection,
    wanted: &Wanted,
    seen: &Seen,
    context: &Context,
) -> Result<(), AwsError> {
    let Some((first, request)) = wanted.first_instance().zip(wanted.create_first(&seen.engine)) else {
        return Ok(());
    };
    if find(reader, DatabaseKind::Instance, &first).await?.is_some() {
        return Ok(());
    }
    (context.output)(&request.words());
    let send = writer
        .rds()
        .create_db_instance()
        .db_instance_identifier(&first)
        .db_cluster_identifier(&wanted.target)
        .set_db_instance_class(wanted.class.clone())
        .engine(&seen.engine)
        .set_tags(Some(marks::tags(&context.token, &seen.source, None)))
        .send();
    writer.call(&Call::new("rds:CreateDBInstance", first), send).await.map(drop)
}

/// The proof that this attempt made it and that it can be used.
pub async fn prove(reader: &Connection, wanted: &Wanted, what: &str, token: &str) -> Result<Proof, Failure> {
    let not = |why: String, next: &str| Failure::not_done(what, why, next);
    let target = &wanted.target;
    let database = find(reader, wanted.sort, target).await.map_err(|error| error.not_done(what))?;
    let database = database.ok_or_else(|| {
        let why = format!("there is no {} {target}: it was not restored", wanted.sort.kind());
        not(why, "Look once more in a minute; then the step can be run again.")
    })?;
    if !marks::made_by(&database.tags, token) {
        let why = format!("{target} is not of this attempt: {}", database.words());
        return Err(not(why, "Find out who made it. Attest the step if it is what you want."));
    }
    let mut evidence = vec![
        format!(
            "{target} was made by this attempt (tag lifeboat:token), from {}",
            marks::origin(&database.tags)
        ),
        usable(&database, what)?,
    ];
    if let Some(first) = wanted.first_instance() {
        let instance =
            find(reader, DatabaseKind::Instance, &first).await.map_err(|error| error.not_done(what))?;
        let instance = instance.filter(|instance| instance.is_member_of(target)).ok_or_else(|| {
            let why = format!("{target} is restored, but its first instance {first} is not there");
            not(why, &by_hand(wanted, &database.engine, &reader.region))
        })?;
        evidence.push(usable(&instance, what)?);
    }
    Ok(Proof { evidence })
}

/// One line of evidence, or why it is none.
fn usable(database: &Database, what: &str) -> Result<String, Failure> {
    let (id, status) = (&database.id, &database.status);
    match &database.endpoint {
        _ if is_lost(status) => Err(lost(what, database)),
        Some(endpoint) if database.is_usable() => {
            let class = database.class.as_ref().map_or(String::new(), |class| format!(", {class}"));
            Ok(format!("{id} is {status} at {endpoint} ({}{class})", database.engine))
        }
        _ => Err(Failure::maybe_done(
            what,
            format!("{id} is still {status}"),
            "It goes on by itself: verify again. Do not restore again before that.",
        )),
    }
}

fn lost(what: &str, database: &Database) -> Failure {
    Failure::maybe_done(
        what,
        format!("{} exists and is {}: that does not pass by waiting", database.id, database.status),
        "Read its events (`aws rds describe-events`), delete it, correct the cause and run the step again under a \
         new `target`.",
    )
}

fn by_hand(wanted: &Wanted, engine: &str, region: &str) -> String {
    let command = wanted.create_first(engine).map(|request| request.command(region)).unwrap_or_default();
    format!("Make it by hand (`{command}`), wait until it is available, then verify the step.")
}
