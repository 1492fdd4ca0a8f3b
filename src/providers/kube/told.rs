//! Lists of names and words for people, as short as they have to be.

use super::client::Cluster;

/// How many are told.
const TOLD: usize = 4;
/// The longest of them.
const CHARS: usize = 160;

/// The first few, cleaned, with how many more there are; empty where there is none.
pub fn told(cluster: &Cluster, all: impl IntoIterator<Item = String>) -> String {
    let mut all = all.into_iter();
    let first: Vec<String> = all.by_ref().take(TOLD).map(|one| cluster.shown(&one, CHARS)).collect();
    match all.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_told_by_the_first_few() {
        let cluster = crate::testing::clients(&[]).kube.cluster("dr");
        let of = |names: &[&str]| told(&cluster, names.iter().map(|name| (*name).to_owned()));
        assert_eq!(of(&[]), "");
        assert_eq!(of(&["a", "b"]), "a, b");
        assert_eq!(of(&["a", "b", "c", "d", "e", "f"]), "a, b, c, d and 2 more");
        assert_eq!(of(&["a\u{1b}[2J"]), "a\u{fffd}[2J");
    }
}
