//! `wait-for`: waits until a condition or a signal's state holds, for as long as it must.

use super::{Provider, row};
use crate::base::problem::Problem;
use crate::base::words;
use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::{Action, Built, Conditions, Context};
use crate::plan::condition::{Condition, Truth};
use crate::plan::keys::{Key, Named, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::{Param, Params};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, Fuse, FusedFuture, pending, ready, select};
use jiff::SignedDuration;

const STATES: &[&str] = &["ok", "warn", "critical", "unknown"];

/// The signals of the plan, waited for.
pub(super) static PROVIDER: Provider = Provider { actions: &[row!(self)], ..Provider::NONE };

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "wait-for",
    does: Does::Waits,
    simulated_target: "simulated target",
    sets: &[],
    doc: "Waits until a condition holds, or a signal is in a state, without a break for `sustain`. It changes \
          nothing. The step's `timeout` bounds the wait. A wait for how far a standby is behind fails at once where \
          that server is no standby any more, or where its replay is paused.",
    keys: &[
        Key::optional("condition", Takes::Condition, "What to wait for; either this or `signal`."),
        Key::optional("signal", Takes::Name(Named::Probe), "The probe whose signal to wait for."),
        Key::default("state", Takes::Choice(STATES), "ok", "The state that `signal` must be in."),
        Key::default("sustain", Takes::Duration, "0s", "How long it must hold without a break."),
    ],
    changes: false,
    verifies: true,
    verifies_with: None,
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "api-healthy"
title = "Wait until the API is healthy"
action = "wait-for"
with.signal = "dr-api"
with.state = "ok"
with.sustain = "30s"
timeout = "5m"
"#,
    call: |params| match condition_of(params) {
        Ok(condition) => format!("wait until {}", condition.source()),
        Err(_) => "wait".to_owned(),
    },
};

pub(crate) fn build(params: &Params, _clients: &crate::providers::clients::Clients) -> Built {
    let sustain = params.duration("sustain").unwrap_or_default().max(SignedDuration::ZERO);
    Ok(Box::new(WaitFor { condition: condition_of(params)?, sustain }))
}

fn condition_of(params: &Params) -> Result<Condition, BuildError> {
    let wrong = |key: &str, value: &str, why: &str| BuildError::Value {
        key: key.to_owned(),
        value: value.to_owned(),
        why: why.to_owned(),
    };
    match (params.get("condition"), params.text("signal")) {
        (Some(Param::Condition(condition)), None) => Ok(condition.clone()),
        (None, Some(signal)) => {
            let state = params.text("state").unwrap_or("ok");
            let source = format!("signals['{signal}'].state == '{state}'");
            serde_json::from_value(source.clone().into())
                .map_err(|error| wrong("signal", signal, &format!("`{source}` is no condition: {error}")))
        }
        (None, None) => Err(wrong("condition", "", "give `condition` or `signal`")),
        (Some(_), Some(signal)) => Err(wrong("signal", signal, "give either `condition` or `signal`")),
        (Some(_), None) => Err(wrong("condition", "", "it takes a condition")),
    }
}

struct WaitFor {
    condition: Condition,
    sustain: SignedDuration,
}

impl WaitFor {
    fn what(&self) -> String {
        format!("waiting until {}", self.condition.source())
    }

    async fn wait(&self, context: &Context) -> Result<Done, Failure> {
        let world = &*context.conditions;
        let mut progress = Progress::new(context);
        let mut over = world.sleep(context.timeout);
        let mut held: Fuse<BoxFuture<'_, ()>> = Fuse::terminated();
        loop {
            // Before evaluating, so that a change in between is not missed.
            let changed = world.changed();
            let truth = world.evaluate(&self.condition);
            progress.say(&truth, self.sustain, &self.condition);
            if truth != Truth::True
                && let Some(never) = world.never(&self.condition)
            {
                return Err(self.in_vain(never));
            }
            match &truth {
                Truth::True if self.sustain.is_zero() => return Ok(self.done()),
                Truth::True if held.is_terminated() => held = world.sleep(self.sustain).fuse(),
                Truth::True => {}
                Truth::False | Truth::Unknown(_) => held = Fuse::terminated(),
            }
            let sustained = async { if held.is_terminated() { pending().await } else { (&mut held).await } };
            match select(select(changed, Box::pin(sustained)), &mut over).await {
                Either::Left((Either::Left(_), _)) => {}
                // Ages pass without a change that would have been told.
                Either::Left((Either::Right(_), _)) => match world.evaluate(&self.condition) {
                    Truth::True => return Ok(self.done()),
                    Truth::False | Truth::Unknown(_) => held = Fuse::terminated(),
                },
                Either::Right(_) => return Err(self.too_late(context, &truth)),
            }
        }
    }

