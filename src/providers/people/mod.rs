//! What people do by hand and write down.

mod manual;
mod note;

use super::{Provider, row};

/// People.
pub(super) static PROVIDER: Provider = Provider { actions: &[row!(manual), row!(note)], ..Provider::NONE };
