use super::*;
use crate::base::problem::Problem;
use crate::core::words::action::Acted;
use std::sync::atomic::{AtomicU32, Ordering};

/// A lamp that is to burn.
#[derive(Default)]
struct Lamp {
    /// Which lamp it is now.
    id: &'static str,
    burns: bool,
    locked: bool,
    /// Somebody else lights it.
    managed: bool,
    read: Read,
    sent: AtomicU32,
}

#[derive(Default, Clone, Copy)]
enum Read {
    #[default]
    Answers,
    Fails,
    Absent,
    Silent,
    Slow,
}

impl Lamp {
    fn target(&self) -> Target {
        let identity = vec![("id".into(), self.id.into()), ("burns".into(), self.burns.to_string())];
        Target { name: "lamp".into(), kind: "lamp".into(), identity, reachable: true }
    }
}

impl Change for Lamp {
    type Seen = bool;

    fn what(&self, name: &str) -> String {
        format!("lighting of {name}")
    }
    async fn unseen(&self) -> Target {
        Target::unseen("lamp", "lamp")
    }
    async fn read(&self) -> Result<(Target, bool), Unread> {
        match self.read {
            Read::Answers => Ok((self.target(), self.burns)),
            Read::Fails => Err(Unread::Failed(Problem::new("the line is cut", "Mend it."))),
            Read::Absent => Err(Unread::Absent(Problem::new("there is no lamp", "Buy one."))),
            Read::Silent => std::future::pending().await,
            Read::Slow => {
                tokio::time::sleep(Duration::from_secs(7)).await;
                Ok((self.target(), self.burns))
            }
        }
    }
    fn show(&self, burns: Option<&bool>) -> Shown {
        let now = burns.map_or("unread".to_owned(), bool::to_string);
        Shown { call: "light".into(), notes: vec![format!("burns: {now}")], ..Shown::default() }
    }
    fn refuses_first(&self, burns: &bool, _: &Target) -> Option<Problem> {
        burns.then(|| Problem::new("it burns already", "Skip the step."))
    }
    fn forbids(&self, _: &bool) -> Option<Problem> {
        self.managed.then(|| Problem::new("a keeper lights it", "Ask the keeper."))
    }
    fn refuses(&self, _: &bool, _: &Context) -> Option<Problem> {
        self.locked.then(|| Problem::new("it is locked", "Unlock it."))
    }
    async fn send(&self, confirmed: Confirmed<'_, bool>, context: &Context) -> Result<Done, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let left = context.timeout.as_secs();
        Ok(Done { summary: format!("{} was {}, {left} s left", confirmed.what, confirmed.seen) })
    }
    async fn prove(&self, _: &Target, _: &Context) -> Result<Proof, Failure> {
        Ok(Proof { evidence: vec!["it burns".into()] })
    }
    fn manual(&self) -> ManualCard {
        ManualCard { instructions: vec!["turn the knob".into()], check: "It burns.".into() }
    }
}

fn context() -> Context {
    Context { token: "incident/1/light/1".into(), ..crate::testing::context(60_000).0 }
}

fn lamp() -> Lamp {
    Lamp { id: "a", ..Lamp::default() }
}

/// What a step says that was confirmed of one lamp and finds another, and how often it was sent.
async fn executed(confirmed: Lamp, found: Lamp) -> (Result<Done, Failure>, u32) {
    let expected = Changing(confirmed).describe().await.unwrap().target;
    let found = Changing(found);
    let result = found.execute(&expected, &context()).await;
    (result, found.0.sent.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn the_confirmed_target_is_changed_once() {
    let (done, sent) = executed(lamp(), lamp()).await;
    assert_eq!((done.unwrap().summary.as_str(), sent), ("lighting of lamp was false, 60 s left", 1));
}

#[tokio::test]
async fn nothing_is_sent_to_a_target_that_changed_or_was_not_read() {
    let (failure, sent) = executed(lamp(), Lamp { id: "b", ..lamp() }).await;
    let failure = failure.unwrap_err();
    assert_eq!((failure.why.as_str(), failure.acted, sent), ("id is b, was a", Acted::No, 0));
    let (failure, sent) = executed(Lamp { read: Read::Fails, ..lamp() }, lamp()).await;
    assert_eq!((&*failure.unwrap_err().why, sent), ("it could not be read then, and can be now", 0));
}

#[tokio::test]
async fn what_is_there_already_is_told_before_a_changed_target_and_the_rest_after_it() {
    let (failure, sent) = executed(lamp(), Lamp { id: "b", burns: true, ..lamp() }).await;
    assert_eq!((&*failure.unwrap_err().to_string(), sent), ("lighting of lamp: it burns already", 0));
    let (failure, _) = executed(lamp(), Lamp { id: "b", locked: true, ..lamp() }).await;
    assert_eq!(failure.unwrap_err().why, "id is b, was a");
    let (failure, sent) = executed(lamp(), Lamp { locked: true, ..lamp() }).await;
    assert_eq!((&*failure.unwrap_err().to_string(), sent), ("lighting of lamp: it is locked", 0));
}

#[tokio::test]
async fn what_is_anothers_to_do_is_not_described_and_told_before_a_changed_target() {
    let managed = || Lamp { id: "b", managed: true, ..lamp() };
    let failure = Changing(managed()).describe().await.unwrap_err();
    assert_eq!(failure.to_string(), "lighting of lamp: a keeper lights it");
    let (failure, sent) = executed(lamp(), managed()).await;
    assert_eq!((&*failure.unwrap_err().to_string(), sent), ("lighting of lamp: a keeper lights it", 0));
    let (failure, _) = executed(lamp(), Lamp { burns: true, ..managed() }).await;
    assert_eq!(failure.unwrap_err().why, "it burns already");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_read_is_described_and_not_changed() {
    for (read, notes) in [
        (Read::Fails, &["It cannot be read: the line is cut", "Mend it.", "burns: unread"][..]),
        (Read::Absent, &["This step will refuse: there is no lamp.", "burns: unread"]),
        (Read::Silent, &["It cannot be read: no answer in time.", "burns: unread"]),
    ] {
        let described = Changing(Lamp { read, ..lamp() }).describe().await.unwrap();
        assert_eq!((described.call.as_str(), described.target.reachable), ("light", false));
        assert_eq!(described.notes, notes);
    }
    let (failure, sent) = executed(lamp(), Lamp { read: Read::Absent, ..lamp() }).await;
    let failure = failure.unwrap_err();
    assert_eq!((&*failure.to_string(), &*failure.next), ("lighting of lamp: there is no lamp", "Buy one."));
    assert_eq!(sent, 0);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_look_is_taken_from_the_steps() {
    let (done, _) = executed(lamp(), Lamp { read: Read::Slow, ..lamp() }).await;
    assert_eq!(done.unwrap().summary, "lighting of lamp was false, 53 s left");
}
