//! One frame: the screen, and the dialog over it.

use super::{App, Dialog, draw_compose, words};
use crate::base::text::clean;
use crate::console::glyphs::Glyph;
use crate::console::keymap::{Action, Context};
use crate::console::overlays::confirm::Confirming;
use crate::console::overlays::field::Field;
use crate::console::overlays::form::{Choice, Form, Stage};
use crate::console::overlays::help::{Help, KEYS_INDENT, Line as Text, Reading, broken, keys_width};
use crate::console::overlays::palette::{Entry, Palette};
use crate::console::pages::Shown;
use crate::console::screens::confirm::Reader;
use crate::console::screens::{self, View, paint};
use crate::console::theme::Role;
use crate::console::ui::Connection;
use crate::console::widgets::{self, Styles, centred, fit, hint_line, wrap};
use crate::engine::client::ClientError;
use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::text::Line;
use ratatui::widgets::Clear;
use ratatui_textarea::TextArea;
use std::time::Instant;
use unicode_width::UnicodeWidthStr;

/// Width of dialogs, in cells; narrower on narrow terminals.
pub(super) const WIDTH: u16 = 76;
/// Longest line that is drawn.
const LINE_CHARS: usize = 2_000;
/// Rows of a field of text.
const FIELD_ROWS: u16 = 4;
/// The same on a small terminal.
const LOW_FIELD_ROWS: u16 = 2;
/// Cells of a command's name and of its key in the palette.
const NAME_WIDTH: usize = 22;
const KEY_WIDTH: usize = 6;
/// Rows that a problem below the choices takes at most.
const PROBLEM_ROWS: usize = 2;

/// Draws what there is to see at `at`, and says what of it is in sight; nothing in it can steer the terminal or
/// disguise text.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    app: &App,
    styles: Styles<'_>,
    at: Instant,
    plan: &str,
    waited: SignedDuration,
) -> Shown {
    let shown = Shown::default();
    draw_all(frame, app, styles, at, plan, waited, &shown);
    screens::paint::sift(frame.buffer_mut());
    shown
}

fn draw_all(
    frame: &mut Frame<'_>,
    app: &App,
    styles: Styles<'_>,
    at: Instant,
    plan: &str,
    waited: SignedDuration,
    shown: &Shown,
) {
    let area = frame.area();
    let Some(model) = &app.model else {
        let silent = match app.ui.connection {
            Connection::Silent { pid, .. } => Some(ClientError::Silent(pid).to_string()),
            _ => None,
        };
        screens::connecting::draw(frame, area, &styles, plan, waited, silent.as_deref());
        if let Some(Dialog::Help(help)) = &app.dialog {
            draw_help(frame, app, &styles, help, shown);
        }
        return;
    };
    let view = View {
        model,
        ui: &app.ui,
        styles,
        now: app.now(at),
        operator: &app.operator,
        keymap: &app.keymap,
        shown,
    };
    screens::doubt::believed(&view, |view| draw_view(frame, app, view));
}

fn draw_view(frame: &mut Frame<'_>, app: &App, view: &View<'_>) {
    screens::frame_screen(frame, view);
    let (area, styles) = (frame.area(), &view.styles);
    let (width, height) = screens::SMALLEST;
    if area.width < width || area.height < height {
        return;
    }
    if app.dialog.is_some() {
        view.shown.cover();
    }
    match &app.dialog {
        None => {}
        Some(Dialog::Form(form)) => draw_form(frame, app, view, form),
        Some(Dialog::Confirm(confirming)) => draw_confirmation(frame, view, confirming),
        Some(Dialog::Compose(compose)) => draw_compose::draw(frame, app, view, compose),
        Some(Dialog::Palette(palette)) => draw_palette(frame, app, view, palette),
        Some(Dialog::Help(help)) => draw_help(frame, app, styles, help, view.shown),
        Some(Dialog::Preview(reading)) => draw_text_to_read(frame, app, styles, reading, view.shown),
        Some(Dialog::Diagnosis(open)) => draw_text_to_read(frame, app, styles, &open.reading, view.shown),
        Some(Dialog::Filter { field, .. }) => draw_filter(frame, styles, field),
    }
}

