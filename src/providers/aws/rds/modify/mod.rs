//! `rds-modify`: another class, storage, backup retention or standby for an instance.

mod diff;
mod finish;

use crate::base::problem::Problem;
use crate::base::text::{clean, ended};
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, place};
use crate::providers::aws::client::{AwsError, Call, Place};
use crate::providers::aws::rds::restore::checks;
use crate::providers::aws::rds::restore::database::is_usable;
use crate::providers::aws::rds::restore::wanted::refuse;
use crate::providers::aws::rds::{names, target};
use crate::providers::aws::request::Request;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::DbInstance;
use diff::{Line, Wishes};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "rds-modify",
    does: Does::Changes,
    simulated_target: "RDS database",
    sets: &["class", "backup_retention_days", "multi_az", "storage_gib", "iops"],
    doc: "Changes an RDS instance: class, storage, backup retention, standby. The confirmation shows each difference \
          against now with its outage, and what else is pending, because what is applied immediately takes that along. \
          It refuses when nothing would change. It waits until the instance has what was asked for and nothing of it is \
          pending; with `apply_immediately = false` until AWS has noted it for the maintenance window.",
    keys: &[
        REGION,
        Key::required("instance", Takes::Text, "The RDS instance."),
        Key::optional("class", Takes::Text, "Its new class (`db.r6g.2xlarge`)."),
        Key::optional("backup_retention_days", Takes::Integer(1, 35), "How many days its backups are kept."),
        Key::optional("multi_az", Takes::Flag, "Whether it has a standby in another zone."),
        Key::optional(
            "storage_gib",
            Takes::Integer(20, 65_536),
            "Size of its storage in GiB. It only grows.",
        ),
        Key::optional("iops", Takes::Integer(1000, 256_000), "Operations per second of its storage."),
        Key::default(
            "apply_immediately",
            Takes::Flag,
            "true",
            "Now, or with `false` in the instance's next maintenance window.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "rds:ModifyDBInstance",
        "rds:DescribeDBInstances",
        "rds:DescribeOrderableDBInstanceOptions",
    ],
    example: r#"[[runbooks.example.steps]]
id = "scale-up"
title = "Give the new primary the size of the old one"
action = "rds-modify"
with.region = "us-west-2"
with.instance = "arka-db-dr-replica"
with.class = "db.r6g.2xlarge"
with.apply_immediately = true
confirm = "type"
estimate = "15m"
timeout = "45m"
"#,
    call: |params| {
        let wishes = Wishes::of(params);
        request(params.text("instance").unwrap_or_default(), &wishes, immediately(params)).words()
    },
};

fn immediately(params: &Params) -> bool {
    params.get("apply_immediately").is_none_or(|_| params.flag("apply_immediately"))
}

fn request(instance: &str, wishes: &Wishes, immediately: bool) -> Request {
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    Request::rds("ModifyDBInstance")
        .with("DBInstanceIdentifier", instance)
        .maybe("DBInstanceClass", wishes.class.as_deref())
        .maybe("BackupRetentionPeriod", number(wishes.backup_retention_days))
        .flag("MultiAZ", wishes.multi_az)
        .maybe("AllocatedStorage", number(wishes.storage_gib))
        .maybe("Iops", number(wishes.iops))
        .flag("ApplyImmediately", Some(immediately))
}

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let wishes = Wishes::of(params);
    names::identifier(params, "instance")?;
    let instance = params.require_text("instance")?.to_owned();
    if request("", &wishes, true).words() == request("", &Wishes::default(), true).words() {
        let why =
            "there is nothing to change: give class, backup_retention_days, multi_az, storage_gib or iops";
        return Err(refuse("instance", Some(instance), why));
    }
    Ok(Box::new(Changing(Modify {
        place: place(params, clients)?,
        instance,
        wishes,
        immediately: immediately(params),
    })))
}

struct Modify {
    place: Place,
    instance: String,
    wishes: Wishes,
    immediately: bool,
}

