//! Reads the calendars of who is on call, and reads them again when they change.

use crate::base::ids::RotationId;
use crate::core::words::command::Report;
use crate::engine::runner::ReportSink;
use crate::plan::{CalendarTrouble, Plan, Rotation, Shift, Turns, calendar};
use crate::world::Clock;
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two looks at the files.
const LOOK: SignedDuration = SignedDuration::from_secs(60);
/// After this long a file is read again though it did not change: other shifts are ahead then.
const ANEW: SignedDuration = SignedDuration::from_hours(24);
/// How long the system may take to read a file. On a network's file system it may never answer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Watches the plan's calendars until the task is aborted.
pub fn start(plan: &Arc<Plan>, clock: Arc<dyn Clock>, sink: ReportSink) -> JoinHandle<()> {
    let calendars = plan.rotations.iter().filter_map(|(id, rotation)| match &rotation.turns {
        Turns::Calendar { file, .. } => Some(Watched::new(id, rotation, file, plan)),
        Turns::Cycle { .. } => None,
    });
    let mut calendars: Vec<Watched> = calendars.collect();
    tokio::spawn(async move {
        while !calendars.is_empty() {
            for calendar in &mut calendars {
                calendar.look(clock.now(), &sink).await;
            }
            clock.sleep(LOOK).await;
        }
    })
}

/// The shifts of a file, and what of it does not count.
type Said = (Vec<Shift>, Option<CalendarTrouble>);

/// One calendar.
struct Watched {
    id: RotationId,
    rotation: Rotation,
    file: PathBuf,
    plan: Arc<Plan>,
    /// A reading that the system has not answered yet; it is waited for again rather than asked twice.
    pending: Option<JoinHandle<Result<String, String>>>,
    /// What the file held when it was last looked into, and when that was.
    held: Option<(Result<String, String>, Timestamp)>,
    /// What was last reported.
    said: Option<Said>,
}

impl Watched {
    fn new(id: &RotationId, rotation: &Rotation, file: &str, plan: &Arc<Plan>) -> Self {
        let (id, rotation, plan) = (id.clone(), rotation.clone(), plan.clone());
        Self { id, rotation, file: file.into(), plan, pending: None, held: None, said: None }
    }

    /// Reports what the calendar says, where that is something else than before.
    async fn look(&mut self, now: Timestamp, sink: &ReportSink) {
        let text = self.read().await;
        let is_fresh = |at: &Timestamp| now.duration_since(*at) < ANEW;
        if self.held.as_ref().is_some_and(|(held, at)| *held == text && is_fresh(at)) {
            return;
        }
        self.held = Some((text.clone(), now));
        let said = match text {
            Ok(text) => self.shifts(text, now).await,
            Err(why) => Err(why),
        };
        let said = calendar::told(&self.file, said);
        if self.said.as_ref() != Some(&said) {
            let (shifts, trouble) = said.clone();
            if let Some(trouble) = &trouble {
                tracing::warn!(rotation = %self.id, ?trouble, "the calendar of who is on call has faults");
            }
            self.said = Some(said);
            sink(Report::Calendar { rotation: self.id.clone(), shifts, trouble });
        }
    }

    async fn read(&mut self) -> Result<String, String> {
        let file = self.file.clone();
        let reading =
            self.pending.get_or_insert_with(|| tokio::task::spawn_blocking(move || calendar::read(&file)));
        match tokio::time::timeout(READ_TIMEOUT, &mut *reading).await {
            Ok(read) => {
                self.pending = None;
                read.unwrap_or_else(
                    |_| Err("lifeboat itself failed in reading it; please report this".into()),
                )
            }
            Err(_) => Err(format!("the system did not read it within {} s", READ_TIMEOUT.as_secs())),
        }
    }

