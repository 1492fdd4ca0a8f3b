//! What a confirmation rests on, in sections of which the least important give way first on a small terminal.

use super::step_is_irreversible;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::screens::paint::{cleaned, labelled_with, limited};
use crate::console::screens::run::guard_lines;
use crate::console::screens::words::{concern_role, evidence_age, evidence_state};
use crate::console::screens::{ROOMY, View};
use crate::console::theme::Role;
use crate::console::widgets::state_cell;
use crate::core::ask::divergence::{self, DIVERGED, may_throw_away};
use crate::core::ask::other_side::{Does, OtherServer};
use crate::core::ask::{contradiction, drill};
use crate::core::words::confirmation::{Confirmation, Evidence, GuardResult, LossEstimate, Unproven};
use crate::core::words::signal::age;
use crate::core::words::status::StepStatus;
use crate::plan::condition::Truth;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// Cells of the labels at the left.
const INDENT: usize = 9;

/// Some lines of the bundle.
struct Section {
    /// What is called "more" of it when it is cut.
    what: &'static str,
    lines: Vec<Line<'static>>,
    /// How many lines stay at least.
    least: usize,
    /// The section with the lowest rank gives way first.
    rank: u8,
}

/// The sections in at most `room` lines, where that is possible.
pub fn lines(
    view: &View<'_>,
    confirmation: &Confirmation,
    irreversible: bool,
    width: u16,
    room: usize,
) -> Vec<Line<'static>> {
    let mut sections = vec![
        section("of its name", 2, 10, named(view, confirmation, width)),
        section("", 1, 10, drill(view, confirmation, width)),
        section("of the target", 2, 4, target(view, confirmation, width)),
        section(
            "of the call",
            2,
            5,
            labelled(view, "CALL", Role::Accent, &confirmation.description.call, width),
        ),
        section("of what they hold", 2, 9, diverged(view, confirmation, width)),
        section("that it sets", 6, 8, sets(view, confirmation, width)),
        section("steps before it", 2, 7, before(view, confirmation, width)),
        section("of the other side", 2, 7, others(view, confirmation, width)),
        section("of the command", 1, 3, command(view, confirmation, width)),
        section("about the loss", 2, 8, losses(view, confirmation, width)),
        section("guards", 1, 6, guards(view, confirmation, width)),
        section("signals", 1, 1, evidence(view, confirmation, width, room == usize::MAX)),
        section("notes", 1, 2, notes(view, confirmation, width)),
    ];
    if irreversible {
        let text = "This cannot be undone: nothing brings the former state back.";
        let glyph = view.styles.glyph(Glyph::Critical);
        let lines = labelled_with(
            &view.styles,
            view.styles.span(Role::Critical, glyph),
            2,
            Role::Critical,
            text,
            width,
        );
        sections.push(section("", 1, 9, lines));
    }
    shrink(&mut sections, room);
    let cut = sections.into_iter().flat_map(|section| {
        let keep = section.least;
        limited(&view.styles, section.lines, keep, section.what)
    });
    cut.collect()
}

fn section(what: &'static str, least: usize, rank: u8, lines: Vec<Line<'static>>) -> Section {
    Section { what, least: least.min(lines.len()), rank, lines }
}

/// Gives every section its least, then hands out the spare rows by rank, highest first; `least` becomes what
/// each one keeps. Even the least gives way, lowest rank first, where the room is smaller still.
fn shrink(sections: &mut [Section], room: usize) {
    let mut by_rank: Vec<&mut Section> = sections.iter_mut().collect();
    by_rank.sort_by_key(|section| section.rank);
    let mut needed: usize = by_rank.iter().map(|section| section.least).sum();
    for section in &mut by_rank {
        let over = needed.saturating_sub(room).min(section.least);
        section.least -= over;
        needed -= over;
    }
    let mut spare = room.saturating_sub(needed);
    for section in by_rank.into_iter().rev() {
        let more = (section.lines.len() - section.least).min(spare);
        section.least += more;
        spare -= more;
    }
}

