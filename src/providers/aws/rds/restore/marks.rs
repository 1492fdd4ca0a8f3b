//! The tags by which a step knows what it made, also after a crash: a restore and a snapshot take no idempotency token.

use aws_sdk_rds::types::Tag;

/// Which attempt made it.
const TOKEN: &str = "lifeboat:token";
/// What it was made from.
const SOURCE: &str = "lifeboat:source";
/// The state that it has: a time, `latest`, or a snapshot.
const STATE: &str = "lifeboat:restored-to";

/// AWS's limit of a tag's value: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html>
const MAX_VALUE_CHARS: usize = 256;

/// The tags of what an attempt makes.
pub fn tags(token: &str, source: &str, state: Option<&str>) -> Vec<Tag> {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(allowed(value)).build();
    let mut tags = vec![tag(TOKEN, token), tag(SOURCE, source)];
    tags.extend(state.map(|state| tag(STATE, state)));
    tags
}

/// Whether this attempt made what has these tags.
pub fn made_by(tags: &[Tag], token: &str) -> bool {
    token_of(tags) == Some(&*allowed(token))
}

/// The attempt that made what has these tags.
pub fn token_of(tags: &[Tag]) -> Option<&str> {
    tags.iter().find(|tag| tag.key() == Some(TOKEN)).and_then(|tag| tag.value())
}

/// What the tags tell of its origin.
pub fn origin(tags: &[Tag]) -> String {
    let of = |key| tags.iter().find(|tag| tag.key() == Some(key)).and_then(|tag| tag.value());
    let source = crate::base::text::clean(of(SOURCE).unwrap_or("nobody knows what"), 300);
    match of(STATE) {
        Some(state) => format!("{source} at {}", crate::base::text::clean(state, 300)),
        None => source,
    }
}

fn allowed(value: &str) -> String {
    let may = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    value.chars().map(|c| if may(c) { c } else { '-' }).take(MAX_VALUE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_knows_what_it_made_and_nothing_else() {
        let tags = tags("i-1/1/restore/2", "arn:aws:rds:us-west-2:1:db:arka", Some("latest"));
        assert!(made_by(&tags, "i-1/1/restore/2"));
        assert!(!made_by(&tags, "i-1/1/restore/3") && !made_by(&[], "i-1/1/restore/2"));
        assert_eq!(origin(&tags), "arn:aws:rds:us-west-2:1:db:arka at latest");
    }

    #[test]
    fn a_value_is_one_that_aws_takes() {
        let odd = "i(1)/Wiederherstellung für {x}/1";
        let tags = tags(odd, "s", None);
        assert_eq!(token_of(&tags), Some("i-1-/Wiederherstellung für -x-/1"));
        assert!(made_by(&tags, odd));
    }
}
