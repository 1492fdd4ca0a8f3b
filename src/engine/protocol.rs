//! What engine and clients say to each other: JSON in length-delimited frames over a unix socket.

use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use crate::core::model::Model;
use crate::core::words::actor::Operator;
use crate::core::words::command::Ask;
use crate::core::words::diagnosis::Diagnosis;
use crate::core::words::fact::Event;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::codec::LengthDelimitedCodec;

/// Changes with every change of the messages; both sides must have the same.
pub const PROTOCOL_VERSION: u32 = 12;
/// Between two signs of life of an engine, whatever the speed of its world.
pub const BEAT: Duration = Duration::from_secs(1);
/// After this long without a word the engine hangs, or its disk: nothing that was measured may be believed any more.
pub const SILENT_AFTER: Duration = Duration::from_secs(3);
/// The largest frame that a client may send.
pub const ASK_LIMIT_BYTES: usize = 256 * 1024;
/// The largest frame that an engine may send: a whole model.
pub const MODEL_LIMIT_BYTES: usize = 256 * 1024 * 1024;

/// From a client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToEngine {
    /// The first message.
    Hello {
        /// [`PROTOCOL_VERSION`] of the client.
        version: u32,
    },
    /// A command of the operator.
    Ask {
        /// Comes back with the reply.
        id: u64,
        /// The command.
        ask: Ask,
    },
    /// Asks what is behind a signal. It changes nothing and is not recorded.
    Diagnose {
        /// Whose signal.
        probe: ProbeId,
    },
    /// Ends the engine.
    Stop {
        /// Also while a step runs.
        force: bool,
    },
}

/// From the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToClient {
    /// The first message: the whole model.
    Welcome {
        /// Whom the engine takes the client for.
        operator: Operator,
        /// The engine's process.
        pid: u32,
        /// The engine's time, for clocks that run at another speed.
        now: jiff::Timestamp,
        model: Arc<Model>,
    },
    /// What happened since.
    Events(Vec<Event>),
    /// The engine's loop goes round. No fact, and nothing to draw.
    Beat {
        /// The engine's time.
        now: jiff::Timestamp,
    },
    /// The answer to an ask.
    Reply {
        /// Of the ask.
        id: u64,
        /// Whether it was carried out.
        result: Result<(), Problem>,
    },
    /// What is behind a signal, for those who asked.
    Diagnosed(Diagnosis),
    /// The engine does not talk to this client, or ends.
    Goodbye {
        why: String,
        /// What the operator can do.
        next: String,
    },
}

/// The framing, with the limit for what is read.
pub fn framing(limit_bytes: usize) -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(limit_bytes).new_codec()
}