fn draw_confirmation(frame: &mut Frame<'_>, view: &View<'_>, confirming: &Confirming) {
    let waiting = confirming.sent.then_some("Sent; waiting for the engine.");
    let problem = confirming.problem.as_deref().or(waiting);
    let area = frame.area();
    let (typed, sent, pages) = (confirming.typed.text(), confirming.sent, Some(&confirming.pages));
    let reader = Reader { typed, sent, problem, pages };
    screens::confirm::draw(frame, area, view, &confirming.confirmation, reader);
}

fn draw_form(frame: &mut Frame<'_>, app: &App, view: &View<'_>, form: &Form) {
    let styles = &view.styles;
    let width = WIDTH.min(frame.area().width);
    let inner = usize::from(width.saturating_sub(4));
    let mut lines: Vec<Line<'static>> = Vec::new();
    let title = words::title(form, app.model.as_ref());
    if title.width() + 4 > usize::from(width) {
        // The frame has no room for all of it.
        lines.extend(wrap(&title, inner).into_iter().map(|line| Line::from(styles.span(Role::Title, line))));
    }
    for text in words::about(form, app.model.as_ref(), view.now) {
        lines.extend(wrap(&text, inner).into_iter().map(|line| Line::from(styles.span(Role::Text, line))));
    }
    if form.stage == Stage::Choose {
        lines.push(Line::default());
        // Frame, problem and the lines above stay; the chosen one of many is in view.
        let room = usize::from(frame.area().height).saturating_sub(lines.len() + 2 + PROBLEM_ROWS);
        let list = choices(styles, form, inner, room.max(1));
        view.shown.note_rows(list.len());
        lines.extend(list);
    } else if let Some(choice) = form.choices.get(form.chosen) {
        lines.push(Line::default());
        let label = wrap(&clean(&choice.label, LINE_CHARS), inner).into_iter();
        lines.extend(label.map(|line| Line::from(styles.span(Role::Accent, line))));
    }
    let label = (form.stage != Stage::Choose).then(|| words::label(form)).flatten();
    let mut below: Vec<Line<'static>> = Vec::new();
    let unheard = if form.is_for_engine() { screens::cannot_reach(view) } else { None };
    if form.stage == Stage::Sure || unheard.is_some() {
        let confirm = view.key_in(Context::TextEntry, Action::ConfirmTyped);
        let sure = unheard.map_or_else(|| words::sure(form, app.model.as_ref(), &confirm), str::to_owned);
        below.extend(wrap(&sure, inner).into_iter().map(|line| Line::from(styles.span(Role::Danger, line))));
    }
    let waiting = form.sent.then(|| "Sent; waiting for the engine.".to_owned());
    if let Some(problem) = form.problem.clone().or(waiting) {
        below.extend(wrap(&problem, inner).into_iter().map(|line| Line::from(styles.span(Role::Warn, line))));
    }
    let tight = screens::is_tight(frame.area());
    let rows = |lines: &[Line<'_>]| u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let field_rows = match label {
        Some(_) if tight => LOW_FIELD_ROWS + 1,
        Some(_) => FIELD_ROWS + 1,
        None => 0,
    };
    let needed = rows(&lines).saturating_add(field_rows).saturating_add(rows(&below)).saturating_add(2);
    let unseen = tight && form.stage == Stage::Sure && needed > frame.area().height;
    if unseen {
        view.shown.note_unseen();
        let why = wrap(&screens::too_small_to_act(), inner).into_iter();
        below = why.map(|line| Line::from(styles.span(Role::Danger, line))).collect();
    }
    let most = usize::from(frame.area().height) / 2;
    if below.len() > most && form.stage != Stage::Choose {
        let key = view.key_in(form.context(), Action::PageDown);
        lines.splice(0..0, below.iter().cloned());
        below = paint::limited(styles, below, most, &format!("lines, {key} shows them"));
    }
    if form.stage != Stage::Choose {
        let room =
            usize::from(frame.area().height.saturating_sub(2 + field_rows)).saturating_sub(below.len());
        let key = view.key_in(form.context(), Action::PageDown);
        let begin = paint::limited(styles, lines.clone(), room, &format!("lines, {key} shows them"));
        lines = paint::paged(view, &form.pages, lines, begin, room);
    }
    let height = rows(&lines).saturating_add(field_rows).saturating_add(rows(&below)).saturating_add(2);
    let footer = hint_line(
        styles,
        &app.keymap,
        form.context(),
        hints(form, unheard.is_none() && !unseen),
        width.saturating_sub(4),
    );
    let dialog = widgets::Dialog { title: &title, footer, danger: form.is_grave() };
    let area = centred(frame.area(), width, height);
    let inside = dialog.frame(styles, frame, area);
    // What the dialog cannot hold on a small terminal goes from its middle: the field and the problem stay.
    let constraints = [Constraint::Min(0), Constraint::Length(field_rows), Constraint::Length(rows(&below))];
    let [above, middle, end] = Layout::vertical(constraints).areas(inside);
    frame.render_widget(ratatui::text::Text::from(lines), above);
    if let Some(label) = label {
        let (text, active) = match form.takes_word() {
            true => (&form.typed, true),
            false => (&form.text, form.stage == Stage::Write),
        };
        draw_text(frame, styles, text.area(), label, middle, active);
    }
    frame.render_widget(ratatui::text::Text::from(below), end);
}

