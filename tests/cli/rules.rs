//! `llm-prof rules ..`.

use super::run;

#[test]
fn all_tests_of_the_rules_pass_and_the_totals_stand_last() {
    let done = run(&["rules", "test"]);
    let last = done.out.lines().last().unwrap_or_default();
    assert!(last.ends_with(" passed, 0 failed"), "{}{}", done.out, done.err);
    assert_eq!(done.code, 0);
}

#[test]
fn a_family_can_be_tested_alone() {
    let done = run(&["rules", "test", "--family", "sglang/qk-norm*"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("sglang/qk-norm-rope: ") && !done.out.contains("term "), "{}", done.out);
    assert_eq!(run(&["rules", "test", "--family", "no/such"]).code, 2);
}

#[test]
fn the_list_has_a_line_a_family_and_globs_narrow_it() {
    let all = run(&["rules", "list"]);
    let some = run(&["rules", "list", "--include", "sglang/*", "--exclude", "*qk*"]);
    assert!(all.out.lines().count() > some.out.lines().count());
    assert!(some.out.lines().all(|line| line.starts_with("sglang/") && !line.contains("/qk")), "{}", some.out);
}
