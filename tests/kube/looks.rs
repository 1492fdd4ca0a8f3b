//! How the tests of probes look until what they wait for is seen.

use crate::kube::Kit;
use lifeboat::core::words::reading::Measurement;
use std::time::{Duration, Instant};

/// A probe named `w` of a kind, in a namespace.
pub fn probe(kind: &str, namespace: &str, more: &str) -> String {
    format!(
        "w = {{ kind = \"{kind}\", region = \"a\", namespace = \"{namespace}\", {more} every = \"1s\", timeout = \"5s\" }}"
    )
}

/// Looks until it is so, and returns what was seen then.
pub async fn until(kit: &Kit, what: &str, met: impl Fn(&Measurement) -> bool) -> Measurement {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let seen = kit.measure("w").await;
        match seen {
            Ok(seen) if met(&seen) => return seen,
            seen => assert!(Instant::now() < deadline, "{what}: {seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