    fn done(&self) -> Done {
        let held = match self.sustain.is_zero() {
            true => String::new(),
            false => format!(" and did for {}", words::seconds(self.sustain.as_secs_f64())),
        };
        Done { summary: format!("{} holds{held}", self.condition.source()) }
    }

    /// It waits for what cannot come.
    fn in_vain(&self, never: Problem) -> Failure {
        Failure::not_done(self.what(), format!("it can never come true: {}", never.why), never.next)
    }

    fn too_late(&self, context: &Context, truth: &Truth) -> Failure {
        let within = words::seconds(context.timeout.as_secs_f64());
        let why = match truth {
            Truth::True => format!("it holds, but did not for long enough within {within}"),
            Truth::False => format!("it does not hold after {within}: {}", values(context, &self.condition)),
            Truth::Unknown(why) => format!("it is not known after {within}: {why}"),
        };
        Failure::not_done(
            self.what(),
            why,
            "Look at the signals it names, then retry the wait, or skip it with a reason.",
        )
    }
}

/// What the names of the condition are now.
fn values(context: &Context, condition: &Condition) -> String {
    context.conditions.values(condition).join(", ")
}

/// Says what is waited for, once for each change.
struct Progress<'a> {
    context: &'a Context,
    said: Option<String>,
}

impl<'a> Progress<'a> {
    fn new(context: &'a Context) -> Self {
        Self { context, said: None }
    }

    fn say(&mut self, truth: &Truth, sustain: SignedDuration, condition: &Condition) {
        let line = match truth {
            Truth::True if sustain.is_zero() => "it holds".to_owned(),
            Truth::True => format!("it holds; must do so for {}", words::seconds(sustain.as_secs_f64())),
            Truth::False => match values(self.context, condition) {
                values if values.is_empty() => "not yet".to_owned(),
                values => format!("not yet: {values}"),
            },
            Truth::Unknown(why) => format!("not known: {why}"),
        };
        if self.said.as_ref() != Some(&line) {
            (self.context.output)(&line);
            self.said = Some(line);
        }
    }
}

