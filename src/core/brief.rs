//! The sixty-second brief: what somebody who takes over has to know, from the journal alone.

use crate::core::model::Model;
use jiff::Timestamp;

/// The brief, a line each; what happened, how it stands, what is next, who knows.
pub fn lines(model: &Model, now: Timestamp) -> Vec<String> {
    let page = crate::core::message::page(model, now, "");
    page.body.lines().map(str::to_owned).collect()
}
