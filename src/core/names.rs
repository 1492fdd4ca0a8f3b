//! What conditions can read of the model. What is not known has no value, so that nothing follows from it.

use crate::base::ids::{ProbeId, ServiceId};
use crate::base::units;
use crate::base::units::Unit;
use crate::core::model::{Model, Standing, Status};
use crate::core::reading::Field;
use crate::core::signal::{Recent, SignalState, age, failing, is_stale};
use crate::core::{backup, blind, evidence, placement, servers};
use crate::plan::ProbeSpec;
use crate::plan::condition::{Condition, Names, Reference, Scalar};
use jiff::{SignedDuration, Timestamp};

/// The model at a moment.
pub struct View<'a> {
    /// The model.
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
    let is_other = |other: &&ProbeSpec| other.kind == "postgres" && other.params.get("dsn") == address;
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
    /// Readings from before are not counted.
    pub since: Timestamp,
}

impl Names for Since<'_> {
    fn lookup(&self, reference: &Reference) -> Result<Scalar, String> {
        let name = reference.name.as_deref().unwrap_or_default();
        let plan = &self.view.model.plan;
        match reference.root.as_str() {
            "signals" => self.measured(name, reference.field == "state")?,
            "regions" => {
                let mut health = plan.regions.get(name).into_iter().flat_map(|region| &region.health);
                health.try_for_each(|probe| self.measured(probe.as_str(), true))?;
            }
            "services" => {
                let service = ServiceId::from(name);
                let region = placement::region_of(self.view.model, &service);
                let health = plan.services.get(&service).zip(region);
                let mut health =
                    health.and_then(|(service, region)| service.health.get(region)).into_iter().flatten();
                health.try_for_each(|probe| self.measured(probe.as_str(), true))?;
            }
            _ => {}
        }
        self.view.lookup(reference)
    }
}

impl Since<'_> {
    /// Refuses a signal of which no reading counts. Its state counts only where the latest reading is no worse: one bad
    /// reading may not turn it yet, and proves nothing good.
    fn measured(&self, probe: &str, is_state: bool) -> Result<(), String> {
        let model = self.view.model;
        let counts = |recent: &&Recent| {
            let latest = recent.latest.as_ref();
            latest.is_some_and(|reading| reading.at.duration_since(self.since) >= reading.took)
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
        let known = standing.status != Status::Unknown;
        match field {
            "known" => Ok(Scalar::Flag(known)),
            "flapping" => {
                Ok(Scalar::Flag(standing.flapping_until(self.model.plan.policy.cooldown, self.now).is_some()))
            }
            "status" if known => Ok(Scalar::Text(standing.status.as_str().into())),
            "status" => Err(format!("the status of {kind} {name} is unknown")),
            _ => Err(format!("a {kind} has no `{field}`")),
        }
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
