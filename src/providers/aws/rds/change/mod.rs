//! A change of role that RDS does in its own time: it is asked for once, looked at until it is there, and proven by
//! what RDS then says of the same resource.

mod role;

use crate::base::problem::Problem;
pub use role::Role;

use crate::core::words::action::Target;
use crate::core::words::preflight::Check;
use crate::providers::aws::client::{AwsError, Connection, Place};

/// How far a change is, as one look shows it; each with words for the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nothing of it can be seen.
    NotBegun(String),
    /// RDS is at it.
    Going(String),
    /// It is there; what was read, a line each.
    There(Vec<String>),
    /// It is there, and something that was asked for with it is not.
    Short(Problem),
    /// It will not get there by waiting.
    Lost(Problem),
}

/// One kind of such a change. All but `read`, `target`, `misnamed` and `send` is judged from what was read.
pub trait RoleChange: Send + Sync {
    /// What one look reads.
    type Seen: Send + Sync;

    /// The name of the thing that changes its role.
    fn name(&self) -> &str;
    /// What kind of thing it is.
    fn kind(&self) -> &'static str;
    /// Where it is read.
    fn place(&self) -> &Place;
    /// The change, for messages (`promotion of arka-db-dr-replica`).
    fn what(&self) -> String;
    /// The exact call.
    fn call(&self, seen: Option<&Self::Seen>) -> String;
    /// The same with AWS's own tool.
    fn command(&self, seen: Option<&Self::Seen>) -> String;
    /// How a person sees that it worked.
    fn look_command(&self) -> String;

    /// Reads it; none where there is no such thing.
    fn read(
        &self,
        connection: &Connection,
    ) -> impl Future<Output = Result<Option<Self::Seen>, AwsError>> + Send;
    /// Who it is.
    fn target(
        &self,
        connection: &Connection,
        seen: &Self::Seen,
    ) -> impl Future<Output = Result<Target, AwsError>> + Send;
    /// What has that name instead, when there is no such thing.
    fn misnamed(&self, connection: &Connection) -> impl Future<Output = Option<String>> + Send;
    /// Asks for the change, once.
    fn send(&self, seen: &Self::Seen) -> impl Future<Output = Result<(), AwsError>> + Send;

    /// RDS's own id of the resource, which another one of the same name does not have.
    fn resource_id<'s>(&self, seen: &'s Self::Seen) -> Option<&'s str>;
    /// Why its role is not one that can be changed like this.
    fn wrong_role(&self, seen: &Self::Seen) -> Option<Problem>;
    /// Why it cannot be done now, although the role is right.
    fn wrong_state(&self, seen: &Self::Seen) -> Option<Problem>;
    /// Whether the change was still to be made when the target was confirmed.
    fn was_due(&self, expected: &Target) -> bool;
    /// How far it is.
    fn stage(&self, expected: &Target, seen: &Self::Seen) -> Stage;
    /// What else to know before saying yes.
    fn notes(&self, seen: &Self::Seen) -> Vec<String>;
    /// What else to look at long before.
    fn checks(&self, seen: &Self::Seen) -> Vec<Check>;
    /// Whether this change needs a permission of its kind.
    fn needs(&self, _permission: &str) -> bool {
        true
    }
}
