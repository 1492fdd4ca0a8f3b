//! The tables of a plan file. This one schema drives reading, help, the reference and the JSON schema.

mod people;

pub use people::{ADDRESSES, LEVEL_KEYS, OVERRIDE_KEYS};

use super::keys::{Key, Named, Takes};

/// The severities, worst first.
const SEVERITIES: &[&str] = &["P0", "P1", "P2", "P3"];

/// How a section is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One table, `[plan]`.
    Single,
    /// A table for each thing, `[probes.dr-lag]`; the word is what a thing is called.
    Named(&'static str),
    /// A list of tables, `[[severity]]`.
    Rows,
    /// Names of the writer's choice with texts or numbers, `[vars]`.
    Free,
}

/// One section of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// `probes`.
    pub name: &'static str,
    /// How it is written.
    pub shape: Shape,
    pub doc: &'static str,
    /// Keys of the section itself, beside its things (`root` of the tree).
    pub own: &'static [Key],
    /// Keys of its table, or of each of its things.
    pub keys: &'static [Key],
}

const fn section(name: &'static str, shape: Shape, doc: &'static str, keys: &'static [Key]) -> Section {
    Section { name, shape, doc, own: &[], keys }
}

const PROBES: Takes = Takes::List(&Takes::Name(Named::Probe));

const PLAN: &[Key] = &[
    Key::required("name", Takes::RawText, "The system's name, on the header of the console."),
    Key::default(
        "strategy",
        Takes::Choice(&["backup-restore", "pilot-light", "warm-standby", "hot-standby"]),
        "warm-standby",
        "How the standby side is kept.",
    ),
];

const POLICY: &[Key] = &[
    Key::optional(
        "reference",
        PROBES,
        "Probes that tell \"they are down\" from \"I am blind\": things outside of the system that should always answer. While none of them is ok, no region is called down.",
    ),
    Key::default(
        "cooldown",
        Takes::Duration,
        "300s",
        "A region whose status changed twice within this time is flapping, and no failover is suggested.",
    ),
    Key::default("confirmation_expiry", Takes::Duration, "2m", "How long a confirmation stays valid."),
    Key::default(
        "monitor",
        Takes::Duration,
        "1h",
        "How long to watch after the last step before an incident should be closed.",
    ),
    Key::default(
        "unknown_after",
        Takes::Duration,
        "15m",
        "How long a signal that a severity rule needs may stay unknown, or the console blind, before that is an incident by itself: with the mildest severity that `propose` of `[notify]` takes, without it the mildest that has a policy. A restart does not begin it anew, another plan does. At least 1m.",
    ),
];

const REGIONS: &[Key] = &[
    Key::optional(
        "name",
        Takes::RawText,
        "The provider's or the site's name (`us-east-1`); the region's id where absent.",
    ),
    Key::required(
        "role",
        Takes::Choice(&["primary", "standby", "other"]),
        "Which side it is. Exactly one region is `primary`.",
    ),
    Key::optional(
        "health",
        PROBES,
        "Probes whose signals decide the status; where absent, every `tcp`, `http` and `postgres` probe of the region.",
    ),
    Key::optional(
        "kube_context",
        Takes::RawText,
        "The context of the kubeconfig that reaches its Kubernetes cluster; `in-cluster` for the one that lifeboat runs in.",
    ),
];

const SERVICES: &[Key] = &[
    Key::optional("title", Takes::RawText, "What people call it; the service's id where absent."),
    Key::required("tier", Takes::Integer(1, 9), "1 is the most critical."),
    Key::required("rto", Takes::Duration, "Recovery time objective: how long it may be down."),
    Key::optional(
        "rpo",
        Takes::Duration,
        "Recovery point objective: how much of its last data may be lost. Absent where the data can be rebuilt.",
    ),
    Key::optional(
        "health",
        Takes::TableBy(Named::Region, &PROBES),
        "Probes whose signals decide the status, by region: `health.primary = [\"api\"]`.",
    ),
];

