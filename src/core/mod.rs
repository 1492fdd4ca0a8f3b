//! The pure core: commands in, facts out, effects as data. No clock, file, socket or terminal.
//!
//! [`decide`] turns a command into facts or a refusal, [`apply`] folds facts into the [`model`], [`react`]
//! says what the engine has to do next. The rest are the words they use and the questions they ask.

pub mod action;
pub mod actor;
pub mod apply;
pub mod attested;
pub mod backup;
pub mod blind;
pub mod brief;
pub mod command;
pub mod confirmation;
pub mod contradiction;
pub mod decide;
pub mod describe;
pub mod divergence;
pub mod drill;
pub mod effect;
pub mod elsewhere;
pub mod escalation;
pub mod escalation_status;
pub mod evidence;
pub mod fact;
pub mod fencing;
pub mod in_force;
pub mod incident;
pub mod left_running;
pub mod lifecycle;
pub mod loss;
pub mod loss_reading;
pub mod managed;
pub mod message;
pub mod model;
pub mod names;
pub mod notification;
pub mod objectives;
pub mod oncall;
pub mod other_side;
pub mod outlook;
pub mod outside;
pub mod own_clock;
pub mod phone_tree;
pub mod placement;
pub mod preflight;
pub mod promoting;
pub mod react;
pub mod reading;
pub mod recipients;
pub mod refusal;
pub mod roles;
pub mod servers;
pub mod severity;
pub mod signal;
pub mod simulation;
pub mod situation;
pub mod standing;
pub mod status;
pub mod taken_back;
pub mod tree;
pub mod unrecorded;
pub mod untold;
pub mod watch;

pub mod scope;
#[cfg(test)]
pub(crate) mod tests;
