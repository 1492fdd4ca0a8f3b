//! What can go wrong with a call to AWS, told apart so that the operator knows what it means.
use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::Failure;
use crate::providers::net::names::NameError;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::io::ErrorKind as IoKind;
use std::time::Duration;

/// A call, for messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The permission that IAM asks for it (`rds:PromoteReadReplica`).
    pub permission: &'static str,
    /// What it is about (`arka-db-dr-replica`).
    pub on: String,
}

impl Call {
    /// A call that needs `permission`, on a thing.
    pub fn new(permission: &'static str, on: impl Into<String>) -> Self {
        Self { permission, on: on.into() }
    }

    /// The name of the operation (`PromoteReadReplica`).
    pub fn operation(&self) -> &'static str {
        operation(self.permission)
    }
}

fn operation(permission: &'static str) -> &'static str {
    permission.split_once(':').map_or(permission, |(_, operation)| operation)
}

/// What went wrong, as far as it makes a difference to the operator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AwsErrorKind {
    /// There are no credentials, or the way to them failed; nothing was sent.
    NoCredentials,
    /// AWS no longer takes the credentials.
    Expired,
    /// AWS does not know or believe the credentials.
    Rejected,
    /// The caller may not do this.
    Denied,
    /// Too many calls; this one was not done.
    Throttled,
    /// There is no such thing.
    NotFound,
    /// The thing's state does not allow it, or something else changed it in between.
    Conflict,
    /// The request is wrong, or a limit is reached.
    Refused,
    /// No complete answer within the deadline.
    Timeout,
    /// No connection could be made; nothing was sent.
    Unreachable,
    /// The connection broke before the answer was complete.
    Broken,
    /// What answered is not AWS: a proxy's page, a portal.
    NotAws,
    /// AWS itself failed.
    Internal,
}

/// A call without the answer that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} on {on} ({region}): {message}", self.operation())]
pub struct AwsError {
    /// What went wrong.
    pub kind: AwsErrorKind,
    /// What it was about.
    pub on: Box<str>,
    /// Where it was sent.
    pub region: String,
    /// AWS's code for it (`InvalidDBInstanceState`); empty where AWS did not answer.
    pub code: Box<str>,
    /// What happened, in words; cleaned.
    pub message: Box<str>,
    permission: &'static str,
    /// What to do, where what failed knows better than the kind of error tells.
    next: Option<String>,
}

