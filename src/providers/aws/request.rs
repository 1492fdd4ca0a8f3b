//! A call of an API as the confirmation shows it, and as AWS's own tool takes it.

use crate::kinds::action::change::Shown;
use crate::providers::aws::action::command;

/// One call with its parameters, in the API's own names.
pub struct Request {
    service: &'static str,
    operation: &'static str,
    values: Vec<(&'static str, Value)>,
}

enum Value {
    Texts(Vec<String>),
    Flag(bool),
}

impl Request {
    /// A call of RDS without parameters.
    pub fn rds(operation: &'static str) -> Self {
        Self { service: "rds", operation, values: Vec::new() }
    }

    /// With a parameter.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, Value::Texts(vec![value.into()])));
        self
    }

    /// With a parameter, where there is a value.
    pub fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With several values, where there are any.
    pub fn list(mut self, name: &'static str, values: &[String]) -> Self {
        if !values.is_empty() {
            self.values.push((name, Value::Texts(values.to_vec())));
        }
        self
    }

    /// With a parameter that is true or false, where it is given.
    pub fn flag(mut self, name: &'static str, value: Option<bool>) -> Self {
        self.values.extend(value.map(|value| (name, Value::Flag(value))));
        self
    }

    /// The call and its command, for the confirmation.
    pub fn shown(&self, region: &str) -> Shown {
        Shown { call: self.words(), command: self.command(region), ..Shown::default() }
    }

    /// `rds:ModifyDBInstance DBInstanceIdentifier=db-1 ApplyImmediately=true`.
    pub fn words(&self) -> String {
        let mut words = vec![format!("{}:{}", self.service, self.operation)];
        words.extend(self.values.iter().map(|(name, value)| match value {
            Value::Texts(texts) => format!("{name}={}", texts.join(",")),
            Value::Flag(flag) => format!("{name}={flag}"),
        }));
        words.join(" ")
    }

    /// `aws rds modify-db-instance --db-instance-identifier db-1 --apply-immediately --region us-west-2`.
    pub fn command(&self, region: &str) -> String {
        let mut words = vec![self.service.to_owned(), kebab(self.operation)];
        for (name, value) in &self.values {
            match value {
                Value::Texts(texts) => {
                    words.push(format!("--{}", kebab(name)));
                    words.extend(texts.iter().cloned());
                }
                Value::Flag(true) => words.push(format!("--{}", kebab(name))),
                Value::Flag(false) => words.push(format!("--no-{}", kebab(name))),
            }
        }
        command(Some(region), &words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// How the tool writes a name of the API (`DBInstanceIdentifier` is `db-instance-identifier`).
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || letters.get(index + 1).is_some_and(|next| next.is_lowercase())
            });
        if begins_word {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_the_tool_takes_them() {
        for (name, written) in [
            ("DBInstanceIdentifier", "db-instance-identifier"),
            ("RestoreDBClusterToPointInTime", "restore-db-cluster-to-point-in-time"),
            ("RestoreDBInstanceFromDBSnapshot", "restore-db-instance-from-db-snapshot"),
            ("MultiAZ", "multi-az"),
            ("VpcSecurityGroupIds", "vpc-security-group-ids"),
        ] {
            assert_eq!(kebab(name), written);
        }
    }

    #[test]
    fn a_call_is_said_in_both_ways() {
        let request = Request::rds("ModifyDBInstance")
            .with("DBInstanceIdentifier", "db-1")
            .maybe("DBInstanceClass", None::<&str>)
            .list("VpcSecurityGroupIds", &["sg-1".into(), "sg-2".into()])
            .flag("MultiAZ", Some(false))
            .flag("ApplyImmediately", Some(true));
        assert_eq!(
            request.words(),
            "rds:ModifyDBInstance DBInstanceIdentifier=db-1 VpcSecurityGroupIds=sg-1,sg-2 MultiAZ=false ApplyImmediately=true"
        );
        assert_eq!(
            request.command("us-west-2"),
            "aws rds modify-db-instance --db-instance-identifier db-1 --vpc-security-group-ids sg-1 sg-2 --no-multi-az \
             --apply-immediately --region us-west-2"
        );
    }
}
