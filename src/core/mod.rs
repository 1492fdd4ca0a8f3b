//! The pure core: commands in, facts out, effects as data. No clock, file, socket or terminal.
//!
//! [`decide`] turns a command into facts or a refusal, [`apply`] folds facts into the [`model`], [`react`]
//! says what the engine has to do next. The rest are the words they use and the questions they ask.

pub mod apply;
pub mod ask;
pub mod decide;
pub mod model;
pub mod prose;
pub mod react;
pub mod words;

#[cfg(test)]
pub(crate) mod tests;
