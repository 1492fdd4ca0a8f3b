//! Checks of the whole plan, once its parts are read.

mod measurements;
mod people;
mod runbooks;
mod tree;

use super::load::Draft;
use super::problem::Report;
use super::registry::Registry;

/// Reports everything that is wrong with the plan as a whole.
pub(crate) fn check(draft: &Draft, registry: &Registry, report: &Report) {
    measurements::check(draft, report);
    runbooks::check(draft, registry, report);
    tree::check(draft, report);
    people::check(draft, report);
}
