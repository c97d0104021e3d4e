//! `llm-prof.toml`, the environment and `--show-config`.

use std::fs;
use std::path::Path;

use super::{Done, run, run_in};

/// A folder with this text as its configuration; commands that start in a folder below it.
fn run_below(text: &str, args: &[&str]) -> Done {
    let root = tempfile::tempdir().expect("a folder");
    let below = root.path().join("a/b");
    fs::create_dir_all(&below).expect("a folder");
    fs::write(root.path().join("llm-prof.toml"), text).expect("a file");
    let mut done = run_in(args, |streams| streams.dir = Some(below));
    // The folder has another name in each run.
    let shown = root.path().display().to_string();
    done.out = done.out.replace(&shown, "ROOT");
    done.err = done.err.replace(&shown, "ROOT");
    done
}

#[test]
fn a_setting_stands_behind_the_flag_and_before_the_default() {
    let text = "[rules.list]\nformat = \"json\"\n";
    assert!(run_below(text, &["rules", "list"]).out.starts_with('['));
    assert!(run_below(text, &["rules", "list", "--format", "markdown"]).out.starts_with("## "));
    assert!(!run_below(text, &["--isolated", "rules", "list"]).out.starts_with('['));
    assert!(!run(&["rules", "list"]).out.starts_with('['));
}

#[test]
fn lists_flags_and_numbers_are_settings_too() {
    let text =
        "[rules]\ninclude = [\"sglang/qk*\", \"vllm/qk*\"]\n[output]\nquiet = true\nverbose = 2\nmin-share = 0.5\n";
    let done = run_below(text, &["rules", "list"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let families: Vec<&str> = done.out.lines().filter(|line| line.contains('/')).collect();
    assert!(!families.is_empty() && families.iter().all(|line| line.contains("/qk")), "{}", done.out);
}

#[test]
fn an_unknown_key_is_shown_with_a_near_miss() {
    let done = run_below(
        "[output]\nmin_share = 2\ncolour = \"never\"\n\n[rule]\nx = 1\n[triage]\nlimit = 3\n",
        &["rules", "list"],
    );
    assert_eq!(done.code, 2);
    insta::assert_snapshot!(done.err, @r#"
    error[E003]: there is no setting `output.min_share`
     --> ROOT/llm-prof.toml:2:1
      |
    2 | min_share = 2
      | ^^^^^^^^^ not a key of the configuration
      |
      = help: did you mean `output.min-share`?

    error[E003]: there is no setting `output.colour`
     --> ROOT/llm-prof.toml:3:1
      |
    3 | colour = "never"
      | ^^^^^^ not a key of the configuration
      |
      = help: did you mean `output.color`?

    error[E003]: there is no setting `rule`
     --> ROOT/llm-prof.toml:5:2
      |
    5 | [rule]
      |  ^^^^ not a key of the configuration
      |
      = help: did you mean `[rules]`?

    error[E003]: there is no setting `triage.limit`
     --> ROOT/llm-prof.toml:8:1
      |
    8 | limit = 3
      | ^^^^^ not a key of the configuration
      |
      = help: did you mean `output.limit`?
    "#);
}

#[test]
fn a_value_that_the_flag_would_refuse_is_shown_at_its_place() {
    let done = run_below("[output]\nquiet = 3\n", &["rules", "list"]);
    assert!(done.code == 2 && done.err.contains("[E005]") && done.err.contains("llm-prof.toml:2:9"), "{}", done.err);
    let done = run_below("[rules.list]\nformat = \"xml\"\n", &["rules", "list"]);
    assert!(done.code == 2 && done.err.contains("[E022]") && done.err.contains("llm-prof.toml:2:10"), "{}", done.err);
    let done = run_below("[output\n", &["rules", "list"]);
    assert!(done.code == 2 && done.err.contains("[E023]"), "{}", done.err);
    assert_eq!(run(&["--config", "no/such.toml", "rules", "list"]).code, 2);
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let text = "[rules]\ncatalogs = [\"mine\"]\n[output]\nlimit = 7\n";
    let done = run_below(text, &["triage", "--min-share", "0.5", "--show-config"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for line in [
        "# settings of ROOT/llm-prof.toml",
        "limit = 7  # ROOT/llm-prof.toml",
        "catalogs = [\"ROOT/mine\"]  # ROOT/llm-prof.toml",
        "# framework = \"auto\"",
        "# server-args is not set",
        "[rules.list]",
    ] {
        assert!(done.out.lines().any(|own| own == line), "{line}\n{}", done.out);
    }
    // Without a path the command line is not whole; with one its flags count, too.
    let done = run_below(text, &["triage", "t.json", "--min-share", "0.5", "--show-config"]);
    assert!(done.out.contains("min-share = 0.5  # flag\n"), "{}", done.out);
}

/// What `--show-config` prints can be read back.
#[test]
fn the_settings_shown_are_a_configuration() {
    let shown = run(&["--show-config"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let all: String = shown
        .out
        .lines()
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .fold(String::new(), |text, line| text + line.trim_start_matches("# ") + "\n");
    let done = run_below(&all, &["rules", "list"]);
    assert_eq!(done.code, 0, "{all}\n{}", done.err);
}

#[test]
fn the_user_has_a_configuration_of_their_own() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(home.path().join("llm-prof")).expect("a folder");
    fs::write(home.path().join("llm-prof/config.toml"), "[rules.list]\nformat = \"json\"\n").expect("a file");
    let done = run_in(&["rules", "list"], |streams| {
        streams.dir = Some(Path::new("/").to_owned());
        streams.env.insert("XDG_CONFIG_HOME".to_owned(), home.path().display().to_string());
    });
    assert!(done.out.starts_with('['), "{}{}", done.out, done.err);
}
