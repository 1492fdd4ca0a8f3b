//! What an answer, or its absence, means.

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use serde::Deserialize;
use std::error::Error;
use std::io::ErrorKind as IoKind;

/// The longest word of a server that is shown.
const SAID_CHARS: usize = 400;

/// What an API server says of a request that it did not do.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/>
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    reason: String,
    code: u16,
}

impl Cluster {
    /// An answer that is no success.
    pub(crate) fn refused(&self, call: &Call, http: u16, body: &[u8]) -> KubeError {
        let error = |kind, message: String| KubeError::new(&self.context, call, kind, message);
        let status = serde_json::from_slice::<Status>(body).ok().filter(|status| status.kind == "Status");
        let Some(status) = status else {
            let page = String::from_utf8_lossy(&body[..body.len().min(200)]).trim_start().to_lowercase();
            // Paths of groups that the server does not have are answered so.
            if http == 404 && page.starts_with("404 page not found") {
                return error(
                    KubeErrorKind::NoSuchKind,
                    "this cluster does not know this kind of object".into(),
                );
            }
            if http == 401 {
                return error(KubeErrorKind::Unauthorized, "the credentials do not count (401)".into());
            }
            let what =
                if page.starts_with('<') { "an HTML page" } else { "nothing that an API server would say" };
            return error(
                KubeErrorKind::NotKubernetes,
                format!("what answered is no API server: HTTP {http} with {what}"),
            );
        };
        let said = self.shown(status.message.trim(), SAID_CHARS);
        self.judged(call, if status.code == 0 { http } else { status.code }, &status.reason, said)
    }

    /// The same of an error within a watch.
    pub(super) fn refused_in_stream(&self, call: &Call, object: &serde_json::Value) -> KubeError {
        let status = Status::deserialize(object).unwrap_or_default();
        self.judged(call, status.code, &status.reason, self.shown(status.message.trim(), SAID_CHARS))
    }

    fn judged(&self, call: &Call, code: u16, reason: &str, said: String) -> KubeError {
        use KubeErrorKind::*;
        let error = |kind, message: String| KubeError::new(&self.context, call, kind, message);
        let webhook = said.contains("admission webhook") || said.contains("failed calling webhook");
        match (code, reason) {
            (401, _) => error(Unauthorized, format!("the credentials do not count: {said}")),
            (403, _) if said.contains("exceeded quota") => {
                error(Refused, format!("a quota is used up: {said}"))
                    .with_hint("Free what the quota names or have it raised; nothing was changed.")
            }
            (403, _) if said.contains("admission webhook") => error(Refused, said)
                .with_hint("The admission webhook has to allow it: ask its owner. Nothing was changed."),
            (403, _) => error(Denied, format!("not allowed: {said}")),
            (404, _) if said.contains("could not find the requested resource") => {
                error(NoSuchKind, "this cluster does not know this kind of object".into())
            }
            (404, _) => error(NotFound, said),
            (409, _) => error(Conflict, said),
            (410, _) => error(Gone, said),
            (429, _) => error(Throttled, said),
            // A webhook that cannot be asked keeps the change from being made.
            (500..=599, _) if webhook => {
                error(Refused, format!("an admission webhook gave no answer: {said}")).with_hint(
                    "Nothing was changed. Mend the webhook, or have its owner take it out of the way.",
                )
            }
            (500..=599, _) => error(Internal, format!("the API server failed ({code}): {said}")),
            _ => error(Refused, said),
        }
    }

    /// No answer at all.
    pub(super) fn unanswered(&self, call: &Call, error: &(dyn Error + 'static)) -> KubeError {
        use KubeErrorKind::*;
        let new = |kind, message: String| KubeError::new(&self.context, call, kind, message);
        let text = chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        let last = self.shown(&chain(error).last().map(ToString::to_string).unwrap_or_default(), 200);
        let io = chain(error)
            .filter_map(|error| error.downcast_ref::<std::io::Error>())
            .map(std::io::Error::kind)
            .last();
        let connecting = text.contains("(Connect)");
        if text.contains("dns error") || text.contains("failed to lookup address") {
            return new(NoWay, format!("the name of its API server has no address: {last}"));
        }
        if text.contains("tunnel error") || text.contains("proxy") {
            return new(NoWay, format!("the proxy does not let it through: {last}"));
        }
        if let Some(tls) = chain(error).find_map(tls_of) {
            return match tls {
                rustls::Error::AlertReceived(_) => new(
                    Unauthorized,
                    format!(
                        "the API server does not take the client certificate: {}",
                        self.shown(&tls.to_string(), 200)
                    ),
                ),
                _ => new(
                    Untrusted,
                    format!("its certificate does not count: {}", self.shown(&tls.to_string(), 200)),
                ),
            };
        }
        match io {
            Some(IoKind::ConnectionRefused) => new(Unreachable, "connection refused".into()),
            Some(IoKind::TimedOut) if connecting => {
                new(Unreachable, "no connection could be made in time".into())
            }
            _ if connecting => new(Unreachable, format!("no connection could be made: {last}")),
            _ => new(Broken, format!("the connection broke: {last}")),
        }
    }
}

/// What TLS says: an error of input holds it, maybe within another one, and names neither as its cause.
fn tls_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    error
        .downcast_ref::<rustls::Error>()
        .or_else(|| tls_of(error.downcast_ref::<std::io::Error>()?.get_ref()?))
}

/// An error and its causes, outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}
