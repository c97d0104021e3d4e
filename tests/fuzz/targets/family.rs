//! A family, or the rule file that the first line names (`#! rules/terms.yaml`): every mistake has a place, and what
//! loads compiles and runs its own tests.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use llm_prof::diagnostic;
use llm_prof::engine::family_test::test_families;
use llm_prof::engine::{Engine, run_term_cases};
use llm_prof::rules::{self, Sources};

const FAMILY: &str = "catalogs/fuse/any/fuzz.yaml";

/// The rules without families.
fn base() -> &'static [(String, String)] {
    static BASE: OnceLock<Vec<(String, String)>> = OnceLock::new();
    BASE.get_or_init(|| {
        let all = Sources::embedded();
        let rules = all.files().filter(|(path, _)| path.starts_with("rules/") || *path == "catalogs/VERSION");
        rules.map(|(path, file)| (path.to_owned(), file.text.clone())).collect()
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A test may name a file, which is somebody's own.
    if text.contains("trace:") {
        return;
    }
    let named = text.lines().next().and_then(|line| line.strip_prefix("#! "));
    let path = named.filter(|named| base().iter().any(|(path, _)| path == named)).unwrap_or(FAMILY);
    let others = base().iter().filter(|(other, _)| other != path);
    let sources = Sources::texts(others.map(|(path, text)| (path.as_str(), text.as_str())).chain([(path, text)]));
    match rules::load(&sources) {
        Ok(rules) => {
            let _ = Engine::new(&rules);
            let results = test_families(&rules, |_| true);
            assert!(results.iter().all(|result| !result.family.is_empty()));
            let _ = run_term_cases(&rules);
        }
        Err(found) => {
            assert!(!found.is_empty());
            assert!(!diagnostic::render(&found, false).is_empty() && !diagnostic::render(&found, true).is_empty());
        }
    }
    let _ = rules::tidy(text);
});
