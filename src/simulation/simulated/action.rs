//! Steps that change only the simulated world.

use super::{Inner, effects, target};
use crate::core::words::action::{Acted, Description, Done, Failure, ManualCard, Proof, Target, UNMOVED};
use crate::kinds::action::{Action, Context};
use crate::plan::Step;
use crate::plan::kinds::Does;
use crate::plan::params::Params;
use crate::providers::sets;
use crate::simulation::scenario::{Change, Fault, FaultKind};
use crate::world::later;
use futures::future::{BoxFuture, FutureExt, ready};
use std::sync::Arc;

/// What every description of a simulated step says.
const NOTE: &str = "SIMULATED: nothing outside of this process is touched.";

/// The first line of every manual card.
const NOTHING: &str = "SIMULATED: do nothing of this; attest it to go on with the rehearsal.";

/// One step in the simulated world.
pub(super) struct SimulatedAction {
    inner: Arc<Inner>,
    step: Step,
    params: Params,
    /// What a person would do, in the words of the real kind.
    card: Option<ManualCard>,
}

impl SimulatedAction {
    pub(super) fn new(inner: Arc<Inner>, step: &Step, params: &Params, card: Option<ManualCard>) -> Self {
        Self { inner, step: step.clone(), params: params.clone(), card }
    }

    fn target(&self) -> Target {
        target::of_step(&self.inner, &self.step, &self.params)
    }

    /// As the real kinds say it, where that is not the plan's to say.
    fn undo(&self) -> Vec<String> {
        let is_by_setting = self.step.server().is_some() && self.params.text("method") != Some("stop");
        let fenced = self.step.does == Does::Fences && is_by_setting;
        let commands = [
            "alter system reset default_transaction_read_only".to_owned(),
            "select pg_reload_conf()".to_owned(),
        ];
        if fenced { commands.into() } else { Vec::new() }
    }

    fn call(&self) -> String {
        target::call(&self.step, &self.params)
    }

    /// Whether the scenario says what it changes.
    fn is_scripted(&self) -> bool {
        effects::reactions(&self.inner.scenario, &self.step).any(|reaction| !reaction.changes.is_empty())
    }

    /// What it changes by what the plan says of it: its kind, or that it switches, where the scenario does not say more.
    fn own(&self) -> Option<Change> {
        let plan = &self.inner.plan;
        let switched = || effects::switched(plan, &self.step).filter(|_| !self.is_scripted());
        effects::of_kind(plan, &self.step, &self.params).or_else(switched)
    }

    /// That its proof may never come: nothing here changes what the plan reads back.
    fn unproven(&self) -> Option<String> {
        let proof = self.step.verify.as_ref()?.source();
        let routed = !effects::routes(&self.inner.plan, &self.step).is_empty();
        (self.own().is_none() && !routed && !self.is_scripted()).then(|| {
            format!(
                "{UNMOVED}. If its proof ({proof}) does not hold already, it never will here, which is no fault of \
                 the plan: attest the step to go on."
            )
        })
    }

    fn failure(&self, why: &str, next: &str, acted: Acted) -> Failure {
        Failure {
            what: format!("simulated: {}", self.call()),
            why: why.to_owned(),
            next: next.to_owned(),
            acted,
        }
    }

    /// The target as it is at the moment of acting, when it is still the one that was confirmed.
    fn still(&self, expected: &Target, fault: Option<&Fault>) -> Result<(), Failure> {
        let mut found = self.target();
        if fault.is_some_and(|fault| fault.how == FaultKind::TargetChanged) {
            found = target::replaced(found);
        }
        if !found.reachable {
            let next =
                "Try again when it answers, do it by hand and attest it, or skip the step with a reason.";
            return Err(self.failure(&format!("{} does not answer", found.name), next, Acted::No));
        }
        if found.name != expected.name || found.identity != expected.identity {
            return Err(Failure::target_changed(expected, &found));
        }
        Ok(())
    }

    /// Prints plausible lines while time passes.
    async fn play(&self, context: &Context) {
        let scripted =
            effects::reactions(&self.inner.scenario, &self.step).flat_map(|reaction| &reaction.output);
        let mut lines: Vec<String> = scripted.cloned().collect();
        if lines.is_empty() {
            lines = vec![format!("connecting to {}", self.target().name), self.call()];
        }
        let takes = effects::takes(&self.inner.scenario, &self.step);
        let pause = takes / i32::try_from(lines.len() + 1).unwrap_or(i32::MAX);
        for line in lines {
            self.inner.clock.sleep(pause).await;
            (context.output)(&format!("simulated: {line}"));
        }
        self.inner.clock.sleep(pause).await;
        if let Some(unproven) = self.unproven() {
            (context.output)(&unproven);
        }
    }

