//! The tables about people: who is told what, on which way, after which time.

use super::SEVERITIES;
use crate::plan::keys::{Key, Named, Takes};

const CHANNELS: Takes = Takes::List(&Takes::Name(Named::Channel));
const WHO: Takes = Takes::List(&Takes::Name(Named::Who));
const CONTACT_LIST: Takes = Takes::List(&Takes::Name(Named::Contact));

/// Keys of a contact that are ways to reach it.
pub static ADDRESSES: &[&str] = &["email", "phone", "sms", "slack"];

pub(super) const CONTACT: &[Key] = &[
    Key::required("name", Takes::RawText, "Their name."),
    Key::optional("role", Takes::RawText, "Their role (`SRE lead`)."),
    Key::optional("email", Takes::RawText, "An e-mail address."),
    Key::optional("phone", Takes::RawText, "A phone number with its country code (`+49 30 1234567`)."),
    Key::optional("sms", Takes::RawText, "A phone number that takes text messages."),
    Key::optional(
        "slack",
        Takes::RawText,
        "A Slack channel (`#oncall`), or the id of a member (`U0123ABCD`).",
    ),
    Key::optional(
        "methods",
        CHANNELS,
        "The channels on which they want to be reached, best first, where a level or an audience names none. Where absent, every channel that reaches them.",
    ),
];

/// Keys that every channel has, besides those of its kind.
pub(super) const CHANNEL: &[Key] = &[
    Key::required("kind", Takes::RawText, "How it sends: the name of a kind."),
    Key::optional("title", Takes::Text, "What people call it; the channel's id where absent."),
    Key::default(
        "give_up_after",
        Takes::Duration,
        "3m",
        "How long a message is tried, all attempts together. Then the next method takes over.",
    ),
    Key::default("timeout", Takes::Duration, "10s", "Deadline of one attempt."),
    Key::default("parallel", Takes::Integer(1, 100), "8", "The most attempts under way at once."),
];

/// Keys of an override of a rotation.
pub static OVERRIDE_KEYS: &[Key] = &[
    Key::required("from", Takes::RawText, "From when on, by the rotation's wall clock (`2026-12-24 09:00`)."),
    Key::required("until", Takes::RawText, "Until when."),
    Key::required("contact", Takes::Name(Named::Contact), "Who takes over."),
];

pub(super) const ROTATION: &[Key] = &[
    Key::optional("title", Takes::Text, "What people call it; the rotation's id where absent."),
    Key::default(
        "zone",
        Takes::RawText,
        "UTC",
        "Where its wall clock stands, as an IANA name (`Europe/Berlin`).",
    ),
    Key::optional(
        "start",
        Takes::RawText,
        "When the first one's first turn began, by the wall clock (`2026-01-05 09:00`).",
    ),
    Key::optional(
        "every",
        Takes::Duration,
        "How long a turn is, at least 1h. Turns change at the same hour whether or not the clocks change.",
    ),
    Key::optional("order", CONTACT_LIST, "Who takes turns, in this order, again and again."),
    Key::optional(
        "calendar",
        Takes::RawText,
        "An iCalendar file that says who is on call, instead of `start`, `every` and `order`; relative to the plan's folder. `SUMMARY` or `ATTENDEE` of each event names a contact by id, name or e-mail address. It is read again when it changes.",
    ),
    Key::optional(
        "overrides",
        Takes::Rows(OVERRIDE_KEYS),
        "Shifts that somebody else takes, `[[rotations.<id>.overrides]]`; they count before everything else.",
    ),
];

/// Keys of a level of a policy.
pub static LEVEL_KEYS: &[Key] = &[
    Key::optional("title", Takes::Text, "What people call it; who it is for where absent."),
    Key::default("after", Takes::Duration, "0s", "When it is told, from the begin of the escalation."),
    Key::optional(
        "who",
        WHO,
        "Contacts, or rotations for whoever is on call then. May be absent where the methods have a destination of their own.",
    ),
    Key::optional("methods", CHANNELS, "On which channels, best first. Where absent, each contact's own."),
    Key::default(
        "tries",
        Takes::Choice(&["in-turn", "all"]),
        "in-turn",
        "`in-turn` takes the next method when one fails or is not answered, `all` takes all at once.",
    ),
    Key::optional(
        "next_after",
        Takes::Duration,
        "After how long without an acknowledgement the next method is taken; where absent, only when one fails.",
    ),
];

