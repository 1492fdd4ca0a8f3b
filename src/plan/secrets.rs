//! The secrets that a plan names.

use crate::plan::Plan;
use crate::secrets::SecretRef;
use indexmap::IndexMap;

impl Plan {
    /// Every secret that the plan names, with what needs it (`probe lag`, `step full/promote`, `channel chat`).
    pub fn secrets(&self) -> IndexMap<SecretRef, Vec<String>> {
        let probes = self.probes.values().map(|probe| (format!("probe {}", probe.id), &probe.params));
        let channels =
            self.channels.values().map(|channel| (format!("channel {}", channel.id), &channel.params));
        let steps = self.runbooks.iter().flat_map(|(runbook, book)| {
            book.steps.values().map(move |step| (format!("step {runbook}/{}", step.id), &step.params))
        });
        let mut named: IndexMap<SecretRef, Vec<String>> = IndexMap::new();
        for (user, params) in probes.chain(steps).chain(channels) {
            for secret in params.secrets() {
                named.entry(secret).or_default().push(user.clone());
            }
        }
        named
    }
}
