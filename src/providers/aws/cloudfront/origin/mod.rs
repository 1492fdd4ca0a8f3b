//! `cloudfront-origin`: lets a distribution fetch from elsewhere.

mod change;

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::wait::{Progress, wait};
use crate::kinds::action::{self, Built, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{caller, command};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Place};
use crate::providers::aws::probe::{GLOBAL, find};
use crate::providers::clients::Clients;
use aws_sdk_cloudfront::types::DistributionConfig;
use change::Change;
use jiff::SignedDuration;

const KIND_OF_TARGET: &str = "CloudFront distribution";

/// How often a deployment is looked at.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "cloudfront-origin",
    does: Does::Routes,
    simulated_target: "simulated target",
    sets: &["origin", "domain", "default_origin"],
    doc: "Lets a CloudFront distribution fetch from elsewhere: either an origin gets another `domain`, or the default \
          behaviour gets another origin (`default_origin`) that the distribution already has. The confirmation shows \
          the difference. The change is sent with the ETag that was read for the confirmation, so that a change by \
          somebody else in between is refused and never overwritten. CloudFront's edges take minutes to follow: \
          `wait_deployed` waits for them. CloudFront's control plane is in us-east-1, also for other regions.",
    keys: &[
        Key::required("distribution", Takes::Text, "The distribution's id (`E2QWRUHAPOMQZL`)."),
        Key::optional("origin", Takes::Text, "The origin to change: its id, or its domain of now."),
        Key::optional("domain", Takes::Text, "The new domain of that origin."),
        Key::optional(
            "default_origin",
            Takes::Text,
            "Instead of these two: the id of the origin or origin group that the default behaviour uses from now on.",
        ),
        Key::default("wait_deployed", Takes::Flag, "false", "Wait until all edges have it; takes minutes."),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["cloudfront:GetDistribution", "cloudfront:UpdateDistribution"],
    example: r#"[[runbooks.example.steps]]
id = "cdn-to-dr"
title = "Let the CDN fetch from us-west-2"
action = "cloudfront-origin"
with.distribution = "E2QWRUHAPOMQZL"
with.origin = "api"
with.domain = "api-dr.arka.example.com"
with.wait_deployed = true
confirm = "type"
estimate = "5m"
timeout = "20m"
"#,
    call: |params| {
        let id = params.text("distribution").unwrap_or_default();
        let change = Change::of(params).map_or_else(|_| String::new(), |change| format!(" {change}"));
        format!("cloudfront:UpdateDistribution Id={id}{change}")
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    Ok(Box::new(Changing(SetOrigin {
        place: find(GLOBAL, "distribution", clients)?,
        id: params.require_text("distribution")?.to_owned(),
        change: Change::of(params)?,
        wait_deployed: params.flag("wait_deployed"),
    })))
}

struct SetOrigin {
    place: Place,
    id: String,
    change: Change,
    wait_deployed: bool,
}

/// A distribution as it is now.
struct Seen {
    config: DistributionConfig,
    etag: String,
    status: String,
}

impl action::Change for SetOrigin {
    type Seen = Seen;

    fn what(&self, name: &str) -> String {
        format!("{} on {name}", self.change)
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.id, KIND_OF_TARGET)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        Ok(self.inspect().await?)
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let etag = seen.map_or("(unread)".into(), |seen| clean(&seen.etag, 100));
        let difference = seen.and_then(|seen| self.change.difference(&seen.config).ok().flatten());
        Shown {
            call: format!("cloudfront:UpdateDistribution Id={} If-Match={etag} {}", self.id, self.change),
            command: self.commands().join("; "),
            notes: seen.map(|seen| self.notes(seen)).unwrap_or_default(),
            undo: seen.map(|seen| self.undo(seen)).unwrap_or_default(),
            sets: difference.into_iter().collect(),
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        match self.change.difference(&seen.config) {
            Ok(Some(_)) => None,
            Ok(None) => Some(Problem::new(
                "it is so already: nothing was sent",
                "Skip the step with this as the reason.",
            )),
            Err(refusal) => Some(refusal),
        }
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, expected, what, .. } = confirmed;
        let difference = self.change.difference(&seen.config).ok().flatten();
        let difference = difference.map(|(name, moved)| format!("{name}: {moved}")).unwrap_or_default();
        (context.output)(&difference);
        self.update(&what, seen).await?;
        if self.wait_deployed {
            self.deployed(&what, context).await?;
        }
        Ok(Done { summary: format!("{}: {difference}", expected.name) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let (found, seen) = self.inspect().await.map_err(|error| error.not_done(&*what))?;
        let not_yet = |why: String, next: &str| Err(Failure::not_done(&*what, why, next));
        let before = expected.property("etag");
        if before.is_none() || expected.property("arn") != found.property("arn") {
            return not_yet(
                "it was not read when it was confirmed".into(),
                "Compare by hand, then attest the step.",
            );
        }
        if before == Some(&seen.etag) {
            return not_yet("its ETag is the one of before: nothing was changed".into(), "Retry the step.");
        }
        match self.change.difference(&seen.config) {
            Ok(None) => {}
            Ok(Some((name, moved))) => {
                let next = "Somebody else changed it. Look at it, then confirm the step again.";
                return not_yet(format!("it changed, and not to this: {name}: {moved}"), next);
            }
            Err(refusal) => return Err(refusal.not_done(what)),
        }
        let state = self.change.state(&seen.config);
        if state.iter().all(|(name, value)| expected.property(name) == Some(value)) {
            return not_yet(
                "it was so before the step, and something else of it changed since: that proves nothing"
                    .into(),
                "Find out who changed it, then attest the step or skip it.",
            );
        }
        if self.wait_deployed && seen.status != "Deployed" {
            return not_yet(format!("its status is {}", seen.status), "It goes on by itself: verify again.");
        }
        let mut evidence: Vec<String> =
            state.iter().map(|(name, value)| format!("{name} is {value}")).collect();
        evidence.push(format!("ETag is {}, before {}", clean(&seen.etag, 100), before.unwrap_or_default()));
        evidence.push(format!("status is {}", seen.status));
        Ok(Proof { evidence })
    }

    fn manual(&self) -> ManualCard {
        let [get, update] = self.commands();
        ManualCard {
            instructions: vec![
                get,
                format!(
                    "in config.json take DistributionConfig out of its wrapper, note ETag, and set: {}",
                    self.change
                ),
                update,
            ],
            check: format!(
                "`{}` shows the new origin; Status is Deployed once all edges have it.",
                command(None, &["cloudfront", "get-distribution", "--id", &self.id])
            ),
        }
    }
}

impl SetOrigin {
    fn commands(&self) -> [String; 2] {
        let get = command(None, &["cloudfront", "get-distribution-config", "--id", &self.id]);
        let words = ["cloudfront", "update-distribution", "--id", &self.id, "--if-match", "ETAG"];
        let config = ["--distribution-config", "file://config.json"];
        [format!("{get} > config.json"), command(None, &[&words[..], &config].concat())]
    }

    /// The values of before, set the same way.
    fn undo(&self, seen: &Seen) -> Vec<String> {
        let before =
            self.change.state(&seen.config).into_iter().map(|(name, value)| format!("{name} is {value}"));
        let [get, update] = self.commands();
        vec![get, format!("in config.json: {}", before.collect::<Vec<_>>().join(", ")), update]
    }

    async fn inspect(&self) -> Result<(Target, Seen), AwsError> {
        let connection = self.place.reader().await;
        let call = Call::new("cloudfront:GetDistribution", &self.id);
        let send = connection.cloudfront().get_distribution().id(&self.id).send();
        let answer = connection.call(&call, send).await?;
        let odd =
            |what: &str| AwsError::new(&call, AwsErrorKind::NotAws, format!("the answer holds no {what}"));
        let distribution = answer.distribution.ok_or_else(|| odd("distribution"))?;
        let config = distribution.distribution_config.ok_or_else(|| odd("configuration"))?;
        let etag = answer.e_tag.filter(|etag| !etag.is_empty()).ok_or_else(|| odd("ETag"))?;
        let mut identity = vec![
            ("arn".to_owned(), clean(&distribution.arn, 300)),
            ("domain".into(), clean(&distribution.domain_name, 300)),
        ];
        let names = config.aliases().map(|aliases| aliases.items().join(", ")).unwrap_or_default();
        if !names.is_empty() {
            identity.push(("names".into(), clean(&names, 300)));
        }
        identity.extend(self.change.state(&config));
        identity.push(("etag".into(), clean(&etag, 100)));
        identity.push(caller(&connection).await?);
        let name = clean(&self.id, 200);
        let target = Target { name, kind: KIND_OF_TARGET.into(), identity, reachable: true };
        Ok((target, Seen { config, etag, status: clean(&distribution.status, 40) }))
    }

    fn notes(&self, seen: &Seen) -> Vec<String> {
        let mut notes = match self.change.difference(&seen.config) {
            Ok(None) => vec!["It is so already: this step will refuse.".into()],
            Ok(Some(_)) => Vec::new(),
            Err(refusal) => refusal.notes(),
        };
        notes.extend(self.change.warnings(&seen.config));
        if seen.status != "Deployed" {
            notes.push(format!(
                "Its status is {}: an earlier change is still on its way to the edges.",
                seen.status
            ));
        }
        if !seen.config.enabled() {
            notes.push("The distribution is DISABLED: it serves nobody, before and after.".into());
        }
        notes.push("Edges follow within minutes; what they have cached stays until its time is over.".into());
        notes
    }

    async fn update(&self, what: &str, seen: Seen) -> Result<(), Failure> {
        let connection = self.place.writer().await;
        let config = self.change.applied(seen.config);
        let call = Call::new("cloudfront:UpdateDistribution", &self.id);
        let send = connection
            .cloudfront()
            .update_distribution()
            .id(&self.id)
            .if_match(seen.etag)
            .distribution_config(config)
            .send();
        match connection.call(&call, send).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == AwsErrorKind::Conflict => Err(Failure::not_done(
                what,
                error.to_string(),
                "Somebody changed the distribution in between; nothing was done. Look at it, then confirm the step again.",
            )),
            Err(error) => Err(error.of_change(what)),
        }
    }

    async fn deployed(&self, what: &str, context: &Context) -> Result<(), Failure> {
        let late = |seen: String| {
            let next = "It goes on by itself: verify the step until it is Deployed.";
            Failure::maybe_done(what, format!("CloudFront has it, and the edges do not all: {seen}"), next)
        };
        let look = || async {
            let (_, seen) = self.inspect().await?;
            Ok(match seen.status == "Deployed" {
                true => Progress::Reached(()),
                false => Progress::Waiting(format!("the distribution is {}", seen.status)),
            })
        };
        wait(context, PAUSE, late, look).await
    }
}
