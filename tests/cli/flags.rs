//! Help, version, completions, man page.

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
fn no_argument_is_help_and_the_version_names_the_catalog_too() {
    assert!(run(&[]).err.contains("Usage:"));
    let catalog = std::fs::read_to_string("catalogs/VERSION").expect("the catalog has a version");
    for flag in ["--version", "-V"] {
        let done = run(&[flag]);
        let [tool, with] = done.out.lines().collect::<Vec<_>>()[..] else { panic!("{}", done.out) };
        assert_eq!((done.code, tool), (0, concat!("llm-prof ", env!("CARGO_PKG_VERSION"))));
        let named = format!("catalog {}, compared with its sources on 20", catalog.trim());
        assert!(with.starts_with(&named), "{with}");
    }
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let done = run(&["completions", shell]);
        assert!(done.code == 0 && done.out.contains("llm-prof"), "{shell}: {}", done.err);
    }
}

#[test]
fn every_command_that_help_lists_has_a_man_page() {
    let page = run(&["man"]);
    assert!(page.code == 0 && page.out.contains(".SH SYNOPSIS"), "{}", page.err);
    let dir = tempfile::tempdir().expect("a folder for the pages");
    let done = run(&["man", "--write", dir.path().to_str().expect("UTF-8")]);
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "", ""));
    for name in ["llm-prof", "llm-prof-triage", "llm-prof-rules-test"] {
        let text = std::fs::read_to_string(dir.path().join(format!("{name}.1"))).expect("the page was written");
        assert!(text.contains(".TH ") && text.contains(".SH SYNOPSIS"), "{name}: {text}");
    }
}

#[test]
fn man_pages_need_a_folder_that_can_be_made() {
    let done = run(&["man", "--write", "Cargo.toml/pages"]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("--write Cargo.toml/pages: cannot write the pages"), "{}", done.err);
}
