//! From the text of a condition to the formula that is evaluated: logical operators on top, and leaves for
//! the `cel` crate in which every name is replaced by a variable.

use super::{ConditionError, Reference, counting};
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators as op};
use indexmap::IndexSet;
use std::sync::{Arc, LazyLock};

/// Longest condition, in bytes.
const MAX_SOURCE: usize = 1_000;
/// Deepest nesting of brackets.
const MAX_BRACKETS: usize = 24;
/// Deepest nesting of logical operators, and of the others, for which the crate needs much more stack.
const MAX_LOGIC_DEPTH: usize = 100;
const MAX_LEAF_DEPTH: usize = 20;

/// What names a condition may start with.
pub(super) const ROOTS: [&str; 6] = ["signals", "regions", "services", "backups", "incident", "console"];

/// The functions of CEL, without its macros.
pub(super) static ENVIRONMENT: LazyLock<Arc<cel::Env>> =
    LazyLock::new(|| Arc::new(cel::Env::stdlib().with_optional_support(false)));

/// A condition taken apart where three-valued logic matters.
pub(super) enum Formula {
    And(Box<Formula>, Box<Formula>),
    Or(Box<Formula>, Box<Formula>),
    Not(Box<Formula>),
    Choose(Box<Formula>, Box<Formula>, Box<Formula>),
    /// At least so many of them hold.
    AtLeast(usize, Vec<Formula>),
    Leaf(Leaf),
}

/// An expression that the crate evaluates once every name in it is known.
pub(super) struct Leaf {
    pub(super) expression: IdedExpr,
    /// Places in the condition's references; name `n` is the variable [`variable`]`(n)`.
    pub(super) reads: Vec<usize>,
    /// Conditions that are counted; the number of those that hold is the variable [`counted`] of their place.
    pub(super) counts: Vec<Vec<Formula>>,
}

/// The variable that stands for a reference. No condition can write it.
pub(super) fn variable(reference: usize) -> String {
    format!("@{reference}")
}

/// The variable that stands for a count. No condition can write it.
pub(super) fn counted(place: usize) -> String {
    format!("@count{place}")
}

/// The crate's parser takes about 160 kB of stack for each bracket in a debug build.
const PARSER_STACK: usize = 16 << 20;

/// Parses on a thread with room for the parser's recursion, whatever thread asks.
pub(super) fn compile(source: &str) -> Result<(Formula, Vec<Reference>), ConditionError> {
    check_size(source)?;
    std::thread::scope(|scope| {
        let parser =
            std::thread::Builder::new().stack_size(PARSER_STACK).spawn_scoped(scope, || parse(source));
        let failed =
            || ConditionError::whole(source, "the parser could not run: the system is out of threads");
        parser.ok().and_then(|parser| parser.join().ok()).ok_or_else(failed)?
    })
}

fn parse(source: &str) -> Result<(Formula, Vec<Reference>), ConditionError> {
    let expression = ENVIRONMENT
        .parser()
        .max_recursion_depth(64)
        .error_recovery_limit(1)
        .parse(source)
        .map_err(|errors| ConditionError::from_parser(source, &errors))?;
    let mut compiler = Compiler { source, references: IndexSet::new() };
    let formula = compiler.formula(expression, 0)?;
    Ok((formula, compiler.references.into_iter().collect()))
}

/// The parser's work grows with nesting: what no plan needs is refused before it.
fn check_size(source: &str) -> Result<(), ConditionError> {
    if source.trim().is_empty() {
        return Err(ConditionError::whole(source, "the condition is empty"));
    }
    if source.len() > MAX_SOURCE {
        let message = format!("the condition is {} bytes long, the limit is {MAX_SOURCE}", source.len());
        return Err(ConditionError::whole(source, message).help("split it, or measure more in one probe"));
    }
    let mut depth = 0_usize;
    for (offset, c) in source.char_indices() {
        match c {
            '(' | '[' | '{' | '?' | '!' => depth += 1,
            ')' | ']' | '}' | ':' | '&' | '|' | '=' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKETS {
            let message = format!("the condition is nested deeper than {MAX_BRACKETS}");
            return Err(ConditionError { message, help: None, range: offset..offset + c.len_utf8() });
        }
    }
    Ok(())
}

pub(super) struct Compiler<'a> {
    pub(super) source: &'a str,
    references: IndexSet<Reference>,
}