fn choices(styles: &Styles<'_>, form: &Form, width: usize, room: usize) -> Vec<Line<'static>> {
    const INDENT: usize = 5;
    let marked = |choice: &Choice, mark: &str| {
        let key = if choice.key == '\0' { ' ' } else { choice.key };
        format!("{mark} {key}  ")
    };
    let row = |(place, choice): (usize, &Choice)| {
        if place != form.chosen {
            let text = format!("{}{}", marked(choice, " "), choice.label);
            return vec![Line::from(styles.span(Role::Text, cell(styles, &text, width)))];
        }
        // The chosen one can be read whole, so each of them can.
        let label = wrap(&clean(&choice.label, LINE_CHARS), width.saturating_sub(INDENT));
        let begins = marked(choice, styles.glyph(Glyph::Selected));
        let line = |(row, part): (usize, String)| {
            let before = if row == 0 { begins.clone() } else { " ".repeat(INDENT) };
            Line::from(styles.span(Role::Selection, cell(styles, &format!("{before}{part}"), width)))
        };
        label.into_iter().enumerate().map(line).collect()
    };
    let rows: Vec<(usize, Line<'static>)> = form
        .choices
        .iter()
        .enumerate()
        .flat_map(|(place, choice)| row((place, choice)).into_iter().map(move |line| (place, line)))
        .collect();
    let last = rows.iter().rposition(|(place, _)| *place == form.chosen).unwrap_or(0);
    let first = (last + 1).saturating_sub(room);
    rows.into_iter().skip(first).take(room).map(|(_, line)| line).collect()
}

fn hints(form: &Form, heard: bool) -> &'static [(Action, &'static str)] {
    match form.stage {
        Stage::Sure if !heard => &[(Action::Back, "back")],
        Stage::Choose => {
            &[(Action::Select, "go on"), (Action::Up, "up"), (Action::Down, "down"), (Action::Back, "back")]
        }
        Stage::Write if !form.offers.is_empty() => {
            &[(Action::Submit, "go on"), (Action::NextField, "complete"), (Action::Back, "back")]
        }
        Stage::Write => &[(Action::Submit, "go on"), (Action::Back, "back")],
        Stage::Sure if form.takes_word() => &[(Action::ConfirmTyped, "yes"), (Action::Back, "back")],
        Stage::Sure => &[(Action::ConfirmYes, "yes"), (Action::Back, "back")],
    }
}

