//! The open question: what was answered so far, the evidence beside it, what is suggested, and the answers.

use crate::base::ids::QuestionId;
use crate::base::text::ended;
use crate::console::glyphs::Glyph;
use crate::console::keymap::Action;
use crate::console::screens::View;
use crate::console::screens::list::window;
use crate::console::screens::paint::{
    cleaned, cut, detailed, labelled_with, limited, put, put_list, rule, shown_by,
};
use crate::console::screens::words::{clock_time, concern_role, evidence_age, evidence_state};
use crate::console::theme::Role;
use crate::console::ui::Screen;
use crate::console::widgets::{Column, Width, row_line, state_cell};
use crate::core::ask::evidence;
use crate::core::ask::tree::{Suggestion, suggest};
use crate::core::words::confirmation::Evidence;
use crate::core::words::incident::GivenAnswer;
use crate::plan::{Answer, Goto, Plan, Question};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Answers given before that are shown at most, when the terminal is small.
const PATH_ROWS: usize = 3;
/// Rows of what is suggested at most, its heading included.
const SUGGESTION_ROWS: usize = 4;

/// Rows of the screen below which the question keeps only what an answer rests on.
const LOW: u16 = 15;

/// Draws the open question.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, id: &QuestionId) {
    let styles = &view.styles;
    let Some(question) = view.model.plan.tree.questions.get(id) else {
        return put(frame, area, styles, super::todo(view, area.width));
    };
    let suggested = suggest(view.model, question, view.now);
    let answers = answers(view, question, &suggested, area.width);
    let room = usize::from(area.height).saturating_sub(1 + answers.len());
    let mut lines = match view.ui.details {
        true => whole(view, question, &suggested, area.width, room),
        false if area.height < LOW => in_brief(view, question, &suggested, area, room),
        false => in_short(view, question, &suggested, area, room),
    };
    lines.push(rule(styles, "ANSWERS", "", area.width));
    if lines.len() + answers.len() > usize::from(area.height) {
        view.shown.note_unseen();
    }
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(1));
    put(frame, Rect { height: used, ..area }, styles, lines);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    let wanted = u16::try_from(answers.len()).unwrap_or(u16::MAX);
    let list = Rect { height: below.height.min(wanted), ..below };
    let selected = view.ui.cursor(Screen::Decide).selected.min(answers.len().saturating_sub(1));
    let shown = window(view, selected, answers.len(), usize::from(list.height));
    let mark = selected.saturating_sub(shown.start);
    put_list(frame, list, styles, answers[shown].to_vec(), Some(mark));
    super::tree_below(frame, below, view, usize::from(list.height) + 1);
}

/// What an answer rests on, as far as there is room. The question and what is suggested are never what gives way; the
/// evidence is cut, and says so.
fn in_short(
    view: &View<'_>,
    question: &Question,
    suggested: &Suggestion,
    area: Rect,
    room: usize,
) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let roomy = area.height >= 28;
    let rest = shown_by(view, Action::ToggleDetails);
    let mut lines = path(view, area.width, if roomy { 8 } else { PATH_ROWS });
    lines.extend(ask(view, question, area.width));
    lines.extend(limited(styles, help(view, question, area.width), if roomy { 6 } else { 2 }, &rest));
    let suggestion = suggestion(view, suggested, area.width);
    let suggestion = limited(styles, suggestion, SUGGESTION_ROWS, &rest);
    let room = room.saturating_sub(lines.len() + 1 + suggestion.len()).max(2);
    let (evidence, whole) = evidence_lines(view, question, area.width, room);
    lines.push(evidence_rule(view, whole, area.width));
    lines.extend(limited(styles, evidence, room, &rest));
    lines.extend(suggestion);
    lines
}

/// The question whole, then what is suggested, then the worst of the evidence, as far as there are rows.
fn in_brief(
    view: &View<'_>,
    question: &Question,
    suggested: &Suggestion,
    area: Rect,
    room: usize,
) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let rest = shown_by(view, Action::ToggleDetails);
    let mut lines = ask(view, question, area.width);
    let left = room.saturating_sub(lines.len());
    let (evidence, _) = evidence_lines(view, question, area.width, left);
    // Without its heading: the words that it begins with say what it is.
    let suggestion = suggestion(view, suggested, area.width).into_iter().skip(1).collect();
    let suggestion = limited(styles, suggestion, left.saturating_sub(evidence.len().min(2)), &rest);
    lines.extend(suggestion);
    let left = room.saturating_sub(lines.len());
    lines.extend(limited(styles, evidence, left, &rest));
    lines
}

/// All that an answer rests on, in pages below the question.
fn whole(
    view: &View<'_>,
    question: &Question,
    suggested: &Suggestion,
    width: u16,
    room: usize,
) -> Vec<Line<'static>> {
    let mut lines = ask(view, question, width);
    let mut rest = help(view, question, width);
    rest.extend(path(view, width, usize::MAX));
    rest.push(evidence_rule(view, true, width));
    rest.extend(evidence_lines(view, question, width, usize::MAX).0);
    rest.extend(suggestion(view, suggested, width));
    let room = room.saturating_sub(lines.len());
    lines.extend(detailed(view, rest, room));
    lines
}

