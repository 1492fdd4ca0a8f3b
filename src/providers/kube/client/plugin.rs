//! Programs that sign in, as a kubeconfig names them (EKS, GKE, Azure).
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use crate::base::output::Stream;
use crate::base::process::{Ending, ProcessSpec, run_raw};
use crate::providers::program::source::quoted;
use crate::secrets::last_line;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use std::ops::ControlFlow;
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
        let said = self.shown(&last_line(&String::from_utf8_lossy(&complaint)), MAX_COMPLAINT_CHARS);
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