/// A text under its label; the area is one row higher than the text.
pub(super) fn draw_text(
    frame: &mut Frame<'_>,
    styles: &Styles<'_>,
    text: &TextArea<'static>,
    label: &str,
    area: Rect,
    active: bool,
) {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
    frame.render_widget(styles.span(Role::Muted, label.to_owned()), head);
    let mut widget = text.clone();
    widget.set_style(styles.style(Role::Input));
    widget.set_cursor_line_style(styles.style(Role::Input));
    let cursor = styles.style(Role::Input);
    widget.set_cursor_style(if active {
        cursor.add_modifier(ratatui::style::Modifier::REVERSED)
    } else {
        cursor
    });
    frame.render_widget(&widget, body);
}

/// The filter is typed in the last row, over the hints.
fn draw_filter(frame: &mut Frame<'_>, styles: &Styles<'_>, field: &Field) {
    let area = frame.area();
    let row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    frame.render_widget(Clear, row);
    frame.render_widget(styles.span(Role::KeyHint, " filter "), row);
    let mut widget = field.area().clone();
    widget.set_wrap_mode(ratatui_textarea::WrapMode::None);
    widget.set_style(styles.style(Role::Input));
    widget.set_cursor_line_style(styles.style(Role::Input));
    let rest = Rect { x: row.x + 8, width: row.width.saturating_sub(8), ..row };
    frame.render_widget(&widget, rest);
}

fn draw_palette(frame: &mut Frame<'_>, app: &App, view: &View<'_>, palette: &Palette) {
    let styles = &view.styles;
    let margin = if screens::is_tight(frame.area()) { 2 } else { 4 };
    let area = centred(frame.area(), WIDTH, frame.area().height.saturating_sub(margin).min(20));
    let footer = hint_line(
        styles,
        &app.keymap,
        Context::Palette,
        &[(Action::Select, "do it"), (Action::Back, "back")],
        area.width.saturating_sub(4),
    );
    let dialog = widgets::Dialog { title: "Commands", footer, danger: false };
    let inside = dialog.frame(styles, frame, area);
    let width = usize::from(inside.width);
    let whole =
        palette.matching().nth(palette.selected).map_or_else(Vec::new, |entry| wrap(&told(entry), width));
    let whole = &whole[..whole.len().min(usize::from(inside.height / 2))];
    let rows = u16::try_from(whole.len()).unwrap_or(0);
    let parts = [Constraint::Length(2), Constraint::Min(1), Constraint::Length(rows)];
    let [field, list, below] = Layout::vertical(parts).areas(inside);
    let selected = whole.iter().map(|line| Line::from(styles.span(Role::Accent, line.clone())));
    frame.render_widget(ratatui::text::Text::from_iter(selected), below);
    let mut widget = palette.field.area().clone();
    widget.set_wrap_mode(ratatui_textarea::WrapMode::None);
    widget.set_style(styles.style(Role::Input));
    widget.set_cursor_line_style(styles.style(Role::Input));
    frame.render_widget(&widget, Rect { height: 1, ..field });
    let height = usize::from(list.height);
    view.shown.note_rows(height);
    let first = palette.selected.saturating_sub(height.saturating_sub(1));
    let name_width = NAME_WIDTH.min(width * 2 / 5);
    let rows = palette.matching().enumerate().skip(first).take(height);
    let lines: Vec<Line<'_>> = rows
        .map(|(place, entry)| {
            let role = match &entry.why_not {
                _ if place == palette.selected => Role::Selection,
                Some(_) => Role::Muted,
                None => Role::Text,
            };
            let (name, key) = (cell(styles, &entry.name, name_width), cell(styles, &entry.key, KEY_WIDTH));
            let doc = doc(entry);
            Line::from(styles.span(role, cell(styles, &format!("{name} {key} {doc}"), width)))
        })
        .collect();
    if lines.is_empty() {
        frame.render_widget(styles.span(Role::Muted, "nothing matches"), list);
    }
    frame.render_widget(ratatui::text::Text::from(lines), list);
}

