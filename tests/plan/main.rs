//! Plans as their writers meet them: good ones resolve, bad ones are explained.

mod bad;
mod command;
mod files;
mod generated;
mod registry;
mod resolve;
mod robust;
