//! A mutating webhook of the tests' own: it changes objects of one namespace on their way into the API server.

use super::Cluster;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

type Change = Arc<dyn Fn(&Value) -> Value + Send + Sync>;

/// Registered until it is dropped.
pub struct Webhook {
    cluster: &'static Cluster,
    name: String,
}

impl Webhook {
    /// Has objects of a kind that are made or changed in a namespace go through it; it answers with steps of a JSON patch for
    /// the request (`request.object`, `request.dryRun`).
    pub fn of(
        cluster: &'static Cluster,
        namespace: &str,
        (group, plural): (&str, &str),
        change: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let authority = STANDARD.encode(certificate.pem());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listen(listener, Arc::new(config.unwrap()), Arc::new(change));
        cluster.kubectl(&["label", "namespace", namespace, &format!("hooked={namespace}"), "--overwrite"]);
        cluster.apply(&format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\n\
             metadata: {{name: {namespace}}}\nwebhooks:\n- name: change.example.com\n  admissionReviewVersions: [v1]\n  \
             sideEffects: None\n  failurePolicy: Fail\n  \
             clientConfig: {{url: 'https://127.0.0.1:{port}/', caBundle: {authority}}}\n  \
             namespaceSelector: {{matchLabels: {{hooked: {namespace}}}}}\n  \
             rules: [{{apiGroups: ['{group}'], apiVersions: ['*'], operations: [CREATE, UPDATE], resources: ['{plural}']}}]\n"
        ));
        Self { cluster, name: namespace.to_owned() }
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        let _ = self.cluster.try_kubectl(&["delete", "mutatingwebhookconfiguration", &self.name]);
    }
}

fn listen(listener: TcpListener, config: Arc<ServerConfig>, change: Change) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, change) = (config.clone(), change.clone());
            std::thread::spawn(move || {
                let Ok(connection) = ServerConnection::new(config) else { return };
                let mut line = BufReader::new(StreamOwned::new(connection, stream));
                while let Some(body) = request(&mut line) {
                    let answer = answer(&body, &change).to_string();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                        answer.len()
                    );
                    let said = line.get_mut().write_all((head + &answer).as_bytes());
                    if said.and_then(|()| line.get_mut().flush()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

/// The body of the next request; none at the end of the connection.
fn request(line: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut header = String::new();
        if line.read_line(&mut header).ok()? == 0 {
            return None;
        }
        let header = header.trim_end().to_lowercase();
        if let Some(bytes) = header.strip_prefix("content-length:") {
            length = bytes.trim().parse().ok()?;
        }
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    line.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn answer(review: &Value, change: &Change) -> Value {
    let request = &review["request"];
    let patch = STANDARD.encode(change(request).to_string());
    json!({"apiVersion": review["apiVersion"], "kind": "AdmissionReview",
           "response": {"uid": request["uid"], "allowed": true, "patchType": "JSONPatch", "patch": patch}})
}