/// What an entry does, or why it cannot be done.
fn doc(entry: &Entry) -> String {
    entry.why_not.as_ref().map_or_else(|| entry.doc.clone(), |why| format!("not now: {why}"))
}

/// The selected entry, whole.
fn told(entry: &Entry) -> String {
    clean(&format!("{} {}: {}", entry.name, entry.key, doc(entry)).replace(" :", ":"), LINE_CHARS)
}

fn draw_help(frame: &mut Frame<'_>, app: &App, styles: &Styles<'_>, help: &Help, seen: &Shown) {
    let shown = help.shown();
    draw_reading(frame, app, styles, &help.reading, &shown, Some(help), seen);
}

fn draw_text_to_read(frame: &mut Frame<'_>, app: &App, styles: &Styles<'_>, reading: &Reading, seen: &Shown) {
    let lines: Vec<&Text> = reading.lines.iter().collect();
    draw_reading(frame, app, styles, reading, &lines, None, seen);
}

fn draw_reading(
    frame: &mut Frame<'_>,
    app: &App,
    styles: &Styles<'_>,
    reading: &Reading,
    lines: &[&Text],
    help: Option<&Help>,
    seen: &Shown,
) {
    let area = frame.area().inner(Margin::new(2, 1));
    let hints: &[(Action, &str)] = match help {
        Some(_) => {
            &[(Action::Down, "down"), (Action::Up, "up"), (Action::Filter, "search"), (Action::Back, "back")]
        }
        None => &[(Action::Down, "down"), (Action::Up, "up"), (Action::Back, "back")],
    };
    let footer = hint_line(styles, &app.keymap, Context::Help, hints, area.width.saturating_sub(4));
    let wanted = help.map_or("", Help::wanted);
    let mut title =
        if wanted.is_empty() { reading.title.clone() } else { format!("{} / {wanted}", reading.title) };
    let rows = usize::from(area.height.saturating_sub(2));
    seen.note_rows(rows);
    let width = reading_width(area.width + 4);
    let lines = broken(lines.iter().copied(), width);
    let first = reading.offset.min(lines.len().saturating_sub(rows));
    if lines.len() > rows {
        title = format!("{title}, lines {} to {} of {}", first + 1, first + rows, lines.len());
    }
    let dialog = widgets::Dialog { title: &title, footer, danger: false };
    let inside = dialog.frame(styles, frame, area);
    let shown = lines.iter().skip(first).take(usize::from(inside.height));
    let text: Vec<Line<'_>> = shown.map(|line| text_line(styles, line, width)).collect();
    frame.render_widget(ratatui::text::Text::from(text), inside);
}

/// Cells of a text to read, on a terminal of so many columns: without margin, frame and padding.
pub(super) fn reading_width(terminal: u16) -> usize {
    usize::from(terminal.saturating_sub(8).max(1))
}

fn text_line(styles: &Styles<'_>, line: &Text, width: usize) -> Line<'static> {
    match line {
        Text::Heading(text) => Line::from(styles.span(Role::Title, cell(styles, text, width))),
        Text::Text(text) => Line::from(styles.span(Role::Text, cell(styles, text, width))),
        Text::Key(keys, what) => Line::from(vec![
            styles
                .span(Role::KeyHint, cell(styles, &format!("{:KEYS_INDENT$}{keys}", ""), keys_width(width))),
            styles.span(Role::Text, cell(styles, what, width.saturating_sub(keys_width(width)))),
        ]),
    }
}

/// Cleaned text in exactly `width` cells.
fn cell(styles: &Styles<'_>, text: &str, width: usize) -> String {
    let text = fit(styles, &clean(text, LINE_CHARS), width);
    let missing = width.saturating_sub(text.width());
    text + &" ".repeat(missing)
}
