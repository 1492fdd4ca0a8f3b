//! A host of the tests' own: a node whose kubelet answers what an API server asks one for, logs of containers and programs
//! in them. Nothing real runs there. It is made when a test first asks for it, and a taint keeps pods away that do not name
//! it; see [`super::Cluster::host`].

mod program;
mod wire;

use super::Cluster;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// The name of its node, as pods name it (`nodeName`).
pub const NODE: &str = "host";

/// What is asked of a container.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// Of a log: whether the container before this one is meant.
    pub previous: bool,
    /// Of a log: how many lines, and bytes of them.
    pub lines: Option<usize>,
    pub bytes: Option<usize>,
    /// The program to run, with its arguments.
    pub argv: Vec<String>,
}

/// What the kubelet says of a log.
#[derive(Clone)]
pub enum Log {
    Text(String),
    /// Nothing, ever.
    Hangs,
    /// Lines, 100 MB of them, however few were asked for.
    Floods,
    /// An error of its own.
    Refused(u16, String),
}

type Logs = Arc<dyn Fn(&Asked) -> Log + Send + Sync>;

/// The host of a cluster.
#[derive(Clone, Default)]
pub struct Host {
    logs: Arc<Mutex<HashMap<String, Logs>>>,
    ran: Arc<Mutex<Vec<Asked>>>,
    /// What programs wrote (`set NAME VALUE`), by namespace and name.
    kept: Arc<Mutex<HashMap<(String, String), String>>>,
}

impl Host {
    /// Says what the logs of a namespace's containers are. Without it they are empty, and none has a container before it.
    pub fn logs(&self, namespace: &str, answer: impl Fn(&Asked) -> Log + Send + Sync + 'static) {
        self.logs.lock().unwrap().insert(namespace.to_owned(), Arc::new(answer));
    }

    /// The programs that were begun in a namespace, in their order.
    pub fn ran(&self, namespace: &str) -> Vec<Asked> {
        self.ran.lock().unwrap().iter().filter(|asked| asked.namespace == namespace).cloned().collect()
    }

    fn log(&self, asked: &Asked) -> Log {
        let logs = self.logs.lock().unwrap().get(&asked.namespace).cloned();
        match logs {
            Some(logs) => logs(asked),
            None if asked.previous => {
                let why = format!(
                    "previous terminated container {:?} in pod {:?} not found",
                    asked.container, asked.pod
                );
                Log::Refused(400, why)
            }
            None => Log::Text(String::new()),
        }
    }

    /// Begins to answer for the node, which it registers.
    pub(super) fn start(cluster: &Cluster, token: &'static str) -> Self {
        let host = Self::default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (served, api) = (host.clone(), cluster.port);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::spawn(end_pods(api, token));
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let acceptor = acceptor();
                while let Ok((stream, _)) = listener.accept().await {
                    let (host, acceptor) = (served.clone(), acceptor.clone());
                    tokio::spawn(async move {
                        // A client that goes away is none of the host's business.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            let _ = wire::serve(&host, stream).await;
                        }
                    });
                }
            });
        });
        cluster.apply(&format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: {NODE}, labels: {{test: {NODE}}}}}\n\
             spec: {{taints: [{{key: test, value: {NODE}, effect: NoSchedule}}]}}\n\
             status: {{addresses: [{{type: InternalIP, address: 127.0.0.1}}], daemonEndpoints: {{kubeletEndpoint: {{Port: {port}}}}}, \
             conditions: [{{type: Ready, status: 'True', reason: KubeletReady}}], \
             nodeInfo: {{kubeletVersion: v1.20.2, architecture: amd64, bootID: b, containerRuntimeVersion: c, kernelVersion: k, \
             kubeProxyVersion: v1.20.2, machineID: m, operatingSystem: linux, osImage: o, systemUUID: s}}}}\n"
        ));
        host
    }
}

/// The API server takes a kubelet's certificate from whomever it is.
fn acceptor() -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    Arc::new(config.unwrap()).into()
}

/// Lets go of pods of the node that are to end, as a kubelet does once their containers ended.
async fn end_pods(port: u16, token: &'static str) {
    let client = super::direct::client();
    let root = format!("https://127.0.0.1:{port}/api/v1");
    loop {
        let own = client.get(format!("{root}/pods?fieldSelector=spec.nodeName%3D{NODE}"));
        if let Ok(answer) = own.bearer_auth(token).send().await
            && let Ok(list) = answer.json::<Value>().await
        {
            let all = list["items"].as_array().into_iter().flatten();
            for pod in all.filter(|pod| pod["metadata"]["deletionTimestamp"].is_string()) {
                let of = |name: &str| pod["metadata"][name].as_str().unwrap_or_default();
                let url = format!("{root}/namespaces/{}/pods/{}", of("namespace"), of("name"));
                let end = client.delete(format!("{url}?gracePeriodSeconds=0"));
                let _ = end.bearer_auth(token).send().await;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
