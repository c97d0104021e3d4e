//! Help, version, completions.

use super::run;

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    for args in [&["--help"][..], &["triage", "--help"]] {
        let done = run(args);
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        for code in
            ["    0  done", "    1  ", "    2  wrong usage", "    3  ", "    4  ", "    5  ", "  101  ", "  130  "]
        {
            assert!(done.out.contains(code), "{code} is missing: {}", done.out);
        }
    }
    let done = run(&["triage", "--help"]);
    assert!(!done.out.contains("--input ") && !done.out.contains("kernel-table-limit"), "{}", done.out);
}

#[test]
fn no_argument_is_help_and_the_version_is_the_crates() {
    assert!(run(&[]).err.contains("Usage:"));
    assert_eq!(run(&["--version"]).out.trim(), format!("llm-prof {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let done = run(&["completions", shell]);
        assert!(done.code == 0 && done.out.contains("llm-prof"), "{shell}: {}", done.err);
    }
}
