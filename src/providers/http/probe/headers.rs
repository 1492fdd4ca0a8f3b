//! What the headers of an answer must say.

use crate::core::words::reading::Verdict;
use crate::plan::kinds::BuildError;
use crate::plan::params::{Param, Params};
use crate::secrets::Redactor;
use regex::Regex;
use reqwest::header::{HeaderMap, HeaderName};

/// The longest value of a header that is shown, in characters.
const VALUE_LIMIT_CHARS: usize = 100;

/// Conditions on headers; names are as the plan writes them.
#[derive(Default)]
pub(super) struct Headers {
    present: Vec<(String, HeaderName)>,
    absent: Vec<(String, HeaderName)>,
    matching: Vec<(String, HeaderName, Regex)>,
}

impl Headers {
    pub(super) fn of(params: &Params) -> Result<Self, BuildError> {
        let mut headers = Self::default();
        for text in params.texts("headers_present") {
            headers.present.push((text.to_owned(), name("headers_present", text)?));
        }
        for (text, pattern) in params.table("headers_match") {
            let pattern = pattern_of(pattern)?;
            headers.matching.push((text.to_owned(), name("headers_match", text)?, pattern));
        }
        for text in params.texts("headers_absent") {
            let absent = name("headers_absent", text)?;
            let wanted = headers.present.iter().map(|(_, name)| ("headers_present", name));
            let wanted = wanted.chain(headers.matching.iter().map(|(_, name, _)| ("headers_match", name)));
            if let Some((key, _)) = wanted.into_iter().find(|(_, name)| **name == absent) {
                return Err(wrong("headers_absent", text, format!("`{key}` wants it there")));
            }
            headers.absent.push((text.to_owned(), absent));
        }
        Ok(headers)
    }

    pub(super) fn judge(&self, answer: &HeaderMap, redactor: &Redactor) -> Verdict {
        let missing = self.present.iter().find(|(_, name)| !answer.contains_key(name));
        if let Some((text, _)) = missing {
            return Verdict::Critical(format!("the answer has no header {text}"));
        }
        if let Some((text, _)) = self.absent.iter().find(|(_, name)| answer.contains_key(name)) {
            return Verdict::Critical(format!("the answer has the header {text}, which must not be there"));
        }
        self.matching
            .iter()
            .map(|one| judge_one(one, answer, redactor))
            .fold(Verdict::Good, Verdict::or_worse)
    }
}

/// One of several values is enough: each line of a header is a value of its own.
fn judge_one(
    (text, name, pattern): &(String, HeaderName, Regex),
    answer: &HeaderMap,
    redactor: &Redactor,
) -> Verdict {
    let values = answer.get_all(name).iter();
    let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    if values.iter().any(|value| pattern.is_match(value)) {
        return Verdict::Good;
    }
    if values.is_empty() {
        return Verdict::Critical(format!("the answer has no header {text}, which must match /{pattern}/"));
    }
    let said = redactor.excerpt(&values.join(", "), VALUE_LIMIT_CHARS);
    Verdict::Critical(format!("the header {text} is `{said}` and does not match /{pattern}/"))
}

fn name(key: &str, text: &str) -> Result<HeaderName, BuildError> {
    text.parse().map_err(|_| wrong(key, text, "it is not a header's name".into()))
}

fn pattern_of(param: &Param) -> Result<Regex, BuildError> {
    let text = param.as_text().unwrap_or_default();
    Regex::new(text).map_err(|error| wrong("headers_match", text, error.to_string()))
}

fn wrong(key: &str, value: &str, why: String) -> BuildError {
    BuildError::Value { key: key.into(), value: value.into(), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{probe_params, refused};

    fn headers(keys: &str) -> Result<Headers, BuildError> {
        Headers::of(&probe_params("http", &format!("url = \"http://x/\"\n{keys}")))
    }

    fn judge(keys: &str, answer: &[(&'static str, &str)]) -> Verdict {
        let mut map = HeaderMap::new();
        for (name, value) in answer {
            map.append(*name, value.parse().unwrap());
        }
        headers(keys).unwrap().judge(&map, &Redactor::new())
    }

    #[test]
    fn a_header_that_must_be_there_or_must_not_decides() {
        let why = |keys: &str, answer: &[(&'static str, &str)]| judge(keys, answer).why().map(str::to_owned);
        let strict = "headers_present = [\"Strict-Transport-Security\"]";
        assert_eq!(judge(strict, &[("strict-transport-security", "max-age=1")]), Verdict::Good);
        assert_eq!(why(strict, &[]).unwrap(), "the answer has no header Strict-Transport-Security");
        let no_fallback = "headers_absent = [\"X-Maintenance\"]";
        assert_eq!(judge(no_fallback, &[("x-cache", "hit")]), Verdict::Good);
        let words = "the answer has the header X-Maintenance, which must not be there";
        assert_eq!(why(no_fallback, &[("x-maintenance", "")]).unwrap(), words);
    }

    #[test]
    fn a_header_matches_by_any_of_its_values() {
        let primary = "headers_match.X-Role = \"^primary$\"";
        assert_eq!(judge(primary, &[("x-role", "standby"), ("x-role", "primary")]), Verdict::Good);
        let words = judge(primary, &[("x-role", "standby")]);
        assert_eq!(words.why().unwrap(), "the header X-Role is `standby` and does not match /^primary$/");
        assert!(judge(primary, &[]).why().unwrap().contains("no header X-Role"));
    }

    #[test]
    fn headers_that_cannot_be_are_refused() {
        let why = |keys: &str| refused("http", &format!("url = \"http://x/\"\n{keys}"))[0].2.clone();
        assert!(why("headers_present = [\"X Role\"]").contains("not a header's name"));
        let both = "headers_present = [\"X-Role\"]\nheaders_absent = [\"x-role\"]";
        assert!(why(both).contains("`headers_present` wants it there"));
        let matched = "headers_match.X-Role = \"a\"\nheaders_absent = [\"X-ROLE\"]";
        assert!(why(matched).contains("`headers_match` wants it there"));
    }

    #[test]
    fn a_secret_in_a_header_does_not_reach_the_words() {
        let redactor = Redactor::new();
        redactor.learn_value("token", "hunter22-of-the-api");
        let mut map = HeaderMap::new();
        map.append("x-token", "hunter22-of-the-api".parse().unwrap());
        let verdict = headers("headers_match.X-Token = \"other\"").unwrap().judge(&map, &redactor);
        assert!(!verdict.why().unwrap().contains("hunter22"), "{verdict:?}");
    }
}
