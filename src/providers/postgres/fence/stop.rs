//! The strong way: a program stops the server, whether it answers or not.

use super::{Fence, what};
use crate::core::ask::watch::Found;
use crate::core::words::action::{Done, Failure, Proof, Target};
use crate::kinds::action::Context;
use crate::providers::postgres::client::PostgresErrorKind;
use crate::providers::postgres::server::{Server, same_server};
use crate::providers::postgres::source::DatabaseError;
use crate::providers::program::source::Program;
use crate::providers::program::step;

/// Whether the program runs although the server could not be looked at. One that answers and lets lifeboat not in may
/// be any server; one that does not answer is what such a program is for.
pub(super) fn runs_blind(error: &DatabaseError) -> bool {
    use PostgresErrorKind as Kind;
    !matches!(
        error.kind(),
        Some(
            Kind::Authentication
                | Kind::NoSuchDatabase
                | Kind::NotAllowed
                | Kind::Configuration
                | Kind::Server
        )
    )
}

impl Fence {
    pub(super) async fn run_stop(
        &self,
        program: &Program,
        expected: &Target,
        context: &Context,
    ) -> Result<Done, Failure> {
        if let Some(earlier) = step::goes_on(what(&expected.name), context).await {
            return Err(earlier);
        }
        let ran = step::run(program, &self.clients, context, &what(&expected.name)).await?;
        if ran.success() {
            return Ok(Done { summary: format!("{} was told to stop", expected.name) });
        }
        let ended = step::ending_words(&ran);
        let next = "Verify the step: it shows whether the server still listens.";
        Err(Failure::maybe_done(what(&expected.name), format!("the program that stops it {ended}"), next))
    }

    /// What is there now: a port that refuses is a server that is stopped.
    pub(super) async fn found_stopped(&self, expected: &Target) -> Found {
        match Server::look(&self.database).await {
            Err(error) if error.kind() == Some(PostgresErrorKind::Refused) => Found::Stopped,
            Err(error) => Found::Unread { why: error.to_string() },
            Ok(server) => server.found(expected),
        }
    }

    /// Nothing listens where the server was. Where it did not listen before either, that says something only once the
    /// program is known to have done its work.
    pub(super) async fn prove_stopped(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let mut next = "Look at the server's host. If it is stopped by other means, attest the step.";
        let why = match Server::look(&self.database).await {
            Err(error) if !expected.reachable && !context.ran => {
                format!("it was out of reach when the step was confirmed and still is: {error}")
            }
            Err(error) if error.kind() == Some(PostgresErrorKind::Refused) => {
                let mut evidence = vec![format!("{} refuses connections", expected.name)];
                if !expected.reachable {
                    evidence.insert(0, "the program that stops it ended with success".into());
                }
                return Ok(Proof { evidence });
            }
            Err(error) => {
                next = "Ask what controls its power or its network whether it is off, then attest the step.";
                format!(
                    "it is not proven that it stopped: a host that is off and one that is cut off look alike ({error})"
                )
            }
            Ok(server) => {
                same_server(expected, &server)?;
                format!("it still answers, as a {}", server.role())
            }
        };
        Err(Failure::not_done(what(&expected.name), why, next))
    }
}
