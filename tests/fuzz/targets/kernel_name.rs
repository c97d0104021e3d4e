//! Names of kernels, one a line: each is cut into parts, and all together are brought to a width.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use llm_prof::kernel_name::{KernelName, shorten, words};
use llm_prof_fuzz::rules;
use unicode_width::UnicodeWidthStr;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let settings = &rules().names;
    let names: Vec<KernelName> = text.lines().map(|line| KernelName::parse(line, settings)).collect();
    for (line, name) in text.lines().zip(&names) {
        assert!(!name.identifier.is_empty(), "{line:?} has no identifier");
        assert!(name.identifier.starts_with(name.name_text()));
        let cut = words(line, settings);
        let _ = (name.matches_words(&cut), name.targs_match_words(&cut), name.targ_is(0, line));
    }
    let distinct: BTreeSet<&str> = names.iter().map(|name| name.demangled.as_str()).collect();
    for width in [24, 60] {
        let forms = shorten(&names.iter().collect::<Vec<_>>(), width);
        let short: BTreeSet<&str> = forms.iter().map(String::as_str).collect();
        assert_eq!(short.len(), distinct.len(), "distinct names in {width} columns: {forms:?}");
        assert!(forms.iter().all(|form| form.width() <= width), "{width} columns: {forms:?}");
    }
});
