//! A file that is no whole family: what of it can be checked part by part is, so that one run shows all that is wrong.

use serde_yaml::Spanned;

use super::super::FamilyKind;
use super::super::shape::Node;
use super::super::source::Entry;
use super::super::yaml::Broken;
use super::{BrokenFamily, LoadedFamily, Reader, id_of};
use crate::diagnostic::Diagnostic;

/// What is left of the family of `entry`: its texts of the match language, and what else can be checked part by part.
pub(in crate::rules) fn broken(entry: &Entry, file: Broken) -> (Result<LoadedFamily, BrokenFamily>, Vec<Diagnostic>) {
    let mut reader = Reader { file: &entry.file, tested: true, found: file.found, chains: Vec::new() };
    let text = |key: &str| file.tree.as_ref().and_then(|tree| tree.value.text(key));
    for (key, counted) in [("fused", true), ("split", true), ("after", false), ("before", false)] {
        reader.chain(text(key).as_ref(), counted);
    }
    reader.overlap(text("overlap").as_ref());
    if let Some(tree) = &file.tree {
        reader.parts(&tree.value, if id_of(entry).0 == "overlap" { FamilyKind::Overlap } else { FamilyKind::Fuse });
    }
    (Err(BrokenFamily { id: id_of(entry).1.to_owned(), chains: reader.chains }), reader.found)
}

impl Reader<'_> {
    /// Conditions, versions, dates and outcomes of a file that is no whole family.
    fn parts(&mut self, tree: &Node, kind: FamilyKind) {
        let versions = |of: &Node| (of.text("since"), of.text("until"));
        let lists = ["toggles", "kernels", "called_for"].into_iter().flat_map(|key| tree.under(key));
        let entries = lists.flat_map(|list| list.value.items());
        for (since, until) in [versions(tree)].into_iter().chain(entries.map(|entry| versions(&entry.value))) {
            self.versions(since.as_ref(), until.as_ref());
        }
        for date in tree.under("checked").filter_map(|checked| checked.value.text("date")) {
            self.date(&date);
        }
        for when in tree.under("when") {
            for (key, least) in [("tensor_parallel", 1), ("tokens", 1), ("message_bytes", 0)] {
                self.range(when.value.text(key).as_ref(), least);
            }
            for limit in when.value.under("token_limits").flat_map(|limits| limits.value.items()) {
                self.range(limit.value.text("tokens").as_ref(), 1);
                let (since, until) = versions(&limit.value);
                self.versions(since.as_ref(), until.as_ref());
            }
            for limit in when.value.under("message_limits").flat_map(|limits| limits.value.items()) {
                let bytes = limit.value.text("bytes").filter(|bytes| bytes.value != "none");
                for (text, least) in [(limit.value.text("tensor_parallel"), 1), (bytes, 0)] {
                    self.range(text.as_ref(), least);
                }
            }
            for stage in when.value.under("stages").flat_map(|stages| stages.value.items()) {
                if let Node::Text(word) = &stage.value {
                    self.stage(&Spanned::new(word.clone(), stage.referenced, stage.defined));
                }
            }
        }
        for case in tree.under("tests").flat_map(|tests| tests.value.items()) {
            if let Some(expect) = case.value.text("expect") {
                self.outcome(&expect, kind);
            }
        }
    }
}
