//! `any([…])`, `all([…])`, `at_least(2, […])`, `count([…])`: conditions that are counted one by one, so that those that
//! are known decide wherever they can.

use super::ConditionError;
use super::compile::{Compiler, Formula, Scope, counted};
use cel::common::ast::{Expr, IdedExpr, LiteralValue};

/// Those that are conditions themselves.
pub(super) const QUORUMS: [&str; 3] = ["any", "all", "at_least"];
const COUNT: &str = "count";
/// The most conditions in one list, and the most counts in one comparison: each of their values may have to be tried.
const MAX_CONDITIONS: usize = 32;
const MAX_COUNTS: usize = 2;

/// Whether a function of this name counts conditions.
pub(super) fn is_of(name: &str) -> bool {
    name == COUNT || QUORUMS.contains(&name)
}

impl Compiler<'_> {
    /// `any`, `all` or `at_least` where a condition stands.
    pub(super) fn quorum(
        &mut self,
        name: &str,
        args: Vec<IdedExpr>,
        depth: usize,
    ) -> Result<Formula, ConditionError> {
        let (least, list) = match <[IdedExpr; 1]>::try_from(args) {
            Ok([list]) if name != "at_least" => (None, list),
            Ok(_) => return Err(self.shape(name)),
            Err(args) => match <[IdedExpr; 2]>::try_from(args) {
                Ok([least, list]) if name == "at_least" => (Some(self.least(&least)?), list),
                _ => return Err(self.shape(name)),
            },
        };
        let conditions = self.conditions(name, list, depth)?;
        let of = conditions.len();
        let least = least.unwrap_or(if name == "any" { 1 } else { of });
        if least < 1 || least > of {
            let when = if least < 1 { "always" } else { "never" };
            let message = format!("at least {least} of {of} conditions {when} hold");
            return Err(ConditionError::at_word(self.source, name, message)
                .help(format!("ask for a number from 1 to {of}")));
        }
        Ok(Formula::AtLeast(least, conditions))
    }

    /// The variable of a `count` within a comparison.
    pub(super) fn count(
        &mut self,
        name: &str,
        args: Vec<IdedExpr>,
        scope: &mut Scope,
    ) -> Result<String, ConditionError> {
        let error = |message: String| ConditionError::at_word(self.source, name, message);
        if !scope.bound.is_empty() {
            return Err(error(format!(
                "`{name}` cannot stand within a macro (`all`, `exists`, `map`, `filter`)"
            )));
        }
        if name != COUNT {
            let message =
                format!("`{name}` is a condition and cannot stand within a comparison or a function");
            return Err(error(message).help("join it by `&&`, `||` and `!`; `count([…])` is a number"));
        }
        if scope.counts.len() >= MAX_COUNTS {
            return Err(error(format!("a comparison takes {MAX_COUNTS} counts at most")));
        }
        let Ok([list]) = <[IdedExpr; 1]>::try_from(args) else { return Err(self.shape(name)) };
        let conditions = self.conditions(name, list, scope.depth)?;
        scope.counts.push(conditions);
        Ok(counted(scope.counts.len() - 1))
    }

    fn conditions(
        &mut self,
        name: &str,
        list: IdedExpr,
        depth: usize,
    ) -> Result<Vec<Formula>, ConditionError> {
        let Expr::List(list) = list.expr else { return Err(self.shape(name)) };
        match list.elements.len() {
            0 => Err(self.shape(name)),
            count if count > MAX_CONDITIONS => {
                let message = format!("`{name}` takes {MAX_CONDITIONS} conditions at most");
                Err(ConditionError::at_word(self.source, name, message))
            }
            _ => list.elements.into_iter().map(|element| self.formula(element, depth + 1)).collect(),
        }
    }

    fn least(&self, node: &IdedExpr) -> Result<usize, ConditionError> {
        match &node.expr {
            Expr::Literal(LiteralValue::Int(whole)) => {
                usize::try_from(*whole.inner()).map_err(|_| self.shape("at_least"))
            }
            _ => Err(self.shape("at_least")),
        }
    }

    fn shape(&self, name: &str) -> ConditionError {
        let shape = match name {
            "at_least" => "at_least(2, [signals['a'].state == 'ok', signals['b'].state == 'ok'])".to_owned(),
            COUNT => "count([signals['a'].state == 'ok', signals['b'].state == 'ok']) >= 2".to_owned(),
            _ => format!("{name}([signals['a'].state == 'ok', signals['b'].state == 'ok'])"),
        };
        let what = if name == "at_least" { "a whole number and a list" } else { "a list" };
        let message = format!("`{name}` takes {what} of conditions");
        ConditionError::at_word(self.source, name, message).help(format!("write it as in `{shape}`"))
    }
}
