//! The selected step in full: what is wrong first, then what can be done, then what it does and what it showed.

use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::keymap::{Action, Context};
use crate::console::pages::Pages;
use crate::console::screens::View;
use crate::console::screens::next::proof_awaited;
use crate::console::screens::paint::{cleaned, labelled_with, limited, paged, put, rule, shown_by};
use crate::console::screens::words::{self, clock_time, marked};
use crate::console::theme::Role;
use crate::console::widgets::State;
use crate::core::ask::attested::{EXERCISE, is_only_said};
use crate::core::ask::divergence::{self, may_throw_away};
use crate::core::ask::taken_back::is_taken_back;
use crate::core::ask::{in_force, left_running, scope};
use crate::core::decide::{self, done_again_before, is_denied, waits_for_proof};
use crate::core::words::action::{Failure, ManualCard};
use crate::core::words::confirmation::GuardResult;
use crate::core::words::incident::{Outcome, Run, StepRun};
use crate::core::words::signal::age;
use crate::core::words::status::StepStatus;
use crate::plan::condition::Truth;
use crate::plan::{Runbook, Step};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Cells of the labels at the left.
const INDENT: usize = 10;
/// Lines of output that are kept free when a step says something.
const OUTPUT_ROWS: usize = 3;

/// Draws the step; its live output gets what is left below.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
    run: &Run,
    runbook: &Runbook,
    selected: usize,
) {
    let styles = &view.styles;
    let Some((id, state)) = run.steps.get_index(selected) else { return };
    let Some(step) = runbook.steps.get(id) else {
        let text = format!("The plan has no step {id} any more; the timeline has what is recorded of it.");
        let lines = labelled_with(styles, " ".into(), 1, Role::Critical, &text, area.width);
        return put(frame, area, styles, lines);
    };
    let title = format!("{} {}", selected + 1, cleaned(&step.title));
    let kind = if step.irreversible { format!("{}, IRREVERSIBLE", step.action) } else { step.action.clone() };
    let mut lines = vec![rule(styles, title, kind, area.width)];
    let body = body(view, run, step, state, area.width);
    let output = output(view, run, step);
    let height = usize::from(area.height).saturating_sub(1);
    let for_output = output.len().min(OUTPUT_ROWS.max(height.saturating_sub(body.len() + 1)));
    let for_output = if output.is_empty() { 0 } else { for_output + 1 };
    let room = height.saturating_sub(for_output.min(height / 2));
    let heading = |text: String| Line::from(styles.span(Role::Muted, text));
    let begin = Pages::default();
    let pages = if view.ui.details { &view.ui.pages } else { &begin };
    let all = [body.clone(), vec![heading(" output".into())], output.clone()].concat();
    let turns = if view.ui.details { Action::PageDown } else { Action::ToggleDetails };
    let (key, rest) = (view.key(turns), shown_by(view, turns));
    let mut short = limited(styles, body, room, &rest);
    if for_output > 0 {
        let left = height.saturating_sub(short.len() + 1);
        let earlier = output.len().saturating_sub(left);
        let lines = units::counted(earlier, "earlier line");
        let them = if earlier == 1 { "it" } else { "them" };
        let said = if earlier > 0 { format!(", {lines}, {key} shows {them}") } else { String::new() };
        short.push(heading(format!(" output{said}")));
        short.extend(output[earlier..].iter().cloned());
    }
    lines.extend(paged(view, pages, all, short, height));
    put(frame, area, styles, lines);
}

/// A label and its wrapped text.
struct Sheet<'v, 'm> {
    view: &'v View<'m>,
    width: u16,
    lines: Vec<Line<'static>>,
}

impl Sheet<'_, '_> {
    fn add(&mut self, label: &str, role: Role, text: &str) {
        let label = self.view.styles.span(Role::Muted, format!(" {label}"));
        self.lines.extend(labelled_with(&self.view.styles, label, INDENT, role, text, self.width));
    }

    fn add_failure(&mut self, label: &str, role: Role, failure: &Failure) {
        self.add(label, role, &format!("{}: {}", failure.what, failure.why));
        if !failure.next.is_empty() {
            self.add("", Role::Text, &failure.next);
        }
    }
}

