//! The embedded rules load, and layers of catalogs.

use super::*;

#[test]
fn the_rules_in_the_binary_load() {
    let rules = load(&Sources::embedded()).unwrap_or_else(|e| panic!("{}", diagnostic::render(&e, false)));
    assert!(rules.terms.len() > 20 && rules.categories.len() > 5 && rules.transparent.len() > 2);
    assert_eq!(rules.digest.len(), 16);
    assert!(is_version(&rules.version));
}