impl AwsError {
    /// An error that a kind itself found.
    pub fn new(call: &Call, kind: AwsErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            on: clean(&call.on, 200).into(),
            region: String::new(),
            code: Box::default(),
            message: clean(&message.into(), 500).into(),
            permission: call.permission,
            next: None,
        }
    }

    pub(super) fn late(call: &Call, region: &str, within: Duration) -> Self {
        let message = format!("no answer within {}", crate::base::words::seconds(within.as_secs_f64()));
        Self { region: region.to_owned(), ..Self::new(call, AwsErrorKind::Timeout, message) }
    }

    /// Sorts an error of the SDK.
    pub(super) fn of<E>(call: &Call, region: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let (kind, message) = match error {
            SdkError::ServiceError(refused) => answered(refused.err(), refused.raw()),
            SdkError::ResponseError(odd) if is_page(odd.raw()) => not_aws(odd.raw()),
            SdkError::ResponseError(_) if is_broken(error) => {
                (AwsErrorKind::Broken, "the connection broke in the middle of the answer".into())
            }
            SdkError::ResponseError(odd) => not_aws(odd.raw()),
            SdkError::TimeoutError(_) => (AwsErrorKind::Timeout, "no answer in time".into()),
            SdkError::ConstructionFailure(_) if !lacks_credentials(error) => {
                (AwsErrorKind::Refused, format!("the request could not be made: {}", innermost(error)))
            }
            _ => undelivered(error),
        };
        let code = error.code().unwrap_or_default();
        let next = own_credentials(error).map(|missing| clean(&missing.next, 500));
        let next = next.or_else(|| Some(nameless(error)?.next_step().to_owned()));
        Self {
            region: region.to_owned(),
            code: clean(code, 80).into(),
            next,
            ..Self::new(call, kind, message)
        }
    }

    /// The operation (`PromoteReadReplica`).
    pub fn operation(&self) -> &'static str {
        operation(self.permission)
    }

    /// Whether AWS may have done what was asked although this came back.
    pub fn may_have_acted(&self) -> bool {
        use AwsErrorKind::*;
        matches!(self.kind, Timeout | Broken | NotAws | Internal)
    }

    /// What the operator can do now.
    pub fn next_step(&self) -> String {
        if let Some(next) = &self.next {
            return next.clone();
        }
        let region = &self.region;
        match self.kind {
            AwsErrorKind::NoCredentials => {
                "Sign in (`aws sso login`, `lifeboat aws login PLAN`, or a profile in `[aws]`); the engine reads the \
                 files again by itself. Environment variables count only from its start."
                    .into()
            }
            AwsErrorKind::Expired => "Sign in again, then retry: nothing was done.".into(),
            AwsErrorKind::Rejected => {
                "See whose credentials are used with `lifeboat aws whoami PLAN`; check this host's clock as well.".into()
            }
            AwsErrorKind::Denied => {
                format!("Grant `{}` to the caller, or let someone who has it do the step by hand.", self.permission)
            }
            AwsErrorKind::Throttled => {
                "Wait half a minute and retry: nothing was done. Look for what else calls this interface.".into()
            }
            AwsErrorKind::NotFound => {
                format!("Check its name and region ({region}) in the plan, and the account of the caller.")
            }
            AwsErrorKind::Conflict => "Look at its state now, then decide: nothing was done.".into(),
            AwsErrorKind::Refused => "Correct the plan's values; nothing was done.".into(),
            AwsErrorKind::Timeout | AwsErrorKind::Broken => {
                format!("See whether {region} works at all; read the world back before anything is sent again.")
            }
            AwsErrorKind::Unreachable => {
                format!("See whether {region} can be reached from here: route, proxy, DNS. Nothing was sent.")
            }
            AwsErrorKind::NotAws => {
                "Something between here and AWS answers in its place: check HTTPS_PROXY and the network's portal.".into()
            }
            AwsErrorKind::Internal => {
                format!("AWS failed by itself; see the state of {region}, and read the world back before a retry.")
            }
        }
    }

    /// As a probe's failure: nothing could be measured.
    pub fn unmeasured(&self) -> Problem {
        Problem::new(self.to_string(), self.next_step())
    }

    /// As an action's failure before it changed anything.
    pub fn not_done(&self, what: impl Into<String>) -> Failure {
        Failure::not_done(what, self.to_string(), self.next_step())
    }

    /// As the failure of the change itself: unknown where AWS may have done it all the same.
    pub fn of_change(&self, what: impl Into<String>) -> Failure {
        match self.may_have_acted() {
            true => Failure::maybe_done(what, self.to_string(), self.next_step()),
            false => self.not_done(what),
        }
    }
}

/// An answer that AWS gave, or that looks like one.
fn answered(error: &impl ProvideErrorMetadata, raw: &HttpResponse) -> (AwsErrorKind, String) {
    let status = raw.status().as_u16();
    if is_page(raw) {
        return not_aws(raw);
    }
    let Some(code) = error.code().filter(|code| !code.is_empty()) else {
        return bare(status);
    };
    let kind = kind_of(code, status);
    let said = error.message().map(|message| unsigned(message).trim()).filter(|message| !message.is_empty());
    let message = said.map_or(format!("AWS answered {code}"), |said| format!("{said} ({code})"));
    (kind, message)
}

/// What AWS says without the request that it read: where a signature does not match, AWS repeats all that was signed,
/// with the session token among the headers.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>
fn unsigned(message: &str) -> &str {
    let lower = message.to_ascii_lowercase();
    let begins = ["the canonical string", "the string-to-sign", "x-amz-security-token"];
    let end = begins.iter().filter_map(|begin| lower.find(begin)).min();
    end.and_then(|end| message.get(..end)).unwrap_or(message)
}

/// An answer without AWS's code, as HEAD requests have it.
fn bare(status: u16) -> (AwsErrorKind, String) {
    let kind = match status {
        403 => AwsErrorKind::Denied,
        404 => AwsErrorKind::NotFound,
        409 | 412 => AwsErrorKind::Conflict,
        429 => AwsErrorKind::Throttled,
        _ => AwsErrorKind::NotAws,
    };
    (kind, format!("the answer is a bare HTTP {status}"))
}

