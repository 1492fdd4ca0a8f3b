//! Programs that sign in, as a kubeconfig names them (EKS, GKE, Azure).
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use crate::base::output::Stream;
use crate::base::process::{Ending, ProcessSpec, run_raw};
use crate::providers::program::source::quoted;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use regex::Regex;
use secrecy::SecretString;
use serde::Deserialize;
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::time::Duration;
use zeroize::Zeroizing;

/// A token with a certificate and its key is far below it.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
const MAX_COMPLAINT_CHARS: usize = 300;

/// What a program prints.
#[derive(Deserialize)]
struct Credential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

/// The last line of what such a program said, without what looks like a credential: it got one, or may say one that
/// lifeboat never learns of. Rather a word too few than one too many: what it says is kept for ever.
fn masked(said: &str) -> String {
    static CREDENTIALS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let quoted = r"(?:\x22[^\x22]*\x22?|'[^']*'?|\S+)";
        let names = "passw|passphrase|pwd|secret|token|api.?key|access.?key|private|credential|cookie|session.?id|authorization";
        let named = format!(r"(?i)[\w-]*(?:{names})[\w-]*[\x22']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?{quoted}");
        let option = format!(r"(?i)--?[\w-]*(?:{names})[\w-]*\s+{quoted}");
        let scheme = r"(?i)\b(?:bearer|basic)\s+\S+";
        let user = r"[a-zA-Z][\w+.-]*://[^\s/@]*@";
        let long = r"[A-Za-z0-9+/_=.-]*(?:[0-9][A-Za-z+/_=-]*){3}[A-Za-z0-9+/_=.-]{12,}";
        Regex::new(&format!("eyJ\\S*|{named}|{option}|{scheme}|{user}|{long}")).ok()
    });
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    match &*CREDENTIALS {
        Some(regex) if !last.contains("-----") => regex.replace_all(last, "[hidden]").into_owned(),
        _ => "[hidden]".to_owned(),
    }
}

