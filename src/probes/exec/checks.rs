//! What can be wrong with the keys of `exec`, found before it runs.

use super::reads::Reads;
use crate::plan::ProbeSpec;
use crate::plan::params::{Param, Params};
use crate::probes::source::{Program, keys};
use crate::probes::{BuildError, faults};

pub(super) fn check(spec: &ProbeSpec) -> Vec<BuildError> {
    let params = &spec.params;
    let found =
        [Program::of(params, "argv").err().map(BuildError::from), Reads::of(params).err(), zero_byte(params)];
    faults(found).into_iter().chain(places(params)).chain(variables(params)).collect()
}

/// Where a value and the fields are in JSON.
fn places(params: &Params) -> Vec<BuildError> {
    if params.text("stdout") != Some("json") {
        return Vec::new();
    }
    let fields =
        params.table("fields").filter_map(|(_, place)| keys::place("fields", Param::as_text(place)?));
    keys::pointer(params, "value").into_iter().chain(fields).collect()
}

/// Names that no environment can have.
fn variables(params: &Params) -> Vec<BuildError> {
    let wrong = |key: &str, name: &str| {
        let fits = !name.is_empty() && !name.contains(['=', '\0']);
        let why = format!("`{}` is no name of a variable", crate::text::clean(name, 60));
        (!fits).then(|| BuildError::value(key, name, why))
    };
    let set = params.table("env").filter_map(|(name, _)| wrong("env", name));
    let passed = params.texts("pass_env").into_iter().filter_map(|name| wrong("pass_env", name));
    set.chain(passed).collect()
}

/// No argument of a program holds one.
fn zero_byte(params: &Params) -> Option<BuildError> {
    let argument = params.texts("argv").into_iter().find(|argument| argument.contains('\0'))?;
    Some(BuildError::value(
        "argv",
        argument,
        "an argument holds a zero byte, which ends it for every program",
    ))
}
