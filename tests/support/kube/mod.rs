//! Real clusters of the tests' own: etcd, an API server and its controllers, with pods that a small kubelet of the tests'
//! own says to run. `#[path = "../support/kube/mod.rs"] mod kube;`.

#![allow(dead_code, unused_imports)]

mod crowd;
mod direct;
mod host;
mod kubelet;
mod plan;
mod webhook;

pub use crowd::{Crowd, Shape};
pub use host::{Asked, Host, Log};
pub use plan::Kit;
pub use webhook::Webhook;

use crate::port;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Who may do everything.
pub const ADMIN: &str = "admin-token-0123456789";
/// Who may do nothing that is not granted to `viewer`.
pub const VIEWER: &str = "viewer-token-0123456789";

/// One cluster. Its processes end when their standard input does: with this process.
pub struct Cluster {
    pub folder: tempfile::TempDir,
    pub port: u16,
    pub authority: String,
    name: &'static str,
    host: OnceLock<Host>,
    _processes: Child,
}

/// The first and the second cluster that the tests of this process share; each test has namespaces of its own.
pub fn cluster(place: usize) -> &'static Cluster {
    static CLUSTERS: [OnceLock<Cluster>; 2] = [OnceLock::new(), OnceLock::new()];
    CLUSTERS[place].get_or_init(|| Cluster::start(["east", "west"][place]))
}

/// Where the API server's programs are; they are built where nobody has them.
fn programs() -> PathBuf {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        if let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS") {
            return PathBuf::from(assets);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/kube/build.sh");
        let output = Command::new(script).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "no Kubernetes could be built");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    };
    PROGRAMS.get_or_init(build).clone()
}

