//! Services that carry messages: chats, paging, telephones, status pages.

mod answer;
mod api;
mod goalert;
mod google_chat;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod slack_webhook;
mod statuspage;
mod teams;
mod telegram;
mod twilio;
mod webhook;

use super::{Provider, row};

/// Services that carry messages.
pub(super) static PROVIDER: Provider = Provider {
    channels: &[
        row!(slack),
        row!(slack_webhook),
        row!(teams),
        row!(google_chat),
        row!(telegram),
        row!(ntfy),
        row!(pagerduty),
        row!(opsgenie::jsm),
        row!(opsgenie),
        row!(goalert),
        row!(twilio::voice),
        row!(twilio::sms),
        row!(statuspage),
        row!(webhook),
    ],
    ..Provider::NONE
};
