//! Runs a program: no shell, its own process group, a deadline that also ends what it started.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::orphans;
use super::output::{Kept, Lines, Redact, Stream};
use super::pipe::Pipe;
use super::shortage::{OWN_FAULT, is_own_fault};

/// How long a program that ended may still have its output read when somebody else holds the pipe open.
const DRAIN: Duration = Duration::from_millis(500);

/// How long to wait for a killed program to be gone; only one stuck in the kernel takes longer.
const REAP: Duration = Duration::from_secs(2);

/// What to run, and within which bounds.
#[derive(Clone)]
pub struct ProcessSpec {
    /// Program and arguments, handed over as they are: no shell reads them.
    pub argv: Vec<String>,
    /// The child's whole environment; see [`crate::base::environment::Environment::for_child`].
    pub env: Vec<(OsString, OsString)>,
    /// The folder to run in; this process's own when absent.
    pub folder: Option<PathBuf>,
    /// What the program reads from standard input; nothing (end of file at once) when absent.
    pub stdin: Option<Zeroizing<Vec<u8>>>,
    /// How long it may take; then its process group gets SIGTERM.
    pub deadline: Duration,
    /// How long after SIGTERM the group gets SIGKILL.
    pub grace: Duration,
    /// What it leaves in its process group is ended with it. A step's program may start a service that stays.
    pub ends_leftovers: bool,
    /// It goes on when this process is killed: its output then still has somewhere to go (Linux).
    pub outlives: bool,
}

impl ProcessSpec {
    /// A program with no input, ended `deadline` after its start, killed 5 s later.
    pub fn new(argv: Vec<String>, env: Vec<(OsString, OsString)>, deadline: Duration) -> Self {
        Self {
            argv,
            env,
            folder: None,
            stdin: None,
            deadline,
            grace: Duration::from_secs(5),
            ends_leftovers: false,
            outlives: false,
        }
    }

    fn program(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal that lifeboat did not send.
    Signalled(i32),
    /// By lifeboat, because the deadline passed.
    TimedOut,
    /// By lifeboat, because the reader of its output had enough.
    Stopped,
}

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessOutcome {
    pub ending: Ending,
    /// From start to end.
    pub elapsed: Duration,
    /// Standard output, redacted and cleaned, within bounds.
    pub stdout: Kept,
    /// Standard error, likewise.
    pub stderr: Kept,
    /// A process that it left behind still holds its output open; it was left alone, and no longer read.
    pub output_left_open: bool,
    /// Processes that it left in its process group, where they were not ended with it.
    pub left: Vec<u32>,
}

impl ProcessOutcome {
    /// Did it end by itself with exit code 0?
    pub fn success(&self) -> bool {
        self.ending == Ending::Exited(0)
    }
}

/// Why a program could not be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot run {program:?}: {why}")]
pub struct ProcessError {
    pub program: String,
    /// What failed.
    pub why: String,
    /// What the operator can do now.
    pub next_step: String,
}

/// Runs a program and hands each line of its output to `on_line`, redacted and cleaned, as it comes.
///
/// Dropping the future kills the whole process group. Processes that the program leaves behind after it ended
/// in time are left alone and named, as it may have started a service, or ended with it, as the spec says.
///
/// # Errors
/// When the program cannot be started. A non-zero exit code is an outcome, not an error.
pub async fn run(
    spec: &ProcessSpec,
    redactor: &dyn Redact,
    mut on_line: impl FnMut(Stream, &str),
) -> Result<ProcessOutcome, ProcessError> {
    let mut stdout = Lines::new(redactor);
    let mut stderr = Lines::new(redactor);
    let ended = run_raw(spec, |stream, chunk| {
        match stream {
            Stream::Stdout => stdout.take(chunk, &mut |line| on_line(Stream::Stdout, line)),
            Stream::Stderr => stderr.take(chunk, &mut |line| on_line(Stream::Stderr, line)),
        }
        ControlFlow::Continue(())
    })
    .await?;
    stdout.finish(&mut |line| on_line(Stream::Stdout, line));
    stderr.finish(&mut |line| on_line(Stream::Stderr, line));
    Ok(ProcessOutcome {
        ending: ended.ending,
        elapsed: ended.elapsed,
        stdout: stdout.kept,
        stderr: stderr.kept,
        output_left_open: ended.output_left_open,
        left: ended.left,
    })
}

/// How a program ended, without its output.
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    pub(crate) elapsed: Duration,
    pub(crate) output_left_open: bool,
    pub(crate) left: Vec<u32>,
}

