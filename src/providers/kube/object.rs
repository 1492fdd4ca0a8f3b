//! One change of one object: sent once, to the object that was confirmed.

use super::client::{Call, Cluster, KubeError, KubeErrorKind, Method, Resource, Sent};
use super::said::{number, text};
use serde_json::{Value, json};
use std::borrow::Cow;

/// How often a change is sent anew because the object's status was written in between.
const TRIES: usize = 5;

/// Whether a change is only tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The API server judges it and keeps nothing.
    Trial,
    Good,
}

/// Which object, in which state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    /// Where the API has it.
    path: String,
    /// For messages (`deployment web in shop`).
    pub words: String,
    pub namespace: String,
    pub uid: String,
    /// Counts the changes of what is asked for, not those of its status; 0 where the API does not count.
    pub generation: u64,
    version: Value,
}

impl Object {
    /// As it was read.
    pub fn of(resource: Resource, object: &Value) -> Self {
        let meta = &object["metadata"];
        let (namespace, name) = (text(&meta["namespace"]), text(&meta["name"]));
        let path = resource.path(Some(&namespace), Some(&name));
        let place = if resource.is_namespaced { format!(" in {namespace}") } else { String::new() };
        Self::at(path, format!("{} {name}{place}", resource.noun), object)
    }

    /// One that was read at that place.
    pub fn at(path: String, words: String, object: &Value) -> Self {
        let meta = &object["metadata"];
        Self {
            path,
            words,
            namespace: text(&meta["namespace"]),
            uid: text(&meta["uid"]),
            generation: number(&meta["generation"]),
            version: meta["resourceVersion"].clone(),
        }
    }

    /// Sends a patch for exactly this object in exactly this version; of a kind that takes a version in its body, a merge
    /// patch or a strategic one. A conflict says that nothing was done: where
    /// only the status was written in between, it is sent for the version of now.
    ///
    /// # Errors
    /// Also where somebody else changed it.
    pub async fn patch(
        &self,
        cluster: &Cluster,
        (get, patch): (impl Into<Cow<'static, str>>, impl Into<Cow<'static, str>>),
        (method, change): (Method, &Value),
        how: For,
    ) -> Result<(), KubeError> {
        let call = Call::new(patch, self.words.as_str());
        let get = Call::new(get, self.words.as_str());
        let mut version = self.version.clone();
        for _ in 0..TRIES {
            let mut body = change.clone();
            body["metadata"]["resourceVersion"] = version.clone();
            body["metadata"]["uid"] = json!(self.uid);
            let query = if how == For::Trial { vec![("dryRun", "All".to_owned())] } else { Vec::new() };
            let sent = Sent { method, path: self.path.clone(), query, body: Some(&body) };
            let error = match cluster.send(&call, sent, cluster.deadline()).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind == KubeErrorKind::Conflict => error,
                Err(error) => return Err(error),
            };
            let now = cluster.get(&get, self.path.clone(), cluster.deadline()).await?;
            let now = Self::at(self.path.clone(), self.words.clone(), &now);
            if (&now.uid, now.generation) != (&self.uid, self.generation) {
                return Err(error);
            }
            version = now.version;
        }
        let why = "its status is written all the time, so that no version lasts long enough";
        Err(KubeError::new(&cluster.context, &call, KubeErrorKind::Conflict, why))
    }
}
