//! The pure core: commands in, facts out, effects as data. No clock, file, socket or terminal.

pub mod action;
pub mod reading;
