//! The whole tree in a narrow column: where the incident stands and where each answer would lead.

use crate::base::ids::QuestionId;
use crate::console::glyphs::Glyph;
use crate::console::screens::View;
use crate::console::screens::paint::{cleaned, rule};
use crate::console::theme::Role;
use crate::core::words::incident::Position;
use crate::plan::Goto;
use ratatui::text::{Line, Span};

/// Deeper trees are cut; the loader refuses cycles, a plan from elsewhere may still have one.
const DEEPEST: usize = 12;

/// The tree from its root.
pub fn lines(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![rule(&view.styles, "TREE", "", width)];
    question(view, &view.model.plan.tree.root, "", DEEPEST, &mut lines);
    lines
}

fn question(view: &View<'_>, id: &QuestionId, indent: &str, depth: usize, lines: &mut Vec<Line<'static>>) {
    let styles = &view.styles;
    let position = view.model.durable.incident.as_ref().map(|incident| &incident.position);
    let open = position == Some(&Position::Question(id.clone()));
    let Some(question_spec) = view.model.plan.tree.questions.get(id) else { return };
    if let Some(last) = lines.last_mut().filter(|_| !indent.is_empty()) {
        // The question stands behind the answer that leads to it.
        last.push_span(asked(view, open, &question_spec.ask));
    } else {
        lines.push(Line::from(vec![Span::raw(" "), asked(view, open, &question_spec.ask)]));
    }
    if depth == 0 {
        return;
    }
    let given = view.model.durable.incident.as_ref().and_then(|incident| {
        incident.answers.iter().rev().find(|given| given.question == *id).filter(|_| !open)
    });
    let count = question_spec.answers.len();
    for (place, (name, answer)) in question_spec.answers.iter().enumerate() {
        let last = place + 1 == count;
        let branch = styles.glyph(if last { Glyph::TreeLast } else { Glyph::TreeBranch });
        let dash = styles.glyph(Glyph::TreeLine);
        let chosen = given.is_some_and(|given| given.answer == *name);
        let role = if chosen { Role::Ok } else { Role::Muted };
        let tick = if chosen { styles.glyph(Glyph::Ok) } else { "" };
        let name = cleaned(name);
        lines.push(Line::from(vec![
            styles.span(Role::Border, format!(" {indent}{branch}{dash}")),
            styles.span(role, format!("{tick}{name}: ")),
        ]));
        let trunk = if last { " " } else { styles.glyph(Glyph::TreeTrunk) };
        match &answer.goto {
            Goto::Question(next) => question(view, next, &format!("{indent}{trunk} "), depth - 1, lines),
            Goto::Runbook(id) => {
                let title = view.model.plan.runbooks.get(id).map_or(id.as_str(), |runbook| &runbook.title);
                append(lines, styles.span(Role::Text, format!("run {}", cleaned(title))));
            }
            Goto::Leaf(id) => {
                let here = position == Some(&Position::Leaf(id.clone()));
                let title = view.model.plan.tree.leaves.get(id).map_or(id.as_str(), |leaf| &leaf.title);
                let role = if here { Role::Accent } else { Role::Text };
                append(lines, styles.span(role, cleaned(title)));
            }
        }
    }
}

fn asked(view: &View<'_>, open: bool, ask: &str) -> Span<'static> {
    let ask = cleaned(ask);
    match open {
        true => view.styles.span(Role::Accent, format!("{} {ask}", view.styles.glyph(Glyph::Running))),
        false => view.styles.span(Role::Text, ask),
    }
}

fn append(lines: &mut [Line<'static>], span: Span<'static>) {
    if let Some(line) = lines.last_mut() {
        line.push_span(span);
    }
}
