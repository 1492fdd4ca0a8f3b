//! Probes: the keys of every probe, and those of its kind.

use super::Places;
use super::document::Document;
use super::fields::Fields;
use super::reader::{At, Reader};
use crate::base::ids::{ProbeId, RegionId};
use crate::base::toml::node::Entry;
use crate::base::toml::{Diagnostic, Span};
use crate::base::units::Unit;
use crate::plan::is_left_out;
use crate::plan::keys::Key;
use crate::plan::kinds::ProbeKind;
use crate::plan::sections;
use crate::plan::types::{ProbeSpec, Thresholds};
use indexmap::IndexMap;

/// Most probes of a plan.
const MAX_PROBES: usize = 50_000;

pub(super) fn probes(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<ProbeId, ProbeSpec> {
    let mut probes = IndexMap::new();
    let keys = sections::find("probes").map_or(&[][..], |section| section.keys);
    for (index, (id, entry)) in document.named("probes").enumerate() {
        if index == MAX_PROBES {
            let message = format!("the plan has more than {MAX_PROBES} probes");
            reader.report.add(Diagnostic::error("too-large", entry.key_place, message));
            break;
        }
        if let Some(probe) = probe(id, entry, keys, reader, places) {
            probes.insert(ProbeId::from(&**id), probe);
        }
    }
    probes
}

fn probe(
    id: &str,
    entry: &Entry,
    keys: &'static [Key],
    reader: &Reader<'_>,
    places: &mut Places,
) -> Option<ProbeSpec> {
    let what = format!("probe `{}`", crate::base::text::clean(id, 80));
    let kind = kind(entry, reader).ok()?;
    let at = At { unit: kind.map_or(Unit::Number, |kind| kind.unit), ..At::new(&what) };
    let fields = match kind {
        Some(kind) => Fields::read(reader, &[keys, kind.keys], entry, &at),
        None => Fields::read(reader, &[keys], entry, &at), // reports that the kind is missing
    };
    for key in ["every", "timeout", "stale_after", "warn", "critical", "warn_below", "critical_below"] {
        if fields.get(key).is_some() {
            places.insert(format!("probes.{id}.{key}"), fields.place_of(key));
        }
    }
    let thresholds = thresholds(&fields, reader)?;
    let kind = kind.filter(|_| fields.complete)?;
    let every = fields.duration("every")?;
    let timeout = fields.duration("timeout")?;
    let count = |key: &str| fields.integer(key).and_then(|count| u32::try_from(count).ok());
    let spec = ProbeSpec {
        id: ProbeId::from(id),
        kind: kind.name.to_owned(),
        sees: kind.sees,
        title: fields.text_or("title", id),
        region: fields.get("region").and_then(|region| region.text()).map(RegionId::from),
        database: fields.get("database").and_then(|database| database.text()).map(str::to_owned),
        every,
        timeout,
        thresholds,
        unit: kind.unit,
        fail_after: count("fail_after")?,
        recover_after: count("recover_after")?,
        stale_after: fields
            .duration("stale_after")
            .unwrap_or_else(|| every.saturating_mul(3).saturating_add(timeout)),
        params: fields.params(kind.keys),
    };
    report_faults(kind, &spec, &fields, reader);
    Some(spec)
}

/// Reports what the kind itself finds wrong with its keys.
fn report_faults(kind: &ProbeKind, spec: &ProbeSpec, fields: &Fields, reader: &Reader<'_>) {
    for error in (kind.check)(spec) {
        let Some((key, why)) = error.fault() else { continue };
        let key = key.split('.').next().unwrap_or(key);
        let message = format!("`{key}` of probe `{}` does not do: {why}", spec.id);
        reader.report.add(Diagnostic::error("bad-value", fields.place_of(key), message));
    }
}

/// The kind that a probe names. `Ok(None)` where it names none, which reading its keys reports; `Err` once it is
/// reported that there is no such kind.
fn kind(entry: &Entry, reader: &Reader<'_>) -> Result<Option<&'static ProbeKind>, ()> {
    let Some(named) = entry.node.table().and_then(|table| table.get("kind")) else { return Ok(None) };
    let Some(name) = named.node.text() else { return Ok(None) };
    reader.registry.probe(name).map(Some).ok_or_else(|| {
        if is_left_out(name) {
            return super::left_out::used(reader.report, named.node.place, name);
        }
        let message = format!("there is no probe kind `{}`", crate::base::text::clean(name, 60));
        let problem = Diagnostic::error("unknown-kind", named.node.place, message);
        reader.report.add(problem.help(reader.registry.probe_help(name)));
    })
}

fn thresholds(fields: &Fields, reader: &Reader<'_>) -> Option<Thresholds> {
    let above = (fields.number("warn"), fields.number("critical"));
    let under = (fields.number("warn_below"), fields.number("critical_below"));
    let below = under.0.is_some() || under.1.is_some();
    if below && (above.0.is_some() || above.1.is_some()) {
        let one = fields.place_of(if above.0.is_some() { "warn" } else { "critical" });
        let other: Span = fields.place_of(if under.0.is_some() { "warn_below" } else { "critical_below" });
        reader.report.add(
            Diagnostic::error("thresholds", one, "a probe has bounds from above or from below, not both")
                .also(other, "the other bound")
                .help("use `warn` and `critical` where higher is worse, `warn_below` and `critical_below` where lower is worse"),
        );
        return None;
    }
    let (warn, critical) = if below { under } else { above };
    Some(Thresholds { warn, critical, below })
}
