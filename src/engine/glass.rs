//! Pages that the journal cannot be written, without a record: the one exception, and how it is kept small.
//!
//! A task of its own, beside the loop: it works as well while the loop waits for a disk that hangs. See
//! [`crate::core::ask::unrecorded`] for whom it tells what.

use crate::base::pool::Pool;
use crate::core::ask::unrecorded::{self, AFTER, AGAIN_AFTER, UnrecordedPage};
use crate::core::model::Model;
use crate::core::words::command::Report;
use crate::core::words::notification::{Intent, Message, Undelivered, Way};
use crate::engine::runner::ReportSink;
use crate::engine::shared::SharedModel;
use crate::kinds::channel::Outgoing;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// After this long without going round the loop hangs. Longer than a slow disk takes, and than a model of any size.
const HANGS_AFTER: Duration = Duration::from_secs(30);
/// What a channel gets beyond its time-out.
const GRACE: SignedDuration = SignedDuration::from_secs(2);

/// What the watch over the journal needs.
pub struct Glass {
    /// The model, which stays readable while the loop hangs.
    pub model: SharedModel,
    /// Channels and time.
    pub world: Arc<dyn World>,
    /// Where messages are sent.
    pub pool: Pool,
    /// When the loop last went round.
    pub pulse: watch::Receiver<Instant>,
    /// Where what was sent is recorded, once it can be.
    pub sink: ReportSink,
}

impl Glass {
    /// Watches until the engine ends.
    pub async fn watch(self) {
        let (sent, mut arrived) = mpsc::unbounded_channel();
        let mut failing_since: Option<Timestamp> = None;
        let mut paged_at: Option<Timestamp> = None;
        let mut pages: Vec<UnrecordedPage> = Vec::new();
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let now = self.world.clock().now();
            while let Ok(page) = arrived.try_recv() {
                pages.push(page);
            }
            let Some(why) = self.trouble() else {
                failing_since = None;
                if !pages.is_empty() {
                    (self.sink)(Report::PagedUnrecorded(std::mem::take(&mut pages)));
                }
                continue;
            };
            let since = *failing_since.get_or_insert(now);
            let again = paged_at.is_none_or(|at| now.duration_since(at) >= AGAIN_AFTER);
            if again && now.duration_since(since) >= AFTER {
                paged_at = Some(now);
                self.page(&why, since, now, &sent);
            }
        }
    }

    /// Why nothing can be recorded; none when it can.
    fn trouble(&self) -> Option<String> {
        let silent = self.pulse.borrow().elapsed();
        if silent >= HANGS_AFTER {
            let silent = SignedDuration::try_from(silent).unwrap_or(SignedDuration::MAX);
            let silent = crate::base::units::duration(silent);
            return Some(format!("its disk has not answered for {silent}, or the engine hangs by itself"));
        }
        self.model.read(|model| model.live.journal_failure.clone())
    }

    fn page(
        &self,
        why: &str,
        since: Timestamp,
        now: Timestamp,
        sent: &mpsc::UnboundedSender<UnrecordedPage>,
    ) {
        let (people, message) =
            self.model.read(|model| (unrecorded::recipients(model, now), unrecorded::message(model, why)));
        if people.is_empty() {
            tracing::error!(
                why,
                "the journal cannot be written, and no channel of the plan leads to anybody"
            );
        }
        for person in people {
            let page = UnrecordedPage {
                sent_at: now,
                why: why.to_owned(),
                who: person.name,
                way: Way { channel: "".into(), address: None },
                result: Err("no way was tried".into()),
            };
            let next_step =
                WayOut { world: self.world.clone(), model: self.model.clone(), pool: self.pool.clone() };
            let (message, sent) = (message.clone(), sent.clone());
            tokio::spawn(async move {
                let page = next_step.tell(page, person.ways, &message, since).await;
                match &page.result {
                    Ok(_) => tracing::warn!(who = page.who, "paged without a record"),
                    Err(why) => {
                        tracing::error!(who = page.who, why, "a page without a record did not arrive")
                    }
                }
                let _ = sent.send(page);
            });
        }
    }
}

/// What it takes to send a page.
struct WayOut {
    world: Arc<dyn World>,
    model: SharedModel,
    pool: Pool,
}

impl WayOut {
    /// Tries the ways to one recipient in their order, until one takes it.
    async fn tell(
        &self,
        mut page: UnrecordedPage,
        ways: Vec<Way>,
        message: &Message,
        since: Timestamp,
    ) -> UnrecordedPage {
        for way in ways {
            let outgoing = self.model.read(|model| outgoing(model, &page, &way, message, since));
            page.result = self.send(&way, outgoing).await;
            page.way = way;
            if page.result.is_ok() {
                break;
            }
        }
        page
    }

    async fn send(&self, way: &Way, outgoing: Outgoing) -> Result<String, String> {
        let channel = self.model.read(|model| model.plan.channels.get(&way.channel).cloned());
        let channel = channel.ok_or_else(|| format!("the plan has no channel {}", way.channel))?;
        let notifier = self.world.notifier(&channel).map_err(|error| error.to_string())?;
        let (limit, clock) = (channel.timeout + GRACE, self.world.clock());
        let result = tokio::select! {
            sent = self.pool.call(async move { notifier.send(&outgoing).await }) => {
                sent.ok_or("lifeboat itself failed in it; please report this")?
            }
            () = clock.sleep(limit) => return Err(format!("no answer within {}", crate::base::units::duration(limit))),
        };
        result.map(|receipt| receipt.answer).map_err(|Undelivered { why, .. }| why)
    }
}

fn outgoing(
    model: &Model,
    page: &UnrecordedPage,
    way: &Way,
    message: &Message,
    since: Timestamp,
) -> Outgoing {
    let plan = &model.plan.name;
    Outgoing {
        message: message.clone(),
        intent: Intent::Page,
        address: way.address.clone(),
        recipient: page.who.clone(),
        incident: "the engine's journal".into(),
        plan: plan.clone(),
        // One alert at the provider for one failure, however often it is repeated.
        key: format!("lifeboat/{plan}/journal/{}", since.as_second()),
        thread: None,
        attempt: 1,
        queued_at: page.sent_at,
    }
}
