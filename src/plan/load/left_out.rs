//! Kinds that this build leaves out: told once, however many there are.

use crate::base::toml::{Diagnostic, Report, Span};
use crate::plan::registry::{left_out_of, other_build_help};

/// Longest name of a kind that is quoted, and how many different ones are.
const NAME_CHARS: usize = 60;
const KINDS: usize = 4;

/// All uses of what this build leaves out as one problem, at the first of them.
pub(super) fn told(uses: &[(Span, String)]) -> Option<Diagnostic> {
    let first = uses.iter().map(|(place, _)| *place).min_by_key(|place| (place.file, place.start))?;
    let kinds: std::collections::BTreeSet<&str> = uses.iter().map(|(_, name)| name.as_str()).collect();
    let named: Vec<String> = kinds.iter().take(KINDS).map(|name| format!("`{name}`")).collect();
    let more = match kinds.len().saturating_sub(KINDS) {
        0 => String::new(),
        more => format!(" and {more} more kinds"),
    };
    let places = if uses.len() == 1 { "1 place".to_owned() } else { format!("{} places", uses.len()) };
    let of: std::collections::BTreeSet<&str> = kinds.iter().map(|kind| left_out_of(kind)).collect();
    let of = of.into_iter().collect::<Vec<_>>().join(" and ");
    let message =
        format!("this plan uses {of} in {places}, and this build has none of it: {}{more}", named.join(", "));
    Some(Diagnostic::error("unknown-kind", first, message).help(other_build_help(&of)))
}

/// Takes in a use of such a kind.
pub(super) fn used(report: &Report, place: Span, name: &str) {
    report.gather(place, crate::base::text::clean(name, NAME_CHARS));
}
