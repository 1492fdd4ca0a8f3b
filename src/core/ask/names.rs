//! What conditions can read of the model. What is not known has no value, so that nothing follows from it.

use crate::base::ids::{ProbeId, RegionId, ServiceId};
use crate::base::units;
use crate::base::units::Unit;
use crate::core::ask::{backup, blind, evidence, lifecycle, placement, servers, standing};
use crate::core::model::{Model, Standing, Status};
use crate::core::words::reading::Field;
use crate::core::words::signal::{Recent, SignalState, age, failing, is_stale};
use crate::plan::ProbeSpec;
use crate::plan::condition::{Condition, Names, Reference, Scalar};
use crate::plan::kinds::Sees;
use jiff::{SignedDuration, Timestamp};

/// The model at a moment.
pub struct View<'a> {
    pub model: &'a Model,
    /// The moment, for ages.
    pub now: Timestamp,
}

/// What people call a probe now: one that follows the primary measures the other server once the roles changed sides, and
/// an address that moved with the primary leads to another server.
pub fn title(model: &Model, spec: &ProbeSpec) -> String {
    let measured = model.live.recent.get(&spec.id).and_then(Recent::measured);
    let fields = measured.and_then(|reading| Some(&reading.outcome.as_ref().ok()?.fields));
    if let Some(other) = servers::leads_to(model, spec) {
        return format!("{}, whose address leads to {} now", spec.title, other.title);
    }
    if fields.and_then(|fields| fields.get("reversed")) != Some(&Field::Flag(true)) {
        return spec.title.clone();
    }
    let address = spec.params.get("primary");
    let is_other = |other: &&ProbeSpec| other.sees == Sees::Server && other.params.get("dsn") == address;
    match model.plan.probes.values().find(is_other) {
        Some(other) => format!("reversed, of {}", other.title),
        None => format!("reversed: {}", spec.title),
    }
}

/// What a condition reads, each with its value now or why it has none.
pub fn values(view: &View<'_>, condition: &Condition) -> Vec<String> {
    let value = |reference: &Reference| {
        let name = reference.name.as_deref().unwrap_or(&reference.root);
        let field = reference.field.strip_prefix("fields.").unwrap_or(&reference.field);
        let value = match view.lookup(reference) {
            Ok(Scalar::Number(number)) => measured(field, number),
            Ok(Scalar::Text(text)) => text,
            Ok(Scalar::Flag(flag)) => flag.to_string(),
            Err(_) => "not known".to_owned(),
        };
        format!("{field} of {name} is {value}")
    };
    condition.references().iter().map(value).collect()
}

/// A number in the unit that its field's name ends with.
fn measured(field: &str, number: f64) -> String {
    let unit = match field.rsplit('_').next() {
        Some("s") => Unit::Seconds,
        Some("ms") => Unit::Milliseconds,
        Some("bytes") => Unit::Bytes,
        _ => Unit::Number,
    };
    units::value(number, unit)
}

impl Names for View<'_> {
    fn lookup(&self, reference: &Reference) -> Result<Scalar, String> {
        let name = reference.name.as_deref().unwrap_or_default();
        let field = reference.field.as_str();
        match reference.root.as_str() {
            "signals" => self.signal(name, field),
            "regions" => self.standing("region", name, field, self.model.durable.regions.get(name)),
            "services" => self.standing("service", name, field, self.model.durable.services.get(name)),
            "backups" => self.backup(name, field),
            "incident" => self.incident(field),
            "console" if field == "blind" => Ok(Scalar::Flag(blind::since(self.model).is_some())),
            root => Err(format!("`{root}` has no `{field}`")),
        }
    }
}

/// The model at a moment, of which only readings that began after another one count: what a step waits for must not
/// be satisfied by what was measured before it.
pub struct Since<'a> {
    /// The model at a moment.
    pub view: View<'a>,
    /// Readings from before are not counted; none where all are.
    pub since: Option<Timestamp>,
    /// Services that are looked at in another region than the one that they serve from: where a step moves them to.
    pub ahead: Vec<(ServiceId, RegionId)>,
}

impl Names for Since<'_> {
    fn lookup(&self, reference: &Reference) -> Result<Scalar, String> {
        self.asked(reference)?;
        let moved = (reference.root == "services").then(|| self.moved(reference)).flatten();
        moved.unwrap_or_else(|| self.view.lookup(reference))
    }
}

