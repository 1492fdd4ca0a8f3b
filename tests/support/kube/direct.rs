//! Straight to an API server, as who may do everything: a program for each call would be too slow for thousands.

use super::ADMIN;
use serde_json::Value;
use std::time::Duration;

/// Calls in flight where many are made.
pub const AT_ONCE: usize = 8;

/// A client for servers of the tests' own.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let builder = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy();
    builder.timeout(Duration::from_secs(30)).build().unwrap()
}

/// The API server at a port of this host.
#[derive(Clone)]
pub struct Direct {
    client: reqwest::Client,
    port: u16,
}

impl Direct {
    pub fn to(port: u16) -> Self {
        Self { client: client(), port }
    }

    /// What is there; none where there was no answer.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.client.get(self.url(path)).bearer_auth(ADMIN).send().await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    /// Whether a merge patch was taken.
    pub async fn merge(&self, path: &str, patch: &Value) -> bool {
        let request =
            self.client.patch(self.url(path)).header("content-type", "application/merge-patch+json");
        let answer = request.bearer_auth(ADMIN).body(patch.to_string()).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Deletes what is there, if it still is.
    pub async fn delete(&self, path: &str) {
        let _ = self.client.delete(self.url(path)).bearer_auth(ADMIN).send().await;
    }

    fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }
}

/// Where a pod is, or its status.
pub fn pod_path(pod: &Value, rest: &str) -> String {
    let of = |name: &str| pod["metadata"][name].as_str().unwrap_or_default();
    format!("/api/v1/namespaces/{}/pods/{}{rest}", of("namespace"), of("name"))
}
