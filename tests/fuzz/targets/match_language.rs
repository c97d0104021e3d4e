//! Texts of the match language: read or refused at a place inside them, and what is read means the same once it is
//! printed.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use llm_prof::rules::{self, SyntaxError};

/// Spans differ between a text and its normal form, so forms are compared and not trees.
fn round<T: Debug>(text: &str, read: fn(&str) -> Result<T, SyntaxError>, print: fn(&T) -> String) -> Option<T> {
    match read(text) {
        Ok(tree) => {
            let form = print(&tree);
            let again = read(&form).unwrap_or_else(|error| panic!("{form:?} of {text:?}: {error:?}"));
            assert_eq!(print(&again), form, "of {text:?}");
            Some(tree)
        }
        Err(error) => {
            let spans = [Some(&error.span), error.opened.as_ref()];
            for span in spans.into_iter().flatten() {
                assert!(text.get(span.clone()).is_some(), "{span:?} is no place in {text:?}");
            }
            None
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    round(text, rules::parse_expr, rules::print_expr);
    round(text, rules::parse_overlap, rules::print_overlap);
    if let Some(chain) = round(text, rules::parse_chain, rules::print_chain) {
        let (counted, fewest) = (rules::check_chain(&chain, true), rules::fewest_counted(&chain));
        assert_eq!(counted.is_ok(), fewest > 0, "{text:?}");
        let _ = rules::counted_links(&chain);
    }
});
