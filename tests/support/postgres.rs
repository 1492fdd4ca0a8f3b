//! Real PostgreSQL servers of a test's own: a primary and streaming standbys, with load, faults and helpers.
//! Each has its own folder and port and is gone when it is dropped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anything here may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A primary, a standby that streams from it through slot `s1`, and the folder that holds both.
pub struct Pair {
    pub primary: Server,
    pub standby: Server,
    pub cluster: Cluster,
}

impl Pair {
    /// Starts both; returns once the standby streams.
    pub fn start() -> Self {
        let cluster = Cluster::new();
        let primary = cluster.primary("primary");
        primary.sql("create role repl replication login");
        primary.sql("select pg_create_physical_replication_slot('s1')");
        primary.sql(
            "create table load (id bigint primary key, at timestamptz not null default now(), pad text)",
        );
        let standby = cluster.standby("standby", &primary, Some("s1"));
        Self { primary, standby, cluster }
    }

    /// Waits until the standby has received all that the primary wrote until now.
    pub fn wait_received(&self) {
        let end = self.primary.sql("select pg_current_wal_flush_lsn()");
        self.standby.wait_for(&format!("select pg_last_wal_receive_lsn() >= '{end}'"));
    }

    /// Waits until queries on the standby see all that the primary wrote until now.
    pub fn wait_replayed(&self) {
        let end = self.primary.sql("select pg_current_wal_flush_lsn()");
        self.standby.wait_for(&format!("select pg_last_wal_replay_lsn() >= '{end}'"));
    }
}

/// The folder of a test's servers, and how to run PostgreSQL's programs in it.
pub struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    user: Option<&'static str>,
}

impl Cluster {
    /// A new folder.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("lifeboat-pg-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let user = unprivileged_user();
        if let Some(user) = user {
            run(Command::new("chown").arg(user).arg(folder.path()));
        }
        Self { folder, programs: programs(), user }
    }

    /// The folder; the servers' user may write in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a primary that archives into `archive`, unless a file `archive-fails` is in the folder.
    pub fn primary(&self, name: &str) -> Server {
        let server = self.server(name);
        let archive = self.folder().join("archive");
        run(self
            .program("initdb")
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"])
            .arg(&server.data));
        if !archive.exists() {
            run(self.as_user("mkdir").arg(&archive));
        }
        server.configure(&format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n\
             wal_level = replica\nhot_standby = on\nwal_keep_size = 64MB\nwal_log_hints = on\n\
             wal_sender_timeout = 3s\nwal_receiver_timeout = 3s\nwal_retrieve_retry_interval = 200ms\n\
             archive_mode = on\n\
             archive_command = 'test ! -e {folder}/archive-fails && cp %p {archive}/%f'\n",
            server.port,
            folder = self.folder().display(),
            archive = archive.display(),
        ));
        server.start();
        server
    }

    /// Starts a standby of a server; returns once it streams.
    pub fn standby(&self, name: &str, primary: &Server, slot: Option<&str>) -> Server {
        let server = self.server(name);
        let mut copy = self.program("pg_basebackup");
        copy.args(["-h", "127.0.0.1", "-U", "repl", "-X", "stream", "-R", "--checkpoint=fast", "--no-sync"]);
        copy.args(["-p", &primary.port.to_string(), "-D"]).arg(&server.data);
        if let Some(slot) = slot {
            copy.args(["-S", slot]);
        }
        run(&mut copy);
        // By its name the primary tells it apart.
        server.configure(&format!("port = {}\ncluster_name = '{name}'\n", server.port));
        server.start();
        server.wait_for("select exists (select from pg_stat_wal_receiver where status = 'streaming')");
        server
    }

    /// A server that something else starts and runs.
    pub fn adopted(&self, name: &str, port: u16, data: PathBuf) -> Server {
        let log = self.folder().join(format!("{name}.log"));
        Server { port, data, log, programs: self.programs.clone(), user: self.user }
    }

    /// Makes an empty file that the servers' user owns.
    pub fn touch(&self, path: &Path) {
        run(self.as_user("touch").arg(path));
    }

    /// The folder of PostgreSQL's programs.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// A program as the servers' user, without another process in between: killing it ends it.
    pub fn as_user_directly(&self, program: &str) -> Command {
        let Some(user) = self.user else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={user}"), format!("--regid={user}")]).arg("--init-groups");
        command.arg(program).current_dir("/");
        command
    }

    fn server(&self, name: &str) -> Server {
        Server {
            port: crate::port::free(),
            data: self.folder().join(name),
            log: self.folder().join(format!("{name}.log")),
            programs: self.programs.clone(),
            user: self.user,
        }
    }

    fn program(&self, name: &str) -> Command {
        command(self.user, &self.programs.join(name))
    }

    fn as_user(&self, program: &str) -> Command {
        command(self.user, Path::new(program))
    }
}

