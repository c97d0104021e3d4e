//! `--format html` without a browser; `tests/html` has one.

use super::{DECODE, PREFILL, run};

#[test]
fn an_output_that_ends_in_html_is_a_page_and_the_same_page_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = ["1", "8"].map(|threads| {
        let path = folder.path().join(format!("{threads}.html"));
        let done = run(&["triage", "-q", PREFILL, "--threads", threads, "-o", path.to_str().expect("UTF-8")]);
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
        std::fs::read_to_string(path).expect("a page")
    });
    assert!(pages[0].starts_with("<!DOCTYPE html><html lang=\"en\">"));
    assert_eq!(pages[0], pages[1]);
    assert_eq!(run(&["triage", "-q", PREFILL, "--format", "html"]).out, pages[0]);
}

#[test]
fn a_page_has_all_rows_of_json_and_nothing_to_fetch() {
    let page = run(&["triage", "-q", DECODE, "--format", "html"]).out;
    let json = run(&["triage", "-q", DECODE, "--format", "json"]).report();
    for row in ["kernels", "fuse", "overlap"].iter().flat_map(|table| json[table].as_array().expect("rows")) {
        assert!(page.contains(&format!("<tbody id=\"{}\"", row["id"].as_str().expect("an id"))), "{}", row["id"]);
    }
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
    for fetched in [" src=", "<link", "@import", "url(", " style=", " onclick=", "href=\"http"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
}
