//! What holds for every kind of this build.

mod actions;
mod channels;
mod probes;