fn body(view: &View<'_>, run: &Run, step: &Step, state: &StepRun, width: u16) -> Vec<Line<'static>> {
    let mut sheet = Sheet { view, width, lines: Vec::new() };
    trouble(&mut sheet, state);
    if may_throw_away(step) && !state.status.is_settled() && run.ended.is_none() {
        for split in divergence::open(view.model) {
            sheet.add("diverged", Role::Critical, &split.sentence());
        }
    }
    let by_hand =
        state.obstacle.is_none() && matches!(state.status, StepStatus::Failed | StepStatus::Unknown);
    // What can be done without lifeboat stands where somebody looks first.
    if let Some(confirmation) = state.confirmation.as_ref().filter(|_| by_hand) {
        card(&mut sheet, &confirmation.manual);
    }
    sheet.add("can do", Role::Accent, &way_out(view, run, step, state));
    if let Some((_, manual)) = state.obstacle.as_ref().filter(|_| !state.status.is_settled()) {
        card(&mut sheet, manual);
    }
    if step.is_by_hand() && state.obstacle.is_none() {
        instructions(&mut sheet, run, step);
    } else {
        what_it_does(&mut sheet, state);
    }
    serves(&mut sheet, run, step, state);
    guards(&mut sheet, step, state);
    what_it_showed(&mut sheet, state);
    word(&mut sheet, run, step, state);
    sheet.lines
}

/// What a person's word wants: its proof, or that somebody does for real what was only said in an exercise.
fn word(sheet: &mut Sheet<'_, '_>, run: &Run, step: &Step, state: &StepRun) {
    let model = sheet.view.model;
    if is_only_said(model, run, state) {
        let again = if run.ended.is_none() { ". Taken up again, it is done or attested anew" } else { "" };
        sheet.add("exercise", Role::Warn, &format!("{EXERCISE}: nobody did it for real{again}"));
        return;
    }
    let is_open = state.is_mere_word() && state.moved.is_none();
    let Some(proof) = step.verify.as_ref().filter(|_| is_open) else { return };
    match is_taken_back(model, run, &step.id, state) {
        true => sheet.add("proof", Role::Muted, "none is asked for any more: it was taken back"),
        false => {
            let text = format!("NOT PROVEN by readings of after the word: {}", proof.source());
            sheet.add("proof", Role::Warn, &text);
        }
    }
}

/// What is wrong, first.
fn trouble(sheet: &mut Sheet<'_, '_>, state: &StepRun) {
    if let Some((failure, _)) = state.obstacle.as_ref().filter(|_| !state.status.is_settled()) {
        sheet.add_failure("obstacle", Role::Critical, failure);
    }
    if let Some(Outcome::Failed(failure)) = &state.outcome {
        let (label, role) = if state.status == StepStatus::Unknown {
            ("unknown", Role::Unknown)
        } else {
            ("failed", Role::Critical)
        };
        sheet.add_failure(label, role, failure);
    }
    if state.outcome.is_none() && state.status == StepStatus::Unknown {
        let why = "the engine ended while it ran; what it started may go on";
        sheet.add("unknown", Role::Unknown, why);
    }
    if let Some(doubt) = &state.doubt {
        sheet.add_failure("unproven", Role::Unknown, doubt);
    }
    if let Some(left) = left_running::of(state) {
        sheet.add("looked", Role::Unknown, &left.when());
    }
}

fn card(sheet: &mut Sheet<'_, '_>, manual: &ManualCard) {
    for (place, instruction) in manual.instructions.iter().enumerate() {
        sheet.add(if place == 0 { "by hand" } else { "" }, Role::Text, instruction);
    }
    if !manual.check.is_empty() {
        sheet.add("check", Role::Text, &manual.check);
    }
}

/// What a person has to do. It takes no preparing: nothing of it is read from outside.
fn instructions(sheet: &mut Sheet<'_, '_>, run: &Run, step: &Step) {
    let params = match scope::render(sheet.view.model, &run.id, step) {
        Ok(params) => params,
        Err(why) => return sheet.add("by hand", Role::Critical, &why),
    };
    let words = step.manual.iter().flat_map(|text| text.lines());
    let instructions = words.chain(params.texts("instructions")).map(str::to_owned).collect();
    card(sheet, &ManualCard { instructions, check: params.text("check").unwrap_or_default().to_owned() });
}

fn what_it_does(sheet: &mut Sheet<'_, '_>, state: &StepRun) {
    match &state.confirmation {
        // What was read before the last attempt may be wrong by now, and is read anew.
        Some(confirmation) if state.status == StepStatus::Ready => {
            let description = &confirmation.description;
            let text = format!(
                "the call and its target are read anew when it is prepared; last time: {} on {}",
                description.call, description.target.name
            );
            sheet.add("call", Role::Muted, &text);
        }
        Some(confirmation) => {
            let description = &confirmation.description;
            let reach = if description.target.reachable { "" } else { ", NOT REACHABLE" };
            sheet.add(
                "target",
                Role::Text,
                &format!("{} ({}){reach}", description.target.name, description.target.kind),
            );
            sheet.add("call", Role::Text, &description.call);
            if !description.command.is_empty() && description.command != description.call {
                sheet.add("command", Role::Text, &description.command);
            }
        }
        None => {
            sheet.add("call", Role::Muted, "the exact call and its target are read when it is prepared");
        }
    }
}

/// Which services the step moves where, and whether that is taken in.
fn serves(sheet: &mut Sheet<'_, '_>, run: &Run, step: &Step, state: &StepRun) {
    let model = sheet.view.model;
    let services = step.serves.iter().map(|(service, region)| {
        let title = model.plan.services.get(service).map_or(service.as_str(), |service| &service.title);
        let name = model.plan.regions.get(region).map_or(region.as_str(), |region| &region.name);
        format!("{title} from {name}")
    });
    let services = services.collect::<Vec<_>>().join(", ");
    let proof = step.verify.as_ref().filter(|_| waits_for_proof(model, run, step, state));
    match (services.is_empty(), proof) {
        (true, _) => {}
        (false, Some(proof)) => {
            let text = format!("{services}, NOT YET: only once this holds: {}", proof.source());
            sheet.add("serves", Role::Warn, &text);
        }
        (false, None) if state.is_mere_word() => {
            sheet.add("serves", Role::Warn, &format!("{services}, NEVER PROVEN: nothing was moved by it"));
        }
        (false, None) => sheet.add("serves", Role::Text, &services),
    }
}

/// Guards as they are now while the step has not begun, and as they were when it was confirmed after that.
fn guards(sheet: &mut Sheet<'_, '_>, step: &Step, state: &StepRun) {
    let begun = !matches!(state.status, StepStatus::Pending | StepStatus::Ready | StepStatus::Confirming);
    let frozen =
        state.confirmation.as_ref().filter(|_| begun).map(|confirmation| confirmation.guards.clone());
    let live = || decide::guards(sheet.view.model, step, state, sheet.view.now);
    for (place, guard) in frozen.unwrap_or_else(live).iter().enumerate() {
        let line =
            guard_lines(sheet.view, guard, if place == 0 { " guard" } else { "" }, INDENT, sheet.width);
        sheet.lines.extend(line);
    }
}

/// A guard with its truth as glyph and word, and the reason of its override.
pub fn guard_lines(
    view: &View<'_>,
    guard: &GuardResult,
    label: &str,
    indent: usize,
    width: u16,
) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let (state, word) = match &guard.truth {
        Truth::True => (State::Ok, "holds".to_owned()),
        Truth::False => (State::Critical, "DOES NOT HOLD".to_owned()),
        Truth::Unknown(why) => (State::Unknown, format!("CANNOT BE TOLD ({why})")),
    };
    let mark = marked(styles, state, "");
    let text = format!("{}{word}: {}", mark.content, guard.condition);
    let label = styles.span(Role::Muted, label.to_owned());
    let role = if guard.truth == Truth::True { Role::Text } else { state.role() };
    let mut lines = labelled_with(styles, label, indent, role, &text, width);
    if let Some(reason) = &guard.overridden {
        let text = format!("{} OVERRIDDEN: {reason}", styles.glyph(Glyph::Warn));
        lines.extend(labelled_with(styles, Span::raw(""), indent, Role::Warn, &text, width));
    }
    lines
}

