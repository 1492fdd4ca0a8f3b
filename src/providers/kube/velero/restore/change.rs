//! The life of a restore as a step.

use super::KIND;
use super::follow::Desk;
use super::found::Seen;
use super::made::{Made, name_of};
use super::wanted::Wanted;
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Change, Confirmed, Context, Shown, Unread};
use crate::providers::kube::client::IN_CLUSTER;
use crate::providers::kube::place::Place;
use crate::providers::kube::velero::which::Which;
use crate::providers::program::source::quoted;
use std::time::Duration;

const THERE: &str = "there is a complete backup";
const READABLE: &str = "its storage location can be read";

/// A restore of the backup that a plan means.
pub struct Restore {
    pub place: Place,
    /// Where Velero runs.
    pub namespace: String,
    pub which: Which,
    pub wanted: Wanted,
    pub accepts_warnings: bool,
}

impl Change for Restore {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("restore of {name}")
    }

    async fn unseen(&self) -> Target {
        let name = match &self.which {
            Which::Named(name) | Which::Schedule(name) => name.clone(),
            Which::Prefix(_) | Which::Selected(_) => "backup".to_owned(),
        };
        Target::unseen(&name, KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let seen = Seen::read(self).await?;
        Ok((seen.target(self, KIND.simulated_target), seen))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let call = format!("POST restores.velero.io in {} of {}", self.namespace, self.place.cluster.context);
        let mut notes = seen.and_then(|seen| seen.refused.clone()).map(Problem::notes).unwrap_or_default();
        notes.extend(seen.map(|seen| seen.notes(&self.place.cluster)).unwrap_or_default());
        notes.push(match self.wanted.updates {
            true => {
                "What is there already is patched to what the backup has: newer changes are lost.".to_owned()
            }
            false => "What is there already stays as it is, and is a warning where it differs.".to_owned(),
        });
        notes.push("Nothing takes a restore back: what it brings is deleted by hand.".to_owned());
        Shown {
            call: match seen {
                Some(seen) => format!("{call}: backup {}", seen.backup.name),
                None => format!("{call}: {}", self.which.meant()),
            },
            command: self.by_hand(seen.map(|seen| &*seen.backup.name)),
            notes,
            undo: Vec::new(),
            sets: self.wanted.sets(),
        }
    }

    /// What this very attempt made needs no second call, only its end.
    fn refuses(&self, seen: &Seen, context: &Context) -> Option<Problem> {
        let is_made = seen.under_way.iter().any(|made| made.is_by(&context.token));
        seen.rival(&context.token).or_else(|| seen.refused.clone().filter(|_| !is_made))
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let desk = self.desk(&what, &context.token);
        let spec = self.wanted.spec(&seen.backup.name);
        desk.make(expected.property("uid").unwrap_or_default(), &spec).await?;
        (context.output)(&format!("restore/{} of backup {}", name_of(&context.token), seen.backup.name));
        let made = desk.follow(context).await?;
        Ok(Done { summary: format!("{}: restore/{} is {}", expected.name, made.name, made.words()) })
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let desk = self.desk(&what, &context.token);
        let made = Made::read(&self.place.cluster, &self.namespace, &context.token).await;
        let made = made.map_err(|error| desk.unmade(&error))?;
        let proof = desk.judge(&made, expected, self.accepts_warnings)?;
        Ok(Proof { evidence: vec![proof] })
    }

    async fn goes_on(&self, context: &Context) -> Option<Failure> {
        let what = format!("restore of {}", self.which.meant());
        let under_way = match Made::under_way(&self.place.cluster, &self.namespace).await {
            Ok(under_way) => under_way,
            Err(error) => {
                let why = format!("whether an earlier attempt still restores cannot be told: {error}");
                return Some(Failure::maybe_done(what, why, error.next_step()));
            }
        };
        let made = under_way.iter().find(|made| made.is_earlier_than(&context.token))?;
        Some(Failure::maybe_done(
            what,
            format!("an earlier attempt is under way: restore/{} is {}", made.name, made.progress()),
            format!("Wait for its end: `{}`. Then verify or retry the step.", self.describe(&made.name)),
        ))
    }

    fn needs(&self, permission: &str) -> bool {
        let is_named = matches!(self.which, Which::Named(_));
        match permission {
            "get backups.velero.io" => is_named,
            "list backups.velero.io" => !is_named,
            _ => true,
        }
    }

    fn manual(&self) -> ManualCard {
        let mut instructions = Vec::new();
        if let Which::Selected(selector) = &self.which {
            let get = self.velero(&["backup", "get", "--selector", selector]);
            instructions.push(format!("choose the newest complete backup: {get}"));
        }
        instructions.push(format!("{} --wait", self.by_hand(None)));
        let get = self.velero(&["restore", "get"]);
        let describe = self.describe("NAME");
        ManualCard {
            instructions,
            check: format!("`{get}` shows it as Completed, without errors; `{describe}` has the warnings."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let seen = match self.read().await {
            Ok((_, seen)) => seen,
            Err(unread) => return vec![unread.check(THERE)],
        };
        let words = format!("{}: {}", seen.backup.name, seen.words());
        let there = match seen.backup.warnings + seen.backup.errors {
            0 => Check::pass(THERE, words),
            _ => {
                let next = format!("Read them: `{}`.", self.velero(&["backup", "logs", &seen.backup.name]));
                Check::warn(THERE, words, next)
            }
        };
        let readable = match (seen.location.unreadable(), seen.doubt()) {
            (Some(why), _) => {
                Check::fail(READABLE, why, format!("See `{}`.", self.velero(&["backup-location", "get"])))
            }
            (None, Some(doubt)) => Check::warn(READABLE, doubt, "See whether Velero's server runs."),
            (None, None) => Check::pass(READABLE, format!("{} is available", seen.location.name)),
        };
        let refused = seen.refused.filter(|_| seen.location.unreadable().is_none());
        let refused = refused.map(|problem| problem.check("it would be done"));
        [there, readable].into_iter().chain(refused).collect()
    }
}

impl Restore {
    fn desk<'a>(&'a self, what: &'a str, token: &'a str) -> Desk<'a> {
        Desk {
            cluster: &self.place.cluster,
            namespace: &self.namespace,
            token,
            what,
            describe: self.describe(&name_of(token)),
            server: self.place.command(&["-n", &self.namespace, "get", "deployments"]),
        }
    }

    fn describe(&self, name: &str) -> String {
        self.velero(&["restore", "describe", name, "--details"])
    }

    /// The command that does the same; of the backup of that name, or of the one that is found.
    fn by_hand(&self, backup: Option<&str>) -> String {
        let mut words = vec!["restore", "create"];
        match (backup, &self.which) {
            (Some(name), _) => words.extend(["--from-backup", name]),
            (None, Which::Named(name)) => words.extend(["--from-backup", name]),
            (None, Which::Schedule(name)) => words.extend(["--from-schedule", name]),
            (None, Which::Prefix(_) | Which::Selected(_)) => words.extend(["--from-backup", "BACKUP"]),
        }
        let flags = self.wanted.flags();
        words.extend(flags.iter().map(String::as_str));
        self.velero(&words)
    }

    /// A command of Velero's own program.
    fn velero(&self, words: &[&str]) -> String {
        let mut argv = vec!["velero".to_owned()];
        if &*self.place.cluster.context != IN_CLUSTER {
            argv.extend(["--kubecontext".to_owned(), self.place.cluster.context.to_string()]);
        }
        argv.extend(["--namespace".to_owned(), self.namespace.clone()]);
        argv.extend(words.iter().map(|word| (*word).to_owned()));
        quoted(&argv)
    }
}