/// Keys that every probe has, besides those of its kind.
const PROBE_KEYS: &[Key] = &[
    Key::required("kind", Takes::RawText, "What is measured, and how: the name of a kind."),
    Key::optional("title", Takes::Text, "What people call it; the probe's id where absent."),
    Key::optional(
        "region",
        Takes::Name(Named::Region),
        "Where the measured thing lives; absent for things outside of every region.",
    ),
    Key::optional(
        "database",
        Takes::RawText,
        "The database that the measured server is a copy of, by any name: of all its copies one at most accepts writes, as the field `role` (`primary`, `master`, `leader`, or anything else) and the field `read_only` say. PostgreSQL servers tell by their system identifier; `none` compares a server with no other.",
    ),
    Key::default("every", Takes::Duration, "10s", "Time between two runs, at least 1s."),
    Key::default("timeout", Takes::Duration, "5s", "Deadline of one run, less than six times `every`."),
    Key::optional("warn", Takes::Threshold, "From this value on the signal warns."),
    Key::optional("critical", Takes::Threshold, "From this value on the signal is critical."),
    Key::optional("warn_below", Takes::Threshold, "From this value downwards the signal warns."),
    Key::optional("critical_below", Takes::Threshold, "From this value downwards the signal is critical."),
    Key::default(
        "fail_after",
        Takes::Integer(1, 1_000),
        "3",
        "Consecutive worse readings before the signal turns worse.",
    ),
    Key::default(
        "recover_after",
        Takes::Integer(1, 1_000),
        "2",
        "Consecutive better readings before the signal turns better.",
    ),
    Key::optional(
        "stale_after",
        Takes::Duration,
        "A reading older than this makes the signal unknown; where absent, three times `every` plus `timeout`.",
    ),
];

const BACKUPS: &[Key] = &[
    Key::optional("title", Takes::Text, "What people call it; the backup's id where absent."),
    Key::required("method", Takes::Text, "How it is made (`pg_dump + WAL`)."),
    Key::required("location", Takes::Text, "Where it is kept."),
    Key::required("probe", Takes::Name(Named::Probe), "The probe that sees it."),
    Key::optional("max_age", Takes::Duration, "The oldest that the last good one may be."),
    Key::optional("frequency", Takes::Text, "How often a copy is made, in words (`hourly`, `on change`)."),
    Key::optional("retention", Takes::Duration, "How long copies are kept."),
    Key::optional(
        "kept",
        Takes::Text,
        "What is kept, in words, where `retention` cannot say it (`for ever`, `50 versions`).",
    ),
    Key::optional(
        "encryption",
        Takes::Text,
        "What the probe's fields `encryption`, `encrypted` and `encryption_key` must contain, ignoring case (`aws:kms`); something else is critical on the backups screen.",
    ),
    Key::default(
        "size_change",
        Takes::Integer(1, 100),
        "50",
        "Percent by which a copy may be smaller than the one before; the same factor upwards. Beyond it the size is odd. `100` leaves the judgement to the probe.",
    ),
    Key::optional("last_restore_test", Takes::Date, "When a restore was last proven."),
    Key::optional(
        "restore_probe",
        Takes::Name(Named::Probe),
        "A probe whose value is the age of the last proven restore (`file-age` on the log of the restore test); the younger of both counts.",
    ),
    Key::optional("test_every", Takes::Duration, "How often a restore has to be proven."),
];

const SEVERITY: &[Key] = &[
    Key::required("level", Takes::Choice(SEVERITIES), "The severity that the rule gives."),
    Key::required("when", Takes::Condition, "When it holds."),
    Key::required("why", Takes::Text, "What it means, for people."),
];

const TREE_OWN: &[Key] = &[Key::required("root", Takes::Name(Named::Question), "The first question.")];

const TREE: &[Key] = &[
    Key::required("ask", Takes::Text, "The question."),
    Key::optional("help", Takes::Text, "What to consider, for people."),
    Key::optional("evidence", PROBES, "Probes shown beside it."),
    Key::required(
        "answers",
        Takes::Table(&Takes::Name(Named::Destination)),
        "Where each answer leads: a question, a runbook or a leaf.",
    ),
    Key::optional(
        "suggest",
        Takes::Table(&Takes::Condition),
        "When each answer is suggested; an answer without a condition is never suggested.",
    ),
];

const LEAVES: &[Key] = &[
    Key::required("title", Takes::Text, "What it says (`Do not fail over`)."),
    Key::required("advice", Takes::Text, "What to do instead."),
];

const SAFE_TO_DRILL: Key = Key::optional(
    "drill",
    Takes::Choice(&["safe"]),
    "`safe` where it may act in a drill that acts only on what is safe: it changes nothing that anybody needs, or a copy made for exercises. A runbook's word counts for all its steps.",
);