impl Cluster {
    fn start(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (etcd, peer, port) = (port::free(), port::free(), port::free());
        let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned(), "api.example.com".to_owned()];
        let server = CertificateParams::new(hosts).unwrap().signed_by(&key, &authority).unwrap();
        write("ca.pem", &authority.pem());
        write("server.pem", &server.pem());
        write("server.key", &key.serialize_pem());
        write("server.pub", &key.public_key_pem());
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "admin");
        params.distinguished_name.push(DnType::OrganizationName, "system:masters");
        let key = KeyPair::generate().unwrap();
        let client = params.signed_by(&key, &authority).unwrap();
        write("client.pem", &client.pem());
        write("client.key", &key.serialize_pem());
        write("tokens.csv", &format!("{ADMIN},admin,1,\"system:masters\"\n{VIEWER},viewer,2\n"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/kube/cluster.sh");
        let ports = [etcd, peer, port].map(|port| port.to_string());
        let mut command = Command::new(script);
        command.arg(programs()).arg(folder.path()).args(ports);
        let authority = authority.pem();
        let write_config = |token: &str| {
            kubeconfig(name, port, &folder.path().join("ca.pem"), &format!("{{token: {token}}}"))
        };
        write("controllers.kubeconfig", &write_config(ADMIN));
        let log = std::fs::File::create(folder.path().join("cluster.log")).unwrap();
        let processes = command
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("a cluster cannot be started: tests/all.sh installs what the tests need");
        let cluster = Self { folder, port, authority, name, host: OnceLock::new(), _processes: processes };
        wait_until("the API server is ready", || {
            let log =
                std::fs::read_to_string(cluster.folder.path().join("apiserver.log")).unwrap_or_default();
            let said = log.lines().find(|line| line.starts_with("Error:"));
            assert_eq!(said, None, "the API server ended");
            cluster.try_kubectl(&["get", "--raw", "/readyz"]).is_ok()
        });
        wait_until("it has its default namespace", || {
            cluster.try_kubectl(&["get", "namespace", "default"]).is_ok()
        });
        kubelet::start(port);
        cluster
    }

    /// A kubeconfig's file, with one context of the cluster's name, and that user.
    pub fn config(&self, file: &str, user: &str) -> PathBuf {
        self.config_at(self.port, file, user)
    }

    fn config_at(&self, port: u16, file: &str, user: &str) -> PathBuf {
        let path = self.folder.path().join(file);
        let text = kubeconfig(self.name, port, &self.folder.path().join("ca.pem"), user);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// One for who may do everything.
    pub fn admin(&self) -> PathBuf {
        self.folder.path().join("controllers.kubeconfig")
    }

    /// The same through a line to it that listens at a port.
    pub fn admin_through(&self, port: u16) -> PathBuf {
        self.config_at(port, &format!("through-{port}.kubeconfig"), &format!("{{token: {ADMIN}}}"))
    }

    /// What `kubectl` prints, as who may do everything.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|said| panic!("kubectl {arguments:?}: {said}"))
    }

    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        self.run_kubectl(arguments, None)
    }

    /// Has these objects.
    pub fn apply(&self, objects: &str) {
        let apply = || self.run_kubectl(&["apply", "-f", "-"], Some(objects));
        let ran = match apply() {
            // Another test made a definition of both between the look and the change of `kubectl`: this one finds it.
            Err(said) if said.contains("AlreadyExists") => apply(),
            ran => ran,
        };
        ran.unwrap_or_else(|said| panic!("kubectl apply: {said}\n{objects}"));
    }

    fn run_kubectl(&self, arguments: &[&str], input: Option<&str>) -> Result<String, String> {
        use std::io::Write;
        let mut child = Command::new("kubectl")
            .env("KUBECONFIG", self.admin())
            .env("HOME", self.folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl is missing: tests/all.sh installs what the tests need");
        child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// A namespace of a test's own.
    pub fn namespace(&self, test: &str) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("{test}-{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.kubectl(&["create", "namespace", &name]);
        name
    }

    /// A deployment whose pods do what their image says: `runs`, `crashes`, `missing`, `waits`.
    pub fn deployment(&self, namespace: &str, name: &str, replicas: u32, image: &str) {
        self.apply(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}\n\
             spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
             metadata: {{labels: {{app: {name}}}}}\n    spec: {{containers: [{{name: main, image: {image}}}]}}\n"
        ));
    }

    /// A deployment whose pods are on the host: their logs can be read, and programs run in them. They do what their image
    /// says as well. They have one container for each image: `main`, then `second`.
    pub fn hosted(&self, namespace: &str, name: &str, replicas: u32, images: &[&str]) {
        self.host();
        let containers: Vec<String> = ["main", "second"]
            .iter()
            .zip(images)
            .map(|(name, image)| format!("{{name: {name}, image: {image}}}"))
            .collect();
        self.apply(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}\n\
             spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
             metadata: {{labels: {{app: {name}}}}}\n    spec: {{nodeName: {}, containers: [{}]}}\n",
            host::NODE,
            containers.join(", ")
        ));
    }

    /// The host of the cluster. It is there from the first call on.
    pub fn host(&self) -> &Host {
        self.host.get_or_init(|| Host::start(self, ADMIN))
    }

    /// The names of the pods of a deployment.
    pub fn pods(&self, namespace: &str, name: &str) -> Vec<String> {
        let selector = format!("app={name}");
        let names = "jsonpath={.items[*].metadata.name}";
        let pods = self.kubectl(&["-n", namespace, "get", "pods", "-l", &selector, "-o", names]);
        pods.split_whitespace().map(str::to_owned).collect()
    }

    pub fn wait_for_ready(&self, namespace: &str, name: &str, ready: u32) {
        let path = "jsonpath={.status.readyReplicas}";
        wait_until("pods are ready", || {
            self.kubectl(&["-n", namespace, "get", "deployment", name, "-o", path]) == ready.to_string()
        });
    }

    /// A field of an object.
    pub fn field(&self, namespace: &str, object: &str, path: &str) -> String {
        self.kubectl(&["-n", namespace, "get", object, "-o", &format!("jsonpath={path}")])
    }
}

fn kubeconfig(name: &str, port: u16, authority: &Path, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters: [{{name: {name}, cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority: '{}'}}}}]\n\
         users: [{{name: {name}, user: {user}}}]\n\
         contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]\n",
        authority.display()
    )
}

/// Waits for a condition, for a minute and a half.
pub fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !met() {
        assert!(Instant::now() < deadline, "{what}: it did not come about");
        std::thread::sleep(Duration::from_millis(50));
    }
}
