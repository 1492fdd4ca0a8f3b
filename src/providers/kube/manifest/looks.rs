//! All objects of a step at once: where the cluster has each of them, and what would become of it.

use super::item::{Among, Item};
use super::order;
use crate::base::problem::Problem;
use crate::kinds::action::Unread;
use crate::providers::kube::client::{Cluster, Kind, KubeErrorKind, is_name};
use crate::providers::kube::objects::{Named, digest, secret};
use crate::providers::kube::owner::{Field, Owner, Owners};
use crate::secrets::Redactor;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::iter;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Objects that are asked about at the same time.
const SIDE_BY_SIDE: usize = 8;
/// Objects whose owners are asked for.
const MAX_OWNED: usize = 30;

/// How objects are to be applied.
pub struct Rules<'a> {
    /// The namespace of those that name none.
    pub namespace: &'a str,
    /// Whether the step itself names it: then no object is of another one.
    pub is_named: bool,
    pub is_forced: bool,
    pub at_most: usize,
}

/// The objects, in the order in which they are applied, with what tells their texts apart from others.
///
/// # Errors
/// When they are too many, name no kind of this cluster, or cannot be read.
pub async fn items(
    cluster: &Cluster,
    redactor: &Redactor,
    mut objects: Vec<Value>,
    rules: &Rules<'_>,
) -> Result<(Vec<Item>, String), Unread> {
    if objects.len() > rules.at_most {
        let why = format!("these are {} objects, and `at_most` allows {}", objects.len(), rules.at_most);
        return Err(Unread::Absent(Problem::new(why, "Look whether all are meant, or raise `at_most`.")));
    }
    for object in &objects {
        let (kind, name) = (object["kind"].as_str(), object["metadata"]["name"].as_str());
        let Some(kind) = kind.filter(|kind| secret::is_secret(kind)) else { continue };
        secret::learn(redactor, object);
        let fault = secret::fault(kind, name.unwrap_or_default(), object);
        fault.map_or(Ok(()), |fault| Err(Unread::Absent(fault)))?;
    }
    order::sort(&mut objects);
    let among = among(&objects);
    let mut found: Vec<(Named, Value)> = Vec::new();
    for object in objects {
        let placed = placed(cluster, object, rules, &among).await?;
        if found.iter().any(|(named, _)| *named == placed.0) {
            let why = format!("{} is in the files twice", placed.0.words());
            return Err(Unread::Absent(Problem::new(why, "Take one of them out.")));
        }
        found.push(placed);
    }
    let texts: String = found.iter().map(|(_, wanted)| wanted.to_string()).collect();
    let judged = iter(found).map(|one| Item::judged((cluster, redactor), one, rules.is_forced, &among));
    let judged: Vec<_> = judged.buffered(SIDE_BY_SIDE).collect().await;
    Ok((judged.into_iter().collect::<Result<_, _>>()?, digest(&texts)))
}

/// What these objects bring about for each other.
fn among(objects: &[Value]) -> Among {
    let mut among = Among::default();
    for object in objects {
        match object["kind"].as_str() {
            Some("Namespace") => {
                among.namespaces.extend(object["metadata"]["name"].as_str().map(str::to_owned))
            }
            Some("CustomResourceDefinition") => among.kinds.extend(defined(object)),
            _ => {}
        }
    }
    among
}

/// The kinds that a definition defines, one for each version.
fn defined(object: &Value) -> Vec<Kind> {
    let spec = &object["spec"];
    let (group, kind, plural) = (&spec["group"], &spec["names"]["kind"], &spec["names"]["plural"]);
    let (Some(group), Some(kind), Some(plural)) = (group.as_str(), kind.as_str(), plural.as_str()) else {
        return Vec::new();
    };
    let versions = spec["versions"].as_array().into_iter().flatten();
    let versions = versions.filter_map(|one| one["name"].as_str());
    let fits = |version: &&str| is_name(group) && is_name(plural) && is_name(version);
    let of = |version: &str| Kind {
        api_version: format!("{group}/{version}"),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        is_namespaced: spec["scope"] == "Namespaced",
    };
    versions.filter(fits).map(of).collect()
}

/// Where the cluster has an object, and the object as it is sent there.
async fn placed(
    cluster: &Cluster,
    mut object: Value,
    rules: &Rules<'_>,
    among: &Among,
) -> Result<(Named, Value), Unread> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let defined = among.kinds.iter().find(|known| known.api_version == version && known.kind == kind);
    let until = Instant::now() + cluster.deadline();
    let kind = match (cluster.kind_of(&version, &kind, until).await, defined) {
        (Err(error), Some(defined)) if error.kind == KubeErrorKind::NoSuchKind => defined.clone(),
        (found, _) => found?,
    };
    let own = object["metadata"]["namespace"].as_str().map(str::to_owned);
    let named =
        Named::new(kind, own.as_deref().unwrap_or(rules.namespace), &text(&object["metadata"]["name"]));
    if rules.is_named && named.namespace.as_deref().is_some_and(|namespace| namespace != rules.namespace) {
        let why = format!("{}: the step says the namespace {}", named.words(), rules.namespace);
        let next = "Mend the file, or leave `with.namespace` out: then each object says its own.";
        return Err(Unread::Absent(Problem::new(why, next)));
    }
    if let Some(meta) = object["metadata"].as_object_mut() {
        match &named.namespace {
            Some(namespace) => meta.insert("namespace".to_owned(), json!(namespace)),
            None => meta.remove("namespace"),
        };
    }
    Ok((named, object))
}

/// Who decides over those of them that are changed.
pub async fn owners(cluster: &Cluster, items: &[Item]) -> Vec<(String, Owner)> {
    let due = items.iter().filter(|item| item.is_due());
    let due: Vec<(&Item, &Value)> =
        due.filter_map(|item| Some((item, item.live.as_ref()?))).take(MAX_OWNED).collect();
    let Some((first, _)) = due.first() else { return Vec::new() };
    // One for all, so that applications are listed once: only who decides over the number of pods is of one namespace.
    let namespace = first.named.namespace.as_deref().unwrap_or("default");
    let owners = Owners::of(cluster, namespace, Field::Other).await;
    let of_each = due.iter().map(async |(item, live)| {
        let found = owners.find(&item.named.kind.kind, live).await;
        found.into_iter().map(|owner| (item.named.name.clone(), owner)).collect::<Vec<_>>()
    });
    join_all(of_each).await.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_objects_bring_about_for_each_other_is_known() {
        let definition = json!({"kind": "CustomResourceDefinition", "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1"}, {"name": "../x"}]}});
        let among = among(&[json!({"kind": "Namespace", "metadata": {"name": "shop"}}), definition]);
        assert_eq!(among.namespaces, ["shop"]);
        let [widget] = among.kinds.try_into().unwrap();
        assert_eq!(widget.path(Some("shop"), Some("a")), "/apis/example.com/v1/namespaces/shop/widgets/a");
    }
}
