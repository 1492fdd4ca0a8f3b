//! The language of the scripts. A line is a blank, a comment, or one of:
//!
//! ```text
//! given scenario NAME
//! when 40 s pass
//! when CONDITION holds within 120 s
//! when declare TITLE | when declare drill TITLE
//! when answer ANSWER [because REASON]
//! when revisit QUESTION
//! when prepare STEP | when confirm STEP [typing PHRASE] | when override STEP GUARD because REASON
//! when skip STEP because REASON | when attest STEP: HOW | when retry STEP [because REASON] | when recheck STEP
//! when abort because REASON | when resolve because HOW | when close because REASON | when the engine crashes
//! when record REGION because REASON | when settle because REASON       a contradiction is answered
//! when reconcile because REASON        what became of the data that went apart
//! then refused: WORDS                  the last `when` was refused, with these words in it
//! then severity P0 | then severity none
//! then question ID | then leaf ID | then runbook ID
//! then suggests ANSWER | then suggests nothing: WORDS
//! then step STEP is STATUS | then run completed | then run aborted | then active REGION | then serving REGION
//! then contradiction WORDS             one is open with these words in it
//! then diverged WORDS | then diverged nothing
//! then loss WORDS                      the exposure's sentence has these words
//! then CONDITION holds | then the journal verifies
//! ```

use crate::rig::Rig;
use lifeboat::base::ids::{ConfirmationId, RunId};
use lifeboat::base::problem::Problem;
use lifeboat::core::ask::evidence;
use lifeboat::core::ask::names::View;
use lifeboat::core::ask::tree::{Suggestion, suggest};
use lifeboat::core::model::Model;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::incident::{Incident, Mode, Position, RunEnd};
use lifeboat::plan::condition::{Condition, Truth};

/// Plays a script; panics with its name and line where it does not come out.
pub fn play(name: &str, text: &str) {
    let mut rig: Option<Rig> = None;
    let mut refused: Option<Problem> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let place = format!("{name}:{}: {line}", number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(scenario) = line.strip_prefix("given scenario ") {
            rig = Some(Rig::new(scenario));
            continue;
        }
        let rig = rig.as_mut().unwrap_or_else(|| panic!("{place}: no scenario is given"));
        if let Some(deed) = line.strip_prefix("when ") {
            assert!(refused.is_none(), "{place}: the deed before was refused: {refused:?}");
            refused = when(rig, deed, &place).err();
        } else if let Some(words) = line.strip_prefix("then refused: ") {
            let refusal = refused.take().unwrap_or_else(|| panic!("{place}: it was not refused"));
            assert!(refusal.why.contains(words), "{place}: {refusal:?}");
        } else if let Some(claim) = line.strip_prefix("then ") {
            assert!(refused.is_none(), "{place}: the deed before was refused: {refused:?}");
            then(rig, claim, &place);
        } else {
            panic!("{place}: not understood");
        }
    }
    assert!(refused.is_none(), "{name}: the last deed was refused: {refused:?}");
}

