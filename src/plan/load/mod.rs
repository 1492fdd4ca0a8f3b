//! Loads a plan: reads its files, merges them, reads every table against its keys, then checks the whole.

mod aws;
mod basics;
mod document;
mod fields;
mod ids;
mod kube;
mod left_out;
mod people;
mod probes;
mod reader;
mod references;
mod runbooks;
mod secrets;
mod tree;
mod value;

use super::checks;
use super::files;
use super::registry::Registry;
use super::types::{Plan, ProbeSpec};
use crate::base::toml::{Diagnostic, Diagnostics, Report, Sources, Span};
use crate::plan::kinds::{Does, Sees};
use document::Document;
use fields::Fields;
use ids::Ids;
use reader::{At, Reader};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A plan that can be used, with what its writer should look at.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub plan: Plan,
    /// What may not do what its writer wants, and errors of what lies outside of the plan.
    pub warnings: Diagnostics,
    /// The plan's files.
    pub sources: Arc<Sources>,
}

/// Where the things of a plan stand: `probes.db`, `tree.q.answers.yes`, `runbooks.r.steps.promote.needs`.
#[derive(Default)]
pub(crate) struct Places(HashMap<String, Span>);

impl Places {
    pub(crate) fn insert(&mut self, path: String, place: Span) {
        self.0.insert(path, place);
    }

    /// The place of a thing, or of what holds it.
    pub(crate) fn of(&self, path: &str) -> Span {
        let mut path = path;
        loop {
            match (self.0.get(path), path.rfind('.')) {
                (Some(place), _) => return *place,
                (None, Some(dot)) => path = &path[..dot],
                (None, None) => return Span { file: 0, start: 0, end: 0 },
            }
        }
    }
}

/// What reading the sections gives, with places for the checks.
pub(crate) struct Draft {
    pub(crate) plan: Plan,
    pub(crate) places: Places,
    /// Whether everything was read, so that what is missing is missing in the plan.
    pub(crate) complete: bool,
}

/// Loads the plan of a file or of a folder's `*.toml` files. Every problem is reported at once.
pub fn load(path: &Path, registry: &Registry) -> Result<Loaded, Diagnostics> {
    let report = Report::default();
    let (sources, all) = files::read(path, &report);
    let sources = Arc::new(sources);
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = folder.and_then(|folder| std::path::absolute(Path::new(".").join(folder)).ok());
    if !all {
        // What was read may be no TOML, and says nothing of what the others hold.
        let _ = Document::merge(&sources, &report);
        return Err(report.finish(sources, left_out::told));
    }
    load_sources(sources, registry, report, folder.as_deref())
}

/// Loads a plan from texts that are in memory, by file name.
pub fn load_texts(files: Vec<(String, String)>, registry: &Registry) -> Result<Loaded, Diagnostics> {
    let file = |(path, text): (String, String)| crate::base::toml::SourceFile { path, text: text.into() };
    let sources = Arc::new(Sources(files.into_iter().map(file).collect()));
    load_sources(sources, registry, Report::default(), None)
}

fn load_sources(
    sources: Arc<Sources>,
    registry: &Registry,
    report: Report,
    folder: Option<&Path>,
) -> Result<Loaded, Diagnostics> {
    if sources.0.is_empty() {
        return Err(report.finish(sources, left_out::told));
    }
    let Some(document) = Document::merge(&sources, &report) else {
        return Err(report.finish(sources, left_out::told));
    };
    let ids = Ids::collect(&document, registry, &report);
    let templates = basics::template_names(&document);
    let reader = Reader {
        sources: &sources,
        registry,
        ids: &ids,
        templates: &templates,
        report: &report,
        folder,
        now: jiff::Timestamp::now(),
    };
    let draft = read_plan(&document, &reader, digest(&sources));
    checks::check(&draft, registry, &report);
    let errors = report.errors();
    let problems = report.finish(Arc::clone(&sources), left_out::told);
    match errors {
        0 => Ok(Loaded { plan: draft.plan, warnings: problems, sources }),
        _ => Err(problems),
    }
}

