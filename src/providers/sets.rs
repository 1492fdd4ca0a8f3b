//! What a step sets, as its parameters say it: the values that a person confirms besides the call and the target.

use crate::plan::params::{Param, Params};

/// Name and value of all that a step sets; empty for kinds whose call says it all.
pub fn of_params(kind: &str, params: &Params) -> Vec<(String, String)> {
    let keys = super::action(kind).map_or(&[][..], |kind| kind.sets);
    let set = |key: &&str| Some(((*key).to_owned(), words(params.get(key)?)?));
    keys.iter().filter_map(set).collect()
}

fn words(param: &Param) -> Option<String> {
    let list = |params: &mut dyn Iterator<Item = String>| params.collect::<Vec<_>>().join(", ");
    Some(match param {
        Param::Text(text) | Param::Raw(text) => text.clone(),
        Param::Integer(number) => number.to_string(),
        Param::Number(number) => number.to_string(),
        Param::Flag(flag) => flag.to_string(),
        Param::Duration(span) => crate::base::units::duration(*span),
        Param::List(params) => list(&mut params.iter().filter_map(words)),
        Param::Table(params) => {
            list(&mut params.iter().filter_map(|(name, value)| Some(format!("{name} = {}", words(value)?))))
        }
        Param::Secret(_) | Param::Condition(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_said_and_no_secret_is() {
        let text = |text: &str| Param::Text(text.into());
        let mut params = Params::default();
        params.0.insert("method".into(), text("PUT"));
        params.0.insert("body".into(), text("{\"active\": \"us-west-2\"}"));
        params.0.insert(
            "headers".into(),
            Param::Table([("Authorization".into(), text("x"))].into_iter().collect()),
        );
        let sets = of_params("http-request", &params);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(sets, [pair("method", "PUT"), pair("body", "{\"active\": \"us-west-2\"}")]);
        assert_eq!(of_params("exec", &params), [], "its call says it all");
    }
}
