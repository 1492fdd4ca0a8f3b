//! What every region's STS answers alike: who calls, and a role's session. Route 53 and CloudFront are reached by way of
//! us-east-1 and go on when its other services are gone, so a change there must not need the STS of that region.

use super::connection::endpoint;
use super::{AwsError, AwsErrorKind};
use crate::plan::AwsSettings;
use aws_config::{Region, SdkConfig};
use aws_sdk_sts::Client;
use futures::TryFutureExt;
use futures::future::{BoxFuture, Either, select, select_ok};
use std::time::Duration;
use tokio::time::timeout;

/// How long the own region may take before others are asked too.
const PATIENCE: Duration = Duration::from_secs(2);

/// STS at the plan's other regions, with their names.
pub(super) fn others(settings: &AwsSettings, config: &SdkConfig, region: &str) -> Vec<(String, Client)> {
    let others = settings.regions.values().filter(|other| *other != region);
    let at = |other: &String| {
        let mut builder = config.to_builder().region(Region::new(other.clone()));
        builder.set_endpoint_url(endpoint(settings, other).cloned());
        (other.clone(), Client::new(&builder.build()))
    };
    others.map(at).collect()
}

/// The answer of the own region, or that of another one while the own one gives none. What the own one answers counts,
/// also where it is a refusal.
pub(super) async fn first<'a, T: 'a>(
    mut own: BoxFuture<'a, Result<T, AwsError>>,
    others: Vec<BoxFuture<'a, Result<T, AwsError>>>,
) -> Result<T, AwsError> {
    if others.is_empty() {
        return own.await;
    }
    let others = || select_ok(others).map_ok(|(answer, _)| answer);
    match timeout(PATIENCE, &mut own).await {
        Ok(Err(error)) if is_silence(&error) => others().await.map_err(|_| error),
        Ok(answer) => answer,
        Err(_) => match select(own, others()).await {
            Either::Left((Err(error), others)) if is_silence(&error) => others.await.map_err(|_| error),
            Either::Left((answer, _)) | Either::Right((answer @ Ok(_), _)) => answer,
            Either::Right((Err(_), own)) => own.await,
        },
    }
}

/// Whether a region did not say anything of its own.
fn is_silence(error: &AwsError) -> bool {
    use AwsErrorKind::{Broken, Internal, NotAws, Timeout, Unreachable};
    matches!(error.kind, Timeout | Unreachable | Broken | NotAws | Internal)
}