fn when(rig: &mut Rig, deed: &str, place: &str) -> Result<(), Problem> {
    let because = |text: &str| match text.split_once(" because ") {
        Some((before, reason)) => (before.to_owned(), Some(reason.to_owned())),
        None => (text.to_owned(), None),
    };
    if let Some(seconds) = deed.strip_suffix(" s pass") {
        rig.pass(seconds.parse().unwrap());
        return Ok(());
    }
    if let Some((condition, limit)) = deed.split_once(" holds within ") {
        let limit: i64 = limit.strip_suffix(" s").unwrap().parse().unwrap();
        let mut truth = holds(rig, condition);
        for _ in 0..limit {
            if truth == Truth::True {
                return Ok(());
            }
            rig.pass(1);
            truth = holds(rig, condition);
        }
        panic!("{place}: still {truth:?}");
    }
    if deed == "the engine crashes" {
        rig.crash();
        return Ok(());
    }
    let (verb, rest) = deed.split_once(' ').unwrap_or((deed, ""));
    let (what, reason) = because(rest);
    let ask = match verb {
        "declare" => match rest.strip_prefix("drill ") {
            Some(title) => Ask::Declare { title: title.into(), mode: Mode::Drill },
            None => Ask::Declare { title: rest.into(), mode: Mode::Live },
        },
        "answer" => rig.read(|model| {
            let Position::Question(question) = &incident(model).position else {
                panic!("{place}: no question")
            };
            let suggested = suggestion(model, rig.now()).answer().map(str::to_owned);
            Ask::Answer {
                question: question.clone(),
                answer: what.clone(),
                suggested,
                reason: reason.clone(),
            }
        }),
        "revisit" => Ask::Revisit { question: what.as_str().into() },
        "prepare" => Ask::Prepare { run: run(rig), step: what.as_str().into() },
        "confirm" => {
            let (step, typed) = what.split_once(" typing ").unwrap_or((&what, ""));
            let typed = Some(typed.to_owned()).filter(|typed| !typed.is_empty());
            Ask::Confirm { confirmation: confirmation(rig, step, place), typed }
        }
        "override" => {
            let (step, guard) = what.rsplit_once(' ').unwrap();
            let guard = guard.parse::<usize>().unwrap() - 1;
            Ask::Override { run: run(rig), step: step.into(), guard, reason: reason.unwrap_or_default() }
        }
        "skip" => Ask::Skip { run: run(rig), step: what.as_str().into(), reason: reason.unwrap_or_default() },
        "attest" => {
            let (step, how) = rest.split_once(": ").unwrap();
            Ask::Attest { run: run(rig), step: step.into(), how: how.into() }
        }
        "retry" => Ask::Retry { run: run(rig), step: what.as_str().into(), reason },
        "recheck" => Ask::Recheck { run: run(rig), step: what.as_str().into() },
        "undone" => rig.read(|model| {
            let (step, how) = rest.split_once(": ").unwrap();
            let left = lifeboat::core::ask::in_force::pending(model)
                .into_iter()
                .find(|left| left.step.as_str() == step);
            let left = left.unwrap_or_else(|| panic!("{place}: it is not in force"));
            Ask::Undone { run: left.run, step: left.step, how: how.into(), stays: false }
        }),
        "abort" => Ask::Abort { reason: rest.strip_prefix("because ").unwrap_or_default().into() },
        "record" => Ask::RecordServing { region: what.as_str().into(), reason: reason.unwrap_or_default() },
        "settle" => Ask::AnswerContradiction {
            id: rig.read(|model| model.durable.contradictions[0].contradiction.id.clone()),
            reason: rest.strip_prefix("because ").unwrap_or_default().into(),
        },
        "reconcile" => Ask::AnswerContradiction {
            id: rig.read(|model| model.durable.splits[0].id.clone()),
            reason: rest.strip_prefix("because ").unwrap_or_default().into(),
        },
        "resolve" => Ask::Resolve { how: rest.strip_prefix("because ").unwrap_or_default().into() },
        "close" => Ask::Close { reason: rest.strip_prefix("because ").unwrap_or_default().into() },
        _ => panic!("{place}: not understood"),
    };
    rig.ask(ask)
}

