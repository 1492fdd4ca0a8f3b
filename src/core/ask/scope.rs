//! The names that a step's texts can use at run time.

use crate::base::ids::RunId;
use crate::core::model::Model;
use crate::plan::Step;
use crate::plan::params::Params;
use serde_json::json;

/// A step's parameters with `incident`, `run`, `operator` and `step` filled in, or why that failed.
pub fn render(model: &Model, run: &RunId, step: &Step) -> Result<Params, String> {
    let incident = model.durable.incident.as_ref();
    let scope = json!({
        "incident": {
            "id": incident.map_or("", |incident| incident.id.as_str()),
            "title": incident.map_or("", |incident| &incident.title),
            "mode": incident.map_or("", |incident| incident.mode.as_str()),
        },
        "run": { "id": run.as_str() },
        "step": { "id": step.id.as_str() },
        "operator": { "name": incident.map(|incident| incident.commander.to_string()) },
    });
    step.params.render(&scope).map_err(|error| error.to_string())
}

/// The same with names that stand for those of an incident that is not there yet.
pub fn placeholders(step: &Step) -> Result<Params, String> {
    let scope = json!({
        "incident": { "id": "INC-PREFLIGHT", "title": "preflight", "mode": "drill" },
        "run": { "id": "INC-PREFLIGHT/1" },
        "step": { "id": step.id.as_str() },
        "operator": { "name": "preflight" },
    });
    step.params.render(&scope).map_err(|error| error.to_string())
}
