//! What a technology asks before the night of a whole plan, beside what each step asks for itself.

use crate::base::ids::{RunbookId, StepId};
use crate::base::pool::Pool;
use crate::core::words::action::Target;
use crate::core::words::preflight::{Check, RegionChecks};
use crate::plan::Plan;
use crate::plan::params::Params;
use futures::future::BoxFuture;

/// One technology's look at a whole plan. It is made anew for each preflight, so that it may keep what it learned. It
/// changes nothing, and each of its looks ends by itself.
pub trait Survey: Send + Sync {
    /// What is wrong with several things together, before any step is looked at. A call to a peer that may send without
    /// end runs in `pool`.
    fn together<'a>(&'a self, _plan: &'a Plan, _pool: &'a Pool) -> BoxFuture<'a, Together> {
        Box::pin(async { Together::default() })
    }

    /// What concerns a whole region of the provider, while the steps are looked at.
    fn regions<'a>(&'a self, _plan: &'a Plan) -> BoxFuture<'a, Vec<RegionChecks>> {
        Box::pin(async { Vec::new() })
    }

    /// Whether a step with these parameters is granted the permissions that it needs, on its target where that could be
    /// read. There is at least one.
    fn permissions<'a>(
        &'a self,
        _params: &'a Params,
        _needed: &'a [&'static str],
        _target: Option<&'a Target>,
    ) -> BoxFuture<'a, Vec<Check>> {
        Box::pin(async { Vec::new() })
    }
}

/// What nobody sees who looks at one step.
#[derive(Default)]
pub struct Together {
    /// The checks of all of it, under the heading that their region is.
    pub checks: Option<RegionChecks>,
    /// What is wrong for some of the steps.
    pub conflicts: Vec<Conflict>,
}

/// Why steps cannot be done that would each be right without the others.
pub struct Conflict {
    /// What is wrong.
    pub what: String,
    /// What the operator can do about it.
    pub next: String,
    /// The steps that it concerns.
    pub steps: Vec<(RunbookId, StepId)>,
}