fn then(rig: &mut Rig, claim: &str, place: &str) {
    if let Some(condition) = claim.strip_suffix(" holds") {
        assert_eq!(holds(rig, condition), Truth::True, "{place}");
        return;
    }
    if claim == "the journal verifies" {
        let verification = lifeboat::journal::verify(&rig.journal()).unwrap();
        assert!(verification.is_good(), "{place}: {verification:?}");
        return;
    }
    let (what, rest) = claim.split_once(' ').unwrap_or_else(|| panic!("{place}: not understood"));
    let now = rig.now();
    rig.read(|model| match what {
        "severity" => assert_eq!(model.severity().map_or("none", |s| s.as_str()), rest, "{place}"),
        "question" => assert_eq!(incident(model).position, Position::Question(rest.into()), "{place}"),
        "leaf" => assert_eq!(incident(model).position, Position::Leaf(rest.into()), "{place}"),
        "runbook" => assert_eq!(incident(model).position, Position::Runbook(rest.into()), "{place}"),
        "suggests" => match (suggestion(model, now), rest.strip_prefix("nothing: ")) {
            (Suggestion::Answer { answer, .. }, None) => assert_eq!(answer, rest, "{place}"),
            (Suggestion::Withheld(why), Some(words)) => assert!(why.contains(words), "{place}: {why}"),
            (other, _) => panic!("{place}: {other:?}"),
        },
        "step" => {
            let (step, status) = rest.split_once(" is ").unwrap();
            let state = incident(model).runs.last().and_then(|run| run.steps.get(step));
            let state = state.unwrap_or_else(|| panic!("{place}: no such step"));
            assert_eq!(state.status.as_str(), status, "{place}: {state:#?}");
        }
        "run" => {
            let ended = incident(model).runs.last().and_then(|run| run.ended.as_ref());
            let end = match ended.map(|(_, end)| end) {
                Some(RunEnd::Completed) => "completed",
                Some(RunEnd::Aborted(_)) => "aborted",
                None => "open",
            };
            assert_eq!(end, rest, "{place}");
        }
        "serving" => assert_eq!(model.serving().map(|id| id.as_str()), Some(rest), "{place}"),
        "contradiction" => {
            let open: Vec<&str> =
                model.durable.contradictions.iter().map(|open| &*open.contradiction.what).collect();
            assert!(open.iter().any(|what| what.contains(rest)), "{place}: {open:?}");
        }
        "diverged" => {
            let open: Vec<&str> =
                lifeboat::core::ask::divergence::open(model).iter().map(|split| &*split.what).collect();
            let is_said =
                if rest == "nothing" { open.is_empty() } else { open.iter().any(|what| what.contains(rest)) };
            assert!(is_said, "{place}: {open:?}");
        }
        "active" => assert_eq!(model.durable.active.as_ref().map(|id| id.as_str()), Some(rest), "{place}"),
        "force" => {
            let left = lifeboat::core::ask::in_force::left_behind(model);
            let steps: Vec<&str> = left.iter().map(|left| left.step.as_str()).collect();
            assert_eq!(
                if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") },
                rest,
                "{place}"
            );
        }
        "loss" => {
            let sentence = evidence::exposure(model, now).unwrap().sentence();
            assert!(sentence.contains(rest), "{place}: {sentence}");
        }
        _ => panic!("{place}: not understood"),
    });
}

fn incident(model: &Model) -> &Incident {
    model.durable.incident.as_ref().expect("an open incident")
}

fn suggestion(model: &Model, now: jiff::Timestamp) -> Suggestion {
    let Position::Question(question) = &incident(model).position else { panic!("no question is open") };
    suggest(model, &model.plan.tree.questions[question], now)
}

fn run(rig: &Rig) -> RunId {
    rig.read(|model| incident(model).runs.last().expect("a run").id.clone())
}

fn confirmation(rig: &Rig, step: &str, place: &str) -> ConfirmationId {
    rig.read(|model| {
        let state = incident(model).runs.last().and_then(|run| run.steps.get(step));
        let open = state.and_then(|state| state.confirmation.as_ref());
        open.unwrap_or_else(|| panic!("{place}: {step} was not prepared")).id.clone()
    })
}

fn holds(rig: &Rig, condition: &str) -> Truth {
    let condition = Condition::parse(condition).unwrap_or_else(|error| panic!("{condition}: {error:?}"));
    rig.read(|model| condition.evaluate(&View { model, now: rig.now() }))
}