impl Change for Modify {
    type Seen = DbInstance;

    fn what(&self, _: &str) -> String {
        self.subject()
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.instance, target::INSTANCE)
    }

    async fn read(&self) -> Result<(Target, DbInstance), Unread> {
        self.inspect().await?.ok_or_else(|| {
            let next = "Check name and region in the plan; nothing was done.";
            Unread::Absent(Problem::new(self.missing(), next))
        })
    }

    fn show(&self, instance: Option<&DbInstance>) -> Shown {
        let mut shown = self.request().shown(&self.place.region);
        if let Some(instance) = instance {
            let lines = diff::lines(&self.wishes, instance);
            shown.notes = self.notes(instance);
            shown.undo = self.undo(instance);
            shown.sets = lines.iter().filter(|line| !line.holds()).map(Line::set).collect();
        }
        shown
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        vec![unread.note()]
    }

    /// What is there already is told as such, not as a target that changed.
    fn refuses_first(&self, instance: &DbInstance, _: &Target) -> Option<Problem> {
        self.refused(instance)
    }

    async fn send(&self, confirmed: Confirmed<'_, DbInstance>, context: &Context) -> Result<Done, Failure> {
        let missing = self.missing_lines(&confirmed.seen);
        let changes: Vec<String> = missing.iter().map(Line::words).collect();
        (context.output)(&self.request().words());
        self.ask().await.map_err(|error| error.of_change(confirmed.what))?;
        self.until_there(context).await?;
        let when = if self.immediately { "" } else { ", in its maintenance window" };
        Ok(Done { summary: format!("{}: {}{when}", self.instance, changes.join(", ")) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        self.proof(expected).await
    }

    fn manual(&self) -> ManualCard {
        let region = &self.place.region;
        let show =
            Request::rds("DescribeDBInstances").with("DBInstanceIdentifier", &self.instance).command(region);
        let check = match self.immediately {
            true => format!(
                "`{show}` shows the new values, `available`, and nothing of them in PendingModifiedValues."
            ),
            false => format!("`{show}` shows them in PendingModifiedValues."),
        };
        ManualCard { instructions: vec![self.request().command(region)], check }
    }

    async fn checks(&self) -> Vec<Check> {
        let what = format!("{} can be changed", self.instance);
        let found = self.inspect().await;
        let instance = match found {
            Ok(Some((_, instance))) => instance,
            Ok(None) => return vec![Check::fail(what, self.missing(), "Check name and region in the plan.")],
            Err(error) => return vec![Check::fail(what, error.to_string(), error.next_step())],
        };
        let changes: Vec<String> = self.missing_lines(&instance).iter().map(Line::words).collect();
        let status = status(&instance);
        let mut checks = vec![match self.refused(&instance) {
            Some(refusal) => Check::warn(what, refusal.why, refusal.next),
            None if !takes_changes(&status) => {
                Check::fail(what, format!("it is {status}"), "AWS changes an available instance only.")
            }
            None => Check::pass(what, changes.join(", ")),
        }];
        if let Some(class) = &self.wishes.class {
            let (engine, version) = (instance.engine(), instance.engine_version());
            let reader = self.place.reader().await;
            checks.push(
                checks::orderable(&reader, class, engine.unwrap_or_default(), version.unwrap_or_default())
                    .await,
            );
        }
        checks
    }
}

impl Modify {
    fn subject(&self) -> String {
        format!("change of {}", self.instance)
    }

    fn missing(&self) -> String {
        format!("there is no RDS instance {}", self.instance)
    }

    /// The values of before, as a command; storage that was added stays.
    fn undo(&self, instance: &DbInstance) -> Vec<String> {
        let wishes = &self.wishes;
        let before = Wishes {
            class: wishes.class.as_ref().and(instance.db_instance_class()).map(str::to_owned),
            backup_retention_days: wishes.backup_retention_days.and(instance.backup_retention_period()),
            multi_az: wishes.multi_az.and(instance.multi_az()),
            storage_gib: None,
            iops: wishes.iops.and(instance.iops()),
        };
        let mut undo = vec![request(&self.instance, &before, self.immediately).command(&self.place.region)];
        if wishes.storage_gib.is_some() {
            undo.push("storage that was added stays: RDS makes none smaller".into());
        }
        undo
    }

    fn request(&self) -> Request {
        request(&self.instance, &self.wishes, self.immediately)
    }

    /// The instance, with what is about to be changed in its identity.
    async fn inspect(&self) -> Result<Option<(Target, DbInstance)>, AwsError> {
        let reader = self.place.reader().await;
        let Some(instance) = target::instance(&reader, &self.instance).await? else { return Ok(None) };
        let mut target = target::of_instance(&reader, &instance).await?;
        let lines = diff::lines(&self.wishes, &instance);
        let more = lines.into_iter().filter(|line| line.name != "class");
        target.identity.extend(more.map(|line| (line.name.to_owned(), line.now)));
        Ok(Some((target, instance)))
    }

    fn missing_lines(&self, instance: &DbInstance) -> Vec<Line> {
        let lines = diff::lines(&self.wishes, instance).into_iter();
        lines.filter(|line| line.is_missing(self.immediately)).collect()
    }

    /// Why it is not sent, if it is not, and what to do then.
    fn refused(&self, instance: &DbInstance) -> Option<Problem> {
        if let Some(why) = diff::impossible(&self.wishes, instance) {
            return Some(Problem::new(why, "Correct the plan; nothing was done."));
        }
        self.missing_lines(instance).is_empty().then(|| {
            let noted = if self.immediately { "" } else { ", or has it noted for its maintenance window" };
            Problem::new(
                format!("{} already has all that is asked for{noted}", self.instance),
                "Nothing was done. Skip the step, or attest it.",
            )
        })
    }

    fn notes(&self, instance: &DbInstance) -> Vec<String> {
        let lines = diff::lines(&self.wishes, instance);
        let mut notes: Vec<String> = lines.iter().filter(|line| line.holds()).map(Line::already).collect();
        if let Some(Problem { why, next }) = self.refused(instance) {
            notes.insert(0, format!("This step will refuse: {} {next}", ended(&why)));
        }
        let status = status(instance);
        if !takes_changes(&status) {
            notes.push(format!("It is {status}: AWS changes an available instance only, and may refuse."));
        }
        let pending = diff::pending(instance);
        match (pending.is_empty(), self.immediately) {
            (true, true) => {}
            (false, true) => {
                notes.push(format!("IS PENDING AND APPLIED NOW AS WELL: {}.", pending.join(", ")));
            }
            (empty, false) => {
                let window = clean(instance.preferred_maintenance_window().unwrap_or("not told"), 60);
                let pending = if empty { "nothing".into() } else { pending.join(", ") };
                notes.push(format!("Maintenance window (UTC): {window}. Pending until now: {pending}."));
            }
        }
        notes
    }

    async fn ask(&self) -> Result<(), AwsError> {
        let writer = self.place.writer().await;
        let send = writer
            .rds()
            .modify_db_instance()
            .db_instance_identifier(&self.instance)
            .set_db_instance_class(self.wishes.class.clone())
            .set_backup_retention_period(self.wishes.backup_retention_days)
            .set_multi_az(self.wishes.multi_az)
            .set_allocated_storage(self.wishes.storage_gib)
            .set_iops(self.wishes.iops)
            .apply_immediately(self.immediately)
            .send();
        writer.call(&Call::new("rds:ModifyDBInstance", &self.instance), send).await.map(drop)
    }
}

fn status(instance: &DbInstance) -> String {
    clean(instance.db_instance_status().unwrap_or("unknown"), 100)
}

/// A full storage can be made larger.
fn takes_changes(status: &str) -> bool {
    is_usable(status) || status == "storage-full"
}
