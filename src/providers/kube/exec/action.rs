//! `kube-exec`: runs a program in a container of a pod.

use super::chosen::{Chosen, What};
use super::ran::Ran;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Call, Ended};
use crate::providers::kube::place::{CONTEXT, NAMESPACE, Place, checked};
use crate::providers::program::source::{program_words, quoted};
use crate::secrets::Redactor;
use std::time::Duration;

/// Arguments are a part of the request's address, which servers and balancers take up to a length only.
const MAX_ARGV_BYTES: usize = 16 << 10;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-exec",
    does: Does::Runs,
    simulated_target: "container",
    sets: &[],
    doc: "Runs a program in a container of a pod, as `kubectl exec` does: without a shell unless the program is one, without \
          a terminal and without input. Its output is shown as it comes, cleared of secrets. The confirmation shows the \
          pod and the container; the step refuses when the pod is another one by then. Exit code 0 is success; anything \
          else may have changed something, so that the step becomes unknown. So it does when the connection breaks or its \
          time is over: the program may then go on in the pod, where nothing ends it. It is never run a second time by \
          itself. Arguments take no secrets: they are written into the API server's audit log. It proves its effect with \
          `verify_argv`, in the same container, or the step has a `verify` condition.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        Key::required(
            "target",
            Takes::Text,
            "`deployment/NAME`, `statefulset/NAME` or `daemonset/NAME`, of whose pods the one is taken that is ready for the \
             longest time, or `pod/NAME`.",
        ),
        Key::optional(
            "container",
            Takes::Text,
            "Which container of the pod; where absent the one that the pod marks as its default \
             (`kubectl.kubernetes.io/default-container`), or else its first.",
        ),
        Key::required("argv", Takes::List(&Takes::Text), "Program and arguments."),
        Key::optional(
            "verify_argv",
            Takes::List(&Takes::Text),
            "A program of the same container that changes nothing and exits with 0 when the effect is there.",
        ),
    ],
    changes: true,
    verifies: false,
    verifies_with: Some("verify_argv"),
    permissions: &[
        "get deployments.apps",
        "get statefulsets.apps",
        "get daemonsets.apps",
        "list replicasets.apps",
        "list pods",
        "get pods",
        "get pods/exec",
        "create pods/exec",
    ],
    example: r#"[[runbooks.example.steps]]
id = "migrate"
title = "Bring the DR database to the API's schema"
action = "kube-exec"
with.context = "dr"
with.namespace = "shop"
with.target = "deployment/api"
with.argv = ["npm", "run", "db:migrate"]
with.verify_argv = ["npm", "run", "db:status"]
confirm = "type"
timeout = "10m"
"#,
    call: |params| {
        let of = |key: &str| params.text(key).unwrap_or_default();
        let namespace = params.text("namespace").map(|name| format!(" in {name}")).unwrap_or_default();
        format!("run {} in {}{namespace} of {}", program_words(params, "argv"), of("target"), of("context"))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let container = params.text("container").map(|name| checked("container", name)).transpose()?;
    Ok(Box::new(Changing(Exec {
        place: Place::of(params, clients)?,
        what: What::of(params)?,
        container: container.map(str::to_owned),
        argv: argv(params, "argv")?,
        check: params.get("verify_argv").map(|_| argv(params, "verify_argv")).transpose()?,
        redactor: clients.redactor.clone(),
    })))
}

fn argv(params: &Params, key: &str) -> Result<Vec<String>, BuildError> {
    let argv: Vec<String> = params.texts(key).into_iter().map(str::to_owned).collect();
    let bytes: usize = argv.iter().map(String::len).sum();
    if argv.first().is_none_or(|program| program.is_empty()) {
        return Err(BuildError::value(key, "", "it has no program: write a program and its arguments"));
    }
    if bytes > MAX_ARGV_BYTES {
        let why = format!(
            "it has {bytes} bytes, and {MAX_ARGV_BYTES} reach a container: have a script there that does it"
        );
        return Err(BuildError::value(key, &argv[0], why));
    }
    Ok(argv)
}

struct Exec {
    place: Place,
    what: What,
    container: Option<String>,
    argv: Vec<String>,
    check: Option<Vec<String>>,
    redactor: Redactor,
}

