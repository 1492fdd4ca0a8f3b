//! What people do by hand and write down.

mod manual;
mod note;

use super::{Provider, row};

/// People.
pub(super) static PROVIDER: Provider =
    Provider { probes: &[], actions: &[row!(manual), row!(note)], channels: &[] };
