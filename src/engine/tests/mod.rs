//! The ledger on a real journal, the engine over its real socket, and the model as the fold of what is recorded.

mod invariants;
mod ledger;
mod socket;