fn labelled(view: &View<'_>, label: &str, role: Role, text: &str, width: u16) -> Vec<Line<'static>> {
    labelled_with(&view.styles, view.styles.span(Role::Muted, label.to_owned()), INDENT, role, text, width)
}

/// The step's title, where the frame has no room for all of it.
fn named(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let title = super::step_title(view, confirmation);
    let room = super::title_room(step_is_irreversible(view, confirmation), width + 4);
    if title.width() <= room { Vec::new() } else { labelled(view, "STEP", Role::Title, title, width) }
}

fn target(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let target = &confirmation.description.target;
    let mut lines =
        labelled(view, "TARGET", Role::Accent, &format!("{} ({})", target.name, target.kind), width);
    if !target.reachable {
        let text = format!(
            "{} could not be read: what stands here is from the plan",
            view.styles.glyph(Glyph::Unknown)
        );
        lines.extend(labelled(view, "", Role::Unknown, &text, width));
    }
    let separator = format!(" {} ", view.styles.glyph(Glyph::Separator));
    let identity: Vec<String> =
        target.identity.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if !identity.is_empty() {
        lines.extend(labelled(view, "", Role::Text, &identity.join(&separator), width));
    }
    lines
}

/// What an exercise does with this step.
fn drill(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let Some(words) = drill::words(view.model) else { return Vec::new() };
    let step = view.model.step(&confirmation.run, &confirmation.step).map(|(step, _)| step);
    let safe = step.is_some_and(|step| step.safe_to_drill || !step.changes);
    let (role, then) = match (drill::acts(view.model), safe) {
        (true, _) => (Role::Danger, "this step changes what stands here, in earnest"),
        (false, _) if view.model.live.simulation.is_some() => (Role::Simulated, "nothing real is touched"),
        (false, true) => (Role::HeaderDrill, "the plan says that this step is safe to drill"),
        (false, false) => (Role::HeaderDrill, "the plan does not mark this step as safe: it is refused"),
    };
    labelled_with(&view.styles, view.styles.span(role, ""), 0, role, &format!("{words}: {then}."), width)
}

/// What two servers hold that each took writes, where the step may throw one of them away.
fn diverged(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let step = view.model.step(&confirmation.run, &confirmation.step).map(|(step, _)| step);
    let splits = if step.is_some_and(may_throw_away) { divergence::open(view.model) } else { Vec::new() };
    let lines = splits.into_iter();
    lines.flat_map(|split| labelled(view, DIVERGED, Role::Critical, &split.sentence(), width)).collect()
}

fn sets(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let sets = confirmation.description.sets.iter().enumerate();
    let lines = sets.flat_map(|(place, (name, value))| {
        let label = if place == 0 { "SETS" } else { "" };
        labelled(view, label, Role::Accent, &format!("{name}: {value}"), width)
    });
    lines.collect()
}

/// What it builds on and nothing in the world has proven.
fn before(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let mut unproven: Vec<&Unproven> = confirmation.before.iter().collect();
    unproven.sort_by_key(|step| step.status != StepStatus::Skipped);
    let lines = unproven.into_iter().enumerate().flat_map(|(place, step)| {
        let label = if place == 0 { "BEFORE" } else { "" };
        let (role, glyph, word) = match step.status {
            StepStatus::Skipped => (Role::Critical, Glyph::Skipped, "was SKIPPED"),
            _ => (Role::Warn, Glyph::Attested, "is on a person's word"),
        };
        let glyph = view.styles.glyph(glyph);
        let text = format!("{glyph} {} \"{}\" {word}: {}", step.place, step.title, step.reason);
        labelled(view, label, role, &text, width)
    });
    lines.collect()
}

fn others(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let step = view.model.step(&confirmation.run, &confirmation.step).map(|(step, _)| step);
    let stops = step.is_some_and(|step| step.is_fence());
    let lines = confirmation.other_side.iter().enumerate().flat_map(|(place, server)| {
        let label = if place == 0 { "OTHER" } else { "" };
        let (role, glyph) = match server.does {
            Does::Writes => (Role::Critical, Glyph::Critical),
            Does::Unseen => (Role::Unknown, Glyph::Unknown),
            Does::Untold if !server.fenced.is_some_and(|(_, proven)| proven) => {
                (Role::Critical, Glyph::Unknown)
            }
            Does::Untold => (Role::Unknown, Glyph::Unknown),
            // Who does not answer is as safe as the proof of the fence.
            Does::Down if !server.fenced.is_some_and(|(_, proven)| proven) => (Role::Warn, Glyph::Warn),
            Does::Down | Does::Idle => (Role::Text, Glyph::Ok),
        };
        let text = format!("{} {}", view.styles.glyph(glyph), other_sentence(view, server, stops));
        labelled(view, label, role, &text, width)
    });
    lines.collect()
}

/// What a server does, since when that is known, and what fences it.
fn other_sentence(view: &View<'_>, server: &OtherServer, stops: bool) -> String {
    let ago = |at| units::age(age(at, view.now));
    let seen = match (server.does, server.at) {
        // Nobody looked while the engine was away.
        (Does::Down, Some(at)) if view.model.durable.engine_started_at.is_some_and(|start| at < start) => {
            format!(", not seen to for {}", ago(at))
        }
        (Does::Down, Some(at)) => format!(", for {}", ago(at)),
        (_, Some(at)) => format!(", measured {} ago", ago(at)),
        (_, None) => String::new(),
    };
    let fenced = match server.fenced {
        Some((at, _)) if server.does == Does::Writes => format!(" ALTHOUGH IT WAS FENCED {} ago", ago(at)),
        Some((at, true)) => format!("; fenced {} ago, proven", ago(at)),
        Some((at, false)) => format!("; fenced {} ago on a person's word, NOT proven", ago(at)),
        None if stops => String::new(),
        None => match server.does {
            Does::Writes | Does::Untold => "; NOT fenced".into(),
            Does::Down | Does::Unseen => "; NOT fenced: it may take writes of others".into(),
            Does::Idle => String::new(),
        },
    };
    let is_split = contradiction::of(view.model).iter().map(|open| &open.contradiction).any(|known| {
        known.kind == contradiction::Kind::TwoPrimaries && known.servers.contains(&server.probe)
    });
    let outage = match stops && matches!(server.does, Does::Writes | Does::Untold) {
        true if is_split => ". THIS STOPS ITS WRITES: the other primary goes on taking them",
        true => ". THIS STOPS ITS WRITES: the outage of all that writes begins now",
        false => "",
    };
    format!("{}{seen}{fenced}{outage}", server.words())
}

fn command(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let description = &confirmation.description;
    if description.command.is_empty() || description.command == description.call {
        return Vec::new();
    }
    labelled(view, "SAME AS", Role::Text, &description.command, width)
}

fn losses(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let lines = confirmation.losses.iter().enumerate().flat_map(|(place, loss)| {
        let known = loss.span.is_some() || loss.bytes.is_some();
        let role = if known { Role::Warn } else { Role::Unknown };
        labelled(view, if place == 0 { "YOU LOSE" } else { "" }, role, &loss_sentence(view, loss), width)
    });
    lines.chain(yet_to_come(view, confirmation, width)).collect()
}

/// What is measured now is not all that is lost, where the other side goes on taking writes.
fn yet_to_come(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let step = view.model.step(&confirmation.run, &confirmation.step).map(|(step, _)| step);
    let goes_on =
        |server: &&OtherServer| matches!(server.does, Does::Writes | Does::Untold) && server.fenced.is_none();
    let is_fence = step.is_none_or(|step| step.is_fence());
    let found =
        confirmation.other_side.iter().find(goes_on).filter(|_| !is_fence && !confirmation.losses.is_empty());
    let text = |server: &OtherServer| {
        format!(
            "AND all that {} takes from now on, until it is fenced: nobody can say how much",
            server.title
        )
    };
    found.map_or_else(Vec::new, |server| labelled(view, "", Role::Critical, &text(server), width))
}

/// As it is now: what grows with the clock does so while somebody reads.
fn loss_sentence(view: &View<'_>, loss: &LossEstimate) -> String {
    let loss = loss.at(view.now);
    let measured = match loss.measured_at {
        Some(at) => format!("measured {} ago", units::age(age(at, view.now))),
        None => "never measured".to_owned(),
    };
    let known = loss.span.is_some() || loss.bytes.is_some();
    // Where nothing is known the sentence already carries the basis.
    let basis = if known && !loss.basis.is_empty() { format!(": {}", loss.basis) } else { String::new() };
    format!("{} ({measured}{basis})", loss.sentence())
}

/// Guards that do not hold come first, then those that a person overrode.
fn guards(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let mut guards: Vec<&GuardResult> = confirmation.guards.iter().collect();
    guards.sort_by_key(|guard| (guard.allows(), guard.truth == Truth::True));
    let lines = guards.into_iter().enumerate().flat_map(|(place, guard)| {
        guard_lines(view, guard, if place == 0 { "GUARD" } else { "" }, INDENT, width)
    });
    lines.collect()
}

/// In one line each, or `whole` where there is room for all of it.
fn evidence(view: &View<'_>, confirmation: &Confirmation, width: u16, whole: bool) -> Vec<Line<'static>> {
    let mut evidence: Vec<&Evidence> = confirmation.evidence.iter().collect();
    evidence.sort_by_key(|evidence| std::cmp::Reverse(evidence.state.concern()));
    let styles = &view.styles;
    let line = |(place, evidence): (usize, &Evidence)| {
        let label = if place == 0 { "EVIDENCE" } else { "" };
        let state = state_cell(styles, evidence_state(evidence));
        let value = if evidence.value.is_empty() { &evidence.summary } else { &evidence.value };
        let bounds =
            if evidence.threshold.is_empty() { String::new() } else { format!(" ({})", evidence.threshold) };
        let text = format!(
            " {}: {value}, {}{bounds}, {}",
            evidence.title,
            evidence_age(evidence, view.now),
            evidence.source
        );
        let role = if place == 0 { Role::Text } else { concern_role(evidence.state) };
        if whole || width < ROOMY.0 - 4 {
            // Where it cannot be read beside anything else, a line that is cut would say too little.
            return labelled(view, label, role, &format!("{}{text}", state.content), width);
        }
        vec![Line::from(vec![
            styles.span(Role::Muted, format!("{label:<INDENT$}")),
            Span::styled(state.content, state.style),
            styles.span(role, cleaned(&text)),
        ])]
    };
    evidence.into_iter().enumerate().flat_map(line).collect()
}

fn notes(view: &View<'_>, confirmation: &Confirmation, width: u16) -> Vec<Line<'static>> {
    let notes = confirmation.description.notes.iter().enumerate();
    notes
        .flat_map(|(place, note)| {
            labelled(view, if place == 0 { "NOTE" } else { "" }, Role::Text, note, width)
        })
        .collect()
}
