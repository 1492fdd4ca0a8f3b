//! Who brings objects back to what they decide, Argo CD, Flux, an autoscaler: taken out of the way for a while, and let on again.

mod autoscaler;
pub mod resume;
pub mod suspend;
mod switch;
mod syncer;
