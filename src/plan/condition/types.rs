//! Types of a condition, checked before anything is measured: every leaf is tried with values of the types
//! that its names hold, and a comparison of two types that can never be equal is an error, not false.

use super::compile::{Formula, Leaf};
use super::evaluate::run;
use super::{Condition, ConditionError, Reference, Scalar};
use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators as op};

/// What a name holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number.
    Number,
    /// True or false.
    Flag,
}

impl Kind {
    /// As the reference shows it.
    pub fn describe(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Word(words) => format!("one of '{}'", words.join("', '")),
            Self::Number => "number".into(),
            Self::Flag => "true or false".into(),
        }
    }

    fn sample(self) -> Scalar {
        match self {
            Self::Text => Scalar::Text("text".into()),
            Self::Word(words) => Scalar::Text(words.first().copied().unwrap_or_default().to_owned()),
            Self::Number => Scalar::Number(1.5),
            Self::Flag => Scalar::Flag(true),
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Text | Self::Word(_) => "text",
            Self::Number => "a number",
            Self::Flag => "true or false",
        }
    }
}

type KindOf<'a> = &'a dyn Fn(&Reference) -> Option<Kind>;

pub(super) fn check(condition: &Condition, kind_of: KindOf<'_>) -> Result<(), ConditionError> {
    let kinds: Vec<Option<Kind>> = condition.references.iter().map(kind_of).collect();
    Check { condition, kinds: &kinds }.formula(&condition.formula)
}

struct Check<'a> {
    condition: &'a Condition,
    kinds: &'a [Option<Kind>],
}

impl Check<'_> {
    fn formula(&self, formula: &Formula) -> Result<(), ConditionError> {
        match formula {
            Formula::And(left, right) | Formula::Or(left, right) => {
                self.formula(left)?;
                self.formula(right)
            }
            Formula::Not(inner) => self.formula(inner),
            Formula::Choose(condition, yes, no) => {
                self.formula(condition)?;
                self.formula(yes)?;
                self.formula(no)
            }
            Formula::AtLeast(_, conditions) => conditions.iter().try_for_each(|part| self.formula(part)),
            Formula::Leaf(leaf) => {
                leaf.counts.iter().flatten().try_for_each(|part| self.formula(part))?;
                self.comparisons(&leaf.expression)?;
                self.trial(leaf)
            }
        }
    }

    /// Tries the leaf. A name whose type is not declared may be of any type: one trial that works is enough.
    fn trial(&self, leaf: &Leaf) -> Result<(), ConditionError> {
        let open: Vec<usize> =
            leaf.reads.iter().copied().filter(|read| self.kinds[*read].is_none()).collect();
        if open.len() > 3 {
            return Ok(());
        }
        let mut failure = None;
        for trial in 0..3_usize.pow(open.len() as u32) {
            let sample = |read: usize| {
                let digit = open.iter().position(|candidate| *candidate == read).map(|at| {
                    let power = 3_usize.pow(at as u32);
                    [Kind::Number, Kind::Text, Kind::Flag][trial / power % 3]
                });
                self.kinds[read].or(digit).unwrap_or(Kind::Number).sample()
            };
            let samples: Vec<(usize, Scalar)> =
                leaf.reads.iter().map(|read| (*read, sample(*read))).collect();
            let counts = vec![1; leaf.counts.len()];
            match run(leaf, samples.iter().map(|(read, scalar)| (*read, scalar)), &counts) {
                Ok(_) => return Ok(()),
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        let why = failure.unwrap_or_default();
        let error =
            ConditionError::whole(&self.condition.source, format!("the condition cannot hold: {why}"));
        Err(self.name_types(error, leaf))
    }

    fn name_types(&self, error: ConditionError, leaf: &Leaf) -> ConditionError {
        let types: Vec<String> = leaf
            .reads
            .iter()
            .filter_map(|read| {
                let kind = self.kinds[*read]?;
                Some(format!("{} is {}", self.condition.references[*read], kind.class()))
            })
            .collect();
        if types.is_empty() { error } else { error.help(types.join("; ")) }
    }

    /// `state == 'okay'` is never true, and `state == 1` neither.
    fn comparisons(&self, node: &IdedExpr) -> Result<(), ConditionError> {
        if let Expr::Call(call) = &node.expr {
            if let [left, right] = &*call.args {
                match &*call.func_name {
                    op::EQUALS | op::NOT_EQUALS => {
                        self.pair(left, right)?;
                        self.pair(right, left)?;
                    }
                    op::IN => {
                        if let Expr::List(list) = &right.expr {
                            list.elements.iter().try_for_each(|element| self.pair(left, element))?;
                        }
                    }
                    _ => {}
                }
            }
            return call
                .target
                .iter()
                .map(|target| &**target)
                .chain(&call.args)
                .try_for_each(|part| self.comparisons(part));
        }
        Ok(())
    }

    fn pair(&self, name: &IdedExpr, other: &IdedExpr) -> Result<(), ConditionError> {
        let Some((read, kind)) = self.name(name) else { return Ok(()) };
        let reference = &self.condition.references[read];
        let source = &self.condition.source;
        if let (Kind::Word(words), Expr::Literal(LiteralValue::String(word))) = (kind, &other.expr) {
            let word = word.inner();
            if !words.contains(&word) {
                let error = ConditionError::at_word(source, word, format!("{reference} is never '{word}'"));
                return Err(error.help(word_help(reference, word, words)));
            }
        }
        match self.class(other) {
            Some(class) if class != kind.class() => {
                let message = format!("{reference} is {}, and is compared with {class}", kind.class());
                Err(ConditionError::at_word(source, &reference.field, message))
            }
            _ => Ok(()),
        }
    }

    /// The reference that a node is, with its type.
    fn name(&self, node: &IdedExpr) -> Option<(usize, Kind)> {
        let Expr::Ident(name) = &node.expr else { return None };
        let read: usize = name.strip_prefix('@')?.parse().ok()?;
        Some((read, (*self.kinds.get(read)?)?))
    }

    fn class(&self, node: &IdedExpr) -> Option<&'static str> {
        match &node.expr {
            Expr::Literal(LiteralValue::String(_)) => Some("text"),
            Expr::Literal(LiteralValue::Boolean(_)) => Some("true or false"),
            Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_)) => {
                Some("a number")
            }
            _ => self.name(node).map(|(_, kind)| kind.class()),
        }
    }
}

fn word_help(reference: &Reference, word: &str, words: &[&str]) -> String {
    let all = format!("it is one of '{}'", words.join("', '"));
    if word == "unknown" {
        let name = reference.name.as_deref().unwrap_or_default();
        return format!("{all}, or not known at all: ask with `!{}['{name}'].known`", reference.root);
    }
    match crate::base::toml::near::nearest(word, words.iter().copied()) {
        Some(near) => format!("did you mean '{near}'? {all}"),
        None => all,
    }
}
