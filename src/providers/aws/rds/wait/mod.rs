//! `rds-wait`: waits until an instance, cluster or snapshot is available, or gone.

mod look;

use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::wait::{Progress, wait};
use crate::kinds::action::{Action, Built, Context};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, command, place};
use crate::providers::aws::client::{AwsErrorKind, Place};
use crate::providers::aws::rds::names;
use crate::providers::aws::rds::names::events;
use crate::providers::aws::rds::status::next_step;
use crate::providers::clients::Clients;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use look::{Look, Standing, Thing, standing};

/// How often it is looked at.
const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// What can be waited for, and how AWS's own tool names it in `aws rds wait`.
const THINGS: &[(&str, Thing)] = &[
    ("instance", Thing::Instance),
    ("cluster", Thing::Cluster),
    ("snapshot", Thing::Snapshot),
    ("cluster_snapshot", Thing::ClusterSnapshot),
];

const UNTIL: &[&str] = &["available", "deleted"];

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "rds-wait",
    does: Does::Watches,
    simulated_target: "RDS database",
    sets: &[],
    doc: "Waits until an RDS instance, cluster or snapshot is available, or deleted, with each status shown. It changes \
          nothing. It fails at once for what is not there and for a status that does not end by waiting (`failed`, \
          `incompatible-…`, `stopped`), and goes on while the region does not answer. The step's `timeout` bounds \
          the wait.",
    keys: &[
        REGION,
        Key::optional("instance", Takes::Text, "An instance; exactly one of these four is given."),
        Key::optional("cluster", Takes::Text, "A cluster."),
        Key::optional("snapshot", Takes::Text, "A snapshot of an instance."),
        Key::optional("cluster_snapshot", Takes::Text, "A snapshot of a cluster."),
        Key::default("until", Takes::Choice(UNTIL), "available", "What to wait for."),
    ],
    changes: false,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusters",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBClusterSnapshots",
    ],
    example: r#"[[runbooks.example.steps]]
id = "restored"
title = "Wait for the restored database"
action = "rds-wait"
with.region = "us-west-2"
with.instance = "arka-db-recovery"
timeout = "1h"
"#,
    call: |params| {
        let thing = THINGS.iter().find_map(|(key, _)| Some(format!("{key} {}", params.text(key)?)));
        let until = params.text("until").unwrap_or_default();
        format!("wait until {} is {until}", thing.unwrap_or_else(|| "it".into()))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let place = place(params, clients)?;
    let mut given = THINGS.iter().filter_map(|(key, thing)| Some((*key, *thing, params.text(key)?)));
    let wrong = |key: &str, value: &str| BuildError::Value {
        key: key.to_owned(),
        value: value.to_owned(),
        why: "give exactly one of `instance`, `cluster`, `snapshot` and `cluster_snapshot`".into(),
    };
    for key in ["instance", "cluster"] {
        names::identifier(params, key)?;
    }
    let Some((_, thing, id)) = given.next() else { return Err(wrong("instance", "")) };
    if let Some((key, _, value)) = given.next() {
        return Err(wrong(key, value));
    }
    let gone = params.text("until") == Some("deleted");
    Ok(Box::new(RdsWait { place, thing, id: id.to_owned(), gone }))
}

struct RdsWait {
    place: Place,
    thing: Thing,
    id: String,
    gone: bool,
}

impl RdsWait {
    fn state(&self) -> &'static str {
        if self.gone { "deleted" } else { "available" }
    }

    fn what(&self) -> String {
        format!("waiting until {} is {}", self.id, self.state())
    }

    fn command(&self) -> String {
        let waiter = format!("{}-{}", self.thing.cli(), self.state());
        let key = format!("--{}-identifier", self.thing.cli());
        command(Some(&self.place.region), &["rds", "wait", &waiter, &key, &self.id])
    }

    fn stuck(&self, look: &Look) -> Failure {
        match &look.status {
            None => Failure::not_done(
                self.what(),
                format!("there is no {} `{}` in {}", self.thing.kind(), self.id, self.place.region),
                "Correct its name and region in the plan, or see whether the step that makes it ran.",
            ),
            Some(status) => Failure::not_done(
                self.what(),
                format!("its status is {status}, which does not end by waiting"),
                next_step(status, &events(self.thing.kind(), &self.id, &self.place.region)),
            ),
        }
    }

    async fn wait(&self, context: &Context) -> Result<Done, Failure> {
        let late = |last: String| {
            let within = crate::base::units::duration(context.timeout);
            Failure::not_done(
                self.what(),
                format!("it is not after {within}: {last}"),
                "Retry the wait, which changes nothing, or see what RDS does in its events.",
            )
        };
        wait(context, EVERY, late, || async {
            let look = match self.look().await {
                Ok(look) => look,
                // Nobody gets a permission by waiting.
                Err(error) if matches!(error.kind, AwsErrorKind::Denied | AwsErrorKind::Refused) => {
                    return Ok(Progress::Lost(error.not_done(self.what())));
                }
                Err(error) => return Err(error.into()),
            };
            Ok(match standing(look.status.as_deref(), self.gone) {
                Standing::Reached => {
                    Progress::Reached(Done { summary: format!("{} is {}", self.id, look.words) })
                }
                Standing::Waiting => Progress::Waiting(look.words),
                Standing::Stuck => Progress::Lost(self.stuck(&look)),
            })
        })
        .await
    }

    async fn prove(&self) -> Result<Proof, Failure> {
        let look = self.look().await.map_err(|error| error.not_done(self.what()))?;
        match standing(look.status.as_deref(), self.gone) {
            Standing::Reached => Ok(Proof { evidence: vec![format!("{} is {}", self.id, look.words)] }),
            Standing::Stuck => Err(self.stuck(&look)),
            Standing::Waiting => Err(Failure::not_done(
                self.what(),
                format!("it is {}", look.words),
                "Retry the wait: it changes nothing.",
            )),
        }
    }
}

impl Action for RdsWait {
    fn needs(&self, permission: &str) -> bool {
        permission == self.thing.permission()
    }

    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        Box::pin(async move {
            let mut target = Target::unseen(&self.id, self.thing.kind());
            let now = match self.looked().await {
                Ok(look) => {
                    target.reachable = true;
                    target.identity.push(("region".into(), self.place.region.clone()));
                    target.identity.extend(look.arn.map(|arn| ("arn".into(), arn)));
                    format!("It is {} now.", look.words)
                }
                Err(error) => format!("It cannot be read: {error}"),
            };
            Ok(Description {
                call: format!("wait until {} is {}", self.id, self.state()),
                command: self.command(),
                target,
                notes: vec![now, "It changes nothing.".into()],
                undo: Vec::new(),
                sets: Vec::new(),
            })
        })
    }

    fn execute<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.wait(context))
    }

    fn verify<'a>(&'a self, _: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(self.prove())
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.command()],
            check: "The command ends by itself, with exit code 0.".into(),
        }
    }

    fn preflight(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(async move {
            let what = format!("the status of {} can be read", self.id);
            vec![match self.looked().await {
                Ok(look) if look.status.is_none() => {
                    Check::not_checkable(what, "it is not there now; a step may make it")
                }
                Ok(look) => Check::pass(what, look.words),
                Err(error) => Check::fail(what, error.to_string(), error.next_step()),
            }]
        })
    }
}
