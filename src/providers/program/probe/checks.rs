//! What can be wrong with the keys of `exec`, found before it runs.

use super::reads::Reads;
use crate::plan::ProbeSpec;
use crate::plan::kinds::{BuildError, faults, keys};
use crate::plan::params::{Param, Params};
use crate::providers::program::source::Program;

pub(super) fn check(spec: &ProbeSpec) -> Vec<BuildError> {
    let params = &spec.params;
    let found = [Program::of(params, "argv").err().map(BuildError::from), Reads::of(params).err()];
    faults(found).into_iter().chain(places(params)).chain(keys::program(params, &["argv"])).collect()
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
