//! Sending a batch of changes once, and waiting until it has spread.

use super::{Change, RecordsAction, Wanted};
use crate::base::text::clean;
use crate::core::words::action::Failure;
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::aws::client::{AwsError, Call, Connection};
use aws_sdk_route53::types::{Change as SdkChange, ChangeAction, ChangeBatch, ChangeStatus};
use jiff::SignedDuration;
use std::sync::Arc;

/// How often GetChange is asked; AWS says that most changes spread within a minute, and takes five requests a second.
const EVERY: SignedDuration = SignedDuration::from_secs(3);

impl<W: Wanted> RecordsAction<W> {
    /// Sends the batch once; gives the id of the change.
    pub(super) async fn upsert(
        &self,
        connection: &Connection,
        changes: &[Change],
        context: &Context,
        what: &str,
    ) -> Result<String, Failure> {
        let incomplete = |error: aws_sdk_route53::error::BuildError| {
            Failure::not_done(what, error.to_string(), "Correct the plan's records; nothing was sent.")
        };
        let mut batch = ChangeBatch::builder().comment(clean(&format!("lifeboat {}", context.token), 256));
        for change in changes {
            let set = change.after.to_sdk().map_err(incomplete)?;
            let change = SdkChange::builder().action(ChangeAction::Upsert).resource_record_set(set).build();
            batch = batch.changes(change.map_err(incomplete)?);
        }
        let batch = batch.build().map_err(incomplete)?;
        let call = Call::new("route53:ChangeResourceRecordSets", format!("hosted zone {}", self.zone));
        let mut reasons = Vec::new();
        let request = connection.route53().change_resource_record_sets().hosted_zone_id(&self.zone);
        let request = request.change_batch(batch);
        let heard = &mut reasons;
        let send = async move {
            let sent = request.send().await;
            if let Some(raw) = sent.as_ref().err().and_then(|error| error.raw_response()) {
                *heard = listed_reasons(raw.body().bytes().unwrap_or_default());
            }
            sent
        };
        match connection.call(&call, send).await {
            Ok(taken) => {
                let id = taken.change_info.map(|info| info.id).unwrap_or_default();
                Ok(clean(id.trim_start_matches("/change/"), 100))
            }
            Err(error) => Err(refused(&error, &reasons, what)),
        }
    }

    /// Waits until all of Route 53's DNS servers have the change.
    pub(super) async fn wait_for_sync(
        &self,
        connection: &Arc<Connection>,
        id: &str,
        context: &Context,
        what: &str,
    ) -> Result<(), Failure> {
        let late = |said: String| {
            Failure::maybe_done(
                what,
                format!(
                    "Route 53 took the change as {id}, and has not told in time that it is in sync ({said})"
                ),
                format!("Do not send it again. Ask `aws route53 get-change --id {id}`, and verify the step."),
            )
        };
        wait(context, EVERY, late, || look_at_change(connection.clone(), id.to_owned())).await
    }
}

/// How far a change has spread.
async fn look_at_change(connection: Arc<Connection>, id: String) -> Result<Progress<()>, Unseen> {
    let call = Call::new("route53:GetChange", &id);
    let found = connection.call(&call, connection.route53().get_change().id(&id).send()).await?;
    Ok(match found.change_info.map(|info| info.status) {
        Some(ChangeStatus::Insync) => Progress::Reached(()),
        Some(status) => Progress::Waiting(format!("{id} is {}", clean(status.as_str(), 40))),
        None => Progress::Waiting(format!("{id}: the answer has no status")),
    })
}

/// The reasons of an `InvalidChangeBatch` that is not wrapped as other errors are, which the SDK does not read:
/// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html#API_ChangeResourceRecordSets_Errors
fn listed_reasons(body: &[u8]) -> Vec<String> {
    let body = String::from_utf8_lossy(body);
    let Some((_, list)) = body.split_once("<InvalidChangeBatch") else { return Vec::new() };
    let reasons = list.split("<Message>").skip(1).filter_map(|rest| Some(rest.split_once("</Message>")?.0));
    let plain = |text: &str| {
        let text = text.replace("&apos;", "'").replace("&quot;", "\"").replace("&lt;", "<");
        clean(&text.replace("&gt;", ">").replace("&amp;", "&"), 500)
    };
    reasons.map(plain).collect()
}

/// Why Route 53 did not take a batch.
fn refused(error: &AwsError, reasons: &[String], what: &str) -> Failure {
    let mut failure = error.of_change(what);
    let code = if reasons.is_empty() { &*error.code } else { "InvalidChangeBatch" };
    match code {
        "InvalidChangeBatch" => {
            if !reasons.is_empty() {
                failure = error.not_done(what);
                failure.why = format!("Route 53 refuses the batch: {}", reasons.join("; "));
            }
            failure.next =
                "Nothing was changed: a batch is taken whole or not at all. Correct the plan's records."
                    .into();
        }
        "PriorRequestNotComplete" => {
            failure.next = "Nothing was changed: Route 53 still works on another change of this zone. Wait half a minute, \
                            find out who made it, then retry."
                .into();
        }
        _ => {}
    }
    failure
}