/// One server.
pub struct Server {
    pub port: u16,
    pub data: PathBuf,
    log: PathBuf,
    programs: PathBuf,
    user: Option<&'static str>,
}

impl Server {
    /// A connection string for the superuser.
    pub fn dsn(&self) -> String {
        self.dsn_of("postgres")
    }

    /// A connection string for a role; every role gets in without a password.
    pub fn dsn_of(&self, role: &str) -> String {
        format!("host=127.0.0.1 port={} user={role} dbname=postgres sslmode=disable", self.port)
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it and waits until it takes connections.
    pub fn start(&self) {
        self.start_by(self.pg_ctl());
    }

    /// Starts it with a clock that is ahead by so many seconds, or behind where that is below zero.
    pub fn start_with_clock_ahead(&self, seconds: i64) {
        let mut start = self.pg_ctl();
        // The loader puts this host's folder of libraries in the place of `$LIB`.
        start.env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1");
        start.env("FAKETIME", format!("{seconds:+}")).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        self.start_by(start);
        let now: i64 = self.sql("select extract(epoch from clock_timestamp())::bigint").parse().unwrap();
        let here = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let ahead = now - i64::try_from(here).unwrap();
        assert!((ahead - seconds).abs() < 5, "its clock is {ahead} s ahead instead of {seconds} s");
    }

    fn start_by(&self, mut start: Command) {
        start.args(["-w", "-t", "30", "-l"]).arg(&self.log).arg("start");
        // The server inherits these and outlives the program.
        let status = start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{} did not start:\n{}", self.data.display(), self.log());
    }

    /// Stops it in an orderly way.
    pub fn stop(&self) {
        run(self.pg_ctl().args(["-w", "-m", "fast", "stop"]));
    }

    /// Arguments of a program that stops it.
    pub fn stop_argv(&self) -> Vec<String> {
        let mut stop = self.pg_ctl();
        stop.args(["-w", "-m", "fast", "stop"]);
        let words = [stop.get_program()].into_iter().chain(stop.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect()
    }

    /// Ends it as a power cut would: SIGKILL to every process of it, at once.
    pub fn kill(&self) {
        let processes = self.kill_now();
        wait_until("the server is gone", || processes.iter().all(|pid| is_gone(*pid)));
        // A dead process that nobody has waited for yet still looks alive to the next start.
        let _ = fs::remove_file(self.data.join("postmaster.pid"));
    }

    fn kill_now(&self) -> Vec<u32> {
        let Some(postmaster) = self.postmaster() else { return Vec::new() };
        let processes: Vec<u32> = [postmaster].into_iter().chain(children(postmaster)).collect();
        // Some children may be gone by the time that their turn comes.
        let memory = self.shared_memory();
        let _ = Command::new("kill").arg("-9").args(processes.iter().map(u32::to_string)).output();
        // A server that is killed leaves it behind, and a host has some thousands of them.
        if let Some(memory) = memory {
            let _ = command(self.user, Path::new("ipcrm")).args(["-m", &memory]).output();
        }
        processes
    }

    /// The server's segment of System V shared memory: the second number of the seventh line, says its source.
    fn shared_memory(&self) -> Option<String> {
        let file = fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        file.lines().nth(6)?.split_whitespace().nth(1).map(str::to_owned)
    }

    /// The answer of a statement, columns separated by `|`.
    pub fn sql(&self, sql: &str) -> String {
        let output = self.psql(sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The error of a statement that must fail.
    pub fn sql_error(&self, sql: &str) -> String {
        let output = self.psql(sql);
        assert!(!output.status.success(), "{sql} was accepted");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Waits until a statement answers with true.
    pub fn wait_for(&self, sql: &str) {
        wait_until(sql, || self.psql(sql).stdout.starts_with(b"t"));
    }

    /// Holds replay back on a standby; WAL is still received.
    pub fn pause_replay(&self) {
        self.sql("select pg_wal_replay_pause()");
        self.wait_for("select pg_get_wal_replay_pause_state() = 'paused'");
    }

    /// Lets replay go on.
    pub fn resume_replay(&self) {
        self.sql("select pg_wal_replay_resume()");
    }

    /// Adds lines to its configuration; read at the next start or reload.
    pub fn configure(&self, lines: &str) {
        let path = self.data.join("postgresql.conf");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{before}\n{lines}")).unwrap();
    }

    /// The server's log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn psql(&self, sql: &str) -> std::process::Output {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres", "-d", "postgres"]);
        psql.args(["-p", &self.port.to_string(), "-c", sql]).env("PGCONNECT_TIMEOUT", "5");
        psql.output().unwrap()
    }

    fn pg_ctl(&self) -> Command {
        let mut pg_ctl = command(self.user, &self.programs.join("pg_ctl"));
        pg_ctl.arg("-D").arg(&self.data);
        pg_ctl
    }

    fn postmaster(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        let pid: u32 = file.lines().next()?.parse().ok()?;
        // A file left over by a kill may name another process by now.
        let argv = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&argv).contains(&*self.data.to_string_lossy()).then_some(pid)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill_now();
    }
}

/// Rows inserted at a steady rate, one transaction each, until it is stopped or the server is gone.
pub struct Load {
    stop: Arc<AtomicBool>,
    rows: Arc<Mutex<Vec<Row>>>,
    thread: Option<JoinHandle<()>>,
}

/// A row whose commit the server acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub id: i64,
    pub acknowledged: Instant,
}

impl Load {
    /// Starts inserting into `load`; each row is about a kilobyte.
    pub fn start(server: &Server, rows_per_second: u32) -> Self {
        let (stop, rows) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopping, acknowledged, dsn) = (stop.clone(), rows.clone(), server.dsn());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(insert(&dsn, rows_per_second, &stopping, &acknowledged));
        });
        let load = Self { stop, rows, thread: Some(thread) };
        wait_until("the first row is acknowledged", || !load.rows.lock().unwrap().is_empty());
        load
    }

    /// The rows that were acknowledged so far.
    pub fn acknowledged(&self) -> Vec<Row> {
        self.rows.lock().unwrap().clone()
    }

    /// Stops it and returns all rows that were acknowledged.
    pub fn stop(mut self) -> Vec<Row> {
        self.end();
        self.acknowledged()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.end();
    }
}

