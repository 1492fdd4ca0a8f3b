//! Whether a primary's commits wait for a standby: `synchronous_standby_names`, and who is connected by those names.

/// A standby that a primary sends WAL to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// Its `application_name`.
    pub name: String,
    /// Up to where it told the primary that it holds everything; none where it has told nothing yet.
    pub held: Option<u64>,
}

impl Sender {
    /// From `position name`.
    pub fn of(text: &str) -> Option<Self> {
        let (held, name) = text.split_once(' ')?;
        Some(Self { name: name.to_owned(), held: held.parse().ok() })
    }
}

/// Up to where the standby of a name has told the primary that it holds everything, where no commit is acknowledged
/// before it has: it is among those that are named, and so many have to answer that it cannot be left out. None where
/// another one may answer in its place: a `*` names whoever is connected, and so does a name that several have.
/// Zero where nobody of that name is connected, so that every commit waits.
pub fn waits_for(names: &str, standby: &str, connected: Option<&[Sender]>) -> Option<u64> {
    let names = names.trim();
    if names.is_empty() {
        return None;
    }
    let (head, list) = match names.split_once('(') {
        Some((head, rest)) => (head.trim(), rest.trim_end().trim_end_matches(')')),
        None => ("", names),
    };
    let needed = head.rsplit(' ').next().and_then(|count| count.parse::<usize>().ok()).unwrap_or(1);
    let listed: Vec<String> =
        list.split(',').map(|name| name.trim().trim_matches('"').to_lowercase()).collect();
    let standby = standby.to_lowercase();
    let is_named = listed.contains(&standby) && !listed.iter().any(|name| name == "*");
    if !is_named || needed < listed.len() {
        return None;
    }
    let connected = connected?.iter().filter(|sender| listed.contains(&sender.name.to_lowercase()));
    let (its, others): (Vec<&Sender>, Vec<&Sender>) =
        connected.partition(|sender| sender.name.to_lowercase() == standby);
    match its[..] {
        _ if others.len() >= needed => None,
        [] => Some(0),
        [one] => Some(one.held.unwrap_or_default()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn senders(names: &[&str]) -> Vec<Sender> {
        names.iter().map(|name| Sender { name: (*name).to_owned(), held: Some(7) }).collect()
    }

    fn waits(names: &str, connected: &[&str]) -> bool {
        waits_for(names, "b", Some(&senders(connected))).is_some()
    }

    #[test]
    fn only_a_standby_that_cannot_be_left_out_is_waited_for() {
        let all = ["b", "c", "pg_receivewal"];
        for names in ["b", " B ", "\"b\"", "1 (b)", "FIRST 1 (b)", "ANY 2 (b, c)", "FIRST 2 (c, \"b\")"] {
            assert!(waits(names, &all), "{names}");
            assert!(waits(names, &[]), "{names}: nobody answers, and every commit waits");
        }
        for names in ["", "c", "*", "b, c", "FIRST 1 (b, c)", "ANY 1 (b, c)", "2 (b, *)", "ANY 2 (b, c, d)"] {
            assert!(!waits(names, &all), "{names}");
        }
        assert!(waits_for("", "", Some(&[])).is_none());
    }

    #[test]
    fn a_name_that_several_have_makes_none_of_them_indispensable() {
        assert!(!waits("b", &["b", "B"]));
        assert!(!waits("ANY 2 (b, c)", &["b", "c", "c"]), "both of the other name answer in its place");
        assert!(!waits("ANY 2 (b, c)", &["c", "c"]));
        assert!(waits("ANY 2 (b, c)", &["b", "c"]));
        assert!(waits_for("b", "b", None).is_none(), "who is connected is hidden");
    }

    #[test]
    fn what_it_told_the_primary_is_known() {
        assert_eq!(waits_for("b", "b", Some(&senders(&["b", "c"]))), Some(7));
        assert_eq!(waits_for("b", "b", Some(&senders(&["c"]))), Some(0));
        assert_eq!(Sender::of("12 a b"), Some(Sender { name: "a b".into(), held: Some(12) }));
        assert_eq!(Sender::of(" b").map(|sender| sender.held), Some(None));
    }
}
