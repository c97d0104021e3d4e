//! Frames around a launch in, the place for people out: call site and nn.Module path.

use rustc_hash::FxHashMap;

use super::nest::Tree;
use super::{NodeId, Root, Sites};
use crate::trace::{StringId, Strings};

/// The class of an nn.Module frame, without the instance number.
pub(super) fn module_of<'a>(frame: &'a str, sites: &Sites) -> Option<&'a str> {
    if sites.module_prefix.is_empty() {
        return None;
    }
    let name = frame.strip_prefix(sites.module_prefix.as_str())?;
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

/// Where `part` stands in `path`: at its begin or after a `/`.
fn find_part(path: &str, part: &str) -> Option<usize> {
    path.match_indices(part).map(|(at, _)| at).find(|&at| at == 0 || path.as_bytes()[at - 1] == b'/')
}

/// Site and module path of a frame node.
pub(super) type Shown = (Option<StringId>, Option<StringId>);

/// Sites and module paths by frame node, each found once.
#[derive(Default)]
pub(super) struct Finder {
    known: FxHashMap<NodeId, Shown>,
}

impl Finder {
    /// The site and the module path of `frame`.
    pub(super) fn shown(&mut self, frame: NodeId, frames: &Tree, sites: &Sites, strings: &mut Strings) -> Shown {
        if let Some(&known) = self.known.get(&frame) {
            return known;
        }
        let mut best: Option<(u32, String)> = None;
        let mut modules: Vec<String> = Vec::new();
        for node in frames.tree.path(frame) {
            let text = strings.get(frames.tree.name(node));
            if let Some(class) = text.strip_prefix(sites.module_prefix.as_str()) {
                if !sites.skipped_modules.iter().any(|p| p.matches(class)) {
                    modules.push(class.to_owned());
                }
            } else if let Some(rank) = rank(text, sites).filter(|&r| best.as_ref().is_none_or(|b| r > b.0))
                && let Some(parsed) = PythonFrame::parse(text)
            {
                let (path, _) = cut(parsed.path, sites);
                best = Some((rank, format!("{path}:{} {}", parsed.line, parsed.function)));
            }
        }
        modules.reverse();
        let site = best.map(|(_, text)| strings.intern(&text));
        let module = (!modules.is_empty()).then(|| strings.intern(&modules.join(".")));
        self.known.insert(frame, (site, module));
        (site, module)
    }
}

/// Rank of a frame; none for what is no Python file.
fn rank(frame: &str, sites: &Sites) -> Option<u32> {
    let parsed = PythonFrame::parse(frame)?;
    let own = cut(parsed.path, sites).1.map_or(sites.other, |root| root.rank);
    let demoted = sites.demoted.iter().find(|(pattern, _)| pattern.matches(frame)).map(|(_, rank)| *rank);
    Some(demoted.map_or(own, |rank| rank.min(own)))
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn shown(stack: &[&str]) -> (Option<String>, Option<String>) {
        let (mut tree, mut strings) = (Tree::default(), Strings::default());
        let mut node = None;
        for name in stack {
            node = Some(tree.child(node, strings.intern(name)));
        }
        let (site, module) = Finder::default().shown(node.unwrap(), &tree, &sites(), &mut strings);
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
        let (site, module) = shown(&stack);
        assert_eq!(site.as_deref(), Some("python/serve/models/a.py:20 forward"));
        assert_eq!(module.as_deref(), Some("Decoder.Linear"));
    }

    #[test]
    fn a_wrapper_is_the_site_when_nothing_better_is_there() {
        let (site, _) = shown(&["main.py(1): main", "serve/layers/linear.py(7): apply"]);
        assert_eq!(site.as_deref(), Some("serve/layers/linear.py:7 apply"));
        assert_eq!(shown(&["<built-in method mm>"]), (None, None));
    }

    #[test]
    fn a_path_is_cut_at_the_package_not_at_the_checkout() {
        let sites = sites();
        for path in ["/src/serve/serve/v1/x.py", "/usr/lib/site-packages/serve/v1/x.py", "serve/v1/x.py"] {
            assert_eq!(cut(path, &sites).0, "serve/v1/x.py");
        }
        assert_eq!(cut("/home/observe/x.py", &sites).0, "home/observe/x.py");
    }

    #[test]
    fn instance_numbers_are_cut_but_not_a_number_of_the_class() {
        let sites = sites();
        assert_eq!(module_of("nn.Module: Qwen3DecoderLayer_12", &sites), Some("Qwen3DecoderLayer"));
        assert_eq!(module_of("nn.Module: Conv2d", &sites), Some("Conv2d"));
        assert_eq!(module_of("serve/x.py(1): f", &sites), None);
    }
}
