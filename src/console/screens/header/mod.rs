//! The header of every screen: how bad, since when, how long is left, what would be lost, who, and what is
//! wrong with the console itself.

mod alarms;
mod tight;

use super::paint::{cleaned, put, tidy};
use super::words::{blind_since, brief, clock_time};
use super::{View, is_tight, table};
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::theme::Role;
use crate::console::widgets::{clock_line, drill_or_live, fit, severity_badge};
use crate::core::ask::contradiction::{self, Kind};
use crate::core::ask::escalation_status::{self, Awareness};
use crate::core::ask::objectives::{self, RtoClock};
use crate::core::ask::{attested, drill, evidence};
use crate::core::model::{Model, Status};
use crate::core::words::confirmation::LossEstimate;
use crate::core::words::signal::{SignalState, age};
use crate::plan::{Runbook, Severity};
use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// From this width on there is room for what is also in the timeline.
const WIDE: u16 = 110;
const BAR_WIDTH: u16 = 20;
const RTO: &str = " RTO ";
const RPO: &str = " RPO ";
/// What the amount means; it gives way on a narrow terminal.
const AT_RISK: &str = " at risk";
/// What is said of a clock of which nobody knows whether it runs.
const CANNOT_TELL: &str = "cannot tell: ";
/// What is said when no clock runs.
const WORKS: &str = "every service works";
/// What is said of the service whose clock runs.
const BROKEN: &str = " broken since";
/// What is said of the service whose clock stopped.
const SINCE: &str = ", since";
/// What is said of a clock that stopped too late.
const OVER: &str = ", over by";
/// What was needed to say that it works; it gives way on a narrow terminal.
const AGAIN: &str = "works again after";
/// Cells of its title on a narrow terminal.
const TITLE_WIDTH: usize = 14;
const SHORTEST_TITLE: usize = 5;
/// The same on a wide one, and of a scenario's name.
const WIDE_TITLE_WIDTH: usize = 40;
const SCENARIO_WIDTH: usize = 24;
/// Characters of the journal's head that are shown; enough to compare by eye.
const CHECKSUM_CHARS: usize = 8;

/// How many rows the header needs on a terminal: more for each alarm.
pub fn height(view: &View<'_>, terminal: Rect) -> u16 {
    u16::try_from(lines(view, terminal).len()).unwrap_or(u16::MAX)
}

/// Draws the header.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let terminal = Rect { height: frame.area().height, ..area };
    put(frame, area, &view.styles, lines(view, terminal));
}

fn lines(view: &View<'_>, terminal: Rect) -> Vec<Line<'static>> {
    let width = terminal.width;
    if is_tight(terminal) {
        return tight::lines(view, terminal);
    }
    let mut lines = vec![title_line(view, width), objectives_line(view, width), console_line(view, width)];
    lines.extend(alarms::lines(view, width));
    lines
}

/// Left and right parts of a line; what is at the right is always whole.
fn two_sided(
    view: &View<'_>,
    left: Vec<Span<'static>>,
    right: Vec<Span<'static>>,
    width: u16,
) -> Line<'static> {
    let right_width: usize = right.iter().map(Span::width).sum();
    let room = usize::from(width).saturating_sub(right_width + usize::from(right_width > 0));
    let left = left.into_iter().map(|span| Span::styled(cleaned(&span.content), span.style));
    let left = Line::from(left.collect::<Vec<_>>());
    let mut line = tidy(&view.styles, left, u16::try_from(room).unwrap_or(width));
    let gap = usize::from(width).saturating_sub(line.width() + right_width);
    line.push_span(Span::raw(" ".repeat(gap)));
    line.spans.extend(right);
    line
}

fn title_line(view: &View<'_>, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let left = [how_bad(view), what(view)].concat();
    let simulated = view.model.live.simulation.as_ref().map(|simulation| {
        let scenario = fit(styles, &cleaned(&simulation.scenario), SCENARIO_WIDTH);
        styles.span(Role::Simulated, format!(" SIMULATED {scenario} x{} ", simulation.speed))
    });
    let right = who_knows(view).into_iter().chain(simulated).collect();
    two_sided(view, left, right, width)
}

