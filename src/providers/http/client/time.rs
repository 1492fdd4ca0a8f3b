//! Whose fault a certificate is that is not good at this time: the server is asked which time it is.

use jiff::Timestamp;
use reqwest::Url;
use reqwest::dns::Resolve;
use reqwest::header::HOST;
use tokio::time::timeout_at;

use super::error::{HttpError, HttpErrorKind};
use super::exchange::Exchange;
use crate::providers::net::own_clock::is_of_time;
use crate::providers::net::share::share;
use crate::providers::net::tls::{TlsProfile, Verification, tls_error_in};

impl Exchange<'_> {
    /// Why a request to `url` over `names` failed. It may be this host's clock that is wrong.
    pub(super) async fn blamed(
        &self,
        error: reqwest::Error,
        url: &Url,
        names: impl Resolve + 'static,
    ) -> HttpError {
        let fault = tls_error_in(&error).filter(|fault| is_of_time(fault)).cloned();
        let failed = self.failed(error);
        let Some(fault) = fault else { return failed };
        // Silence must not hide why the certificate was refused.
        let _ = timeout_at(share(self.until, 2), self.ask_the_time(url, names)).await;
        match self.http.clock.excuse(&fault, Timestamp::now()) {
            Some(why) => HttpError::new(HttpErrorKind::OwnClock, &self.target(), &why),
            None => failed,
        }
    }

    /// Reads the date of the server's answer to a request that says nothing, over a connection of which nothing is
    /// trusted. No answer says nothing.
    async fn ask_the_time(&self, url: &Url, names: impl Resolve + 'static) {
        let tls = TlsProfile { verification: Verification::None, ..TlsProfile::default() };
        let Ok(client) = self.client(&tls, None, names) else { return };
        let mut asking = client.head(url.origin().ascii_serialization());
        if let Some(host) = self.headers.get(HOST) {
            asking = asking.header(HOST, host);
        }
        if let Ok(answer) = asking.send().await {
            self.http.clock.hear(&self.url.origin().ascii_serialization(), answer.headers());
        }
    }
}
