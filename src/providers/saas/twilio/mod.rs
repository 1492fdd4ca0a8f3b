//! Twilio: text messages and calls.
//!
//! After <https://www.twilio.com/docs/usage/requests-to-twilio> (Basic authentication, errors),
//! <https://www.twilio.com/docs/messaging/api/message-resource>, <https://www.twilio.com/docs/voice/api/call-resource>
//! and <https://www.twilio.com/docs/api/errors>.

pub mod sms;
mod spoken;
pub mod voice;

use crate::base::phone::e164;
use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::plan::Channel;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url, retry_after};
use crate::secrets::SecretText;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;

const ACCOUNT: Key = Key::required("account", Takes::Text, "The account's SID (`AC…`).");
const AUTH_TOKEN: Key = Key::required("auth_token", Takes::Secret, "The account's auth token.");
const API_URL: Key = Key::default("api_url", Takes::Url, "https://api.twilio.com", "Twilio's REST API.");

/// An account of Twilio.
struct Account {
    sid: String,
    auth_token: SecretText,
    from: String,
    api_url: String,
    api: Api,
}

impl Account {
    fn of(channel: &Channel, clients: &Clients) -> Result<Self, BuildError> {
        let params = &channel.params;
        let sid = params.require_text("account")?;
        let digits = sid.strip_prefix("AC").filter(|digits| digits.len() == 32);
        if !digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err(BuildError::value(
                "account",
                sid,
                "an account's SID is `AC` and 32 hexadecimal digits",
            ));
        }
        Ok(Self {
            sid: sid.to_owned(),
            auth_token: require_secret(params, "auth_token")?,
            from: params.require_text("from")?.to_owned(),
            api_url: require_url(params, "api_url")?,
            api: Api::new("Twilio", channel, clients),
        })
    }

    /// Makes a message or call, and gives its receipt.
    async fn create(
        &self,
        resource: &str,
        form: &[(&str, &str)],
        cut: String,
    ) -> Result<Receipt, Undelivered> {
        let form = reqwest::Url::parse_with_params("http://form", form).map_err(|error| {
            self.api.failed(
                &format!("the form cannot be written: {error}"),
                "Please report this.",
                Again::Never,
            )
        })?;
        let mut call = Call::get(self.at(&format!("{resource}.json")));
        call.method = Method::POST;
        let kind = SecretText::Plain("application/x-www-form-urlencoded".into());
        call.headers.push(("Content-Type", kind));
        call.body = Some(form.query().unwrap_or_default().as_bytes().to_vec());
        let (answer, said) = self.ask(call).await?;
        let sid = answer::text(&said, "/sid");
        if sid.is_empty() || !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(answer::unexpected(&self.api, &answer));
        }
        let answer = self.api.redacted(&format!("{} {}", answer.status, answer::text(&said, "/status")));
        Ok(Receipt { id: self.api.redacted(sid), thread: String::new(), answer, cut })
    }

    /// A message or call as it is now.
    async fn fetch(&self, resource: &str, receipt: &Receipt) -> Result<Value, Undelivered> {
        Ok(self.ask(Call::get(self.at(&format!("{resource}/{}.json", receipt.id)))).await?.1)
    }

    /// Looks at the account.
    async fn look(&self) -> Result<Option<String>, Undelivered> {
        let url = SecretText::Plain(format!("{}/2010-04-01/Accounts/{}.json", self.api_url, self.sid));
        let (_, said) = self.ask(Call::get(url)).await?;
        let (name, status) = (answer::text(&said, "/friendly_name"), answer::text(&said, "/status"));
        if status != "active" {
            let next = "Look at the account in Twilio's console; choose another way meanwhile.";
            return Err(self.api.failed(&format!("the account is {status}, not active"), next, Again::Never));
        }
        Ok(Some(
            self.api
                .redacted(&format!("the account {name} is active; the number is proven by a message only")),
        ))
    }

    fn at(&self, path: &str) -> SecretText {
        SecretText::Plain(format!("{}/2010-04-01/Accounts/{}/{path}", self.api_url, self.sid))
    }

    async fn ask(&self, call: Call<'_>) -> Result<(HttpResponse, Value), Undelivered> {
        let token = self.api.secret(&self.auth_token).await?;
        let credentials = STANDARD.encode(format!("{}:{}", self.sid, token.expose()));
        let answer = self.api.call(call.authorized(format!("Basic {credentials}"))).await?;
        match answer.status {
            200..=299 => {
                let said = answer::json(&self.api, &answer)?;
                Ok((answer, said))
            }
            _ => Err(self.refusal(&answer)),
        }
    }

    fn refusal(&self, answer: &HttpResponse) -> Undelivered {
        let code = serde_json::from_slice::<Value>(&answer.body).ok().and_then(|said| said["code"].as_u64());
        let said = self.api.redacted(&answer::said(answer, &["/code", "/message"]));
        let (again, next) = match code.and_then(meant) {
            Some((Again::After(_), next)) => (Again::After(retry_after(answer)), next),
            Some(meant) => meant,
            None => return self.api.refused(answer.status, answer, &said),
        };
        self.api.failed(&format!("answered {}: {said}", answer.status), next, again)
    }

    /// A contact's number in the one form that Twilio takes.
    fn number(&self, address: Option<&str>) -> Result<String, Undelivered> {
        let written = address.unwrap_or_default();
        e164(written).ok_or_else(|| {
            let why = format!("`{written}` is no phone number with its country's code");
            let next =
                "Write it as `+14155550123` into the contact's address; tell them otherwise meanwhile.";
            self.api.failed(&why, next, Again::Never)
        })
    }
}

/// What an error code means for another attempt, and for a person.
fn meant(code: u64) -> Option<(Again, &'static str)> {
    Some(match code {
        20003 => (
            Again::Never,
            "Copy SID and auth token from Twilio's console, store the token with `lifeboat secret set`, and test the \
             channel.",
        ),
        20429 | 21611 => (Again::After(None), "It is tried again by itself while there is time."),
        21211 | 21217 | 21614 => (
            Again::Never,
            "The number is not one that can be reached: correct the contact's address; tell them otherwise meanwhile.",
        ),
        21610 => (
            Again::Never,
            "They answered STOP once: they must send START to the number; tell them otherwise meanwhile.",
        ),
        21212 | 21606 | 21210 | 21659 | 21660 => (
            Again::Never,
            "`from` is not a number of this account that can do this: buy or verify one in Twilio's console.",
        ),
        21408 | 21215 | 21612 => (
            Again::Never,
            "The account may not reach that country from that number: allow it under Geo Permissions in Twilio's console.",
        ),
        21608 | 21219 => (
            Again::Never,
            "A trial account reaches verified numbers only: verify this one in Twilio's console, or upgrade.",
        ),
        21617 | 21205 => {
            (Again::Never, "Shorten the message's text in the plan; tell them otherwise meanwhile.")
        }
        _ => return None,
    })
}
