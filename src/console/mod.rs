//! The console: the client that draws the model and turns keys into commands.
//!
//! - [`terminal`] takes the terminal and gives it back, whatever happens; [`input`] reads it.
//! - [`keymap`] turns chords into named actions and writes the help; [`theme`] and [`glyphs`] say how things look.
//! - [`widgets`] turn values into lines and cells; they know no clock, socket or file.
//! - [`ui`] is the client's own small state: what is looked at, not what is.
//! - [`screens`] draw the model: pure functions to cells.
//! - [`overlays`] are what lies over a screen: forms, confirmations, the palette; [`app`] opens, draws and closes them.
//! - [`pages`] remember where somebody is in a text that does not fit.
//! - [`cuts`] are the places where a frame shows less than all of a text.
//! - [`layers`] finds and checks the TOML files behind themes and keymaps.

pub mod app;
pub mod cuts;
pub mod glyphs;
pub mod input;
pub mod keymap;
pub mod layers;
pub mod overlays;
pub mod pages;
pub mod screens;
pub mod terminal;
pub mod theme;
pub mod ui;
pub mod widgets;