impl Compiler<'_> {
    pub(super) fn formula(&mut self, node: IdedExpr, depth: usize) -> Result<Formula, ConditionError> {
        self.check_depth(depth, MAX_LOGIC_DEPTH)?;
        let call = match node.expr {
            Expr::Call(call) if call.target.is_none() => call,
            other => return self.leaf(IdedExpr { id: node.id, expr: other }),
        };
        let CallExpr { func_name, args, .. } = call;
        if counting::QUORUMS.contains(&&*func_name) {
            return self.quorum(&func_name, args, depth);
        }
        let mut parts = args.into_iter();
        let mut next = |this: &mut Self| match parts.next() {
            Some(part) => this.formula(part, depth + 1).map(Box::new),
            None => Err(ConditionError::whole(this.source, "an operand is missing")),
        };
        Ok(match &*func_name {
            op::LOGICAL_AND => Formula::And(next(self)?, next(self)?),
            op::LOGICAL_OR => Formula::Or(next(self)?, next(self)?),
            op::LOGICAL_NOT => Formula::Not(next(self)?),
            op::CONDITIONAL => Formula::Choose(next(self)?, next(self)?, next(self)?),
            _ => {
                let call = CallExpr { func_name, target: None, args: parts.collect() };
                return self.leaf(IdedExpr { id: node.id, expr: Expr::Call(call) });
            }
        })
    }

    fn leaf(&mut self, mut expression: IdedExpr) -> Result<Formula, ConditionError> {
        let mut scope = Scope { bound: Vec::new(), reads: Vec::new(), counts: Vec::new(), depth: 0 };
        self.resolve(&mut expression, &mut scope)?;
        let Scope { mut reads, counts, .. } = scope;
        reads.sort_unstable();
        reads.dedup();
        Ok(Formula::Leaf(Leaf { expression, reads, counts }))
    }

    /// Replaces every name of the plan in an expression by its variable.
    fn resolve(&mut self, node: &mut IdedExpr, scope: &mut Scope) -> Result<(), ConditionError> {
        self.check_depth(scope.depth, MAX_LEAF_DEPTH)?;
        if let Some(path) = self.path(node, &scope.bound)? {
            let reference = self.reference(&path)?;
            let (index, _) = self.references.insert_full(reference);
            scope.reads.push(index);
            node.expr = Expr::Ident(variable(index));
            return Ok(());
        }
        scope.depth += 1;
        match &mut node.expr {
            Expr::Ident(name) if scope.bound.contains(name) || name.starts_with('@') => {}
            Expr::Ident(name) => return Err(self.unknown_name(name)),
            Expr::Select(select) if select.test => {
                let error = ConditionError::at_word(self.source, "has", "`has()` is not needed in a plan");
                return Err(error.help("ask with `.known`, as in `signals['dr-lag'].known`"));
            }
            Expr::Select(select) => self.resolve(&mut select.operand, scope)?,
            Expr::Call(call) if call.target.is_none() && counting::is_of(&call.func_name) => {
                let (name, args) = (call.func_name.clone(), std::mem::take(&mut call.args));
                node.expr = Expr::Ident(self.count(&name, args, scope)?);
            }
            Expr::Call(call) => {
                for part in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
                    self.resolve(part, scope)?;
                }
                numbers_as_doubles(call);
            }
            Expr::List(list) => {
                for part in &mut list.elements {
                    self.resolve(part, scope)?;
                }
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.resolve(&mut entry.key, scope)?;
                        self.resolve(&mut entry.value, scope)?;
                    }
                }
            }
            Expr::Comprehension(comprehension) => {
                let names = [Some(comprehension.iter_var.clone()), comprehension.iter_var2.clone()];
                self.bind(names.into_iter().flatten().chain([comprehension.accu_var.clone()]), scope)?;
                let c = &mut **comprehension;
                for part in
                    [&mut c.iter_range, &mut c.accu_init, &mut c.loop_cond, &mut c.loop_step, &mut c.result]
                {
                    self.resolve(part, scope)?;
                }
                scope.bound.clear();
            }
            Expr::Struct(_) => {
                return Err(ConditionError::whole(self.source, "a condition cannot make structures"));
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
        scope.depth -= 1;
        Ok(())
    }

    /// A macro's variables are known within it. One macro within another could make evaluation long.
    fn bind(&self, names: impl Iterator<Item = String>, scope: &mut Scope) -> Result<(), ConditionError> {
        if !scope.bound.is_empty() {
            let message = "a macro (`all`, `exists`, `map`, `filter`) cannot stand within another";
            return Err(ConditionError::whole(self.source, message));
        }
        scope.bound.extend(names);
        match scope.bound.iter().find(|name| ROOTS.contains(&name.as_str())) {
            Some(name) => Err(ConditionError::at_word(
                self.source,
                name,
                format!("`{name}` means the plan's {name} and cannot be a macro's variable"),
            )),
            None => Ok(()),
        }
    }

    /// The segments of `root.a['b'].c`, if the node is such a chain on one of the plan's roots.
    fn path(&self, node: &IdedExpr, bound: &[String]) -> Result<Option<Vec<String>>, ConditionError> {
        let mut segments = Vec::new();
        let mut dynamic = false;
        let mut current = node;
        loop {
            match &current.expr {
                Expr::Ident(name) if ROOTS.contains(&name.as_str()) && !bound.contains(name) => {
                    if dynamic {
                        return Err(self.dynamic_name(name));
                    }
                    segments.push(name.clone());
                    segments.reverse();
                    return Ok(Some(segments));
                }
                Expr::Select(select) if !select.test => {
                    segments.push(select.field.clone());
                    current = &select.operand;
                }
                Expr::Call(call) if call.func_name == op::INDEX && call.args.len() == 2 => {
                    match &call.args[1].expr {
                        Expr::Literal(LiteralValue::String(text)) => segments.push(text.inner().to_owned()),
                        _ => dynamic = true,
                    }
                    current = &call.args[0];
                }
                _ => return Ok(None),
            }
        }
    }

    fn reference(&self, path: &[String]) -> Result<Reference, ConditionError> {
        let (root, rest) = path.split_first().map_or(("", path), |(root, rest)| (root.as_str(), rest));
        let single = matches!(root, "incident" | "console");
        let (name, fields) = match rest.split_first() {
            Some((name, fields)) if !single => (Some(name.clone()), fields),
            _ => (None, rest),
        };
        let field = match fields {
            [field] if field != "fields" => field.clone(),
            [fields, field] if root == "signals" && fields == "fields" => format!("fields.{field}"),
            _ => return Err(self.incomplete(root, name.as_deref(), fields)),
        };
        Ok(Reference { root: root.to_owned(), name, field })
    }

    fn incomplete(&self, root: &str, name: Option<&str>, fields: &[String]) -> ConditionError {
        let shape = match root {
            "signals" => "signals['dr-lag'].state",
            "regions" => "regions.primary.status",
            "services" => "services.api.status",
            "backups" => "backups['nightly'].age_s",
            "incident" => "incident.open",
            _ => "console.blind",
        };
        let word = fields.last().map(String::as_str).or(name).unwrap_or(root);
        let message = match fields.len() {
            0 => format!("`{word}` is a whole thing, a condition needs one property of it"),
            _ => format!("`{word}` is not a property of one of the plan's {root}"),
        };
        let error = ConditionError::at_word(self.source, word, message);
        match fields.is_empty() && self.source.contains(&format!("{word}-")) {
            true => error.help("a name with a dash is written in brackets: `signals['dr-lag'].state`"),
            false => error.help(format!("write it as in `{shape}`")),
        }
    }

    fn dynamic_name(&self, root: &str) -> ConditionError {
        let message = format!("which of the {root} is meant cannot be told from the text");
        ConditionError::at_word(self.source, root, message)
            .help(format!("write the name in quotes: `{root}['name']`"))
    }

    fn unknown_name(&self, name: &str) -> ConditionError {
        let error = ConditionError::at_word(self.source, name, format!("unknown name `{name}`"));
        match crate::base::toml::near::nearest(name, ROOTS) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if self.source.contains('-') => {
                error.help("a name with a dash is written in brackets: `signals['dr-lag'].state`")
            }
            None => error.help(format!("a condition can read {}; text is quoted: 'ok'", ROOTS.join(", "))),
        }
    }

    fn check_depth(&self, depth: usize, limit: usize) -> Result<(), ConditionError> {
        if depth > limit {
            return Err(ConditionError::whole(self.source, "the condition is nested too deep"));
        }
        Ok(())
    }
}

pub(super) struct Scope {
    pub(super) bound: Vec<String>,
    reads: Vec<usize>,
    pub(super) counts: Vec<Vec<Formula>>,
    pub(super) depth: usize,
}

/// Every number that a plan measures is a double, and CEL does not mix doubles and whole numbers in arithmetic:
/// a whole number written beside something else than a whole number is a double too.
fn numbers_as_doubles(call: &mut CallExpr) {
    let arithmetic = matches!(&*call.func_name, op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE);
    if !arithmetic || call.args.iter().all(|part| matches!(part.expr, Expr::Literal(LiteralValue::Int(_)))) {
        return;
    }
    for part in &mut call.args {
        if let Expr::Literal(LiteralValue::Int(whole)) = &part.expr {
            part.expr = Expr::Literal(LiteralValue::Double((*whole.inner() as f64).into()));
        }
    }
}
