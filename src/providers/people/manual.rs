//! `manual`: a person does it and attests that it is done.

use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::{Action, Built, Context};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use futures::future::{BoxFuture, ready};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "manual",
    does: Does::ByHand,
    simulated_target: "simulated target",
    sets: &[],
    doc: "Something that only a person can do: a console of a provider, a phone call, a switch in a rack. \
          lifeboat shows the instructions and the check; the operator does it and attests it with a reason.",
    keys: &[
        Key::required(
            "instructions",
            Takes::List(&Takes::Text),
            "What to do, in order: exact commands or clicks.",
        ),
        Key::required("check", Takes::Text, "How to see that it worked."),
        Key::default("target", Takes::Text, "by hand", "What it acts on, as the confirmation names it."),
    ],
    // lifeboat itself changes nothing; the person's attestation is the proof.
    changes: false,
    verifies: false,
    verifies_with: None,
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "freeze-deploys"
title = "Freeze deployments"
action = "manual"
with.target = "deploy pipeline"
with.instructions = ["Open the pipeline's settings", "Switch on `Freeze`, with the incident's name as reason"]
with.check = "The banner of the pipeline says `frozen`."
"#,
    call: |params| format!("by hand: {}", params.texts("instructions").join("; ")),
};

pub(crate) fn build(params: &Params, _clients: &crate::providers::clients::Clients) -> Built {
    Ok(Box::new(Manual {
        target: params.text("target").unwrap_or("by hand").to_owned(),
        card: ManualCard {
            instructions: params.texts("instructions").into_iter().map(str::to_owned).collect(),
            check: params.require_text("check")?.to_owned(),
        },
    }))
}

struct Manual {
    target: String,
    card: ManualCard,
}

impl Manual {
    fn by_a_person(&self) -> Failure {
        Failure::not_done(
            format!("manual step on {}", self.target),
            "only a person can do it and see that it is done",
            "Follow the instructions, check the result, then attest the step.",
        )
    }
}

impl Action for Manual {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        Box::pin(ready(Ok(Description {
            call: "by hand".into(),
            command: self.card.instructions.join("\n"),
            target: Target {
                name: self.target.clone(),
                kind: "done by a person".into(),
                identity: Vec::new(),
                reachable: true,
            },
            notes: vec![format!("Check: {}", self.card.check)],
            undo: Vec::new(),
            sets: Vec::new(),
        })))
    }

    fn execute<'a>(&'a self, _: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(ready(Err(self.by_a_person())))
    }

    fn verify<'a>(&'a self, _: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(ready(Err(self.by_a_person())))
    }

    fn manual(&self) -> ManualCard {
        self.card.clone()
    }
}