fn read_plan(document: &Document, reader: &Reader<'_>, digest: String) -> Draft {
    let errors_before = reader.report.errors();
    let mut places = Places::default();
    for (section, things) in document.things() {
        for (name, entry) in things {
            places.insert(format!("{section}.{name}"), entry.key_place);
        }
    }
    for name in ["plan", "policy", "severity"] {
        if let Some(entry) = document.single(name) {
            places.insert(name.to_owned(), entry.key_place);
        }
    }
    let (name, strategy) = basics::plan(document, reader);
    basics::vars(document, reader);
    let contacts = people::contacts(document, reader, &mut places);
    let channels = people::channels(document, reader, &mut places);
    let rotations = people::rotations(document, reader, &mut places, &contacts);
    let titles = people::Titles { contacts: &contacts, rotations: &rotations, channels: &channels };
    let policies = people::policies(document, reader, &mut places, &titles);
    let mut plan = Plan {
        name,
        strategy,
        digest,
        policy: basics::policy(document, reader, &mut places),
        regions: basics::regions(document, reader, &mut places),
        services: basics::services(document, reader, &mut places),
        probes: probes::probes(document, reader, &mut places),
        backups: basics::backups(document, reader, &mut places),
        severity: basics::severity(document, reader, &mut places),
        tree: tree::tree(document, reader, &mut places),
        runbooks: runbooks::runbooks(document, reader, &mut places),
        contacts,
        channels,
        rotations,
        policies,
        audiences: people::audiences(document, reader, &mut places),
        messages: people::messages(document, reader, &mut places),
        notify: people::notify(document, reader, &mut places),
        drills: basics::drills(document, reader),
        secrets: secrets::read_secrets(&single(document, reader, "secrets")),
        aws: crate::plan::AwsSettings::default(),
        kube: crate::plan::KubeSettings::default(),
    };
    plan.aws = aws::read_aws(&single(document, reader, "aws"), &plan.regions);
    plan.kube = kube::read_kube(&single(document, reader, "kube"), &plan.regions);
    fill_health(&mut plan);
    fill_fences(&mut plan);
    Draft { plan, places, complete: reader.report.errors() == errors_before && errors_before == 0 }
}

/// Where a step that fences does not say which probes watch its server, those that connect to it as it does. A
/// replication probe watches its primary: fencing its standby says nothing of what that primary takes.
fn fill_fences(plan: &mut Plan) {
    let probes = &plan.probes;
    let steps = plan.runbooks.values_mut().flat_map(|runbook| runbook.steps.values_mut());
    for step in steps {
        let Some(server) = step.server().cloned() else { continue };
        let known = match step.does {
            Does::Fences => &mut step.fences,
            // Who is promoted accepts writes, fenced before or not.
            Does::Unfences | Does::Promotes => &mut step.unfences,
            _ => continue,
        };
        if !known.is_empty() {
            continue;
        }
        let watches = |probe: &&ProbeSpec| {
            let key = if probe.sees == Sees::Standby { "primary" } else { "dsn" };
            probe.params.get(key) == Some(&server)
        };
        *known = probes.values().filter(watches).map(|probe| probe.id.clone()).collect();
    }
}

/// Where a region does not say which probes tell its status, those that see whether something answers do.
fn fill_health(plan: &mut Plan) {
    for (id, region) in plan.regions.iter_mut().filter(|(_, region)| region.health.is_empty()) {
        let here = plan.probes.values().filter(|probe| probe.region.as_ref() == Some(id));
        region.health = here.filter(|probe| probe.sees.answers()).map(|probe| probe.id.clone()).collect();
    }
}

/// A section that is one table; an empty one where the plan has none.
fn single(document: &Document, reader: &Reader<'_>, name: &'static str) -> Fields {
    let what = format!("`[{name}]`");
    let keys = super::sections::find(name).map_or(&[][..], |section| section.keys);
    let absent = fields::absent();
    let entry = document.single(name).unwrap_or(&absent);
    Fields::read(reader, &[keys], entry, &At::new(&what))
}

/// SHA-256 over the files: the length and bytes of each name and text, so that no two plans look alike.
fn digest(sources: &Sources) -> String {
    let mut hasher = Sha256::new();
    for file in &sources.0 {
        let name = Path::new(&file.path).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        for part in [name.as_bytes(), file.text.as_bytes()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reports what a section lacks.
fn missing_section(reader: &Reader<'_>, message: &str, help: &str) {
    let file = reader.sources.0.first().map_or(String::new(), |file| file.path.clone());
    reader.report.add(Diagnostic::of_file("missing-table", file, message).help(help));
}
