//! The plans of the seeds.

use lifeboat::plan::{Plan, load};
use std::path::Path;

fn loaded(path: &str) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    load(&path, &lifeboat::providers::registry()).unwrap_or_else(|problems| panic!("{problems}")).plan
}

pub fn ara_ai() -> Plan {
    loaded("tests/escalation/plans/ara-ai.toml")
}

pub fn neo() -> Plan {
    loaded("tests/escalation/plans/neo.toml")
}

pub fn market_scanning() -> Plan {
    loaded("tests/escalation/plans/market-scanning.toml")
}

pub fn sparc() -> Plan {
    loaded("plans/sparc")
}
