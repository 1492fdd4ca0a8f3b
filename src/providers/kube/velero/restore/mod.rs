//! `velero-restore`: what a backup of Velero has, brought back into a cluster.

mod change;
mod follow;
mod found;
mod made;
mod wanted;

use super::VELERO_NAMESPACE;
use super::which::{BACKUP, SCHEDULE, SELECTOR, Which};
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::place::{CONTEXT, Place};
use change::Restore;
use wanted::{EXCLUDED, EXISTING, INCLUDED, MAPPING, VOLUMES, Wanted};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "velero-restore",
    does: Does::Changes,
    simulated_target: "Velero backup",
    sets: &["included_namespaces", "excluded_namespaces", "namespace_mapping", "existing", "restore_volumes"],
    doc: "Has Velero restore a backup: one by its name, or the newest complete one of a schedule or with some labels, which \
          the confirmation shows with its age, what is in it, its warnings and where it lies. A backup that has expired, is \
          being deleted or is not complete is refused, and so is one whose storage location Velero cannot read, or that \
          does not have a namespace which the plan names. The API server judges the `Restore` before anybody is asked. It is \
          made once, with a name of the attempt's own, and followed to its end. What was confirmed is the very backup: a \
          newer one since is another target. The step counts as verified when Velero calls the restore `Completed`, without \
          errors and with at least one item. Warnings are for a person to read, who attests the step then, unless the plan \
          has `accept_warnings`. A restore with errors never counts. What was there before it changes is not brought back \
          by anything.",
    keys: &[
        CONTEXT,
        VELERO_NAMESPACE,
        BACKUP,
        SCHEDULE,
        SELECTOR,
        INCLUDED,
        EXCLUDED,
        MAPPING,
        EXISTING,
        VOLUMES,
        Key::default(
            "accept_warnings",
            Takes::Flag,
            "false",
            "Count a restore with warnings as done: nobody reads them then. Into a cluster that has objects of its own there are \
             nearly always some (`ConfigMap \"kube-root-ca.crt\" already exists`).",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "get backups.velero.io",
        "list backups.velero.io",
        "get backupstoragelocations.velero.io",
        "get restores.velero.io",
        "list restores.velero.io",
        "create restores.velero.io",
    ],
    example: r#"[[runbooks.example.steps]]
id = "restore"
title = "Restore the shop into DR"
action = "velero-restore"
with.context = "dr"
with.schedule = "nightly"
with.included_namespaces = ["shop"]
confirm = "type"
estimate = "15m"
timeout = "1h"
"#,
    call: |params| {
        let which = Which::of(params).map_or_else(|_| "a backup".to_owned(), |which| which.meant());
        let what = match params.texts("included_namespaces") {
            names if names.is_empty() => "all".to_owned(),
            names => names.join(", "),
        };
        format!("restore {what} of {which} into {}", params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    Ok(Box::new(Changing(Restore {
        place: Place::of(params, clients)?,
        namespace: super::namespace(params)?,
        which: Which::of(params)?,
        wanted: Wanted::of(params)?,
        accepts_warnings: params.flag("accept_warnings"),
    })))
}
