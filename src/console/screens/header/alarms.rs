//! What is wrong with the console itself and with telling people, in rows of their own below the header.

use crate::base::text::ended;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::keymap::Action;
use crate::console::screens::View;
use crate::console::screens::next::{
    goes_apart, next, still_diverged, still_in_force, tells_diverged, tells_left,
};
use crate::console::screens::paint::{cleaned, cut, labelled_with};
use crate::console::screens::words::{blind_since, clock_time};
use crate::console::theme::Role;
use crate::console::ui::{Connection, Screen};
use crate::console::widgets::fit;
use crate::core::ask::contradiction::{self, Kind};
use crate::core::ask::escalation_status::{self, Awareness};
use crate::core::ask::{drill, oncall};
use crate::core::decide::proposed_in;
use crate::core::words::incident::Position;
use crate::core::words::signal::age;
use crate::engine::client::of_process;
use ratatui::text::{Line, Span};

/// Rows that an alarm takes at most.
const ALARM_ROWS: usize = 2;
/// How much of two rows breaking them at spaces may leave free, with names of usual length.
const WRAPPING_CHARS: usize = 20;

/// The alarms over the whole width, so that nobody overlooks them.
pub fn lines(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let alarms = alarms(view, width);
    alarms.into_iter().flat_map(|alarm| drawn(view, alarm, ALARM_ROWS, width)).collect()
}

/// The alarms in at most `room` rows, the worst first; the last row counts those that have none.
pub fn in_rows(view: &View<'_>, width: u16, room: usize) -> Vec<Line<'static>> {
    let mut alarms = alarms(view, width);
    let hidden = if alarms.len() > room { alarms.split_off(room.saturating_sub(1)) } else { Vec::new() };
    let spare = room.saturating_sub(alarms.len() + usize::from(!hidden.is_empty()));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (place, alarm) in alarms.into_iter().enumerate() {
        // The worst takes what is left.
        let rows = if place == 0 { (1 + spare).min(ALARM_ROWS) } else { 1 };
        lines.extend(drawn(view, alarm, rows, width));
    }
    if let Some((role, glyph, _)) = hidden.first() {
        let words = if lines.is_empty() { "alarms" } else { "more alarms" };
        let text = format!("{} {words}: enlarge this terminal to read them", hidden.len());
        lines.extend(drawn(view, (*role, *glyph, text), 1, width));
    }
    lines
}

fn drawn(
    view: &View<'_>,
    (role, glyph, text): (Role, Glyph, String),
    rows: usize,
    width: u16,
) -> impl Iterator<Item = Line<'static>> {
    let label = view.styles.span(role, format!(" {}", view.styles.glyph(glyph)));
    let alarm = labelled_with(&view.styles, label, 3, role, &text, width);
    let style = view.styles.style(role);
    cut(&view.styles, alarm, rows, width).into_iter().map(move |mut line| {
        let left = usize::from(width).saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(left)));
        line.patch_style(style)
    })
}

/// What is wrong with the console itself and with telling people, worst first. Each has its own row, so that none
/// hides another.
fn alarms(view: &View<'_>, width: u16) -> Vec<(Role, Glyph, String)> {
    let model = view.model;
    let mut alarms = Vec::new();
    if let Some(why) = &model.live.journal_failure {
        let text = format!("JOURNAL FAILED, nothing runs until it can be written: {why}");
        alarms.push((Role::Danger, Glyph::Critical, text));
    }
    if let Some(short) = model.live.journal_short.as_ref().filter(|_| model.live.journal_failure.is_none()) {
        let text = format!(
            "DISK FULL: {} Free space: without it nothing runs soon, nor can steps write",
            ended(short)
        );
        alarms.push((Role::Critical, Glyph::Critical, text));
    }
    match &view.ui.connection {
        Connection::Lost { since, why } => {
            let gone = units::age(age(*since, view.now));
            let text = format!("CONNECTION LOST: all of this is {gone} old, and what runs may go on ({why})");
            alarms.push((Role::Danger, Glyph::Critical, text));
        }
        Connection::Silent { since, pid } => {
            let gone = units::age(age(*since, view.now));
            let process = of_process(*pid);
            let text = format!(
                "ENGINE SILENT for {gone}: all of this may be wrong by now, and no key reaches it. The engine{process} \
                 hangs, or its disk"
            );
            alarms.push((Role::Danger, Glyph::Critical, text));
        }
        Connection::Connecting => {
            alarms.push((Role::Warn, Glyph::Unknown, "CONNECTING: what is shown may be old".to_owned()));
        }
        Connection::Attached => {}
    }
    alarms.extend(contradicted(view, width));
    alarms.extend(diverged(view));
    alarms.extend(real_meanwhile(view));
    alarms.extend(not_told(view, width));
    alarms.extend(unread_calendars(view));
    alarms.extend(overdue(view));
    if let Some(since) = blind_since(view) {
        let since = clock_time(since);
        let text = format!("BLIND since {since}: no reference probe answers; nothing is called down");
        alarms.push((Role::Unknown, Glyph::Unknown, text));
    }
    if let Some(off) = model.live.clock_off {
        let text = format!(
            "OWN CLOCK: {}; recorded times are wrong, and certificates may be misjudged. Set it: `timedatectl`",
            off.sentence()
        );
        alarms.push((Role::Warn, Glyph::Warn, text));
    }
    alarms.extend(flapping(view));
    alarms.extend(left_behind(view));
    alarms
}

