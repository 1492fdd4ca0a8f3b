//! The dialog in which a message is written.

use super::App;
use super::draw::{WIDTH, draw_text};
use crate::base::text::clean;
use crate::console::keymap::{Action, Context};
use crate::console::overlays::compose::Compose;
use crate::console::screens::View;
use crate::console::screens::message::{self, Sheet};
use crate::console::theme::Role;
use crate::console::widgets::{self, Styles, centred, hint_line, wrap};
use crate::plan::BODY_LIMIT_CHARS;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Text};

/// Rows of the dialog, when there is room.
const HEIGHT: u16 = 32;
/// The longest text from elsewhere that is shown.
const TEXT_CHARS: usize = 2_000;
/// The longest title that is shown.
const TITLE_CHARS: usize = 400;

/// Draws the text, or the message as it will be sent.
pub(super) fn draw(frame: &mut Frame<'_>, app: &App, view: &View<'_>, compose: &Compose) {
    let waiting = compose.sent.then_some("Sent to the engine; waiting for its answer.");
    let problem = compose.problem.as_deref().or(waiting);
    match &compose.preview {
        Some(preview) => {
            let sheet = Sheet {
                message: &preview.message,
                to: &preview.to,
                missing: &preview.missing,
                audience: view.model.plan.audiences.get(&compose.audience),
                offset: preview.offset,
                problem,
            };
            message::draw(frame, frame.area(), view, sheet);
        }
        None => draw_writing(frame, app, view, compose, problem),
    }
}

fn draw_writing(frame: &mut Frame<'_>, app: &App, view: &View<'_>, compose: &Compose, problem: Option<&str>) {
    let styles = &view.styles;
    let screen = frame.area();
    let area = centred(
        screen,
        WIDTH.max(screen.width.saturating_sub(20).min(100)),
        HEIGHT.min(screen.height.saturating_sub(2)),
    );
    let hints = [
        (Action::PreviewMessage, "read it as it is sent"),
        (Action::NextField, "subject or text"),
        (Action::Back, "leave"),
    ];
    let footer = hint_line(styles, &app.keymap, Context::TextEntry, &hints, area.width.saturating_sub(4));
    let plan = &view.model.plan;
    let name = compose.message.as_ref().map(|id| plan.messages.get(id).map_or(id.as_str(), |m| &m.title));
    let title = clean(name.unwrap_or("Your own text"), TITLE_CHARS);
    let dialog = widgets::Dialog { title: &title, footer, danger: false };
    let inside = dialog.frame(styles, frame, area);
    let width = usize::from(inside.width);
    let above = about(styles, view, compose, width);
    let below: Vec<Line<'_>> = problem
        .map(|problem| wrap(&clean(problem, TEXT_CHARS), width))
        .unwrap_or_default()
        .into_iter()
        .map(|line| Line::from(styles.span(Role::Warn, line)))
        .collect();
    let rows = |lines: &[Line<'_>]| Constraint::Length(u16::try_from(lines.len()).unwrap_or(0));
    let parts = [rows(&above), Constraint::Length(2), Constraint::Min(2), rows(&below)];
    let [head, subject, body, end] = Layout::vertical(parts).areas(inside);
    frame.render_widget(Text::from(above), head);
    draw_text(frame, styles, compose.subject.area(), "Subject", subject, !compose.in_body);
    let label = format!("Text ({} of {BODY_LIMIT_CHARS} characters)", compose.body.text().chars().count());
    draw_text(frame, styles, compose.body.area(), &label, body, compose.in_body);
    frame.render_widget(Text::from(below), end);
}

/// Whom it is for, and loudly when that is everybody.
fn about(styles: &Styles<'_>, view: &View<'_>, compose: &Compose, width: usize) -> Vec<Line<'static>> {
    let audience = view.model.plan.audiences.get(&compose.audience);
    let title = audience.map_or(compose.audience.as_str(), |audience| &audience.title);
    let (role, text) = match audience {
        Some(audience) if audience.public => {
            (Role::Danger, format!("For {title}: PUBLIC, people outside of the company read it."))
        }
        _ => (Role::Text, format!("For {title}.")),
    };
    wrap(&clean(&text, TEXT_CHARS), width)
        .into_iter()
        .map(|line| Line::from(styles.span(role, line)))
        .collect()
}
