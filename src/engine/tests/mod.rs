//! The ledger on a real journal, and the engine over its real socket.

mod ledger;
mod socket;
