//! A session: who is asked, as whom, until when. It is made by whoever needs it first, goes on when he gives up waiting,
//! and is made anew when the kubeconfig was written anew, the credentials end, or the cluster no longer takes them.

use super::Cluster;
use super::config::Stamp;
use super::error::{Call, KubeError, KubeErrorKind};
use futures::future::{BoxFuture, FutureExt, Shared};
use hyper_util::client::proxy::matcher::Matcher;
use jiff::{SignedDuration, Timestamp};
use kube::config::AuthInfo;
use kube::{Client, Config};
use secrecy::{ExposeSecret, SecretString};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A token in a file is read anew after this time: it may be another one by then.
const FILE_COUNTS: SignedDuration = SignedDuration::from_secs(60);
/// Credentials are renewed so long before they end.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// A sign-in that failed is not tried again for this long: many probes ask for it.
const FAILED_FOR: Duration = Duration::from_secs(5);

/// Who is asked, as whom.
#[derive(Clone)]
pub struct Session {
    pub(super) client: Client,
    /// The namespace of what names none.
    pub namespace: String,
    /// `host:port` of the API server.
    pub server: String,
    /// Until when the credentials count, where they tell.
    until: Option<Timestamp>,
    /// When it was made.
    made: Instant,
}

/// A session that is made, or was.
pub(super) struct Opening {
    made: Shared<BoxFuture<'static, Result<Session, KubeError>>>,
    begun: Instant,
    stamp: Stamp,
}

impl Cluster {
    /// The session of now, within a time.
    ///
    /// # Errors
    /// When there is none; what makes it goes on, and may be there for the next asker.
    pub async fn session(&self, call: &Call, until: Instant) -> Result<Session, KubeError> {
        let made = self.opening();
        match timeout_at(until, made).await {
            Ok(made) => made.map_err(|error| error.of(call)),
            Err(_) => Err(KubeError::new(
                &self.context,
                call,
                KubeErrorKind::NoCredentials,
                "signing in takes longer than this call may: the program that signs in gives no answer",
            )),
        }
    }

    /// A namespace that the plan names, or the one of the context.
    ///
    /// # Errors
    /// When the plan names none and nobody can sign in.
    pub async fn namespace(
        &self,
        named: Option<&str>,
        call: &Call,
        until: Instant,
    ) -> Result<String, KubeError> {
        match named {
            Some(namespace) => Ok(namespace.to_owned()),
            None => Ok(self.session(call, until).await?.namespace),
        }
    }

    /// Forgets a session that the cluster no longer takes; whether it was older than this very moment, so that another one
    /// may help.
    pub(super) fn renew(&self, session: &Session) -> bool {
        let mut opening = self.inner.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = opening.as_ref().is_some_and(|opening| {
            opening.made.peek().is_some_and(|made| made.as_ref().is_ok_and(|made| made.made == session.made))
        });
        if is_same {
            *opening = None;
        }
        session.made.elapsed() > Duration::from_secs(1)
    }

