//! `llm-prof trtllm`: releases without a profiler route, and stacks where they are off.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::args::{OneStage, TrtllmCommand, TrtllmEnv, TrtllmPatch};
use super::capture::servers;
use super::failure::Failure;
use super::output::{print, print_line, save_whole};
use super::streams::Streams;
use crate::capture::{self, quoted};
use crate::rules::schema::servers::Servers;

/// Runs the subcommand.
pub(super) fn run(command: &TrtllmCommand, streams: &mut Streams) -> Result<(), Failure> {
    match command {
        TrtllmCommand::Env(args) => env(args, streams),
        TrtllmCommand::Patch(args) => patch(args, streams),
    }
}

/// Variables for a shell, and as comments what is done then.
fn env(args: &TrtllmEnv, streams: &mut Streams) -> Result<(), Failure> {
    let servers = servers(&args.knowledge, streams)?;
    let run = servers.servers.iter().find_map(|file| file.window_run.as_ref());
    let run = run.ok_or_else(|| Failure::usage("the rules know no server that is profiled without a route"))?;
    let module = args.source.as_deref().map(read).transpose()?;
    let (decode, stage) = match args.stage {
        OneStage::Prefill => (false, "prefill"),
        OneStage::Decode => (true, "decode"),
    };
    let folder = std::path::absolute(&args.output_dir).unwrap_or_else(|_| args.output_dir.clone());
    let window = run.window(decode, args.warmup_steps, args.num_steps, module.as_deref());
    let numbers = [args.warmup_steps, args.num_steps].map(|number| number.to_string());
    let dir = folder.display().to_string();
    let holes = [
        ("window", window.as_str()),
        ("dir", dir.as_str()),
        ("stage", stage),
        ("warmup", numbers[0].as_str()),
        ("steps", numbers[1].as_str()),
    ];
    let mut out = format!("# one run of the server for {stage}, with these in its environment\n");
    for variable in &run.variables {
        let value = capture::fill(&variable.value, &holes);
        let _ = writeln!(out, "export {}={}", variable.name, quoted(&value));
    }
    let _ = writeln!(out, "# then {}", capture::fill(run.then.of(decode), &holes));
    let _ = writeln!(out, "# then stop the server, and run: llm-prof triage {}", quoted(&dir));
    print(&out, streams)
}

/// A copy with stacks on.
fn patch(args: &TrtllmPatch, streams: &mut Streams) -> Result<(), Failure> {
    let servers = servers(&args.knowledge, streams)?;
    let copy = copy(&args.source, &args.output, &servers)?;
    let (shown, module) = (args.output.display(), &copy.module);
    print_line(&format!("{shown}: {module} with stacks on, line {} is changed", copy.line), streams)?;
    print_line(
        "lay it over that file of the server's installation, in a container by a mount, and start the server",
        streams,
    )
}

/// Writes the copy of a module with stacks on.
pub(super) fn copy(source: &Path, output: &Path, servers: &Servers) -> Result<capture::Patched, Failure> {
    let rules = servers.servers.iter().find_map(|file| file.stacks_on.as_ref());
    let rules = rules.ok_or_else(|| Failure::usage("the rules know no server whose stacks are off"))?;
    let text = read(source)?;
    if same(source, output) {
        return Err(Failure::usage(format!("--output {}: it is the source, which stays as it is", output.display())));
    }
    let patched = capture::stacks_on(&text, rules, servers)
        .map_err(|why| Failure::unfit(format!("{}: {why}; nothing is written", source.display())))?;
    save_whole(output, &patched.text)
        .map_err(|error| Failure::usage(format!("--output {}: cannot write it: {error}", output.display())))?;
    Ok(patched)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::input(format!("{}: cannot read it: {error}; expected Python", path.display())))
}

/// Whether both are one file, under whatever names.
fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