impl Since<'_> {
    /// Refuses a name that rests on something of which no reading counts.
    fn asked(&self, reference: &Reference) -> Result<(), String> {
        let Some(since) = self.since else { return Ok(()) };
        let name = reference.name.as_deref().unwrap_or_default();
        let model = self.view.model;
        let plan = &model.plan;
        let probes: Vec<&ProbeId> = match reference.root.as_str() {
            "signals" => return self.measured(name, since, reference.field == "state"),
            "regions" => plan.regions.get(name).into_iter().flat_map(|region| &region.health).collect(),
            "services" => {
                let service = ServiceId::from(name);
                let region = self.region(&service).or_else(|| placement::region_of(model, &service));
                let spec = plan.services.get(&service);
                spec.map_or_else(Vec::new, |spec| standing::looked_at(spec, region))
            }
            "backups" => plan.backups.get(name).into_iter().map(|backup| &backup.probe).collect(),
            // The rules' severity rests on all that they read; a person's on nothing that is measured.
            "incident" if reference.field == "severity" && !self.is_severity_set() => {
                let rules = plan.severity.iter().flat_map(|rule| rule.when.references());
                let mut others = rules.filter(|other| other.root != "incident");
                return others.try_for_each(|other| self.asked(other));
            }
            "console" => plan.policy.reference.iter().collect(),
            // What people did; nothing measures it.
            "incident" => Vec::new(),
            root => return Err(format!("`{root}` does not say what it was measured by")),
        };
        probes.into_iter().try_for_each(|probe| self.measured(probe.as_str(), since, true))
    }

    fn is_severity_set(&self) -> bool {
        let incident = lifecycle::open_and_told(self.view.model);
        incident.is_some_and(|incident| incident.severity_override.is_some())
    }

    fn region(&self, service: &ServiceId) -> Option<&RegionId> {
        self.ahead.iter().find(|(known, _)| known == service).map(|(_, region)| region)
    }

    /// How a service is where a step moves it to; none of another one, and of what its past tells.
    fn moved(&self, reference: &Reference) -> Option<Result<Scalar, String>> {
        let id = ServiceId::from(reference.name.as_deref()?);
        let region = self.region(&id)?;
        let model = self.view.model;
        let status = standing::service_in(model, model.plan.services.get(&id)?, Some(region));
        status_of("service", id.as_str(), &reference.field, status)
    }

    /// Refuses a signal of which no reading counts. Its state counts only where the latest reading is no worse: one bad
    /// reading may not turn it yet, and proves nothing good.
    fn measured(&self, probe: &str, since: Timestamp, is_state: bool) -> Result<(), String> {
        let model = self.view.model;
        let counts = |recent: &&Recent| {
            let latest = recent.latest.as_ref();
            latest.is_some_and(|reading| reading.at.duration_since(since) >= reading.took)
        };
        let Some(recent) = model.live.recent.get(probe).filter(counts) else {
            return Err(format!("signal {probe} was not measured since the step began"));
        };
        let Some(spec) = model.plan.probes.get(probe).filter(|_| is_state) else { return Ok(()) };
        match failing(spec, model.state(&spec.id), recent) {
            Some((count, of)) => Err(format!("signal {probe} turns: {count} of {of} readings are worse")),
            None => Ok(()),
        }
    }
}

/// What a status says of one of its fields; none where the field is not about it.
fn status_of(kind: &str, name: &str, field: &str, status: Status) -> Option<Result<Scalar, String>> {
    let known = status != Status::Unknown;
    match field {
        "known" => Some(Ok(Scalar::Flag(known))),
        "status" if known => Some(Ok(Scalar::Text(status.as_str().into()))),
        "status" => Some(Err(format!("the status of {kind} {name} is unknown"))),
        _ => None,
    }
}