/// Like [`run`], with the raw bytes of both streams. `on_chunk` ends the program by returning `Break`.
pub(crate) async fn run_raw(
    spec: &ProcessSpec,
    mut on_chunk: impl FnMut(Stream, &[u8]) -> ControlFlow<()>,
) -> Result<Ended, ProcessError> {
    let started = Instant::now();
    let Spawned { mut child, mut stdout, mut stderr } = spawn(spec)?;
    let mut group = Group::of(&child);
    let leader = Members(group.0);
    let feed = feed(child.stdin.take(), spec.stdin.clone());
    tokio::pin!(feed);
    let mut fed = false;
    let mut exited: Option<ExitStatus> = None;
    let mut until = started + spec.deadline;
    let mut ended_by_us: Option<Ending> = None;
    let mut killed = false;

    while exited.is_none() || stdout.open() || stderr.open() {
        let mut flow = ControlFlow::Continue(());
        tokio::select! {
            () = &mut feed, if !fed => fed = true,
            chunk = stdout.read(), if stdout.open() => flow = on_chunk(Stream::Stdout, chunk),
            chunk = stderr.read(), if stderr.open() => flow = on_chunk(Stream::Stderr, chunk),
            status = child.wait(), if exited.is_none() => {
                exited = Some(status.map_err(|error| failed(spec, &error))?);
                if ended_by_us.is_some() {
                    // The program heeded SIGTERM; what it started may not have.
                    group.signal(Signal::KILL);
                }
                if !spec.ends_leftovers {
                    group.disarm();
                }
                until = Instant::now() + DRAIN;
            }
            () = sleep_until(until) => {
                if exited.is_some() || killed {
                    break;
                } else if ended_by_us.is_none() {
                    ended_by_us = Some(Ending::TimedOut);
                    group.signal(Signal::TERM);
                    until = Instant::now() + spec.grace;
                } else {
                    killed = true;
                    group.signal(Signal::KILL);
                    until = Instant::now() + REAP;
                }
            }
        }
        if flow.is_break() && ended_by_us.is_none() {
            ended_by_us = Some(Ending::Stopped);
            group.signal(Signal::TERM);
            until = Instant::now() + spec.grace;
        }
    }
    let output_left_open = stdout.open() || stderr.open();
    let ending = ended_by_us.or(exited.map(ending_of)).unwrap_or(Ending::TimedOut);
    // Dropping the group ends what is left in it, where it is to be ended.
    let left = if ended_by_us.is_none() && !spec.ends_leftovers { leader.members() } else { Vec::new() };
    Ok(Ended { ending, elapsed: started.elapsed(), output_left_open, left })
}

struct Spawned {
    child: Child,
    stdout: Pipe,
    stderr: Pipe,
}

fn spawn(spec: &ProcessSpec) -> Result<Spawned, ProcessError> {
    let Some((program, arguments)) = spec.argv.split_first().filter(|(program, _)| !program.is_empty())
    else {
        return Err(ProcessError {
            program: String::new(),
            why: "no program is named".to_owned(),
            next_step: "name a program and its arguments in the plan".to_owned(),
        });
    };
    if let Some(folder) = spec.folder.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(ProcessError {
            program: program.clone(),
            why: format!("its folder {} does not exist", folder.display()),
            next_step: "create the folder, or correct it in the plan".to_owned(),
        });
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(spec.env.iter().map(|(key, value)| (key, value)))
        .stdin(if spec.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .process_group(0)
        .kill_on_drop(true);
    if let Some(folder) = &spec.folder {
        command.current_dir(folder);
    }
    let pipe = || if spec.outlives { Pipe::lasting() } else { Pipe::plain() };
    let piped = pipe().and_then(|stdout| Ok((stdout, pipe()?)));
    let ((stdout, out), (stderr, err)) = piped.map_err(|error| failed(spec, &error))?;
    let child = command.stdout(out).stderr(err).spawn().map_err(|error| failed(spec, &error))?;
    Ok(Spawned { child, stdout, stderr })
}

fn failed(spec: &ProcessSpec, error: &std::io::Error) -> ProcessError {
    let program = spec.program().to_owned();
    let (why, next_step) = match error.kind() {
        // No process more for this user counts as well: fork says to try again.
        _ if is_own_fault(error) || error.kind() == ErrorKind::WouldBlock => {
            (error.to_string(), OWN_FAULT.to_owned())
        }
        ErrorKind::NotFound => (
            "there is no such program".to_owned(),
            format!("install {program} on this host, or give its full path in the plan"),
        ),
        ErrorKind::PermissionDenied => (
            "it may not be executed".to_owned(),
            format!("check `ls -l` of {program}: it must be executable for the user that runs the engine"),
        ),
        _ => (error.to_string(), "run the command by hand on this host to see what is wrong".to_owned()),
    };
    ProcessError { program, why, next_step }
}

fn ending_of(status: ExitStatus) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, signal) => Ending::Signalled(signal.unwrap_or_default()),
    }
}