/// Keys of a step of a runbook.
pub static STEP_KEYS: &[Key] = &[
    Key::required("id", Takes::RawText, "Its name in the runbook."),
    Key::required("title", Takes::Text, "What people call it."),
    Key::required("action", Takes::RawText, "What it does: the name of a kind."),
    Key::optional("with", Takes::KindKeys, "What the kind needs, `with.<key>`."),
    Key::optional(
        "needs",
        Takes::List(&Takes::Name(Named::Step)),
        "Steps that must be settled before; where absent the previous step. `[]` for none.",
    ),
    Key::optional("guard", Takes::List(&Takes::Condition), "What must be true just before it runs."),
    Key::optional(
        "confirm",
        Takes::Choice(&["none", "yes", "type"]),
        "How it is confirmed: `none` runs as soon as it is ready, `yes` takes one deliberate key, `type` takes the typed name of the target. Where absent `yes` for actions that change something, otherwise `none`.",
    ),
    Key::default(
        "irreversible",
        Takes::Flag,
        "false",
        "Nothing brings it back: the point of no return is drawn before it. Needs `confirm = \"type\"`.",
    ),
    Key::default(
        "switches",
        Takes::Flag,
        "false",
        "Once it is verified or attested, the region that the runbook `activates` serves. Where no step says so, the run moves nothing: a person records which region serves.",
    ),
    Key::optional(
        "serves",
        Takes::TableBy(Named::Service, &Takes::Name(Named::Region)),
        "Services that it moves alone, and where to: `serves.api = \"dr\"`. Once it is verified, or attested and its `verify` holds, each is looked at where it serves then (status, RTO clock); one that is taken back (`undoes`, or a person's word) serves from where it did before. A region that is recorded to serve later takes all services with it.",
    ),
    Key::optional(
        "fences",
        PROBES,
        "Probes that watch the server which this step keeps from accepting writes: once it is verified or attested, what they say would be lost grows no more. Where absent, for `postgres-fence`, those whose `primary` (else `dsn`) is the step's.",
    ),
    Key::optional(
        "unfences",
        PROBES,
        "Probes that watch the server which this step lets accept writes again. Where absent, for `postgres-unfence`, found as for `fences`.",
    ),
    Key::optional("estimate", Takes::Duration, "How long it usually takes."),
    Key::default("timeout", Takes::Duration, "5m", "Deadline of its execution."),
    Key::optional(
        "verify",
        Takes::Condition,
        "A condition that proves it, besides what the action verifies by itself.",
    ),
    Key::default("verify_within", Takes::Duration, "60s", "How long the proof may take."),
    Key::optional("manual", Takes::Text, "What a person does when the provider cannot be reached."),
    Key::optional(
        "undo",
        Takes::Text,
        "How it is taken back, for actions that cannot read what was before (`http-request`, `exec`, `manual`). It is shown for as long as what the step did is in force.",
    ),
    Key::optional(
        "undoes",
        Takes::List(&Takes::RawText),
        "Steps of this or another runbook, by their ids, that it takes back once it is verified or attested. An id that this runbook has means its own step.",
    ),
    SAFE_TO_DRILL,
];

const RUNBOOKS: &[Key] = &[
    Key::required("title", Takes::Text, "What people call it."),
    Key::optional("loss", PROBES, "Probes that tell what is lost if it runs now."),
    Key::optional("restores", Takes::List(&Takes::Name(Named::Service)), "Services that it brings back."),
    Key::optional(
        "activates",
        Takes::Name(Named::Region),
        "The region that serves once all but manual steps and notes is done; absent where it moves nothing.",
    ),
    SAFE_TO_DRILL,
    Key::required("steps", Takes::Rows(STEP_KEYS), "The steps, `[[runbooks.<id>.steps]]`, in order."),
];

const DRILLS: &[Key] = &[
    Key::required("title", Takes::Text, "What people call it."),
    Key::optional("runbook", Takes::Name(Named::Runbook), "The runbook that it exercises."),
    Key::required("every", Takes::Duration, "How often it is due."),
    Key::optional("last", Takes::Date, "When it was last done."),
];

const SECRETS: &[Key] = &[
    Key::optional(
        "sources",
        Takes::List(&Takes::Choice(&["environment", "file", "keyring", "command"])),
        "Where secrets are looked up, in this order; all of them where absent.",
    ),
    Key::optional(
        "files_folder",
        Takes::RawText,
        "The folder of secret files, where it is not the user's own.",
    ),
    Key::optional(
        "command",
        Takes::List(&Takes::RawText),
        "Program and arguments that print a secret; `{name}` becomes the secret's name.",
    ),
    Key::optional(
        "command_env",
        Takes::List(&Takes::RawText),
        "Environment variables that the command gets besides `PATH`, `HOME` and the like.",
    ),
    Key::optional("command_deadline", Takes::Duration, "How long the command may take."),
    Key::optional("store_deadline", Takes::Duration, "How long a file or one keyring may take."),
    Key::optional("keep", Takes::Duration, "How long a value is used before its source is asked again."),
];

