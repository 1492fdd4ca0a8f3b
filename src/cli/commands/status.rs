//! `lifeboat status`: how things are, as text or JSON, for scripts and for terminals that cannot show the console.

use crate::base::ids::{RegionId, ServiceId};
use crate::base::text::clean;
use crate::base::units;
use crate::cli::{Failure, PlanArgs, block_on, reach, say};
use crate::core::ask::contradiction::{self, Open};
use crate::core::ask::escalation_status::{self, Awareness, Owed};
use crate::core::ask::in_force::InForce;
use crate::core::ask::objectives::{self, RtoClock};
use crate::core::ask::tree::suggest;
use crate::core::ask::{attested, blind, divergence, evidence, in_force, lifecycle, oncall, placement};
use crate::core::decide::current_escalation;
use crate::core::model::{Model, Standing, Status};
use crate::core::words::incident::{Incident, Position};
use crate::core::words::signal::{SignalState, age};
use crate::core::words::status::StepStatus;
use crate::engine::client::Client;
use crate::engine::plan_file;
use crate::engine::protocol::ToClient;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

/// Longest line of text from outside: more than any probe or person says, so that nothing is cut that somebody meant.
const LINE_CHARS: usize = 20_000;

const EXIT_TROUBLE: u8 = 1;
const EXIT_UNKNOWN: u8 = 2;
const EXIT_NO_ENGINE: u8 = 3;

/// Arguments of `lifeboat status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    place: PlanArgs,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the state.
///
/// # Errors
/// When the engine cannot be reached; exit code 3 when none runs, 2 where there is no such plan.
pub fn run(args: &StatusArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    match print(args, out) {
        // Whoever reads JSON reads why there is nothing to tell there, too.
        Err(failure) if args.json && failure.code == EXIT_NO_ENGINE => {
            let told = json!({ "state": "no-engine", "why": failure.what, "next": failure.next });
            say(out, &format!("{told:#}\n"))?;
            Ok(ExitCode::from(EXIT_NO_ENGINE))
        }
        printed => printed,
    }
}

fn print(args: &StatusArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let folder = args.place.state_folder()?;
    let mut of_another = None;
    let answer = block_on(async {
        let mut client = Client::connect(&folder.socket()).await?;
        of_another = client.of_another().map(str::to_owned);
        client.answer().await
    })?;
    let (model, now, pid) = match answer {
        Ok(ToClient::Welcome { model, now, pid, .. }) => (model, now, pid),
        Ok(ToClient::Goodbye { why, next }) => return Err(Failure::new(why, next).with_code(EXIT_NO_ENGINE)),
        Ok(_) => {
            return Err(Failure::new("the engine's first word was not a welcome", "Update both sides.")
                .with_code(EXIT_NO_ENGINE));
        }
        Err(error) => return Err(reach::failure(&folder, error).with_code(EXIT_NO_ENGINE)),
    };
    args.place.expect_own(&model.plan.name).map_err(|failure| failure.with_code(EXIT_NO_ENGINE))?;
    let file = plan_file::of(&folder).map(|file| file.display().to_string());
    let mut text = match args.json {
        true => {
            let mut told = as_json(&model, now, pid);
            told["plan_file"] = json!(file);
            format!("{told:#}\n")
        }
        false => as_text(&model, now),
    };
    if let Some(file) = file.filter(|_| !args.json) {
        text.push_str(&format!("plan file    {}\n", clean(&file, LINE_CHARS)));
    }
    if let Some(user) = of_another.filter(|_| !args.json) {
        text.push_str(&format!("engine       of {user}, not yours\n"));
    }
    say(out, &text)?;
    Ok(ExitCode::from(code(&model)))
}

