//! Rule files without their tests. Most of a family's text is tests; reading YAML costs by the byte.

use std::sync::Arc;

use super::source::Entry;
use crate::diagnostic::SourceFile;

/// Keys whose value is tests, and what is read instead: a family must have the first.
const TESTS: [(&str, &str); 3] = [("tests:", "tests: []"), ("hit:", ""), ("miss:", "")];

/// The entry without its tests; lines keep their numbers.
pub(super) fn without_tests(entry: &Entry) -> Entry {
    let SourceFile { path, text } = &*entry.file;
    Entry { file: Arc::new(SourceFile { path: path.clone(), text: cut(text) }), ..entry.clone() }
}

/// Looks at indentation alone: right for files in block style, which those in the binary are.
fn cut(text: &str) -> String {
    let mut out = String::with_capacity(text.len() / 2);
    let mut inside: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        let depth = line.len() - content.len();
        let ends = |from: usize| {
            let goes_on = content.trim_end().is_empty() || depth > from;
            let closes = depth == from && content.starts_with(['-', ']', '}', '#']);
            !(goes_on || closes)
        };
        if inside.is_some_and(ends) {
            inside = None;
        }
        if inside.is_none()
            && let Some((_, instead)) = TESTS.iter().find(|(key, _)| content.starts_with(key))
        {
            inside = Some(depth);
            out.push_str(instead);
        }
        match inside {
            Some(_) => out.push('\n'),
            None => out.push_str(line),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn tests_go_and_lines_stay() {
        let text = "id: x\ntests:\n  - { name: a,\n    chain: [] }\n\n- b\nlast: 1\n";
        assert_eq!(cut(text), "id: x\ntests: []\n\n\n\n\nlast: 1\n");
        let text =
            "terms:\n  - term: a\n    hit: [ a,\n      b\n    ]\n    is: hit\n    miss:\n      - c\n  - term: b\n";
        assert_eq!(cut(text), "terms:\n  - term: a\n\n\n\n    is: hit\n\n\n  - term: b\n");
    }
}
