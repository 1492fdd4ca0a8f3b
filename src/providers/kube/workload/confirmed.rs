//! The workloads that a person confirmed, as they are now.

use super::Named;
use super::change::read;
use super::chosen::Found;
use crate::core::words::action::{Failure, Target};
use crate::kinds::action::Unread;
use crate::providers::kube::client::Call;
use crate::providers::kube::place::Place;

/// Those of one target; there is at least one.
pub struct Confirmed {
    pub namespace: String,
    /// Each with what was confirmed of it, as the target's identity keeps it.
    pub all: Vec<(Found, String)>,
}

/// Reads each of them by its name.
///
/// # Errors
/// When one cannot be read or is another one now, or when none was confirmed.
pub async fn confirmed(place: &Place, expected: &Target, what: &str) -> Result<Confirmed, Failure> {
    let not_yet = |why: String, next: &str| Failure::not_done(what, why, next);
    let unread = |error| Unread::from(error).not_done(what);
    let call = Call::new("get workloads", place.words());
    let namespace = place.namespace(&call).await.map_err(unread)?;
    let mut all = Vec::new();
    for (name, before) in expected.identity.iter().filter(|(name, _)| name.contains('/')) {
        let named = Named::of("names", name).map_err(|error| not_yet(error.to_string(), "Look by hand."))?;
        let now = read(&place.cluster, &namespace, &named).await.map_err(unread)?;
        if !before.starts_with(&format!("uid {},", now.uid)) {
            let why = format!("{name} is not the one that was confirmed");
            return Err(not_yet(why, "Find out who made it anew."));
        }
        all.push((now, before.clone()));
    }
    match all.is_empty() {
        true => {
            let next = "Look at the target, then confirm the step.";
            Err(not_yet("nothing was confirmed to be changed".into(), next))
        }
        false => Ok(Confirmed { namespace, all }),
    }
}