/// Codes of all services: https://docs.aws.amazon.com/awssupport/latest/user/error-codes.html and each API's reference.
fn kind_of(code: &str, status: u16) -> AwsErrorKind {
    use AwsErrorKind::*;
    let has = |part: &str| code.contains(part);
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => Expired,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "AuthFailure"
        | "InvalidSignatureException"
        | "RequestTimeTooSkewed" => Rejected,
        "PriorRequestNotComplete" | "PreconditionFailed" | "ConditionalRequestConflict" => Conflict,
        _ if has("Throttl")
            || has("TooManyRequests")
            || has("SlowDown")
            || code == "RequestLimitExceeded" =>
        {
            Throttled
        }
        _ if has("AccessDenied") || has("UnauthorizedOperation") || has("NotAuthorized") => Denied,
        _ if has("AuthorizationError") || code == "Forbidden" => Denied,
        _ if has("NotFound") || has("NoSuch") || has("DoesNotExist") => NotFound,
        // S3 tells a copy that broke off within an answer of status 200:
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
        _ if status >= 500 || has("Internal") || has("ServiceUnavailable") => Internal,
        _ if has("State") || has("Conflict") || has("InUse") || has("AlreadyExists") => Conflict,
        _ => Refused,
    }
}

fn is_page(raw: &HttpResponse) -> bool {
    let Some(body) = raw.body().bytes() else { return false };
    let begin = String::from_utf8_lossy(&body[..body.len().min(200)]).trim_start().to_lowercase();
    begin.starts_with("<!doctype html") || begin.starts_with("<html")
}

fn not_aws(raw: &HttpResponse) -> (AwsErrorKind, String) {
    let what = if is_page(raw) { "an HTML page" } else { "nothing that AWS would say" };
    (AwsErrorKind::NotAws, format!("what answered is not AWS: HTTP {} with {what}", raw.status().as_u16()))
}

/// Nothing came back. What never had a connection was certainly not done.
fn undelivered(error: &(dyn Error + 'static)) -> (AwsErrorKind, String) {
    let innermost = innermost(error);
    if let Some(missing) = own_credentials(error) {
        return (AwsErrorKind::NoCredentials, format!("no credentials: {missing}"));
    }
    if let Some(cause) = chain(error).find_map(|error| error.downcast_ref::<CredentialsError>()) {
        return (AwsErrorKind::NoCredentials, format!("no credentials: {}", self::innermost(cause)));
    }
    if let Some(name) = nameless(error) {
        return (AwsErrorKind::Unreachable, name.to_string());
    }
    let io = chain(error)
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
        .last();
    let text = chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
    match io {
        Some(IoKind::ConnectionRefused) => (AwsErrorKind::Unreachable, "connection refused".into()),
        // On a connection that was made, the same word means that the answer was lost on the way.
        Some(IoKind::HostUnreachable | IoKind::NetworkUnreachable | IoKind::NetworkDown)
            if text.contains("(Connect)") =>
        {
            (AwsErrorKind::Unreachable, innermost)
        }
        _ if text.contains("lookup address") || text.contains("dns error") => {
            (AwsErrorKind::Unreachable, format!("its name has no address: {innermost}"))
        }
        _ if text.contains("HTTP connect timeout") => {
            (AwsErrorKind::Unreachable, "no connection could be made in time".into())
        }
        _ if text.contains("timeout") || text.contains("timed out") => {
            (AwsErrorKind::Timeout, "no answer in time".into())
        }
        _ => (AwsErrorKind::Broken, format!("the connection broke: {innermost}")),
    }
}

fn is_broken<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> bool {
    chain(error).any(|error| error.downcast_ref::<std::io::Error>().is_some())
        || chain(error).any(|error| error.to_string().contains("connection"))
}

fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    own_credentials(error).is_some() || chain(error).any(|error| error.is::<CredentialsError>())
}

/// The cause of all causes, in its own words.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let said = chain(error).last().map(ToString::to_string).unwrap_or_default();
    unsigned(&said).to_owned()
}

/// What our own providers of credentials said, when it is their failure.
fn own_credentials<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Problem> {
    chain(error).find_map(|error| error.downcast_ref::<Problem>())
}

/// Why the endpoint's name has no address.
fn nameless<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a NameError> {
    chain(error).find_map(|error| error.downcast_ref::<NameError>())
}

/// An error and its causes, outermost first.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests;
