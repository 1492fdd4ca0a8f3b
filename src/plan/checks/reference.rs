//! What tells "they are down" from "I am blind", and when what is unknown becomes a person's business.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::load::Draft;
use crate::plan::types::ProbeSpec;
use crate::plan::units::format_duration;
use jiff::SignedDuration;
use std::net::IpAddr;

/// A new engine knows nothing before its first readings.
const LEAST_UNKNOWN: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn check(draft: &Draft, report: &Report) {
    if !draft.complete {
        return;
    }
    let policy = &draft.plan.policy;
    if policy.unknown_after < LEAST_UNKNOWN {
        let message = format!("what stays unknown is told after {}", format_duration(policy.unknown_after));
        let problem = Diagnostic::error("out-of-range", draft.places.of("policy.unknown_after"), message);
        report.add(problem.help("`unknown_after` is at least 1m: an engine that starts knows nothing yet"));
    }
    let place = draft.places.of("policy.reference");
    if policy.reference.is_empty() {
        let message = "the plan names no reference probes";
        let help = "name probes of things outside of the system in `[policy] reference`: without them the \
                    console cannot tell \"they are down\" from \"I am blind\"";
        report.add(Diagnostic::warning("no-reference", place, message).help(help));
        return;
    }
    let is_reference = |probe: &ProbeSpec| policy.reference.contains(&probe.id);
    let mut named = draft.plan.probes.values().filter(|probe| asks_by_name(probe));
    if let Some(first) = named.clone().next()
        && !named.any(is_reference)
    {
        let message = "no reference probe asks for its server by name";
        let help = format!(
            "give one a host name outside of the system (`status.example.net:443`): otherwise the name of `{}` that is \
             gone for good cannot be told from name servers that fail",
            first.id
        );
        report.add(Diagnostic::warning("reference-by-address", place, message).help(help));
    }
}

/// Whether its server is found by a name that name servers have to know.
fn asks_by_name(probe: &ProbeSpec) -> bool {
    let address = ["url", "address"].iter().find_map(|key| probe.params.text(key));
    address.is_some_and(|address| {
        let host = host(address);
        !host.is_empty() && host != "localhost" && host.parse::<IpAddr>().is_err()
    })
}

/// The host of a URL or of `host:port`, an IPv6 address without its brackets.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
    match server.strip_prefix('[').and_then(|server| server.split_once(']')) {
        Some((address, _)) => address,
        None => server.rsplit_once(':').map_or(server, |(host, _)| host),
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_of_an_address_is_found() {
        for (address, found) in [
            ("https://user:pw@api.example.com:8443/a:b?c@d", "api.example.com"),
            ("http://[::1]:80/", "::1"),
            ("db.example.com:5432", "db.example.com"),
            ("[fe80::1]:22", "fe80::1"),
            ("https://example.org", "example.org"),
        ] {
            assert_eq!(host(address), found, "{address}");
        }
    }
}
