//! A copy of a server's own module that records stacks: one argument more in the call that starts its profiler. A file
//! that is not known to the byte of that call is refused, for a wrong copy is found out much later.

use std::ops::Range;

use super::problem::fill;
use crate::rules::schema::servers::{Message, Servers, StacksOn};

/// A copy with stacks on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patched {
    /// Its text.
    pub text: String,
    /// Path of the module in the server's package.
    pub module: String,
    /// Line that was changed, from 1.
    pub line: usize,
}

/// `source` with stacks on; the error says why it is refused.
pub fn stacks_on(source: &str, rules: &StacksOn, servers: &Servers) -> Result<Patched, String> {
    let messages = &servers.common.messages;
    let modules: Vec<&str> = rules.modules.iter().map(|module| module.path.as_str()).collect();
    let refuse = |message: &Message, holes: &[(&str, &str)]| {
        let fix = message.fix.as_deref().map_or_else(String::new, |fix| format!("; {}", fill(fix, holes)));
        Err(fill(&message.say, holes) + &fix)
    };
    let modules = modules.join(", ");
    let Some(module) = rules.modules.iter().find(|module| module.marks.iter().all(|mark| source.contains(mark))) else {
        return refuse(&messages.unknown_module, &[("modules", &modules)]);
    };
    let holes = [("module", module.path.as_str()), ("call", rules.call.as_str()), ("modules", modules.as_str())];
    let code = code(source);
    let calls = calls(&code, &rules.call);
    let [arguments] = calls.as_slice() else {
        return refuse(if calls.is_empty() { &messages.no_call } else { &messages.several_calls }, &holes);
    };
    let inside = &code[arguments.clone()];
    if inside.contains(&rules.lacks) {
        return refuse(&messages.has_stacks, &holes);
    }
    let behind = inside.match_indices(&rules.behind).map(|(at, text)| arguments.start + at + text.len());
    let behind: Vec<usize> = behind.collect();
    let [at] = behind.as_slice() else { return refuse(&messages.unknown_call, &holes) };
    if !rules.has.iter().all(|argument| inside.contains(argument)) {
        return refuse(&messages.unknown_call, &holes);
    }
    let text = format!("{}{}{}", &source[..*at], rules.put, &source[*at..]);
    Ok(Patched { text, module: module.path.clone(), line: source[..*at].matches('\n').count() + 1 })
}

/// Arguments of the calls of a function in code without texts and comments.
fn calls(code: &str, name: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for (at, _) in code.match_indices(&format!("{name}(")) {
        let begin = at + name.len() + 1;
        let mut depth = 1;
        let end = code[begin..].bytes().position(|byte| {
            depth += i32::from(matches!(byte, b'(' | b'[' | b'{')) - i32::from(matches!(byte, b')' | b']' | b'}'));
            depth == 0
        });
        out.extend(end.map(|end| begin..begin + end));
    }
    out
}

/// Python whose texts and comments are blank, byte for byte.
fn code(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut blank =
        |range: Range<usize>| out[range].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let long = [&b"\"\"\""[..], b"'''"].into_iter().find(|quotes| rest.starts_with(quotes));
        let end = match (rest[0], long) {
            (_, Some(quotes)) => end_of_text(rest, quotes),
            (b'"' | b'\'', None) => end_of_text(rest, &rest[..1]),
            (b'#', None) => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            _ => 0,
        };
        blank(at..at + end);
        at += end.max(1);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Length of the text that begins with `quotes`; one that is not closed ends with its line, or with the file.
fn end_of_text(rest: &[u8], quotes: &[u8]) -> usize {
    let mut at = quotes.len();
    while at < rest.len() {
        if rest[at..].starts_with(quotes) {
            return at + quotes.len();
        }
        if quotes.len() == 1 && rest[at] == b'\n' {
            return at;
        }
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::load_servers;

    /// The old place, as small as it can be.
    const OLD: &str = r#"
PROFILE_START_STOP_ENV_VAR_NAME = "TLLM_PROFILE_START_STOP"
PROFILE_TRACE_ENV_VAR_NAME = "TLLM_TORCH_PROFILE_TRACE"

class PyExecutor:
    def _profiler(self):
        # torch.profiler.profile(record_shapes=True, with_modules=True) comes first
        if enable_torch_trace:
            torch_profiler = torch.profiler.profile(activities=activities,
                                                    record_shapes=True,
                                                    with_modules=True)
        text = "torch.profiler.profile("
"#;

    /// The new place.
    const NEW: &str = r#"
"""One window of ``torch.profiler.profile(with_modules=True)``; it's here."""
PROFILE_TRACE_ENV_VAR_NAME = "TLLM_TORCH_PROFILE_TRACE"

class PyExecutorProfileManager:
    def profile_step(self):
        if torch_profiler is None:
            torch_profiler = torch.profiler.profile(
                activities=names["a)"], record_shapes=True, with_modules=True
            )
"#;

    fn patched(source: &str) -> Result<Patched, String> {
        let servers = load_servers(None).unwrap_or_else(|found| panic!("{found:#?}"));
        let rules =
            servers.servers.iter().find_map(|file| file.stacks_on.as_ref()).expect("a server whose stacks are off");
        stacks_on(source, rules, &servers)
    }

    #[test]
    fn both_places_get_one_argument_more_and_nothing_else() {
        for (source, module, line) in [(OLD, "py_executor.py", 11), (NEW, "profiling.py", 9)] {
            let copy = patched(source).unwrap_or_else(|why| panic!("{why}"));
            assert!(copy.module.ends_with(module), "{}", copy.module);
            assert_eq!((copy.line, copy.text.lines().count()), (line, source.lines().count()));
            let changed: Vec<&str> =
                copy.text.lines().zip(source.lines()).filter(|(a, b)| a != b).map(|(a, _)| a.trim()).collect();
            assert_eq!(changed.len(), 1, "{changed:?}");
            assert!(changed[0].contains("with_modules=True, with_stack=True"), "{changed:?}");
            assert_eq!(copy.text.replacen(", with_stack=True", "", 1), source);
        }
    }

    #[test]
    fn what_is_not_known_is_refused_with_the_reason() {
        let why = |source: &str| patched(source).expect_err("it is refused");
        assert!(why("import torch\n").contains("profiling.py"), "where it stands is said");
        // The old file of a release that moved the code.
        let moved = OLD.replace("torch.profiler.profile(activities", "make(activities");
        assert!(why(&moved).contains("profiling.py"), "{}", why(&moved));
        assert!(why(&patched(OLD).expect("a copy").text).contains("stacks are on"), "a copy of a copy");
        let off = OLD.replace("with_modules=True)", "with_modules=True, with_stack=flag)");
        assert!(why(&off).contains("stacks"), "{}", why(&off));
        assert!(why(&OLD.replace("record_shapes=True,\n", "")).contains("arguments"));
        let twice = format!("{OLD}\n        other = torch.profiler.profile(record_shapes=True, with_modules=True)\n");
        assert!(why(&twice).contains("more than one"), "{}", why(&twice));
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        for source in ["", "'", "\"\"\"", "'\\", "#", "'''a\\", "é'é\\é", "torch.profiler.profile((("] {
            assert!(patched(source).is_err(), "{source}");
            let marked = format!("TLLM_TORCH_PROFILE_TRACE class PyExecutor: {source}");
            assert!(patched(&marked).is_err(), "{source}");
        }
    }
}
