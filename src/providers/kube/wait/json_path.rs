//! The part of JSONPath that people give `kubectl wait`: fields, places of a list, and the one element that has a value.
//! <https://kubernetes.io/docs/reference/kubectl/jsonpath/>

use serde_json::Value;

/// A way into an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonPath(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Field(String),
    At(usize),
    /// Those elements of a list whose field has that text.
    Where(String, String),
}

impl JsonPath {
    /// Of `{.status.phase}`, `.status.conditions[?(@.type=="Ready")].status`.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('{').map_or(Some(text), |inner| inner.strip_suffix('}'))?;
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (part, after) = first(rest)?;
            parts.push(part);
            rest = after;
        }
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// What stands there; none where there is nothing, or more than one thing.
    pub fn find<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        let mut found = vec![object];
        for part in &self.0 {
            found = found.into_iter().flat_map(|value| part.of(value)).collect();
        }
        match found.as_slice() {
            [one] if !one.is_null() => Some(one),
            _ => None,
        }
    }
}

impl Part {
    fn of<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::At(place) => value.get(place).into_iter().collect(),
            Self::Where(name, wanted) => {
                let all = value.as_array().into_iter().flatten();
                all.filter(|one| words(&one[name.as_str()]).as_ref() == Some(wanted)).collect()
            }
        }
    }
}

/// A single value as text; none of a list or an object.
pub fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn first(text: &str) -> Option<(Part, &str)> {
    if let Some(inner) = text.strip_prefix("[?(@.") {
        let (condition, after) = inner.split_once(")]")?;
        let (name, wanted) = condition.split_once("==")?;
        return Some((Part::Where(name.trim().to_owned(), unquoted(wanted.trim())?.to_owned()), after));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (inside, after) = inner.split_once(']')?;
        let part = match unquoted(inside) {
            Some(name) => Part::Field(name.to_owned()),
            None => Part::At(inside.parse().ok()?),
        };
        return Some((part, after));
    }
    let (name, after) = field(text.strip_prefix('.')?);
    (!name.is_empty()).then_some((Part::Field(name), after))
}

fn unquoted(text: &str) -> Option<&str> {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\''))
}

/// The name up to the next dot or bracket; `\.` is a dot of the name.
fn field(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '\\' if !escaped => escaped = true,
            '.' | '[' if !escaped => return (name, &text[at..]),
            other => {
                name.push(other);
                escaped = false;
            }
        }
    }
    (name, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_to_one_value_or_to_none() {
        let pod = json!({"metadata": {"labels": {"app.kubernetes.io/name": "web"}},
            "status": {"phase": "Running", "conditions": [
                {"type": "Ready", "status": "True"}, {"type": "A", "status": "x"}, {"type": "A", "status": "y"}]}});
        let found = |path: &str| JsonPath::of(path).unwrap().find(&pod).and_then(words);
        assert_eq!(found("{.status.phase}").as_deref(), Some("Running"));
        assert_eq!(found(".status.conditions[0].status").as_deref(), Some("True"));
        assert_eq!(found("{.status.conditions[?(@.type==\"Ready\")].status}").as_deref(), Some("True"));
        assert_eq!(found("{.status.conditions[?(@.type=='A')].status}"), None, "two values are none");
        assert_eq!(found("{.metadata.labels.app\\.kubernetes\\.io/name}").as_deref(), Some("web"));
        assert_eq!(found("{.metadata.labels['app.kubernetes.io/name']}").as_deref(), Some("web"));
        assert_eq!(found("{.status.conditions[9].status}"), None);
        assert_eq!(JsonPath::of("{.status.conditions}").unwrap().find(&pod).and_then(words), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in
            ["", "{}", "{.status.phase", "status.phase", "{.a..b}", "{.a[x]}", "{.a[?(@.b)]}", "{.a[*]}"]
        {
            assert_eq!(JsonPath::of(bad), None, "{bad}");
        }
    }
}
