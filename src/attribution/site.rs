//! Frames around a launch in, the place for people out: call site and nn.Module path.

use rustc_hash::FxHashMap;

use super::pattern::any;
use super::{CallTree, Root, Sites};
use crate::trace::{StringId, Strings};

/// The class of an nn.Module frame of the timeline, which has no instance number any more.
pub(super) fn class_of<'a>(frame: &'a str, sites: &Sites) -> Option<&'a str> {
    frame.strip_prefix(sites.module_prefix.as_str()).filter(|_| !sites.module_prefix.is_empty())
}

/// The class of an nn.Module frame of a trace, without the instance number.
pub(super) fn module_of<'a>(frame: &'a str, sites: &Sites) -> Option<&'a str> {
    let name = class_of(frame, sites)?;
    match name.rsplit_once('_') {
        Some((class, number)) if !class.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => Some(class),
        _ => Some(name),
    }
}

/// A Python frame: `path.py(LINE): function`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PythonFrame<'a> {
    pub(super) path: &'a str,
    pub(super) line: &'a str,
    pub(super) function: &'a str,
}

impl<'a> PythonFrame<'a> {
    pub(super) fn parse(frame: &'a str) -> Option<Self> {
        let (place, function) = frame.split_once("): ")?;
        let (path, line) = place.rsplit_once('(')?;
        let is_line = !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit());
        (is_line && path.contains('.')).then_some(Self { path, line, function })
    }
}

/// A path cut at its root, and the root.
pub(super) fn cut<'a, 's>(path: &'a str, sites: &'s Sites) -> (&'a str, Option<&'s Root>) {
    let mut path = path;
    for install in &sites.install {
        if let Some((_, rest)) = path.rsplit_once(install.as_str()) {
            path = rest;
        }
    }
    for root in &sites.roots {
        let Some(mut at) = find_part(path, &root.path) else { continue };
        // A checkout of the same name around the package: `/src/vllm/vllm/v1/`.
        while path[at + root.path.len()..].starts_with(&root.path) {
            at += root.path.len();
        }
        return (&path[at..], Some(root));
    }
    (path.trim_start_matches('/'), None)
}

/// The path of a Python frame, with which its text begins.
pub fn frame_path(frame: &str) -> Option<&str> {
    PythonFrame::parse(frame).map(|frame| frame.path)
}

/// What a path may tell others: what follows an installation or a package root, else the name of its file.
pub fn public_path<'a>(path: &'a str, sites: &Sites) -> &'a str {
    let (rest, root) = cut(path, sites);
    let at_install = rest.len() < path.trim_start_matches('/').len();
    if root.is_some() || at_install { rest } else { path.rsplit(['/', '\\']).next().unwrap_or(path) }
}

/// Where `part` stands in `path`: at its begin or after a `/`.
fn find_part(path: &str, part: &str) -> Option<usize> {
    let begins = memchr::memchr_iter(b'/', path.as_bytes()).map(|slash| slash + 1);
    std::iter::once(0).chain(begins).find(|at| path.as_bytes()[*at..].starts_with(part.as_bytes()))
}

/// Module paths that go on get no longer: nests of thousands would fill the memory.
const LONGEST_MODULE: usize = 4096;

/// Site and module path of a frame node.
pub(super) type Shown = (Option<StringId>, Option<StringId>);

/// The best frame so far with its rank, and the module path.
type Best = (Option<(u32, StringId)>, Option<StringId>);

/// Site and module path by frame node, in one pass: a node stands after the one around it.
pub(super) fn shown(frames: &CallTree, sites: &Sites, strings: &mut Strings) -> Vec<Shown> {
    let mut ranks: FxHashMap<StringId, Option<u32>> = FxHashMap::default();
    let mut texts: FxHashMap<StringId, Option<StringId>> = FxHashMap::default();
    let mut best: Vec<Best> = Vec::with_capacity(frames.nodes.len());
    for &(around, name) in &frames.nodes {
        let (mut frame, mut module) = around.map_or((None, None), |around| best[around.0 as usize]);
        let text = strings.get(name);
        if let Some(class) = class_of(text, sites) {
            let long = module.is_some_and(|path| strings.get(path).len() > LONGEST_MODULE);
            if !long && !any(&sites.skipped_modules, class) {
                let path = module.map_or_else(|| class.to_owned(), |m| format!("{}.{class}", strings.get(m)));
                module = Some(strings.intern(&path));
            }
        } else if let Some(rank) = *ranks.entry(name).or_insert_with(|| rank(text, sites))
            && frame.is_none_or(|(other, _)| rank >= other)
        {
            frame = Some((rank, name));
        }
        best.push((frame, module));
    }
    let mut site = |(_, name): (u32, StringId)| *texts.entry(name).or_insert_with(|| text(name, sites, strings));
    best.into_iter().map(|(frame, module)| (frame.and_then(&mut site), module)).collect()
}