impl Cluster {
    /// Runs the program that signs in; until when what it gave counts.
    pub(super) async fn sign_in(
        &self,
        call: &Call,
        exec: &ExecConfig,
        user: &mut AuthInfo,
    ) -> Result<Option<Timestamp>, KubeError> {
        let program = exec.command.clone().unwrap_or_default();
        let mut argv = vec![program.clone()];
        argv.extend(exec.args.iter().flatten().cloned());
        // Its arguments may be secrets (`--oidc-client-secret=…`).
        let shown = self.shown(&quoted(&argv[..1]), 120);
        let failed = |message: String, hint: String| {
            KubeError::new(&self.context, call, KubeErrorKind::NoCredentials, message).with_hint(hint)
        };
        let again = format!(
            "Run it by hand and see what it says: `{shown}`, with the arguments that the kubeconfig has for the user of \
             context {}.",
            self.context
        );
        if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            let why = format!(
                "the program that signs in (`{shown}`) has to ask a person, which nobody answers here"
            );
            let hint = "Sign in by a way that asks nobody: a token in a file, a profile, a service account.";
            return Err(failed(why, hint.into()));
        }
        let deadline = self.inner.settings.plugin_deadline.unsigned_abs();
        let spec = ProcessSpec {
            grace: Duration::from_secs(1),
            ends_leftovers: true,
            ..ProcessSpec::new(argv, self.environment_of(exec), deadline)
        };
        let mut answer = Zeroizing::new(Vec::new());
        let mut complaint = Vec::new();
        let ended = run_raw(&spec, |stream, chunk| {
            let kept = if stream == Stream::Stdout { &mut *answer } else { &mut complaint };
            kept.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER_BYTES.saturating_sub(kept.len()))]);
            if kept.len() < MAX_ANSWER_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await
        .map_err(|error| {
            let hint = exec.install_hint.as_deref().map(|hint| self.shown(hint, 300));
            failed(
                format!("the program that signs in cannot be run: {}", self.shown(&error.to_string(), 200)),
                hint.unwrap_or_else(|| {
                    format!("Install `{}`, or have it in PATH.", self.shown(&program, 80))
                }),
            )
        })?;
        let status = serde_json::from_slice::<Credential>(&answer).ok().and_then(|read| read.status);
        for secret in status.iter().flat_map(|read| [&read.token, &read.client_key_data]).flatten() {
            self.inner.redactor.learn_value("Kubernetes credential", secret);
        }
        let said = self.shown(&masked(String::from_utf8_lossy(&complaint).trim()), MAX_COMPLAINT_CHARS);
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        match ended.ending {
            Ending::Exited(0) => {}
            Ending::Exited(code) => {
                return Err(failed(
                    format!("the program that signs in ended with exit code {code}{said}"),
                    again,
                ));
            }
            Ending::TimedOut => {
                let why =
                    format!("the program that signs in gave no answer within {} s{said}", deadline.as_secs());
                return Err(failed(why, again));
            }
            Ending::Signalled(_) | Ending::Stopped => {
                return Err(failed(format!("the program that signs in was ended{said}"), again));
            }
        }
        let Some(status) = status else {
            return Err(failed(
                format!("what the program that signs in printed is no credential{said}"),
                again,
            ));
        };
        let until = match &status.expiration_timestamp {
            Some(text) => match text.parse::<Timestamp>() {
                Ok(until) => Some(until),
                Err(_) => {
                    let why = "the program that signs in says no time until when its credential counts";
                    return Err(failed(why.into(), again));
                }
            },
            None => None,
        };
        match (status.token, status.client_certificate_data, status.client_key_data) {
            (token, Some(certificate), Some(key)) => {
                use base64::Engine;
                let encoded = |pem: String| base64::engine::general_purpose::STANDARD.encode(pem);
                user.client_certificate_data = Some(encoded(certificate));
                user.client_key_data = Some(SecretString::from(encoded(key)));
                user.token = token.map(|token| SecretString::from(token.trim().to_owned()));
            }
            (Some(token), ..) => user.token = Some(SecretString::from(token.trim().to_owned())),
            _ => {
                return Err(failed(
                    "the program that signs in gave neither token nor certificate".into(),
                    again,
                ));
            }
        }
        Ok(until)
    }

    /// As `kubectl` gives it: the whole environment, and what the kubeconfig sets. Secrets of lifeboat's own stay.
    fn environment_of(&self, exec: &ExecConfig) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        let environment = &self.inner.environment;
        let mut set = environment.for_child(environment.names().filter_map(|name| name.to_str()));
        for variable in exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                set.retain(|(known, _)| known.to_str() != Some(name));
                set.push((name.into(), value.into()));
            }
        }
        let version = exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
        let cluster = exec.cluster.as_ref().and_then(|cluster| serde_json::to_value(cluster).ok());
        let mut spec = serde_json::json!({"interactive": false});
        if let Some(cluster) = cluster {
            spec["cluster"] = cluster;
        }
        let info = serde_json::json!({"apiVersion": version, "kind": "ExecCredential", "spec": spec});
        set.push(("KUBERNETES_EXEC_INFO".into(), info.to_string().into()));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_credential_is_not_shown() {
        for (said, shown) in [
            ("refused for eyJhbGciOi.eyJzdWIi.x-Y_z", "refused for [hidden]"),
            ("aws_secret_access_key=wJalrXUtnFEMI password: hunter2", "[hidden] [hidden]"),
            (r#"{"token": "abc", "password" : "two words"}"#, r#"{"[hidden], "[hidden]}"#),
            ("see https://bob:hunter2pw@idp.corp/x", "see [hidden]idp.corp/x"),
            ("Authorization: Bearer opaque0123456789abcd", "[hidden]"),
            ("got Basic Ym9iOmh1bnRlcjI= back", "got [hidden] back"),
            ("az login --password hunter2pw failed", "az login [hidden] failed"),
            ("passphrase: abc pwd=hunter3 cookie: SESS=abcd", "[hidden] [hidden] [hidden]"),
            ("key\n-----END PRIVATE KEY-----\n", "[hidden]"),
            ("AKIA1234567890ABCDEF is not known", "[hidden] is not known"),
            ("a first line\nthe SSO session is over\n", "the SSO session is over"),
            (
                "oauth: invalid_grant: reauthentication is needed",
                "oauth: invalid_grant: reauthentication is needed",
            ),
        ] {
            assert_eq!(masked(said), shown);
        }
    }
}
