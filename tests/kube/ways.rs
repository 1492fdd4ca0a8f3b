//! Ways to an API server: through real proxies, and from within the cluster.

use crate::kube::{ADMIN, Cluster, Kit, cluster, wait_until};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const API: &str = "api = { kind = \"kube-api\", region = \"a\", timeout = \"8s\" }";

/// A proxy, until it is dropped.
struct Proxy {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Proxy {
    /// Starts one by a command of the folder's and the port.
    fn start(make: impl Fn(&std::path::Path, u16) -> Command) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), crate::port::free());
        let mut command = make(folder.path(), port);
        let log =
            || std::fs::File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
        let process = command.stdin(Stdio::null()).stdout(log()).stderr(log()).spawn();
        let process = process.expect("a proxy is not installed: run tests/all.sh --setup-only");
        wait_until("the proxy listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { process, folder, port }
    }

    fn http() -> Self {
        Self::start(|folder, port| {
            let config = folder.join("tinyproxy.conf");
            let text =
                format!("Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nLogLevel Connect\nMaxClients 20\n");
            std::fs::write(&config, text).unwrap();
            let mut command = Command::new("tinyproxy");
            command.arg("-d").arg("-c").arg(config);
            command
        })
    }

    fn socks() -> Self {
        Self::start(|_, port| {
            let mut command = Command::new("microsocks");
            command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
            command
        })
    }

    /// Whether it led somebody to a port.
    fn led_to(&self, port: u16) -> bool {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.contains(&format!(":{port}"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A kubeconfig whose cluster is behind that proxy.
fn behind(east: &Cluster, name: &str, proxy: &str) -> PathBuf {
    let path = east.folder.path().join(name);
    let authority = east.folder.path().join("ca.pem");
    let proxy = if proxy.is_empty() { String::new() } else { format!(", proxy-url: '{proxy}'") };
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: east, cluster: {{server: 'https://127.0.0.1:{}', \
         certificate-authority: {}{proxy}}}}}]\nusers: [{{name: east, user: {{token: {ADMIN}}}}}]\n\
         contexts: [{{name: east, context: {{cluster: east, user: east}}}}]\n",
        east.port,
        authority.display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_kubeconfig_leads_to_the_api_server() {
    let east = cluster(0);
    for (name, scheme, proxy) in [("http", "http", Proxy::http()), ("socks", "socks5", Proxy::socks())] {
        let config = behind(east, &format!("behind-{name}"), &format!("{scheme}://127.0.0.1:{}", proxy.port));
        let kit = Kit::new(&[config], API, "");
        assert_eq!(kit.measure("api").await.unwrap().summary, "ready, v1.20.2", "{name}");
        assert!(proxy.led_to(east.port), "{name}");
        drop(kit);
        drop(proxy);
        let gone = Kit::new(&[east.folder.path().join(format!("behind-{name}"))], API, "");
        let problem = gone.measure("api").await.unwrap_err();
        assert!(problem.why.contains("proxy"), "{name}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_leads_there_unless_the_address_is_left_out() {
    let east = cluster(0);
    let config = behind(east, "of-environment", "");
    for (variable, scheme, proxy) in
        [("HTTPS_PROXY", "http", Proxy::http()), ("ALL_PROXY", "socks5", Proxy::socks())]
    {
        let url = format!("{scheme}://127.0.0.1:{}", proxy.port);
        let of = |left_out: &str| {
            let all = [(variable, &*url), ("NO_PROXY", left_out), ("no_proxy", left_out)];
            Kit::new(std::slice::from_ref(&config), API, "").knowing(&all)
        };
        assert_eq!(of("127.0.0.1").measure("api").await.unwrap().summary, "ready, v1.20.2");
        assert!(!proxy.led_to(east.port), "{variable}");
        assert_eq!(of("").measure("api").await.unwrap().summary, "ready, v1.20.2");
        assert!(proxy.led_to(east.port), "{variable}");
    }
}

#[test]
fn from_within_a_cluster_its_service_account_signs_in() {
    let east = cluster(0);
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    let text = "[plan]\nname = \"Inside\"\n[regions]\na = { role = \"primary\", kube_context = \"in-cluster\" }\n\
                b = { role = \"standby\" }\n[probes]\nweb = { kind = \"kube-api\", region = \"a\" }\n\
                [tree]\nroot = \"down\"\n[tree.down]\nask = \"Is it down?\"\nanswers = { yes = \"act\" }\n\
                [runbooks.act]\ntitle = \"Act\"\n[[runbooks.act.steps]]\nid = \"scale\"\ntitle = \"Scale\"\n\
                action = \"kube-scale\"\nwith = { context = \"a\", names = [\"web\"], replicas = 2 }\nconfirm = \"yes\"\n";
    std::fs::write(&plan, text).unwrap();
    let namespace = east.namespace("inside");
    east.deployment(&namespace, "web", 1, "runs");
    std::fs::write(folder.path().join("token"), ADMIN).unwrap();
    std::fs::write(folder.path().join("namespace"), &namespace).unwrap();
    let authority = std::fs::read(east.folder.path().join("ca.pem")).unwrap();
    std::fs::write(folder.path().join("ca.crt"), authority).unwrap();
    // Where a pod has it; nobody else sees this file system.
    let script = "mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount && \
                  cp token namespace ca.crt /run/secrets/kubernetes.io/serviceaccount && exec \"$0\" preflight plan.toml";
    let preflight = |mounted: bool| {
        let script = if mounted { script } else { "exec \"$0\" preflight plan.toml" };
        let output = Command::new("unshare")
            .args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_lifeboat")])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", east.port.to_string())
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let seen = preflight(true);
    assert!(seen.contains(&format!("{namespace}/web")), "this needs root: {seen}");
    let outside = preflight(false);
    assert!(outside.contains("lifeboat does not run in a cluster"), "{outside}");
}