/// The questions answered so far, oldest first: answer, question, who and when; then why, where there is room.
pub fn path(view: &View<'_>, width: u16, room: usize) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let Some(incident) = &view.model.durable.incident else { return Vec::new() };
    let given = &incident.answers;
    if given.is_empty() {
        return Vec::new();
    }
    let skipped = given.len().saturating_sub(room);
    let mut whole = skipped == 0;
    let mut lines = Vec::new();
    let mut spare = room.saturating_sub(given.len());
    for given in &given[skipped..] {
        lines.push(given_line(view, given, width));
        let reason = reason(given);
        if reason.is_empty() {
            continue;
        }
        let text = labelled_with(styles, "".into(), 9, Role::Muted, &reason, width);
        let rows = if room == usize::MAX { text.len() } else { spare.min(1) };
        whole &= rows == text.len();
        spare = spare.saturating_sub(rows);
        lines.extend(cut(styles, text, rows, width));
    }
    let rest =
        if whole { String::new() } else { format!("{} shows all of it", view.key(Action::ToggleDetails)) };
    lines.insert(0, rule(styles, "ANSWERED", rest, width));
    lines
}

fn differs(given: &GivenAnswer) -> bool {
    given.suggested.as_deref().is_some_and(|suggested| suggested != given.answer)
}

/// `against the suggestion "yes": the status page says it is our VPN`.
fn reason(given: &GivenAnswer) -> String {
    let against = given.suggested.as_deref().filter(|_| differs(given));
    match (against, given.reason.as_deref()) {
        (Some(suggested), reason) => {
            format!("against the suggestion \"{suggested}\": {}", reason.unwrap_or("no reason given"))
        }
        (None, Some(reason)) => format!("because {reason}"),
        (None, None) => String::new(),
    }
}

fn given_line(view: &View<'_>, given: &GivenAnswer, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let question = view.model.plan.tree.questions.get(&given.question);
    let ask = question.map_or(given.question.as_str(), |question| &question.ask);
    let (role, glyph) = if differs(given) { (Role::Warn, Glyph::Warn) } else { (Role::Ok, Glyph::Ok) };
    let columns = [
        Column { width: Width::Fixed(8), right: false },
        Column { width: Width::Share(1), right: false },
        Column { width: Width::Fixed(18), right: true },
    ];
    let cells = [
        styles.span(role, format!(" {} {}", styles.glyph(glyph), cleaned(&given.answer))),
        styles.span(Role::Text, cleaned(ask)),
        styles.span(Role::Muted, format!("{} {}", cleaned(&given.by.to_string()), clock_time(given.at))),
    ];
    row_line(styles, &columns, &cells, width)
}

fn ask(view: &View<'_>, question: &Question, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let mut lines = vec![rule(styles, "OPEN QUESTION", "", width)];
    lines.extend(labelled_with(styles, " ".into(), 1, Role::Accent, &question.ask, width));
    lines
}

