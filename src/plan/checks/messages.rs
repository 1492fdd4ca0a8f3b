//! Messages that can become due, in time, and that are not too long.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::load::Draft;
use crate::plan::people::{MessageTemplate, Occasion};
use crate::plan::{BODY_LIMIT_CHARS, SUBJECT_LIMIT_CHARS};
use jiff::SignedDuration;

/// The shortest time between two messages, and until one.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn check(draft: &Draft, report: &Report) {
    for (id, message) in &draft.plan.messages {
        let one = One { id: id.as_str(), message, draft, report };
        one.occasions();
        one.times();
        one.texts();
    }
}

struct One<'a> {
    id: &'a str,
    message: &'a MessageTemplate,
    draft: &'a Draft,
    report: &'a Report,
}

impl One<'_> {
    fn error(&self, code: &'static str, key: &str, what: &str, help: &str) {
        let place = self.draft.places.of(&format!("messages.{}.{key}", self.id));
        let problem = Diagnostic::error(code, place, format!("message `{}` {what}", self.id));
        self.report.add(problem.help(help));
    }

    fn warning(&self, key: &str, what: &str, help: &str) {
        let place = self.draft.places.of(&format!("messages.{}.{key}", self.id));
        let problem = Diagnostic::warning("message", place, format!("message `{}` {what}", self.id));
        self.report.add(problem.help(help));
    }

    fn occasions(&self) {
        let MessageTemplate { on, every, automatic, runbooks, severities, .. } = self.message;
        let given = [
            ("automatic", *automatic),
            ("every", every.is_some()),
            ("severities", !severities.is_empty()),
            ("runbooks", !runbooks.is_empty()),
        ];
        if on.is_empty()
            && let Some((key, _)) = given.iter().find(|(_, given)| *given)
        {
            let help = "say what makes it due, as in `on = [\"declared\"]`; a message without `on` is sent by hand alone";
            return self.error("message", key, &format!("has `{key}`, and nothing makes it due"), help);
        }
        let of_runbooks = on.iter().any(|on| matches!(on, Occasion::Run | Occasion::Switched));
        if !runbooks.is_empty() && !of_runbooks {
            let help = "add `run` or `switched` to `on`, or remove `runbooks`";
            self.warning("runbooks", "names runbooks, and none of them makes it due", help);
        }
        let ends = on.iter().all(|on| matches!(on, Occasion::Resolved | Occasion::Closed));
        if every.is_some() && ends && !on.is_empty() {
            let help = "`every` repeats a message until the incident is resolved: remove it, or change `on`";
            self.warning("every", "is due only when all is over, and never again", help);
        }
    }

    fn times(&self) {
        if self.message.within < SHORTEST {
            let help = "write within how long it has to be sent, as in `within = \"15m\"`";
            self.error("out-of-range", "within", "leaves less than a minute to send it", help);
        }
        let Some(every) = self.message.every else { return };
        if every < SHORTEST {
            let help = "write how often it is due, as in `every = \"30m\"`";
            self.error("out-of-range", "every", "is due more than once a minute", help);
        } else if every < self.message.within {
            let help = "make `within` shorter than `every`";
            self.warning("within", "is due again before it had to be sent", help);
        }
    }

    fn texts(&self) {
        let texts = [
            ("subject", &self.message.subject, SUBJECT_LIMIT_CHARS),
            ("body", &self.message.body, BODY_LIMIT_CHARS),
        ];
        for (key, text, limit) in texts {
            let length = text.chars().count();
            if text.trim().is_empty() {
                self.error("message", key, &format!("has an empty `{key}`"), "write what it says");
            } else if length > limit {
                let what = format!("has a `{key}` of {length} characters, the limit is {limit}");
                self.error("too-large", key, &what, "shorten it: what is longer would be cut");
            }
        }
        if self.message.subject.contains('\n') {
            self.error("message", "subject", "has a subject of several lines", "write it on one line");
        }
    }
}
