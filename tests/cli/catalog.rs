//! `llm-prof catalog ..`.

use super::run;

#[test]
fn info_names_version_age_and_counts() {
    let done = run(&["catalog", "info"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.starts_with("Catalog 20"), "{}", done.out);
    assert!(done.out.contains("Families last compared with their sources on 20"), "{}", done.out);
    let rows: Vec<&str> = done.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for framework in ["framework", "any", "sglang", "tokenspeed", "trtllm", "vllm", "all"] {
        assert!(rows.contains(&framework), "{framework}: {}", done.out);
    }
}

#[test]
fn info_counts_what_globs_leave() {
    let done = run(&["catalog", "info", "--include", "vllm/*"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("\nvllm ") && !done.out.contains("\nsglang "), "{}", done.out);
}
