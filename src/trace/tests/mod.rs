//! Claims about the reader as a whole. Claims about one step stand in its own file.

mod damaged;
mod layouts;
mod real_traces;
mod segments;

use crate::rules::schema::trace::TraceFile;
use crate::trace::{Error, Settings, Trace, read_from};

/// The settings that `rules/trace.yaml` gives.
fn settings() -> Settings {
    let file: TraceFile = serde_yaml::from_str(include_str!("../../../rules/trace.yaml")).expect("rules/trace.yaml");
    file.settings().expect("rules/trace.yaml")
}

fn read(bytes: &[u8]) -> Result<Trace, Error> {
    read_from("t.json", bytes, &settings())
}

fn in_blocks_of(block_bytes: usize, bytes: &[u8]) -> Result<Trace, Error> {
    read_from("t.json", bytes, &Settings { block_bytes, ..settings() })
}

/// All that was read, as text that can be compared; hash tables stay out of it.
fn dump(trace: &Trace) -> String {
    use std::fmt::Write;

    let t = |id| trace.strings.get(id);
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a String");
    for g in &trace.gpu {
        line(format!("gpu {:?} {} grid={:?} kind={:?}", g, t(g.name), g.grid.map(t), g.copy_kind.map(t)));
    }
    for r in &trace.runtime {
        line(format!("call {:?} {} kernel={:?} kind={:?}", r, t(r.name), r.kernel.map(t), r.copy_kind.map(t)));
    }
    for o in &trace.ops {
        line(format!("op {:?} {} dims={:?} collective={:?}", o, t(o.name), o.dims.map(t), o.collective.map(t)));
    }
    for a in &trace.annotations {
        line(format!("annotation {:?} {}", a, t(a.name)));
    }
    for s in &trace.syncs {
        line(format!("sync {:?} {}", s, t(s.name)));
    }
    for lane in &trace.frames {
        line(format!("frames of {:?} sorted={} {:?}", lane.lane, lane.sorted, lane.packed));
        for f in lane.frames().take(50) {
            line(format!("  {:?} {}", f, t(f.name)));
        }
    }
    for p in &trace.processes {
        line(format!("process {}", t(*p)));
    }
    for l in &trace.lanes {
        line(format!("lane {:?} tid={} name={:?}", l.process, t(l.tid), l.name.map(t)));
    }
    let names: Vec<_> = trace.process_names.iter().map(|(p, name)| (p, t(*name))).collect();
    line(format!("names {names:?} header {:?}", trace.header.values));
    line(format!("events {} {:?} {:?}", trace.events, trace.skipped, trace.warnings));
    out
}
