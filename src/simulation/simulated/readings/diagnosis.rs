//! What might be behind a signal of workloads.

use super::{Health, Moment, unreachable};
use crate::core::words::diagnosis::Section;

/// Every look says first that nothing was asked.
pub(in crate::simulation::simulated) fn workloads(moment: &Moment<'_>) -> Vec<Section> {
    let names = moment.spec.params.texts("names");
    let named = names.first().and_then(|name| name.rsplit('/').next()).unwrap_or("web");
    let pods = [format!("{named}-5d4c9b7f6-x2x4z"), format!("{named}-5d4c9b7f6-k8kd7")];
    let of = |title: &str, lines: &[String]| Section::read(title, lines.to_vec());
    let said = "no cluster was asked: this is what one might tell".to_owned();
    let mut sections = vec![of("SIMULATED", &[said])];
    match moment.health() {
        Health::Unreachable => {
            let unread = |title| Section::unread(title, unreachable(moment));
            sections.extend(["PODS", "NEWEST WARNINGS", "LOG"].map(unread));
        }
        Health::Down => {
            let ends = |pod: &String| {
                format!(
                    "{pod} ends again and again; 7 restarts; main ended with 1 (Error) 40 s ago; on node-1"
                )
            };
            let mut lines: Vec<String> = pods.iter().map(ends).collect();
            lines.push("no pod is ready; asked for: 2".to_owned());
            sections.push(of("PODS", &lines));
            let warns = |pod: &String| {
                format!("BackOff pod/{pod}: Back-off restarting failed container (12 times) 20 s ago")
            };
            sections.push(of("NEWEST WARNINGS", &pods.each_ref().map(warns)));
            let log = ["starting", "cannot connect to db:5432: connection refused", "giving up"];
            let title = format!("LOG of main in {}, which ended 40 s ago", pods[0]);
            sections.push(of(&title, &log.map(str::to_owned)));
        }
        Health::Normal | Health::Value(_) => {
            sections.push(of("PODS", &["2 pods are ready; asked for: 2".to_owned()]));
            let none = "none is kept: a cluster keeps its events for an hour".to_owned();
            sections.push(of("NEWEST WARNINGS", &[none]));
            let none = "no container of them has crashed, and none runs that is not ready".to_owned();
            sections.push(of("LOG", &[none]));
        }
    }
    sections
}
