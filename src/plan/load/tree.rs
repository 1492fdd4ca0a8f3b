//! The decision tree.

use super::Places;
use super::basics::{own, things};
use super::document::Document;
use super::fields::Fields;
use super::reader::Reader;
use super::value::{Read, Value};
use crate::base::ids::{LeafId, QuestionId, RunbookId};
use crate::base::toml::Diagnostic;
use crate::base::toml::near::nearest;
use crate::plan::types::{Answer, Goto, Leaf, Question, Tree};
use indexmap::IndexMap;

/// Most questions and leaves.
const MAX_NODES: usize = 2_000;

pub(super) fn tree(document: &Document, reader: &Reader<'_>, places: &mut Places) -> Tree {
    let mut tree = Tree { root: QuestionId::from(""), questions: IndexMap::new(), leaves: IndexMap::new() };
    let has_tree = document.single("tree").is_some() || document.named("tree").next().is_some();
    if !has_tree {
        super::missing_section(
            reader,
            "there is no decision tree",
            "write `[tree]` with `root = \"…\"`, and a `[tree.<name>]` table for each question",
        );
        return tree;
    }
    if document.single("tree").is_some() {
        let fields = own(document, reader, "tree");
        places.insert("tree".into(), fields.place_of("root"));
        tree.root = QuestionId::from(&*fields.text("root"));
    } else if let Some((name, first)) = document.named("tree").next() {
        let help = format!("write `[tree]` and `root = \"{}\"`", crate::base::text::clean(name, 60));
        reader
            .report
            .add(Diagnostic::error("missing-key", first.key_place, "the tree lacks its `root`").help(help));
    }
    if let Some((_, entry)) = document.named("tree").chain(document.named("leaves")).nth(MAX_NODES) {
        let message = format!("the tree has more than {MAX_NODES} questions and leaves");
        reader.report.add(Diagnostic::error("too-large", entry.key_place, message));
        return tree;
    }
    things(document, reader, "tree", |id, fields| {
        let question = question(id, fields, reader, places);
        tree.questions.insert(QuestionId::from(id), question);
    });
    things(document, reader, "leaves", |id, fields| {
        let leaf = Leaf { title: fields.text("title"), advice: fields.text("advice") };
        tree.leaves.insert(LeafId::from(id), leaf);
    });
    tree
}

fn question(id: &str, fields: &Fields, reader: &Reader<'_>, places: &mut Places) -> Question {
    let mut answers = IndexMap::new();
    for (answer, target) in fields.table("answers") {
        places.insert(format!("tree.{id}.answers.{answer}"), target.place);
        let suggest =
            fields.table("suggest").find(|(name, _)| *name == answer).and_then(|(_, read)| condition(read));
        let goto = goto(target.text().unwrap_or_default(), reader);
        answers.insert(answer.clone(), Answer { goto, suggest });
    }
    for (name, suggested) in fields.table("suggest") {
        if !answers.contains_key(name) {
            reader.report.add(stray_suggestion(name, suggested, &answers));
        }
    }
    Question {
        ask: fields.text("ask"),
        help: fields.text("help"),
        evidence: fields.names("evidence"),
        answers,
    }
}

fn stray_suggestion(name: &str, suggested: &Read, answers: &IndexMap<String, Answer>) -> Diagnostic {
    let known: Vec<&str> = answers.keys().map(String::as_str).collect();
    let message = format!(
        "`suggest.{}` is for an answer that the question does not have",
        crate::base::text::clean(name, 60)
    );
    Diagnostic::error("unknown-name", suggested.place, message).help(
        match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `suggest.{near}`?"),
            None => format!("its answers are {}", known.join(", ")),
        },
    )
}

fn condition(read: &Read) -> Option<crate::plan::condition::Condition> {
    if let Value::Condition(condition) = &read.value { Some(condition.clone()) } else { None }
}

fn goto(name: &str, reader: &Reader<'_>) -> Goto {
    match name {
        name if reader.ids.has("tree", name) => Goto::Question(QuestionId::from(name)),
        name if reader.ids.has("runbooks", name) => Goto::Runbook(RunbookId::from(name)),
        name => Goto::Leaf(LeafId::from(name)),
    }
}
