//! What came of one message, as a line and as JSON.

use crate::base::text::clean;
use crate::core::words::notification::{Again, Intent, Receipt, Undelivered};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// The longest name or address in a line, in characters.
const NAME_LIMIT_CHARS: usize = 60;
/// The longest answer in a line, in characters.
const ANSWER_LIMIT_CHARS: usize = 400;

/// One message and its answer.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) channel: String,
    pub(super) kind: String,
    pub(super) who: String,
    pub(super) address: Option<String>,
    pub(super) intent: Intent,
    pub(super) result: Result<Receipt, Undelivered>,
    pub(super) took: Duration,
}

impl Row {
    pub(super) fn word(&self) -> &'static str {
        match &self.result {
            Ok(_) => "accepted",
            Err(failure) if failure.again == Again::Maybe => "unknown",
            Err(_) => "failed",
        }
    }

    pub(super) fn write(&self, text: &mut String) {
        let (who, took) = (clean(&self.who, NAME_LIMIT_CHARS), self.took.as_secs_f64());
        let address = self.address.as_deref().unwrap_or_default();
        let way = format!("{} {}", self.channel, clean(address, NAME_LIMIT_CHARS));
        let _ = write!(
            text,
            "{:<8}  {who}: {} ({}) in {took:.1} s",
            self.word(),
            way.trim_end(),
            self.intent.as_str()
        );
        let _ = match &self.result {
            Ok(receipt) => {
                let answer = clean(&receipt.answer, ANSWER_LIMIT_CHARS);
                let id = clean(&receipt.id, NAME_LIMIT_CHARS);
                let id = if id.is_empty() { id } else { format!(" [id {id}]") };
                writeln!(text, ": {answer}{id}")
            }
            Err(failure) => {
                let why = clean(&failure.why, ANSWER_LIMIT_CHARS);
                writeln!(text, ": {why}\n          next: {}", clean(&failure.next, ANSWER_LIMIT_CHARS))
            }
        };
    }

    /// The shape is documented; scripts rely on it.
    pub(super) fn as_json(&self) -> Value {
        let receipt = self.result.as_ref().ok();
        let failure = self.result.as_ref().err();
        json!({
            "channel": self.channel,
            "kind": self.kind,
            "who": self.who,
            "address": self.address,
            "intent": self.intent.as_str(),
            "result": self.word(),
            "id": receipt.map(|receipt| &receipt.id),
            "answer": receipt.map(|receipt| &receipt.answer),
            "cut": receipt.map(|receipt| &receipt.cut),
            "why": failure.map(|failure| &failure.why),
            "next": failure.map(|failure| &failure.next),
            "took_s": self.took.as_secs_f64(),
        })
    }
}