/// What cannot be right, in one row; the overview says it at length.
fn contradicted(view: &View<'_>, width: u16) -> Option<(Role, Glyph, String)> {
    let open = contradiction::worst(view.model)?;
    let told = view.ui.screen == Screen::Overview || !open.contradiction.is_grave();
    // That nobody accepts writes is what the incident and its run are about.
    let is_course = open.contradiction.kind == Kind::NobodyWrites && view.model.durable.incident.is_some();
    if told || is_course {
        return None;
    }
    let answered = if open.answered.is_some() { "(answered) " } else { "" };
    let text = cleaned(&format!("{answered}{}", open.contradiction.what));
    Some((Role::Danger, Glyph::Critical, fit(&view.styles, &text, usize::from(width).saturating_sub(4))))
}

/// Data that two servers hold differently, where NEXT does not say it already.
fn diverged(view: &View<'_>) -> Option<(Role, Glyph, String)> {
    if says_next(view) && tells_diverged(&next(view).text) {
        return None;
    }
    let text = still_diverged(view).or_else(|| goes_apart(view.model))?;
    Some((Role::Critical, Glyph::Critical, text))
}

/// The decide screen with an open question has no NEXT.
fn says_next(view: &View<'_>) -> bool {
    let incident = view.model.durable.incident.as_ref();
    let asks = incident.is_some_and(|incident| {
        matches!(incident.position, Position::Question(_)) && incident.open_run().is_none()
    });
    match view.ui.screen {
        Screen::Overview => true,
        Screen::Decide => !asks,
        _ => false,
    }
}

/// What runs that ended left behind, where NEXT does not say it already.
fn left_behind(view: &View<'_>) -> Option<(Role, Glyph, String)> {
    if says_next(view) && tells_left(&next(view).text) {
        return None;
    }
    still_in_force(view).map(|text| (Role::Warn, Glyph::Warn, text))
}

/// Real trouble while an exercise is open: it is paged as without one, and somebody has to say which it is.
fn real_meanwhile(view: &View<'_>) -> Option<(Role, Glyph, String)> {
    let model = view.model;
    if !drill::real_counts(model) {
        return None;
    }
    let (declare, dismiss) = (view.key(Action::DeclareIncident), view.key(Action::Dismiss));
    if let Some(proposal) = &model.durable.proposal {
        let text = format!(
            "REAL TROUBLE DURING THE DRILL, paged as such: {} {} {declare} makes the drill the live incident, \
             {dismiss} says that it is the drill's doing",
            proposal.severity.as_str(),
            ended(&proposal.title)
        );
        return Some((Role::Danger, Glyph::Critical, text));
    }
    let left = proposed_in(model, view.now)?;
    let (severity, _, why) = model.durable.severity.as_ref()?;
    let text = format!(
        "THE RULES SAY {}, drill or not: {} It is proposed and paged in {}; {declare} makes the drill live now",
        severity.as_str(),
        ended(why),
        units::clock(left)
    );
    Some((Role::Danger, Glyph::Critical, text))
}

/// A level that no message got to: people have to be called.
fn not_told(view: &View<'_>, width: u16) -> Option<(Role, Glyph, String)> {
    // Its own screen says it with all numbers.
    if view.ui.screen == Screen::Escalation {
        return None;
    }
    let Awareness::Paging(paging) = escalation_status::of(view.model, view.now)? else { return None };
    // Half a number helps nobody: what wrapping may waste is left free.
    let room = (usize::from(width).saturating_sub(3) * ALARM_ROWS).saturating_sub(WRAPPING_CHARS);
    paging.unreached.map(|unreached| (Role::Danger, Glyph::Critical, unreached.alarm(room)))
}

/// Calendars of who is on call that cannot be read: others may be on call by now than those who would be paged.
fn unread_calendars(view: &View<'_>) -> Option<(Role, Glyph, String)> {
    // Its own screen says it at length.
    if view.ui.screen == Screen::Escalation {
        return None;
    }
    let unread: Vec<oncall::Fault> = oncall::troubles(view.model).filter(|fault| fault.is_unread).collect();
    let more = match unread.len() {
        0 | 1 => String::new(),
        count => format!("{} more calendars; ", count - 1),
    };
    unread.first().map(|fault| (Role::Warn, Glyph::Warn, format!("{more}{}", fault.text)))
}

/// Messages that should have been sent.
fn overdue(view: &View<'_>) -> Option<(Role, Glyph, String)> {
    let mut late = escalation_status::owed(view.model);
    late.retain(|owed| owed.is_overdue(view.now));
    let first = late.first()?;
    let by = units::clock(first.left(view.now));
    let more = match late.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let send = view.key(Action::SendMessage);
    let text = format!("OVERDUE by {by}: {} to {}{more}; {send} writes it", first.title, first.audience);
    Some((Role::Critical, Glyph::Critical, text))
}

fn flapping(view: &View<'_>) -> Option<(Role, Glyph, String)> {
    let cooldown = view.model.plan.policy.cooldown;
    let mut regions = view.model.durable.regions.iter();
    let (id, until) = regions
        .find_map(|(id, standing)| standing.flapping_until(cooldown, view.now).map(|until| (id, until)))?;
    let name = view.model.plan.regions.get(id).map_or(id.as_str(), |region| &region.name);
    let left = units::age(until.duration_since(view.now));
    let text = format!("FLAPPING {name}: nothing is suggested until it is calm for {left} more");
    Some((Role::Warn, Glyph::Warn, text))
}
