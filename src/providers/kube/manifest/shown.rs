//! What the confirmation shows of the objects.

use super::item::{Item, Outcome};
use crate::providers::kube::client::Cluster;
use crate::providers::kube::place::Place;

/// Fields that are shown of all objects together.
const MAX_FIELDS: usize = 80;

/// Each object, and each of its fields that changes, as far as they can be read on one screen.
pub fn sets(items: &[Item]) -> Vec<(String, String)> {
    let mut sets = Vec::new();
    let mut more = 0;
    for item in items {
        let words = item.named.words();
        sets.push((words.clone(), item.words()));
        let Ok(Outcome::Changed(fields)) = &item.outcome else { continue };
        for field in fields {
            match sets.len() < MAX_FIELDS + items.len() {
                true => sets.push((format!("{words} {}", field.path), field.words.clone())),
                false => more += 1,
            }
        }
    }
    sets.extend((more > 0).then(|| ("more fields".to_owned(), format!("{more}, not shown"))));
    sets
}

/// Where all that it does is to make objects that hold nothing of others, to delete them takes it back.
pub fn undo(cluster: &Cluster, items: &[Item]) -> Vec<String> {
    let due: Vec<&Item> = items.iter().filter(|item| item.is_due()).collect();
    let holds = ["Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"];
    let is_plain =
        |item: &&&Item| item.outcome == Ok(Outcome::Made) && !holds.contains(&&*item.named.kind.kind);
    if due.iter().filter(is_plain).count() != due.len() {
        return Vec::new();
    }
    let command = |item: &&Item| {
        let place = Place { cluster: cluster.clone(), namespace: item.named.namespace.clone() };
        place.command(&["delete", &item.named.argument()])
    };
    due.iter().rev().map(command).collect()
}
