//! What runs did of what serves and did not move: it is left to a person to record which region serves.

use super::would_serve::{Why, WouldServe, begun, of_run, planned};
use crate::base::ids::RegionId;
use crate::core::ask::known::{Doubt, View};
use crate::core::model::Model;
use crate::core::words::incident::{Incident, Run};
use crate::plan::Runbook;

/// What records which region serves, where no key can be named.
pub const RECORD: &str = "`lifeboat serves --record`";

/// Something that makes a region or services serve, and to which nothing gives effect any more: its run was aborted, or
/// went to its end without what moves the region, or its incident was closed. It ends with what is known to serve since.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Left<'m> {
    pub found: WouldServe<'m>,
    /// What keeps it from taking effect.
    pub end: End,
}

/// What keeps it from taking effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The run was stopped.
    Abort,
    /// The incident was closed.
    Close,
    /// The run went to its end.
    Run,
    /// The plan that the run began under is another one by now.
    Plan,
    /// It took effect, and that is not known to last.
    Doubt,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Close => "close",
            Self::Plan => "change of the plan",
            Self::Run | Self::Doubt => "end of its run",
        }
    }
}

impl Left<'_> {
    /// What is not known, and the way out; `record` is what records which region serves.
    pub fn sentence(&self, model: &Model, record: &str) -> String {
        let said = self.said(model);
        if self.found.why == Why::Gone {
            return format!(
                "{said}. See that none does. The close of the incident ends this; then {record} records which region does."
            );
        }
        if self.found.why.outlasts_records() {
            return format!(
                "{said}. Look at the step again (r) once that ended; then {record} records which region does."
            );
        }
        if self.end == End::Doubt {
            return format!("{said}. {record} records which region does.");
        }
        if let Some(region) = self.found.region {
            let serving = model.serving().filter(|serving| *serving != region);
            let other = serving
                .map_or_else(String::new, |serving| format!(", or that {} still does", name(model, serving)));
            return format!("{said}. If {} serves now, {record} records it{other}.", name(model, region));
        }
        let services = self.found.services.into_iter().flatten().map(|(service, region)| {
            let title = model.plan.services.get(service).map_or(service.as_str(), |spec| &spec.title);
            format!("{title} from {}", name(model, region))
        });
        format!(
            "{said}: {}. If that is so, begin its runbook again and attest it; {record} records that all serve with the \
             region.",
            services.collect::<Vec<_>>().join(", ")
        )
    }

    fn said(&self, model: &Model) -> String {
        let (title, end) = (self.found.title, self.end.as_str());
        let region = || self.found.region.map_or_else(String::new, |region| name(model, region));
        let whether = || {
            let still = if self.found.region == model.serving() { "still " } else { "" };
            format!("whether {} {still}serves is not known", region())
        };
        match self.found.why {
            Why::Word => format!("\"{title}\" was attested before the {end}, and its own proof was not seen"),
            Why::Said if self.end == End::Run => {
                format!("\"{title}\" is attested, and its run moved nothing")
            }
            Why::Said => format!("\"{title}\" was attested, and moved nothing because of the {end}"),
            Why::Shown if self.end == End::Run => {
                format!("\"{title}\" is verified, and its run moved nothing")
            }
            Why::Shown => format!("\"{title}\" is verified, and moved nothing because of the {end}"),
            Why::Overlaps => {
                let serving = model.serving().map_or_else(String::new, |region| name(model, region));
                format!("\"{title}\" ran while it was recorded that {serving} serves: {}", whether())
            }
            Why::Doubt if self.end == End::Doubt => {
                format!("nobody knows whether \"{title}\" acted: whether {} serves is not known", region())
            }
            Why::Doubt if self.end == End::Run => {
                format!("nobody knows whether \"{title}\" acted before it was skipped")
            }
            Why::Doubt => format!("nobody knows whether \"{title}\" acted before the {end}"),
            Why::NoRegion => {
                let serves = match self.found.region {
                    Some(region) if region.as_str() != self.found.id => {
                        format!("is served from \"{region}\"")
                    }
                    _ => "serves by the last that is known".to_owned(),
                };
                format!("\"{title}\" {serves}, and the plan has no such region")
            }
            Why::LeftOut => format!("\"{title}\" was skipped: whether {} serves now is not known", region()),
            Why::Exercise => format!(
                "\"{title}\" was only said in the exercise: whether {} serves now is not known",
                region()
            ),
            Why::StillRuns => format!("a program of \"{title}\" may run still: {}", whether()),
            Why::UndoStillRuns => {
                format!("a program of what takes \"{title}\" back may run still: {}", whether())
            }
            Why::Gone => format!(
                "a program of \"{title}\", or of what takes it back, may run still, and the step can be looked at no more: {}",
                whether()
            ),
            Why::Drilled => format!("\"{title}\" was done in the exercise: {}", whether()),
            Why::Unsaid => {
                let how = match self.end {
                    End::Abort => "was aborted",
                    End::Plan => "began under another plan",
                    End::Close | End::Run | End::Doubt => "has ended",
                };
                format!(
                    "\"{title}\" {how}, and the plan does not say which step lets {} serve (`switches`)",
                    region()
                )
            }
            Why::TakenBack => format!("\"{title}\" was taken back: {}", whether()),
            Why::BeingTakenBack => format!("\"{title}\" is being taken back: {}", whether()),
            Why::MayBeTakenBack => format!("\"{title}\" may have been taken back: {}", whether()),
            Why::Reopened => format!("\"{title}\" was taken up again: {}", whether()),
            Why::OtherPlan => format!(
                "\"{title}\" ran under another plan, and what was done since may have taken it back: {}",
                whether()
            ),
        }
    }
}