pub(super) const POLICY: &[Key] = &[
    Key::optional("title", Takes::Text, "What people call it; the policy's id where absent."),
    Key::required(
        "severities",
        Takes::List(&Takes::Choice(SEVERITIES)),
        "The severities that it is for. Each belongs to one policy.",
    ),
    Key::optional(
        "repeat",
        Takes::Duration,
        "How long after the last level the first one is told again; where absent, never.",
    ),
    Key::default(
        "repeats",
        Takes::Integer(0, 100),
        "3",
        "How often the levels are gone through again at most.",
    ),
    Key::optional(
        "repage",
        Takes::Duration,
        "After how long without a sign of life of whoever acknowledged the escalation begins anew; where absent, never.",
    ),
    Key::default(
        "quiet",
        Takes::Flag,
        "false",
        "During the quiet hours of `[notify]` its levels wait for the morning.",
    ),
    Key::required(
        "levels",
        Takes::Rows(LEVEL_KEYS),
        "Its levels, `[[policies.<id>.levels]]`, by their time.",
    ),
];

pub(super) const AUDIENCE: &[Key] = &[
    Key::optional("title", Takes::Text, "What people call them; the audience's id where absent."),
    Key::optional(
        "who",
        WHO,
        "Contacts, or rotations for whoever is on call. May be absent where the methods have a destination of their own.",
    ),
    Key::optional(
        "methods",
        CHANNELS,
        "On which channels; each one is taken. Where absent, each contact's own.",
    ),
    Key::default(
        "public",
        Takes::Flag,
        "false",
        "They are outside of the company: nothing of a drill reaches them.",
    ),
];

pub(super) const MESSAGE: &[Key] = &[
    Key::optional("title", Takes::Text, "What people call it; the message's id where absent."),
    Key::required("audience", Takes::Name(Named::Audience), "Whom it is for."),
    Key::optional(
        "on",
        Takes::List(&Takes::Choice(&["declared", "severity", "run", "switched", "resolved", "closed"])),
        "What makes it due: an incident was declared, its severity changed, a runbook was begun, another region serves, it was resolved, it was closed. Where absent a person alone decides.",
    ),
    Key::optional(
        "severities",
        Takes::List(&Takes::Choice(SEVERITIES)),
        "The severities that it is for; all where absent.",
    ),
    Key::optional(
        "runbooks",
        Takes::List(&Takes::Name(Named::Runbook)),
        "The runbooks that `run` and `switched` mean; all where absent.",
    ),
    Key::default("within", Takes::Duration, "15m", "Within how long it has to be sent."),
    Key::optional(
        "every",
        Takes::Duration,
        "How often it is due again until the incident is resolved; where absent, it is due once.",
    ),
    Key::default("automatic", Takes::Flag, "false", "It is sent without a person."),
    Key::required("subject", Takes::MessageText, "The subject, one line."),
    Key::required("body", Takes::MessageText, "The text."),
    Key::optional(
        "page_status",
        Takes::Choice(&["investigating", "identified", "monitoring", "resolved"]),
        "What a status page shall say of the incident.",
    ),
    Key::optional(
        "component_status",
        Takes::Choice(&[
            "operational",
            "degraded_performance",
            "partial_outage",
            "major_outage",
            "under_maintenance",
        ]),
        "What a status page shall say of the channel's components.",
    ),
];

pub(super) const NOTIFY: &[Key] = &[
    Key::default(
        "zone",
        Takes::RawText,
        "UTC",
        "Where the wall clock of the quiet hours stands, as an IANA name (`Europe/Berlin`).",
    ),
    Key::optional(
        "quiet",
        Takes::RawText,
        "From when until when policies with `quiet` wait (`22:00-07:00`); may span midnight.",
    ),
    Key::optional(
        "propose",
        Takes::Choice(SEVERITIES),
        "From this severity on, told by the rules, an incident is proposed and escalated before anybody declares it; where absent, never.",
    ),
    Key::default("propose_after", Takes::Duration, "1m", "How long the severity must last for that."),
    Key::optional(
        "drill_who",
        WHO,
        "Who gets the messages of drills instead of those whom they are for. Where this and `drill_methods` are absent the same people, but nobody outside of the company.",
    ),
    Key::optional("drill_methods", CHANNELS, "On which channels messages of drills go."),
];
