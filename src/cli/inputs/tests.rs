//! Folders of traces as servers leave them, and what is read of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

pub(super) fn names() -> names::Names {
    names::Names::new(&rules().inputs).expect("rules/inputs.yaml")
}

fn rules() -> RuleSet {
    RuleSet {
        inputs: serde_yaml::from_str(include_str!("../../../rules/inputs.yaml")).expect("rules/inputs.yaml"),
        ..RuleSet::default()
    }
}

/// A folder of small traces.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// A trace that began at `begin` and says its rank, when it has one.
    fn trace(self, path: &str, begin: i64, rank: Option<i64>) -> Self {
        let rank = rank.map_or_else(String::new, |rank| format!("\"distributedInfo\": {{\"rank\": {rank}}}, "));
        self.file(path, &format!("{{{rank}\"baseTimeNanoseconds\": {begin}, \"traceEvents\": []}}"))
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.0.path().to_owned() } else { self.0.path().join(path) }
    }

    fn relative(&self, path: &str) -> String {
        Path::new(path).strip_prefix(self.0.path()).unwrap_or(Path::new(path)).to_string_lossy().into_owned()
    }

    fn try_gather(&self, paths: &[&str], ask: Ask) -> Result<Inputs, Failure> {
        gather(&paths.iter().map(|path| self.path(path)).collect::<Vec<_>>(), ask, &rules())
    }

    /// One line a file: `+` taken, `-` left.
    fn choice_of(&self, paths: &[&str], ask: Ask) -> Vec<String> {
        let inputs = self.try_gather(paths, ask).expect("a choice");
        let line = |sign: char, info: &TraceInfo| {
            let reason = info.reason.replace(&format!("{}/", self.0.path().display()), "");
            format!("{sign} {} [{}] {reason}", self.relative(&info.path), info.role).trim_end().to_owned()
        };
        let taken = inputs.taken.iter().flat_map(|input| {
            std::iter::once(&input.info).chain(input.captures.iter().map(|(_, info)| info)).map(|info| line('+', info))
        });
        taken.chain(inputs.left.iter().map(|info| line('-', info))).collect()
    }

    fn choice(&self, paths: &[&str]) -> Vec<String> {
        self.choice_of(paths, Ask::default())
    }
}

#[test]
fn a_file_is_taken_as_it_is() {
    let folder = Folder::new().trace("x.async_llm.1.pt.trace.json", 1, None).trace("other.json", 2, None);
    assert_eq!(folder.choice(&["x.async_llm.1.pt.trace.json"]), ["+ x.async_llm.1.pt.trace.json [frontend]"]);
}

#[test]
fn the_captures_beside_the_folder_of_a_run_are_read_and_are_no_run() {
    let folder = Folder::new()
        .trace("run/1-TP-0-DECODE.trace.json", 1, Some(0))
        .trace("graph_capture_profile/g-TP-0.json", 1, Some(0))
        .file("none/notes.txt", "");
    assert_eq!(
        folder.choice(&["run"]),
        [
            "+ run/1-TP-0-DECODE.trace.json [trace]",
            "+ graph_capture_profile/g-TP-0.json [capture] launch order of graph replays"
        ]
    );
    assert!(folder.try_gather(&["none"], Ask::default()).is_err());
}

#[test]
fn of_the_ranks_the_lowest_is_read_and_contents_beat_names() {
    let folder = Folder::new().trace("1-TP-0.trace.json", 1, Some(1)).trace("1-TP-1.trace.json", 1, Some(0)).trace(
        "merged-1.trace.json",
        1,
        None,
    );
    assert_eq!(
        folder.choice(&[""]),
        [
            "+ 1-TP-1.trace.json [trace] lowest rank",
            "- 1-TP-0.trace.json [trace] rank 0 is read; --rank 1 reads this one",
            "- merged-1.trace.json [merged] merged; a file of one rank is read",
        ]
    );
    let asked = folder.choice_of(&[""], Ask { rank: Some(1), ..Ask::default() });
    assert_eq!(asked[0], "+ 1-TP-0.trace.json [trace] newest");
    let missing = folder.try_gather(&[""], Ask { rank: Some(7), ..Ask::default() });
    assert_eq!(format!("{missing:?}").matches("no trace of rank 7").count(), 0, "the merged file may have it");
}

#[test]
fn a_size_in_a_name_is_no_rank() {
    let folder =
        Folder::new().trace("llama-tp8-decode.trace.json", 1, None).trace("llama-tp8-prefill.trace.json", 1, None);
    let inputs = folder.try_gather(&[""], Ask::default()).expect("a choice");
    let ranks: Vec<_> = inputs.taken.iter().map(|input| (input.stage, input.info.rank)).collect();
    assert_eq!(ranks, [(Some(Stage::Prefill), None), (Some(Stage::Decode), None)]);
}

#[test]
fn numbers_of_one_folder_that_differ_are_ranks() {
    let folder = Folder::new().trace("a-TP1-DECODE.trace.json", 1, None).trace("a-TP3-DECODE.trace.json", 1, None);
    assert_eq!(
        folder.choice(&[""]),
        [
            "+ a-TP1-DECODE.trace.json [trace] lowest rank",
            "- a-TP3-DECODE.trace.json [trace] rank 1 is read; --rank 3 reads this one",
        ]
    );
}

