//! Where the objects of a step come from: files, or a program that prints them (kustomize, helm).

use super::files::{self, File, MAX_BYTES};
use super::parse;
use crate::base::output::Stream;
use crate::base::problem::Problem;
use crate::base::process::{Ending, run_raw};
use crate::plan::kinds::{BuildError, keys};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::program::source::Program;
use crate::secrets::last_line;
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

/// How long reading may take: a folder may be on a server that is gone.
const READING: Duration = Duration::from_secs(10);
/// Shorter than a step's preflight takes, so that it is the program of which it is said.
const RENDERING: Duration = Duration::from_secs(12);
const MAX_COMPLAINT_BYTES: usize = 16 << 10;

/// Where they come from.
pub enum Source {
    Files(Vec<PathBuf>),
    /// What it prints.
    Rendered(Program),
}

impl Source {
    /// As a step says it.
    ///
    /// # Errors
    /// When it says none, or both.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let files = params.texts("files");
        if let Some(fault) = files.iter().find_map(|path| keys::home("files", path)) {
            return Err(fault);
        }
        match (files.is_empty(), params.texts("render").is_empty()) {
            (false, true) => Ok(Self::Files(files.into_iter().map(PathBuf::from).collect())),
            (true, false) => match keys::program(params, &["render"]).into_iter().next() {
                Some(fault) => Err(fault),
                None => Ok(Self::Rendered(Program::of(params, "render")?)),
            },
            _ => Err(BuildError::value(
                "files",
                "",
                "exactly one of `files` and `render` says what is applied",
            )),
        }
    }

    /// Reads the objects as they are now.
    ///
    /// # Errors
    /// When they cannot be read, or are none.
    pub async fn read(&self, clients: &Clients) -> Result<Vec<Value>, Problem> {
        let files = match self {
            Self::Files(paths) => read(paths.clone()).await?,
            Self::Rendered(program) => {
                vec![File { name: program.words(), text: render(program, clients).await? }]
            }
        };
        let mut objects = Vec::new();
        for file in &files {
            objects.extend(parse::objects(file)?);
        }
        Ok(objects)
    }

    /// Where they come from, for people.
    pub fn words(&self) -> String {
        match self {
            Self::Files(paths) => {
                paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
            }
            Self::Rendered(program) => program.words(),
        }
    }

    /// A command whose standard input or arguments they are.
    pub fn command(&self, apply: impl Fn(&[&str]) -> String) -> String {
        match self {
            Self::Files(paths) => {
                let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
                apply(&paths.iter().flat_map(|path| ["-f", path]).collect::<Vec<_>>())
            }
            Self::Rendered(program) => format!("{} | {}", program.words(), apply(&["-f", "-"])),
        }
    }

    /// The program, where it is one.
    pub fn program(&self) -> Option<&Program> {
        match self {
            Self::Files(_) => None,
            Self::Rendered(program) => Some(program),
        }
    }
}

async fn read(paths: Vec<PathBuf>) -> Result<Vec<File>, Problem> {
    let reading = tokio::task::spawn_blocking(move || files::read(&paths));
    match tokio::time::timeout(READING, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err(Problem::new("reading the files was cut off", "Confirm the step again.")),
        Err(_) => {
            let why = format!("the files cannot be read within {} s", READING.as_secs());
            Err(Problem::new(why, "See whether the server that holds them answers (`ls`)."))
        }
    }
}

/// What the program prints.
async fn render(program: &Program, clients: &Clients) -> Result<String, Problem> {
    let by_hand = format!("Run it by hand and see what it says: `{}`.", program.words());
    let failed = |why: String| Problem::new(format!("`{}` {why}", program.argv[0]), by_hand.clone());
    let spec = program.spec(clients, RENDERING).await;
    let mut spec = spec.map_err(|error| Problem::new(error.to_string(), error.next_step()))?;
    spec.ends_leftovers = true;
    let (mut printed, mut complaint) = (Vec::new(), Vec::new());
    let most = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
    let ended = run_raw(&spec, |stream, chunk| {
        let (kept, most) = match stream {
            Stream::Stdout => (&mut printed, most),
            Stream::Stderr => {
                let rest = MAX_COMPLAINT_BYTES.saturating_sub(complaint.len());
                complaint.extend_from_slice(&chunk[..chunk.len().min(rest)]);
                return ControlFlow::Continue(());
            }
        };
        kept.extend_from_slice(chunk);
        if kept.len() <= most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .await
    .map_err(|error| Problem::new(error.to_string(), error.next_step.clone()))?;
    let said = last_line(&clients.redactor.redact(&String::from_utf8_lossy(&complaint)));
    let said =
        if said.is_empty() { String::new() } else { format!(": {}", crate::base::text::clean(&said, 300)) };
    match ended.ending {
        Ending::Exited(0) => String::from_utf8(printed).map_err(|_| failed("prints no UTF-8".into())),
        Ending::Exited(code) => Err(failed(format!("ended with exit code {code}{said}"))),
        Ending::TimedOut => Err(failed(format!("did not end within {} s{said}", RENDERING.as_secs()))),
        Ending::Stopped => Err(failed(format!("prints more than {} MB", MAX_BYTES >> 20))),
        Ending::Signalled(signal) => Err(failed(format!("was ended by signal {signal}{said}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;

    fn params(pairs: &[(&str, &[&str])]) -> Params {
        let list = |all: &[&str]| Param::List(all.iter().map(|one| Param::Text((*one).into())).collect());
        Params(pairs.iter().map(|(key, all)| ((*key).to_owned(), list(all))).collect())
    }

    async fn rendered(script: &str) -> Result<Vec<Value>, Problem> {
        let source = Source::of(&params(&[("render", &["sh", "-c", script])])).unwrap();
        source.read(&crate::testing::clients(&[])).await
    }

    #[test]
    fn one_of_both_says_what_is_applied() {
        for bad in [&[][..], &[("files", &["a"][..]), ("render", &["b"][..])], &[("files", &["~/a"][..])]] {
            assert!(Source::of(&params(bad)).is_err(), "{bad:?}");
        }
        let source = Source::of(&params(&[("files", &["/a b.yaml"])])).unwrap();
        assert_eq!(source.command(|words| words.join(" ")), "-f /a b.yaml");
        let source = Source::of(&params(&[("render", &["kustomize", "build", "dr"])])).unwrap();
        assert_eq!(source.command(|words| words.join(" ")), "kustomize build dr | -f -");
    }

    #[tokio::test]
    async fn what_a_program_prints_is_applied_and_why_it_fails_is_said() {
        let good = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\n'; echo warning >&2";
        assert_eq!(rendered(good).await.unwrap()[0]["metadata"]["name"], "a");
        let failed = rendered("echo first >&2; printf 'no \\033[2Jbase\\n' >&2; exit 3").await.unwrap_err();
        assert_eq!(failed.why, "`sh` ended with exit code 3: no \u{fffd}[2Jbase");
        let told =
            rendered("echo 'helm: login failed with --password hunter2' >&2; exit 1").await.unwrap_err();
        assert!(told.why.ends_with("login failed with [hidden]"), "{told}");
        assert!(rendered("true").await.unwrap_err().why.contains("it holds no object"));
        assert!(rendered("cat /dev/zero").await.unwrap_err().why.contains("prints more than 16 MB"));
        let missing = Source::of(&params(&[("render", &["/no/such/program"])])).unwrap();
        let missing = missing.read(&crate::testing::clients(&[])).await.unwrap_err();
        assert!(missing.why.contains("there is no such program"), "{missing}");
    }
}