async fn insert(dsn: &str, rows_per_second: u32, stop: &AtomicBool, rows: &Mutex<Vec<Row>>) {
    let (client, connection) = tokio_postgres::connect(dsn, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let first: i64 = client.query_one("select coalesce(max(id), 0) from load", &[]).await.unwrap().get(0);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rows_per_second);
    let statement = "insert into load (id, pad) values ($1::bigint, repeat(md5($1::bigint::text), 30))";
    for id in first + 1.. {
        ticks.tick().await;
        if stop.load(Ordering::SeqCst) || client.execute(statement, &[&id]).await.is_err() {
            return;
        }
        rows.lock().unwrap().push(Row { id, acknowledged: Instant::now() });
    }
}

/// Waits for a condition, and fails the test when it does not come.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "after {PATIENCE:?} still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// PostgreSQL's newest programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs)| programs.join("initdb").exists())
        .collect();
    found.sort();
    let newest = found.pop().expect("PostgreSQL is not installed: tests/all.sh installs what the tests need");
    newest.1
}

/// PostgreSQL refuses to run as root; then it runs as somebody else.
fn unprivileged_user() -> Option<&'static str> {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return None;
    }
    let exists = |user: &&str| Command::new("id").arg(user).output().unwrap().status.success();
    ["postgres", "nobody"].into_iter().find(exists)
}

fn command(user: Option<&str>, program: &Path) -> Command {
    match user {
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]).arg(program).current_dir("/");
            command
        }
        None => Command::new(program),
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, of)| of == parent)).collect()
}

fn is_gone(pid: u32) -> bool {
    stat(pid).is_none_or(|(state, _)| state == "Z")
}

/// State and parent, after the name in brackets.
fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}
