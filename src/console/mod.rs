//! The console: the client that draws the model and turns keys into commands.

pub mod ui;
