//! What the name of a file says: globs and number patterns of `rules/inputs.yaml`, ready to use.

use std::path::Path;

use globset::GlobSet;

use crate::attribution::Stage;
use crate::rules::globs;
use crate::rules::schema::inputs::InputsFile;

/// Compiled patterns.
pub(super) struct Names {
    pub(super) candidates: GlobSet,
    pub(super) ignored: GlobSet,
    pub(super) server_args: Vec<String>,
    frontend: GlobSet,
    merged: GlobSet,
    capture_files: GlobSet,
    capture_folders: GlobSet,
    capture_beside: Vec<String>,
    endings: Vec<String>,
    part_folders: GlobSet,
    ranks: Vec<Number>,
    parallel: Vec<Number>,
    stages: Vec<(Stage, Vec<String>)>,
}

/// A word with a number after it.
struct Number {
    word: String,
    sure: bool,
}

/// A rank read from a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamedRank {
    pub(super) rank: i64,
    /// False where the number may as well be a size (`tp8`).
    pub(super) sure: bool,
}

impl Names {
    pub(super) fn new(file: &InputsFile) -> Result<Self, globset::Error> {
        let word = |text: &String| text.replace("{n}", "").to_lowercase();
        Ok(Self {
            candidates: globs(&file.candidates)?,
            ignored: globs(&file.ignored)?,
            server_args: file.server_args.clone(),
            frontend: globs(&file.frontend)?,
            merged: globs(&file.merged)?,
            capture_files: globs(&file.capture.names)?,
            capture_folders: globs(&file.capture.folders)?,
            capture_beside: file.capture.beside.clone(),
            endings: file.endings.clone(),
            part_folders: globs(&file.part_folders)?,
            ranks: (file.ranks.iter()).map(|rank| Number { word: word(&rank.pattern), sure: rank.sure }).collect(),
            parallel: file.parallel.iter().map(|text| Number { word: word(text), sure: true }).collect(),
            stages: (file.stages.iter()).filter_map(|(id, words)| Some((Stage::from_id(id)?, words.clone()))).collect(),
        })
    }

    pub(super) fn is_frontend(&self, path: &Path) -> bool {
        self.frontend.is_match(name_of(path))
    }

    pub(super) fn is_merged(&self, path: &Path) -> bool {
        self.merged.is_match(name_of(path))
    }

    pub(super) fn is_capture(&self, path: &Path) -> bool {
        self.capture_files.is_match(name_of(path)) || path.parent().is_some_and(|folder| self.is_capture_folder(folder))
    }

    pub(super) fn is_capture_folder(&self, folder: &Path) -> bool {
        self.capture_folders.is_match(name_of(folder))
    }

    /// Whether `capture` is named after `trace`.
    pub(super) fn is_capture_of(&self, capture: &Path, trace: &Path) -> bool {
        let stem = self.stem(trace);
        // Globs cost much more, and folders hold thousands of files.
        if !name_of(capture).to_lowercase().contains(&stem.to_lowercase()) {
            return false;
        }
        let patterns: Vec<String> =
            self.capture_beside.iter().map(|pattern| pattern.replace("{stem}", &globset::escape(stem))).collect();
        globs(&patterns).is_ok_and(|globs| globs.is_match(name_of(capture)))
    }

