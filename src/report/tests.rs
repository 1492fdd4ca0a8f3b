use super::*;
use crate::core::apply::apply;
use crate::core::tests::fixture::{self, Machine, seconds};
use crate::core::tests::people::{self, with_people};
use crate::core::tests::serving;
use crate::core::words::action::{Acted, Failure};
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::escalation::IncidentRole;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::notification::{Again, Receipt, Tracked, Undelivered};
use crate::journal::{Bad, Head};
use std::sync::Arc;

fn verified(machine: &Machine) -> Verification {
    let seq = machine.log.len() as u64;
    let head = Head { seq, checksum: format!("{seq:064}") };
    Verification { records: seq, segments: 1, bytes: 0, head, bad: None, set_aside: Vec::new() }
}

fn report(machine: &Machine, incident: Option<&str>) -> String {
    let story = Story::of(people::plan(), &machine.log, incident).unwrap();
    postmortem(&story, &verified(machine))
}

/// A far behind standby, so that the guard of the promotion does not hold.
fn world()
-> Vec<(&'static str, Result<crate::core::words::reading::Measurement, crate::base::problem::Problem>)> {
    let mut world = fixture::down();
    world.retain(|(probe, _)| *probe != "dr-lag");
    world.push(("dr-lag", fixture::lag(90.0, 90.0, 3_200_000.0)));
    world
}

/// Answers the open questions of the machine to the providers: the phone is not answered, mail is accepted.
fn deliver(machine: &mut Machine) {
    let effects = std::mem::take(&mut machine.effects);
    for effect in effects {
        let Effect::Notify { id, attempt } = effect else {
            machine.effects.push(effect);
            continue;
        };
        let way = machine.model.durable.notifications[&id].queued.way.channel.clone();
        let result = match way.as_str() {
            "phone" => Err(Undelivered {
                why: "HTTP 401: the token is not valid".into(),
                next: "Look at the token.".into(),
                again: Again::Never,
            }),
            _ => Ok(Receipt {
                id: "1".into(),
                answer: "250 queued as | <b>7</b>".into(),
                ..Receipt::default()
            }),
        };
        machine.report(Report::Notified { id, attempt, result }).unwrap();
    }
}

fn confirm(machine: &mut Machine, step: &str) {
    let confirmation = machine.prepare(step);
    let typed = Some(format!("target-of-{step}")).filter(|_| step == "promote");
    machine.ask(Ask::Confirm { confirmation, typed }).unwrap();
}

