//! Shared connections to the outside: PostgreSQL, HTTP, processes. Every call has a deadline.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod dns;
mod environment;
pub mod http;
pub mod leftover;
mod names;
mod output;
mod own_clock;
mod path_end;
mod pinned;
mod pipe;
pub mod postgres;
pub mod process;
mod share;
pub mod smtp;
#[cfg(test)]
pub(crate) mod testing;
mod tls;

use std::path::Path;

use crate::secrets::{Redactor, Resolver, SecretsConfig};

pub use environment::Environment;
pub use http::Http;
pub(crate) use names::host_fault;
pub use names::{Directory, NameError, Names, SystemNames};
pub use output::{Kept, MAX_KEPT_BYTES, MAX_LINE_CHARS, Stream};
pub use own_clock::{Off, OwnClock};
pub use path_end::{Part, PathEnd};
pub use postgres::Postgres;
pub use process::{Ending, ProcessError, ProcessOutcome, ProcessSpec};
pub use tls::{Identity, TlsProfile, TlsSetupError, Verification};

/// The connections that probes and actions share; cheap to clone, and clones share everything.
#[derive(Clone)]
pub struct Clients {
    /// HTTP requests.
    pub http: Http,
    /// What servers say of the time.
    pub clock: OwnClock,
    /// From names to addresses.
    pub names: Directory,
    /// PostgreSQL connections, one for each connection string.
    pub postgres: Postgres,
    /// AWS, a connection for each region.
    #[cfg(feature = "aws")]
    pub aws: aws::Aws,
    /// Where secrets come from.
    pub secrets: Resolver,
    /// Clears text of the secrets that were resolved so far.
    pub redactor: Redactor,
    /// The variables that child processes may be given.
    pub environment: Environment,
}

/// Whether a call failed for want of something on this host: open files, memory, ports of its own. It says nothing
/// about the other side.
pub(crate) fn is_own_fault(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let own = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::ADDRNOTAVAIL];
    error.raw_os_error().is_some_and(|number| own.iter().any(|errno| errno.raw_os_error() == number))
}

/// What this host lacks now, where a library does not say why something failed: without a file to open a resolver knows
/// no name, and there are no trusted roots.
pub(crate) fn own_shortage() -> Option<String> {
    let tried = std::net::UdpSocket::bind(("127.0.0.1", 0)).err().filter(is_own_fault);
    tried.map(|error| error.to_string())
}

/// What to do about it.
pub(crate) const OWN_FAULT: &str = "this host is short of open files, processes, memory or ports: look at `ulimit -a`, `free` and `ss -s` for the engine's user";

impl Clients {
    /// Nothing is connected, read or looked up yet. `own_secret_files` is the user's own folder of secret files
    /// (`secrets` in the configuration folder); `environment` is a snapshot of the process's variables.
    pub fn new(secrets: SecretsConfig, own_secret_files: &Path, environment: Environment) -> Self {
        let secrets = Resolver::new(secrets, own_secret_files, environment.clone());
        let redactor = secrets.redactor();
        redactor.learn_environment(&environment);
        let names = Directory::new(std::sync::Arc::new(SystemNames));
        let clock = OwnClock::default();
        Self {
            http: Http::new(redactor.clone())
                .with_names(names.clone())
                .with_clock(clock.clone())
                .with_proxies(&environment),
            postgres: Postgres::new(redactor.clone(), &environment)
                .with_names(names.clone())
                .with_clock(clock.clone()),
            clock,
            #[cfg(feature = "aws")]
            aws: aws::Aws::new(Default::default(), "", environment.clone())
                .with_names(names.clone())
                .telling(redactor.clone()),
            names,
            secrets,
            redactor,
            environment,
        }
    }

    /// With the plan's way to AWS, where this build has one. `operator` is the login name that AWS's log shows for
    /// assumed roles.
    pub fn with_aws(self, settings: crate::plan::AwsSettings, operator: &str) -> Self {
        #[cfg(feature = "aws")]
        let aws = aws::Aws::new(settings, operator, self.environment.clone())
            .with_names(self.names.clone())
            .telling(self.redactor.clone());
        #[cfg(feature = "aws")]
        let clients = Self { aws, ..self };
        #[cfg(not(feature = "aws"))]
        let (clients, _) = (self, (settings, operator));
        clients
    }
}