#[test]
fn workers_of_one_rank_do_not_vanish_without_a_word() {
    let folder = Folder::new().trace("1-TP-0-DP-0.trace.json", 1, None).trace("1-TP-0-DP-1.trace.json", 2, None);
    assert_eq!(
        folder.choice(&[""]),
        [
            "+ 1-TP-0-DP-0.trace.json [trace] newest",
            "- 1-TP-0-DP-1.trace.json [trace] another worker of the same rank; the first is read",
        ]
    );
}

#[test]
fn stage_folders_of_one_capture_are_joined_and_the_newest_run_is_read() {
    let folder = Folder::new()
        .trace("old/prefill/1-TP-0.trace.json", 1, None)
        .trace("new/prefill/2-TP-0.trace.json", 5, None)
        .trace("new/decode/2-TP-0.trace.json", 6, None)
        .file("new/decode/server_args.json", "{}")
        .file("new/decode/1-memory.json", "{}")
        .file("notes.txt", "no trace");
    assert_eq!(
        folder.choice(&[""]),
        [
            "+ new/prefill/2-TP-0.trace.json [trace] newest",
            "+ new/decode/2-TP-0.trace.json [trace] newest",
            "- old/prefill/1-TP-0.trace.json [trace] older run; new is read",
        ]
    );
    let decode = folder.choice_of(&["new"], Ask { stage: Some(Stage::Decode), ..Ask::default() });
    assert_eq!(decode[1], "- new/prefill/2-TP-0.trace.json [trace] stage decode was asked for");
}

#[test]
fn a_trace_of_its_own_does_not_hide_newer_stage_folders() {
    let folder = Folder::new().trace("1.trace.json", 1, None).trace("prefill/2.trace.json", 5, None).trace(
        "decode/2.trace.json",
        6,
        None,
    );
    let choice = folder.choice(&[""]);
    assert_eq!(choice.len(), 3);
    assert_eq!(choice[2], "- 1.trace.json [trace] the traces of single stages are read");
}

#[test]
fn front_ends_are_never_read_and_captures_give_places() {
    let folder = Folder::new()
        .trace("host_1.async_llm.9.pt.trace.json", 9, None)
        .trace("1-TP-0.trace.json", 1, None)
        .trace("1-TP-1.trace.json", 1, None)
        .trace("graph_capture_profile/cuda_graph_capture-R-TP-0.json", 0, None)
        .trace("graph_capture_profile/cuda_graph_capture-R-TP-1.json", 0, None);
    assert_eq!(
        folder.choice(&[""]),
        [
            "+ 1-TP-0.trace.json [trace] lowest rank",
            "+ graph_capture_profile/cuda_graph_capture-R-TP-0.json [capture] launch order of graph replays",
            "- 1-TP-1.trace.json [trace] rank 0 is read; --rank 1 reads this one",
            "- graph_capture_profile/cuda_graph_capture-R-TP-1.json [capture] capture of another trace",
            "- host_1.async_llm.9.pt.trace.json [frontend] front end: it launches no kernel",
        ]
    );
}

#[test]
fn a_file_finds_the_capture_beside_it_and_no_other() {
    let folder = Folder::new().trace("x.trace.json", 1, None).trace("x-capture.trace.json", 1, None).trace(
        "y-capture.trace.json",
        1,
        None,
    );
    assert_eq!(
        folder.choice(&["x.trace.json"]),
        ["+ x.trace.json [trace]", "+ x-capture.trace.json [capture] launch order of graph replays"]
    );
    assert_eq!(folder.choice(&["x-capture.trace.json"]), ["+ x-capture.trace.json [trace]"]);
}

#[test]
fn globs_are_expanded_and_pass_over_what_is_no_trace() {
    let folder = Folder::new().trace("a/1-rank-0.json", 1, None).file("a/2-rank-1.json", "{\"x\": 1}");
    let choice = folder.choice(&["a/*-rank-*.json"]);
    assert_eq!(choice.len(), 2, "{choice:?}");
    assert!(choice[1].starts_with("- a/2-rank-1.json [not-a-trace] no trace: "), "{choice:?}");
}

#[test]
fn what_cannot_be_read_is_said_with_file_and_remedy() {
    let folder = Folder::new().file("empty.json", "").file("no/notes.json", "{\"x\": 1}").file("none/x.txt", "x");
    let message = |path: &str| match folder.try_gather(&[path], Ask::default()) {
        Err(Failure::Said { code, message } | Failure::Shown { code, message }) => {
            assert_eq!(code, 3);
            message.replace(&format!("{}/", folder.0.path().display()), "")
        }
        other => panic!("{other:?}"),
    };
    let missing = message("missing.json");
    assert!(
        missing.starts_with("missing.json: cannot open it: ") && missing.contains("a folder of traces"),
        "{missing}"
    );
    assert!(message("empty.json").starts_with("empty.json: no trace: "), "{}", message("empty.json"));
    assert!(message("no").contains("notes.json: no trace: "), "{}", message("no"));
    assert!(message("none").starts_with("none: no trace found: expected .json"), "{}", message("none"));
    assert!(message("none/*.json").ends_with("no file matches; check the pattern"));
}

#[test]
fn server_arguments_are_found_beside_the_trace_or_one_folder_up() {
    let folder = Folder::new()
        .trace("run/decode/1.trace.json", 1, None)
        .file("run/server_args.json", "[{\"tp_size\": 2, \"model_path\": \"m\"}]");
    let inputs = folder.try_gather(&["run"], Ask::default()).expect("a choice");
    let path = inputs.taken[0].server_args.clone().expect("server_args.json");
    let (args, _) = server_args_of(&path).expect("arguments");
    assert_eq!(args.get("tp_size").map(String::as_str), Some("2"));
}
