//! The modal confirmation: exactly what will run, on what, what it rests on, what is lost, and what to type.

mod sections;

use super::paint::{cleaned, labelled_with, limited, paged, put};
use super::words::cannot_reach;
use super::{View, is_tight, too_small_to_act};
use crate::base::text::ended;
use crate::base::units;
use crate::console::glyphs::Glyph;
use crate::console::keymap::{Action, Context};
use crate::console::pages::Pages;
use crate::console::theme::Role;
use crate::console::widgets::{Dialog, centred, fit, hint_line};
use crate::core::ask::contradiction::{self, Blocked};
use crate::core::ask::drill;
use crate::core::decide;
use crate::core::words::confirmation::Confirmation;
use crate::core::words::signal::age;
use crate::plan::ConfirmLevel;
use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// What was read so long ago is not said to be old.
const STILL_NEW: SignedDuration = SignedDuration::from_secs(15);

/// What the frame's title says before and after the step's.
const CONFIRM: &str = "CONFIRM: ";
const IRREVERSIBLE: &str = " - IRREVERSIBLE";
/// Rows of why the last try was refused; the rest is read in pages.
const PROBLEM_ROWS: usize = 4;
/// Wider than this, lines are hard to read.
const WIDEST: u16 = 116;

/// What the person before the confirmation did so far.
#[derive(Clone, Copy, Default)]
pub struct Reader<'a> {
    pub typed: &'a str,
    /// It was sent, and the engine has not said what became of it.
    pub sent: bool,
    /// Why the last try was refused.
    pub problem: Option<&'a str>,
    /// Where he is in it, if not at the begin, which is the most important of all.
    pub pages: Option<&'a Pages>,
}

/// Draws the confirmation over the screen.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    view: &View<'_>,
    confirmation: &Confirmation,
    reader: Reader<'_>,
) {
    let styles = &view.styles;
    let irreversible = step_is_irreversible(view, confirmation);
    let width = area.width.min(WIDEST);
    let title = title(view, confirmation, irreversible, width);
    let inner = width.saturating_sub(4);
    let mut bottom = bottom(view, confirmation, reader, inner);
    let mut all = sections::lines(view, confirmation, irreversible, inner, usize::MAX);
    let open = is_open(view, confirmation) && !reader.sent;
    let most = usize::from(area.height) / 2;
    let problem = problem(view, reader, inner);
    if problem.len() > PROBLEM_ROWS {
        all.splice(0..0, problem);
    }
    // What stands in the way may be long; what is to be typed is not.
    if bottom.len() > most && !open {
        all.splice(0..0, bottom.iter().cloned());
        bottom = limited(styles, bottom, most, &shown_by_page(view, confirmation));
    }
    let unseen = open && is_tight(area) && all.len() + bottom.len() + 2 > usize::from(area.height);
    if unseen {
        view.shown.note_unseen();
        bottom.truncate(1);
        let why = too_small_to_act();
        bottom.extend(labelled_with(styles, Span::raw(""), 0, Role::Danger, &why, inner));
    }
    let room = usize::from(area.height).saturating_sub(2 + bottom.len());
    let is_cut = all.len() > room;
    let begin = match is_cut {
        true => sections::lines(view, confirmation, irreversible, inner, room),
        false => all.clone(),
    };
    let mut lines = paged(view, reader.pages.unwrap_or(&Pages::default()), all, begin, room);
    lines.extend(bottom);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let footer = footer(view, confirmation, (open && !unseen, reader.sent), width, is_cut);
    let dialog = Dialog { title: &title, footer, danger: irreversible };
    let inside = dialog.frame(styles, frame, centred(area, width, height));
    put(frame, inside, styles, lines);
}

fn step_is_irreversible(view: &View<'_>, confirmation: &Confirmation) -> bool {
    view.model.step(&confirmation.run, &confirmation.step).is_some_and(|(step, _)| step.irreversible)
}

fn title(view: &View<'_>, confirmation: &Confirmation, irreversible: bool, width: u16) -> String {
    let kind = if irreversible { IRREVERSIBLE } else { "" };
    let room = title_room(irreversible, width);
    let title = fit(&view.styles, &cleaned(step_title(view, confirmation)), room);
    // The frame is drawn by a widget that takes the text as it is.
    let title = match view.styles.glyphs {
        crate::console::glyphs::Glyphs::Ascii => title.replace(|c: char| !c.is_ascii(), "?"),
        crate::console::glyphs::Glyphs::Unicode => title,
    };
    format!("{CONFIRM}{title}{kind}")
}

/// Cells of the step's title in the frame: the corners and a space at each end are taken, and how grave it is stays.
fn title_room(irreversible: bool, width: u16) -> usize {
    let kind = if irreversible { IRREVERSIBLE.len() } else { 0 };
    usize::from(width).saturating_sub(CONFIRM.len() + kind + 4)
}

