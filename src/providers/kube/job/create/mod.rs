//! `kube-create-job-from`: a job of a cron job's template, now.

mod asked;
mod follow;
mod template;

use super::served::cron_job;
use super::{Job, State};
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Call, KubeError, KubeErrorKind};
use crate::providers::kube::object::For;
use crate::providers::kube::place::{CONTEXT, NAMESPACE, Place, checked};
use crate::providers::kube::said::{number, text};
use follow::Made;
use serde_json::Value;
use std::time::Duration;
use template::{MADE_BY, digest, job, name_of};
use tokio::time::Instant;

/// A name of an object.
const NAME_CHARS: usize = 100;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-create-job-from",
    does: Does::Changes,
    simulated_target: "Kubernetes cron job",
    sets: &[],
    doc: "Begins a job of a cron job's template now, a backup for example, as `kubectl create job --from=cronjob/…` does. \
          The job's name is made from the cron job's and the attempt, and it carries the attempt's mark (annotation \
          `lifeboat.dev/made-by`): one attempt never makes two, and is proven by its own job alone. The confirmation shows \
          what it runs, its deadline, the last success, and a job that runs already. The API server judges the job before \
          anybody is asked. The step follows the job to its end and shows what its pods do; a job that failed fails the \
          step, and what it did until then stays. A job that never begins, or that the cluster deleted before it was read \
          back, leaves the step unknown, with what the cluster says. The cron job has to be the one that was confirmed, \
          with the same template.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        Key::required("cronjob", Takes::Text, "The name of the cron job."),
        Key::default(
            "wait",
            Takes::Flag,
            "true",
            "Wait until the job is complete; otherwise until it is created.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "get cronjobs.batch",
        "create jobs.batch",
        "get jobs.batch",
        "list jobs.batch",
        "list pods",
        "list events",
    ],
    example: r#"[[runbooks.example.steps]]
