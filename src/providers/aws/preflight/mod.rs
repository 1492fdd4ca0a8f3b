//! AWS: who is calling in each region and until when, and what IAM would say to a permission.

mod callers;
mod iam;

pub use callers::{callers, places};
pub use iam::Iam;

use crate::core::words::action::Target;
use crate::core::words::preflight::{Check, RegionChecks};
use crate::kinds::survey::Survey;
use crate::plan::Plan;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use futures::future::BoxFuture;

struct Account {
    clients: Clients,
    iam: Iam,
}

/// The look at the caller and what it may do.
pub(super) fn survey(clients: &Clients) -> Box<dyn Survey> {
    Box::new(Account { clients: clients.clone(), iam: Iam::default() })
}

impl Survey for Account {
    fn regions<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Vec<RegionChecks>> {
        Box::pin(callers(places(plan, &self.clients)))
    }

    fn permissions<'a>(
        &'a self,
        params: &'a Params,
        needed: &'a [&'static str],
        target: Option<&'a Target>,
    ) -> BoxFuture<'a, Vec<Check>> {
        Box::pin(self.iam.check(&self.clients, params, needed, target))
    }
}
