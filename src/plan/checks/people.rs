//! Contacts that can be reached.

use crate::base::phone;
use crate::base::toml::{Diagnostic, Report};
use crate::plan::load::Draft;
use crate::plan::sections::ADDRESSES;

pub(super) fn check(draft: &Draft, report: &Report) {
    for (id, contact) in &draft.plan.contacts {
        if contact.addresses.is_empty() {
            let place = draft.places.of(&format!("contacts.{id}"));
            let problem = Diagnostic::error("contact", place, format!("contact `{id}` cannot be reached"));
            report.add(problem.help(format!("give one of {}", ADDRESSES.join(", "))));
        }
        for (channel, address) in &contact.addresses {
            let Some(help) = fault(channel, address) else { continue };
            let place = draft.places.of(&format!("contacts.{id}.{channel}"));
            let shown = crate::base::text::clean(address, 80);
            let problem = Diagnostic::error("contact", place, format!("`{shown}` is no {}", word(channel)));
            report.add(problem.help(help));
        }
    }
    if draft.plan.contacts.is_empty() && draft.complete {
        let problem =
            Diagnostic::warning("no-contacts", draft.places.of("plan"), "the plan names nobody to call");
        report
            .add(problem.help("write a `[contacts.<name>]` table for everyone who is needed in an incident"));
    }
}

fn word(channel: &str) -> &'static str {
    match channel {
        "email" => "e-mail address",
        "slack" => "Slack channel or member",
        _ => "phone number",
    }
}

/// Why an address cannot work; none where it can. A phone number is an international one (ITU-T E.164).
fn fault(channel: &str, address: &str) -> Option<&'static str> {
    match channel {
        "email" => {
            let parts: Vec<&str> = address.split('@').collect();
            let good = matches!(parts[..], [local, domain]
                if !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.'))
                && !address.contains("..")
                && !address.starts_with('.')
                && !address.contains(".@")
                && !address.contains([',', ';', '<', '>', '"', '('])
                && !address.contains(char::is_whitespace)
                && !address.contains(char::is_control);
            (!good).then_some("write it as in `oncall@example.org`")
        }
        "slack" => {
            let channel = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
            let good = address.strip_prefix('#').map_or_else(|| is_slack_id(address), channel);
            (!good).then_some(
                "write a channel as `#oncall`, a member by their id as `U0123ABCD`: Slack takes no names, the id is in \
                 the member's profile",
            )
        }
        _ => phone::fault(address),
    }
}

/// An id of a channel, a conversation or a member.
fn is_slack_id(address: &str) -> bool {
    address.len() >= 8
        && address.starts_with(['C', 'G', 'D', 'U', 'W'])
        && address.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn addresses_that_cannot_work_are_found() {
        for (channel, good) in [
            ("email", "a@b.example"),
            ("phone", "+1 (555) 010-9999"),
            ("slack", "#oncall"),
            ("slack", "U0123ABCD"),
        ] {
            assert_eq!(fault(channel, good), None, "{good}");
        }
        for (channel, bad) in [
            ("email", "a@b"),
            ("email", "a b@c.example"),
            ("email", "nobody"),
            ("email", "a@b..example"),
            ("email", "a.@b.example"),
            ("email", "a,c@b.example"),
            ("email", "Ada <a@b.example>"),
            ("phone", "555 1234567"),
            ("phone", "+1 call me"),
            ("sms", "+123"),
            ("phone", "+49 (0)30 1234567"),
            ("slack", "@alice"),
            ("slack", "oncall"),
        ] {
            assert!(fault(channel, bad).is_some(), "{bad}");
        }
    }
}
