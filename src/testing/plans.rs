//! Plans, as the real loader reads them.

use crate::plan::{Diagnostics, Loaded, Plan, load_texts};
use crate::simulation::demo;
use std::sync::{Arc, LazyLock};

const SMALL: &str = include_str!("plans/small.toml");
const ESCALATING: &str = include_str!("plans/escalating.toml");
const PEOPLE: &str = include_str!("plans/people.toml");
const EVERY_KIND: &str = include_str!("plans/every-kind.toml");
const EVERY_AWS_KIND: &str = include_str!("plans/every-aws-kind.toml");
const EVERY_KUBE_KIND: &str = include_str!("plans/every-kube-kind.toml");
const COMPLIANCE: &str = include_str!("plans/compliance.toml");

/// The plan of these texts, each a file of its own.
pub fn plan_of(texts: &[&str]) -> Plan {
    load(texts).unwrap_or_else(|problems| panic!("{problems}")).plan
}

/// The same with what its writer should look at, or what the loader finds wrong with it.
pub fn load(texts: &[&str]) -> Result<Loaded, Diagnostics> {
    let file = |(number, text): (usize, &&str)| (format!("{number}.toml"), (*text).to_owned());
    load_texts(texts.iter().enumerate().map(file).collect(), &crate::providers::registry())
}

/// Two regions, a lag, a reference; a tree of two questions; a runbook with a fork and a point of no return.
pub fn small() -> Arc<Plan> {
    static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| Arc::new(with_digest(&"0".repeat(64), &[SMALL])));
    PLAN.clone()
}

/// The small plan with the escalation path of ARA AI: 0, 15, 30 and 60 minutes; and one for P1.
pub fn escalating() -> Plan {
    static PLAN: LazyLock<Plan> = LazyLock::new(|| with_digest(&small().digest, &[SMALL, ESCALATING]));
    PLAN.clone()
}

/// The small plan with people: two who take turns, a manager, the customers.
pub fn with_people() -> Arc<Plan> {
    static PLAN: LazyLock<Arc<Plan>> =
        LazyLock::new(|| Arc::new(with_digest(&small().digest, &[SMALL, PEOPLE])));
    PLAN.clone()
}

/// Two regions, a public endpoint, a reference, every kind of probe of this build, and steps of several kinds.
pub fn every_kind() -> Plan {
    static PLAN: LazyLock<Plan> = LazyLock::new(|| {
        let mut texts = vec![EVERY_KIND];
        texts.extend(cfg!(feature = "aws").then_some(EVERY_AWS_KIND));
        texts.extend(cfg!(feature = "kube").then_some(EVERY_KUBE_KIND));
        plan_of(&texts)
    });
    PLAN.clone()
}

/// The warm standby of a compliance engine.
pub fn compliance() -> Plan {
    static PLAN: LazyLock<Plan> = LazyLock::new(|| with_digest("3f9ac1d2", &[COMPLIANCE]));
    PLAN.clone()
}

/// The plan of the demo, of which nothing is to be warned.
pub fn demo() -> Plan {
    static PLAN: LazyLock<Plan> = LazyLock::new(|| {
        let texts: Vec<&str> = demo::plan_files().iter().map(|(_, text)| *text).collect();
        let loaded = load(&texts).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        loaded.plan
    });
    PLAN.clone()
}

/// A digest that does not change with the texts, for what shows it.
fn with_digest(digest: &str, texts: &[&str]) -> Plan {
    Plan { digest: digest.into(), ..plan_of(texts) }
}
