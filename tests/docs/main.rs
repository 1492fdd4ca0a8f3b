//! The book against the program: what README and docs/ name must be there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod additions;
mod commands;
mod house;
mod links;
mod messages;
mod page;
mod readme;
