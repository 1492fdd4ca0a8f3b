//! A real Patroni cluster of a test's own, with its own etcd: two members, or a standby cluster of one. It looks at its
//! members every two seconds. All of it is gone when it is dropped.

use crate::port;
use crate::postgres::{Cluster, Server, wait_until};
use std::path::Path;
use std::process::{Child, Stdio};

/// etcd, and the members that use it.
pub struct Patroni {
    members: Vec<Member>,
    etcd: Child,
    etcd_port: u16,
    cluster: Cluster,
}

/// One member: Patroni's process and the server that it runs.
pub struct Member {
    pub server: Server,
    patroni: Child,
}

impl Patroni {
    /// etcd alone.
    pub fn new() -> Self {
        let cluster = Cluster::new();
        let (client, peer) = (port::free(), port::free());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let mut etcd = cluster.as_user_directly("etcd");
        etcd.args(["--name", "e", "--unsafe-no-fsync", "--log-outputs", "stderr", "--data-dir"]);
        etcd.arg(cluster.folder().join("etcd"));
        for (key, port) in [
            ("--listen-client-urls", client),
            ("--advertise-client-urls", client),
            ("--listen-peer-urls", peer),
            ("--initial-advertise-peer-urls", peer),
        ] {
            etcd.args([key, &url(port)]);
        }
        etcd.args(["--initial-cluster", &format!("e={}", url(peer))]);
        let log = std::fs::File::create(cluster.folder().join("etcd.log")).unwrap();
        let etcd = etcd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let etcd = etcd.expect("etcd cannot be started: tests/all.sh installs what the tests need");
        let patroni = Self { members: Vec::new(), etcd, etcd_port: client, cluster };
        wait_until("etcd answers", || std::net::TcpStream::connect(("127.0.0.1", client)).is_ok());
        patroni
    }

    /// A leader and a replica that streams from it.
    pub fn pair() -> Self {
        let mut patroni = Self::new();
        patroni.add("a", "a1", None);
        let leader = &patroni.members[0].server;
        leader.wait_for("select not pg_is_in_recovery()");
        leader.sql(
            "create table load (id bigint primary key, at timestamptz not null default now(), pad text)",
        );
        patroni.add("a", "a2", None);
        patroni.member(1).wait_for(STREAMS);
        patroni
    }

    /// A standby cluster of one member besides, which follows the leader.
    pub fn with_standby_cluster(mut self) -> Self {
        let leader = self.members[0].server.port;
        self.add("b", "b1", Some(leader));
        self.members[self.members.len() - 1].server.wait_for(STREAMS);
        self
    }

    pub fn member(&self, place: usize) -> &Server {
        &self.members[place].server
    }

    fn add(&mut self, scope: &str, name: &str, follows: Option<u16>) {
        let (port, rest) = (port::free(), port::free());
        let folder = self.cluster.folder().join(name);
        let made = self.cluster.as_user_directly("mkdir").arg(&folder).status().unwrap();
        assert!(made.success());
        let config = config(scope, name, &folder, (port, rest, self.etcd_port), &self.cluster, follows);
        let path = self.cluster.folder().join(format!("{name}.yml"));
        std::fs::write(&path, config).unwrap();
        let log = std::fs::File::create(self.cluster.folder().join(format!("{name}.log"))).unwrap();
        let mut command = self.cluster.as_user_directly("patroni");
        command.arg(&path).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let patroni =
            command.spawn().expect("patroni cannot be started: tests/all.sh installs what the tests need");
        let server = self.cluster.adopted(name, port, folder.join("data"));
        server.wait_for("select true");
        self.members.push(Member { server, patroni });
    }
}

const STREAMS: &str = "select exists (select from pg_stat_wal_receiver where status = 'streaming')";

impl Drop for Patroni {
    fn drop(&mut self) {
        // Before their servers, which they would start again.
        for member in &mut self.members {
            let _ = member.patroni.kill();
            let _ = member.patroni.wait();
        }
        let _ = self.etcd.kill();
        let _ = self.etcd.wait();
    }
}

fn config(
    scope: &str,
    name: &str,
    folder: &Path,
    (port, rest, etcd): (u16, u16, u16),
    cluster: &Cluster,
    follows: Option<u16>,
) -> String {
    let standby = follows.map_or_else(String::new, |port| {
        format!(
            "    standby_cluster: {{host: 127.0.0.1, port: {port}, create_replica_methods: [basebackup]}}\n"
        )
    });
    let folder = folder.display();
    format!(
        "scope: {scope}\nname: {name}\n\
         restapi: {{listen: '127.0.0.1:{rest}', connect_address: '127.0.0.1:{rest}'}}\n\
         etcd3: {{hosts: ['127.0.0.1:{etcd}']}}\n\
         bootstrap:\n  dcs:\n    ttl: 12\n    loop_wait: 2\n    retry_timeout: 4\n{standby}    \
         postgresql:\n      use_pg_rewind: true\n      use_slots: true\n      \
         parameters: {{wal_level: replica, hot_standby: 'on', wal_log_hints: 'on', max_connections: 60, wal_keep_size: 64MB}}\n  \
         initdb: [{{encoding: UTF8}}, {{auth: trust}}, no-sync]\n\
         postgresql:\n  listen: 127.0.0.1:{port}\n  connect_address: 127.0.0.1:{port}\n  \
         data_dir: {folder}/data\n  bin_dir: {bin}\n  pgpass: {folder}/pgpass\n  \
         authentication:\n    superuser: {{username: postgres, password: superpw}}\n    \
         replication: {{username: replicator, password: replpw}}\n    \
         rewind: {{username: rewinder, password: rewpw}}\n  \
         parameters: {{unix_socket_directories: {folder}, fsync: 'off'}}\n  \
         pg_hba: ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']\n",
        bin = cluster.programs().display(),
    )
}
