//! Argo CD and Flux, which bring objects back to what a repository has: taken out of the way for a while, and let on again.

pub mod resume;
pub mod suspend;
mod switch;
mod syncer;