/// A night in which much goes wrong and all ends well.
fn night() -> Machine {
    let mut machine = with_people(Machine::new());
    machine.pass(20, &fixture::healthy());
    machine.pass(100, &world());
    deliver(&mut machine);
    machine.pass(30, &world());
    let mail = machine
        .model
        .durable
        .notifications
        .values()
        .find(|known| known.queued.way.channel.as_str() == "mail");
    let id = mail.unwrap().queued.id.clone();
    machine.report(Report::Tracked { id, tracked: Tracked::Acknowledged("Bob Berg".into()) }).unwrap();
    machine.ask(Ask::Declare { title: "primary gone | <script>".into(), mode: Mode::Live }).unwrap();
    machine.ask(Ask::HandOver { role: IncidentRole::Communications, to: "Dora Diaz".into() }).unwrap();
    machine.pass(30, &world());
    let (answer, suggested) = ("yes".to_owned(), Some("yes".to_owned()));
    let reason = Some("the provider's status page says so".into());
    machine.ask(Ask::Answer { question: "primary-down".into(), answer, suggested, reason }).unwrap();
    machine.settle();
    let run = machine.run();
    machine.prepare("promote");
    let reason = "the customers cannot wait".to_owned();
    machine.ask(Ask::Override { run: run.clone(), step: "promote".into(), guard: 0, reason }).unwrap();
    confirm(&mut machine, "promote");
    machine.effects.clear();
    let failure = Failure {
        what: "pg_promote".into(),
        why: "permission denied".into(),
        next: "Grant it.".into(),
        acted: Acted::No,
    };
    let failed = Outcome::Failed(failure);
    machine
        .report(Report::Executed { run: run.clone(), step: "promote".into(), attempt: 1, outcome: failed })
        .unwrap();
    machine.ask(Ask::Note { text: "# granted the role\n[see](https://wiki.example)".into() }).unwrap();
    machine.pass(10, &world());

    // The engine dies; another one takes over two minutes later.
    let now = machine.now.checked_add(seconds(120)).unwrap();
    let mut machine = with_people(Machine::resumed(machine.log, now));
    machine.pass(20, &world());
    machine.ask(Ask::Retry { run: run.clone(), step: "promote".into(), reason: None }).unwrap();
    machine.prepare("promote");
    let reason = "the customers still cannot wait".to_owned();
    machine.ask(Ask::Override { run: run.clone(), step: "promote".into(), guard: 0, reason }).unwrap();
    for step in ["promote", "scale"] {
        confirm(&mut machine, step);
        machine.settle();
    }
    machine
        .ask(Ask::Attest { run: run.clone(), step: "dns".into(), how: "DNS was moved before".into() })
        .unwrap();
    machine.ask(Ask::Attest { run, step: "tell".into(), how: "called everybody".into() }).unwrap();
    machine.pass(800, &world());
    let send = Ask::Send {
        message: Some("activation".into()),
        audience: "customers".into(),
        subject: "We work on it".into(),
        body: "It does not work.\n```\n# We are sorry\n".into(),
    };
    machine.ask(send).unwrap();
    machine.pass(2, &world());
    deliver(&mut machine);
    machine.ask(Ask::Resolve { how: "the other region serves".into() }).unwrap();
    machine.pass(60, &world());
    machine.ask(Ask::Close { reason: "watched".into() }).unwrap();
    machine
}

#[test]
fn a_night_is_told_whole() {
    insta::assert_snapshot!("a_night", report(&night(), None));
}

#[test]
fn what_answered_in_a_split_brain_is_no_recovery_and_is_told() {
    let mut machine = with_people(Machine::new());
    machine.pass(20, &serving::world(serving::primary(1, "a"), serving::standby("b")));
    machine.pass(40, &serving::world(fixture::bad(), serving::standby("b")));
    machine.ask(Ask::Declare { title: "primary gone".into(), mode: Mode::Live }).unwrap();
    machine.pass(1200, &serving::world(serving::primary(1, "a"), serving::primary(2, "b")));
    machine.pass(40, &serving::world(serving::primary(1, "a"), serving::standby("b2")));
    let text = report(&machine, None);
    let impact = &text[text.find("## Impact").unwrap()..text.find("## Timeline").unwrap()];
    assert!(impact.contains("**exceeded**") && !impact.contains("| met |"), "{impact}");
    assert!(impact.contains("SPLIT BRAIN") && impact.contains("missing on the other"), "{impact}");
}

#[test]
fn each_region_that_came_to_serve_is_told_and_not_only_the_last() {
    let mut machine = with_people(Machine::new());
    machine.pass(20, &serving::world(serving::primary(1, "a"), serving::standby("b")));
    machine.ask(Ask::Declare { title: "primary gone".into(), mode: Mode::Live }).unwrap();
    let moves = [
        ("dr", serving::world(serving::standby("a2"), serving::primary(2, "b"))),
        ("primary", serving::world(serving::primary(3, "a3"), serving::standby("b2"))),
    ];
    for (region, world) in &moves {
        machine.pass(40, world);
        let record = Ask::RecordServing { region: (*region).into(), reason: "moved by hand".into() };
        machine.ask(record).unwrap();
    }
    let text = report(&machine, None);
    let rows = text.lines().filter(|line| line.starts_with("| another region serves |"));
    let mut regions: Vec<&str> = rows.filter_map(|row| row.split('|').nth(4).map(str::trim)).collect();
    regions.dedup();
    assert_eq!(regions, ["dr", "primary"], "{text}");
}