fn step_title<'v>(view: &View<'v>, confirmation: &'v Confirmation) -> &'v str {
    let step = view.model.step(&confirmation.run, &confirmation.step);
    step.map_or(confirmation.step.as_str(), |(step, _)| &step.title)
}

/// Why this step cannot be confirmed whatever its guards say, and what to do: what cannot be right, a step before it that
/// is done again, or an exercise that leaves it out.
fn kept(view: &View<'_>, confirmation: &Confirmation) -> Option<String> {
    let model = view.model;
    let (step, _) = model.step(&confirmation.run, &confirmation.step)?;
    let moves = contradiction::moves_the_primary(model, &confirmation.run, step);
    if let Some(open) = contradiction::blocking(model, Blocked::Promote).filter(|_| moves) {
        let (what, next) = (ended(&open.contradiction.what), ended(&open.contradiction.next));
        let answer = view.key(Action::AnswerContradiction);
        return Some(format!("{what} {next} Or leave this, and {answer} answers it."));
    }
    let waits = || decide::allow_after(model, model.run(&confirmation.run)?, step).err();
    let refusal = drill::refusal(model, step).or_else(waits)?;
    Some(format!("{} {}", ended(&refusal.why), ended(&refusal.next)))
}

/// The part that is always whole: what stands in the way, or what to type.
fn bottom(
    view: &View<'_>,
    confirmation: &Confirmation,
    reader: Reader<'_>,
    width: u16,
) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let dash = styles.glyph(Glyph::TreeLine);
    let mut lines = vec![Line::from(styles.span(Role::Border, dash.repeat(usize::from(width))))];
    lines.extend(limited(
        styles,
        problem(view, reader, width),
        PROBLEM_ROWS,
        &shown_by_page(view, confirmation),
    ));
    let left = confirmation.expires_at.duration_since(view.now);
    if reader.sent && cannot_reach(view).is_some() {
        let back = view.key_in(context(confirmation), Action::Back);
        let text = format!(
            "SENT, AND NOT ANSWERED: it may have started, or start when the engine goes on. {back} closes this and takes \
             nothing back."
        );
        lines.extend(labelled_with(styles, Span::raw(""), 0, Role::Critical, &text, width));
    } else if let Some(why) = cannot_reach(view) {
        let back = view.key_in(context(confirmation), Action::Back);
        let text = format!("{why} {back} closes this; nothing runs.");
        lines.extend(labelled_with(styles, Span::raw(""), 0, Role::Critical, &text, width));
    } else if !left.is_positive() {
        let text = "EXPIRED: nothing was done. Close this and open it again; everything is then read anew.";
        lines.extend(labelled_with(styles, Span::raw(""), 0, Role::Critical, text, width));
    } else if let Some((_, guard)) = confirmation.blocking_guard() {
        lines.extend(blocked(view, confirmation, &guard.condition, width));
    } else if let Some(why) = kept(view, confirmation) {
        let text = format!("BLOCKED: {why}{}", as_it_was(view, confirmation));
        lines.extend(labelled_with(styles, Span::raw(""), 0, Role::Critical, &text, width));
    } else {
        lines.extend(what_to_press(view, confirmation, reader.typed, width));
        let expiry = format!("Expires in {}; nothing happens then.", units::clock(left));
        lines.push(Line::from(styles.span(Role::Muted, expiry)));
    }
    lines
}

/// Why the last try did not go through.
fn problem(view: &View<'_>, reader: Reader<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let label = styles.span(Role::Critical, styles.glyph(Glyph::Failed));
    reader.problem.map_or_else(Vec::new, |text| labelled_with(styles, label, 2, Role::Critical, text, width))
}

fn blocked(view: &View<'_>, confirmation: &Confirmation, condition: &str, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let back = view.key_in(Context::Dialog, Action::Back);
    let over = view.key_in(Context::Decide, Action::OverrideGuard);
    let mut losses = confirmation.losses.iter().filter(|_| condition.contains("exposure_"));
    let first = match losses.find(|loss| loss.grows_from.is_some() || loss.fenced_at.is_some()) {
        Some(loss) if loss.doubted.is_some() => {
            "Have the fence of the old primary proven, so that it grows no more; then".to_owned()
        }
        Some(loss) if loss.grows_from.is_some() => {
            "Fence the old primary, so that it grows no more; then".to_owned()
        }
        Some(loss) => format!("{}: waiting helps no more;", loss.fence_words()),
        None => "Wait until it holds, or".to_owned(),
    };
    let text = format!(
        "BLOCKED by the guard {condition}. {first} close this ({back}) and override it with a \
         reason ({over}): the journal then names who, why and what is lost.{}",
        as_it_was(view, confirmation)
    );
    let label = styles.span(Role::Critical, styles.glyph(Glyph::Critical));
    labelled_with(styles, label, 2, Role::Critical, &text, width)
}