    fn opening(&self) -> Shared<BoxFuture<'static, Result<Session, KubeError>>> {
        let stamp = self.stamp();
        let mut opening = self.inner.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = opening.as_ref().filter(|known| known.counts(&stamp)) {
            return known.made.clone();
        }
        let cluster = self.clone();
        // A task of its own: who asks may have less time than the sign-in takes.
        let task = tokio::spawn(async move { cluster.open().await });
        let context = self.context.clone();
        let made = task
            .map(move |made| {
                made.unwrap_or_else(|_| {
                    let call = Call::new("sign in", "");
                    Err(KubeError::new(
                        &context,
                        &call,
                        KubeErrorKind::NoCredentials,
                        "signing in was cut off",
                    ))
                })
            })
            .boxed()
            .shared();
        *opening = Some(Opening { made: made.clone(), begun: Instant::now(), stamp });
        made
    }

    async fn open(&self) -> Result<Session, KubeError> {
        let call = Call::new("sign in", "");
        let mut config = self.config(&call).await?;
        let until = self.authenticate(&call, &mut config).await?;
        config.proxy_url = self.proxy(&call, &config)?;
        self.sendable(&call, &config.auth_info)?;
        let server = authority(&config);
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| {
            let why = self.shown(&error.to_string(), 200);
            KubeError::new(&self.context, &call, KubeErrorKind::NoConfig, why)
        })?;
        Ok(Session { client, namespace, server, until, made: Instant::now() })
    }

    /// Puts the credentials into the configuration; until when they count.
    async fn authenticate(&self, call: &Call, config: &mut Config) -> Result<Option<Timestamp>, KubeError> {
        let user: &mut AuthInfo = &mut config.auth_info;
        let failed =
            |message: String| KubeError::new(&self.context, call, KubeErrorKind::NoCredentials, message);
        let learn = |secret: &SecretString| {
            self.inner.redactor.learn_value("Kubernetes credential", secret.expose_secret());
        };
        [&user.token, &user.password, &user.client_key_data].into_iter().flatten().for_each(learn);
        user.token =
            user.token.take().map(|token| SecretString::from(token.expose_secret().trim().to_owned()));
        if let Some(provider) = user.auth_provider.as_ref().filter(|provider| provider.name != "oidc") {
            let why = format!(
                "the kubeconfig signs in by the auth provider `{}`, which `kubectl` gave up in version 1.26",
                self.shown(&provider.name, 40)
            );
            return Err(failed(why).with_hint(
                "Have the kubeconfig written anew by the provider's tool, which names a program that signs in.",
            ));
        }
        if user.token.is_some() || user.username.is_some() {
            return Ok(None);
        }
        if let Some(path) = user.token_file.take() {
            let read = std::fs::read_to_string(&path);
            let token =
                read.map_err(|error| failed(format!("the token's file {path} cannot be read: {error}")))?;
            let token = SecretString::from(token.trim().to_owned());
            learn(&token);
            user.token = Some(token);
            return Ok(Timestamp::now().checked_add(FILE_COUNTS).ok());
        }
        match user.exec.take() {
            Some(exec) => self.sign_in(call, &exec, user).await,
            None => Ok(None),
        }
    }

    /// A token that no header can hold would be sent by nobody.
    fn sendable(&self, call: &Call, user: &AuthInfo) -> Result<(), KubeError> {
        let Some(token) = &user.token else { return Ok(()) };
        match http::HeaderValue::from_str(token.expose_secret()) {
            Ok(_) => Ok(()),
            Err(_) => {
                let why = "the token holds what no token can: a line end within it, or a control character";
                let error = KubeError::new(&self.context, call, KubeErrorKind::NoCredentials, why);
                Err(error.with_hint("Have the token written anew, in one line."))
            }
        }
    }

    /// The proxy to the API server: the kubeconfig's own, or the one of the environment, unless it is left out there.
    fn proxy(&self, call: &Call, config: &Config) -> Result<Option<http::Uri>, KubeError> {
        if config.proxy_url.is_some() {
            return Ok(config.proxy_url.clone());
        }
        let of = |name: &str| {
            let get = |name: &str| self.inner.environment.get(name)?.to_str().map(str::to_owned);
            get(&name.to_lowercase()).or_else(|| get(name)).unwrap_or_default()
        };
        let found = Matcher::builder()
            .all(of("ALL_PROXY"))
            .https(of("HTTPS_PROXY"))
            .http(String::new())
            .no(of("NO_PROXY"))
            .build()
            .intercept(&config.cluster_url);
        let Some(found) = found else { return Ok(None) };
        let uri = found.uri().clone();
        match uri.scheme_str() {
            Some("http" | "https" | "socks5") => Ok(Some(uri)),
            _ => Err(KubeError::new(
                &self.context,
                call,
                KubeErrorKind::NoWay,
                format!(
                    "the proxy of the environment ({}) is none that lifeboat can use",
                    self.shown(&uri.to_string(), 80)
                ),
            )
            .with_hint("Set `proxy-url` of the cluster in the kubeconfig, or NO_PROXY for its address.")),
        }
    }
}

impl Opening {
    fn counts(&self, stamp: &Stamp) -> bool {
        match self.made.peek() {
            // Whoever wrote the files anew while it was made asks once more.
            None => true,
            Some(Ok(session)) => *stamp == self.stamp && session.counts(Timestamp::now()),
            Some(Err(_)) => *stamp == self.stamp && self.begun.elapsed() < FAILED_FOR,
        }
    }
}

impl Session {
    fn counts(&self, now: Timestamp) -> bool {
        let Some(until) = self.until else { return true };
        let age = SignedDuration::try_from(self.made.elapsed()).unwrap_or_default();
        let left = until.duration_since(now);
        // A credential that is short-lived by itself is renewed in its last quarter.
        let margin = MARGIN.min((left.saturating_add(age)) / 4);
        left > margin
    }
}

fn authority(config: &Config) -> String {
    let uri = &config.cluster_url;
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    format!("{host}:{port}")
}
