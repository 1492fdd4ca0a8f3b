//! What is behind a signal, looked at when somebody asks: in a task of its own, one at a time for each signal, cut off when
//! it is late. Neither the loop nor a probe waits for it.

use crate::base::ids::ProbeId;
use crate::base::pool::{Outside, Pool};
use crate::base::problem::Problem;
use crate::core::words::diagnosis::{Diagnosis, Section, WITHIN};
use crate::engine::dispatcher::frame;
use crate::engine::protocol::ToClient;
use crate::engine::shared::SharedModel;
use crate::kinds::probe::Probe;
use crate::world::{Door, World};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How many looks may go on at the same time.
const AT_ONCE: usize = 4;
/// Between two questions whether a look that was cut off has ended.
const PAUSE: Duration = Duration::from_millis(250);

/// One who asks. It does not hold its connection open.
pub(super) struct Listener {
    pub client: u64,
    /// What is sent to it, in frames.
    pub frames: mpsc::WeakSender<Bytes>,
}

/// Those who wait for a look; none once they were told.
type Waiting = Arc<Mutex<Option<Vec<Listener>>>>;

/// Looks what is behind signals.
pub(super) struct Diagnoser {
    handle: Handle,
    pool: Pool,
    world: Arc<dyn World>,
    model: SharedModel,
    going: HashMap<ProbeId, (Waiting, AbortHandle)>,
}

impl Diagnoser {
    /// What it reaches outside with runs where probes do.
    pub(super) fn new(handle: Handle, outside: &Outside, world: Arc<dyn World>, model: SharedModel) -> Self {
        Self { handle, pool: outside.probes.clone(), world, model, going: HashMap::new() }
    }

    /// Looks, for one who asks. Who asks while a look goes on hears what that one finds.
    pub(super) fn diagnose(&mut self, probe: ProbeId, listener: Listener) {
        self.going.retain(|_, (_, task)| !task.is_finished());
        if let Some((waiting, _)) = self.going.get(&probe)
            && let Some(waiting) = &mut *lock(waiting)
        {
            if waiting.iter().all(|other| other.client != listener.client) {
                waiting.push(listener);
            }
            return;
        }
        let asked = Asked {
            probe: probe.clone(),
            at: self.world.clock().now(),
            door: self.world.door(),
            waiting: Arc::new(Mutex::new(Some(vec![listener]))),
        };
        match self.made(&probe) {
            Ok(made) => {
                let waiting = asked.waiting.clone();
                let task = self.handle.spawn(look(asked, made, self.pool.clone()));
                self.going.insert(probe, (waiting, task.abort_handle()));
            }
            Err(problem) => asked.tell(vec![Section::unread("NOTHING WAS READ", problem)]),
        }
    }

    /// The probe of a signal, made for this look; why there is none.
    fn made(&self, probe: &ProbeId) -> Result<Box<dyn Probe>, Problem> {
        if self.going.contains_key(probe) {
            return Err(Problem::new(
                "the last look was cut off and has not ended: what answers sends without end, or this host is too busy",
                "Look at what answers there, and at this host's load; ask again in a minute.",
            ));
        }
        if self.going.len() >= AT_ONCE {
            let why = format!("{AT_ONCE} other looks go on");
            return Err(Problem::new(why, "Ask again in some seconds."));
        }
        let spec = self.model.read(|model| model.plan.probes.get(probe).cloned());
        let spec = spec.filter(|spec| spec.sees.has_diagnosis()).ok_or_else(|| {
            let why = "this kind of probe has no more to tell than its measurement";
            Problem::new(why, "The signal's details show that.")
        })?;
        let next = "Correct the plan and start the engine again.";
        self.world.probe(&spec).map_err(|error| Problem::new(error.to_string(), next))
    }
}

/// A look, and who waits for it.
struct Asked {
    probe: ProbeId,
    at: Timestamp,
    door: Door,
    waiting: Waiting,
}

