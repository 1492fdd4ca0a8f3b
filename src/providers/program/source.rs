//! A program that a plan names by its arguments.

use crate::base::environment::Environment;
use crate::base::process::ProcessSpec;
use crate::core::words::preflight::Check;
use crate::kinds::source::{secret_texts, shown};
use crate::plan::params::{ParamError, Params};
use crate::providers::clients::Clients;
use crate::secrets::{SecretError, SecretText};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// Program, arguments and surroundings. Secrets reach it through its environment only.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) argv: Vec<String>,
    env: Vec<(String, SecretText)>,
    pass_env: Vec<String>,
    folder: Option<PathBuf>,
}

impl Program {
    /// The program of `argv`, with the keys `env`, `pass_env` and `folder`; through `/bin/sh -c` when asked.
    pub(crate) fn of(params: &Params, argv: &str) -> Result<Self, ParamError> {
        let arguments = argv_of(params, argv);
        if arguments.first().is_none_or(|program| program.is_empty()) {
            return Err(ParamError { key: argv.to_owned(), expected: "a program and its arguments" });
        }
        Ok(Self {
            argv: arguments,
            env: secret_texts(params, "env"),
            pass_env: params.texts("pass_env").into_iter().map(str::to_owned).collect(),
            folder: params.text("folder").map(PathBuf::from),
        })
    }

    /// With its secrets resolved: ready to run.
    pub(crate) async fn spec(
        &self,
        clients: &Clients,
        deadline: Duration,
    ) -> Result<ProcessSpec, SecretError> {
        let mut env = clients.environment.for_child(self.pass_env.iter().map(String::as_str));
        for (name, value) in &self.env {
            let value = clients.secrets.resolve_text(value).await?;
            env.push((name.into(), value.expose().into()));
        }
        let mut spec = ProcessSpec::new(self.argv.clone(), env, deadline);
        spec.folder = self.folder.clone();
        Ok(spec)
    }

    /// Whether the program is there and may be run: found as it is when it runs, along `PATH` where its name has no
    /// slash.
    pub(crate) async fn exists(&self, environment: &Environment) -> Check {
        let (program, environment) = (self.clone(), environment.clone());
        // A folder on a server that is gone can block for minutes.
        let found = tokio::task::spawn_blocking(move || program.find(&environment)).await;
        found.unwrap_or_else(|_| Check::not_checkable(format!("program {}", self.argv[0]), "the look failed"))
    }

    fn find(&self, environment: &Environment) -> Check {
        let name = &self.argv[0];
        let what = format!("program {name}");
        let folder = self.folder.clone().unwrap_or_default();
        let candidates: Vec<PathBuf> = match (name.contains('/'), environment.get("PATH")) {
            (true, _) => vec![folder.join(name)],
            (false, Some(path)) => std::env::split_paths(path).map(|folder| folder.join(name)).collect(),
            (false, None) => Vec::new(),
        };
        let runs = |path: &&PathBuf| {
            path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        };
        match candidates.iter().find(runs) {
            Some(path) => Check::pass(what, path.to_string_lossy()),
            None if name.contains('/') => {
                let why = format!("{} is no program that can be run", candidates[0].display());
                Check::fail(what, why, "Install it, or correct its path in the plan.")
            }
            None => Check::fail(
                what,
                "it is in no folder of PATH",
                "Install it, or write its whole path in the plan.",
            ),
        }
    }

    /// The command as a person types it; a secret stands there by its name.
    pub(crate) fn words(&self) -> String {
        let env = self.env.iter().map(|(name, value)| format!("{name}={} ", quote(&shown(value))));
        let folder = self.folder.iter().map(|folder| format!("cd {} && ", quote(&folder.to_string_lossy())));
        folder.chain(env).chain([quoted(&self.argv)]).collect()
    }
}

fn argv_of(params: &Params, key: &str) -> Vec<String> {
    let texts = params.texts(key).into_iter().map(str::to_owned);
    if params.flag("shell") {
        return ["/bin/sh".to_owned(), "-c".to_owned()].into_iter().chain(texts).collect();
    }
    texts.collect()
}

/// The command of a plan, without looking anything up.
pub(crate) fn program_words(params: &Params, argv: &str) -> String {
    Program::of(params, argv).map_or_else(|error| error.to_string(), |program| program.words())
}

/// Arguments as a person types them in a shell.
pub(crate) fn quoted(argv: &[String]) -> String {
    argv.iter().map(|argument| quote(argument)).collect::<Vec<_>>().join(" ")
}

fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+[]".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_can_be_typed() {
        let argv = ["ssh", "db 1", "echo 'x' $HOME", ""].map(str::to_owned);
        assert_eq!(quoted(&argv), r"ssh 'db 1' 'echo '\''x'\'' $HOME' ''");
    }
}
