//! What a simulated step acts on.

use super::noise::hash;
use super::{Inner, effects, roles};
use crate::core::words::action::Target;
use crate::plan::Step;
use crate::plan::kinds::Does;
use crate::plan::params::{Param, Params};

/// The target of a step as the simulated world has it now.
pub(super) fn of_step(inner: &Inner, step: &Step, params: &Params) -> Target {
    let name = name(step, params);
    let mut identity = vec![("world".to_owned(), "SIMULATED".to_owned())];
    let mut reachable = true;
    if let Some(region) = roles::database_of(&inner.plan, step, params) {
        let now = inner.clock.now();
        let state = inner.state();
        let down = state.database_down_since(&inner.plan, &region, now).is_some();
        reachable = !down && !state.is_unreachable(Some(&region));
        if reachable {
            let read = |name: &str, value: String| (name.to_owned(), value);
            identity.push(read("role", state.role(&inner.plan, Some(&region)).to_owned()));
            if step.server().is_none() {
                identity.push(read("resource id", format!("db-{:016X}", hash(&name))));
            } else {
                identity.push(read("system identifier", system_identifier(&inner.plan.name)));
                identity.push(read("timeline", state.timeline(Some(&region)).to_string()));
            }
        }
    }
    Target { name, kind: kind(step).into(), identity, reachable }
}

/// The same target after somebody put another one in its place.
pub(super) fn replaced(mut target: Target) -> Target {
    target.identity.push(("system identifier".into(), system_identifier("another system")));
    target
}

fn kind(step: &Step) -> &'static str {
    crate::providers::action(&step.action).map_or("simulated target", |kind| kind.simulated_target)
}

/// What the operator types: what the plan calls it, or the host of an address, or the step's name.
fn name(step: &Step, params: &Params) -> String {
    let address = || params.text("dsn").or_else(|| params.text("url")).and_then(host);
    let secret = || match params.get("dsn") {
        Some(Param::Secret(secret)) => Some(secret.to_string()),
        _ => None,
    };
    let keys = ["target", "instance", "cluster"];
    let named = keys.iter().find_map(|key| params.text(key)).or_else(|| dns_name(step, params));
    let named = named.map(str::to_owned);
    named.or_else(address).or_else(secret).unwrap_or_else(|| step.id.to_string())
}

/// The name whose records a step changes, or their zone.
fn dns_name<'p>(step: &Step, params: &'p Params) -> Option<&'p str> {
    let is_dns = step.does == Does::Routes;
    params.text("name").or_else(|| params.text("zone")).filter(|_| is_dns)
}

/// The host of a URL or of a `host=… port=…` connection string, with its port where it has one.
fn host(address: &str) -> Option<String> {
    if let Some((_, rest)) = address.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit('@').next()?;
        return (!host.is_empty()).then(|| host.to_owned());
    }
    let value = |key: &str| address.split_whitespace().find_map(|pair| pair.strip_prefix(key));
    let host = value("host=")?;
    Some(value("port=").map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

pub(super) fn system_identifier(name: &str) -> String {
    (7_000_000_000_000_000_000 + hash(name) % 1_000_000_000_000_000_000).to_string()
}

/// The call in the words of the real kind, where this build has it.
pub(super) fn call(step: &Step, params: &Params) -> String {
    match crate::providers::action(&step.action) {
        Some(row) => (row.kind.call)(params),
        None => effects::unknown_call(step, params),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_in_both_ways_of_writing_an_address_and_no_password_is() {
        for (address, expected) in [
            ("postgresql://lifeboat:hunter2@db.example.com:5433/app", Some("db.example.com:5433")),
            ("host=db.example.com port=5433 dbname=app", Some("db.example.com:5433")),
            ("https://api.example.com/health?x=1", Some("api.example.com")),
            ("dbname=app", None),
        ] {
            assert_eq!(host(address).as_deref(), expected);
        }
    }
}
