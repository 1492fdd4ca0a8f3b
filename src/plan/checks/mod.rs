//! Checks of the whole plan, once its parts are read.

mod channels;
mod kinds;
mod managers;
mod measurements;
mod messages;
mod people;
mod policies;
mod programs;
mod reach;
mod reference;
mod runbooks;
mod servers;
mod tree;

use super::load::Draft;
use super::registry::Registry;
use crate::base::toml::Report;

/// Reports everything that is wrong with the plan as a whole.
pub(crate) fn check(draft: &Draft, registry: &Registry, report: &Report) {
    measurements::check(draft, report);
    reference::check(draft, report);
    programs::check(draft, report);
    kinds::check(draft, registry, report);
    runbooks::check(draft, registry, report);
    managers::check(draft, report);
    servers::check(draft, registry, report);
    tree::check(draft, report);
    people::check(draft, report);
    channels::check(draft, registry, report);
    policies::check(draft, report);
    messages::check(draft, report);
    reach::check(draft, report);
}
