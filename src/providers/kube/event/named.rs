//! Which objects a plan wants to hear of.

use super::Warning;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::place::checked;

/// An object by its name, of any kind or of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    kind: Option<String>,
    name: String,
}

impl Named {
    /// Of `web` or `pod/web-1`.
    ///
    /// # Errors
    /// When no object can have that name.
    pub fn of(key: &str, text: &str) -> Result<Self, BuildError> {
        let (kind, name) = text.split_once('/').map_or((None, text), |(kind, name)| (Some(kind), name));
        if kind.is_some_and(|kind| kind.is_empty() || !kind.chars().all(|c| c.is_ascii_alphanumeric())) {
            return Err(BuildError::value(
                key,
                text,
                "what stands before the `/` is no kind of object, as `pod` is",
            ));
        }
        Ok(Self { kind: kind.map(str::to_lowercase), name: checked(key, name)?.to_owned() })
    }

    /// Whether the warning is about it.
    pub fn is_of(&self, warning: &Warning) -> bool {
        self.name == warning.name && self.kind.as_ref().is_none_or(|kind| *kind == warning.kind)
    }
}

/// Those under `names`.
///
/// # Errors
/// As [`Named::of`].
pub(super) fn named(params: &Params) -> Result<Vec<Named>, BuildError> {
    params.texts("names").into_iter().map(|text| Named::of("names", text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_without_a_kind_is_of_every_kind() {
        let about = |kind: &str| Warning::of(&json!({"involvedObject": {"kind": kind, "name": "web"}}));
        let is_of = |text: &str, kind: &str| Named::of("names", text).unwrap().is_of(&about(kind));
        assert!(is_of("web", "Deployment") && is_of("web", "Pod"));
        assert!(is_of("deployment/web", "Deployment") && is_of("Deployment/web", "Deployment"));
        assert!(!is_of("pod/web", "Deployment") && !is_of("api", "Pod"));
        for bad in ["", "/web", "a b/web", "pod/", "pod/a/b"] {
            assert!(Named::of("names", bad).is_err(), "{bad}");
        }
    }
}
