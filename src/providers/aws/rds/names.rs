//! How RDS's resources are named, and the command that shows what happened to one.

use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::aws::action::command;
use crate::providers::aws::rds::target;

/// The command that shows what RDS says happened in the last hour.
pub fn events(kind: &str, name: &str, region: &str) -> String {
    let source = if kind == target::CLUSTER { "db-cluster" } else { "db-instance" };
    let words =
        ["rds", "describe-events", "--source-type", source, "--source-identifier", name, "--duration", "60"];
    command(Some(region), &words)
}

/// The region and the name in an ARN of RDS (`arn:aws:rds:us-east-1:123456789012:db:arka-db`).
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html>
pub fn arn(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.splitn(7, ':');
    let (arn, service, region) = (parts.next()?, parts.nth(1)?, parts.next()?);
    let name = parts.nth(2)?;
    (arn == "arn" && service == "rds" && !name.is_empty()).then_some((region, name))
}

/// The identifier, or ARN, that a key holds; none where the plan is silent.
///
/// # Errors
/// When RDS takes no such identifier. <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html>
pub fn identifier(params: &Params, key: &str) -> Result<Option<String>, BuildError> {
    let Some(text) = params.text(key) else { return Ok(None) };
    let name = arn(text).map_or(text, |(_, name)| name);
    // What the run fills in is looked at when it is known.
    let fits = text.contains("{{")
        || name.len() <= 63
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !name.ends_with('-')
            && !name.contains("--");
    let why = "an identifier has up to 63 letters, digits and single hyphens, and begins with a letter";
    if fits { Ok(Some(text.to_owned())) } else { Err(BuildError::value(key, text, why)) }
}

/// Whether two ways of naming a resource (its ARN or its identifier, which RDS keeps in lower case) mean the same.
pub fn is_named(found: &str, wanted: &str) -> bool {
    let name = |text| arn(text).map_or(text, |(_, name)| name);
    match (arn(found), arn(wanted)) {
        (Some(_), Some(_)) => found.eq_ignore_ascii_case(wanted),
        _ => name(found).eq_ignore_ascii_case(name(wanted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_region_and_name() {
        let source = "arn:aws:rds:us-east-1:123456789012:db:arka-db";
        assert_eq!(arn(source), Some(("us-east-1", "arka-db")));
        assert_eq!(arn("arn:aws:s3:::bucket"), None);
        assert_eq!(arn("arka-db"), None);
        assert!(is_named(source, "Arka-DB") && is_named("arka-db", source) && is_named(source, source));
        assert!(
            !is_named(source, "arka-db-2") && !is_named(source, &source.replace("us-east-1", "eu-west-1"))
        );
    }

    #[test]
    fn events_are_asked_for_by_kind() {
        let command = events(target::CLUSTER, "orders", "us-west-2");
        assert_eq!(
            command,
            "aws rds describe-events --source-type db-cluster --source-identifier orders --duration 60 --region us-west-2"
        );
    }
}
