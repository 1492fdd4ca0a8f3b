//! What is said to people: sentences, pages, briefs.

pub mod brief;
pub mod describe;
pub mod message;
pub mod phone_tree;
pub mod situation;
