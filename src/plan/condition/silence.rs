//! Ways of counting that say nothing as soon as one of the things counted is unknown: just when a server is gone.

use super::Reference;
use super::compile::Formula;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, operators as op};
use std::collections::BTreeSet;

/// How a condition counts several things.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silence {
    /// `(a ? 1 : 0) + (b ? 1 : 0)`.
    Sum,
    /// `[a, b].filter(…)`.
    List,
}

/// The first such way in a condition.
pub(super) fn find(formula: &Formula, references: &[Reference]) -> Option<Silence> {
    let inner = |part: &Formula| find(part, references);
    match formula {
        Formula::And(left, right) | Formula::Or(left, right) => inner(left).or_else(|| inner(right)),
        Formula::Not(part) => inner(part),
        Formula::Choose(condition, yes, no) => [condition, yes, no].into_iter().find_map(|part| inner(part)),
        Formula::AtLeast(_, conditions) => conditions.iter().find_map(inner),
        Formula::Leaf(leaf) => {
            let counted = leaf.counts.iter().flatten().find_map(inner);
            counted.or_else(|| Search { references }.within(&leaf.expression))
        }
    }
}

struct Search<'a> {
    references: &'a [Reference],
}

impl Search<'_> {
    fn within(&self, node: &IdedExpr) -> Option<Silence> {
        let is_several = || self.things(node).len() > 1;
        match &node.expr {
            Expr::List(_) if is_several() => Some(Silence::List),
            Expr::Call(call) if &*call.func_name == op::ADD && chooses(node) && is_several() => {
                Some(Silence::Sum)
            }
            _ => parts(node).into_iter().find_map(|part| self.within(part)),
        }
    }

    /// What a part reads; the properties of one signal are unknown together.
    fn things(&self, node: &IdedExpr) -> BTreeSet<(&str, Option<&str>)> {
        let own = match &node.expr {
            Expr::Ident(name) => name.strip_prefix('@').and_then(|place| place.parse::<usize>().ok()),
            _ => None,
        };
        let own = own.and_then(|place| self.references.get(place));
        let own = own.map(|reference| (reference.root.as_str(), reference.name.as_deref()));
        own.into_iter().chain(parts(node).into_iter().flat_map(|part| self.things(part))).collect()
    }
}

/// Whether a part makes a number of a condition.
fn chooses(node: &IdedExpr) -> bool {
    let is_choice = matches!(&node.expr, Expr::Call(call) if &*call.func_name == op::CONDITIONAL);
    is_choice || parts(node).into_iter().any(chooses)
}

fn parts(node: &IdedExpr) -> Vec<&IdedExpr> {
    match &node.expr {
        Expr::Select(select) => vec![&select.operand],
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => {
            let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => Some([&entry.key, &entry.value]),
                EntryExpr::StructField(_) => None,
            });
            entries.flatten().collect()
        }
        Expr::Comprehension(c) => {
            vec![&c.iter_range, &c.accu_init, &c.loop_cond, &c.loop_step, &c.result]
        }
        Expr::Ident(_) | Expr::Struct(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}
