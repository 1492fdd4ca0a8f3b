//! One run of a probe, in a pool or on a thread of its own.

use crate::core::reading::{Measurement, ProbeFailure};
use crate::engine::alone::{Alone, Ending};
use crate::engine::outside::{Call, Cut};
use std::pin::Pin;
use std::task::{Context, Poll};

type Outcome = Result<Measurement, ProbeFailure>;

/// A run under way.
pub(super) enum Run {
    Pooled(Call<Outcome>),
    Alone(Alone<Outcome>),
}

/// One that was cut off.
pub(super) enum Off {
    Pooled(Cut),
    Alone(Ending),
}

impl Run {
    /// Cuts it off.
    pub(super) fn cut(self) -> Option<Off> {
        match self {
            Self::Pooled(call) => call.cut().map(Off::Pooled),
            Self::Alone(run) => run.cut().map(Off::Alone),
        }
    }
}

impl Off {
    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Pooled(cut) => cut.has_ended(),
            Self::Alone(ending) => ending.has_ended(),
        }
    }
}

impl Future for Run {
    /// None where lifeboat itself failed in it.
    type Output = Option<Outcome>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Pooled(call) => Pin::new(call).poll(context),
            Self::Alone(run) => Pin::new(run).poll(context),
        }
    }
}
