//! A message before it is sent: who reads it, by which ways, and every word of it.

use super::paint::{labelled_with, put};
use super::words::cannot_reach;
use super::{View, is_tight, too_small_to_act};
use crate::console::glyphs::Glyph;
use crate::console::keymap::{Action, Context};
use crate::console::theme::Role;
use crate::console::widgets::{Dialog, hint_line};
use crate::core::prose::describe::to_whom;
use crate::core::words::notification::{Message, Queued};
use crate::plan::{Audience, ComponentStatus, PageStatus};
use ratatui::Frame;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Line;

const INDENT: usize = 9;

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The message as it is sent.
    pub message: &'a Message,
    /// To whom, on which ways.
    pub to: &'a [Queued],
    /// Why somebody is missing.
    pub missing: &'a [String],
    /// Those whom it is for; none where the plan does not know them any more.
    pub audience: Option<&'a Audience>,
    /// The first line in view.
    pub offset: usize,
    /// Why it does not go through, or that it is under way.
    pub problem: Option<&'a str>,
}

/// Draws the dialog over the screen.
pub fn draw(frame: &mut Frame<'_>, screen: Rect, view: &View<'_>, sheet: Sheet<'_>) {
    let styles = &view.styles;
    let area = screen.inner(Margin::new(1, 0));
    let hints = [
        (Action::ConfirmYes, "SEND"),
        (Action::Down, "down"),
        (Action::Up, "up"),
        (Action::Back, "back to the text"),
    ];
    let width = area.width.saturating_sub(4);
    let lines = lines(view, &sheet, width);
    let inside = usize::from(area.height.saturating_sub(2));
    let unseen = is_tight(screen) && lines.len() + question(view, &sheet, false, width).len() > inside;
    if unseen {
        view.shown.note_unseen();
    }
    let hints = if cannot_reach(view).is_some() || unseen { &hints[1..] } else { &hints[..] };
    let question = question(view, &sheet, unseen, width);
    let rows = inside.saturating_sub(question.len());
    view.shown.note_rows(rows);
    let first = sheet.offset.min(lines.len().saturating_sub(rows));
    let title = match lines.len() > rows {
        true => format!("Read it, then send it: lines {} to {} of {}", first + 1, first + rows, lines.len()),
        false => "Read it, then send it".to_owned(),
    };
    let footer = hint_line(styles, view.keymap, Context::Dialog, hints, width);
    let inside = Dialog { title: &title, footer, danger: true }.frame(styles, frame, area);
    let shown: Vec<Line<'static>> = lines.into_iter().skip(first).take(rows).collect();
    put(frame, inside, styles, shown);
    let below = u16::try_from(question.len()).unwrap_or(0).min(inside.height);
    let end = Rect { y: inside.bottom() - below, height: below, ..inside };
    put(frame, end, styles, question);
}

/// The last question, with what does not let it go through.
fn question(view: &View<'_>, sheet: &Sheet<'_>, unseen: bool, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let mut lines = Vec::new();
    if let Some(problem) = sheet.problem {
        lines.extend(labelled_with(styles, styles.span(Role::Warn, ""), 0, Role::Warn, problem, width));
    }
    let key = view.key_in(Context::Dialog, Action::ConfirmYes);
    let public = if is_public(sheet) { " to the PUBLIC" } else { "" };
    let ways = if sheet.to.len() == 1 { "1 way" } else { "ways" };
    let count = if sheet.to.len() == 1 { String::new() } else { format!("{} ", sheet.to.len()) };
    let text = match cannot_reach(view) {
        Some(why) => why.to_owned(),
        None if unseen => too_small_to_act(),
        None => {
            format!("Send exactly this on {count}{ways}{public}? {key} sends it; it cannot be taken back.")
        }
    };
    lines.extend(labelled_with(styles, styles.span(Role::Danger, ""), 0, Role::Danger, &text, width));
    lines
}

fn is_public(sheet: &Sheet<'_>) -> bool {
    sheet.audience.is_some_and(|audience| audience.public)
}

fn lines(view: &View<'_>, sheet: &Sheet<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let mut lines = Vec::new();
    let mut add = |label: &str, role: Role, text: &str| {
        let label = styles.span(Role::Muted, label.to_owned());
        lines.extend(labelled_with(styles, label, INDENT, role, text, width));
    };
    let title = sheet.audience.map_or("an audience that is gone", |audience| &audience.title);
    let drill = sheet.message.drill;
    match (is_public(sheet), drill) {
        (true, false) => {
            let glyph = styles.glyph(Glyph::Critical);
            let text = format!(
                "{glyph} {title} are OUTSIDE OF THE COMPANY: customers and everybody else read this."
            );
            add("PUBLIC", Role::Danger, &text);
        }
        (_, true) => {
            let glyph = styles.glyph(Glyph::Drill);
            let text = format!("{glyph} an exercise: its subject and its text say so.");
            add("DRILL", Role::HeaderDrill, &text);
        }
        _ => {}
    }
    add("FOR", Role::Text, title);
    for (place, queued) in sheet.to.iter().enumerate() {
        let address = queued.way.address.as_deref();
        let address = address.map_or_else(String::new, |address| format!(" ({address})"));
        let label = if place == 0 { "TO" } else { "" };
        add(label, Role::Accent, &format!("{}{address}", to_whom(queued, &view.model.plan)));
    }
    for missing in sheet.missing {
        add("NOT TO", Role::Warn, missing);
    }
    if let Some(status) = sheet.message.page_status {
        add("PAGE", Role::Text, &format!("the status page will say: {}", page_status(status)));
    }
    if let Some(status) = sheet.message.component_status {
        add("PARTS", Role::Text, &format!("its components will say: {}", component_status(status)));
    }
    add("SUBJECT", Role::Title, &sheet.message.subject);
    for (place, text) in sheet.message.body.lines().enumerate() {
        add(if place == 0 { "TEXT" } else { "" }, Role::Text, text);
    }
    add("WITNESS", Role::Muted, &format!("{} (or the head when it is sent)", sheet.message.witness));
    lines
}

fn page_status(status: PageStatus) -> &'static str {
    match status {
        PageStatus::Investigating => "investigating",
        PageStatus::Identified => "identified",
        PageStatus::Monitoring => "monitoring",
        PageStatus::Resolved => "resolved",
    }
}

fn component_status(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::Operational => "operational",
        ComponentStatus::DegradedPerformance => "degraded performance",
        ComponentStatus::PartialOutage => "partial outage",
        ComponentStatus::MajorOutage => "major outage",
        ComponentStatus::UnderMaintenance => "under maintenance",
    }
}
