//! What an engine measured, and when this process heard of it.

use super::Outcome;
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::signal::SignalState;
use lifeboat::engine::client::Client;
use lifeboat::engine::protocol::ToClient;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::runtime::Handle;

#[derive(Clone)]
struct Heard {
    at: Instant,
    probe: String,
    state: SignalState,
}

/// All readings since it was attached, in their order.
#[derive(Clone, Default)]
pub struct Readings(Arc<Mutex<Vec<Heard>>>);

impl Readings {
    /// Attaches to the engine behind a socket.
    pub fn of(socket: &Path, runtime: &Handle) -> Outcome<Self> {
        let client = runtime.block_on(Client::connect(socket))?;
        let readings = Self::default();
        let heard = readings.clone();
        runtime.spawn(async move {
            // The engine keeps a connection for as long as both halves are there.
            let (_sender, mut receiver) = client.split();
            while let Ok(message) = receiver.next().await {
                let ToClient::Events(events) = message else { continue };
                let at = Instant::now();
                let taken = events.into_iter().filter_map(|event| match event.fact {
                    Fact::ReadingTaken { probe, judged, .. } => {
                        Some(Heard { at, probe: probe.to_string(), state: judged })
                    }
                    _ => None,
                });
                heard.0.lock().unwrap().extend(taken);
            }
        });
        Ok(readings)
    }

    /// When a probe was first measured so, of what was heard since then.
    pub fn first(&self, since: Instant, probe: &str, state: impl Fn(SignalState) -> bool) -> Option<Instant> {
        let heard = self.0.lock().unwrap();
        let newest = heard.iter().rev().take_while(|one| one.at >= since);
        newest.filter(|one| one.probe == probe && state(one.state)).map(|one| one.at).last()
    }
}