/// A bundle that is blocked is neither fired nor prepared anew: what it says may be otherwise by now.
fn as_it_was(view: &View<'_>, confirmation: &Confirmation) -> String {
    let old = age(confirmation.prepared_at, view.now);
    match old > STILL_NEW {
        true => format!(" ABOVE IS WHAT WAS READ {} AGO, not what holds now.", units::age(old)),
        false => String::new(),
    }
}

/// How the rest is read.
fn shown_by_page(view: &View<'_>, confirmation: &Confirmation) -> String {
    format!("lines, {} shows them", view.key_in(context(confirmation), Action::PageDown))
}

fn what_to_press(
    view: &View<'_>,
    confirmation: &Confirmation,
    typed: &str,
    width: u16,
) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let Some(phrase) = confirmation.phrase() else {
        let text = match confirmation.level {
            ConfirmLevel::Yes => {
                format!(
                    "{} runs it. Enter does nothing here.",
                    view.key_in(Context::Dialog, Action::ConfirmYes)
                )
            }
            _ => "It runs by itself once its guards hold.".to_owned(),
        };
        return labelled_with(styles, Span::raw(""), 0, Role::Accent, &text, width);
    };
    let ask = styles.span(Role::Text, "Type the target's name:  ");
    // A name that is wider than the line is wrapped: half of it cannot be typed.
    let indent = if ask.width() + phrase.width() <= usize::from(width) { ask.width() } else { 0 };
    let name = |label| labelled_with(styles, label, indent, Role::Accent, phrase, width);
    let mut lines = match indent {
        0 => [vec![Line::from(ask)], name(Span::raw(""))].concat(),
        _ => name(ask),
    };
    lines.extend(typed_lines(view, phrase, typed, width));
    lines
}

/// What was typed, with the place from which it differs marked in words and colour: below it, where there is no room
/// beside it.
fn typed_lines(view: &View<'_>, phrase: &str, typed: &str, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let same = phrase.chars().zip(typed.chars()).take_while(|(want, got)| want == got).count();
    let good: String = typed.chars().take(same).collect();
    let wrong: String = typed.chars().skip(same).collect();
    let confirm = view.key_in(Context::TextEntry, Action::ConfirmTyped);
    let word = if !wrong.is_empty() {
        styles.span(Role::Critical, format!("  {} differs from here: {wrong}", styles.glyph(Glyph::Critical)))
    } else if typed == phrase {
        styles.span(Role::Ok, format!("  {} matches: {confirm} runs it", styles.glyph(Glyph::Ok)))
    } else {
        let left = phrase.chars().count() - same;
        let left = units::counted(left, "character");
        styles.span(Role::Muted, format!("  {left} to go, then {confirm}; Enter does nothing"))
    };
    let good = styles.span(Role::Input, format!("> {good}_"));
    if good.width() + word.width() <= usize::from(width) {
        return vec![Line::from(vec![good, word])];
    }
    let told = labelled_with(styles, Span::raw(""), 0, Role::Text, word.content.trim_start(), width);
    let told = told.into_iter().map(|line| line.patch_style(word.style));
    std::iter::once(Line::from(good)).chain(told).collect()
}

/// Where its keys are: whether or not anything can be confirmed at the moment, letters are text where a phrase is typed.
fn context(confirmation: &Confirmation) -> Context {
    let types = confirmation.phrase().is_some() && confirmation.blocking_guard().is_none();
    if types { Context::TextEntry } else { Context::Dialog }
}

/// Whether there is something to press.
fn is_open(view: &View<'_>, confirmation: &Confirmation) -> bool {
    confirmation.blocking_guard().is_none()
        && kept(view, confirmation).is_none()
        && view.now < confirmation.expires_at
        && cannot_reach(view).is_none()
}

fn footer(
    view: &View<'_>,
    confirmation: &Confirmation,
    (open, sent): (bool, bool),
    width: u16,
    is_cut: bool,
) -> Line<'static> {
    let mut hints = if is_cut { vec![(Action::PageDown, "all of it")] } else { Vec::new() };
    let own: &[(Action, &str)] = match (open, confirmation.level) {
        _ if sent => &[(Action::Back, "leave it, it may run")],
        (true, ConfirmLevel::Type) => {
            &[(Action::ConfirmTyped, "run it"), (Action::Back, "back, nothing runs")]
        }
        (true, ConfirmLevel::Yes) => &[
            (Action::ConfirmYes, "run it"),
            (Action::Copy, "copy the command"),
            (Action::Back, "back, nothing runs"),
        ],
        _ => &[(Action::Copy, "copy the command"), (Action::Back, "back, nothing runs")],
    };
    hints.splice(0..0, own.iter().copied());
    let context = context(confirmation);
    let mut line = hint_line(&view.styles, view.keymap, context, &hints, width.saturating_sub(6));
    line.spans.insert(0, Span::raw(" "));
    line.push_span(Span::raw(" "));
    line
}
