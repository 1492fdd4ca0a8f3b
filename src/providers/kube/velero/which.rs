//! Which backups a plan means.

use super::seen::Backup;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::client::{Call, is_name};
use crate::providers::kube::place::{checked, selector};

pub const SCHEDULE: Key =
    Key::optional("schedule", Takes::Text, "Those of this schedule (label `velero.io/schedule-name`).");
pub const NAME_PREFIX: Key = Key::optional(
    "name_prefix",
    Takes::Text,
    "Those whose name begins with this (`shop-`): for backups that no schedule of Velero makes.",
);
pub const SELECTOR: Key =
    Key::optional("selector", Takes::Text, "Those whose labels fit, as `velero backup get -l` takes it.");
pub const BACKUP: Key = Key::optional("backup", Takes::Text, "This one, by its name.");

/// The label by which a backup tells its schedule; what no label can hold is no schedule.
const SCHEDULE_LABEL: &str = "velero.io/schedule-name";
const MAX_LABEL_CHARS: usize = 63;

/// Which backups are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    Schedule(String),
    Prefix(String),
    Selected(String),
    Named(String),
}

impl Which {
    /// As a plan says it.
    ///
    /// # Errors
    /// When it says none, says it in two ways, or names what cannot be.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let keys = ["schedule", "name_prefix", "selector", "backup"];
        let mut given = keys.into_iter().filter_map(|key| Some((key, params.text(key)?)));
        let (Some((key, text)), None) = (given.next(), given.next()) else {
            let why =
                "exactly one key says which backups are meant: a schedule, a selector of labels or a name";
            return Err(BuildError::value("schedule", params.text("schedule").unwrap_or_default(), why));
        };
        match key {
            "schedule" if checked(key, text)?.len() > MAX_LABEL_CHARS => {
                let why = "Velero keeps the schedule in a label, which has at most 63 characters";
                Err(BuildError::value(key, text, why))
            }
            "schedule" => Ok(Self::Schedule(text.to_owned())),
            "name_prefix" => {
                checked(key, text.trim_end_matches(['-', '.'])).map(|_| Self::Prefix(text.to_owned()))
            }
            "backup" => checked(key, text).map(|name| Self::Named(name.to_owned())),
            _ => Ok(Self::Selected(selector(params)?.unwrap_or_default())),
        }
    }

    /// The labels that they have.
    pub fn selector(&self) -> Option<String> {
        match self {
            Self::Schedule(name) => Some(format!("{SCHEDULE_LABEL}={name}")),
            Self::Selected(selector) => Some(selector.clone()),
            Self::Prefix(_) | Self::Named(_) => None,
        }
    }

    /// Whether one that has the labels is meant.
    pub fn fits(&self, backup: &Backup) -> bool {
        match self {
            Self::Prefix(prefix) => backup.name.starts_with(prefix),
            Self::Named(name) => backup.name == *name,
            Self::Schedule(_) | Self::Selected(_) => true,
        }
    }

    /// For people (`of the schedule shop`).
    pub fn words(&self) -> String {
        match self {
            Self::Schedule(name) => format!("of the schedule {name}"),
            Self::Prefix(prefix) => format!("named {prefix}…"),
            Self::Selected(selector) => format!("with the labels {selector}"),
            Self::Named(name) => format!("named {name}"),
        }
    }

    /// The one of them that a restore takes, for people.
    pub fn meant(&self) -> String {
        match self {
            Self::Named(name) => format!("the backup {name}"),
            _ => format!("the newest complete backup {}", self.words()),
        }
    }

    /// The call that reads them.
    pub fn call(&self, namespace: &str) -> Call {
        match self {
            Self::Named(name) => Call::new("get backups.velero.io", format!("{name} in {namespace}")),
            _ => Call::new("list backups.velero.io", format!("{} in {namespace}", self.words())),
        }
    }
}

/// Whether a label can hold it, as Velero marks what belongs to a backup with its name.
pub fn is_label(name: &str) -> bool {
    is_name(name) && name.len() <= MAX_LABEL_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;

    fn of(given: &[(&str, &str)]) -> Result<Which, BuildError> {
        let mut params = Params::default();
        for (key, text) in given {
            params.0.insert((*key).to_owned(), Param::Text((*text).to_owned()));
        }
        Which::of(&params)
    }

    #[test]
    fn a_plan_says_in_one_way_which_backups_it_means() {
        assert_eq!(of(&[("schedule", "shop")]).unwrap(), Which::Schedule("shop".into()));
        assert_eq!(of(&[("name_prefix", "shop-")]).unwrap(), Which::Prefix("shop-".into()));
        assert_eq!(of(&[("selector", "a=b")]).unwrap(), Which::Selected("a=b".into()));
        let long = "a".repeat(64);
        for bad in [
            &[][..],
            &[("schedule", "shop"), ("selector", "a=b")],
            &[("schedule", &long)],
            &[("schedule", "a,b=c")],
            &[("name_prefix", "-")],
            &[("name_prefix", "../x")],
            &[("backup", "a/b")],
            &[("selector", "")],
        ] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_schedule_is_found_by_its_label_and_a_prefix_by_the_name() {
        let schedule = of(&[("schedule", "shop")]).unwrap();
        assert_eq!(schedule.selector().as_deref(), Some("velero.io/schedule-name=shop"));
        let prefix = of(&[("name_prefix", "shop-")]).unwrap();
        let named = |name: &str| Backup::of(&serde_json::json!({"metadata": {"name": name}}));
        assert!(prefix.fits(&named("shop-1")) && !prefix.fits(&named("shopping-1")));
        assert!(prefix.selector().is_none() && schedule.fits(&named("anything")));
    }
}
