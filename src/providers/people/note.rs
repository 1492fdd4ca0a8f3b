//! `note`: puts a text into the journal.

use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::{Action, Built, Context};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use futures::future::{BoxFuture, ready};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "note",
    does: Does::Notes,
    simulated_target: "simulated target",
    sets: &[],
    doc: "Records a text in the journal: a milestone, a decision, a reminder at the right moment. It changes \
          nothing else.",
    keys: &[Key::required("text", Takes::Text, "What to record.")],
    changes: false,
    verifies: true,
    verifies_with: None,
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "traffic-moved"
title = "Note that traffic moved"
action = "note"
with.text = "Traffic is served from the DR region from here on."
"#,
    call: |params| format!("record: {}", params.text("text").unwrap_or_default()),
};

pub(crate) fn build(params: &Params, _clients: &crate::providers::clients::Clients) -> Built {
    Ok(Box::new(Note { text: params.require_text("text")?.to_owned() }))
}

struct Note {
    text: String,
}

impl Action for Note {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        Box::pin(ready(Ok(Description {
            call: format!("record: {}", self.text),
            command: "none: it is a note".into(),
            target: Target {
                name: "journal".into(),
                kind: "the journal of this plan".into(),
                identity: Vec::new(),
                reachable: true,
            },
            notes: Vec::new(),
            undo: Vec::new(),
            sets: Vec::new(),
        })))
    }

    fn execute<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Done, Failure>> {
        (context.output)(&self.text);
        Box::pin(ready(Ok(Done { summary: self.text.clone() })))
    }

    fn verify<'a>(&'a self, _: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(ready(Ok(Proof { evidence: vec!["the text stands in the journal".into()] })))
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![format!("Write down, with the time: {}", self.text)],
            check: "It can be read by those who write the report.".into(),
        }
    }
}
