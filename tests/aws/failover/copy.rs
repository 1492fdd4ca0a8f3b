//! A shipped plan for a test's world: only addresses, names of what AWS names itself, and times are other ones.

use std::path::Path;
use toml::{Table, Value};

/// Kinds that ask AWS: an emulator of one process answers them all.
const OF_AWS: [&str; 8] = [
    "rds-instance",
    "cloudwatch-metric",
    "cloudwatch-alarms",
    "route53-record",
    "route53-health-check",
    "msk-cluster",
    "eks-nodegroup",
    "cloudfront-distribution",
];

/// The files of a plan.
pub struct Copy {
    files: Vec<(String, Table)>,
}

impl Copy {
    /// Reads `plans/<name>`, and lets everything be looked at often: a night in minutes.
    pub fn of(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(name);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), text.parse().unwrap())
        });
        let mut copy = Self { files: files.collect() };
        copy.hurry();
        copy.tell_nobody();
        copy
    }

    /// These nights are about the failover: nobody is paged, by channels that this host could reach.
    fn tell_nobody(&mut self) {
        for (_, table) in &mut self.files {
            table.remove("policies");
            if let Some(notify) = table.get_mut("notify").and_then(Value::as_table_mut) {
                notify.remove("propose");
            }
        }
    }

    fn hurry(&mut self) {
        for table in self.files.iter_mut().map(|(_, table)| table) {
            for (_, probe) in section(table, "probes") {
                let kind = probe["kind"].as_str().unwrap().to_owned();
                let (every, timeout) = match &*kind {
                    "tcp" | "http" | "postgres" | "postgres-replication" => ("1s", "900ms"),
                    kind if kind.starts_with("kube-") => ("2s", "1500ms"),
                    kind if OF_AWS.contains(&kind) => ("3s", "9s"),
                    _ => continue,
                };
                probe.insert("every".into(), every.into());
                probe.insert("timeout".into(), timeout.into());
            }
            for (_, runbook) in section(table, "runbooks") {
                let steps = runbook.get_mut("steps").and_then(Value::as_array_mut).unwrap();
                for step in steps.iter_mut().filter_map(Value::as_table_mut) {
                    if let Some(with) = step.get_mut("with").and_then(Value::as_table_mut)
                        && with.contains_key("sustain")
                    {
                        with.insert("sustain".into(), "3s".into());
                    }
                }
            }
        }
    }

    /// Sets a key of what the plan has, such as `probes.primary-api.url`.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        let [section, name, key] = path.split('.').collect::<Vec<_>>()[..] else { panic!("{path}") };
        let found = self
            .files
            .iter_mut()
            .find_map(|(_, table)| table.get_mut(section)?.as_table_mut()?.get_mut(name)?.as_table_mut());
        found.unwrap_or_else(|| panic!("the plan has no {path}")).insert(key.into(), value.into());
    }

    /// Sets a value of `[vars]`, which the plan must have.
    pub fn var(&mut self, name: &str, value: &str) {
        let vars = self.files.iter_mut().find_map(|(_, table)| table.get_mut("vars")?.as_table_mut());
        let before = vars.unwrap().insert(name.into(), value.into());
        assert!(before.is_some(), "the plan has no vars.{name}");
    }

    /// Sends what asks AWS elsewhere.
    pub fn aws(&mut self, endpoint: &str, primary: &str) {
        let found = self.files.iter_mut().find_map(|(_, table)| table.get_mut("aws")?.as_table_mut());
        let aws = found.unwrap();
        aws.insert("endpoint".into(), endpoint.into());
        aws.insert("endpoints".into(), Table::from_iter([("primary".to_owned(), primary.into())]).into());
    }

    /// Writes the files into a new folder.
    pub fn write(&self, folder: &Path) {
        std::fs::create_dir(folder).unwrap();
        for (name, table) in &self.files {
            std::fs::write(folder.join(name), toml::to_string(table).unwrap()).unwrap();
        }
    }
}

fn section<'t>(table: &'t mut Table, name: &str) -> impl Iterator<Item = (&'t String, &'t mut Table)> {
    let all = table.get_mut(name).and_then(Value::as_table_mut).into_iter().flatten();
    all.filter_map(|(id, value)| Some((id, value.as_table_mut()?)))
}