/// A Python frame as people read it: `path.py:LINE function`.
pub(super) fn text(frame: StringId, sites: &Sites, strings: &mut Strings) -> Option<StringId> {
    let frame = PythonFrame::parse(strings.get(frame))?;
    let (path, _) = cut(frame.path, sites);
    let text = format!("{path}:{} {}", frame.line, frame.function);
    Some(strings.intern(&text))
}

/// Rank of a frame; none for what is no Python file.
pub(super) fn rank(frame: &str, sites: &Sites) -> Option<u32> {
    let parsed = PythonFrame::parse(frame)?;
    let own = cut(parsed.path, sites).1.map_or(sites.other, |root| root.rank);
    let demoted = sites.demoted.iter().find(|(pattern, _)| pattern.matches(frame)).map(|(_, rank)| *rank);
    Some(demoted.map_or(own, |rank| rank.min(own)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::nest::Tree;
    use crate::attribution::{Pattern, RootSays};

    fn sites() -> Sites {
        let root = |path: &str, rank| Root { path: path.to_owned(), rank, says: RootSays::Nothing };
        Sites {
            module_prefix: "nn.Module: ".to_owned(),
            roots: vec![root("python/serve/", 50), root("serve/", 50), root("kernels/", 20)],
            demoted: vec![(Pattern::new("*/linear.py(*").unwrap(), 30)],
            install: vec!["site-packages/".to_owned()],
            other: 10,
            ..Sites::default()
        }
    }

    /// Site and module of a stack, outermost first.
    fn place(stack: &[&str]) -> (Option<String>, Option<String>) {
        let (mut tree, mut strings) = (Tree::default(), Strings::default());
        let mut node = None;
        for name in stack {
            node = Some(tree.child(node, strings.intern(name)));
        }
        let (site, module) = shown(&tree.tree, &sites(), &mut strings)[node.unwrap().0 as usize];
        (site.map(|s| strings.get(s).to_owned()), module.map(|s| strings.get(s).to_owned()))
    }

    #[test]
    fn the_innermost_frame_of_the_highest_rank_is_the_site() {
        let stack = [
            "/w/python/serve/runner.py(1): step",
            "nn.Module: Decoder",
            "/w/python/serve/models/a.py(20): forward",
            "nn.Module: Linear",
            "/w/python/serve/layers/linear.py(7): apply",
            "kernels/gemm.py(3): mm",
        ];
        let (site, module) = place(&stack);
        assert_eq!(site.as_deref(), Some("python/serve/models/a.py:20 forward"));
        assert_eq!(module.as_deref(), Some("Decoder.Linear"));
    }

    #[test]
    fn a_wrapper_is_the_site_when_nothing_better_is_there() {
        let (site, _) = place(&["main.py(1): main", "serve/layers/linear.py(7): apply"]);
        assert_eq!(site.as_deref(), Some("serve/layers/linear.py:7 apply"));
        assert_eq!(place(&["<built-in method mm>"]), (None, None));
    }

    #[test]
    fn a_path_is_cut_at_the_package_not_at_the_checkout() {
        let sites = sites();
        for path in ["/src/serve/serve/v1/x.py", "/usr/lib/site-packages/serve/v1/x.py", "serve/v1/x.py"] {
            assert_eq!(cut(path, &sites).0, "serve/v1/x.py");
        }
        assert_eq!(cut("/data/observe/x.py", &sites).0, "data/observe/x.py");
    }

    #[test]
    fn instance_numbers_are_cut_but_not_a_number_of_the_class() {
        let sites = sites();
        assert_eq!(module_of("nn.Module: Qwen3DecoderLayer_12", &sites), Some("Qwen3DecoderLayer"));
        assert_eq!(module_of("nn.Module: Conv2d", &sites), Some("Conv2d"));
        assert_eq!(module_of("serve/x.py(1): f", &sites), None);
    }
}
