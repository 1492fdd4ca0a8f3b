//! Checks the names that conditions read.

use super::ids::near_or_list;
use super::reader::Reader;
use crate::plan::condition::{Condition, ConditionError, Reference};
use crate::plan::vocabulary::fields_of;

impl Reader<'_> {
    /// The first name that a condition reads and the plan does not have.
    pub(crate) fn check_references(&self, condition: &Condition) -> Result<(), ConditionError> {
        condition.references().iter().try_for_each(|reference| self.check_reference(condition, reference))
    }

    fn check_reference(&self, condition: &Condition, reference: &Reference) -> Result<(), ConditionError> {
        let source = condition.source();
        if let Some(name) = &reference.name {
            let (section, what) = match &*reference.root {
                "signals" => ("probes", "probe"),
                "regions" => ("regions", "region"),
                "services" => ("services", "service"),
                _ => ("backups", "backup"),
            };
            if !self.ids.has(section, name) {
                let known: Vec<&str> = match self.report.is_full() {
                    true => Vec::new(),
                    false => self.ids.section(section).map(|(name, _)| name.as_str()).collect(),
                };
                let message = format!("no {what} is called `{}`", crate::base::text::clean(name, 80));
                return Err(at_word(source, name, message, near_or_list(name, &known, what)));
            }
        }
        self.check_field(source, reference)
    }

    fn check_field(&self, source: &str, reference: &Reference) -> Result<(), ConditionError> {
        let kind = match (&*reference.root, &reference.name) {
            ("signals", Some(probe)) => match self.ids.kinds.get(probe) {
                Some(kind) => Some(*kind),
                None => return Ok(()), // its kind is unknown, which is reported at the probe
            },
            _ => None,
        };
        if let (Some(field), Some(kind)) = (reference.field.strip_prefix("fields."), kind) {
            if kind.has_field(field) {
                return Ok(());
            }
            let known: Vec<&str> = kind.fields.iter().map(|(name, _)| *name).collect();
            let message = format!("a `{}` probe has no field `{field}`", kind.name);
            return Err(at_word(source, field, message, near_or_list(field, &known, "such field")));
        }
        let known = fields_of(&reference.root, kind.map(|kind| kind.unit));
        if known.contains(&&*reference.field) {
            return Ok(());
        }
        let field = &*reference.field;
        let message = format!("{} have no property `{field}`", reference.root);
        let help = match kind {
            Some(kind) if kind.fields.iter().any(|(name, _)| *name == field) => {
                format!("did you mean `fields.{field}`?")
            }
            Some(kind) if field.starts_with("value") => {
                format!("the value of a `{}` probe is `{}`", kind.name, kind.unit.value_field())
            }
            _ => near_or_list(field, &known, "such property"),
        };
        Err(at_word(source, field, message, help))
    }
}

fn at_word(source: &str, word: &str, message: String, help: String) -> ConditionError {
    ConditionError { message, help: Some(help), range: crate::plan::condition::locate(source, word) }
}