impl View<'_> {
    fn signal(&self, name: &str, field: &str) -> Result<Scalar, String> {
        let unknown = |why: &str| format!("signal {name} is unknown: {why}");
        let signal =
            self.model.durable.signals.get(name).ok_or_else(|| format!("there is no signal {name}"))?;
        let known = signal.state != SignalState::Unknown;
        match field {
            "known" => return Ok(Scalar::Flag(known)),
            "state" if known => return Ok(Scalar::Text(signal.state.as_str().into())),
            "state" => return Err(unknown(&signal.why)),
            _ => {}
        }
        let spec = self.model.plan.probes.get(name).ok_or_else(|| format!("there is no probe {name}"))?;
        if let Some(exposed) = self.exposure(name, field) {
            return exposed;
        }
        let recent = self.model.live.recent.get(name).ok_or_else(|| unknown("it was not measured yet"))?;
        let reading = recent.latest.as_ref().ok_or_else(|| unknown("it was not measured yet"))?;
        if field == "age_s" {
            return Ok(Scalar::Number(age(reading.at, self.now).as_secs_f64()));
        }
        if is_stale(spec, recent, self.now) {
            return Err(unknown("its last reading is too old"));
        }
        let measured = reading.outcome.as_ref().map_err(|failure| unknown(&failure.why))?;
        match field.strip_prefix("fields.") {
            Some(key) => match measured.fields.get(key) {
                Some(Field::Number(number)) => Ok(Scalar::Number(*number)),
                Some(Field::Text(text)) => Ok(Scalar::Text(text.clone())),
                Some(Field::Flag(flag)) => Ok(Scalar::Flag(*flag)),
                None => Err(unknown(&format!("its last reading has no {key}"))),
            },
            None => measured.value.map(Scalar::Number).ok_or_else(|| unknown(&measured.summary)),
        }
    }

    /// What is lost, as it is told to people: the upper end of a range, also while the probe cannot measure. None for
    /// another field, and for a probe that tells no loss.
    fn exposure(&self, name: &str, field: &str) -> Option<Result<Scalar, String>> {
        let key = field.strip_prefix("fields.exposure_")?;
        let loss = evidence::loss(self.model, &ProbeId::from(name), self.now)?;
        if loss.span.is_none() && loss.bytes.is_none() {
            return None;
        }
        let seconds = |span: SignedDuration| span.as_secs_f64();
        let number = match key {
            "s" => loss.span.map(seconds),
            "min_s" => loss.span_min.or(loss.span).map(seconds),
            "bytes" => loss.bytes.map(|bytes| bytes as f64),
            "min_bytes" => loss.bytes_min.or(loss.bytes).map(|bytes| bytes as f64),
            _ => return None,
        };
        let unknown = || format!("signal {name} is unknown: {}", loss.basis);
        Some(number.map(Scalar::Number).ok_or_else(unknown))
    }

    fn standing(
        &self,
        kind: &str,
        name: &str,
        field: &str,
        found: Option<&Standing>,
    ) -> Result<Scalar, String> {
        let standing = found.ok_or_else(|| format!("there is no {kind} {name}"))?;
        if field == "flapping" {
            let until = standing.flapping_until(self.model.plan.policy.cooldown, self.now);
            return Ok(Scalar::Flag(until.is_some()));
        }
        status_of(kind, name, field, standing.status)
            .unwrap_or_else(|| Err(format!("a {kind} has no `{field}`")))
    }

    fn backup(&self, name: &str, field: &str) -> Result<Scalar, String> {
        let spec = self.model.plan.backups.get(name).ok_or_else(|| format!("there is no backup {name}"))?;
        let standing = backup::standing(self.model, spec, self.now);
        let known = standing.state != SignalState::Unknown;
        match (field, standing.age) {
            ("known", _) => Ok(Scalar::Flag(known)),
            ("state", _) if known => Ok(Scalar::Text(standing.state.as_str().into())),
            ("age_s", Some(age)) => Ok(Scalar::Number(age.as_secs_f64())),
            _ => Err(format!("backup {name} is unknown: {}", standing.why)),
        }
    }

    fn incident(&self, field: &str) -> Result<Scalar, String> {
        let incident = self.model.durable.incident.as_ref();
        match (field, incident) {
            ("open", incident) => Ok(Scalar::Flag(incident.is_some())),
            ("severity", _) => {
                let severity = self.model.severity().ok_or("the severity is not known")?;
                Ok(Scalar::Text(severity.as_str().into()))
            }
            ("mode", Some(incident)) => Ok(Scalar::Text(incident.mode.as_str().into())),
            _ => Err("no incident is open".into()),
        }
    }
}
