//! From a text to the objects that it describes, as they are sent.

use super::files::File;
use crate::base::problem::Problem;
use crate::providers::kube::objects::{asked, is_path_name, yaml};
use serde_json::Value;

/// The largest object: etcd takes 1.5 MB, with what the API server adds.
const MAX_OBJECT_BYTES: usize = 1_400_000;

/// The objects of a file, without what only the API server writes.
///
/// # Errors
/// When it is no YAML, or one of them is no object that can be applied.
pub fn objects(file: &File) -> Result<Vec<Value>, Problem> {
    let fault = |why: String| {
        Problem::new(format!("{}: {why}", file.name), "Mend the file, then confirm the step anew.")
    };
    let mut objects = Vec::new();
    for document in yaml::documents(&file.text).map_err(fault)? {
        add(document, &mut objects).map_err(fault)?;
    }
    if objects.is_empty() {
        return Err(fault("it holds no object".into()));
    }
    Ok(objects)
}

/// An object, or those of a list.
fn add(document: Value, objects: &mut Vec<Value>) -> Result<(), String> {
    let is_list = document["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if let Some(items) = document["items"].as_array().filter(|_| is_list) {
        return items.iter().try_for_each(|item| add(item.clone(), objects));
    }
    objects.push(whole(&document)?);
    Ok(())
}

fn whole(document: &Value) -> Result<Value, String> {
    if !document.is_object() {
        return Err("a document in it is no object".into());
    }
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let (version, kind) = (text(&document["apiVersion"]), text(&document["kind"]));
    let (Some(_), Some(kind)) = (version, kind) else {
        return Err("an object in it has no `apiVersion` or no `kind`".into());
    };
    let kind = crate::base::text::clean(&kind, 60);
    let Some(name) = text(&document["metadata"]["name"]) else {
        let is_kustomize = kind == "Kustomization" || kind == "Component";
        let more = if is_kustomize { "; what is for kustomize is rendered by it (`render`)" } else { "" };
        return Err(format!("a {kind} in it has no `metadata.name`{more}"));
    };
    let shown = crate::base::text::clean(&name, 80);
    let namespace = &document["metadata"]["namespace"];
    if !is_path_name(&name) || !(namespace.is_null() || namespace.as_str().is_some_and(is_path_name)) {
        return Err(format!("no {kind} can have the name or the namespace of `{shown}`"));
    }
    let bytes = document.to_string().len();
    if bytes > MAX_OBJECT_BYTES {
        return Err(format!(
            "{kind} {shown} has {:.1} MB, and a cluster takes {:.1} MB",
            bytes as f64 / 1e6,
            MAX_OBJECT_BYTES as f64 / 1e6
        ));
    }
    Ok(asked(document))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Vec<Value>, String> {
        let file = File { name: "a.yaml".into(), text: text.into() };
        objects(&file).map_err(|problem| problem.why)
    }

    fn names(text: &str) -> Vec<String> {
        let of = |object: Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        read(text).unwrap().into_iter().map(of).collect()
    }

    #[test]
    fn documents_and_lists_are_objects() {
        let one = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        assert_eq!(names(&format!("{}---\n{}---\n", one("a"), one("b"))), ["a", "b"]);
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}},
            {"apiVersion": "v1", "kind": "ConfigMapList", "items": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}}]}]});
        assert_eq!(names(&list.to_string()), ["c", "d"]);
    }

    #[test]
    fn what_was_saved_from_a_cluster_is_what_was_asked_for_there() {
        let saved = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  uid: u1\n  resourceVersion: '7'\n  \
                     generation: 2\n  managedFields: []\n  creationTimestamp: null\nspec: {replicas: 2}\nstatus: {replicas: 1}\n";
        let wish = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2}});
        assert_eq!(read(saved).unwrap(), [wish]);
    }

    #[test]
    fn what_cannot_be_applied_says_why() {
        let says = |text: &str, why: &str| {
            let said = read(text).unwrap_err();
            assert!(said.starts_with("a.yaml: ") && said.contains(why), "{said}");
        };
        says("", "it holds no object");
        says("just text", "no object");
        says("kind: ConfigMap\nmetadata: {name: a}", "no `apiVersion`");
        says("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}", "has no `metadata.name`");
        says("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "`render`");
        says("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../x}", "no ConfigMap can have the name");
        says("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b/c}", "or the namespace");
        says("a: [", "line ");
        let large = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {}}}",
            "x".repeat(2_000_000)
        );
        says(&large, "ConfigMap a has 2.0 MB, and a cluster takes 1.4 MB");
        says("apiVersion: v1\nkind: \"C\\e[2J\"\nmetadata: {}", "C\u{fffd}[2J");
    }
}