/// Well, in trouble, or not known.
fn code(model: &Model) -> u8 {
    let standings = || model.durable.regions.values().chain(model.durable.services.values());
    let is_any = |status| standings().any(|standing| standing.status == status);
    let is_signal = |state| model.durable.signals.values().any(|signal| signal.state == state);
    let is_declared = model.durable.incident.is_some() || model.severity().is_some();
    let is_bad = is_any(Status::Down) || is_any(Status::Degraded);
    let shows = is_signal(SignalState::Critical) || is_signal(SignalState::Warn);
    let is_unread = oncall::troubles(model).any(|fault| fault.is_unread);
    let is_short = model.live.journal_failure.is_some() || model.live.journal_short.is_some();
    let is_off = model.live.clock_off.is_some();
    let is_left = !in_force::left_behind(model).is_empty()
        || !divergence::open(model).is_empty()
        || !attested::left(model).is_empty();
    if is_declared || is_short || is_off || is_unread || is_bad || shows || is_left {
        EXIT_TROUBLE
    } else if is_any(Status::Unknown) || is_signal(SignalState::Unknown) || blind::since(model).is_some() {
        EXIT_UNKNOWN
    } else {
        0
    }
}

fn as_text(model: &Model, now: Timestamp) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:12} {}", clean(&what, LINE_CHARS));
    };
    line("plan", model.plan.name.clone());
    if let Some(simulation) = &model.live.simulation {
        line("world", format!("SIMULATED: {} at speed {}", simulation.scenario, simulation.speed));
    }
    line("severity", severity(model, now));
    if let Some(since) = blind_since(model) {
        line("blind", format!("no reference probe answers, for {}", units::duration(age(since, now))));
    }
    if let Some(off) = model.live.clock_off {
        line("own clock", off.sentence());
    }
    if let Some(clock) = clock(model, now) {
        let (elapsed, target) = (units::duration(clock.elapsed), units::duration(clock.target));
        let title =
            model.plan.services.get(&clock.service).map_or(clock.service.as_str(), |service| &service.title);
        let left = clock.left();
        let end = match (clock.stopped, left.is_negative()) {
            (_, true) => format!(", MISSED by {}", units::duration(left.abs())),
            (Some(_), false) => String::new(),
            (None, false) => format!(", {} left", units::duration(left)),
        };
        let again = if clock.stopped.is_some() { "works again after " } else { "" };
        line("rto", format!("{title}: {again}{elapsed} of {target}{end}"));
    }
    if let Some(serving) = model.serving() {
        let measured = if model.durable.measured.is_some() { ", as measured and not recorded" } else { "" };
        let others = placement::sentences(model).into_iter().map(|other| format!("; {other}"));
        line("serves", format!("{serving}{measured}{}", others.collect::<String>()));
    }
    for said in attested::sentences(model, now) {
        line("unproven", said);
    }
    for open in contradiction::of(model) {
        let known = &open.contradiction;
        let answered = if open.answered.is_some() { " (answered)" } else { "" };
        line("wrong", format!("{} {}{answered}: {}", known.severity.as_str(), known.what, known.why));
    }
    for split in divergence::open(model) {
        line("diverged", split.sentence());
    }
    for left in in_force::to_tell(model) {
        line("in force", format!("{}: {}", left.heading(), left.sentence()));
    }
    if let Some(loss) = evidence::exposure(model, now) {
        let runbooks = || model.plan.runbooks.values();
        let is_old = runbooks().all(|runbook| !evidence::leads_away(model, runbook))
            && !evidence::is_since_failover(model, &loss);
        let old = if is_old { "not measured since the failover; before it: " } else { "" };
        line("exposure", format!("{old}{}", loss.sentence()));
    }
    for (id, standing) in &model.durable.regions {
        line(
            "region",
            format!("{id}: {}{}", since(standing, now), wrong(contradiction::in_region(model, id))),
        );
    }
    for (id, standing) in &model.durable.services {
        let from = elsewhere(model, id).map_or_else(String::new, |region| format!(", in {region}"));
        line("service", format!("{id}: {}{from}{}", since(standing, now), wrong(on_service(model, id))));
    }
    for (probe, state, why) in worst(model) {
        line("signal", format!("{probe}: {}: {why}", state.as_str()));
    }
    if let Some(incident) = &model.durable.incident {
        line("incident", format!("{} ({}): {}", incident.id, incident.mode.as_str(), incident.title));
        line("phase", lifecycle::phase(&model.plan, incident, now).as_str().into());
        line("led by", incident.leader());
        for (name, what) in open(model, incident, now) {
            line(name, what);
        }
    }
    for (name, what) in people(model, now) {
        line(name, what);
    }
    for fault in oncall::faults(model, now) {
        line("on call", fault.text);
    }
    line("journal", journal(model));
    text
}

