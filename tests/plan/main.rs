//! Plans as their writers meet them: good ones resolve, bad ones are explained.

mod bad;
mod registry;
mod resolve;
