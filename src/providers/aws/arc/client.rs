//! ARC's routing controls: switches that live in five regions and need neither Route 53's control plane nor one
//! region in particular. Its rules for callers: list the endpoints yourself, try them one after the other, begin
//! with another one each time
//! (<https://docs.aws.amazon.com/r53recovery/latest/dg/route53-arc-best-practices.regional.html>).

use crate::base::text::clean;
use crate::providers::aws::client::{Aws, AwsError, AwsErrorKind, Call, Connection, Place};
use aws_sdk_route53recoverycluster::Client;
use aws_sdk_route53recoverycluster::types::{RoutingControlState, UpdateRoutingControlStateEntry};
use futures::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Reads a state.
const GET: &str = "route53-recovery-cluster:GetRoutingControlState";
/// Sets states.
const SET: &str = "route53-recovery-cluster:UpdateRoutingControlStates";

/// The endpoints of a cluster.
#[derive(Clone)]
pub struct Cluster {
    endpoints: Vec<Endpoint>,
}

#[derive(Clone)]
struct Endpoint {
    place: Place,
    url: String,
}

/// A routing control and its state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Control {
    /// Its ARN.
    pub arn: String,
    /// Its name, where the answer has it.
    pub name: String,
    /// `On` or `Off`.
    pub state: String,
}

/// What an endpoint answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// The region of the endpoint.
    pub by: String,
    /// The regions of those that did not answer before it.
    pub silent: Vec<String>,
}

/// A change that did not go through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What the last endpoint said, or what all of them said.
    pub error: AwsError,
    /// Whether one of them may have done it all the same.
    pub may_have_acted: bool,
}

/// Whose turn it is.
#[derive(Default)]
struct Turn(AtomicUsize);

impl Cluster {
    /// The cluster with these endpoints, by AWS region; or the name that is none of a region.
    ///
    /// # Errors
    /// The name.
    pub fn new<'a>(aws: &Aws, endpoints: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let one = |(region, url): (&str, &str)| match aws.place(region) {
            Ok(place) => Ok(Endpoint { place, url: url.to_owned() }),
            Err(_) => Err(region.to_owned()),
        };
        Ok(Self { endpoints: endpoints.map(one).collect::<Result<_, _>>()? })
    }

    /// How many endpoints there are.
    pub fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }

    /// The region and address of the first endpoint, for commands.
    pub fn first(&self) -> Option<(&str, &str)> {
        self.endpoints.first().map(|endpoint| (&*endpoint.place.region, &*endpoint.url))
    }

    /// A control's state from the first endpoint that answers within `each`.
    ///
    /// # Errors
    /// What an endpoint refused, or why none answered.
    pub async fn state(&self, arn: &str, each: Duration) -> Result<Answered<Control>, AwsError> {
        let mut silent = Vec::new();
        let mut said = Vec::new();
        for endpoint in self.in_turn().await {
            match endpoint.state(arn, each).await {
                Ok(value) => return Ok(Answered { value, by: endpoint.place.region.clone(), silent }),
                Err(error) if !tries_another(&error) => return Err(error),
                Err(error) => {
                    silent.push(endpoint.place.region.clone());
                    said.push(error);
                }
            }
        }
        Err(none_answered(&Call::new(GET, arn), &said))
    }

    /// The controls' states from every endpoint, by its region.
    pub async fn everywhere(
        &self,
        arns: &[&str],
        each: Duration,
    ) -> Vec<(String, Result<Vec<Control>, AwsError>)> {
        join_all(self.endpoints.iter().map(async |endpoint| {
            let states = join_all(arns.iter().map(|arn| endpoint.state(arn, each))).await;
            (endpoint.place.region.clone(), states.into_iter().collect())
        }))
        .await
    }

    /// Sets states in one call, on the first endpoint that takes it; gives its region.
    ///
    /// Trying the next endpoint after a lost answer is safe: setting a state twice is setting it once, and all
    /// endpoints hold the same states. That is also why AWS tells callers to do so.
    ///
    /// # Errors
    /// What an endpoint refused, or why none answered.
    pub async fn set(
        &self,
        wanted: &[(String, String)],
        overrides: &[String],
        each: Duration,
    ) -> Result<Answered<()>, Refused> {
        let mut said: Vec<AwsError> = Vec::new();
        let mut silent = Vec::new();
        for endpoint in self.in_turn().await {
            match endpoint.set(wanted, overrides, each).await {
                Ok(()) => return Ok(Answered { value: (), by: endpoint.place.region.clone(), silent }),
                Err(error) if !tries_another(&error) => {
                    let may_have_acted = said.iter().any(AwsError::may_have_acted);
                    return Err(Refused { error, may_have_acted });
                }
                Err(error) => {
                    silent.push(endpoint.place.region.clone());
                    said.push(error);
                }
            }
        }
        let may_have_acted = said.iter().any(AwsError::may_have_acted);
        Err(Refused { error: none_answered(&Call::new(SET, arns(wanted)), &said), may_have_acted })
    }

    /// The endpoints, another one first each time.
    async fn in_turn(&self) -> impl Iterator<Item = &Endpoint> {
        let first = match self.endpoints.first() {
            Some(endpoint) => endpoint.place.writer().await.kept::<Turn>().0.fetch_add(1, Ordering::Relaxed),
            None => 0,
        };
        let count = self.endpoints.len();
        self.endpoints.iter().cycle().skip(first % count.max(1)).take(count)
    }
}

