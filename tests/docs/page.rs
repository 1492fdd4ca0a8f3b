//! A page of the book, as far as the checks need it: its prose and its fenced blocks.

use std::path::{Path, PathBuf};

/// A fenced block.
pub struct Block {
    /// The word after the fence (`sh`, `toml`); empty where there is none.
    pub language: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// A page.
pub struct Page {
    /// Its file, from the root of the repository.
    pub path: PathBuf,
    /// Everything outside of fenced and indented blocks.
    pub prose: String,
    /// The fenced blocks, in their order.
    pub blocks: Vec<Block>,
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and every page of docs/.
pub fn all() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = PathBuf::from("docs").join(entry.unwrap().file_name());
        if name.extension().is_some_and(|extension| extension == "md") {
            paths.push(name);
        }
    }
    assert!(paths.len() > 10, "the book has only {paths:?}");
    paths.into_iter().map(|path| Page::read(&path)).collect()
}

impl Page {
    /// Reads a page; its path is from the root of the repository.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        Self::parse(path, &text)
    }

    /// The page with that text.
    pub fn parse(path: &Path, text: &str) -> Self {
        let mut page = Self { path: path.to_owned(), prose: String::new(), blocks: Vec::new() };
        let mut open: Option<Block> = None;
        for line in text.lines() {
            match (open.take(), line.trim_start().strip_prefix("```")) {
                (None, Some(language)) => {
                    open = Some(Block { language: language.trim().to_owned(), lines: Vec::new() });
                }
                (Some(block), Some(_)) => page.blocks.push(block),
                (Some(mut block), None) => {
                    block.lines.push(line.to_owned());
                    open = Some(block);
                }
                (None, None) if line.starts_with("    ") => {}
                (None, None) => page.prose += &format!("{line}\n"),
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", path.display());
        page
    }

    /// The text of each inline code span.
    pub fn code_spans(&self) -> Vec<&str> {
        self.prose.split('`').skip(1).step_by(2).collect()
    }

    /// The targets of its links.
    pub fn links(&self) -> Vec<&str> {
        let after = self.prose.split("](").skip(1);
        after.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }
}

#[test]
fn a_page_is_taken_apart() {
    let text = "# A, b\n\nSee [x](y.md#z) and `lifeboat open`.\n\n```sh\nlifeboat demo\n```\n\n    indented [n](o)\n";
    let page = Page::parse(Path::new("docs/a.md"), text);
    assert_eq!(page.links(), ["y.md#z"]);
    assert_eq!(page.code_spans(), ["lifeboat open"]);
    assert_eq!(page.anchors(), ["a-b"]);
    assert_eq!(page.blocks[0].language, "sh");
    assert_eq!(page.blocks[0].lines, ["lifeboat demo"]);
}
