//! A small registry for plans of tests, so that they do not change with the kinds of the build.

use lifeboat::base::units::Unit;
use lifeboat::plan::keys::{Key, Named, Takes};
use lifeboat::plan::kinds::{self, ActionKind, BuildError, Does, NotifierKind, ProbeKind, Sees};
use lifeboat::plan::{Capabilities, Channel, ProbeSpec, Registry, Step, Trial};

pub fn registry() -> Registry {
    Registry {
        probes: vec![&HTTP, &REPLICATION, &FILE_SIZE],
        actions: vec![&PROMOTE, &REQUEST, &MANUAL, &WAIT_FOR, &EXEC],
        notifiers: vec![&VOICE, &TEXT, &MAIL, &STATUS, &COMMAND],
        trial: |_| Box::new(Untried),
        database: lifeboat::providers::registry().database,
    }
}

/// Kinds of which none is made.
struct Untried;

impl Trial for Untried {
    fn probe(&self, _: &ProbeSpec) -> Option<BuildError> {
        None
    }

    fn action(&self, _: &Step) -> Option<BuildError> {
        None
    }

    fn channel(&self, _: &Channel) -> Option<BuildError> {
        None
    }
}

static HTTP: ProbeKind = ProbeKind {
    name: "http",
    sees: Sees::Http,
    doc: "Fetches an address.",
    unit: Unit::Milliseconds,
    keys: &[
        Key::required("url", Takes::Url, "What to fetch."),
        Key::default("status", Takes::List(&Takes::Integer(100, 599)), "[200, 204]", "Good status codes."),
        Key::optional("body", Takes::Regex, "What the body must match."),
        Key::optional("headers", Takes::Table(&Takes::TextOrSecret), "Headers to send."),
    ],
    fields: &[("status", "The status code."), ("tls_expiry_days", "Days until the certificate expires.")],
    permissions: &[],
    example: "",
    check: kinds::unchecked,
};

static REPLICATION: ProbeKind = ProbeKind {
    name: "postgres-replication",
    sees: Sees::Standby,
    doc: "Lag of a standby.",
    unit: Unit::Seconds,
    keys: &[
        Key::required("dsn", Takes::Secret, "Where the standby is."),
        Key::default("stopped", Takes::Flag, "true", "Whether a stopped receiver is critical."),
    ],
    fields: &[("receive_lag_bytes", "Bytes not yet received.")],
    permissions: &[],
    example: "",
    check: kinds::unchecked,
};

static FILE_SIZE: ProbeKind = ProbeKind {
    name: "file-size",
    sees: Sees::Files,
    doc: "Size of a file.",
    unit: Unit::Bytes,
    keys: &[
        Key::required("path", Takes::Text, "The file."),
        Key::optional("smallest", Takes::Size, "The smallest size that is plausible."),
        Key::optional("since", Takes::Date, "The first day."),
    ],
    fields: &[],
    permissions: &[],
    example: "",
    check: kinds::unchecked,
};

static PROMOTE: ActionKind = ActionKind {
    name: "postgres-promote",
    does: Does::Promotes,
    simulated_target: "PostgreSQL server",
    sets: &[],
    doc: "Promotes a standby.",
    keys: &[Key::required("dsn", Takes::TextOrSecret, "The standby.")],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[],
    example: "",
    call: |params| format!("select pg_promote() on {}", params.text("dsn").unwrap_or("the secret's server")),
};

static REQUEST: ActionKind = ActionKind {
    name: "http-request",
    does: Does::Runs,
    simulated_target: "HTTP interface",
    sets: &["method", "body"],
    doc: "Sends a request.",
    keys: &[
        Key::required("url", Takes::Url, "Where to."),
        Key::default("method", Takes::Choice(&["GET", "POST"]), "POST", "How."),
        Key::optional("body", Takes::Text, "What."),
    ],
    changes: true,
    verifies: false,
    verifies_with: None,
    permissions: &[],
    example: "",
    call: |params| format!("{} {}", params.text("method").unwrap_or(""), params.text("url").unwrap_or("")),
};

static MANUAL: ActionKind = ActionKind {
    name: "manual",
    does: Does::ByHand,
    simulated_target: "simulated target",
    sets: &[],
    doc: "A person does it and attests.",
    keys: &[Key::required("instructions", Takes::Text, "What to do.")],
    changes: false,
    verifies: false,
    verifies_with: None,
    permissions: &[],
    example: "",
    call: |params| params.text("instructions").unwrap_or("").to_owned(),
};

static WAIT_FOR: ActionKind = ActionKind {
    name: "wait-for",
    does: Does::Waits,
    simulated_target: "simulated target",
    sets: &[],
    doc: "Waits until a condition holds.",
    keys: &[
        Key::required("until", Takes::Condition, "The condition."),
        Key::optional("after", Takes::Name(Named::Step), "Only after this step."),
    ],
    changes: false,
    verifies: true,
    verifies_with: None,
    permissions: &[],
    example: "",
    call: |params| format!("wait until {}", params.condition("until").map_or("", |until| until.source())),
};

static EXEC: ActionKind = ActionKind {
    name: "exec",
    does: Does::Runs,
    simulated_target: "what the program acts on",
    sets: &[],
    doc: "Runs a program.",
    keys: &[
        Key::required("argv", Takes::List(&Takes::Text), "Program and arguments."),
        Key::optional("verify_argv", Takes::List(&Takes::Text), "Proves it by ending with 0."),
        Key::optional("format", Takes::RawText, "Not a template of ours."),
    ],
    changes: true,
    verifies: false,
    verifies_with: Some("verify_argv"),
    permissions: &[],
    example: "",
    call: |params| params.texts("argv").join(" "),
};

static VOICE: NotifierKind = NotifierKind {
    name: "voice",
    doc: "Calls somebody.",
    address: Some("phone"),
    capabilities: |_| Capabilities { tracks: true, ..Capabilities::default() },
    keys: &[
        Key::required("from", Takes::Text, "The number that calls."),
        Key::required("token", Takes::Secret, "Who calls."),
    ],
    permissions: &[],
    example: "",
    ends: None,
};

static TEXT: NotifierKind = NotifierKind {
    name: "text",
    doc: "Sends a text message.",
    address: Some("sms"),
    capabilities: |_| Capabilities::default(),
    keys: &[],
    permissions: &[],
    example: "",
    ends: None,
};

static MAIL: NotifierKind = NotifierKind {
    name: "mail",
    doc: "Sends a mail.",
    address: Some("email"),
    capabilities: |_| Capabilities::default(),
    keys: &[Key::required("host", Takes::Text, "Through which server.")],
    permissions: &[],
    example: "",
    ends: None,
};

static STATUS: NotifierKind = NotifierKind {
    name: "status",
    doc: "Writes on a status page.",
    address: None,
    capabilities: |params| Capabilities {
        threads: !params.texts("components").is_empty(),
        ..Capabilities::default()
    },
    keys: &[Key::default("components", Takes::List(&Takes::Text), "[]", "What is shown.")],
    permissions: &["page:Write"],
    example: "",
    ends: None,
};

static COMMAND: NotifierKind = NotifierKind {
    name: "command",
    doc: "Runs a program.",
    address: None,
    capabilities: |_| Capabilities { repeatable: true, ..Capabilities::default() },
    keys: &[
        Key::required("argv", Takes::List(&Takes::Text), "Program and arguments."),
        Key::optional("address", Takes::RawText, "The address of contacts that it gets."),
    ],
    permissions: &[],
    example: "",
    ends: None,
};
