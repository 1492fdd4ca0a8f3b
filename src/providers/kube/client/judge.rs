//! What an answer, or its absence, means.

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use serde::Deserialize;
use std::error::Error;
use std::io::ErrorKind as IoKind;

/// The longest word of a server that is shown.
const SAID_CHARS: usize = 400;
/// What an API server says of an object that it cannot read.
const UNREADABLE: [&str; 6] = [
    "typed patch object",
    "failed to convert new",
    "field not declared in schema",
    "illegal base64 data",
    "cannot unmarshal",
    "cannot restore ",
];
/// What an API server says where a webhook has effects of its own.
const NO_TRIAL: &str = "does not support dry run";

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
        let admission = said.contains("admission webhook");
        let webhook = admission || said.contains("failed calling webhook");
        let is_manifest = !webhook && is_send(call) && is_of_what_was_sent(&said);
        let is_quota = said.contains("exceeded quota");
        let is_unknown = said.contains("could not find the requested resource");
        let said = if is_send(call) && is_of_secrets(call) { unsaid(&said, code, reason) } else { said };
        match (code, reason) {
            (401, _) => error(Unauthorized, format!("the credentials do not count: {said}")),
            (403, _) if is_quota => error(Refused, format!("a quota is used up: {said}"))
                .with_hint("Free what the quota names or have it raised; nothing was changed."),
            (403, _) if admission => error(Refused, said)
                .with_hint("The admission webhook has to allow it: ask its owner. Nothing was changed."),
            (403, _) => error(Denied, format!("not allowed: {said}")),
            (404, _) if is_unknown => {
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
            // Some versions answer so to what they cannot read.
            (500..=599, _) if is_manifest => {
                error(Refused, format!("what was sent is not as this kind has it: {said}")).with_hint(
                    "Mend the manifest or the patch, then confirm the step anew. Nothing was changed.",
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
        if ["tunnel error", "proxy", "SOCKS error"].iter().any(|said| text.contains(said)) {
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

/// Whether an object, or a part of one, is sent with a call.
fn is_send(call: &Call) -> bool {
    matches!(call.permission.split(' ').next(), Some("patch" | "create" | "update"))
}

fn is_of_secrets(call: &Call) -> bool {
    let resource = call.permission.split(' ').nth(1).unwrap_or_default();
    let name = resource.split(['.', '/']).next().unwrap_or_default();
    name.to_lowercase().ends_with("secrets")
}

/// Whether the API server could not read what was sent: no failure of its own.
fn is_of_what_was_sent(said: &str) -> bool {
    let is_other_type = said.contains(": expected ") && said.contains(", got ");
    let is_unreadable = is_other_type || UNREADABLE.iter().any(|words| said.contains(words));
    is_unreadable && !said.contains("typed live object")
}

/// In place of what the API server says of a secret that it does not take: it may quote the whole of it.
fn unsaid(said: &str, code: u16, reason: &str) -> String {
    let is_word = !reason.is_empty() && reason.chars().all(|c| c.is_ascii_alphanumeric());
    let reason = if is_word { format!(", {reason}") } else { String::new() };
    let trial = if said.contains(NO_TRIAL) { format!(" (a webhook {NO_TRIAL})") } else { String::new() };
    format!(
        "the API server refuses it ({code}{reason}){trial}; its words are not shown, as they may hold the secret's values"
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    fn refused(permission: &'static str, code: u16, message: &str) -> KubeError {
        let status = json!({"kind": "Status", "code": code, "reason": "Invalid", "message": message});
        cluster().refused(&Call::new(permission, "db in shop"), code, status.to_string().as_bytes())
    }

    #[test]
    fn what_the_api_server_quotes_of_a_secret_is_not_told() {
        let quoted = r#""" is invalid: patch: Invalid value: "{\"data\":{\"password\":\"b2xk\"}}""#;
        for (permission, code) in [("patch secrets", 422), ("patch sealedsecrets.bitnami.com", 500)] {
            let error = refused(permission, code, quoted);
            assert!(!error.message.contains("b2xk"), "{error}");
            assert!(
                error.message.contains(&format!("({code}, Invalid); its words are not shown")),
                "{error}"
            );
        }
        assert!(refused("patch configmaps", 422, quoted).message.contains("b2xk"));
        assert!(refused("patch secretstores.external-secrets.io", 422, quoted).message.contains("b2xk"));
        let webhook = "admission webhook \"x\" does not support dry run";
        assert_eq!(refused("patch secrets", 400, webhook).refusal(), None, "nobody can try it");
        let webhook = refused("patch secrets", 403, "admission webhook \"x\" denied b2xk");
        assert!(webhook.next_step().contains("admission webhook"), "{webhook}");
        assert!(!webhook.message.contains("b2xk"), "{webhook}");
    }

    #[test]
    fn what_the_api_server_cannot_read_is_no_failure_of_its_own() {
        for said in [
            "failed to create typed patch object: .spec.x: field not declared in schema",
            "failed to convert new typed object to object: illegal base64 data at input byte 4",
            ".stringData: expected map, got &{x}",
        ] {
            let error = refused("patch configmaps", 500, said);
            assert_eq!(error.kind, KubeErrorKind::Refused, "{error}");
            assert!(error.next_step().starts_with("Mend the manifest"), "{error}");
        }
        for (permission, said) in [
            ("patch configmaps", "etcdserver: request timed out"),
            ("patch configmaps", "failed to create typed live object: .spec.x: field not declared in schema"),
            ("get configmaps", "illegal base64 data at input byte 4"),
        ] {
            assert_eq!(refused(permission, 500, said).kind, KubeErrorKind::Internal, "{said}");
        }
        let secret = refused("patch secrets", 500, ".stringData: expected map, got &{hunter2}");
        assert!(secret.kind == KubeErrorKind::Refused && !secret.message.contains("hunter2"), "{secret}");
    }
}