const AWS: &[Key] = &[
    Key::optional(
        "profile",
        Takes::RawText,
        "The profile of the shared AWS files, which then counts alone; where absent what every AWS tool finds: environment, `AWS_PROFILE`, web identity, instance.",
    ),
    Key::optional(
        "role",
        Takes::RawText,
        "The ARN of a role to assume on top. Its session is named after the operator, and each region signs in at its own STS.",
    ),
    Key::optional("external_id", Takes::RawText, "What the role's trust policy asks of outsiders."),
    Key::optional(
        "mfa_serial",
        Takes::RawText,
        "The MFA device that the role's trust policy asks for. `lifeboat aws login PLAN` then asks for its code.",
    ),
    Key::default("session", Takes::Duration, "1h", "How long an assumed role's session lasts."),
    Key::optional(
        "endpoint",
        Takes::Url,
        "Where every service answers instead of the public addresses: a test double.",
    ),
    Key::default(
        "endpoints",
        Takes::TableBy(Named::Region, &Takes::Url),
        "{}",
        "The same for one region, by its id in the plan.",
    ),
    Key::default("deadline", Takes::Duration, "10s", "Deadline of one call."),
];

const KUBE: &[Key] = &[
    Key::optional(
        "kubeconfig",
        Takes::List(&Takes::RawText),
        "The kubeconfig files, merged in this order; where absent what `kubectl` finds: `KUBECONFIG`, or `~/.kube/config`.",
    ),
    Key::default("deadline", Takes::Duration, "10s", "Deadline of one call."),
    Key::default(
        "plugin_deadline",
        Takes::Duration,
        "20s",
        "Deadline of a program that signs in, as the kubeconfig names one (`aws eks get-token`).",
    ),
];

/// Every section, in the order of the reference.
pub static SECTIONS: &[Section] = &[
    section("plan", Shape::Single, "The system.", PLAN),
    section("policy", Shape::Single, "Plan-wide settings of failover decisions.", POLICY),
    section("regions", Shape::Named("region"), "Regions or sites.", REGIONS),
    section("services", Shape::Named("service"), "Services with their recovery objectives.", SERVICES),
    section(
        "probes",
        Shape::Named("probe"),
        "Periodic measurements. Each has the keys below and those of its kind.",
        PROBE_KEYS,
    ),
    section("backups", Shape::Named("backup"), "Backups and what they must satisfy.", BACKUPS),
    section(
        "severity",
        Shape::Rows,
        "Severity rules, worst first: the first that holds decides. All in one file.",
        SEVERITY,
    ),
    Section {
        own: TREE_OWN,
        ..section(
            "tree",
            Shape::Named("question"),
            "The decision tree: questions that name each other, runbooks and leaves.",
            TREE,
        )
    },
    section("leaves", Shape::Named("leaf"), "Outcomes of the tree that start nothing.", LEAVES),
    section("runbooks", Shape::Named("runbook"), "Ordered steps towards one outcome.", RUNBOOKS),
    section(
        "contacts",
        Shape::Named("contact"),
        "People and teams. At least one way to reach each.",
        people::CONTACT,
    ),
    section(
        "channels",
        Shape::Named("channel"),
        "Ways to send messages. Each has the keys below and those of its kind.",
        people::CHANNEL,
    ),
    section(
        "rotations",
        Shape::Named("rotation"),
        "Who is on call when: either people who take turns, with `start`, `every` and `order`, or a `calendar`.",
        people::ROTATION,
    ),
    section(
        "policies",
        Shape::Named("policy"),
        "Who is told how, after which time, until somebody acknowledges.",
        people::POLICY,
    ),
    section("audiences", Shape::Named("audience"), "Those whom messages are for.", people::AUDIENCE),
    section(
        "messages",
        Shape::Named("message"),
        "Templates of messages, and what makes them due.",
        people::MESSAGE,
    ),
    section("notify", Shape::Single, "Plan-wide settings of telling people.", people::NOTIFY),
    section("drills", Shape::Named("drill"), "Drills and when they are due.", DRILLS),
    section(
        "vars",
        Shape::Free,
        "Texts and numbers of the writer's choice, for templates: `{{ vars.bucket }}`.",
        &[],
    ),
    section("secrets", Shape::Single, "Where secrets are looked up.", SECRETS),
    section(
        "aws",
        Shape::Single,
        "How AWS is reached. What it does not say is found as every AWS tool finds it: environment, shared files, SSO, web identity, instance metadata.",
        AWS,
    ),
    section(
        "kube",
        Shape::Single,
        "How Kubernetes is reached. What it does not say is found as `kubectl` finds it.",
        KUBE,
    ),
];

/// The section of that name.
pub fn find(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}