id = "dump-now"
title = "Dump the database once more"
action = "kube-create-job-from"
with.context = "dr"
with.namespace = "shop"
with.cronjob = "postgres-backup"
confirm = "yes"
estimate = "10m"
timeout = "1h"
"#,
    call: |params| {
        let name = params.text("cronjob").unwrap_or_default();
        let place = params.text("namespace").map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        format!("create a job of cronjob/{name}{place} of {}", params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let cron = checked("cronjob", params.require_text("cronjob")?)?.to_owned();
    let waits = params.get("wait").is_none_or(|_| params.flag("wait"));
    Ok(Box::new(Changing(CreateJob { place: Place::of(params, clients)?, cron, waits })))
}

struct CreateJob {
    place: Place,
    cron: String,
    waits: bool,
}

struct Seen {
    namespace: String,
    cron: Value,
    notes: Vec<String>,
    refused: Option<Problem>,
}

impl Change for CreateJob {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("job of {name}")
    }

    async fn unseen(&self) -> Target {
        let namespace = self.place.namespace.as_deref().unwrap_or("default");
        Target::unseen(&format!("{namespace}/{}", self.cron), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.place.cluster;
        let call = Call::new("get cronjobs.batch", format!("{} in {}", self.cron, self.place.words()));
        let namespace = self.place.namespace(&call).await?;
        let until = Instant::now() + cluster.deadline();
        let cron = cron_job(cluster, &call, &namespace, &self.cron, until).await?;
        let identity = vec![
            ("context".to_owned(), cluster.context.to_string()),
            ("uid".to_owned(), text(&cron["metadata"]["uid"])),
            ("generation".to_owned(), number(&cron["metadata"]["generation"]).to_string()),
            // Old clusters do not count the changes of a cron job.
            ("template".to_owned(), digest(&cron["spec"]["jobTemplate"].to_string())),
        ];
        let mut notes = self.notes(&namespace, &cron).await;
        notes.extend(template::words(cluster, &cron));
        let refused = match cron["spec"]["jobTemplate"]["spec"]["suspend"] == true {
            true => Some(Problem::new(
                "the job of its template is suspended: no pod of it would ever run",
                "Set `suspend` in its job template to false, or create the job by hand.",
            )),
            false => {
                let trial = job(&cron, &name_of(&self.cron, "trial"), "trial");
                let judged = self.create(&namespace, &trial, For::Trial).await;
                judged.err().and_then(|error| error.refusal())
            }
        };
        let name = format!("{namespace}/{}", self.cron);
        let target = Target { name, kind: KIND.simulated_target.into(), identity, reachable: true };
        Ok((target, Seen { namespace, cron, notes, refused }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let refused = seen.and_then(|seen| seen.refused.clone()).map(Problem::notes).unwrap_or_default();
        let notes = seen.map(|seen| seen.notes.clone()).unwrap_or_default();
        let after = "What the job does is not taken back by deleting it.".to_owned();
        Shown {
            call: format!("POST jobs: {}-(made from the attempt), of cronjob/{}", self.cron, self.cron),
            command: self.by_hand(),
            notes: refused.into_iter().chain(notes).chain([after]).collect(),
            ..Shown::default()
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.refused.clone()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, .. } = confirmed;
        let name = name_of(&self.cron, &context.token);
        let made =
            Made { cluster: &self.place.cluster, namespace: &seen.namespace, name: &name, what: &what };
        let body = job(&seen.cron, &name, &context.token);
        let object = match self.create(&seen.namespace, &body, For::Good).await {
            Ok(object) => object,
            // This attempt may have made it before: then it is followed, and nothing is made anew.
            Err(error) if error.kind == KubeErrorKind::Conflict => {
                let there = made.read().await.map_err(|_| error.of_change(&what))?;
                if !is_of_attempt(&there, &context.token) {
                    let why = format!("a job {name} is there already, and this attempt did not make it");
                    return Err(Failure::not_done(
                        &*what,
                        why,
                        "Find out who made it and delete it, then retry.",
                    ));
                }
                there
            }
            Err(error) => return Err(error.of_change(&what)),
        };
        (context.output)(&format!("job/{name} is created"));
        match self.waits {
            true => made.follow(&text(&object["metadata"]["uid"]), context).await,
            false => Ok(Done { summary: format!("job/{name} is created") }),
        }
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let name = name_of(&self.cron, &context.token);
        let call = Call::new("get jobs.batch", format!("{name} in {}", self.place.words()));
        let namespace =
            self.place.namespace(&call).await.map_err(|error| Unread::from(error).not_done(&*what))?;
        let made = Made { cluster: &self.place.cluster, namespace: &namespace, name: &name, what: &what };
        let object = made.read().await.map_err(|error| match error.kind {
            KubeErrorKind::NotFound => made.gone(),
            _ => error.of_change(&what),
        })?;
        let job = Job::of(&object);
        let is_own = is_of_attempt(&object, &context.token)
            && expected.property("uid").is_some_and(|uid| job.is_of(uid));
        if !is_own {
            let why = format!("job/{name} is not of this attempt and the cron job that was confirmed");
            return Err(Failure::not_done(&*what, why, "Find out who made it, then retry."));
        }
        let mark = format!("job/{name} carries the mark of this attempt and is of cronjob/{}", self.cron);
        let now = match job.state {
            State::Complete { at } => {
                let at = at.map_or_else(String::new, |at| format!(" since {at}"));
                format!("job/{name} is complete{at}")
            }
            State::Failed { why, .. } => return Err(made.failed(&why)),
            State::Suspended | State::Unfinished if self.waits => {
                let missing = made.missing(&object).await;
                let next = "It goes on by itself: verify again.";
                return Err(Failure::maybe_done(
                    &*what,
                    format!("job/{name} is not at its end: {missing}"),
                    next,
                ));
            }
            State::Suspended | State::Unfinished => format!("job/{name} is created, and not at its end"),
        };
        Ok(Proof { evidence: vec![mark, now] })
    }

    async fn goes_on(&self, context: &Context) -> Option<Failure> {
        let (step, attempt) = context.token.rsplit_once('/')?;
        // There is none of before.
        if attempt == "1" {
            return None;
        }
        let unread = |error: KubeError| {
            let why = format!("whether a job of an earlier attempt still runs cannot be told: {error}");
            Some(Failure::maybe_done(self.what(&self.cron), why, error.next_step()))
        };
        let call = Call::new("list jobs.batch", self.place.words());
        let namespace = match self.place.namespace(&call).await {
            Ok(namespace) => namespace,
            Err(error) => return unread(error),
        };
        let jobs = match self.jobs(&namespace).await {
            Ok(jobs) => jobs,
            Err(error) => return unread(error),
        };
        let earlier = jobs.iter().find(|one| {
            let mark = one["metadata"]["annotations"][MADE_BY].as_str().unwrap_or_default();
            let is_earlier = mark != context.token && mark.rsplit_once('/').is_some_and(|(of, _)| of == step);
            is_earlier && Job::of(one).state == State::Unfinished
        })?;
        let name = self.place.cluster.shown(&text(&earlier["metadata"]["name"]), NAME_CHARS);
        let next = format!(
            "Wait until it ends, or end it (`kubectl -n {namespace} delete job {name}`), then look again."
        );
        let why = format!("job/{name} of an earlier attempt still runs");
        Some(Failure::maybe_done(self.what(&format!("{namespace}/{}", self.cron)), why, next))
    }

    fn needs(&self, permission: &str) -> bool {
        self.waits || !matches!(permission, "list pods" | "list events")
    }

    fn manual(&self) -> ManualCard {
        let name = name_of(&self.cron, "by-hand");
        let wait = ["wait", "--for=condition=complete", &format!("job/{name}"), "--timeout=1h"];
        ManualCard {
            instructions: vec![self.by_hand()],
            check: format!("`{}` ends with 0.", self.place.command(&wait)),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        seen.refused.map(|problem| problem.check("the API server takes the job")).into_iter().collect()
    }
}

impl CreateJob {
    fn by_hand(&self) -> String {
        let name = name_of(&self.cron, "by-hand");
        self.place.command(&["create", "job", &name, &format!("--from=cronjob/{}", self.cron)])
    }
}

fn is_of_attempt(job: &Value, token: &str) -> bool {
    job["metadata"]["annotations"][MADE_BY] == token
}
