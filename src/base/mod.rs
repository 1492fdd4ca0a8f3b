//! The ground: words, numbers, names, files and processes. It knows nothing of plans, incidents or technologies.

pub mod environment;
pub mod folder;
pub(crate) mod host;
pub mod ids;
pub(crate) mod lane;
pub mod moment;
pub mod orphans;
pub mod output;
pub(crate) mod phone;
mod pipe;
pub mod pool;
pub mod problem;
pub mod process;
pub(crate) mod shortage;
pub mod text;
pub mod toml;
pub mod unanswered;
pub mod units;
pub(crate) mod words;
