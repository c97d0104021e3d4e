//! Places of a mapping trace for the launches of another: ops, frames, sites and modules, never figures.

use rustc_hash::FxHashMap;

use super::{CallTree, Context, ContextId, FoundBy, LaunchId, Lookup, NodeId, Timeline};
use crate::trace::{StringId, Strings};

/// Gives launches of `formal` whose place is unknown that of their counterparts: `ties[n]` are those in `mapping[n]`. What
/// has none says so. Shapes are not taken: they are those of another batch.
pub fn take_places(formal: &mut Timeline, mapping: &[&Timeline], ties: &[Vec<(LaunchId, LaunchId)>]) {
    let mut contexts: FxHashMap<Context, ContextId> = FxHashMap::default();
    for (n, context) in formal.contexts.iter().enumerate() {
        contexts.entry(*context).or_insert(ContextId(n as u32));
    }
    let mut seen = vec![false; formal.launches.len()];
    for (other, ties) in mapping.iter().copied().zip(ties) {
        let mut trees = (Import::new(&formal.ops), Import::new(&formal.frames));
        for &(id, counterpart) in ties {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            let new = carried(formal, id, other, counterpart, &mut trees);
            set(formal, id, new, &mut contexts);
        }
    }
    for id in formal.launch_ids().filter(|id| !seen[id.0 as usize]) {
        let own = *formal.context(id);
        if own.frame == Lookup::Unknown {
            set(formal, id, Context { frame_found_by: FoundBy::NoCounterpart, ..own }, &mut contexts);
        }
    }
}

fn set(formal: &mut Timeline, id: LaunchId, new: Context, contexts: &mut FxHashMap<Context, ContextId>) {
    let next = ContextId(formal.contexts.len() as u32);
    let context = *contexts.entry(new).or_insert(next);
    if context == next {
        formal.contexts.push(new);
    }
    formal.launches[id.0 as usize].context = context;
}

/// The place of a launch, with what it does not know taken from its counterpart.
fn carried(
    formal: &mut Timeline,
    id: LaunchId,
    mapping: &Timeline,
    counterpart: LaunchId,
    (ops, frames): &mut (Import, Import),
) -> Context {
    let mut new = *formal.context(id);
    let other = *mapping.context(counterpart);
    let strings = &mut formal.strings;
    if new.op == Lookup::Unknown && other.op != Lookup::Unknown {
        new.op = ops.place(other.op, &mapping.ops, &mut formal.ops, &mapping.strings, strings);
        new.op_found_by = FoundBy::Mapping;
        formal.counts.by_mapping += 1;
    }
    if new.frame == Lookup::Unknown && other.frame != Lookup::Unknown {
        new.frame = frames.place(other.frame, &mapping.frames, &mut formal.frames, &mapping.strings, strings);
        new.frame_found_by = FoundBy::Mapping;
        let mut text = |id: Option<StringId>| id.map(|id| strings.intern(mapping.strings.get(id)));
        (new.site, new.module) = (text(other.site), text(other.module));
        formal.launches[id.0 as usize].instance = text(mapping.launch(counterpart).instance);
    }
    new
}

/// Nodes of one tree carried over into another.
struct Import {
    known: FxHashMap<(Option<NodeId>, StringId), NodeId>,
    carried: FxHashMap<NodeId, NodeId>,
}

impl Import {
    fn new(into: &CallTree) -> Self {
        let known = into.nodes.iter().enumerate().map(|(n, node)| (*node, NodeId(n as u32))).collect();
        Self { known, carried: FxHashMap::default() }
    }

    fn place(
        &mut self,
        place: Lookup,
        from: &CallTree,
        into: &mut CallTree,
        texts: &Strings,
        strings: &mut Strings,
    ) -> Lookup {
        let Lookup::At(node) = place else { return place };
        let mut around = None;
        let mut path: Vec<NodeId> = from.path(node).collect();
        path.reverse();
        for node in path {
            let carried = if let Some(carried) = self.carried.get(&node) {
                *carried
            } else {
                let name = strings.intern(texts.get(from.name(node)));
                let next = NodeId(into.nodes.len() as u32);
                let id = *self.known.entry((around, name)).or_insert(next);
                if id == next {
                    into.nodes.push((around, name));
                }
                self.carried.insert(node, id);
                id
            };
            around = Some(carried);
        }
        around.map_or(place, Lookup::At)
    }
}