/// Writes all input and closes the pipe. A program that ends without reading it is not an error.
async fn feed(stdin: Option<ChildStdin>, input: Option<Zeroizing<Vec<u8>>>) {
    if let (Some(mut stdin), Some(input)) = (stdin, input)
        && stdin.write_all(&input).await.is_ok()
    {
        // A failing shutdown means the same as a failing write.
        let _ = stdin.shutdown().await;
    }
}

/// The child's process group; killed when dropped unless the child has ended.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // The only possible failure is that nobody is left in the group.
            let _ = kill_process_group(group, signal);
        }
    }

    fn disarm(&mut self) {
        self.0 = None;
    }
}

/// Who is in a process group, its leader gone or not.
struct Members(Option<Pid>);

impl Members {
    fn members(&self) -> Vec<u32> {
        let there = self.0.filter(|group| test_kill_process_group(*group).is_ok());
        there.map_or_else(Vec::new, |group| orphans::in_group(group.as_raw_nonzero().get()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::environment::Environment;
    use crate::base::output::NoSecrets;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_program_that_writes_goes_on_when_nobody_reads_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo begun; read _ < go; head -c 300000 /dev/zero; echo to all >&2; echo done > done";
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let path = vec![("PATH".into(), std::env::var_os("PATH").unwrap())];
        let mut spec = ProcessSpec::new(argv, path, Duration::from_secs(60));
        spec.folder = Some(folder.path().to_owned());
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("go"), rustix::fs::Mode::RWXU).unwrap();
        for outlives in [false, true] {
            spec.outlives = outlives;
            let Spawned { mut child, mut stdout, stderr } = spawn(&spec).unwrap();
            assert_eq!(stdout.read().await, b"begun\n");
            drop((stdout, stderr));
            std::fs::write(folder.path().join("go"), "go\n").unwrap();
            let ended = tokio::time::timeout(Duration::from_secs(60), child.wait()).await;
            ended.expect("it ends").unwrap();
            // A shell whose `head` was ended by SIGPIPE fails to write its own words.
            assert_eq!(folder.path().join("done").exists(), outlives);
        }
    }

    const LONG: Duration = Duration::from_secs(30);

    fn script(text: &str, deadline: Duration) -> ProcessSpec {
        let argv = ["/bin/sh", "-c", text].map(str::to_owned).to_vec();
        let environment = Environment::of_this_process();
        let spec = ProcessSpec::new(argv, environment.for_child([]), deadline);
        ProcessSpec { grace: Duration::from_millis(300), ..spec }
    }

    async fn run_quietly(spec: &ProcessSpec) -> ProcessOutcome {
        run(spec, &NoSecrets, |_, _| {}).await.unwrap()
    }

    /// Is the process gone, or at least dead and not yet collected by its parent?
    fn gone(id: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_none_or(|state| state.is_empty() || state.starts_with('Z'))
    }

    async fn until(what: &str, condition: impl Fn() -> bool) {
        let limit = Instant::now() + LONG;
        while !condition() {
            assert!(Instant::now() < limit, "{what} did not happen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn lines_come_as_they_are_written_from_both_streams() {
        let mut seen = Vec::new();
        let spec = script("echo one; echo two >&2; printf three; exit 7", LONG);
        let outcome =
            run(&spec, &NoSecrets, |stream, line| seen.push((stream, line.to_owned()))).await.unwrap();
        assert_eq!(outcome.ending, Ending::Exited(7));
        assert!(!outcome.success());
        assert_eq!(outcome.stdout.text(), "one\nthree");
        assert_eq!(outcome.stderr.last_line(), Some("two"));
        assert_eq!(seen.len(), 3);
        assert!(seen.contains(&(Stream::Stderr, "two".to_owned())));
    }

    #[tokio::test]
    async fn arguments_reach_no_shell_and_the_environment_is_only_what_is_given() {
        let argv = ["/bin/echo", "$HOME; `id`"].map(str::to_owned).to_vec();
        let outcome = run_quietly(&ProcessSpec::new(argv, Vec::new(), LONG)).await;
        assert_eq!(outcome.stdout.text(), "$HOME; `id`");
        let env = vec![("ONLY".into(), "this".into())];
        let argv = vec!["/usr/bin/env".to_owned()];
        assert_eq!(run_quietly(&ProcessSpec::new(argv, env, LONG)).await.stdout.text(), "ONLY=this");
    }

    #[tokio::test]
    async fn input_is_given_or_ends_at_once() {
        assert_eq!(run_quietly(&script("cat; echo end", LONG)).await.stdout.text(), "end");
        let mut spec = script("wc -c", LONG);
        spec.stdin = Some(vec![b'x'; 300_000].into());
        assert_eq!(run_quietly(&spec).await.stdout.text().trim(), "300000");
        spec.argv = vec!["/bin/true".to_owned()];
        assert!(run_quietly(&spec).await.success(), "a program need not read its input");
    }

    #[tokio::test]
    async fn a_program_that_ignores_sigterm_is_killed_with_what_it_started() {
        let spec = script(
            "trap '' TERM; sleep 600 & echo $!; while :; do sleep 1; done",
            Duration::from_millis(300),
        );
        let outcome = run_quietly(&spec).await;
        assert_eq!(outcome.ending, Ending::TimedOut);
        assert!(outcome.elapsed < Duration::from_secs(10), "{:?}", outcome.elapsed);
        let started = outcome.stdout.text();
        until("the end of the grandchild", || gone(started.trim())).await;
    }

    #[tokio::test]
    async fn a_program_can_clean_up_after_sigterm() {
        let spec = ProcessSpec {
            grace: LONG,
            ..script(
                "trap 'echo bye; exit 0' TERM; echo on; while :; do sleep 0.05; done",
                Duration::from_millis(500),
            )
        };
        let outcome = run_quietly(&spec).await;
        assert_eq!((outcome.ending, outcome.stdout.text().as_str()), (Ending::TimedOut, "on\nbye"));
    }

    #[tokio::test]
    async fn a_process_left_behind_with_the_pipe_holds_nobody_up_and_lives() {
        let outcome = run_quietly(&script("sleep 600 & echo $!", LONG)).await;
        assert_eq!(outcome.ending, Ending::Exited(0));
        assert!(outcome.output_left_open);
        assert!(outcome.elapsed < Duration::from_secs(10), "{:?}", outcome.elapsed);
        let id = outcome.stdout.text();
        assert!(!gone(id.trim()), "a program may start a service; it was killed");
        let id = Pid::from_raw(id.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(id, Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn dropping_the_future_kills_the_group() {
        let spec = script("sleep 600 & echo $!; wait", LONG);
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            run(&spec, &NoSecrets, |_, line| send.send(line.to_owned()).unwrap()).await
        });
        let grandchild = receive.recv().await.unwrap();
        assert!(!gone(&grandchild));
        task.abort();
        until("the end of the grandchild", || gone(&grandchild)).await;
    }

    #[tokio::test]
    async fn a_gigabyte_of_output_is_read_through_and_only_its_ends_are_kept() {
        let line_of_a_gigabyte = "head -c 1000000000 /dev/zero; echo";
        let many_lines = "head -c 40000000 /dev/zero | tr '\\0' 'x' | fold -w 4000; echo; echo end";
        let outcome = run_quietly(&script(&format!("{line_of_a_gigabyte}; {many_lines}"), 40 * LONG)).await;
        assert!(outcome.success());
        assert_eq!(outcome.stdout.last_line(), Some("end"));
        assert!(outcome.stdout.text().len() < 2 * crate::base::output::MAX_KEPT_BYTES + 1000);
        assert!(outcome.stdout.omitted_lines() > 9_000);
    }

    #[tokio::test]
    async fn a_program_that_closes_its_output_and_goes_on_meets_the_deadline() {
        let outcome = run_quietly(&script("exec >&- 2>&-; sleep 600", Duration::from_millis(200))).await;
        assert_eq!(outcome.ending, Ending::TimedOut);
    }

    #[tokio::test]
    async fn a_death_by_signal_is_told_apart() {
        assert_eq!(run_quietly(&script("kill -9 $$", LONG)).await.ending, Ending::Signalled(9));
    }

    #[tokio::test]
    async fn what_cannot_run_says_why_and_what_to_do() {
        let error = |argv: &[&str], folder: Option<&str>| {
            let argv = argv.iter().map(|&argument| argument.to_owned()).collect();
            let mut spec = ProcessSpec::new(argv, Vec::new(), LONG);
            spec.folder = folder.map(Into::into);
            async move { run(&spec, &NoSecrets, |_, _| {}).await.unwrap_err() }
        };
        let missing = error(&["/no/such/program"], None).await;
        assert_eq!(missing.to_string(), "cannot run \"/no/such/program\": there is no such program");
        assert!(missing.next_step.contains("install"));
        assert!(error(&["/etc/passwd"], None).await.to_string().contains("may not be executed"));
        assert!(error(&[], None).await.to_string().contains("no program is named"));
        assert!(error(&["/bin/true"], Some("/no/such")).await.to_string().contains("folder /no/such"));
    }
}
