//! What did not end with the incident: data that two servers hold differently, and what is still in force.

use super::markdown::{items, text, time};
use super::story::Story;
use crate::core::ask::divergence::{DIVERGED, Split};
use crate::core::ask::{attested, in_force};

/// What went apart while it lasted, and what became of it.
pub(super) fn diverged(story: &Story) -> Vec<String> {
    let began = story.incident.detected_at;
    let is_of_it =
        |split: &&Split| split.until.is_none_or(|until| until >= began) && split.since <= story.until;
    story.model.durable.splits.iter().filter(is_of_it).map(said).collect()
}

fn said(split: &Split) -> String {
    let became = match &split.settled {
        Some(word) => format!("{} {}: {}", time(word.at), text(&word.by), text(&word.reason)),
        None => "**NOBODY has said what became of that data.**".to_owned(),
    };
    format!("{DIVERGED}: {} {became}", text(&split.sentence()))
}

/// What nobody knew of which region serves at its end.
pub(super) fn unproven(story: &Story) -> Vec<String> {
    items(attested::sentences(&story.model, story.until).iter().map(|said| text(said)).collect())
}

/// What its steps did and nothing had taken back at its end.
pub(super) fn in_force(story: &Story) -> Vec<String> {
    let mut left = in_force::pending(&story.model);
    left.retain(|left| left.incident == story.incident.id);
    left.sort_by_key(in_force::InForce::order);
    items(left.iter().map(|left| text(&format!("{}: {}", left.heading(), left.sentence()))).collect())
}
