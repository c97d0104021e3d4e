//! `catalogs/COVERAGE.md` says which family holds each known path, and is up to date.

mod page;

#[test]
fn the_page_is_what_tables_and_families_give() {
    let (page, _) = page::page().expect("tables and families are readable");
    let stored = std::fs::read_to_string(page::path()).unwrap_or_default();
    assert!(stored == page, "catalogs/COVERAGE.md is stale: run `{}`", page::RENEW);
}

#[test]
fn every_title_that_a_family_or_a_non_goal_names_is_a_row() {
    let (_, strays) = page::page().expect("tables and families are readable");
    assert!(strays.is_empty(), "no table in tests/coverage/ has these rows:\n{}", strays.join("\n"));
}
