//! The words of the core: what is asked, what happened, what is to be done, and the values that these are told in.

pub mod act;
pub mod action;
pub mod actor;
pub mod command;
pub mod confirmation;
pub mod diagnosis;
pub mod effect;
pub mod escalation;
pub mod fact;
pub mod incident;
pub mod loss;
pub mod nature;
pub mod notification;
pub mod outside;
pub mod preflight;
pub mod reading;
pub mod signal;
pub mod simulation;
pub mod since_boot;
pub mod status;