impl Endpoint {
    /// Sends once: the next endpoint is the second try.
    async fn client(&self) -> (Arc<Connection>, Client) {
        let connection = self.place.writer().await;
        let config = aws_sdk_route53recoverycluster::config::Builder::from(connection.config());
        let client = Client::from_conf(config.endpoint_url(&self.url).build());
        (connection, client)
    }

    async fn state(&self, arn: &str, each: Duration) -> Result<Control, AwsError> {
        let (connection, client) = self.client().await;
        let send = client.get_routing_control_state().routing_control_arn(arn).send();
        let found = connection.call_within(&Call::new(GET, arn), each, send).await?;
        Ok(Control {
            arn: arn.to_owned(),
            name: clean(found.routing_control_name().unwrap_or_default(), 100),
            state: clean(found.routing_control_state().as_str(), 20),
        })
    }

    async fn set(
        &self,
        wanted: &[(String, String)],
        overrides: &[String],
        each: Duration,
    ) -> Result<(), AwsError> {
        let (connection, client) = self.client().await;
        let call = Call::new(SET, arns(wanted));
        let entry = |(arn, state): &(String, String)| {
            let state = RoutingControlState::from(&**state);
            UpdateRoutingControlStateEntry::builder()
                .routing_control_arn(arn)
                .routing_control_state(state)
                .build()
        };
        let entries: Result<Vec<_>, _> = wanted.iter().map(entry).collect();
        let entries =
            entries.map_err(|error| AwsError::new(&call, AwsErrorKind::Refused, error.to_string()))?;
        let overrides = Some(overrides.to_vec()).filter(|overrides| !overrides.is_empty());
        let send = client
            .update_routing_control_states()
            .set_update_routing_control_state_entries(Some(entries))
            .set_safety_rules_to_override(overrides)
            .send();
        connection.call_within(&call, each, send).await.map(drop)
    }
}

fn arns(wanted: &[(String, String)]) -> String {
    wanted.iter().map(|(arn, _)| &**arn).collect::<Vec<_>>().join(", ")
}

/// Whether another endpoint could say something else. Sign-in is each region's own.
fn tries_another(error: &AwsError) -> bool {
    use AwsErrorKind::*;
    matches!(
        error.kind,
        Timeout | Unreachable | Broken | NotAws | Internal | Throttled | NoCredentials | Expired
    )
}

fn none_answered(call: &Call, said: &[AwsError]) -> AwsError {
    let kind = said.last().map_or(AwsErrorKind::Refused, |error| error.kind);
    let each: Vec<String> = said.iter().map(|error| format!("{}: {}", error.region, error.message)).collect();
    let message = format!("none of {} endpoints answered ({})", said.len(), each.join("; "));
    AwsError::new(call, kind, message)
}
