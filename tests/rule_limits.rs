//! Rules that would take a machine down: each is refused in a moment, with its file and what is allowed. Those that are
//! large and legal are read in a moment, too.

use std::fmt::Write as _;
use std::sync::mpsc;
use std::time::Duration;

use llm_prof::diagnostic;
use llm_prof::rules::{self, Sources};

/// What takes longer is no limit: each takes less than a second of one processor, which a busy machine stretches.
const MOMENT: Duration = Duration::from_mins(2);

/// A family whose `split` is this.
fn family(split: &str) -> String {
    format!(
        "version: 1\nid: any/bomb\ntitle: A bomb\nkind: fuse\norigin: mainline\nsplit: {split}\nrationale: None.\ntests:\n  \
         - {{ name: hit, chain: [rms_norm_kernel, rotary_kernel], expect: split }}\n  \
         - {{ name: miss, chain: [rms_norm_kernel, copy_kernel], expect: none }}\n"
    )
}

/// What is wrong with the built-in rules and this file beside them; none when nothing is.
fn mistakes(text: String) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fuse/any/bomb.yaml");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
    std::fs::write(path, text).expect("room");
    let catalog = folder.path().to_path_buf();
    let (send, loaded) = mpsc::channel();
    std::thread::spawn(move || {
        let said = rules::load_untested(&Sources::dirs(None, &[catalog])).err();
        // Nobody waits for an answer that is late.
        let _ = send.send(said.map(|found| diagnostic::render(&found, false)));
    });
    loaded.recv_timeout(MOMENT).expect("an answer in time, and no panic")
}

fn refused(text: String, why: &str) {
    let said = mistakes(text).unwrap_or_else(|| panic!("taken, not refused as `{why}`"));
    assert!(said.contains("bomb.yaml"), "no file is named: {}", start(&said));
    assert!(said.contains(why), "`{why}` is not said: {}", start(&said));
    assert!(said.len() < 100_000, "{} bytes are no message", said.len());
}

fn start(said: &str) -> String {
    said.chars().take(2000).collect()
}

#[test]
fn aliases_that_multiply_are_refused() {
    // Under keys that nobody knows, and under one that is read.
    for (head, item) in [("", "a{n}: "), ("aliases:\n", "- ")] {
        let mut laughs = format!("{head}{}&a0 [lol]\n", item.replace("{n}", "0"));
        for n in 1..40 {
            let before = format!("*a{}, ", n - 1).repeat(9);
            let item = item.replace("{n}", &n.to_string());
            writeln!(laughs, "{item}&a{n} [{before}]").expect("a string takes all");
        }
        refused(laughs, "error[E");
    }
    let many = format!("a: &a [x]\nb: [{}]\n", "*a, ".repeat(1_000_000));
    refused(many, "error[E");
    refused("a: &a [*a]\n".to_owned(), "error[E");
}

#[test]
fn yaml_that_nests_without_end_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        for n in [1_000, 100_000] {
            refused(format!("tests: {}{}\n", open.repeat(n), close.repeat(n)), "error[E");
            refused(open.repeat(n), "error[E");
        }
    }
    let block: Vec<String> = (0..3_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    refused(block.concat(), "error[E");
}

#[test]
fn expressions_that_nest_without_end_are_refused() {
    for n in [1_000, 200_000] {
        for (open, inner, close) in [
            ("(", "name(rope)", ")"),
            ("not ", "name(rope)", ""),
            ("[", "name(rope)", "]"),
            ("(", "", ""),
            ("(", "name(rope)", ")?"),
        ] {
            let split = format!("'{}{inner}{}'", open.repeat(n), close.repeat(n));
            refused(family(&split), "nested deeper than");
        }
    }
}

#[test]
fn chains_that_unroll_without_end_are_refused() {
    let most = "at most 2000 and 20000 are allowed";
    for repeat in ["{1000000}", "{1,4294967295}", "{99999999999999999999}"] {
        refused(family(&format!("rms_norm{repeat} ~> rope")), "numbers here go up to 64");
    }
    refused(family("((((rms_norm{50} ~> rope){50} ~> rope){50} ~> rope){50} ~> rope){50}"), most);
    refused(family(&format!("rms_norm{}", " ~> rope".repeat(100_000))), most);
    refused(family(&format!("({}) ~> rope", vec!["rms_norm?"; 1_500].join(" ~> "))), most);
    refused(family(&format!("({})", vec!["rms_norm"; 30].join(" & "))), "error[E");
}

#[test]
fn names_and_globs_of_any_length_are_cheap() {
    for glob in ["*a", "{a,b}", "[a-z]", "**/", "?"] {
        let family = family(&format!("'name(\"*{}\") ~> rope'", glob.repeat(20_000)));
        assert_eq!(mistakes(family).map(|said| start(&said)), None, "{glob}");
    }
}

#[test]
fn a_file_that_is_no_family_by_its_size_is_refused() {
    let padding = "# nothing\n".repeat(4_000_000);
    refused(family("rms_norm ~> rope") + &padding, "error[E");
}
