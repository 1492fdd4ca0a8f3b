//! Whether a primary's commits wait for a standby: `synchronous_standby_names`.

/// Whether no commit is acknowledged before the standby of that name has it: it is among those that are named, and so
/// many have to answer that it cannot be left out. A `*` names whoever is connected, so that another may stand in.
pub fn waits_for(names: &str, standby: &str) -> bool {
    let names = names.trim();
    if names.is_empty() {
        return false;
    }
    let (head, list) = match names.split_once('(') {
        Some((head, rest)) => (head.trim(), rest.trim_end().trim_end_matches(')')),
        None => ("", names),
    };
    let needed = head.rsplit(' ').next().and_then(|count| count.parse::<usize>().ok()).unwrap_or(1);
    let listed: Vec<String> =
        list.split(',').map(|name| name.trim().trim_matches('"').to_lowercase()).collect();
    let named = listed.iter().any(|name| *name == standby.to_lowercase());
    named && !listed.iter().any(|name| name == "*") && needed >= listed.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_standby_that_cannot_be_left_out_is_waited_for() {
        for names in ["b", " B ", "\"b\"", "1 (b)", "FIRST 1 (b)", "ANY 2 (b, c)", "FIRST 2 (c, \"b\")"] {
            assert!(waits_for(names, "b"), "{names}");
        }
        for names in ["", "c", "*", "b, c", "FIRST 1 (b, c)", "ANY 1 (b, c)", "2 (b, *)", "ANY 2 (b, c, d)"] {
            assert!(!waits_for(names, "b"), "{names}");
        }
        assert!(!waits_for("", ""));
    }
}
