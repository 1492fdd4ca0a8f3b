//! What a status code means: a verdict, or that nothing can be told.

use crate::core::words::reading::Verdict;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::http::source::Statuses;

const GOOD: &str = "good_statuses";
const WARN: &str = "warn_statuses";
const CRITICAL: &str = "critical_statuses";
const UNKNOWN: &str = "unknown_statuses";

/// The statuses that a plan names, by what they mean. What it names no meaning for is accepted or critical.
pub(super) struct Meanings {
    accepted: Statuses,
    named: Vec<(&'static str, Statuses)>,
}

impl Meanings {
    pub(super) fn of(params: &Params) -> Result<Self, BuildError> {
        let mut named: Vec<(&'static str, Statuses)> = Vec::new();
        for key in [GOOD, WARN, CRITICAL, UNKNOWN].into_iter().filter(|key| params.get(key).is_some()) {
            let statuses = Statuses::of(params, key)?;
            if let Some((other, status)) =
                named.iter().find_map(|(other, known)| Some((*other, known.shared(&statuses)?)))
            {
                return Err(twice(params, key, other, status));
            }
            named.push((key, statuses));
        }
        let accepted = Statuses::of(params, "status")?;
        // What is accepted unless the plan says otherwise gives way to what it says of one status.
        let written = params.get("status").is_some();
        let clash = named.iter().filter(|(key, _)| written && *key != GOOD);
        let clash = clash.filter_map(|(key, statuses)| Some((*key, accepted.shared(statuses)?))).next();
        match clash {
            Some((key, status)) => Err(twice(params, key, "status", status)),
            None => Ok(Self { accepted, named }),
        }
    }

    /// The verdict, or why there is none.
    pub(super) fn judge(&self, status: u16) -> Result<Verdict, String> {
        let named = self.named.iter().find(|(_, statuses)| statuses.accept(status));
        match named.map(|(key, _)| *key) {
            Some(GOOD) => Ok(Verdict::Good),
            Some(WARN) => Ok(Verdict::Warn(format!("status {status} (`{WARN}`)"))),
            Some(CRITICAL) => Ok(Verdict::Critical(format!("status {status} (`{CRITICAL}`)"))),
            Some(_) => Err(format!("status {status} says nothing of what is measured (`{UNKNOWN}`)")),
            None if self.accepted.accept(status) => Ok(Verdict::Good),
            None => Ok(Verdict::Critical(format!("status {status}, expected {}", self.expected()))),
        }
    }

    fn expected(&self) -> String {
        let also = self.named.iter().find(|(key, _)| *key == GOOD);
        also.map_or_else(|| self.accepted.to_string(), |(_, good)| format!("{}, {good}", self.accepted))
    }
}

fn twice(params: &Params, key: &str, other: &str, status: u16) -> BuildError {
    BuildError::Value {
        key: key.into(),
        value: params.text(key).unwrap_or_default().into(),
        why: format!("`{other}` names status {status} too"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;

    fn meanings(keys: &[(&str, &str)]) -> Result<Meanings, BuildError> {
        let params = keys.iter().map(|(key, value)| ((*key).to_owned(), Param::Text((*value).into())));
        Meanings::of(&Params(params.collect()))
    }

    #[test]
    fn several_statuses_have_three_verdicts() {
        let some = meanings(&[
            ("good_statuses", "401"),
            ("warn_statuses", "204, 429"),
            ("unknown_statuses", "407, 5xx"),
            ("critical_statuses", "410"),
        ]);
        let some = some.unwrap();
        assert_eq!(some.judge(200), Ok(Verdict::Good));
        assert_eq!(some.judge(401), Ok(Verdict::Good));
        assert!(matches!(some.judge(204), Ok(Verdict::Warn(why)) if why.contains("status 204")));
        assert!(matches!(some.judge(429), Ok(Verdict::Warn(_))));
        assert_eq!(some.judge(410), Ok(Verdict::Critical("status 410 (`critical_statuses`)".into())));
        assert_eq!(some.judge(404), Ok(Verdict::Critical("status 404, expected 200-299, 401".into())));
        assert!(some.judge(503).unwrap_err().contains("status 503"));
        assert!(some.judge(407).is_err());
    }

    #[test]
    fn a_status_with_two_meanings_is_refused() {
        let why = |keys: &[(&str, &str)]| meanings(keys).err().map(|error| error.to_string()).unwrap();
        let both = [("warn_statuses", "500-503"), ("unknown_statuses", "5xx")];
        assert_eq!(
            why(&both),
            "unknown_statuses = \"5xx\" does not do: `warn_statuses` names status 500 too"
        );
        let accepted = [("status", "200-299"), ("critical_statuses", "204")];
        assert_eq!(why(&accepted), "critical_statuses = \"204\" does not do: `status` names status 204 too");
        assert!(why(&[("warn_statuses", "600")]).contains("200-299, 401, 5xx"));
        assert!(meanings(&[("status", "200"), ("good_statuses", "200, 401")]).is_ok());
    }
}
