//! How long a contributor waits: loading, compiling and testing 300 and 3,000 families, `cargo bench --bench rules`.
//!
//! Families are those of the catalog, copied under new ids until there are enough; the rules and their tests come once.
//! Each figure is the median of eleven runs, with the quickest and the slowest.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use llm_prof::engine::family_test::test_families;
use llm_prof::engine::run_term_cases;
use llm_prof::rules::{self, Sources, check_chain, parse_chain};

const RUNS: usize = 11;
/// Must not be passed by 300 families.
const LIMIT_MS: f64 = 300.0;

fn main() -> ExitCode {
    let mut out = String::new();
    let mut slow = false;
    for families in [300, 3_000] {
        match measure(families) {
            Ok((line, total)) => {
                slow |= families == 300 && total > LIMIT_MS;
                out += &line;
            }
            Err(error) => {
                let _ = writeln!(io::stderr(), "rules benchmark: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let begin = Instant::now();
    let refused = parse_chain("((((a{64}){64}){64}){64}) ~> b").is_ok_and(|chain| check_chain(&chain, true).is_err());
    let _ = writeln!(out, "worst chain    refused: {refused}, in {:.2} ms", ms(begin));
    let _ = writeln!(out, "300 families in under {LIMIT_MS} ms: {}", if slow { "NO" } else { "yes" });
    let written = io::stdout().lock().write_all(out.as_bytes());
    if written.is_err() || slow || !refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure(families: usize) -> Result<(String, f64), String> {
    let texts = texts(families);
    let mut spent: [Vec<f64>; 3] = [const { Vec::new() }; 3];
    let mut counts = (0, 0);
    for _ in 0..RUNS {
        let begin = Instant::now();
        let sources = Sources::texts(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let rules = rules::load(&sources).map_err(|problems| format!("{} mistakes", problems.len()))?;
        let loaded = ms(begin);
        let results = test_families(&rules, |_| true);
        let terms = run_term_cases(&rules);
        let total = ms(begin);
        if results.iter().any(llm_prof::engine::family_test::CaseResult::fails) {
            return Err("a test of the catalog fails".to_owned());
        }
        counts = (rules.families.len(), results.len() + terms.len());
        for (list, ms) in spent.iter_mut().zip([loaded, total - loaded, total]) {
            list.push(ms);
        }
    }
    let mut line = format!("{} families, {} tests\n", counts.0, counts.1);
    for (what, list) in ["load, compile", "test", "together"].iter().zip(&mut spent) {
        list.sort_by(f64::total_cmp);
        let (median, least, most) = (list[RUNS / 2], list[0], list[RUNS - 1]);
        let _ = writeln!(line, "  {what:13} {median:7.1} ms  [{least:.1} to {most:.1}]");
    }
    Ok((line, spent[2][RUNS / 2]))
}

fn ms(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

/// The shipped rules, and families until there are `wanted`.
fn texts(wanted: usize) -> Vec<(String, String)> {
    let shipped = Sources::embedded();
    let all: Vec<(String, String)> =
        shipped.files().map(|(path, file)| (path.to_owned(), file.text.to_string())).collect();
    // Tests on traces measure the reader, not the loop.
    let is_family = |path: &str| path.starts_with("catalogs/") && path != "catalogs/VERSION";
    let families: Vec<&(String, String)> =
        all.iter().filter(|(path, text)| is_family(path) && !text.contains("trace:")).collect();
    let mut out = all.clone();
    for copy in 1.. {
        for (path, text) in &families {
            let have = out.iter().filter(|(path, _)| is_family(path)).count();
            if have >= wanted || families.is_empty() {
                return out;
            }
            let stem = path.trim_end_matches(".yaml");
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for line in &mut lines {
                if line.starts_with("id: ") {
                    *line = format!("{}-copy-{copy}", line.trim_end());
                } else if line.starts_with("aliases:") {
                    line.clear();
                }
            }
            out.push((format!("{stem}-copy-{copy}.yaml"), lines.join("\n") + "\n"));
        }
    }
    out
}
