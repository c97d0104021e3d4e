//! The renderer, near misses, and the one table of codes.

use super::*;

fn file(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: path.into(), text: text.to_owned().into() })
}

#[test]
fn a_mistake_is_shown_in_its_line_with_a_caret() {
    let file = file("catalogs/fuse/sglang/qk-norm-rope.yaml", "version: 1\nsplit: qk_norm+ ~> rope\n");
    let d = Diagnostic::new(Code::UnknownTerm, "no term `qk_norm`").at(&file, 18..25, "not in rules/terms.yaml").near(
        "qk_norm",
        ["rope", "qk_norms"],
        "",
    );
    assert_eq!(d.place().as_deref(), Some("catalogs/fuse/sglang/qk-norm-rope.yaml:2:8"));
    insta::assert_snapshot!(d.render(false), @r"
    error[E012]: no term `qk_norm`
     --> catalogs/fuse/sglang/qk-norm-rope.yaml:2:8
      |
    2 | split: qk_norm+ ~> rope
      |        ^^^^^^^ not in rules/terms.yaml
      |
      = help: did you mean `qk_norms`?
    ");
}

#[test]
fn places_beyond_the_text_and_inside_letters_do_not_panic() {
    let file = file("a.yaml", "é\n");
    for span in [0..0, 0..1, 1..2, 3..3, 9..12, 2..3] {
        assert!(Diagnostic::new(Code::Syntax, "x").at(&file, span, "here").render(false).contains("a.yaml"));
    }
    assert_eq!(Diagnostic::new(Code::Syntax, "x").render(false), "error[E009]: x");
}

#[test]
fn two_files_are_shown_one_after_the_other() {
    let (a, b) = (file("b.yaml", "id: x/y\n"), file("a.yaml", "\n\nid: x/y\n"));
    let d = Diagnostic::new(Code::DuplicateId, "`x/y` is the id of two families").at(&a, 4..7, "here").at(
        &b,
        6..9,
        "and here",
    );
    insta::assert_snapshot!(d.render(false), @r"
    error[E010]: `x/y` is the id of two families
     --> b.yaml:1:5
      |
    1 | id: x/y
      |     ^^^ here
      |
     ::: a.yaml:3:5
      |
    3 | id: x/y
      |     --- and here
    ");
}

#[test]
fn order_is_by_file_and_place() {
    let (a, b) = (file("a.yaml", "one\ntwo\n"), file("b.yaml", "one\n"));
    let mut all = vec![
        Diagnostic::new(Code::Syntax, "4").at(&b, 0..1, ""),
        Diagnostic::new(Code::Syntax, "3").at(&a, 4..5, ""),
        Diagnostic::new(Code::UnknownTerm, "2").at(&a, 0..1, ""),
        Diagnostic::new(Code::Syntax, "1"),
    ];
    sort(&mut all);
    let titles: Vec<&str> = all.iter().map(|d| d.title.as_str()).collect();
    assert_eq!(titles, ["1", "2", "3", "4"]);
}

#[test]
fn a_near_miss_is_few_edits_away() {
    let words = ["rms_norm", "head_rms_norm", "rope", "gemm"];
    for (word, want) in [
        ("rmsnorm", Some("rms_norm")),
        ("rms_nrom", Some("rms_norm")),
        ("gem", Some("gemm")),
        ("attention", None),
        ("x", None),
    ] {
        assert_eq!(near(word, words), want, "{word}");
    }
}

/// A code is a promise: people search for it. Numbers are never reused.
#[test]
fn the_table_of_codes() {
    let rows: Vec<String> = Code::ALL.iter().map(|c| format!("{} {}", c.id(), c.name())).collect();
    let mut sorted: Vec<&str> = Code::ALL.iter().map(|c| c.id()).collect();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), Code::ALL.len());
    insta::assert_snapshot!(rows.join("\n"));
    for code in Code::ALL {
        assert_eq!(Code::from_id(code.id()), Some(*code));
        assert!(code.explanation().ends_with('.'), "{}", code.id());
    }
}