fn severity(model: &Model, now: Timestamp) -> String {
    let set = model.durable.incident.as_ref().and_then(|incident| incident.severity_override.as_ref());
    match (set, &model.durable.severity) {
        (Some((severity, why)), _) => format!("{} set by a person: {why}", severity.as_str()),
        (None, Some((severity, since, why))) => {
            let reason = model.durable.reason_since.filter(|at| at != since);
            let reason = reason.map_or_else(String::new, |at| {
                format!(", for this reason for {}", units::duration(age(at, now)))
            });
            format!("{} for {}{reason}: {why}", severity.as_str(), units::duration(age(*since, now)))
        }
        (None, None) if code(model) == EXIT_UNKNOWN => "not known".into(),
        (None, None) => "none".into(),
    }
}

/// The RTO clock that runs, or else the one that stopped in the open incident.
fn clock(model: &Model, now: Timestamp) -> Option<RtoClock> {
    let stopped = || objectives::overall_stopped(model, model.durable.services.keys());
    objectives::overall_clock(model, now).or_else(stopped)
}

/// Since when the console is blind; since the engine's start where no reference probe ever answered.
fn blind_since(model: &Model) -> Option<Timestamp> {
    let since = blind::since(model)?;
    Some(since).filter(|since| *since != Timestamp::UNIX_EPOCH).or(model.durable.engine_started_at)
}

/// The signals that are not ok, the worst first.
fn worst(model: &Model) -> Vec<(String, SignalState, String)> {
    let mut signals: Vec<_> =
        model.durable.signals.iter().filter(|(_, s)| s.state != SignalState::Ok).collect();
    signals.sort_by_key(|(_, signal)| std::cmp::Reverse(signal.state.concern()));
    let row = |(id, signal): (&crate::base::ids::ProbeId, &crate::core::words::signal::Signal)| {
        (id.to_string(), signal.state, model.why(id))
    };
    signals.into_iter().map(row).collect()
}

/// `down for 3 min 05 s`; without a span for what was never known.
fn since(standing: &Standing, now: Timestamp) -> String {
    let status = standing.status.as_str();
    known_since(standing).map_or_else(
        || format!("{status}, never measured"),
        |since| format!("{status} for {}", units::duration(age(since, now))),
    )
}

/// The region that a service serves from, where that is another one than the one that serves.
fn elsewhere<'m>(model: &'m Model, id: &ServiceId) -> Option<&'m RegionId> {
    placement::region_of(model, id).filter(|region| Some(*region) != model.serving())
}

/// The contradiction that a service's servers are in.
fn on_service<'m>(model: &'m Model, id: &ServiceId) -> Option<&'m Open> {
    contradiction::on(model, model.plan.services.get(id)?.health.values().flatten())
}

/// What makes of something that answers something that does not work.
fn wrong(open: Option<&Open>) -> String {
    open.map_or_else(String::new, |open| format!(", {}", open.contradiction.word().to_uppercase()))
}

/// What waits for a person, or runs.
fn open(model: &Model, incident: &Incident, now: Timestamp) -> Vec<(&'static str, String)> {
    if let Some(run) = incident.open_run() {
        let open = run
            .steps
            .iter()
            .filter(|(_, step)| !step.status.is_settled() && step.status != StepStatus::Pending);
        let steps = open.map(|(id, step)| ("step", format!("{id}: {}", step.status.as_str())));
        return std::iter::once(("run", format!("{} ({})", run.id, run.runbook))).chain(steps).collect();
    }
    match &incident.position {
        Position::Question(id) => model.plan.tree.questions.get(id).map_or_else(Vec::new, |question| {
            let suggested = suggest(model, question, now);
            let suggestion =
                suggested.answer().map_or_else(String::new, |answer| format!(" (suggested: {answer})"));
            vec![("question", format!("{}{suggestion}", question.ask))]
        }),
        Position::Leaf(id) => {
            let title =
                model.plan.tree.leaves.get(id).map_or_else(|| id.to_string(), |leaf| leaf.title.clone());
            vec![("outcome", title)]
        }
        Position::Runbook(id) => vec![("outcome", format!("the runbook {id} has ended"))],
    }
}

