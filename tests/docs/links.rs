//! Every link within the repository leads somewhere, and the map of the book names every page.

use crate::page::{Page, all, root};
use std::path::Path;

fn broken(page: &Page) -> Vec<String> {
    let folder = page.path.parent().unwrap_or(Path::new(""));
    let inside = page.links().into_iter().filter(|target| !target.contains("://"));
    inside.filter(|target| !leads_somewhere(folder, page, target)).map(str::to_owned).collect()
}

fn leads_somewhere(folder: &Path, page: &Page, target: &str) -> bool {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { page.path.clone() } else { folder.join(file) };
    if !root().join(&path).exists() {
        return false;
    }
    anchor.is_none_or(|anchor| Page::read(&path).anchors().iter().any(|known| known == anchor))
}

#[test]
fn every_relative_link_resolves() {
    let all: Vec<String> = all()
        .iter()
        .flat_map(|page| broken(page).into_iter().map(|target| format!("{}: {target}", page.path.display())))
        .collect();
    assert!(all.is_empty(), "links that lead nowhere: {all:#?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text = "[a](nowhere.md) [b](index.md#no-such-heading) [c](https://example.org) [d](index.md)";
    let page = Page::parse(Path::new("docs/x.md"), text);
    assert_eq!(broken(&page), ["nowhere.md", "index.md#no-such-heading"]);
}

#[test]
fn the_map_of_the_book_names_every_page() {
    let index = Page::read(Path::new("docs/index.md"));
    let named = index.links();
    let missing: Vec<_> = all()
        .into_iter()
        .filter_map(|page| page.path.strip_prefix("docs").ok().map(|name| name.display().to_string()))
        .filter(|name| name != "index.md" && !named.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/index.md does not lead to {missing:?}");
}
