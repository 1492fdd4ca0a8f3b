//! A program that was run in a container: its output as it came, and how it ended.

use super::chosen::Chosen;
use crate::base::output::{Lines, Stream};
use crate::kinds::action::Context;
use crate::providers::kube::client::{Cluster, Ended, KubeError};
use crate::secrets::Redactor;
use std::time::Duration;
use tokio::time::Instant;

/// What came of it.
pub struct Ran {
    pub ended: Ended,
    pub elapsed: Duration,
    /// The last line of its standard output, and of its standard error; cleaned.
    out: Option<String>,
    err: Option<String>,
}

impl Ran {
    /// Runs it, once.
    ///
    /// # Errors
    /// When the API server does not take it.
    pub async fn of(
        cluster: &Cluster,
        chosen: &Chosen,
        argv: &[String],
        redactor: &Redactor,
        context: &Context,
    ) -> Result<Self, KubeError> {
        let begun = Instant::now();
        let until = begun + context.timeout.unsigned_abs();
        let mut say = |line: &str| (context.output)(line);
        let (mut out, mut err) = (Lines::new(redactor), Lines::new(redactor));
        let take = |stream, chunk: &[u8]| match stream {
            Stream::Stdout => out.take(chunk, &mut |line| (context.output)(line)),
            Stream::Stderr => err.take(chunk, &mut |line| (context.output)(line)),
        };
        let ended = cluster.run_in(chosen.place(), argv, until, take).await?;
        out.finish(&mut say);
        err.finish(&mut say);
        let last = |lines: &Lines<'_>| lines.kept.last_line().map(str::to_owned);
        Ok(Self { ended, elapsed: begun.elapsed(), out: last(&out), err: last(&err) })
    }

    /// The last line of what it told.
    pub fn last_line(&self) -> &str {
        self.out.as_deref().unwrap_or("no output")
    }

    /// How it ended, with its last words.
    pub fn words(&self) -> String {
        let ended = match &self.ended {
            Ended::Exited(code) => format!("it ended with exit code {code}"),
            Ended::NotBegun(why) => return format!("it did not begin: {why}"),
            Ended::Failed(why) => format!("the cluster says that it failed: {why}"),
            Ended::Lost(why) => format!("how it ended is not known: {why}"),
            Ended::Late => format!("it did not end within {:.0} s", self.elapsed.as_secs_f64()),
        };
        match self.err.as_ref().or(self.out.as_ref()) {
            Some(line) => format!("{ended}: {}", crate::base::text::clean(line, 300)),
            None => ended,
        }
    }

    /// Whether it may go on in the pod.
    pub fn may_go_on(&self) -> bool {
        matches!(self.ended, Ended::Failed(_) | Ended::Lost(_) | Ended::Late)
    }
}