/// Who knows, and what has to be told.
fn people(model: &Model, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(proposal) = &model.durable.proposal {
        let ago = units::duration(age(proposal.at, now));
        let severity = proposal.severity.as_str();
        found.push(("proposed", format!("{severity}, {ago} ago, nobody declared it: {}", proposal.title)));
    }
    if let Some(escalation_status) = escalation_status::of(model, now) {
        found.push(("escalation", escalation_status::sentence(model, &escalation_status, now)));
    }
    for owed in escalation_status::owed(model) {
        let left = units::duration(owed.left(now).abs());
        let when = if owed.is_overdue(now) { format!("OVERDUE by {left}") } else { format!("due in {left}") };
        found.push(("message", format!("{} to {}: {when}", owed.title, owed.audience)));
    }
    found
}

fn people_as_json(model: &Model, now: Timestamp) -> Value {
    let Some(escalation_status) = escalation_status::of(model, now) else { return Value::Null };
    let mut told = json!({
        "state": match &escalation_status {
            Awareness::Acknowledged(_) => "acknowledged",
            Awareness::Paging(_) => "paging",
            Awareness::Resolved => "resolved",
            Awareness::NoPolicy(_) => "no-policy",
            Awareness::NotBegun => "not-begun",
        },
        "text": escalation_status::sentence(model, &escalation_status, now),
        "severity": current_escalation(model).map(|escalation| escalation.severity.as_str()),
    });
    match escalation_status {
        Awareness::Acknowledged(taken) => {
            told["acknowledged"] = json!({ "by": taken.who, "via": taken.via, "at": taken.at });
        }
        Awareness::Paging(paging) => {
            told["levels_told"] = json!(paging.told);
            told["levels"] = json!(paging.levels);
            told["round"] = json!(paging.round + 1);
            told["next"] = json!(paging.next.map(|next| json!({
                "level": next.level + 1,
                "title": next.title,
                "at": next.at,
                "people": next.people,
                "ways": next.ways,
            })));
            told["unreached"] = json!(paging.unreached.map(|unreached| json!({
                "level": unreached.level + 1,
                "title": unreached.title,
                "nobody": unreached.nobody,
                "call": unreached.call,
            })));
        }
        Awareness::Resolved | Awareness::NoPolicy(_) | Awareness::NotBegun => {}
    }
    told
}

/// Who is on call in each rotation, and what is wrong with its calendar.
fn on_call_as_json(model: &Model, now: Timestamp) -> Vec<Value> {
    let rotation = |(id, rotation): (&crate::base::ids::RotationId, &crate::plan::Rotation)| {
        let on_call = oncall::at(model, id, now);
        json!({
            "rotation": id.as_str(),
            "people": on_call.as_ref().ok(),
            "nobody": on_call.as_ref().err(),
            "trouble": oncall::trouble(model, id, rotation).map(|fault| fault.text),
        })
    };
    model.plan.rotations.iter().map(rotation).collect()
}

fn owed_as_json(owed: &Owed, now: Timestamp) -> Value {
    json!({
        "message": owed.message.as_str(),
        "title": owed.title,
        "audience": owed.audience,
        "public": owed.public,
        "by": owed.by,
        "overdue": owed.is_overdue(now),
    })
}

fn left_as_json(left: &InForce) -> Value {
    json!({
        "run": left.run,
        "step": left.step,
        "title": left.title,
        "target": left.target,
        "since": left.since,
        "is_fence": left.is_fence,
        "undo": left.undo,
        "text": format!("{}: {}", left.heading(), left.sentence()),
    })
}