/// How the plan says that an answer is found.
fn help(view: &View<'_>, question: &Question, width: u16) -> Vec<Line<'static>> {
    match question.help.is_empty() {
        true => Vec::new(),
        false => labelled_with(&view.styles, " ".into(), 1, Role::Muted, &question.help, width),
    }
}

/// The heading of the evidence; where not all of it is below, first the key that shows it.
fn evidence_rule(view: &View<'_>, whole: bool, width: u16) -> Line<'static> {
    let live = "live; frozen into the journal with your answer";
    let rest = match whole {
        true => live.to_owned(),
        false => format!("{} shows all of it ({live})", view.key(Action::ToggleDetails)),
    };
    rule(&view.styles, "EVIDENCE", rest, width)
}

/// Each piece of evidence in one line, and below what the probe says and where it comes from: in one line as far as
/// there is room, whole where there is no end of it. What is worst is never what is left out. Says too whether all of
/// it is there.
fn evidence_lines(
    view: &View<'_>,
    question: &Question,
    width: u16,
    room: usize,
) -> (Vec<Line<'static>>, bool) {
    let styles = &view.styles;
    let mut frozen: Vec<Evidence> =
        question.evidence.iter().filter_map(|probe| evidence::freeze(view.model, probe)).collect();
    if frozen.is_empty() {
        let none = styles.span(Role::Muted, " the plan names none for this question");
        return (vec![Line::from(none)], true);
    }
    if frozen.len() > room {
        frozen.sort_by_key(|evidence| std::cmp::Reverse(evidence.state.concern()));
    }
    let mut worst: Vec<usize> = (0..frozen.len()).collect();
    worst.sort_by_key(|&place| std::cmp::Reverse(frozen[place].state.concern()));
    worst.truncate(room.saturating_sub(frozen.len()));
    let mut lines = Vec::new();
    let mut whole = true;
    for (place, evidence) in frozen.iter().enumerate() {
        let row = evidence_line(view, evidence, width);
        let cut_off = row.spans.iter().any(|span| span.content.contains(styles.glyph(Glyph::Ellipsis)));
        lines.push(row);
        // What the columns have no room for is read below them.
        let named = match (cut_off && room == usize::MAX, evidence.threshold.as_str()) {
            (false, _) => String::new(),
            (true, "") => format!("{}: ", evidence.title),
            (true, bounds) => format!("{}, {bounds}: ", evidence.title),
        };
        let text = format!("{named}{} ({})", evidence.summary, evidence.source);
        let more = labelled_with(styles, "".into(), 12, concern_role(evidence.state), &text, width);
        let rows = if room == usize::MAX { more.len() } else { usize::from(worst.contains(&place)) };
        whole &= rows == more.len() && (room == usize::MAX || !cut_off);
        lines.extend(cut(styles, more, rows, width));
    }
    (lines, whole)
}

/// State, title, value, age and bounds of a signal, as evidence.
pub fn evidence_line(view: &View<'_>, evidence: &Evidence, width: u16) -> Line<'static> {
    let styles = &view.styles;
    let state = evidence_state(evidence);
    let columns = [
        Column { width: Width::Fixed(11), right: false },
        Column { width: Width::Share(22), right: false },
        Column { width: Width::Fixed(9), right: true },
        Column { width: Width::Fixed(9), right: true },
        Column { width: Width::Share(25), right: false },
    ];
    let cell = state_cell(styles, state);
    let never = evidence.measured_at.is_none();
    let age = if never { "never".to_owned() } else { evidence_age(evidence, view.now) };
    let spec = view.model.plan.probes.get(&evidence.probe);
    let old = evidence.measured_at.is_none_or(|at| {
        spec.is_some_and(|spec| crate::core::words::signal::age(at, view.now) > spec.every.saturating_mul(2))
    });
    let cells = [
        styles.span(state.role(), format!(" {}", cell.content)),
        styles.span(Role::Text, cleaned(&evidence.title)),
        styles.span(
            state.role(),
            if evidence.value.is_empty() { "-".to_owned() } else { evidence.value.clone() },
        ),
        styles.span(if old { Role::Stale } else { Role::Muted }, age),
        styles.span(Role::Muted, evidence.threshold.clone()),
    ];
    row_line(styles, &columns, &cells, width)
}

fn suggestion(view: &View<'_>, suggested: &Suggestion, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let (role, label, text) = match suggested {
        Suggestion::Answer { answer, because } => {
            (Role::Accent, " SUGGESTED", format!("\"{answer}\", because {because}"))
        }
        Suggestion::Withheld(why) => {
            (Role::Unknown, " NO SUGGESTION", format!("{} Say why you answer as you do.", ended(why)))
        }
    };
    let indent = label.len() + 1;
    let mut lines = vec![rule(styles, "SUGGESTION", "", width)];
    lines.extend(labelled_with(styles, styles.span(role, label), indent, role, &text, width));
    lines
}

fn answers(view: &View<'_>, question: &Question, suggested: &Suggestion, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let selected = view.ui.cursor(Screen::Decide).selected.min(question.answers.len().saturating_sub(1));
    let columns = [
        Column { width: Width::Fixed(1), right: false },
        Column { width: Width::Fixed(6), right: false },
        Column { width: Width::Fixed(18), right: false },
        Column { width: Width::Share(1), right: false },
    ];
    let line = |(place, (name, answer)): (usize, (&String, &Answer))| {
        let is_suggested = suggested.answer() == Some(name);
        let mark = if is_suggested { format!("{name} {}", styles.glyph(Glyph::Ok)) } else { name.clone() };
        let cells = [
            styles.span(Role::Accent, if place == selected { styles.glyph(Glyph::Selected) } else { " " }),
            styles.span(Role::KeyHint, key(view, name, place)),
            styles.span(if is_suggested { Role::Accent } else { Role::Text }, cleaned(&mark)),
            styles.span(Role::Text, cleaned(&leads(&view.model.plan, &answer.goto))),
        ];
        row_line(styles, &columns, &cells, width)
    };
    question.answers.iter().enumerate().map(line).collect()
}

/// The keys that give an answer: others than yes and no are chosen by their number.
fn key(view: &View<'_>, answer: &str, place: usize) -> String {
    match answer {
        "yes" => view.key(Action::AnswerYes),
        "no" => view.key(Action::AnswerNo),
        _ => format!("{} {}", view.key(Action::AnswerOther), place + 1),
    }
}

/// Where an answer leads, in words.
pub fn leads(plan: &Plan, goto: &Goto) -> String {
    match goto {
        Goto::Question(id) => {
            format!("asks: {}", plan.tree.questions.get(id).map_or(id.as_str(), |question| &question.ask))
        }
        Goto::Runbook(id) => {
            let runbook = plan.runbooks.get(id);
            let steps = runbook.map_or(0, |runbook| runbook.steps.len());
            let title = runbook.map_or(id.as_str(), |runbook| &runbook.title);
            format!("begins the runbook: {title} ({steps} {})", if steps == 1 { "step" } else { "steps" })
        }
        Goto::Leaf(id) => {
            format!("ends: {}", plan.tree.leaves.get(id).map_or(id.as_str(), |leaf| &leaf.title))
        }
    }
}
