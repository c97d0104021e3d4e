//! The `console` blocks of the documents are run; what they show is what comes out.

#[test]
fn the_readme_shows_what_comes_out() {
    trycmd::TestCases::new().env("NO_COLOR", "1").case("README.md");
}
