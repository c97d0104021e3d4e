//! `llm-prof bundle`: many runs in one document.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::{Bundle, Format};
use super::failure::Failure;
use super::finished::Opening;
use super::streams::Streams;
use super::{loading, output, session};
use crate::engine::Engine;
use crate::rules::RuleSet;
use crate::runs::bundle::{self, Given};

/// A run that is to be opened.
struct Source {
    path: PathBuf,
    model: Option<String>,
    framework: Option<String>,
}

/// Opens all, puts them together, prints.
pub(super) fn run(args: &Bundle, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let mut sources: Vec<Source> = args.paths.iter().map(|text| named(text)).collect();
    if let Some(root) = &args.analysis_root {
        sources.extend(below(root, &rules)?);
    }
    let missing: Vec<String> =
        sources.iter().filter(|one| !one.path.exists()).map(|one| one.path.display().to_string()).collect();
    if !missing.is_empty() {
        return Err(Failure::input(format!("{}: there is no such file or folder", missing.join(", "))));
    }
    let engine = Engine::new(&rules);
    let opening = Opening { rules: &rules, engine: &engine, input: &args.input, terminal: &args.terminal };
    let mut given = Vec::new();
    for Source { path, model, framework } in sources {
        let run = opening.run(&[path], streams)?;
        given.push(Given { run, model, framework });
    }
    let bundle = bundle::bundle(given, &args.title, &rules);
    let document = &args.document;
    output::documents(document.format, &document.output, &args.terminal, streams, |format, style| match format {
        Format::Text => Some(bundle::text::render(&bundle, style)),
        Format::Markdown => Some(bundle::markdown::render(&bundle, args.include_toc)),
        Format::Html => Some(bundle::html::render(&bundle, args.include_toc)),
        Format::Json => Some(bundle::json(&bundle)),
        Format::Csv => None,
    })
}

/// `PATH`, or `MODEL=PATH` where there is no file of the whole name.
fn named(text: &str) -> Source {
    let source = |path: &str, model: Option<&str>| Source {
        path: PathBuf::from(path),
        model: model.map(str::to_owned),
        framework: None,
    };
    match text.split_once('=') {
        Some((model, path)) if !model.is_empty() && !Path::new(text).exists() => source(path, Some(model)),
        _ => source(text, None),
    }
}

/// `MODEL/analysis_FRAMEWORK.json` below a folder; a model's name may have folders of its own (`org/model`).
fn below(root: &Path, rules: &RuleSet) -> Result<Vec<Source>, Failure> {
    let shown = root.display();
    let cannot = |error: std::io::Error| Failure::input(format!("--analysis-root {shown}: cannot read it: {error}"));
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let path = entry.path();
            // A link may lead back.
            if entry.file_type().map_err(cannot)?.is_dir() {
                open.push(path);
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(framework) = name.strip_prefix("analysis_").and_then(|rest| rest.strip_suffix(".json")) else {
                continue;
            };
            let model = folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy().replace('\\', "/");
            // A word that is no framework says nothing: the report may.
            let framework = session::framework(framework, rules).ok().flatten();
            found.push(Source { path, model: Some(model).filter(|model| !model.is_empty()), framework });
        }
    }
    if found.is_empty() {
        return Err(Failure::input(format!("--analysis-root {shown}: no MODEL/analysis_FRAMEWORK.json below it")));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