fn journal(model: &Model) -> String {
    let head = model.durable.head.as_ref();
    let head = head.map_or_else(|| "empty".into(), |head| format!("head {}:{}", head.seq, head.checksum));
    match (&model.live.journal_failure, &model.live.journal_short) {
        (Some(why), _) => format!("CANNOT BE WRITTEN: {why}; {head}"),
        (None, Some(short)) => format!("DISK FULL: {short}; {head}"),
        (None, None) => format!("{head}; {}", model.live.journal_protection),
    }
}

/// Since when it is as it is; none for what was never known.
fn known_since(standing: &Standing) -> Option<Timestamp> {
    Some(standing.since).filter(|since| *since != Timestamp::UNIX_EPOCH)
}

fn as_json(model: &Model, now: Timestamp, pid: u32) -> Value {
    let standing = |id: &str, standing: &Standing, wrong: Option<&Open>| {
        json!({
            "id": id,
            "status": standing.status.as_str(),
            "since": known_since(standing),
            "contradiction": wrong.map(|open| &open.contradiction.id),
        })
    };
    let regions = model.durable.regions.iter();
    let regions: Vec<Value> =
        regions.map(|(id, s)| standing(id.as_str(), s, contradiction::in_region(model, id))).collect();
    let services = model.durable.services.iter();
    let services: Vec<Value> = services
        .map(|(id, s)| {
            let mut told = standing(id.as_str(), s, on_service(model, id));
            told["region"] = json!(placement::region_of(model, id));
            told
        })
        .collect();
    let signals: Vec<Value> = worst(model)
        .into_iter()
        .map(|(probe, state, why)| json!({ "probe": probe, "state": state.as_str(), "why": why }))
        .collect();
    let clock = clock(model, now);
    let incident = model.durable.incident.as_ref().map(|incident| {
        let open: Vec<Value> = open(model, incident, now)
            .into_iter()
            .map(|(what, text)| json!({ "kind": what, "text": text }))
            .collect();
        json!({
            "id": incident.id.as_str(),
            "title": incident.title,
            "mode": incident.mode.as_str(),
            "phase": lifecycle::phase(&model.plan, incident, now).as_str(),
            "leader": incident.leader(),
            "declared_at": incident.declared_at,
            "open": open,
        })
    });
    json!({
        "plan": model.plan.name,
        "now": now,
        "engine_pid": pid,
        "simulation": model.live.simulation,
        "state": match code(model) { 0 => "healthy", EXIT_TROUBLE => "trouble", _ => "unknown" },
        "severity": model.severity().map(|severity| severity.as_str()),
        "severity_since": model.durable.severity.as_ref().map(|(_, since, _)| since),
        "severity_why": model.durable.severity.as_ref().map(|(.., why)| why),
        "blind_since": blind_since(model),
        "own_clock": model.live.clock_off.map(|off| json!({
            "ahead_s": off.ahead.as_secs(),
            "peers": off.peers,
            "text": off.sentence(),
        })),
        "serving": model.serving(),
        "recorded_serving": model.durable.active,
        "contradictions": contradiction::of(model),
        "rto": clock.map(|clock| json!({
            "service": clock.service,
            "since": clock.since,
            "stopped": clock.stopped,
            "elapsed_s": clock.elapsed.as_secs_f64(),
            "target_s": clock.target.as_secs_f64(),
        })),
        "exposure": evidence::exposure(model, now),
        "in_force": in_force::to_tell(model).iter().map(left_as_json).collect::<Vec<_>>(),
        "diverged": divergence::open(model),
        "unproven": attested::sentences(model, now),
        "regions": regions,
        "services": services,
        "signals_not_ok": signals,
        "incident": incident,
        "proposal": model.durable.proposal,
        "escalation": people_as_json(model, now),
        "on_call": on_call_as_json(model, now),
        "messages_due": escalation_status::owed(model).iter().map(|owed| owed_as_json(owed, now)).collect::<Vec<_>>(),
        "journal": { "head": model.durable.head, "failure": model.live.journal_failure, "short": model.live.journal_short,
            "protection": model.live.journal_protection },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ask::escalation_status::tests as people;
    use crate::core::tests::{fixture, proving};
    use crate::core::words::signal::Signal;
    use std::collections::VecDeque;

    fn with(status: Status) -> Model {
        let mut model = Model::new(fixture::plan());
        let (since, turns) = (fixture::start(), VecDeque::new());
        let standing = Standing {
            status,
            since,
            turns,
            worsened: None,
            last_known: None,
            broken_since: None,
            outage: None,
            longest: None,
        };
        let regions = model.plan.regions.keys().cloned().collect::<Vec<_>>();
        // Nothing else that could be unknown.
        model.durable.services.clear();
        model.durable.signals.clear();
        model.durable.regions = regions.into_iter().map(|id| (id, standing.clone())).collect();
        model
    }

    #[test]
    fn something_down_is_trouble_without_any_severity_rule() {
        assert_eq!(code(&with(Status::Down)), EXIT_TROUBLE);
        assert_eq!(code(&with(Status::Degraded)), EXIT_TROUBLE);
        assert_eq!(code(&with(Status::Unknown)), EXIT_UNKNOWN);
        assert_eq!(code(&with(Status::Up)), 0);
    }

    #[test]
    fn a_signal_that_is_not_ok_is_never_a_good_exit_code() {
        for (state, expected) in [
            (SignalState::Ok, 0),
            (SignalState::Unknown, EXIT_UNKNOWN),
            (SignalState::Warn, EXIT_TROUBLE),
            (SignalState::Critical, EXIT_TROUBLE),
        ] {
            let mut model = with(Status::Up);
            let (since, why) = (fixture::start(), String::new());
            let signal = Signal { state, since, critical_since: None, unknown_since: None, why };
            model.durable.signals.insert("primary-db".into(), signal);
            assert_eq!(code(&model), expected, "{state:?}");
        }
    }

    #[test]
    fn every_signal_that_is_not_ok_is_printed_with_all_that_it_says() {
        let mut model = with(Status::Up);
        for number in 0..30 {
            let state = if number < 4 { SignalState::Warn } else { SignalState::Unknown };
            let (since, why) = (fixture::start(), format!("{} end of {number}", "long ".repeat(200)));
            let signal = Signal { state, since, critical_since: None, unknown_since: None, why };
            model.durable.signals.insert(format!("s{number}").as_str().into(), signal);
        }
        let text = as_text(&model, fixture::start());
        for number in 0..30 {
            assert!(text.contains(&format!("signal       s{number}: ")), "{number}: {text}");
            assert!(text.contains(&format!("end of {number}\n")), "{number}");
        }
        let value = as_json(&model, fixture::start(), 7);
        assert_eq!(value["signals_not_ok"].as_array().unwrap().len(), 30);
    }

    #[test]
    fn without_an_engine_json_is_json_with_a_state_and_the_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let state = Some(folder.path().to_owned());
        let place = PlanArgs { plan: "plans/demo".into(), state, renamed_from: None };
        let mut out = Vec::new();
        let code = run(&StatusArgs { place: place.clone(), json: true }, &mut out).unwrap();
        assert_eq!(code, ExitCode::from(EXIT_NO_ENGINE));
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["state"], "no-engine");
        assert!(
            value["why"].as_str().unwrap().contains("no engine runs") && value["next"].is_string(),
            "{value}"
        );
        out.clear();
        assert_eq!(run(&StatusArgs { place, json: false }, &mut out).unwrap_err().code, EXIT_NO_ENGINE);
        let nowhere = PlanArgs { plan: "/no/such/plan".into(), state: None, renamed_from: None };
        let failure = run(&StatusArgs { place: nowhere, json: true }, &mut out).unwrap_err();
        assert_eq!(failure.code, 2, "there is nothing to ask about");
    }

    #[test]
    fn what_was_never_known_is_not_unknown_since_1970() {
        let model = Model::new(fixture::plan());
        let text = as_text(&model, fixture::start());
        assert!(text.contains("unknown, never measured") && !text.contains(" d "), "{text}");
        assert!(as_json(&model, fixture::start(), 7)["regions"][0]["since"].is_null());
    }

    #[test]
    fn who_knows_and_what_is_owed_is_told_in_text_and_as_json() {
        let desk = people::Desk::declared();
        let text = as_text(&desk.model, desk.now);
        assert!(
            text.contains("escalation   PAGING level 1 of 3") && text.contains("led by       dana"),
            "{text}"
        );
        assert!(
            text.contains("message      Initial notice to Affected customers: due in 15 min 00 s"),
            "{text}"
        );
        let value = as_json(&desk.model, desk.now, 7);
        assert_eq!(value["escalation"]["state"], "paging");
        assert_eq!(value["escalation"]["next"]["people"][0], "Grace Hopper");
        assert_eq!(value["messages_due"][0]["message"], "activation");
        assert_eq!(value["incident"]["phase"], "assess");
    }

    #[test]
    fn a_wrong_clock_of_this_host_is_told_once_with_who_says_so() {
        let mut model = with(Status::Up);
        let ahead = jiff::SignedDuration::from_hours(-2);
        model.live.clock_off = Some(crate::core::ask::own_clock::ClockOff { ahead, peers: 3 });
        let text = as_text(&model, fixture::start());
        let told = "own clock    this host's clock is 2 h 00 behind by 3 peers\n";
        assert_eq!(text.matches(told).count(), 1, "{text}");
        let value = as_json(&model, fixture::start(), 7);
        assert_eq!(
            (&value["own_clock"]["ahead_s"], &value["own_clock"]["peers"]),
            (&json!(-7200), &json!(3))
        );
        assert_eq!(code(&model), EXIT_TROUBLE);
    }

    #[test]
    fn a_fence_that_a_run_left_behind_is_an_attention_and_stands_in_the_json() {
        let mut model = with(Status::Up);
        model.durable.closed = crate::core::tests::in_force::closed_with_a_fence().model.durable.closed;
        model.plan = crate::core::tests::in_force::fencing_plan();
        assert_eq!(code(&model), EXIT_TROUBLE);
        let value = as_json(&model, fixture::start(), 7);
        assert_eq!(value["state"], "trouble");
        assert_eq!(value["in_force"][0]["step"], "fence");
        assert!(
            value["in_force"][0]["text"].as_str().unwrap().starts_with("STILL IN FORCE: Stop writes"),
            "{value}"
        );
        assert_eq!(value["diverged"].as_array().unwrap().len(), 0);
    }

    #[test]
    fn data_that_went_apart_is_an_attention_until_somebody_has_answered_for_it() {
        let mut model = with(Status::Up);
        let split = divergence::Split {
            id: "two-primaries:a@1,b@2".into(),
            what: "SPLIT BRAIN: a and b accept writes".into(),
            servers: Vec::new(),
            since: fixture::start(),
            until: Some(fixture::start()),
            apart_since: None,
            settled: None,
        };
        model.durable.splits.push(split);
        assert_eq!(code(&model), EXIT_TROUBLE);
        assert_eq!(as_json(&model, fixture::start(), 7)["diverged"][0]["id"], "two-primaries:a@1,b@2");
        let answer =
            contradiction::Answer { at: fixture::start(), by: "dana".into(), reason: "compared".into() };
        model.durable.splits[0].settled = Some(answer);
        assert_eq!(code(&model), 0);
    }

    #[test]
    fn a_switch_that_was_closed_unproven_is_trouble_until_it_is_known_what_serves() {
        let mut machine = proving::closed_by_word();
        assert_eq!(code(&machine.model), EXIT_TROUBLE);
        let text = as_text(&machine.model, machine.now);
        assert!(text.contains("unproven") && text.contains("its own proof was not seen"), "{text}");
        let told = as_json(&machine.model, machine.now, 7);
        assert_eq!(told["unproven"].as_array().map(Vec::len), Some(1));
        proving::record(&mut machine, "dr");
        assert_eq!(code(&machine.model), 0);
        assert!(!as_text(&machine.model, machine.now).contains("unproven"));
    }

    #[test]
    fn a_journal_that_cannot_be_written_is_trouble() {
        let mut model = with(Status::Up);
        model.live.journal_failure = Some("no space left".into());
        assert_eq!(code(&model), EXIT_TROUBLE);
    }
}