    /// The file name without its endings.
    pub(super) fn stem<'p>(&self, path: &'p Path) -> &'p str {
        let mut stem = name_of(path);
        while let Some(shorter) = self.endings.iter().find_map(|ending| stem.strip_suffix(ending.as_str())) {
            stem = shorter;
        }
        stem
    }

    /// Rank that the file name says.
    pub(super) fn rank(&self, path: &Path) -> Option<NamedRank> {
        let name = name_of(path).to_lowercase();
        self.ranks.iter().find_map(|number| Some(NamedRank { rank: after(&name, &number.word)?, sure: number.sure }))
    }

    /// Other coordinates of the worker, in the order of the rules; 0 where the name has none.
    pub(super) fn coordinates(&self, path: &Path) -> Vec<i64> {
        let name = name_of(path).to_lowercase();
        self.parallel.iter().map(|number| after(&name, &number.word).unwrap_or(0)).collect()
    }

    /// The same for people, such as `DP1 EP0`.
    pub(super) fn coordinate_words(&self, path: &Path) -> String {
        let name = name_of(path).to_lowercase();
        let word = |number: &Number| {
            let n = after(&name, &number.word)?;
            Some(format!("{}{n}", number.word.trim_end_matches('-').to_uppercase()))
        };
        self.parallel.iter().filter_map(word).collect::<Vec<_>>().join(" ")
    }

    /// Stage that the file name says, else the folder it is in.
    pub(super) fn stage(&self, path: &Path) -> Option<Stage> {
        let folder = path.parent().map(name_of).unwrap_or_default().to_lowercase();
        self.stage_of_words(self.stem(path))
            .or_else(|| self.stages.iter().find(|(_, words)| words.contains(&folder)).map(|(stage, _)| *stage))
    }

    /// The one stage whose words are among the parts of a name; two stages say none.
    fn stage_of_words(&self, stem: &str) -> Option<Stage> {
        let stem = stem.to_lowercase();
        let says = |words: &Vec<String>| stem.split(['-', '_', '.']).any(|part| words.iter().any(|word| word == part));
        let mut said = self.stages.iter().filter(|(_, words)| says(words)).map(|(stage, _)| *stage);
        said.next().filter(|_| said.next().is_none())
    }

    /// Whether a folder belongs to the run of the folder it is in.
    pub(super) fn is_part_of_run(&self, folder: &Path) -> bool {
        let name = name_of(folder).to_lowercase();
        self.part_folders.is_match(&name)
            || self.capture_folders.is_match(&name)
            || self.stages.iter().any(|(_, words)| words.contains(&name))
    }
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The number right after `word`, which must stand at a border of the name.
fn after(name: &str, word: &str) -> Option<i64> {
    name.match_indices(word).find_map(|(at, _)| {
        let border = name[..at].chars().next_back().is_none_or(|c| ['-', '_', '.'].contains(&c));
        let rest = &name[at + word.len()..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let ends = rest[digits..].chars().next().is_none_or(|c| ['-', '_', '.'].contains(&c));
        if border && ends { rest[..digits].parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::inputs::tests::names;

    fn rank(name: &str) -> Option<(i64, bool)> {
        names().rank(Path::new(name)).map(|named| (named.rank, named.sure))
    }

    #[test]
    fn ranks_are_read_from_the_names_that_servers_write() {
        assert_eq!(rank("1782-TP-3-DECODE.trace.json.gz"), Some((3, true)));
        assert_eq!(rank("20261124-101010-TP1.trace.json.gz"), Some((1, false)));
        assert_eq!(rank("host_dp0_pp0_tp1_dcp0_ep1_rank5.178.pt.trace.json.gz"), Some((5, true)));
        assert_eq!(rank("trtllm-trace-17-ab-rank-2.json"), Some((2, true)));
        assert_eq!(rank("t.json-rank-0.gz"), Some((0, true)));
        assert_eq!(rank("llama-tp8-decode.trace.json"), Some((8, false)), "a size: never believed alone");
        assert_eq!(rank("franktp4you.json"), None);
        assert_eq!(rank("http-1.json"), None);
    }

    #[test]
    fn other_coordinates_tell_workers_of_one_rank_apart() {
        let of = |name: &str| names().coordinates(Path::new(name)).iter().sum::<i64>();
        assert_eq!((of("17-TP-0-DP-0.trace.json.gz"), of("17-TP-0-DP-1.trace.json.gz")), (0, 1));
    }

    #[test]
    fn the_file_says_the_stage_before_its_folder_and_words_are_whole() {
        let of = |path: &str| names().stage(Path::new(path));
        assert_eq!(of("run/1-TP-0-EXTEND.trace.json.gz"), Some(Stage::Prefill));
        assert_eq!(of("run/decode/1.trace.json.gz"), Some(Stage::Decode));
        assert_eq!(of("study_prefill/decode/x.json"), Some(Stage::Decode));
        assert_eq!(of("prefill.trace.json"), Some(Stage::Prefill));
        assert_eq!(of("x-decoder.json"), None);
        assert_eq!(of("prefill-and-decode.json"), None);
    }

    #[test]
    fn captures_are_told_by_name_folder_or_the_trace_beside() {
        let names = names();
        assert!(names.is_capture(Path::new("graph_capture_profile/cuda_graph_capture-Runner-TP-0.json.gz")));
        assert!(names.is_capture(Path::new("capture_traces/x.json")));
        assert!(!names.is_capture(Path::new("captured/x.json")));
        assert!(names.is_capture_of(Path::new("a/x-capture.trace.json.gz"), Path::new("a/x.trace.json.gz")));
        assert!(!names.is_capture_of(Path::new("a/y-capture.trace.json.gz"), Path::new("a/x.trace.json.gz")));
    }
}