#[test]
fn what_is_open_says_so_and_ends_with_what_is_known() {
    let mut machine = with_people(Machine::primary_down());
    machine.ask(Ask::Declare { title: "primary gone".into(), mode: Mode::Drill }).unwrap();
    machine.pass(5, &fixture::down());
    let text = report(&machine, None);
    for part in
        ["still OPEN", "**DRILL: an exercise", "so far", "Time to resolve: never", "| resolved | never |"]
    {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(text.contains("not over"), "{text}");
}

#[test]
fn one_incident_of_several_has_only_its_own_events() {
    let mut machine = with_people(Machine::new());
    machine.pass(20, &fixture::healthy());
    for title in ["the first", "the second"] {
        machine.ask(Ask::Declare { title: title.into(), mode: Mode::Live }).unwrap();
        machine.ask(Ask::Note { text: format!("noted in {title}") }).unwrap();
        machine.ask(Ask::Close { reason: format!("end of {title}") }).unwrap();
        machine.pass(900, &fixture::healthy());
    }
    let first = machine.model.durable.closed[0].id.to_string();
    let text = report(&machine, Some(&first));
    assert!(text.contains("noted in the first") && !text.contains("the second"), "{text}");
    let text = report(&machine, None);
    assert!(text.contains("noted in the second") && !text.contains("the first"), "{text}");
    // Nobody sent the message that was due; it is forgotten with the close and still told here.
    let error = Story::of(people::plan(), &machine.log, Some("INC-\u{1b}1")).err().unwrap().to_string();
    assert!(error.contains(&first) && !error.contains('\u{1b}'), "{error}");
    assert_eq!(Story::of(people::plan(), &[], None).err(), Some(NoStory::Nothing));
}

#[test]
fn no_text_of_the_journal_becomes_markup() {
    let text = report(&night(), None);
    assert!(!text.contains("<script>") && !text.contains("<b>"), "{text}");
    let outside_fences: Vec<&str> = {
        let mut fence: Option<String> = None;
        text.lines()
            .filter(|line| {
                let ticks: String = line.chars().take_while(|c| *c == '`').collect();
                match &fence {
                    Some(open) => {
                        if *line == *open {
                            fence = None;
                        }
                        false
                    }
                    None if ticks.len() >= 3 => {
                        fence = Some(ticks);
                        false
                    }
                    None => true,
                }
            })
            .collect()
    };
    assert!(outside_fences.iter().all(|line| !line.contains("# We are sorry")), "{text}");
    assert!(outside_fences.iter().all(|line| !line.replace("\\]", "").contains("](http")), "{text}");
    // Every row of a table has the cells of its head.
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    for pair in outside_fences.windows(2).filter(|pair| pair.iter().all(|line| line.starts_with('|'))) {
        assert_eq!(cells(pair[0]), cells(pair[1]), "{pair:#?}");
    }
}

#[test]
fn a_bad_journal_is_said_where_its_head_would_be() {
    let machine = night();
    let story = Story::of(people::plan(), &machine.log, None).unwrap();
    let bad = Bad { segment: "000001.jsonl".into(), line: 3, seq: 3, reason: "its bytes changed".into() };
    let text = postmortem(&story, &Verification { bad: Some(bad), records: 2, ..verified(&machine) });
    assert!(text.contains("**BAD**") && !text.contains("GOOD"), "{text}");
}

#[test]
fn a_report_under_another_plan_says_so() {
    let machine = night();
    let mut plan = (*people::plan()).clone();
    plan.digest = "f".repeat(64);
    let story = Story::of(Arc::new(plan), &machine.log, None).unwrap();
    assert!(postmortem(&story, &verified(&machine)).contains("The plan changed"));
}

/// The report is made of the fold alone: what only the live model knows cannot be in it.
#[test]
fn the_story_is_the_fold_of_the_journal() {
    let machine = night();
    let story = Story::of(people::plan(), &machine.log, None).unwrap();
    let mut model = crate::core::model::Model::new(people::plan());
    machine.log.iter().for_each(|event| apply(&mut model, event));
    assert_eq!(story.model.durable, model.durable);
}
