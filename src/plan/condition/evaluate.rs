//! Three-valued evaluation.

use super::compile::{ENVIRONMENT, Formula, Leaf, counted, variable};
use super::{Condition, Names, Scalar, Truth};
use std::sync::Arc;

pub(super) fn evaluate(condition: &Condition, names: &dyn Names) -> Truth {
    let known: Vec<Result<Scalar, String>> = condition
        .references
        .iter()
        .map(|reference| match names.lookup(reference)? {
            Scalar::Number(number) if !number.is_finite() => Err(format!("{reference} is not a number")),
            scalar => Ok(scalar),
        })
        .collect();
    Evaluation { source: &condition.source, known: &known }.formula(&condition.formula)
}

/// One evaluation: each name was looked up once, so that it cannot change in the middle.
struct Evaluation<'a> {
    source: &'a str,
    known: &'a [Result<Scalar, String>],
}

impl Evaluation<'_> {
    fn formula(&self, formula: &Formula) -> Truth {
        match formula {
            Formula::And(left, right) => and(self.formula(left), self.formula(right)),
            Formula::Or(left, right) => not(and(not(self.formula(left)), not(self.formula(right)))),
            Formula::Not(inner) => not(self.formula(inner)),
            Formula::Choose(condition, yes, no) => match self.formula(condition) {
                Truth::True => self.formula(yes),
                Truth::False => self.formula(no),
                unknown => unknown,
            },
            Formula::AtLeast(least, conditions) => {
                let tally = self.tally(conditions);
                match (tally.hold >= *least, tally.hold + tally.unknown < *least) {
                    (true, _) => Truth::True,
                    (_, true) => Truth::False,
                    _ => tally.why,
                }
            }
            Formula::Leaf(leaf) => self.leaf(leaf),
        }
    }

    fn tally(&self, conditions: &[Formula]) -> Tally {
        let mut tally = Tally { hold: 0, unknown: 0, why: Truth::True };
        for condition in conditions {
            match self.formula(condition) {
                Truth::True => tally.hold += 1,
                Truth::False => {}
                unknown => {
                    tally.unknown += 1;
                    tally.why = and(tally.why, unknown);
                }
            }
        }
        tally
    }

    fn leaf(&self, leaf: &Leaf) -> Truth {
        let mut values = Vec::with_capacity(leaf.reads.len());
        let mut unknown: Option<Truth> = None;
        for &read in &leaf.reads {
            match &self.known[read] {
                Ok(scalar) => values.push((read, scalar)),
                Err(why) => {
                    let why = Truth::Unknown(why.clone());
                    unknown = Some(unknown.map_or(why.clone(), |before| and(before, why)));
                }
            }
        }
        if let Some(unknown) = unknown {
            return unknown;
        }
        let tallies: Vec<Tally> = leaf.counts.iter().map(|conditions| self.tally(conditions)).collect();
        let mut found: Option<bool> = None;
        for counts in possible(&tallies) {
            match run(leaf, values.iter().copied(), &counts) {
                Ok(holds) if found.is_none_or(|before| before == holds) => found = Some(holds),
                Ok(_) => return tallies.into_iter().map(|tally| tally.why).fold(Truth::True, and),
                Err(why) => {
                    return Truth::Unknown(format!("`{}` cannot be evaluated: {why}", self.source));
                }
            }
        }
        if found == Some(true) { Truth::True } else { Truth::False }
    }
}

/// How many of several conditions hold, and of how many nobody knows, and why.
struct Tally {
    hold: usize,
    unknown: usize,
    why: Truth,
}

/// What counts may come to, together. The loader bounds how many conditions are counted.
fn possible(tallies: &[Tally]) -> Vec<Vec<usize>> {
    tallies.iter().fold(vec![Vec::new()], |before, tally| {
        let each = |counts: Vec<usize>| {
            (tally.hold..=tally.hold + tally.unknown).map(move |count| [&*counts, &[count]].concat())
        };
        before.into_iter().flat_map(each).collect()
    })
}

/// Evaluates a leaf whose names are all known, with what its counts come to.
pub(super) fn run<'a>(
    leaf: &Leaf,
    values: impl IntoIterator<Item = (usize, &'a Scalar)>,
    counts: &[usize],
) -> Result<bool, String> {
    let mut context = cel::Context::with_env(Arc::clone(&ENVIRONMENT));
    for (read, scalar) in values {
        let value = match scalar {
            Scalar::Text(text) => cel::Value::String(Arc::new(text.clone())),
            Scalar::Number(number) => cel::Value::Float(*number),
            Scalar::Flag(flag) => cel::Value::Bool(*flag),
        };
        context.add_variable_from_value(variable(read), value);
    }
    for (place, count) in counts.iter().enumerate() {
        context.add_variable_from_value(counted(place), cel::Value::Float(*count as f64));
    }
    match context.resolve(&leaf.expression) {
        Ok(cel::Value::Bool(value)) => Ok(value),
        Ok(other) => Err(format!("it is {}, not true or false", other.type_of())),
        Err(error) => Err(crate::base::text::clean(&explain(&error), 200)),
    }
}

/// The crate's error in words for the writer of a plan.
fn explain(error: &cel::ExecutionError) -> String {
    match error {
        cel::ExecutionError::NoSuchOverload(overload) => {
            let types = overload.argument_types().join(" and ");
            format!("`{}` does not take {types}", overload.function().trim_matches('_'))
        }
        cel::ExecutionError::UndeclaredReference(name) => format!("there is no function `{name}`"),
        cel::ExecutionError::DivisionByZero(_) => "it divides by zero".into(),
        cel::ExecutionError::FunctionError { function, message } => format!("{function}: {message}"),
        cel::ExecutionError::ValuesNotComparable(..) => "it compares values of different types".into(),
        _ => "the types do not fit".into(),
    }
}

/// Kleene's conjunction; two unknowns name both reasons.
fn and(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Truth::False, _) | (_, Truth::False) => Truth::False,
        (Truth::True, other) | (other, Truth::True) => other,
        (Truth::Unknown(left), Truth::Unknown(right)) if left.contains(&right) || left.len() > 200 => {
            Truth::Unknown(left)
        }
        (Truth::Unknown(left), Truth::Unknown(right)) => Truth::Unknown(format!("{left}; {right}")),
    }
}

fn not(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        unknown => unknown,
    }
}
