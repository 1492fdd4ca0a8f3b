//! Channels: times that leave room for an attempt, and services that go on.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::load::Draft;
use crate::plan::registry::Registry;
use jiff::SignedDuration;

/// The longest deadline of one attempt: nobody waits longer for a page.
const LONGEST_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn check(draft: &Draft, registry: &Registry, report: &Report) {
    for (id, channel) in &draft.plan.channels {
        let place = |key: &str| draft.places.of(&format!("channels.{id}.{key}"));
        let range = SignedDuration::from_secs(1)..=LONGEST_TIMEOUT;
        if !range.contains(&channel.timeout) {
            let message = format!("an attempt of channel `{id}` takes from 1s to 5m");
            report.add(Diagnostic::error("out-of-range", place("timeout"), message));
        } else if channel.give_up_after < channel.timeout {
            let message = format!("channel `{id}` gives up before one attempt is over");
            let problem = Diagnostic::error("out-of-range", place("give_up_after"), message);
            report.add(problem.help("make `give_up_after` longer than `timeout`; a few attempts should fit"));
        }
        if let Some(ending) = registry.notifier(&channel.kind).and_then(|kind| kind.ends) {
            let day = ending.on.strftime("%-d %B %Y");
            let message = format!("channel `{id}` reaches nobody from {day} on: {} ends", ending.service);
            let problem = Diagnostic::warning("ending", place("kind"), message);
            report.add(problem.help(format!("move it to `kind = \"{}\"` before that day", ending.successor)));
        }
    }
}
