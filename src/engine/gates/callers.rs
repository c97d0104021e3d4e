//! Whether a file of the framework calls the fused path for the run's model.

use super::{Effect, Gate, UNKNOWN, alike, told};
use crate::attribution::{LaunchId, Lookup, Run, Timeline};
use crate::engine::{Half, Tri, advice};
use crate::rules::{Caller, Family, ModelWords};

/// How many callers are named.
const SHOWN: usize = 2;

/// Whether a model is one of these.
pub fn is_of(words: &ModelWords, model: &str) -> bool {
    let has = |words: &[String]| words.iter().any(|word| alike(model).contains(&alike(word)));
    (words.any.is_empty() || has(&words.any)) && !has(&words.none)
}

/// Whether anybody calls the path in this version, on this GPU, for this model; yes where nobody is asked.
pub fn served(family: &Family, run: &Run) -> Tri {
    if family.called_for.is_empty() {
        return Tri::Yes;
    }
    let here = || family.called_for.iter().filter(|caller| is_here(caller, run));
    match &run.model {
        Some(model) => Tri::from_bool(here().any(|caller| is_of(&caller.models, &model.value))),
        None if here().any(|caller| caller.models.is_empty()) => Tri::Yes,
        None if here().next().is_none() => Tri::No,
        None => Tri::Unknown,
    }
}

fn is_here(caller: &Caller, run: &Run) -> bool {
    is_now(caller, run) && advice::is_of(caller.vendor.as_ref(), run)
}

fn is_now(caller: &Caller, run: &Run) -> bool {
    let version = run.framework_version.as_ref().map(|known| known.value.as_str());
    advice::holds(version, caller.since.as_deref(), caller.until.as_deref())
}

/// The gate of `called_for`; its `found` is a sentence of its own.
pub(super) fn gate(family: &Family, run: &Run) -> Option<Gate> {
    let answer = served(family, run);
    let found = match answer {
        Tri::Yes => run.model.as_ref().map_or(UNKNOWN.to_owned(), told),
        Tri::No => {
            let framework = run.framework.as_ref().map_or("the framework", |known| known.value.as_str());
            let version = run.framework_version.as_ref().map(|known| format!(" {}", known.value)).unwrap_or_default();
            let model = run.model.as_ref().map(|known| format!(" for {}", known.value)).unwrap_or_default();
            let gpu = run.vendor.as_ref().filter(|_| family.called_for.iter().any(|caller| caller.vendor.is_some()));
            let gpu = gpu.map(|known| format!(" on a GPU of {}", known.value)).unwrap_or_default();
            format!("no file of {framework}{version} calls it{model}{gpu}: it is called {}", told_callers(family, run))
        }
        Tri::Unknown => {
            format!("the model is unknown (pass --model), and it is called {} alone", told_callers(family, run))
        }
    };
    (!family.called_for.is_empty()).then(|| Gate {
        key: "called_for".to_owned(),
        wants: "a call for this model".to_owned(),
        answer,
        found,
        ask: None,
        effect: Effect::Uncalled,
    })
}

/// The callers that tell most: those of the model elsewhere, else those of other models here, else all.
fn told_callers(family: &Family, run: &Run) -> String {
    let of_model = |caller: &&Caller| run.model.as_ref().is_some_and(|model| is_of(&caller.models, &model.value));
    let mut callers: Vec<&Caller> = family.called_for.iter().filter(of_model).collect();
    if callers.is_empty() {
        callers = family.called_for.iter().filter(|caller| is_here(caller, run)).collect();
    }
    if callers.is_empty() {
        callers = family.called_for.iter().collect();
    }
    let more = callers.len().saturating_sub(SHOWN);
    let mut parts: Vec<String> = callers.iter().take(SHOWN).map(|caller| told_caller(caller, run)).collect();
    if more > 0 {
        parts.push(format!("in {more} more"));
    }
    parts.join(", ")
}

/// The first of its words stands for the models: the file tells the rest.
fn told_caller(caller: &Caller, run: &Run) -> String {
    let mut out = format!("in {}", caller.files.join(" and "));
    if let Some(model) = caller.models.any.first() {
        out = format!("{out} for {model}");
    }
    if let Some(vendor) = caller.vendor.as_ref().filter(|vendor| !advice::is_of(Some(*vendor), run)) {
        out = format!("{out} on a GPU of {vendor}");
    }
    for (word, version) in [("since", &caller.since), ("until", &caller.until)] {
        if let Some(version) = version.as_ref().filter(|_| !is_now(caller, run)) {
            out = format!("{out} {word} {version}");
        }
    }
    out
}

/// The file of the model that could call the path: the innermost one beside the files that do call it which is around
/// every launch of the split form. None where that one does so on another GPU or in another version.
pub fn model_file(family: &Family, timeline: &Timeline, split: &Half) -> Option<String> {
    let callers = family.called_for.iter().flat_map(|caller| &caller.files);
    let folders: Vec<&str> = callers.filter_map(|file| Some(file.rsplit_once('/')?.0)).collect();
    let mut launches = split.occurrences.first()?.launches.iter().map(|launch| files(&folders, timeline, *launch));
    let first = launches.next()?;
    let rest: Vec<Vec<String>> = launches.collect();
    let is_source = |file: &String| family.sources.iter().any(|source| source.path == *file);
    let file = first.into_iter().find(|file| !is_source(file) && rest.iter().all(|files| files.contains(file)))?;
    let calls = family.called_for.iter().any(|caller| caller.files.contains(&file));
    (!calls).then_some(file)
}

/// The files of some folders in the Python frames around a launch, innermost first.
fn files(folders: &[&str], timeline: &Timeline, launch: LaunchId) -> Vec<String> {
    let Lookup::At(node) = timeline.context(launch).frame else { return Vec::new() };
    let frames = timeline.frames.path(node).map(|node| timeline.strings.get(timeline.frames.name(node)));
    frames
        .filter_map(|frame| {
            let (folder, file) = frame.split('(').next()?.rsplit_once('/')?;
            // A trace of an installed package has no path from the repository's root.
            let same = |known: &&&str| known.split_once('/').is_some_and(|(_, inner)| folder.ends_with(inner));
            Some(format!("{}/{file}", folders.iter().find(same)?))
        })
        .collect()
}