fn what_it_showed(sheet: &mut Sheet<'_, '_>, state: &StepRun) {
    if let Some(Outcome::Done(done)) = &state.outcome {
        sheet.add("outcome", Role::Text, &done.summary);
    }
    if let Some(proof) = &state.proof {
        let glyph = sheet.view.styles.glyph(Glyph::Ok);
        for (place, line) in proof.evidence.iter().enumerate() {
            sheet.add(if place == 0 { "proof" } else { "" }, Role::Ok, &format!("{glyph} {line}"));
        }
    }
    if let Some(reason) = &state.reason {
        let label = if state.status == StepStatus::Skipped { "skipped" } else { "attested" };
        sheet.add(label, Role::Text, reason);
    }
}

/// What a person can do about the step, with the keys.
fn way_out(view: &View<'_>, run: &Run, step: &Step, state: &StepRun) -> String {
    if is_denied(view.model, &run.id, &step.id) {
        let retry = view.key_in(Context::Decide, Action::RetryStep);
        let word = words::step(state).word();
        return format!("{retry} do it again, with a reason: it is {word}, and its server takes writes");
    }
    if let Some((at, _)) = &run.ended {
        let left = in_force::of_run(view.model, &run.id)
            .into_iter()
            .find(|left| left.step == step.id && !left.intended);
        let ended = format!("the run ended at {}", clock_time(*at));
        return match left {
            Some(left) => {
                let record = view.key(Action::RecordUndone);
                format!("{ended}. {}; undo: {}. {record} records that", left.heading(), left.undo_words())
            }
            None => format!("nothing any more, {ended}"),
        };
    }
    let key = |action| view.key_in(Context::Decide, action);
    let (prepare, retry, skip) = (key(Action::PrepareStep), key(Action::RetryStep), key(Action::SkipStep));
    let (attest, over, abort) = (key(Action::AttestStep), key(Action::OverrideGuard), key(Action::AbortRun));
    let held = super::is_held(view, step, state);
    let guarded = if held { format!(", {over} override a guard") } else { String::new() };
    match state.status {
        StepStatus::Pending => "wait for the steps that it needs".to_owned(),
        StepStatus::Ready | StepStatus::Confirming
            if let Some(before) = done_again_before(view.model, run, step) =>
        {
            format!("wait for \"{}\", which is done again", before.title)
        }
        StepStatus::Ready | StepStatus::Confirming if step.is_by_hand() => {
            format!("do it, then {attest} attest it; {skip} skip it")
        }
        StepStatus::Ready if state.obstacle.is_some() => {
            format!("{retry} try again, or do it by hand and {attest} attest it; {skip} skip it")
        }
        StepStatus::Ready | StepStatus::Confirming => {
            format!(
                "{prepare} look at the call and confirm{guarded}, {skip} skip, {attest} attest it done by hand"
            )
        }
        StepStatus::Started => format!("wait for its outcome, {abort} abort the run"),
        StepStatus::Finished => format!("{}, {abort} abort the run", waits_for(view, step, state)),
        StepStatus::Failed => format!("{retry} retry, {skip} skip, {attest} attest it done by hand"),
        StepStatus::Unknown => {
            format!("{retry} check the world, or retry with a reason; {attest} attest, {skip} skip")
        }
        StepStatus::Verified => format!("nothing: it is {}", settled(state)),
        StepStatus::Skipped | StepStatus::Attested => {
            format!("{retry} take it up again, with a reason: it is {}", settled(state))
        }
    }
}

fn settled(state: &StepRun) -> String {
    let at = state.ended_at.map_or_else(String::new, |at| format!(" since {}", clock_time(at)));
    format!("{}{at}", words::step(state).word())
}

/// What is still to come before a step that ran is verified, and until when.
fn waits_for(view: &View<'_>, step: &Step, state: &StepRun) -> String {
    if let Some(holding) = &state.holding {
        let held = age(holding.since, view.now).min(holding.hold).as_secs();
        return format!("it holds for {held} of {} s, then it is verified", holding.hold.as_secs());
    }
    format!("wait: {}", proof_awaited(view, step, state).trim_end_matches('.'))
}

fn output(view: &View<'_>, run: &Run, step: &Step) -> Vec<Line<'static>> {
    let of_step = view.model.live.output.iter().filter(|kept| kept.run == run.id && kept.step == step.id);
    let line = |kept: &crate::core::model::StepOutput| {
        Line::from(vec![
            view.styles.span(Role::Muted, format!("  {} ", clock_time(kept.at))),
            view.styles.span(Role::Text, cleaned(&kept.line)),
        ])
    };
    of_step.map(line).collect()
}
