//! What `lifeboat themes` and `lifeboat keys` have in common: both list and check layered TOML files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::toml::{Diagnostics, Report, render};
use crate::console::layers::{Layers, Origin, Source, read_source, unreadable};

/// The user's own folder of `kind` ("themes", "keymaps"): below the folder given, or below
/// `$XDG_CONFIG_HOME/lifeboat`.
pub(super) fn user_folder(config: Option<&Path>, kind: &str) -> Option<PathBuf> {
    let config = match config {
        Some(config) => config.to_owned(),
        None => directories::ProjectDirs::from("", "", "lifeboat")?.config_dir().to_owned(),
    };
    Some(config.join(kind))
}

/// Prints each name with where it comes from, and what `check` finds wrong with it in a word.
pub(super) fn list(
    out: &mut impl Write,
    layers: &Layers,
    check: impl Fn(&Layers, usize, &Report),
) -> io::Result<bool> {
    let names = layers.names();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for name in names {
        let Ok(index) = layers.find(name) else { continue };
        let from = match &layers.sources()[index].origin {
            Origin::BuiltIn => "built in".to_owned(),
            Origin::File(path) => format!("user: {}", path.display()),
        };
        let report = Report::default();
        check(layers, index, &report);
        let trouble = match report.errors() {
            0 => String::new(),
            1 => ", 1 problem (see check)".to_owned(),
            count => format!(", {count} problems (see check)"),
        };
        writeln!(out, "{name:width$}  {from}{trouble}")?;
    }
    let report = Report::default();
    layers.unreadable().iter().for_each(|problem| report.add(problem.clone()));
    print_problems(out, &report.finish(layers.texts(), |_| None))?;
    Ok(layers.unreadable().is_empty())
}

/// Checks one file, or everything there is, and prints every problem. True when there is none.
pub(super) fn check(
    out: &mut impl Write,
    mut layers: Layers,
    file: Option<&Path>,
    check: impl Fn(&Layers, usize, &Report),
) -> io::Result<bool> {
    let report = Report::default();
    let indices: Vec<usize> = match file {
        Some(path) => match read_source(path) {
            Ok(source) => vec![layers.push(source)],
            Err(error) => {
                report.add(unreadable(path, &error));
                Vec::new()
            }
        },
        None => {
            layers.unreadable().iter().for_each(|problem| report.add(problem.clone()));
            (0..layers.sources().len()).collect()
        }
    };
    indices.iter().for_each(|index| check(&layers, *index, &report));
    let problems = report.finish(layers.texts(), |_| None);
    print_problems(out, &problems)?;
    if problems.is_empty() {
        let names: Vec<&str> = indices.iter().map(|index| layers.sources()[*index].name.as_str()).collect();
        writeln!(out, "no problems in: {}", names.join(", "))?;
    }
    Ok(problems.is_empty())
}

/// Prints problems, each with its place.
pub(super) fn print_problems(out: &mut impl Write, problems: &Diagnostics) -> io::Result<()> {
    out.write_all(render::plain(problems).as_bytes())
}

/// The exit code: 0 when all is well, 1 when there are problems. A reader that closed the pipe had enough.
pub(super) fn exit_code(result: io::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "lifeboat: cannot write to standard output: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The name of a source, for messages.
pub(super) fn origin_of(layers: &Layers, name: &str) -> String {
    layers.find(name).map(|index| origin(&layers.sources()[index])).unwrap_or_default()
}

fn origin(source: &Source) -> String {
    source.origin.to_string()
}