    /// Beside the engine's other work: a long calendar takes a while.
    async fn shifts(&self, text: String, now: Timestamp) -> Result<calendar::Said, String> {
        let (rotation, plan) = (self.rotation.clone(), self.plan.clone());
        let work = move || calendar::shifts(&text, &rotation.zone, &plan.contacts, now);
        match tokio::task::spawn_blocking(work).await {
            Ok(said) => said,
            Err(_) => Err("lifeboat itself failed in reading it; please report this".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::ContactId;
    use crate::plan::Contact;
    use crate::world::ManualClock;
    use jiff::tz::TimeZone;
    use std::path::Path;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    const HEAD: &str =
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260301T000000Z\r\nDTEND:20260308T000000Z\r\n";
    const TAIL: &str = "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn plan(file: &Path) -> Arc<Plan> {
        let mut plan = Plan::clone(&crate::core::tests::fixture::plan());
        for name in ["Alice", "Bob"] {
            let contact = Contact {
                name: name.into(),
                role: String::new(),
                addresses: Default::default(),
                methods: Vec::new(),
            };
            plan.contacts.insert(name.to_lowercase().as_str().into(), contact);
        }
        let turns =
            Turns::Calendar { file: file.to_string_lossy().into(), shifts: Vec::new(), trouble: None };
        let rotation =
            Rotation { title: "On call".into(), zone: TimeZone::UTC, turns, overrides: Vec::new() };
        plan.rotations.insert("oncall".into(), rotation);
        Arc::new(plan)
    }

    async fn next(reports: &mut UnboundedReceiver<Report>) -> Said {
        let report = tokio::time::timeout(Duration::from_secs(20), reports.recv()).await;
        match report.expect("no report came").expect("the task is gone") {
            Report::Calendar { shifts, trouble, .. } => (shifts, trouble),
            other => panic!("{other:?}"),
        }
    }

    fn who((shifts, trouble): Said) -> Vec<ContactId> {
        assert_eq!(trouble, None);
        shifts.into_iter().map(|shift| shift.contact).collect()
    }

    fn left_out((_, trouble): Said) -> String {
        match trouble {
            Some(CalendarTrouble::LeftOut(events)) => events.join("; "),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_calendar_is_read_at_start_and_when_it_changes_and_faults_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rota.ics");
        let write = |name: &str| std::fs::write(&file, format!("{HEAD}SUMMARY:{name}{TAIL}")).unwrap();
        write("Alice");
        let clock = Arc::new(ManualClock::new("2026-03-01T03:00:00Z".parse().unwrap()));
        let (sender, mut reports) = unbounded_channel();
        let sink: ReportSink = Arc::new(move |report| drop(sender.send(report)));
        let task = start(&plan(&file), clock.clone(), sink);
        assert_eq!(who(next(&mut reports).await), ["alice".into()]);

        // Each look waits for the world's clock: what happens at one is seen before the next.
        write("Carol");
        let fault = loop {
            clock.advance(LOOK);
            if let Ok(said) = tokio::time::timeout(Duration::from_millis(50), next(&mut reports)).await {
                break left_out(said);
            }
        };
        assert!(
            fault.contains("rota.ics") && fault.contains("Carol") && fault.contains("2026-03-01"),
            "{fault}"
        );

        std::fs::remove_file(&file).unwrap();
        let missing = loop {
            clock.advance(LOOK);
            if let Ok(said) = tokio::time::timeout(Duration::from_millis(50), next(&mut reports)).await {
                break said.1;
            }
        };
        let Some(CalendarTrouble::Unread(missing)) = missing else { panic!("{missing:?}") };
        assert!(missing.contains("rota.ics: there is no such file"), "{missing}");

        // Nothing is said twice: the next report is of the next change.
        write("Bob");
        let bob = loop {
            clock.advance(LOOK);
            if let Ok(said) = tokio::time::timeout(Duration::from_millis(50), next(&mut reports)).await {
                break said;
            }
        };
        assert_eq!(who(bob), ["bob".into()]);
        assert!(reports.is_empty());
        task.abort();
    }

    #[tokio::test]
    async fn a_plan_without_calendars_needs_no_task() {
        let sink: ReportSink = Arc::new(|_| panic!("nothing is to be reported"));
        let clock = Arc::new(ManualClock::new("2026-03-01T03:00:00Z".parse().unwrap()));
        start(&crate::core::tests::fixture::plan(), clock, sink).await.unwrap();
    }
}