impl Action for WaitFor {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        let mut notes = vec!["It changes nothing.".to_owned()];
        if !self.sustain.is_zero() {
            notes.push(format!("It must hold for {}.", words::seconds(self.sustain.as_secs_f64())));
        }
        Box::pin(ready(Ok(Description {
            call: format!("wait until {}", self.condition.source()),
            command: "none: watch the signals".into(),
            target: Target {
                name: self.condition.source().to_owned(),
                kind: "condition".into(),
                identity: Vec::new(),
                reachable: true,
            },
            notes,
            undo: Vec::new(),
            sets: Vec::new(),
        })))
    }

    fn execute<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.wait(context))
    }

    fn verify<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        let conditions: &dyn Conditions = &*context.conditions;
        let why = match conditions.evaluate(&self.condition) {
            Truth::True => {
                let evidence = vec![format!("{} is true", self.condition.source())];
                return Box::pin(ready(Ok(Proof { evidence })));
            }
            Truth::False => "it no longer holds".to_owned(),
            Truth::Unknown(why) => format!("it is not known any more: {why}"),
        };
        let next = "Look at the signals it names, then retry the wait.";
        Box::pin(ready(Err(Failure::not_done(self.what(), why, next))))
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![format!("Wait until {}", self.condition.source())],
            check: match self.sustain.is_zero() {
                true => "It holds.".to_owned(),
                false => format!("It holds for {}.", words::seconds(self.sustain.as_secs_f64())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::sync::Notify;

    /// A condition whose truth the test sets.
    struct Scripted {
        truth: Mutex<Truth>,
        notify: Notify,
    }

    impl Scripted {
        fn set(&self, truth: Truth) {
            *self.truth.lock().unwrap() = truth;
            self.notify.notify_waiters();
        }
    }

    impl Conditions for Scripted {
        fn evaluate(&self, _: &Condition) -> Truth {
            self.truth.lock().unwrap().clone()
        }
        fn changed(&self) -> BoxFuture<'_, ()> {
            Box::pin(self.notify.notified())
        }
        fn sleep(&self, duration: SignedDuration) -> BoxFuture<'_, ()> {
            Box::pin(tokio::time::sleep(duration.unsigned_abs()))
        }
    }

    struct Scene {
        script: Arc<Scripted>,
        lines: Arc<Mutex<Vec<String>>>,
        context: Context,
        action: WaitFor,
    }

    fn scene(first: Truth, sustain: i64, timeout: i64) -> Scene {
        let script = Arc::new(Scripted { truth: Mutex::new(first), notify: Notify::new() });
        let (context, lines) = crate::testing::context(timeout * 1000);
        let context = Context { conditions: script.clone(), ..context };
        let params = [("signal".to_owned(), Param::Text("api".into()))].into_iter().collect();
        let condition = condition_of(&Params(params)).unwrap();
        let action = WaitFor { condition, sustain: SignedDuration::from_secs(sustain) };
        Scene { script, lines, context, action }
    }

    async fn after(seconds: u64) {
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_must_hold_without_a_break() {
        let scene = scene(Truth::True, 30, 100);
        let started = tokio::time::Instant::now();
        let changes = async {
            after(20).await;
            scene.script.set(Truth::Unknown("the reading is old".into()));
            after(5).await;
            scene.script.set(Truth::True);
            after(10).await;
            // A change elsewhere does not start the time again.
            scene.script.set(Truth::True);
        };
        let (waited, ()) = tokio::join!(scene.action.wait(&scene.context), changes);
        assert_eq!(waited.unwrap().summary, "signals['api'].state == 'ok' holds and did for 30 s");
        assert_eq!(started.elapsed().as_secs(), 55);
        assert_eq!(scene.lines.lock().unwrap().len(), 3, "{:?}", scene.lines);
    }

    #[tokio::test(start_paused = true)]
    async fn what_ceased_to_hold_unnoticed_does_not_count() {
        let scene = scene(Truth::True, 30, 100);
        let started = tokio::time::Instant::now();
        let changes = async {
            after(20).await;
            *scene.script.truth.lock().unwrap() = Truth::Unknown("the reading grew old".into());
            after(20).await;
            scene.script.set(Truth::True);
        };
        let (waited, ()) = tokio::join!(scene.action.wait(&scene.context), changes);
        waited.unwrap();
        assert_eq!(started.elapsed().as_secs(), 70);
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_never_ends_the_wait_and_the_deadline_does() {
        let scene = scene(Truth::Unknown("no reading yet".into()), 0, 60);
        let failure = scene.action.wait(&scene.context).await.unwrap_err();
        assert_eq!(failure.why, "it is not known after 60 s: no reading yet");
        let target = scene.action.describe().await.unwrap().target;
        assert!(scene.action.verify(&target, &scene.context).await.is_err());
    }

    #[test]
    fn it_waits_for_one_thing() {
        let text = |key: &str| (key.to_owned(), Param::Text("x".into()));
        assert!(condition_of(&Params::default()).is_err());
        let condition = serde_json::from_value::<Condition>("true".into()).unwrap();
        let both = [text("signal"), ("condition".to_owned(), Param::Condition(condition))];
        assert!(condition_of(&Params(both.into_iter().collect())).is_err());
    }
}