impl Asked {
    /// Tells all who wait. One who does not read its messages is none of this task's business.
    fn tell(&self, sections: Vec<Section>) {
        let found = Diagnosis { probe: self.probe.clone(), at: self.at, sections };
        let waiting = lock(&self.waiting).take().unwrap_or_default();
        let Some(frame) = frame(&ToClient::Diagnosed(self.door.admit(found))) else { return };
        for frames in waiting.iter().filter_map(|listener| listener.frames.upgrade()) {
            let _ = frames.try_send(frame.clone());
        }
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, Option<Vec<Listener>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks once, within its time. It ends when what it began has ended: there are never two looks of one signal.
async fn look(asked: Asked, probe: Box<dyn Probe>, pool: Pool) {
    let mut call = pool.call(async move {
        match probe.diagnose() {
            Some(look) => look.await,
            None => Vec::new(),
        }
    });
    let cut = tokio::select! {
        sections = &mut call => {
            asked.tell(sections.unwrap_or_else(|| {
                let problem = Problem::new("lifeboat itself failed in it", "Please report this.");
                vec![Section::unread("NOTHING WAS READ", problem)]
            }));
            None
        }
        () = tokio::time::sleep(WITHIN) => {
            let why = format!("no answer within {} s", WITHIN.as_secs());
            let next = "See whether the network path from here works; then ask again.";
            asked.tell(vec![Section::unread("NOTHING WAS READ", Problem::new(why, next))]);
            call.cut()
        }
    };
    while cut.as_ref().is_some_and(|cut| !cut.has_ended()) {
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::Model;
    use crate::core::words::reading::Measurement;
    use crate::core::words::simulation::Simulation;
    use crate::kinds;
    use crate::plan::kinds::{BuildError, Sees};
    use crate::plan::params::Params;
    use crate::plan::{Channel, ProbeSpec, Step};
    use crate::world::{Clock, RealClock};
    use futures::future::BoxFuture;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A world whose probes look for as long as they are told to.
    struct Slow {
        takes: Duration,
        looks: Arc<AtomicUsize>,
    }

    impl World for Slow {
        fn simulation(&self) -> Option<Simulation> {
            None
        }
        fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(RealClock::new())
        }
        fn probe(&self, _: &ProbeSpec) -> kinds::probe::Built {
            Ok(Box::new(Slow { takes: self.takes, looks: self.looks.clone() }))
        }
        fn notifier(&self, _: &Channel) -> kinds::channel::Built {
            Err(BuildError::UnknownKind { what: "channel", kind: String::new() })
        }
        fn action(&self, _: &Step, _: &Params) -> kinds::action::Built {
            Err(BuildError::UnknownKind { what: "action", kind: String::new() })
        }
    }

    impl Probe for Slow {
        fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
            Box::pin(async { Ok(Measurement::good("x")) })
        }
        fn diagnose(&self) -> Option<BoxFuture<'_, Vec<Section>>> {
            Some(Box::pin(async {
                self.looks.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(self.takes).await;
                vec![Section::read("PODS", vec!["a\u{1b}[2J".into()])]
            }))
        }
    }

    struct Rig {
        diagnoser: Diagnoser,
        probes: Vec<ProbeId>,
        looks: Arc<AtomicUsize>,
    }

    impl Rig {
        fn new(takes: Duration) -> Self {
            let mut plan = crate::testing::demo();
            plan.probes.values_mut().for_each(|spec| spec.sees = Sees::Workloads);
            let probes = plan.probes.keys().cloned().collect();
            let looks = Arc::new(AtomicUsize::new(0));
            let world = Arc::new(Slow { takes, looks: looks.clone() });
            let here = Handle::current();
            let model = SharedModel::new(Model::new(Arc::new(plan)));
            let diagnoser = Diagnoser::new(here.clone(), &Outside::on(&here), world, model);
            Self { diagnoser, probes, looks }
        }

        /// A client asks; what it is sent.
        fn ask(&mut self, place: usize, client: u64) -> (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
            let (frames, sent) = mpsc::channel(4);
            let listener = Listener { client, frames: frames.downgrade() };
            self.diagnoser.diagnose(self.probes[place].clone(), listener);
            (frames, sent)
        }
    }

    async fn told(sent: &mut mpsc::Receiver<Bytes>) -> Section {
        let frame = sent.recv().await.unwrap();
        match serde_json::from_slice(&frame).unwrap() {
            ToClient::Diagnosed(mut found) => found.sections.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_while_a_look_goes_on_hears_what_it_finds_and_who_asks_later_what_is_new() {
        let mut rig = Rig::new(Duration::from_secs(3));
        let (_first, mut one) = rig.ask(0, 1);
        let (_again, mut twice) = rig.ask(0, 1);
        let (_second, mut two) = rig.ask(0, 2);
        assert_eq!(told(&mut one).await.lines, ["a\u{fffd}[2J"]);
        assert_eq!(told(&mut two).await.lines, ["a\u{fffd}[2J"]);
        assert!(twice.try_recv().is_err(), "one client is told once");
        assert_eq!(rig.looks.load(Ordering::Relaxed), 1);
        tokio::time::sleep(PAUSE).await;
        let (_third, mut three) = rig.ask(0, 1);
        told(&mut three).await;
        assert_eq!(rig.looks.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_does_not_end_is_cut_off_and_said() {
        let mut rig = Rig::new(Duration::from_secs(3600));
        let begun = tokio::time::Instant::now();
        let (_frames, mut sent) = rig.ask(0, 1);
        let section = told(&mut sent).await;
        assert_eq!(begun.elapsed().as_secs(), WITHIN.as_secs());
        assert_eq!(section.unread.unwrap().why, "no answer within 10 s");
        tokio::time::sleep(PAUSE * 2).await;
        let (_frames, mut sent) = rig.ask(0, 1);
        assert!(told(&mut sent).await.unread.is_some(), "it is asked anew");
        assert_eq!(rig.looks.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn only_some_signals_are_looked_behind_at_the_same_time() {
        let mut rig = Rig::new(Duration::from_secs(3));
        let _going: Vec<_> = (0..AT_ONCE).map(|place| rig.ask(place, 1)).collect();
        let (_frames, mut sent) = rig.ask(AT_ONCE, 1);
        assert!(told(&mut sent).await.unread.unwrap().why.contains("other looks go on"));
        assert!(rig.probes.len() > AT_ONCE);
    }
}
