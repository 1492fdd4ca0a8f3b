//! The shape of the decision tree.

use crate::base::ids::QuestionId;
use crate::base::toml::{Diagnostic, Report};
use crate::plan::load::Draft;
use crate::plan::types::{Goto, Question, Tree};
use std::collections::HashSet;

pub(super) fn check(draft: &Draft, report: &Report) {
    let tree = &draft.plan.tree;
    for (id, question) in &tree.questions {
        self::question(id, question, draft, report);
    }
    let next = |index: usize| {
        let answers = tree.questions.get_index(index).map(|(_, question)| question.answers.values());
        let questions = answers.into_iter().flatten().filter_map(|answer| match &answer.goto {
            Goto::Question(id) => tree.questions.get_index_of(id),
            _ => None,
        });
        questions.collect()
    };
    if let Some(cycle) = cycle(tree.questions.len(), next) {
        report.add(cycle_problem(&cycle, tree, draft));
    }
    if draft.complete {
        unreachable(draft, report);
    }
}

fn question(id: &QuestionId, question: &Question, draft: &Draft, report: &Report) {
    let place = draft.places.of(&format!("tree.{id}"));
    if question.evidence.is_empty() {
        let problem = Diagnostic::warning("no-evidence", place, format!("question `{id}` shows no evidence"));
        report.add(problem.help("name the probes that help to answer it: `evidence = [\"…\"]`"));
    }
    match question.answers.len() {
        0 => report.add(
            Diagnostic::error("answers", place, format!("question `{id}` has no answers"))
                .help("write `answers.yes = \"…\"`"),
        ),
        1 => {
            report.add(Diagnostic::warning("answers", place, format!("question `{id}` has only one answer")))
        }
        _ => {}
    }
}

fn cycle_problem(cycle: &[usize], tree: &Tree, draft: &Draft) -> Diagnostic {
    let ids: Vec<&str> = cycle
        .iter()
        .filter_map(|index| tree.questions.get_index(*index))
        .map(|(id, _)| id.as_str())
        .collect();
    let first = ids.first().copied().unwrap_or_default();
    let last = ids.last().copied().unwrap_or_default();
    let answers = tree.questions.get(last).map(|question| question.answers.iter());
    let back = answers
        .into_iter()
        .flatten()
        .find(|(_, answer)| answer.goto == Goto::Question(QuestionId::from(first)));
    let place = back.map_or(format!("tree.{last}"), |(answer, _)| format!("tree.{last}.answers.{answer}"));
    let message = format!("the tree leads back to itself: {} → {first}", ids.join(" → "));
    Diagnostic::error("cycle", draft.places.of(&place), message)
        .help("an answer leads on to another question, a runbook or a leaf")
}

/// What no answer leads to: questions and leaves are mistakes, a runbook can also be started by hand.
fn unreachable(draft: &Draft, report: &Report) {
    let plan = &draft.plan;
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let mut open = vec![plan.tree.root.as_str()];
    seen.insert(("tree", plan.tree.root.as_str()));
    while let Some(id) = open.pop() {
        let answers = plan.tree.questions.get(id).map(|question| question.answers.values());
        for answer in answers.into_iter().flatten() {
            let target = match &answer.goto {
                Goto::Question(id) => ("tree", id.as_str()),
                Goto::Runbook(id) => ("runbooks", id.as_str()),
                Goto::Leaf(id) => ("leaves", id.as_str()),
            };
            if seen.insert(target) && target.0 == "tree" {
                open.push(target.1);
            }
        }
    }
    let lost = |section: &'static str, id: &str| !seen.contains(&(section, id));
    let place = |section: &str, id: &str| draft.places.of(&format!("{section}.{id}"));
    for id in plan.tree.questions.keys().filter(|id| lost("tree", id.as_str())) {
        let problem = Diagnostic::error(
            "unreachable",
            place("tree", id.as_str()),
            format!("no answer leads to question `{id}`"),
        );
        report.add(problem.help("let an answer lead to it, make it the `root`, or remove it"));
    }
    for id in plan.tree.leaves.keys().filter(|id| lost("leaves", id.as_str())) {
        let problem = Diagnostic::error(
            "unreachable",
            place("leaves", id.as_str()),
            format!("no answer leads to leaf `{id}`"),
        );
        report.add(problem.help("let an answer lead to it, or remove it"));
    }
    for id in plan.runbooks.keys().filter(|id| lost("runbooks", id.as_str())) {
        let problem = Diagnostic::warning(
            "unreachable",
            place("runbooks", id.as_str()),
            format!("no answer leads to runbook `{id}`"),
        );
        report.add(
            problem
                .help("it can still be started by hand; let an answer lead to it if it belongs to the tree"),
        );
    }
}

/// A cycle of a graph over `0..count`, in order, without recursion.
pub(super) fn cycle(count: usize, next: impl Fn(usize) -> Vec<usize>) -> Option<Vec<usize>> {
    let mut done = vec![false; count];
    for start in 0..count {
        if done[start] {
            continue;
        }
        let mut path = vec![start];
        let mut position = vec![None; count];
        position[start] = Some(0);
        let mut todo = vec![next(start)];
        while let Some(open) = todo.last_mut() {
            match open.pop() {
                Some(target) => match position[target] {
                    Some(at) => return Some(path[at..].to_vec()),
                    None if done[target] => {}
                    None => {
                        position[target] = Some(path.len());
                        path.push(target);
                        todo.push(next(target));
                    }
                },
                None => {
                    todo.pop();
                    if let Some(finished) = path.pop() {
                        position[finished] = None;
                        done[finished] = true;
                    }
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::cycle;

    #[test]
    fn a_cycle_is_found_wherever_it_starts_and_a_diamond_is_none() {
        let graph = |edges: &'static [(usize, usize)]| {
            move |from: usize| {
                edges.iter().filter(|edge| edge.0 == from).map(|edge| edge.1).collect::<Vec<_>>()
            }
        };
        assert_eq!(cycle(4, graph(&[(0, 1), (0, 2), (1, 3), (2, 3)])), None);
        assert_eq!(cycle(4, graph(&[(0, 1), (1, 2), (2, 3), (3, 1)])), Some(vec![1, 2, 3]));
        assert_eq!(cycle(2, graph(&[(1, 1)])), Some(vec![1]));
    }
}