    /// Changes the world by what the kind does and what the scenario says.
    fn take_effect(&self) {
        let now = self.inner.clock.now();
        let own = self.own();
        let plan = &self.inner.plan;
        let mut history = self.inner.history();
        history.change(now, own.into_iter().chain(effects::routes(plan, &self.step)));
        history.change(now, effects::rebuilt(plan, &self.step));
        if !self.is_scripted() {
            history.change(now, effects::scaled(plan, &self.step, &self.params));
        }
        for reaction in effects::reactions(&self.inner.scenario, &self.step) {
            history.change(later(now, reaction.after), reaction.changes.iter().cloned());
        }
        history.finish(&self.step.id);
    }

    async fn run(&self, expected: &Target, context: &Context) -> Result<Done, Failure> {
        let attempt = self.inner.history().attempt(&self.step.id);
        let fault = effects::fault(&self.inner.scenario, &self.step, attempt);
        self.still(expected, fault)?;
        if let Some(fault) = fault.filter(|fault| fault.how == FaultKind::Hangs) {
            self.inner.clock.sleep(context.timeout).await;
            return Err(self.failure(&fault.why, "Look at the target before you try again.", Acted::Maybe));
        }
        self.play(context).await;
        match fault {
            Some(fault) if fault.how == FaultKind::Refused => {
                Err(self.failure(&fault.why, "Try again, or do it by hand and attest it.", Acted::No))
            }
            Some(fault) => {
                self.take_effect();
                Err(self.failure(&fault.why, "Look at the target: it may have been done.", Acted::Maybe))
            }
            None => {
                self.take_effect();
                Ok(Done { summary: format!("simulated: {}", self.call()) })
            }
        }
    }

    /// Reads the simulated world back.
    fn effect(&self) -> Result<Proof, Failure> {
        let state = self.inner.state();
        let evidence = match effects::of_kind(&self.inner.plan, &self.step, &self.params) {
            Some(Change::Promoted(region)) => state.promoted_at(Some(&region)).map(|at| {
                let managed = self.step.server().is_none();
                let also = if managed { "its status is available" } else { "timeline is 2" };
                vec![format!("role is primary since {at:.0}"), also.into(), "a write worked".into()]
            }),
            Some(Change::Unfenced(region)) => {
                (!state.is_fenced(Some(&region))).then(|| vec!["a write was accepted".to_owned()])
            }
            Some(Change::Fenced(region)) => {
                state.is_fenced(Some(&region)).then(|| vec!["a write was refused".to_owned()])
            }
            _ => {
                let done = self.inner.history().is_done(&self.step.id);
                done.then(|| vec!["the simulated world shows its effect".to_owned()])
            }
        };
        match evidence {
            Some(lines) => {
                Ok(Proof { evidence: lines.iter().map(|line| format!("simulated: {line}")).collect() })
            }
            None => Err(self.failure("its effect is not there", "Run the step again.", Acted::No)),
        }
    }
}

impl Action for SimulatedAction {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        let call = self.call();
        let command = self.params.texts("argv").join(" ");
        let command = if command.is_empty() { call.clone() } else { command };
        let description = Description {
            call,
            command,
            target: self.target(),
            notes: std::iter::once(NOTE.to_owned()).chain(self.unproven()).collect(),
            undo: self.undo(),
            sets: sets::of_params(&self.step.action, &self.params),
        };
        ready(Ok(description)).boxed()
    }

    fn execute<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Done, Failure>> {
        self.run(expected, context).boxed()
    }

    fn verify<'a>(&'a self, _: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        ready(self.effect()).boxed()
    }

    fn manual(&self) -> ManualCard {
        let instructions =
            self.card.as_ref().map_or_else(|| vec![self.call()], |card| card.instructions.clone());
        let check = self.card.as_ref().map_or("It is done.", |card| &card.check);
        ManualCard {
            instructions: [NOTHING.to_owned()].into_iter().chain(instructions).collect(),
            check: check.to_owned(),
        }
    }
}