impl Change for Exec {
    type Seen = Chosen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("{} in {name}", self.argv[0])
    }

    async fn unseen(&self) -> Target {
        let namespace = self.place.namespace.as_deref().unwrap_or("default");
        Target::unseen(&self.name(namespace), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Chosen), Unread> {
        let call = Call::new("get pods", self.place.words());
        let namespace = self.place.namespace(&call).await?;
        let cluster = &self.place.cluster;
        let chosen = self.what.read(cluster, &namespace, self.container.as_deref()).await?;
        let target = Target {
            name: self.name(&namespace),
            kind: KIND.simulated_target.into(),
            identity: chosen.identity(cluster),
            reachable: true,
        };
        Ok((target, chosen))
    }

    fn show(&self, seen: Option<&Chosen>) -> Shown {
        let program = quoted(&self.argv);
        let proof = match &self.check {
            Some(check) => format!("Proven there by: {}", quoted(check)),
            None => "It is the plan that says what this acts on; lifeboat cannot read it back.".to_owned(),
        };
        let chosen = seen.and_then(|seen| {
            let ready = seen.ready.filter(|ready| *ready > 1)?;
            Some(format!("{} is ready for the longest time of {ready} pods that are", seen.pod))
        });
        let ends = "Nothing ends the program but itself: once it began, stopping the step leaves it running.";
        Shown {
            call: match seen {
                Some(seen) => format!("run {program} in {} of pod {}", seen.container, seen.pod),
                None => format!("run {program} in {}", self.what.words()),
            },
            command: self.by_hand(seen, &self.argv),
            notes: chosen.into_iter().chain([proof, ends.to_owned()]).collect(),
            ..Shown::default()
        }
    }

    async fn send(&self, confirmed: Confirmed<'_, Chosen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, .. } = confirmed;
        let cluster = &self.place.cluster;
        let ran = Ran::of(cluster, &seen, &self.argv, &self.redactor, context).await;
        let ran = ran.map_err(|error| error.of_change(&what))?;
        match &ran.ended {
            Ended::Exited(0) => {
                let took = ran.elapsed.as_secs_f64();
                Ok(Done { summary: format!("{what}: done in pod {} in {took:.1} s", seen.pod) })
            }
            Ended::NotBegun(_) => {
                let next = "Nothing was run. Mend what it names, then confirm the step again.";
                Err(Failure::not_done(what, ran.words(), next))
            }
            _ if ran.may_go_on() => {
                let look = self.by_hand(Some(&seen), &["ps".to_owned(), "-ef".to_owned()]);
                let next = format!(
                    "The program may go on in the pod: look by `{look}`. Verify the step; run it again only once it has ended."
                );
                Err(Failure::maybe_done(what, ran.words(), next))
            }
            _ => {
                let next = "Read its output, look at what it acts on, then verify, retry or attest the step.";
                Err(Failure::maybe_done(what, ran.words(), next))
            }
        }
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = format!("verification for {}", expected.name);
        let Some(check) = &self.check else {
            return Err(Failure::not_done(
                what,
                "the program alone cannot prove its effect",
                "Check it by hand and attest the step, or give `verify_argv` or `verify` in the plan.",
            ));
        };
        let call = Call::new("get pods", self.place.words());
        let cluster = &self.place.cluster;
        let namespace = self.place.namespace(&call).await;
        let namespace = namespace.map_err(|error| Unread::from(error).not_done(&*what))?;
        let chosen = Chosen::confirmed(cluster, &namespace, expected).await;
        let chosen = chosen.map_err(|unread| unread.not_done(&*what))?;
        let ran = Ran::of(cluster, &chosen, check, &self.redactor, context).await;
        let ran = ran.map_err(|error| Failure::not_done(&*what, error.to_string(), error.next_step()))?;
        if ran.ended != Ended::Exited(0) {
            let next = "Look at what the step acts on; verify again when it should be there.";
            return Err(Failure::not_done(what, ran.words(), next));
        }
        let place = format!("in {} of pod {}", chosen.container, chosen.pod);
        let evidence = format!("{} {place} exited with 0: {}", quoted(check), ran.last_line());
        Ok(Proof { evidence: vec![evidence] })
    }

    fn needs(&self, permission: &str) -> bool {
        self.what.needs(permission)
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.by_hand(None, &self.argv)],
            check: match &self.check {
                Some(check) => format!("`{}` exits with 0.", self.by_hand(None, check)),
                None => format!("See that {} is as the step's title says.", self.what.words()),
            },
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let what = "its container";
        vec![match self.read().await {
            Ok((_, seen)) => Check::pass(what, format!("{} of pod {} runs", seen.container, seen.pod)),
            Err(unread) => unread.check(what),
        }]
    }
}

impl Exec {
    fn name(&self, namespace: &str) -> String {
        format!("{namespace}/{}", self.what.name())
    }

    /// As a person runs it: in the pod that was chosen, where one was.
    fn by_hand(&self, seen: Option<&Chosen>, argv: &[String]) -> String {
        let target = seen.map_or_else(|| self.what.words(), |seen| format!("pod/{}", seen.pod));
        let container = seen.map(|seen| seen.container.clone()).or_else(|| self.container.clone());
        let mut words = vec!["exec", &target];
        words.extend(container.iter().flat_map(|name| ["-c", name]));
        words.push("--");
        words.extend(argv.iter().map(String::as_str));
        self.place.command(&words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{clients, try_step};

    #[test]
    fn arguments_that_a_container_cannot_or_must_not_get_are_refused_at_load() {
        let with = |argv: &str| {
            let text = KIND.example.replace(r#"["npm", "run", "db:migrate"]"#, argv);
            try_step(&text).map(|step| step.params).map_err(|problems| problems.to_string())
        };
        let refused = with(r#"["psql", { secret = "db" }]"#).unwrap_err();
        assert!(refused.contains("argv"), "{refused}");
        for bad in [r#"[""]"#.to_owned(), format!(r#"["echo", "{}"]"#, "x".repeat(MAX_ARGV_BYTES))] {
            let built =
                with(&bad).map_err(|_| ()).and_then(|params| build(&params, &clients(&[])).map_err(|_| ()));
            assert!(built.is_err(), "{}", &bad[..bad.len().min(40)]);
        }
        build(&with(r#"["echo", ""]"#).unwrap(), &clients(&[])).unwrap();
    }

    #[test]
    fn a_plan_shows_what_is_run_where() {
        let step = try_step(KIND.example).unwrap_or_else(|problems| panic!("{problems}"));
        let call = (KIND.call)(&step.params);
        assert_eq!(call, "run npm run db:migrate in deployment/api in shop of dr");
    }
}
