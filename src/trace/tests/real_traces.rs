//! Claims that need real traces: `LLM_PROF_REAL_TRACES` names a folder of them; without it they pass with a note.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::segments::in_parts_of;
use super::{dump, settings};
use crate::trace::source::unpack;
use crate::trace::{Error, Settings, Trace, read};

fn folder() -> Vec<PathBuf> {
    let Ok(folder) = std::env::var("LLM_PROF_REAL_TRACES") else {
        println!("LLM_PROF_REAL_TRACES is not set: nothing is checked");
        return Vec::new();
    };
    let entries = std::fs::read_dir(folder).expect("LLM_PROF_REAL_TRACES is a folder");
    let mut files: Vec<_> = entries.map(|e| e.expect("readable entry").path()).collect();
    files.retain(|f| f.to_string_lossy().contains(".json"));
    files.sort();
    files
}

fn summary(trace: &Trace) -> String {
    let mut devices: BTreeMap<_, (u64, i64)> = BTreeMap::new();
    for g in &trace.gpu {
        let device = devices.entry(trace.strings.get(trace.processes[g.stream.process.0 as usize])).or_default();
        device.0 += 1;
        device.1 += g.dur.0;
    }
    format!(
        "gpu {devices:?} runtime {} ops {} annotations {} syncs {} frames {} lanes {} texts {} events {} {:?} {:?}",
        trace.runtime.len(),
        trace.ops.len(),
        trace.annotations.len(),
        trace.syncs.len(),
        trace.frames.iter().map(|f| f.len).sum::<usize>(),
        trace.lanes.len(),
        trace.strings.len(),
        trace.events,
        trace.skipped,
        trace.warnings
    )
}

fn shown((cut, whole): (&str, &str)) -> (String, String) {
    let first = |text: &str| text.chars().take(500).collect();
    (first(cut), first(whole))
}

#[test]
fn neither_block_size_nor_skeletons_show() {
    for file in folder() {
        let whole = match read(&file, &Settings { block_bytes: 64 << 20, learn: false, ..settings() }) {
            Ok(trace) => trace,
            Err(Error::NotATrace { looks_like, .. }) => {
                println!("{}: {looks_like}", file.display());
                continue;
            }
            Err(e) => panic!("{e}"),
        };
        println!("{}: {}", file.display(), summary(&whole));
        let whole = dump(&whole);
        for block_bytes in [4 * 1024, 65_537, 1 << 20] {
            let cut = read(&file, &Settings { block_bytes, ..settings() }).expect("read once already");
            let cut = dump(&cut);
            let differs = cut.lines().zip(whole.lines()).find(|(cut, whole)| cut != whole).map(shown);
            assert_eq!(differs, None, "{}: blocks of {block_bytes} bytes differ", file.display());
            assert!(cut == whole, "{}: blocks of {block_bytes} bytes end elsewhere", file.display());
        }
        let mut json = Vec::new();
        let (_, mut input) = unpack(File::open(&file).expect("read before")).expect("read before");
        input.read_to_end(&mut json).expect("read before");
        for parts in [2, 9] {
            let parted = in_parts_of(parts, &json, &settings()).map(|trace| dump(&trace));
            println!("{}: in {parts} parts: {}", file.display(), parted.is_some());
            assert!(parted.is_none_or(|parted| parted == whole), "{}: {parts} parts differ", file.display());
        }
    }
}
