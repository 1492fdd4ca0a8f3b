//! Sends messages and asks providers what became of them: one task each, a deadline on every call.

use crate::base::ids::NotificationId;
use crate::base::pool::Pool;
use crate::core::model::Model;
use crate::core::words::command::Report;
use crate::core::words::notification::{Again, DeliveryStatus, Notification, Receipt, Tracked, Undelivered};
use crate::engine::runner::ReportSink;
use crate::engine::shared::SharedModel;
use crate::kinds::channel::{Notifier, Outgoing};
use crate::plan::Channel;
use crate::world::World;
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What a notifier gets beyond its time-out, so that its own words on being late come before the cut.
const GRACE: SignedDuration = SignedDuration::from_secs(2);
/// Between two questions what became of a message, at first; it grows while nothing is heard.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(5);
/// The longest time between two questions.
const LATE_LOOK: SignedDuration = SignedDuration::from_secs(30);
/// After this long nothing new is expected of a message.
const TRACKED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Sends messages: waits for them on a runtime, while they are sent in a pool of its own.
pub struct Messenger {
    handle: Handle,
    pool: Pool,
    world: Arc<dyn World>,
    model: SharedModel,
    sink: ReportSink,
}

/// One message on its way, with all that a task about it needs.
struct Delivery {
    id: NotificationId,
    channel: Channel,
    outgoing: Outgoing,
    receipt: Option<Receipt>,
    pool: Pool,
    world: Arc<dyn World>,
    model: SharedModel,
    sink: ReportSink,
}

impl Messenger {
    /// A messenger over a world.
    pub fn new(
        handle: Handle,
        pool: Pool,
        world: Arc<dyn World>,
        model: SharedModel,
        sink: ReportSink,
    ) -> Self {
        Self { handle, pool, world, model, sink }
    }

    /// Makes one attempt to send a message.
    pub fn notify(&self, id: &NotificationId, attempt: u32) {
        if let Some(delivery) = self.delivery(id) {
            self.handle.spawn(send(delivery, attempt));
        }
    }

    /// Asks after a message until it is known what became of it, or nothing more is expected.
    pub fn track(&self, id: &NotificationId) {
        if let Some(delivery) = self.delivery(id) {
            self.handle.spawn(track(delivery));
        }
    }

    fn delivery(&self, id: &NotificationId) -> Option<Delivery> {
        let (channel, outgoing, receipt) = self.model.read(|model| {
            let known = model.durable.notifications.get(id)?;
            let channel = model.plan.channels.get(&known.queued.way.channel)?.clone();
            Some((channel, outgoing(model, known)?, known.receipt.clone()))
        })?;
        Some(Delivery {
            id: id.clone(),
            channel,
            outgoing,
            receipt,
            pool: self.pool.clone(),
            world: self.world.clone(),
            model: self.model.clone(),
            sink: self.sink.clone(),
        })
    }
}

/// A message as its notifier gets it.
fn outgoing(model: &Model, known: &Notification) -> Option<Outgoing> {
    Some(Outgoing {
        message: model.durable.sent_messages.get(known.message)?.clone(),
        intent: known.intent,
        address: known.queued.way.address.clone(),
        recipient: known.queued.name.clone(),
        incident: known.incident.to_string(),
        plan: model.plan.name.clone(),
        key: known.queued.key.clone(),
        thread: thread(model, known),
        attempt: known.attempt,
        queued_at: known.queued_at,
    })
}

/// What the first message of the incident to this destination began.
fn thread(model: &Model, known: &Notification) -> Option<String> {
    let earlier = model
        .durable
        .notifications
        .values()
        .filter(|other| other.incident == known.incident && other.queued.way == known.queued.way);
    let mut begun = earlier.filter_map(|other| other.receipt.as_ref()).map(|receipt| &receipt.thread);
    begun.find(|thread| !thread.is_empty()).cloned()
}

async fn send(delivery: Delivery, attempt: u32) {
    let result = match notifier(&delivery) {
        Ok(notifier) => {
            let outgoing = delivery.outgoing.clone();
            within(&delivery, async move { notifier.send(&outgoing).await }).await
        }
        Err(failure) => Err(failure),
    };
    (delivery.sink)(Report::Notified { id: delivery.id.clone(), attempt, result });
}

fn notifier(delivery: &Delivery) -> Result<Arc<dyn Notifier>, Undelivered> {
    delivery.world.notifier(&delivery.channel).map(Arc::from).map_err(|error| Undelivered {
        why: error.to_string(),
        next: "Correct the plan and start the engine again; tell them otherwise meanwhile.".into(),
        again: Again::Never,
    })
}

/// A call within the channel's time-out; a panic in it is a failure like any other.
async fn within<T: Send + 'static>(
    delivery: &Delivery,
    call: impl Future<Output = Result<T, Undelivered>> + Send + 'static,
) -> Result<T, Undelivered> {
    let failure = |why: String| Undelivered {
        why,
        next: "Ask the recipient whether it arrived, or tell them otherwise.".into(),
        again: Again::Maybe,
    };
    let (limit, clock) = (delivery.channel.timeout, delivery.world.clock());
    tokio::select! {
        result = delivery.pool.call(call) => {
            result.unwrap_or_else(|| Err(failure("lifeboat itself failed in it; please report this".into())))
        }
        () = clock.sleep(limit + GRACE) => {
            Err(failure(format!("no answer within {}", crate::base::units::duration(limit))))
        }
    }
}

async fn track(delivery: Delivery) {
    let (Ok(notifier), Some(receipt)) = (notifier(&delivery), delivery.receipt.clone()) else { return };
    let clock = delivery.world.clock();
    let began = clock.now();
    let mut pause = FIRST_LOOK;
    while clock.now().duration_since(began) < TRACKED_FOR {
        clock.sleep(pause).await;
        pause = (pause + pause / 2).min(LATE_LOOK);
        if !delivery.model.read(|model| is_open(model, &delivery.id)) {
            return;
        }
        let (notifier, outgoing, receipt) = (notifier.clone(), delivery.outgoing.clone(), receipt.clone());
        let asked = async move { notifier.track(&outgoing, &receipt).await };
        match within(&delivery, asked).await {
            Ok(Tracked::Pending) => {}
            // Until it is recorded it is asked again: while the journal cannot be written a report is lost.
            Ok(tracked) => (delivery.sink)(Report::Tracked { id: delivery.id.clone(), tracked }),
            // Not being able to ask changes nothing about the message; the next look may succeed.
            Err(failure) => {
                let failure = delivery.world.door().admit(failure);
                tracing::debug!(id = %delivery.id, why = failure.why, "a message could not be asked after")
            }
        }
    }
}

/// Whether more can be heard of a message.
fn is_open(model: &Model, id: &NotificationId) -> bool {
    let known = model.durable.notifications.get(id);
    known.is_some_and(|known| matches!(known.status, DeliveryStatus::Accepted | DeliveryStatus::Delivered))
}