/// Whether it is real, how bad it is, and since when.
fn how_bad(view: &View<'_>) -> Vec<Span<'static>> {
    let (styles, model) = (&view.styles, view.model);
    let mut left = Vec::new();
    match &model.durable.incident {
        // What is simulated is said at the right.
        Some(incident) if incident.mode.is_drill() && model.live.simulation.is_some() => {
            left.push(drill_or_live(styles, Some("DRILL"), false));
        }
        Some(_) => left.push(drill_or_live(styles, drill::words(model), drill::acts(model))),
        None if model.durable.proposal.is_some() => {
            left.push(styles.span(Role::Critical, format!(" {} PROPOSED ", styles.glyph(Glyph::Warn))));
        }
        None => left.push(styles.span(Role::Muted, " no incident ")),
    }
    if let Some(severity) = model.severity() {
        left.push(Span::raw(" "));
        left.push(severity_badge(styles, severity_number(severity)));
        if let Some((derived, since, _)) = &model.durable.severity
            && *derived == severity
        {
            left.push(styles.span(
                Role::Text,
                format!(" for {} {}", units::age(age(*since, view.now)), styles.glyph(Glyph::Separator)),
            ));
        }
    }
    left
}

/// Of which plan, and what the incident is called.
fn what(view: &View<'_>) -> Vec<Span<'static>> {
    let (styles, model) = (&view.styles, view.model);
    let mut what = vec![styles.span(Role::Title, format!(" {}", model.plan.name))];
    if let Some(incident) = &model.durable.incident {
        what.push(styles.span(Role::Muted, format!(" {} ", styles.glyph(Glyph::Separator))));
        what.push(styles.span(Role::Text, incident.title.clone()));
    }
    what
}

/// Who took it on, or how far telling people has come.
fn who_knows(view: &View<'_>) -> Option<Span<'static>> {
    let escalation_status = escalation_status::of(view.model, view.now)?;
    let text = escalation_status::badge(view.model, &escalation_status, view.now)?;
    let role = match &escalation_status {
        Awareness::Acknowledged(_) => Role::Ok,
        Awareness::Paging(paging) if paging.unreached.is_some() => Role::Danger,
        Awareness::Paging(_) => Role::Critical,
        _ => Role::Warn,
    };
    Some(view.styles.span(role, format!(" {text} ")))
}

/// The number of a severity's badge, 0 the worst.
pub(super) fn severity_number(severity: Severity) -> u8 {
    match severity {
        Severity::P0 => 0,
        Severity::P1 => 1,
        Severity::P2 => 2,
        Severity::P3 => 3,
    }
}

/// The clock that runs, and what would be lost: one line, as it may be longer than there is room.
fn objectives_line(view: &View<'_>, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let clock = rto(view, width);
    let Some((role, mut text)) = rpo(view) else {
        return Line::from([vec![styles.span(Role::Muted, RTO)], clock].concat());
    };
    let before = |clock: &[Span<'static>]| -> Vec<Span<'static>> {
        let (rto, rpo) = (styles.span(Role::Muted, RTO), styles.span(Role::Muted, format!(" {RPO}")));
        [&[rto], clock, &[rpo]].concat()
    };
    let room = |clock: &[Span<'static>]| {
        let used: usize = before(clock).iter().map(Span::width).sum();
        usize::from(width).saturating_sub(used)
    };
    // What would be lost matters more than since when something is or was broken, and than the end of a title.
    let mut clock = if text.chars().count() > room(&clock) { terse(clock) } else { clock };
    if text.chars().count() > room(&clock) {
        text = text.replace(AT_RISK, "");
    }
    let over = text.chars().count().saturating_sub(room(&clock));
    if let [title, _, ..] = &mut *clock
        && over > 0
    {
        let width = title.width().saturating_sub(over + 1).max(SHORTEST_TITLE);
        title.content = format!("{} ", fit(styles, title.content.trim_end(), width)).into();
    }
    let mut line = Line::from(before(&clock));
    line.push_span(styles.span(role, text));
    line
}

/// Without since when something is or was broken, and in fewer words what cannot be told.
fn terse(clock: Vec<Span<'static>>) -> Vec<Span<'static>> {
    let gives_way = |text: &str| {
        text.starts_with(SINCE)
            || text.starts_with(OVER)
            || text.strip_prefix(',').is_some_and(|rest| rest.starts_with(BROKEN))
    };
    let short = |span: Span<'static>| match gives_way(&span.content) {
        true => Span::raw(""),
        false => {
            Span::styled(span.content.replace(CANNOT_TELL, "").replace(AGAIN, "worked after"), span.style)
        }
    };
    clock.into_iter().map(short).collect()
}

/// The overall clock, or in words why none runs.
fn rto(view: &View<'_>, width: u16) -> Vec<Span<'static>> {
    let (styles, model) = (&view.styles, view.model);
    if let Some(clock) = objectives::overall_clock(model, view.now) {
        let (bar, room) = if width >= WIDE { (BAR_WIDTH, WIDE_TITLE_WIDTH) } else { (0, TITLE_WIDTH) };
        let mut spans = clock_line(styles, clock.elapsed, clock.target, bar).spans;
        spans.retain(|span| bar > 0 || !span.content.trim().is_empty());
        spans.insert(0, titled(view, &clock, room));
        spans.push(styles.span(Role::Muted, format!(",{BROKEN} {}", clock_time(clock.since))));
        return spans;
    }
    let unknown = model.durable.services.values().filter(|s| s.status == Status::Unknown).count();
    let stopped_clock = objectives::overall_stopped(model, model.durable.services.keys());
    let (role, text) = match unknown {
        1 => (Role::Unknown, format!("{CANNOT_TELL}1 service unknown")),
        unknown if unknown > 0 => (Role::Unknown, format!("{CANNOT_TELL}{unknown} services unknown")),
        // Two primaries answer as well as one; and what the plan's services do not measure a rule may.
        _ if denied(model) || (is_p0(model) && stopped_clock.is_none()) => {
            let text = format!("{} services answer; what is wrong: WHY", styles.glyph(Glyph::Critical));
            return vec![styles.span(Role::Critical, text)];
        }
        _ if contradiction::is_without_writer(model, view.now) => {
            let text = format!("{} no server accepts writes now", styles.glyph(Glyph::Warn));
            return vec![styles.span(Role::Warn, text)];
        }
        _ if attested::is_left(model) => {
            let text = format!("{} what serves is not known: NEXT", styles.glyph(Glyph::Warn));
            return vec![styles.span(Role::Warn, text)];
        }
        _ => match stopped_clock {
            Some(clock) => return stopped(view, &clock, width),
            None => (Role::Ok, WORKS.to_owned()),
        },
    };
    let glyph = if unknown > 0 { Glyph::Unknown } else { Glyph::Ok };
    vec![styles.span(role, format!("{} {text}", styles.glyph(glyph)))]
}

/// The rules of the plan, or what cannot be right, come to the worst severity.
fn is_p0(model: &Model) -> bool {
    model.durable.severity.as_ref().is_some_and(|(severity, ..)| *severity == Severity::P0)
}

/// Something cannot be right that is as bad as a loss.
fn denied(model: &Model) -> bool {
    contradiction::worst(model).is_some_and(|open| open.contradiction.severity == Severity::P0)
}

/// The clock that stopped: how long the service did not work, against its target.
fn stopped(view: &View<'_>, clock: &RtoClock, width: u16) -> Vec<Span<'static>> {
    let styles = &view.styles;
    let room = if width >= WIDE { WIDE_TITLE_WIDTH } else { TITLE_WIDTH };
    let (elapsed, target) = (units::clock(clock.elapsed), units::clock(clock.target));
    let (role, glyph, over) = match clock.left().is_negative() {
        true => (Role::Critical, Glyph::Critical, format!("{OVER} {}", units::clock(clock.left()))),
        false if is_p0(view.model) => (Role::Warn, Glyph::Warn, String::new()),
        false => (Role::Ok, Glyph::Ok, String::new()),
    };
    let text = format!("{} {AGAIN} {elapsed} of {target}", styles.glyph(glyph));
    let since = clock.stopped.map_or_else(String::new, |at| format!("{SINCE} {}", clock_time(at)));
    vec![
        titled(view, clock, room),
        styles.span(role, text),
        styles.span(role, over),
        styles.span(Role::Muted, since),
    ]
}

/// The name of the service whose clock it is.
fn titled(view: &View<'_>, clock: &RtoClock, room: usize) -> Span<'static> {
    let service = view.model.plan.services.get(&clock.service);
    let title = service.map_or(clock.service.as_str(), |service| &service.title);
    let title = fit(&view.styles, &cleaned(title), room);
    view.styles.span(Role::Text, format!("{title} "))
}

/// What would be lost by a failover now; none where the plan has no probe that can tell.
fn rpo(view: &View<'_>) -> Option<(Role, String)> {
    let model = view.model;
    let loss = evidence::exposure(model, view.now)?;
    let told_by = |runbook: &&Runbook| runbook.loss.contains(&loss.probe);
    let mut away = model.plan.runbooks.values().filter(told_by);
    // After the failover the same probe looks in the wrong direction, unless it follows the primary.
    let is_behind =
        |runbook: &Runbook| runbook.activates.is_some() && runbook.activates.as_ref() == model.serving();
    if !evidence::is_since_failover(model, &loss) && away.all(is_behind) {
        let text = format!("{} not measured since the failover", view.styles.glyph(Glyph::Unknown));
        return Some((Role::Unknown, text));
    }
    Some(exposed(view, &loss))
}

/// What would be lost, short, and how it stands against the tightest objective of the plan.
fn exposed(view: &View<'_>, loss: &LossEstimate) -> (Role, String) {
    let target = view.model.plan.services.values().filter_map(|service| service.rpo).min();
    let allowed = target.map_or_else(String::new, |target| format!(" of {}", brief(target)));
    let Some(short) = loss.short() else {
        return (Role::Unknown, format!("{} not known", view.styles.glyph(Glyph::Unknown)));
    };
    // Of a range the bytes are in the words of the confirmation; here is room for what the objective is about.
    let amount = match (loss.span, loss.bytes) {
        (Some(_), Some(bytes)) if loss.span_min.is_none() => {
            format!("{short}{allowed}, {}", units::bytes(bytes))
        }
        (Some(_), _) => format!("{short}{allowed}"),
        (None, _) => short,
    };
    let past = |span: Option<SignedDuration>, share: i32| {
        span.zip(target).is_some_and(|(span, target)| span * share > target)
    };
    let measured = loss.measured_at.map_or(SignedDuration::MAX, |at| age(at, view.now));
    let stale = view.model.plan.probes.get(&loss.probe).is_some_and(|spec| measured > spec.every * 2);
    // Whoever sees nothing does not know what is missing by now.
    let is_blind = stale && blind_since(view).is_some();
    let certain = loss.span_min.or(loss.span);
    let mut wrong = contradiction::of(view.model).iter().map(|open| open.contradiction.kind);
    let is_split = wrong.any(|kind| kind == Kind::TwoPrimaries);
    let is_critical = view.model.state(&loss.probe) == SignalState::Critical;
    let (role, glyph, state) = match () {
        () if is_blind => (Role::Unknown, Glyph::Unknown, ""),
        () if past(certain, 1) => (Role::Critical, Glyph::Critical, ""),
        // What may still grow is not well, whatever it is now.
        () if loss.grows_from.is_some() || loss.on_word.is_some() || past(loss.span, 2) => {
            (Role::Warn, Glyph::Warn, "")
        }
        () if loss.untold > 0 => (Role::Unknown, Glyph::Unknown, ""),
        // What is written to either of two primaries is missing on the other.
        () if is_split => (Role::Warn, Glyph::Warn, ""),
        // Little is missing yet, and nothing more arrives.
        () if is_critical => (Role::Warn, Glyph::Warn, ", probe critical"),
        () => (Role::Ok, Glyph::Ok, ""),
    };
    let age = if stale { format!(", {} old", units::age(measured)) } else { String::new() };
    let untold = if loss.untold > 0 { format!(", {} more not known", loss.untold) } else { String::new() };
    // A narrow line is cut at its end: what the figure rests on comes first.
    let is_unproven = loss.on_word.is_some() || loss.doubted.is_some();
    let word = if is_unproven { "UNPROVEN " } else { "" };
    (role, format!("{} {word}{amount}{AT_RISK}{untold}{state}{age}", view.styles.glyph(glyph)))
}

fn console_line(view: &View<'_>, width: u16) -> Line<'static> {
    let (styles, model) = (&view.styles, view.model);
    let separator = format!(" {} ", styles.glyph(Glyph::Separator));
    let mut left = vec![styles.span(Role::Muted, " you "), styles.span(Role::Text, view.operator.to_owned())];
    if let Some(incident) = &model.durable.incident {
        left.push(styles.span(Role::Muted, format!("{separator}led by {}", incident.leader())));
        if width >= WIDE {
            left.push(styles.span(Role::Muted, format!("{separator}{}", incident.id)));
        }
    }
    if model.live.journal_failure.is_none() {
        let head = match &model.durable.head {
            Some(head) => {
                let short: String = head.checksum.chars().take(CHECKSUM_CHARS).collect();
                format!("{separator}journal #{} {short}", head.seq)
            }
            None => format!("{separator}journal empty"),
        };
        left.push(styles.span(Role::Muted, head));
    }
    // A narrow line keeps its room for who leads; only the current screen is named in full.
    let mut right = Vec::new();
    for row in &table::SCREENS {
        let (role, name) = match row.screen == view.ui.screen {
            true => (Role::Accent, format!("[{}]", row.name)),
            false => (Role::Muted, if width >= WIDE { row.name } else { row.short }.to_owned()),
        };
        if !right.is_empty() {
            right.push(Span::raw(" "));
        }
        right.push(styles.span(role, name));
    }
    two_sided(view, left, right, width)
}