fn name(model: &Model, id: &RegionId) -> String {
    model.plan.regions.get(id).map_or(id.to_string(), |region| region.name.clone())
}

/// All that is left so, oldest first; what several runs left, once.
pub fn left(model: &Model) -> Vec<Left<'_>> {
    let mut kept: Vec<Left<'_>> = Vec::new();
    for left in runs(model).flat_map(|(incident, run)| left_by(model, incident, run)) {
        kept.retain(|other| *other != left);
        kept.push(left);
    }
    for doubt in View::of(model).doubts().into_iter().map(|doubt| doubted(model, doubt)) {
        let is_same =
            |left: &Left<'_>| (left.found.id, left.found.region) == (doubt.found.id, doubt.found.region);
        // A record answers for what is left, and not for what may run still.
        if doubt.found.why.outlasts_records() {
            kept.retain(|left| !is_same(left));
        }
        if !kept.iter().any(is_same) {
            kept.push(doubt);
        }
    }
    kept.extend(no_region(model));
    kept
}

/// Whether anything is.
pub fn is_left(model: &Model) -> bool {
    no_region(model).next().is_some()
        || !View::of(model).doubts().is_empty()
        || runs(model).any(|(incident, run)| !left_by(model, incident, run).is_empty())
}

fn left_by<'m>(model: &'m Model, incident: &Incident, run: &'m Run) -> Vec<Left<'m>> {
    let is_closed = incident.closed.is_some();
    let end = |why| match why {
        _ if run.is_aborted() => End::Abort,
        Why::Word | Why::Said | Why::Shown if is_closed => End::Close,
        _ if run.ended.is_none() && !is_closed => End::Plan,
        _ => End::Run,
    };
    // A run of which nobody recorded where it leads, or whose runbook or switch the plan has no more, moves nothing.
    let has_switch =
        |runbook: &Runbook| run.aim.switch.as_ref().is_none_or(|switch| runbook.steps.contains_key(switch));
    let is_stuck = !run.aim.is_recorded || !planned(model, run).is_some_and(has_switch);
    let is_over = is_closed || run.ended.is_some() || is_stuck;
    let is_left = |found: &WouldServe<'_>| is_over && has_no_effect(model, found, run, is_closed || is_stuck);
    let found = of_run(model, run).into_iter().filter(is_left);
    found.map(|found| Left { end: end(found.why), found }).collect()
}

/// Nothing gives effect to it any more.
fn has_no_effect(model: &Model, found: &WouldServe<'_>, run: &Run, is_closed: bool) -> bool {
    match found.why {
        Why::Doubt | Why::Unsaid => true,
        why if why.is_undone() => begun(model, run).next().is_some(),
        Why::Said | Why::Shown if found.region.is_some() => true,
        // What moves services by itself goes on to, as long as the incident is open; the word of an aborted run does not.
        Why::Word => is_closed || run.is_aborted(),
        _ => is_closed,
    }
}

/// Whether what somebody has to record is left anywhere, also where a proof may still come.
pub fn is_any(model: &Model) -> bool {
    let is_open = |found: &WouldServe<'_>| matches!(found.why, Why::Word | Why::Exercise);
    runs(model).any(|(_, run)| of_run(model, run).iter().any(is_open)) || !left(model).is_empty()
}

/// All runs but those of exercises that move nothing.
fn runs(model: &Model) -> impl Iterator<Item = (&Incident, &Run)> {
    model.real_incidents().flat_map(|incident| incident.runs.iter().map(move |run| (incident, run)))
}

/// The region that serves, or that a service was moved to, where the plan has it not, or by another name.
fn no_region(model: &Model) -> impl Iterator<Item = Left<'_>> {
    let all = model.serving().map(|region| (region.as_str(), region.as_str(), region));
    let moved = model.durable.placements.iter().map(|placed| {
        let service = model.plan.services.get(&placed.service);
        (
            placed.service.as_str(),
            service.map_or(placed.service.as_str(), |service| &*service.title),
            &placed.region,
        )
    });
    let gone = all.into_iter().chain(moved).filter(|(.., region)| !model.plan.regions.contains_key(*region));
    gone.map(|(id, title, region)| {
        let why = Why::NoRegion;
        Left { found: WouldServe { id, title, region: Some(region), services: None, why }, end: End::Doubt }
    })
}

/// The step that let the region serve which may do so no more.
fn doubted<'m>(model: &'m Model, doubt: Doubt<'m>) -> Left<'m> {
    let step = planned(model, doubt.run).and_then(|runbook| runbook.steps.get(doubt.step));
    let found = WouldServe {
        id: doubt.step.as_str(),
        title: step.map_or(doubt.step.as_str(), |step| &step.title),
        region: Some(doubt.region),
        services: None,
        why: doubt.why,
    };
    Left { found, end: End::Doubt }
}
