//! Programs: those that find their account or cluster through variables that they do not get unasked, and command lines
//! that were not taken apart.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::kinds::Sees;
use crate::plan::load::Draft;
use crate::plan::params::Params;
use std::path::Path;

/// A program, the variable that says where it signs in, the argument that says it too, and what it takes without.
const SIGNS_IN: [(&str, &str, &str, &str); 5] = [
    ("kubectl", "KUBECONFIG", "--kubeconfig", KUBE),
    ("oc", "KUBECONFIG", "--kubeconfig", KUBE),
    ("helm", "KUBECONFIG", "--kubeconfig", KUBE),
    ("flux", "KUBECONFIG", "--kubeconfig", KUBE),
    ("aws", "AWS_PROFILE", "--profile", "the default profile"),
];
const KUBE: &str = "~/.kube/config";

pub(super) fn check(draft: &Draft, report: &Report) {
    lines(draft, report);
    for probe in draft.plan.probes.values().filter(|probe| probe.sees == Sees::Program) {
        let Some((program, variable, argument, without)) = unseen(&probe.params) else { continue };
        let message = format!(
            "`{program}` of probe `{}` signs in by {without} of the engine's user: {variable} is not passed on",
            probe.id
        );
        let place = draft.places.of(&format!("probes.{}.argv", probe.id));
        report.add(Diagnostic::warning("not-passed", place, message).help(format!(
            "where that is not what is meant, write `pass_env = [\"{variable}\"]`; where it is, say so with \
             `{argument}` in `argv`: a service manager gives the engine other variables than your shell has"
        )));
    }
}

/// A command line where the program stands: no shell takes it apart.
fn lines(draft: &Draft, report: &Report) {
    let plan = &draft.plan;
    let probes = plan
        .probes
        .values()
        .map(|probe| (format!("probe `{}`", probe.id), format!("probes.{}", probe.id), &probe.params));
    let channels = plan
        .channels
        .iter()
        .map(|(id, channel)| (format!("channel `{id}`"), format!("channels.{id}"), &channel.params));
    let steps = plan.runbooks.iter().flat_map(|(runbook, book)| {
        let of = move |id| format!("runbooks.{runbook}.steps.{id}.with");
        book.steps.values().map(move |step| (format!("step `{}`", step.id), of(&step.id), &step.params))
    });
    for (what, path, params) in probes.chain(channels).chain(steps) {
        for key in ["argv", "verify_argv"] {
            let Some(line) = line(params, key) else { continue };
            let words: Vec<&str> = line.split_whitespace().collect();
            let message = format!(
                "`{key}` of {what} runs a program that is called `{}`",
                crate::base::text::clean(line, 60)
            );
            let problem =
                Diagnostic::warning("command-line", draft.places.of(&format!("{path}.{key}")), message);
            report.add(problem.help(format!("write each word for itself: `{words:?}`")));
        }
    }
}

/// A program's name with blanks; a path may have some, where arguments follow it.
fn line<'p>(params: &'p Params, key: &str) -> Option<&'p str> {
    let argv = params.texts(key);
    let first = argv.first().filter(|_| !params.flag("shell"))?.trim();
    let is_path = first.contains('/') && argv.len() > 1;
    (first.contains(char::is_whitespace) && !first.contains("{{") && !is_path).then_some(first)
}

/// The program of `argv`, also one that a shell or `env` runs, with what it is not given.
fn unseen(params: &Params) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    let argv = params.texts("argv");
    let is = |word: &str, program: &str| Path::new(word).file_name().is_some_and(|name| name == program);
    let words = || {
        argv.iter().flat_map(|argument| argument.split(|c: char| c.is_whitespace() || "|;&()`".contains(c)))
    };
    // Past the program itself a word is only an argument, unless a shell reads it.
    let shell = argv.first().is_some_and(|first| {
        ["sh", "bash", "dash", "zsh", "env", "timeout"].iter().any(|shell| is(first, shell))
    });
    let first = if shell { usize::MAX } else { 1 };
    let runs = |program: &str| words().take(first).any(|word| is(word, program));
    let (program, variable, argument, without) = SIGNS_IN.into_iter().find(|(program, ..)| runs(program))?;
    let passed = params.texts("pass_env").contains(&variable)
        || params.table("env").any(|(name, _)| name == variable)
        || words().any(|word| {
            word == argument
                || word.starts_with(&format!("{argument}="))
                || word.starts_with(&format!("{variable}="))
        });
    (!passed).then_some((program, variable, argument, without))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::plan::params::Param;

    /// The parameters that the loader makes of such keys.
    fn params(keys: &str) -> Params {
        let table: toml::Table = keys.parse().unwrap();
        let param = |value| match value {
            toml::Value::Array(texts) => Param::List(
                texts.into_iter().map(|text| Param::Text(text.as_str().unwrap().into())).collect(),
            ),
            toml::Value::Table(texts) => {
                let texts = texts.into_iter();
                Param::Table(
                    texts.map(|(name, text)| (name, Param::Text(text.as_str().unwrap().into()))).collect(),
                )
            }
            other => panic!("{other}"),
        };
        Params(table.into_iter().map(|(name, value)| (name, param(value))).collect())
    }

    #[test]
    fn a_command_line_is_no_program() {
        let line = |keys: &str| line(&params(keys), "argv").map(str::to_owned);
        for keys in [r#"argv = ["restart now"]"#, r#"argv = ["/bin/restart now"]"#, r#"argv = ["a b", "c"]"#]
        {
            assert!(line(keys).is_some(), "{keys}");
        }
        for keys in [r#"argv = ["restart", "now or later"]"#, r#"argv = ["/opt/My Tools/restart", "now"]"#] {
            assert_eq!(line(keys), None, "{keys}");
        }
    }

    #[test]
    fn a_program_that_does_not_see_where_it_signs_in_is_told() {
        let unseen = |keys: &str| unseen(&params(keys)).map(|(_, variable, ..)| variable);
        assert_eq!(unseen(r#"argv = ["kubectl", "get", "nodes"]"#), Some("KUBECONFIG"));
        assert_eq!(unseen(r#"argv = ["/usr/local/bin/aws", "sts", "x"]"#), Some("AWS_PROFILE"));
        assert_eq!(unseen(r#"argv = ["sh", "-c", "kubectl get nodes | wc -l"]"#), Some("KUBECONFIG"));
        for keys in [
            "argv = [\"kubectl\", \"get\"]\npass_env = [\"KUBECONFIG\"]",
            "argv = [\"kubectl\", \"get\"]\nenv.KUBECONFIG = \"/etc/k\"",
            "argv = [\"kubectl\", \"--kubeconfig=/etc/k\", \"get\"]",
            "argv = [\"aws\", \"--profile\", \"dr\", \"sts\"]",
            "argv = [\"echo\", \"kubectl\"]",
            "argv = [\"sh\", \"-c\", \"KUBECONFIG=/etc/k kubectl get\"]",
        ] {
            assert_eq!(unseen(keys), None, "{keys}");
        }
    }
}
