//! Names of things in a plan and in a run, each with its own type so that one cannot be taken for another.

use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, sync::Arc};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a name as it is written; whether it is well formed is the plan loader's business.
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(/// A region of the plan (`regions.primary`).
    RegionId);
id!(/// A service of the plan (`services.postgresql`).
    ServiceId);
id!(/// A probe of the plan, and the signal judged from it (`probes.dr-lag`).
    ProbeId);
id!(/// A backup of the plan (`backups.postgresql-full`).
    BackupId);
id!(/// A question of the decision tree (`tree.primary-down`).
    QuestionId);
id!(/// An outcome of the decision tree that is not a runbook (`leaves.keep-monitoring`).
    LeafId);
id!(/// A runbook of the plan (`runbooks.full-region-failover`).
    RunbookId);
id!(/// A step of one runbook.
    StepId);
id!(/// A person or team of the plan (`contacts.alice`).
    ContactId);
id!(/// A way to send messages (`channels.pager`).
    ChannelId);
id!(/// An on-call rotation of the plan (`rotations.primary`).
    RotationId);
id!(/// An escalation policy of the plan (`policies.p0`).
    PolicyId);
id!(/// Those whom a message is for (`audiences.customers`).
    AudienceId);
id!(/// A template of a message (`messages.activation`).
    MessageId);
id!(/// One message to one recipient on one way (`INC-20260301-030000/n7`).
    NotificationId);
id!(/// A drill of the plan (`drills.quarterly`).
    DrillId);
id!(/// An incident, made from its declaration time.
    IncidentId);
id!(/// One execution of a runbook within an incident.
    RunId);
id!(/// One frozen confirmation bundle of a step.
    ConfirmationId);
